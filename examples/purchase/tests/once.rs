//! The main job, as the README promises it.

#![allow(clippy::unwrap_used, reason = "a test")]

use assert_cmd::Command;

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
