//! What the runner bears: lost connections, bad frames, panics, doubled deliveries, and its own end.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "a test")]

mod support;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use connect_fulfillment::{
    prelude::*,
    runner::{Exit, Runner, TaskReport},
};
use serde_json::{Value, json};
use support::{Platform, task};
use tokio::{
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};

const PURCHASE: &str = "asset_purchase_request_processing";
const ACTION: &str = "product_action_execution";

/// An extension whose purchases do what the request's note says.
struct Lab {
    platform: Arc<Platform>,
    /// Handlers wait for one permit each where the note is `wait`.
    gate: Arc<Semaphore>,
    handled: Arc<AtomicUsize>,
    stop: Option<oneshot::Sender<()>>,
    force: Option<oneshot::Sender<()>>,
    running: JoinHandle<Exit>,
}

async fn action(_: ProductAction, _: Scope) -> Result<InteractiveResponse> {
    Ok(InteractiveResponse::done())
}

impl Lab {
    fn start(platform: Arc<Platform>, env: &[(&str, &str)]) -> Self {
        let (gate, handled) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let purchase = {
            let (gate, handled) = (Arc::clone(&gate), Arc::clone(&handled));
            move |request: AssetRequest, scope: Scope| {
                let (gate, handled) = (Arc::clone(&gate), Arc::clone(&handled));
                async move {
                    handled.fetch_add(1, Ordering::Relaxed);
                    match request.note.as_deref() {
                        Some("wait") => gate.acquire().await?.forget(),
                        Some("panic") => panic!("out of range"),
                        Some("config") => {
                            let value = scope.get_named::<String>("greeting")?;
                            return Ok(BackgroundResponse::skip(value));
                        }
                        _ => {}
                    }
                    Ok(BackgroundResponse::done())
                }
            }
        };
        let extension = Extension::new(connect_fulfillment::Descriptor::default())
            .variable(Variable::new("GREETING").initial_value("initial"))
            .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], purchase)
            .interactive(event::PRODUCT_ACTION_EXECUTION, action);
        let runner = Runner::new(extension.into(), platform.environment(env)).unwrap();
        let ((stop, stopped), (force, forced)) = (oneshot::channel::<()>(), oneshot::channel::<()>());
        let running = tokio::spawn(runner.run_until(async { _ = stopped.await }, async {
            if forced.await.is_err() {
                std::future::pending::<()>().await;
            }
        }));
        Self { platform, gate, handled, stop: Some(stop), force: Some(force), running }
    }

    async fn new() -> Self {
        Self::start(Platform::start().await, &[])
    }

    /// A purchase request whose handler does what the note says.
    fn put(&self, id: &str, note: &str) {
        let request = json!({"id": id, "type": "purchase", "status": "pending", "note": note});
        self.platform.put(&format!("requests/{id}"), request);
    }

    async fn send(&self, id: &str, object: &str) {
        let frame = task(id, "background", PURCHASE, object, &Value::Null);
        self.platform.connection("background", 1).await.send(frame.to_string());
    }

    /// Waits until so many handlers have begun.
    async fn handled(&self, count: usize) {
        let begun = async {
            while self.handled.load(Ordering::Relaxed) < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(support::PATIENCE, begun).await.unwrap();
    }

    fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    async fn ended(mut self) -> Exit {
        if self.stop.is_some() {
            self.stop();
        }
        tokio::time::timeout(support::PATIENCE, &mut self.running).await.unwrap().unwrap()
    }
}

