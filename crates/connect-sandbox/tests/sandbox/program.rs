//! The sandbox as a program.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::purchase;

/// Ends the program with the test, however that ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn it_prints_what_a_runner_needs_and_serves_on_when_nobody_reads_that() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("one.json"), purchase("PR-1").to_string()).unwrap();
    fs::write(folder.path().join("two.json"), json!([purchase("PR-2"), purchase("PR-3")]).to_string())
        .unwrap();
    fs::write(folder.path().join("notes.txt"), "no request").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect-sandbox"));
    command.args([
        "--address",
        "127.0.0.1:0",
        "--speed",
        "60",
        "--api-key",
        "ApiKey SU-1:given",
        "--requests",
    ]);
    command.arg(folder.path()).env("API_KEY", "ApiKey SU-1:not-this");
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut program = Program(command.spawn().unwrap());
    let mut environment = HashMap::new();
    for line in BufReader::new(program.0.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|export| export.split_once('=')) {
            environment.insert(name.to_owned(), value.trim_matches('\'').to_owned());
        }
        // The pipe is closed before the program has written all.
        if environment.contains_key("API_ADDRESS") {
            break;
        }
    }
    assert_eq!(environment["API_KEY"], "ApiKey SU-1:given");
    assert_eq!(environment["SERVER_ADDRESS"], environment["API_ADDRESS"].replace("http://", "ws://"));
    let call = reqwest::Client::new().get(format!("{}/public/v1/requests", environment["API_ADDRESS"]));
    let answer = call.header("Authorization", &environment["API_KEY"]).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap().as_array().unwrap().len(), 3);
}

#[test]
fn it_says_why_it_can_not_start() {
    let end = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_connect-sandbox")).args(arguments).output().unwrap()
    };
    let output = end(&["--address", "127.0.0.1:0", "--requests", "/nowhere.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere.json can't be read as requests"));
    for flag in ["--catalogue", "--import"] {
        let output = end(&["--address", "127.0.0.1:0", flag, "/nowhere.json"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere.json: No such file"), "{flag}");
    }
    assert_eq!(end(&["--speed", "fast"]).status.code(), Some(2));
}
