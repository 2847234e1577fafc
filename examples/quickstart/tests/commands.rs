//! The command line of every extension, tried on the README's.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

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
    let (code, stdout, _) = run(&["describe"], &[]);
    assert_eq!(code, 0);
    assert!(stdout.contains("background   asset_purchase_request_processing  pending"), "{stdout}");
    let (_, stdout, _) = run(&["describe", "--json"], &[]);
    let described: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(described["events"][0]["event"], "asset_purchase_request_processing");
    assert_eq!(described["variables"][0], "ACTIVATION_TEMPLATE");
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