fn result(frame: &Value) -> (&str, &str) {
    (
        frame["data"]["options"]["task_id"].as_str().unwrap(),
        frame["data"]["output"]["result"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn a_reconnect_cancels_nothing_and_the_result_goes_out_over_the_next_connection() {
    let lab = Lab::new().await;
    lab.put("PR-1", "wait");
    lab.send("TQ-1", "PR-1").await;
    lab.handled(1).await;
    lab.platform.connection("background", 1).await.close();
    let second = lab.platform.connection("background", 2).await;
    assert_eq!(second.query["running_tasks"], "1", "the URL says what still runs");
    lab.gate.add_permits(1);
    assert_eq!(result(&lab.platform.frames_until(1).await[0]), ("TQ-1", "success"));
    assert_eq!(lab.handled.load(Ordering::Relaxed), 1);
    lab.ended().await;
}

#[tokio::test]
async fn a_task_that_is_delivered_twice_runs_once() {
    let lab = Lab::new().await;
    lab.put("PR-1", "wait");
    lab.send("TQ-1", "PR-1").await;
    lab.handled(1).await;
    lab.send("TQ-1", "PR-1").await;
    // What is sent after it is done while it still waits, so the second delivery has been seen.
    lab.put("PR-2", "");
    lab.send("TQ-2", "PR-2").await;
    assert_eq!(result(&lab.platform.frames_until(1).await[0]), ("TQ-2", "success"));
    lab.gate.add_permits(5);
    assert_eq!(result(&lab.platform.frames_until(2).await[1]), ("TQ-1", "success"));
    assert_eq!(lab.handled.load(Ordering::Relaxed), 2);
    lab.ended().await;
}

#[tokio::test]
async fn bad_frames_are_left_out_and_a_task_that_can_be_told_is_answered() {
    let lab = Lab::new().await;
    let connection = lab.platform.connection("background", 1).await;
    for frame in [
        "not JSON",
        "[]",
        r#"{"message_type": "web_task", "data": {}}"#,
        r#"{"message_type": "task", "data": 7}"#,
    ] {
        connection.send(frame);
    }
    let deep =
        format!(r#"{{"message_type": "task", "data": {}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    connection.send(deep);
    let no_category = json!({"message_type": "task", "data": {"options": {"task_id": "TQ-1"},
        "input": {"event_type": PURCHASE, "object_id": "PR-1"}}});
    connection.send(no_category.to_string());
    let unknown = task("TQ-2", "transformation", PURCHASE, "PR-1", &Value::Null);
    connection.send(unknown.to_string());
    let frames = lab.platform.frames_until(2).await;
    assert_eq!(result(&frames[0]), ("TQ-1", "retry"));
    assert!(frames[0]["data"]["output"]["message"].as_str().unwrap().contains("task_category"), "{frames:?}");
    assert_eq!(result(&frames[1]), ("TQ-2", "retry"));
    let message = frames[1]["data"]["output"]["message"].as_str().unwrap();
    assert_eq!(message, "no handler for the category \"transformation\"");
    lab.put("PR-3", "");
    lab.send("TQ-3", "PR-3").await;
    assert_eq!(result(&lab.platform.frames_until(3).await[2]), ("TQ-3", "success"), "the connection lives");
    lab.ended().await;
}

#[tokio::test]
async fn a_panic_is_that_tasks_retry() {
    let lab = Lab::new().await;
    lab.put("PR-1", "panic");
    lab.send("TQ-1", "PR-1").await;
    let frames = lab.platform.frames_until(1).await;
    assert_eq!(frames[0]["data"]["output"]["message"], "panicked: out of range");
    lab.put("PR-2", "");
    lab.send("TQ-2", "PR-2").await;
    assert_eq!(result(&lab.platform.frames_until(2).await[1]), ("TQ-2", "success"));
    lab.ended().await;
}

#[tokio::test]
async fn an_interactive_task_is_always_answered() {
    let lab = Lab::new().await;
    let connection = lab.platform.connection("interactive", 1).await;
    for (id, data) in [("TQ-1", Value::Null), ("TQ-2", json!({})), ("TQ-3", json!({"id": 1}))] {
        connection.send(task(id, "interactive", ACTION, "ACT-1", &data).to_string());
    }
    let mut frames = lab.platform.frames_until(3).await;
    frames.sort_by_key(|frame| frame["data"]["options"]["task_id"].to_string());
    let results: Vec<_> = frames.iter().map(result).collect();
    assert_eq!(results, [("TQ-1", "fail"), ("TQ-2", "fail"), ("TQ-3", "success")]);
    assert_eq!(frames[0]["data"]["output"]["data"]["body"], "the task has no data (reference: TQ-1)");
    lab.ended().await;
}

#[tokio::test]
async fn the_first_signal_drains_and_tells_connect() {
    let mut lab = Lab::new().await;
    lab.put("PR-1", "wait");
    lab.send("TQ-1", "PR-1").await;
    lab.handled(1).await;
    lab.stop();
    let frames = lab.platform.frames_until(2).await;
    assert!(
        frames.iter().all(|frame| *frame == json!({"version": 2, "message_type": "shutdown", "data": null}))
    );
    lab.put("PR-2", "");
    lab.send("TQ-2", "PR-2").await;
    lab.gate.add_permits(1);
    assert_eq!(result(&lab.platform.frames_until(3).await[2]), ("TQ-1", "success"));
    let (platform, handled) = (Arc::clone(&lab.platform), Arc::clone(&lab.handled));
    let exit = lab.ended().await;
    assert_eq!((exit.unfinished, exit.unsent), (0, 0));
    assert_eq!((platform.frames().len(), handled.load(Ordering::Relaxed)), (3, 1), "no new task was taken");
}

#[tokio::test]
async fn the_second_signal_ends_it_at_once_and_the_exit_says_what_was_left() {
    let mut lab = Lab::new().await;
    lab.put("PR-1", "wait");
    lab.send("TQ-1", "PR-1").await;
    lab.handled(1).await;
    lab.stop();
    let _ = lab.force.take().unwrap().send(());
    // `ended` sees that the first signal was given.
    let exit = tokio::time::timeout(support::PATIENCE, lab.running).await.unwrap().unwrap();
    assert_eq!((exit.unfinished, exit.unsent), (1, 0));
}

#[tokio::test]
async fn the_drain_is_bounded() {
    let lab = Lab::start(Platform::start().await, &[("DRAIN_TIME", "1")]);
    lab.put("PR-1", "wait");
    lab.send("TQ-1", "PR-1").await;
    lab.handled(1).await;
    assert_eq!(lab.ended().await.unfinished, 1);
}

#[tokio::test]
async fn connect_may_stop_the_extension() {
    let lab = Lab::new().await;
    lab.platform.connection("interactive", 1).await;
    lab.platform
        .connection("background", 1)
        .await
        .send(r#"{"version": 2, "message_type": "shutdown", "data": null}"#);
    let exit = tokio::time::timeout(support::PATIENCE, lab.running).await.unwrap().unwrap();
    assert_eq!((exit.unfinished, exit.unsent), (0, 0));
}

#[tokio::test]
async fn refusals_are_borne_and_a_stop_ends_the_wait_at_once() {
    let platform = Platform::start().await;
    platform.refusals.lock().unwrap().extend([502, 401, 500, 503]);
    let lab = Lab::start(Arc::clone(&platform), &[]);
    platform.connection("background", 1).await;
    platform.connection("interactive", 1).await;
    lab.ended().await;

    let mut environment = platform.environment(&[]);
    environment.server = "ws://127.0.0.1:1".parse().unwrap();
    environment.backoff.base = Duration::from_secs(60);
    let runner =
        Runner::new(Extension::new(connect_fulfillment::Descriptor::default()).into(), environment).unwrap();
    let begun = Instant::now();
    runner.run_until(tokio::time::sleep(Duration::from_millis(50)), std::future::pending()).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn new_variables_are_for_new_tasks_and_a_variable_that_is_gone_is_gone() {
    let lab = Lab::new().await;
    lab.put("PR-1", "config");
    let connection = lab.platform.connection("background", 1).await;
    let mut setup = support::setup_response();
    for (task_id, variables, expected) in [
        ("TQ-1", json!([{"name": "GREETING", "value": " hello ", "secure": false}]), "hello"),
        ("TQ-2", json!([{"name": "GREETING", "value": "goodbye", "secure": false}]), "goodbye"),
    ] {
        setup["data"]["variables"] = variables;
        connection.send(setup.to_string());
        lab.send(task_id, "PR-1").await;
        let frames = lab.platform.frames_until(task_id[3..].parse().unwrap()).await;
        assert_eq!(frames.last().unwrap()["data"]["output"]["message"], expected);
    }
    setup["data"]["variables"] = json!([]);
    connection.send(setup.to_string());
    lab.send("TQ-3", "PR-1").await;
    let message = lab.platform.frames_until(3).await[2]["data"]["output"]["message"].clone();
    assert_eq!(message, "no binding for \"greeting\": String");
    lab.ended().await;
}

#[tokio::test]
async fn an_object_that_is_none_is_that_tasks_retry() {
    let lab = Lab::new().await;
    // It matches the filter, and is no object when it is fetched.
    lab.put("PR-1", "");
    lab.platform
        .failures
        .lock()
        .unwrap()
        .insert("requests/PR-1".to_owned(), [(200, "[1]".to_owned())].into());
    lab.send("TQ-1", "PR-1").await;
    let message = lab.platform.frames_until(1).await[0]["data"]["output"]["message"].clone();
    assert_eq!(
        message,
        "the object of the task can't be read as AssetRequest: expected the object AssetRequest, found a list"
    );
    lab.ended().await;
}

#[derive(Inject)]
struct Charge {
    #[inject(name = "api_url")]
    _url: String,
}

impl BackgroundTransaction for Charge {
    fn name(&self) -> &str {
        "Charge"
    }

    fn should_execute(&self, _: &AssetRequest) -> bool {
        true
    }

    async fn execute(&self, _: &mut AssetRequest) -> Result<BackgroundResponse> {
        Ok(BackgroundResponse::done())
    }
}

struct ChargeSaga;

impl Saga for ChargeSaga {
    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().then::<Charge>()
    }
}

#[test]
fn what_is_missing_is_told_before_anything_runs() {
    async fn purchase(_: AssetRequest, _: Scope) -> Result<BackgroundResponse> {
        Ok(BackgroundResponse::done())
    }
    let new = || Extension::new(connect_fulfillment::Descriptor::default());
    let saga = || new().background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], ChargeSaga);
    let error = saga().check().unwrap_err().to_string();
    let (text, place) = error.rsplit_once(" (").unwrap();
    assert_eq!(
        text,
        "the container lacks what the extension needs:\n  no binding for \"api_url\": String (required by Charge) \
         [asset_purchase_request_processing]"
    );
    assert!(place.contains("tests/runner.rs:"), "{place}");
    saga().variable(Variable::new("API_URL")).check().unwrap();
    let error = new()
        .variable(Variable::new("1ST"))
        .variable(Variable::new("A"))
        .variable(Variable::new("A"))
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], purchase)
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["approved"], purchase)
        .background(event::ASSET_CHANGE_REQUEST_PROCESSING, ["pending)"], purchase)
        .check()
        .unwrap_err()
        .to_string();
    for text in [
        "\"1ST\" is not named right",
        "\"A\" is declared twice",
        "is handled twice",
        "\"pending)\", which is no status",
    ] {
        assert!(error.contains(text), "{text} in {error}");
    }
}

