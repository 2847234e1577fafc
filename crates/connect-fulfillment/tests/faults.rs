//! What may break between a runner and Connect, and that no task suffers from it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "a test"
)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use connect_fulfillment::{
    Descriptor,
    prelude::*,
    runner::{Exit, Runner},
};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use support::{
    Platform, task,
    wire::{Fault, Wire},
};
use tokio::{
    sync::{Notify, Semaphore, oneshot},
    task::JoinHandle,
    time::timeout,
};

const PURCHASE: &str = "asset_purchase_request_processing";

/// A runner behind a wire that breaks.
struct Line {
    platform: Arc<Platform>,
    wire: Arc<Wire>,
    handled: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Exit>,
}

impl Line {
    /// With these tasks, which come again over every connection until they are answered.
    async fn new(tasks: usize, faults: impl IntoIterator<Item = Fault>) -> Self {
        Self::with_silence(tasks, faults, support::PATIENCE).await
    }

    async fn with_silence(tasks: usize, faults: impl IntoIterator<Item = Fault>, silence: Duration) -> Self {
        let platform = Platform::start().await;
        for number in 0..tasks {
            let id = format!("PR-{number}");
            platform
                .put(&format!("requests/{id}"), json!({"id": id, "type": "purchase", "status": "pending"}));
        }
        // No count before each task: the stand-in would look at every request for it.
        platform.setup_response.lock().unwrap()["data"]["event_definitions"][0]["api_collection_filter"] =
            Value::Null;
        *platform.due.lock().unwrap() = (0..tasks)
            .map(|number| {
                task(&format!("TQ-{number}"), "background", PURCHASE, &format!("PR-{number}"), &Value::Null)
            })
            .collect();
        let wire = Wire::to(platform.address, faults).await;
        let (handled, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let purchase = {
            let (handled, gate) = (Arc::clone(&handled), Arc::clone(&gate));
            move |_: AssetRequest, _: Scope| {
                let (handled, gate) = (Arc::clone(&handled), Arc::clone(&gate));
                async move {
                    handled.fetch_add(1, Ordering::SeqCst);
                    let _permit = gate.acquire().await?;
                    Ok(BackgroundResponse::done())
                }
            }
        };
        let extension = Extension::new(Descriptor::default()).background(
            event::ASSET_PURCHASE_REQUEST_PROCESSING,
            ["pending"],
            purchase,
        );
        let mut environment = platform.environment(&[("SERVER_ADDRESS", &wire.address.to_string())]);
        environment.ping = Duration::from_millis(50);
        environment.silence = silence;
        let runner = Runner::new(extension.into(), environment).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(runner.run_until(async { _ = stopped.await }, std::future::pending()));
        Self { platform, wire, handled, gate, stop, running }
    }

    /// Lets the handlers end.
    fn open(self) -> Self {
        self.gate.add_permits(1);
        self
    }

    /// Waits until all tasks are answered and the runner has stopped: how often they were answered, at most.
    async fn end(self, tasks: usize) -> usize {
        self.platform.answered(tasks).await;
        drop(self.stop);
        let exit = timeout(support::PATIENCE, self.running).await.unwrap().unwrap();
        assert_eq!((exit.unfinished, exit.unsent), (0, 0));
        assert_eq!(self.handled.load(Ordering::SeqCst), tasks, "each task was run once");
        let answers = self.platform.answers();
        assert_eq!(answers.len(), tasks);
        answers.into_values().max().unwrap()
    }
}

/// How many bytes pass, up and down, while nothing breaks.
async fn whole_conversation() -> (usize, usize) {
    let line = Line::new(1, []).await.open();
    let wire = Arc::clone(&line.wire);
    assert_eq!(line.end(1).await, 1);
    (wire.passed.up.load(Ordering::Relaxed), wire.passed.down.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_may_be_cut_at_any_byte() {
    let (up, down) = whole_conversation().await;
    // Every byte would take a minute; nothing but the boundaries of the frames matters, and they are all met closely.
    let faults = (1..up).step_by(5).map(Fault::CutUp).chain((1..down).step_by(5).map(Fault::CutDown));
    let answers: Vec<usize> = stream::iter(faults)
        .map(|fault| async move {
            // Twice, so that what comes again breaks too.
            Line::new(1, [fault.clone(), fault]).await.open().end(1).await
        })
        .buffer_unordered(16)
        .collect()
        .await;
    let twice = answers.iter().filter(|answers| **answers > 1).count();
    println!(
        "{} cuts in {up} bytes up and {down} down: all run once; {twice} answered more than once",
        answers.len()
    );
    assert!(answers.iter().all(|answers| *answers <= 3), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_half_open_is_given_up() {
    let (_, down) = whole_conversation().await;
    // In the handshake, before the task came, and behind it.
    for after in [0, down / 4, down / 2, down - 10] {
        let silence = Duration::from_millis(200);
        Line::with_silence(1, [Fault::HalfOpen(after)], silence).await.open().end(1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_may_come_in_pieces() {
    for size in [1, 2, 13] {
        assert_eq!(Line::new(3, [Fault::Pieces(size)]).await.open().end(3).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_wait_while_connect_does_not_read() {
    const TASKS: usize = 5_000;
    let release = Arc::new(Notify::new());
    let line = Line::new(TASKS, [Fault::Held(2_000, Arc::clone(&release))]).await.open();
    // All are run, though nearly no answer gets away.
    let handled = Arc::clone(&line.handled);
    timeout(support::PATIENCE, async {
        while handled.load(Ordering::SeqCst) < TASKS {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    assert!(line.platform.answers().len() < TASKS / 2);
    release.notify_one();
    line.end(TASKS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_tasks_in_flight_survive_their_connection() {
    const TASKS: usize = 10_000;
    let line = Line::new(TASKS, []).await;
    let handled = Arc::clone(&line.handled);
    timeout(support::PATIENCE * 3, async {
        while handled.load(Ordering::SeqCst) < TASKS {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    line.platform.connection("background", 1).await.close();
    // It sends them all again, and none is run again; the last ones cross their answers, and are answered again.
    line.platform.connection("background", 2).await;
    assert!(line.open().end(TASKS).await <= 2);
}

/// What a call of the runner's own is answered with, how often, and how the task ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_of_rest_is_that_tasks_matter() {
    const GARBAGE: &str = "<html>not what you think</html>";
    let again = ["retry", "reschedule"].as_slice();
    let cases = [
        ("requests", 500, GARBAGE, 2, ["success"].as_slice()),
        ("requests", 502, "", 1, &["success"]),
        ("requests", 500, GARBAGE, 100, again),
        ("requests", 401, r#"{"error_code":"AUTH_001","errors":["no"]}"#, 100, again),
        ("requests", 200, "[]", 100, again),
        ("requests/PR-0", 503, "", 2, &["success"]),
        ("requests/PR-0", 500, "", 100, again),
        ("requests/PR-0", 404, r#"{"error_code":"NF_000","errors":["Object not found."]}"#, 100, again),
        ("requests/PR-0", 403, "", 100, again),
        ("requests/PR-0", 429, "", 1, &["success"]),
        ("requests/PR-0", 200, GARBAGE, 100, again),
        ("requests/PR-0", 200, r#"{"id": "PR-0", "asset""#, 100, again),
        ("requests/PR-0", 204, "", 100, again),
    ];
    for (path, status, body, times, expected) in cases {
        let line = Line::new(1, []).await;
        line.platform.setup_response.lock().unwrap()["data"]["event_definitions"][0]["api_collection_filter"] =
            "and(eq(id,${_object_id_}),in(status,${_statuses_}))".into();
        let failures = std::iter::repeat_n((status, body.to_owned()), times).collect();
        line.platform.failures.lock().unwrap().insert(path.to_owned(), failures);
        let line = line.open();
        line.platform.answered(1).await;
        let frames = line.platform.frames();
        let answer = &frames.iter().find(|frame| frame["message_type"] == "task").unwrap()["data"]["output"];
        let result = answer["result"].as_str().unwrap();
        assert!(expected.contains(&result), "{path} {status} {body} {times}×: {answer}");
        if result != "success" {
            assert!(!answer["message"].as_str().unwrap().is_empty(), "{answer}");
        }
        drop(line.stop);
        line.running.await.unwrap();
    }
}
