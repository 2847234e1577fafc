//! A sandbox that is kept in a file.

use connect_sandbox::{Sandbox, SandboxError};
use serde_json::json;

use crate::support::{PURCHASE, Runner, purchase, settled};

#[tokio::test]
async fn a_sandbox_goes_on_where_the_last_one_was_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let start =
        || Sandbox::builder().file(folder.path().join("sandbox.sqlite")).request(purchase("PR-1")).start();
    let sandbox = start().await.unwrap();
    let other = start().await.unwrap_err();
    assert!(other.to_string().ends_with("another program, perhaps another sandbox, has it open"), "{other}");
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let first = runner.task().await;
    // It stays pending: its task is over all the same.
    runner.answer(first, json!({"result": "success", "runtime": 0.1})).await;
    settled(&sandbox).await;
    let held = sandbox.purchase("PRD-9").param("domain", "b.example").send().unwrap();
    let task = runner.task().await;
    assert_eq!(task["data"]["input"]["object_id"], held.as_str());
    let schedule = json!({"name": "Nightly", "method": "refresh",
        "trigger": {"type": "recurring", "unit": "hours", "amount": 1, "start": "2020-01-01T00:00:00+00:00"}});
    let schedule = sandbox.add_schedule(schedule).unwrap();
    sandbox.act("PR-1", "schedule", json!({"planned_date": "2199-01-01T00:00:00+00:00"})).unwrap();
    sandbox.step(std::time::Duration::from_secs(30 * 60));
    sandbox.stop().await;

    let sandbox = start().await.unwrap();
    assert_eq!(sandbox.request("PR-1").unwrap()["status"], "scheduled", "what was loaded has gone on since");
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let again = runner.task().await;
    let input = &again["data"]["input"];
    assert_eq!((&input["event_type"], &input["object_id"]), (&json!(PURCHASE), &json!(held)));
    runner.answer(again, json!({"result": "success", "runtime": 0.1})).await;
    settled(&sandbox).await;
    assert_eq!(sandbox.tasks().len(), 1, "what had its task gets no other");
    sandbox.step(std::time::Duration::from_secs(3_600));
    assert_eq!(runner.task().await["data"]["input"]["object_id"], schedule.as_str());
    assert_ne!(sandbox.purchase("PRD-9").send().unwrap(), held, "ids go on too");
}

#[tokio::test]
async fn variables_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.sqlite");
    let value = async |sandbox: &Sandbox| {
        let mut runner = Runner::connect(sandbox, "SIN-1", "background").await;
        runner.receive().await["data"]["variables"][0]["value"].clone()
    };
    let sandbox = Sandbox::builder().file(&file).variable("VENDOR_URL", "first").start().await.unwrap();
    assert_eq!(value(&sandbox).await, "first");
    sandbox.set_variable("VENDOR_URL", "second");
    sandbox.stop().await;
    let sandbox = Sandbox::builder().file(&file).start().await.unwrap();
    assert_eq!(value(&sandbox).await, "second");
    sandbox.stop().await;
    let sandbox = Sandbox::builder().file(&file).variable("VENDOR_URL", "third").start().await.unwrap();
    assert_eq!(value(&sandbox).await, "third", "what is given at the start holds");
}

#[tokio::test]
async fn a_file_that_is_none_is_told_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let error = Sandbox::builder().file(folder.path()).start().await.unwrap_err();
    assert!(matches!(error, SandboxError::StoreFile { .. }), "{error}");
    assert!(error.to_string().starts_with(&folder.path().display().to_string()), "{error}");
}
