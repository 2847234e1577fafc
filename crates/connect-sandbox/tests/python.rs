//! The original runner, `connect-extension-runner`, with a small extension in Python, against the sandbox.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use connect_sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// The version whose behaviour the recorded cases are of.
const RUNNER: &str = "connect-extension-runner==43.1";
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the packages are, installed at the first run.
async fn installed() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-runner");
    let program = folder.join("bin/cextrun");
    if program.exists() {
        return Some(program);
    }
    let done = |output: std::io::Result<Output>, what: &str| match output {
        Ok(output) if output.status.success() => true,
        other => {
            let said = other.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
            // Without Python or a network there is nothing to try it with, except where it has to be tried.
            assert!(std::env::var_os("CI").is_none(), "{what}: {said:?}");
            false
        }
    };
    let venv = Command::new("python3").args(["-m", "venv"]).arg(&folder).output().await;
    if !done(venv, "python3 -m venv") {
        return None;
    }
    let pip = Command::new(folder.join("bin/pip")).args(["install", "--quiet", RUNNER]).output().await;
    done(pip, "pip install").then_some(program)
}

fn runner(program: &Path, sandbox: &Sandbox) -> Child {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    Command::new(program)
        .args(["--no-validate", "--no-rich-logging"])
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", env!("CARGO_TARGET_TMPDIR"))
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("INSTANCE_ID", "SIN-0001")
        .envs(sandbox.https_environment().unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn purchase(id: &str, domain: &str) -> Value {
    json!({"id": id, "type": "purchase", "status": "pending", "asset": {"id": format!("AS-{id}"), "status": "processing",
        "product": {"id": "PRD-000-000-000", "name": "Acme"}, "params": [
            {"id": "domain", "type": "text", "phase": "ordering", "value": domain, "value_error": ""},
            {"id": "tenant_id", "type": "text", "phase": "fulfillment", "value": "", "value_error": ""}],
        "items": [{"id": "1", "mpn": "A", "quantity": "1", "old_quantity": "0"}]}})
}

async fn ended(mut runner: Child) -> String {
    let kill = format!("kill -TERM {}", runner.id().unwrap());
    assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
    if timeout(Duration::from_secs(20), runner.wait()).await.is_err() {
        runner.start_kill().unwrap();
    }
    let output = runner.wait_with_output().await.unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_original_runner_works_against_it() {
    let Some(program) = installed().await else { return };
    // Of the default catalogue, whose products have actions.
    let mut sold = purchase("PR-0004-0004-0004-001", "example.com");
    sold["status"] = "approved".into();
    sold["asset"]["product"]["id"] = "PRD-000-100-001".into();
    let sandbox = Sandbox::builder()
        .speed(60.0)
        .templates(
            "PRD-000-000-000",
            [json!({"id": "TL-000-000-001", "name": "Welcome", "type": "fulfillment"})],
        )
        .request(purchase("PR-0001-0001-0001-001", "example.com"))
        .request(purchase("PR-0002-0002-0002-001", ""))
        .request(sold)
        .start()
        .await
        .unwrap();
    let runner = runner(&program, &sandbox);
    if timeout(PATIENCE, sandbox.settled()).await.is_err() {
        let said = ended(runner).await;
        panic!("{:#?}\nthe runner said:\n{said}", sandbox.tasks());
    }
    let approved = sandbox.request("PR-0001-0001-0001-001").unwrap();
    assert_eq!(approved["status"], "approved");
    assert_eq!(approved["template"]["id"], "TL-000-000-001");
    assert_eq!(approved["asset"]["params"][1]["value"], "tenant-of-example.com");
    let asked = sandbox.request("PR-0002-0002-0002-001").unwrap();
    assert_eq!(asked["status"], "inquiring");
    assert_eq!(asked["asset"]["params"][0]["value_error"], "We need your domain.");
    let rescheduled = sandbox.tasks().iter().any(|task| task.attempts.len() > 1);
    assert!(rescheduled, "the first one came back: {:#?}", sandbox.tasks());

    // The other kinds of tasks.
    let draft = purchase("PR-0003-0003-0003-001", "");
    let answer =
        sandbox.send_interactive("asset_purchase_request_validation", "PR-0003-0003-0003-001", draft).await;
    let answer = serde_json::to_value(answer.unwrap()).unwrap();
    assert_eq!(
        answer["data"]["body"]["asset"]["params"][0]["value_error"], "We need your domain.",
        "{answer}"
    );
    let pressed = sandbox.action("PRD-000-100-001", "ACT-000-100-001-001", "AS-PR-0004-0004-0004-001").await;
    let location = json!({"Location": "https://panel.example/AS-PR-0004-0004-0004-001"});
    let pressed = pressed.unwrap().data.unwrap();
    assert_eq!((&pressed["http_status"], &pressed["headers"]), (&json!(302), &location));
    let sent = sandbox.custom_event(json!({"controller": "sync"})).await.unwrap();
    assert_eq!(sent.data.unwrap()["body"], json!({"handled": "sync"}));
    let schedule =
        sandbox.add_schedule(json!({"name": "Report", "method": "report", "parameter": {}})).unwrap();
    let answer = sandbox.trigger_schedule(&schedule).await.unwrap();
    assert_eq!(serde_json::to_value(answer).unwrap()["result"], "success");

    let log = ended(runner).await;
    assert!(!log.contains("Traceback"), "{log}");
}
