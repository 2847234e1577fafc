//! The main job, as the README promises it.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use assert_cmd::Command;

/// Ends the program with the test, however that ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_console_shows_what_the_extension_did() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_purchase"));
    command.args(["--speed", "1000"]).stdout(Stdio::piped());
    let mut program = Program(command.spawn().unwrap());
    let mut lines = BufReader::new(program.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let console = lines.find_map(|line| line.strip_prefix("console on ").map(str::to_owned)).unwrap();
    lines.find(|line| line == "12 requests: 11 approved, 1 failed").unwrap();
    // What is said at the end of a task comes to the console right after it.
    let end = Instant::now() + Duration::from_secs(20);
    let page = loop {
        let page = reqwest::get(format!("{console}requests/PR-4405-9454-9312-001")).await.unwrap();
        let page = page.text().await.unwrap();
        if page.contains("compensating") || Instant::now() > end {
            break page;
        }
    };
    for shown in
        ["Create customer", "Transaction <strong>Create subscription</strong>", "compensating", "/fail"]
    {
        assert!(page.contains(shown), "{shown} is not in {page}");
    }
}

#[test]
fn twelve_purchases_are_processed_and_one_is_compensated() {
    let mut command = Command::cargo_bin("purchase").unwrap();
    // A reschedule of 30 s in 30 ms.
    command.args(["--once", "--speed", "1000"]).timeout(std::time::Duration::from_secs(60));
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert_eq!(text.lines().last(), Some("12 requests: 11 approved, 1 failed"), "{text}");
    let lines =
        |words: &[&str]| text.lines().filter(|line| words.iter().all(|word| line.contains(word))).count();
    assert_eq!(lines(&["Create customer", "reschedule 30 s"]), 12);
    assert_eq!(lines(&["Create subscription", "reschedule 30 s"]), 11);
    assert_eq!(lines(&["Create subscription", "fail (compensated)", "more than the 1000 in stock"]), 1);
    assert_eq!(lines(&["Approve request", "success"]), 11);
}