#[tokio::test]
async fn whoever_watches_is_told_how_each_task_ended() {
    let platform = Platform::start().await;
    platform.put("requests/PR-1", json!({"id": "PR-1", "type": "purchase", "status": "pending"}));
    let extension = Extension::new(connect_fulfillment::Descriptor::default())
        .variable(Variable::new("API_URL"))
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], ChargeSaga);
    let mut setup = support::setup_response();
    setup["data"]["variables"] = json!([{"name": "API_URL", "value": "x"}]);
    *platform.setup_response.lock().unwrap() = setup;
    let (told, mut reports) = tokio::sync::mpsc::unbounded_channel::<TaskReport>();
    let runner = Runner::new(extension.into(), platform.environment(&[])).unwrap();
    let runner = runner.on_task(move |report| told.send(report.clone()).unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(runner.run_until(async { _ = stopped.await }, std::future::pending()));
    let frame = task("TQ-1", "background", PURCHASE, "PR-1", &Value::Null);
    platform.connection("background", 1).await.send(frame.to_string());
    let report = reports.recv().await.unwrap();
    assert_eq!((report.task_id.as_str(), report.object_id.as_str()), ("TQ-1", "PR-1"));
    assert_eq!((report.transaction.as_deref(), report.result.as_str()), (Some("Charge"), "success"));
    stop.send(()).unwrap();
    running.await.unwrap();
}
