//! The command line of every extension, tried on the README's.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::process::Output;

use assert_cmd::Command;
use connect_fulfillment::sandbox::Sandbox;
use serde_json::{Value, json};

fn run(arguments: &[&str], env: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("quickstart").unwrap();
    command.env_clear().args(arguments).envs(env.iter().copied()).timeout(std::time::Duration::from_secs(60));
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

#[test]
fn an_incomplete_environment_is_told_whole_and_ends_with_2() {
    let (code, _, stderr) = run(&[], &[("API_KEY", "canary"), ("SCHEDULED_TASK_MAX_EXECUTION_TIME", "soon")]);
    assert_eq!(code, 2, "{stderr}");
    for problem in
        ["API_KEY is not a key", "ENVIRONMENT_ID is missing", "SCHEDULED_TASK_MAX_EXECUTION_TIME is not"]
    {
        assert!(stderr.contains(problem), "{problem} in {stderr}");
    }
    assert!(!stderr.contains("canary"));
}

#[test]
fn logs_are_json_where_nobody_reads_them() {
    let (_, _, stderr) = run(&["run"], &[]);
    let line: Value = serde_json::from_str(stderr.lines().last().unwrap()).unwrap();
    assert_eq!(line["level"], "ERROR");
    let (_, _, stderr) = run(&["run", "--log-format", "human"], &[]);
    assert!(stderr.contains("ERROR"), "{stderr}");
}

#[test]
fn check_and_describe_need_no_environment() {
    let (code, stdout, stderr) = run(&["check"], &[]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains("declared right") && stdout.contains("not checked against Connect"), "{stdout}");
    let (code, stdout, _) = run(&["describe"], &[]);
    assert_eq!(code, 0);
    assert!(stdout.contains("background   asset_purchase_request_processing  pending"), "{stdout}");
    let (_, stdout, _) = run(&["describe", "--json"], &[]);
    let described: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(described["events"][0]["event"], "asset_purchase_request_processing");
    assert_eq!(described["variables"][0], "ACTIVATION_TEMPLATE");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_asks_connect_where_it_has_a_key() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let with_key = |key: Option<&str>| {
        let mut environment = sandbox.environment();
        if let (Some(key), Some(entry)) = (key, environment.iter_mut().find(|(name, _)| name == "API_KEY")) {
            key.clone_into(&mut entry.1);
        }
        environment
    };
    let check = |arguments: &'static [&'static str], environment: Vec<(String, String)>| {
        tokio::task::spawn_blocking(move || {
            let environment: Vec<_> = environment.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            run(arguments, &environment)
        })
    };
    let (code, stdout, stderr) = check(&["check", "--unsecure"], with_key(None)).await.unwrap();
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains("; checked against http://127.0.0.1"), "{stdout}");

    let refused = with_key(Some("ApiKey SU-000:canary"));
    let (code, stdout, _) = check(&["check", "--unsecure", "--json"], refused.clone()).await.unwrap();
    assert_eq!(code, 2, "{stdout}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&report["errors"], &report["findings"][0]["check"]), (&json!(1), &json!("connect")));
    assert!(report["findings"][0]["message"].as_str().unwrap().starts_with("Connect does not take the key"));
    let (code, stdout, _) = check(&["check"], refused.clone()).await.unwrap();
    assert_eq!(code, 2);
    assert!(stdout.contains("1 error, 0 warnings") && !stdout.contains("canary"), "{stdout}");
    let (code, _, _) = check(&["check", "--offline"], refused.clone()).await.unwrap();
    assert_eq!(code, 0);
    // A start with such a key ends at once.
    let (code, _, stderr) = check(&["run", "--unsecure"], refused).await.unwrap();
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("--no-validate") && !stderr.contains("canary"), "{stderr}");
}

#[test]
fn dev_runs_against_a_sandbox_of_its_own() {
    let requests = concat!(env!("CARGO_MANIFEST_DIR"), "/../purchase/requests");
    let (code, stdout, stderr) = run(&["dev", "--once", "--requests", requests], &[]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!(stdout.lines().last(), Some("12 requests: 12 approved"));
    let (code, _, stderr) = run(&["dev", "--once", "--requests", "/nowhere"], &[]);
    assert_eq!(code, 2);
    assert!(stderr.contains("/nowhere can't be read as requests"), "{stderr}");
}

#[test]
fn the_readme_shows_this_program() {
    // But for white space: the README has what fits on a line on one.
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let readme = include_str!("../../../README.md");
    let block = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let program = include_str!("../src/main.rs").split_once("\n\n").unwrap().1;
    assert_eq!(squeezed(block), squeezed(program));
    let lines = block.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines < 30, "{lines} lines");
}

#[test]
fn a_signal_ends_it_in_an_orderly_way() {
    use std::io::{BufRead, BufReader};
    let requests = concat!(env!("CARGO_MANIFEST_DIR"), "/../purchase/requests");
    for signal in ["-TERM", "-INT"] {
        let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_quickstart"))
            .args(["dev", "--requests", requests])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let done = lines.map_while(Result::ok).any(|line| line == "12 requests: 12 approved");
        assert!(done, "it ended before all was approved");
        let kill = format!("kill {signal} {}", process.id());
        let sent = std::process::Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success());
        assert_eq!(process.wait().unwrap().code(), Some(0), "{signal}");
    }
}
