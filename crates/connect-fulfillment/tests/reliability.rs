//! Nothing is lost, nothing runs at the wrong time: results that outlive the process, order, attempts, limits, hooks.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "a test")]

mod support;

use std::{
    collections::HashSet,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use connect_fulfillment::{
    Descriptor, SerializeBy, blocking,
    prelude::*,
    runner::{Backoff, Exit, Runner},
};
use serde_json::{Value, json};
use support::{PATIENCE, Platform, task};
use tokio::{
    sync::{Semaphore, oneshot},
    task::JoinHandle,
    time::timeout,
};

const PURCHASE: &str = "asset_purchase_request_processing";
const ACTION: &str = "product_action_execution";

fn extension() -> Extension {
    Extension::new(Descriptor::default())
}

/// A runner in this process.
struct Running {
    stop: Option<oneshot::Sender<()>>,
    exit: JoinHandle<Exit>,
}

impl Running {
    fn start(extension: Extension, platform: &Platform, env: &[(&str, &str)]) -> Self {
        let mut environment = platform.environment(env);
        environment.limits.compensation = Duration::from_secs(2);
        let runner = Runner::new(extension.into(), environment).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let exit = tokio::spawn(runner.run_until(async { _ = stopped.await }, std::future::pending::<()>()));
        Self { stop: Some(stop), exit }
    }

    async fn ended(mut self) -> Exit {
        let _ = self.stop.take().unwrap().send(());
        timeout(PATIENCE, self.exit).await.unwrap().unwrap()
    }
}

fn put(platform: &Platform, id: &str) {
    platform.put(&format!("requests/{id}"), json!({"id": id, "type": "purchase", "status": "pending"}));
}

async fn send(platform: &Platform, connection: usize, id: &str, object: &str) {
    put(platform, object);
    let frame = task(id, "background", PURCHASE, object, &Value::Null);
    platform.connection("background", connection).await.send(frame.to_string());
}

fn id_of(frame: &Value) -> &str {
    frame["data"]["options"]["task_id"].as_str().unwrap_or_default()
}

fn answers(frames: &[Value]) -> Vec<&Value> {
    frames.iter().filter(|frame| frame["message_type"] == "task").collect()
}

#[tokio::test]
async fn tasks_of_one_object_run_one_after_another() {
    let log = Arc::new(Mutex::new(Vec::new()));
    for serialize_by in [SerializeBy::Object, SerializeBy::Nothing] {
        log.lock().unwrap().clear();
        let platform = Platform::start().await;
        let (noted, gate) = (Arc::clone(&log), Arc::new(Semaphore::new(0)));
        let opened = Arc::clone(&gate);
        let is_serialized = matches!(serialize_by, SerializeBy::Object);
        let purchase = move |request: AssetRequest, scope: Scope| {
            let (noted, gate) = (Arc::clone(&noted), Arc::clone(&gate));
            async move {
                let task = scope.task()?.task_id;
                noted.lock().unwrap().push(format!("{task} begins"));
                if request.id == "PR-1" {
                    gate.acquire().await?.forget();
                }
                noted.lock().unwrap().push(format!("{task} ends"));
                Ok(BackgroundResponse::done())
            }
        };
        let extension = extension().serialize_by(serialize_by).background(
            event::ASSET_PURCHASE_REQUEST_PROCESSING,
            ["pending"],
            purchase,
        );
        let running = Running::start(extension, &platform, &[]);
        for (id, object) in [("TQ-1", "PR-1"), ("TQ-2", "PR-1"), ("TQ-3", "PR-2")] {
            send(&platform, 1, id, object).await;
        }
        // The other object's task does not wait.
        platform.frames_until(1).await;
        assert_eq!(id_of(&platform.frames()[0]), "TQ-3");
        opened.add_permits(2);
        platform.frames_until(3).await;
        let log = log.lock().unwrap().clone();
        let at = |entry: &str| log.iter().position(|line| line == entry).unwrap();
        assert_eq!(at("TQ-1 ends") < at("TQ-2 begins"), is_serialized, "{log:?}");
        assert_eq!(running.ended().await.unfinished, 0);
    }
}

#[tokio::test]
async fn attempts_are_counted_and_delays_grow_with_them() {
    let platform = Platform::start().await;
    let purchase = async |_: AssetRequest, scope: Scope| {
        let task = scope.task()?;
        if task.attempt == 4 {
            return Ok(BackgroundResponse::done());
        }
        Ok(task.reschedule_with(&Backoff::new(Duration::from_secs(100), Duration::from_secs(300))))
    };
    let extension = extension().background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], purchase);
    let running = Running::start(extension, &platform, &[]);
    let mut countdowns = Vec::new();
    for delivery in 1..=5 {
        send(&platform, 1, if delivery < 5 { "TQ-1" } else { "TQ-2" }, "PR-1").await;
        let frames = platform.frames_until(delivery).await;
        let output = &frames[delivery - 1]["data"]["output"];
        countdowns
            .push((output["result"].as_str().unwrap().to_owned(), output["countdown"].as_u64().unwrap()));
    }
    for (index, longest) in [100, 200, 300].into_iter().enumerate() {
        let (result, countdown) = &countdowns[index];
        assert!(result == "reschedule" && (longest / 2..=longest).contains(countdown), "{countdowns:?}");
    }
    assert_eq!(countdowns[3].0, "success");
    assert_eq!(countdowns[4].0, "reschedule", "it ended for good, so this is a first attempt again");
    running.ended().await;
}

struct Slow;

impl BackgroundTransaction for Slow {
    fn name(&self) -> &str {
        "Slow"
    }

    fn should_execute(&self, _: &AssetRequest) -> bool {
        true
    }

    async fn execute(&self, _: &mut AssetRequest) -> Result<BackgroundResponse> {
        std::future::pending().await
    }

    async fn compensate(&self, _: &mut AssetRequest, error: Error) -> Result<BackgroundResponse> {
        Ok(BackgroundResponse::fail(error.to_string()))
    }
}

struct SlowSaga;

impl Saga for SlowSaga {
    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().then_value(Slow)
    }
}

#[tokio::test]
async fn a_transaction_whose_time_is_over_is_compensated() {
    let platform = Platform::start().await;
    let extension = extension()
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], SlowSaga)
        .time_limit(PURCHASE, Duration::from_millis(50));
    let running = Running::start(extension, &platform, &[]);
    send(&platform, 1, "TQ-1", "PR-1").await;
    let frames = platform.frames_until(1).await;
    let output = &frames[0]["data"]["output"];
    assert_eq!(output["result"], "fail");
    assert_eq!(output["message"], "the transaction \"Slow\" was stopped: the task's time is over");
    running.ended().await;
}

#[tokio::test]
async fn a_function_whose_time_is_over_is_stopped() {
    let platform = Platform::start().await;
    let purchase =
        async |_: AssetRequest, _: Scope| std::future::pending::<Result<BackgroundResponse>>().await;
    let extension = extension()
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], purchase)
        .time_limit(PURCHASE, Duration::from_millis(50));
    let running = Running::start(extension, &platform, &[]);
    send(&platform, 1, "TQ-1", "PR-1").await;
    let output = &platform.frames_until(1).await[0]["data"]["output"];
    assert_eq!(
        (&output["result"], &output["message"]),
        (&json!("retry"), &json!("the task took more time than its limit of 50ms"))
    );
    running.ended().await;
}

#[tokio::test]
async fn blocking_handlers_hold_up_nobody() {
    let platform = Platform::start().await;
    let (open, opened) = std::sync::mpsc::channel::<()>();
    let opened = Mutex::new(opened);
    let purchase = move |request: AssetRequest, _: Scope| {
        assert!(request.id != "PR-panic", "out of range");
        opened.lock().unwrap().recv_timeout(PATIENCE)?;
        Ok(BackgroundResponse::done())
    };
    let action = async |_: ProductAction, _: Scope| Ok(InteractiveResponse::done());
    let extension = extension()
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], blocking(purchase).threads(4))
        .interactive(event::PRODUCT_ACTION_EXECUTION, action);
    let running = Running::start(extension, &platform, &[]);
    for number in 0..8 {
        send(&platform, 1, &format!("TQ-{number}"), &format!("PR-{number}")).await;
    }
    let action = task("TQ-A", "interactive", ACTION, "PRA-1", &json!({"method": "GET"}));
    platform.connection("interactive", 1).await.send(action.to_string());
    assert_eq!(id_of(&platform.frames_until(1).await[0]), "TQ-A");
    for _ in 0..8 {
        open.send(()).unwrap();
    }
    platform.frames_until(9).await;
    send(&platform, 1, "TQ-P", "PR-panic").await;
    let output = &platform.frames_until(10).await[9]["data"]["output"];
    assert!(output["message"].as_str().unwrap().contains("out of range"), "{output}");
    running.ended().await;
}

#[tokio::test]
async fn hooks_run_once_around_the_tasks() {
    let platform = Platform::start().await;
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = |what: &'static str| {
        let log = Arc::clone(&log);
        move |scope: Scope| {
            let log = Arc::clone(&log);
            async move {
                let greeting: String = scope.get_named("cache_driver")?;
                tokio::task::yield_now().await;
                log.lock().unwrap().push(format!("{what} {greeting}"));
                Ok(())
            }
        }
    };
    let handled = Arc::clone(&log);
    let purchase = move |request: AssetRequest, _: Scope| {
        handled.lock().unwrap().push(request.id);
        async { Ok(BackgroundResponse::done()) }
    };
    let extension = extension().on_startup(note("start")).on_shutdown(note("stop")).background(
        event::ASSET_PURCHASE_REQUEST_PROCESSING,
        ["pending"],
        purchase,
    );
    let running = Running::start(extension, &platform, &[]);
    send(&platform, 1, "TQ-1", "PR-1").await;
    platform.frames_until(1).await;
    let setup = platform.setup_response.lock().unwrap().to_string();
    platform.connection("background", 1).await.send(setup);
    send(&platform, 1, "TQ-2", "PR-2").await;
    platform.frames_until(2).await;
    assert!(!running.ended().await.start_failed);
    assert_eq!(*log.lock().unwrap(), ["start none", "PR-1", "PR-2", "stop none"]);
}

#[tokio::test]
async fn a_start_that_fails_ends_the_process() {
    let platform = Platform::start().await;
    let stopped = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&stopped);
    let extension = extension()
        .on_startup(async |_| Err("the vendor's licence has run out".into()))
        .on_shutdown(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok(()) }
        })
        .background(
            event::ASSET_PURCHASE_REQUEST_PROCESSING,
            ["pending"],
            async |_: AssetRequest, _: Scope| Ok(BackgroundResponse::done()),
        );
    let runner = Runner::new(extension.into(), platform.environment(&[])).unwrap();
    let exit = runner.run_until(std::future::pending(), std::future::pending());
    let exit = timeout(PATIENCE, exit).await.unwrap();
    assert!(exit.start_failed);
    assert_eq!(stopped.load(Ordering::SeqCst), 1, "what was begun is ended");
}

#[tokio::test]
async fn interactive_calls_do_not_wait_for_those_of_a_backlog() {
    let platform = Platform::start().await;
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    // Each holds one of the calls that background tasks may make at once.
    let purchase = move |_: AssetRequest, scope: Scope| {
        let gate = Arc::clone(&gate);
        async move {
            scope.client()?.collection("requests").resource("PR-0").get().empty().await?;
            gate.acquire().await?.forget();
            Ok(BackgroundResponse::done())
        }
    };
    let action = async |_: ProductAction, scope: Scope| {
        scope.client()?.collection("requests").resource("PR-0").get().empty().await?;
        Ok(InteractiveResponse::done())
    };
    let extension = extension()
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], purchase)
        .interactive(event::PRODUCT_ACTION_EXECUTION, action);
    let running = Running::start(extension, &platform, &[("MAX_CONCURRENT_TASKS", "10")]);
    put(&platform, "PR-0");
    for number in 0..50 {
        send(&platform, 1, &format!("TQ-{number}"), &format!("PR-{number}")).await;
    }
    let action = task("TQ-A", "interactive", ACTION, "PRA-1", &json!({"method": "GET"}));
    platform.connection("interactive", 1).await.send(action.to_string());
    assert_eq!(id_of(&platform.frames_until(1).await[0]), "TQ-A");
    opened.add_permits(50);
    platform.frames_until(51).await;
    running.ended().await;
}

#[tokio::test]
async fn results_that_could_not_leave_are_sent_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let env = [("RESULTS_DIR", folder.path().to_str().unwrap()), ("DRAIN_TIME", "1")];
    let platform = Platform::start().await;
    let handled = Arc::new(AtomicUsize::new(0));
    let (counted, gate) = (Arc::clone(&handled), Arc::new(Semaphore::new(0)));
    let opened = Arc::clone(&gate);
    let with = move || {
        let (counted, gate) = (Arc::clone(&counted), Arc::clone(&gate));
        let purchase = move |_: AssetRequest, _: Scope| {
            let (counted, gate) = (Arc::clone(&counted), Arc::clone(&gate));
            async move {
                counted.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await?.forget();
                Ok(BackgroundResponse::done())
            }
        };
        extension().background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], purchase)
    };
    let runner = Runner::new(with().into(), platform.environment(&env)).unwrap();
    let (force, forced) = oneshot::channel::<()>();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(runner.run_until(async { _ = stopped.await }, async { _ = forced.await }));
    send(&platform, 1, "TQ-1", "PR-1").await;
    while handled.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    // Connect goes away before the task ends, and does not come back.
    platform.refusals.lock().unwrap().extend([503; 1_000]);
    platform.connection("background", 1).await.close();
    platform.connection("interactive", 1).await.close();
    while platform.refusals.lock().unwrap().len() > 996 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    opened.add_permits(1);
    stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    force.send(()).unwrap();
    let exit = timeout(PATIENCE, running).await.unwrap().unwrap();
    assert_eq!((exit.unfinished, exit.unsent), (0, 1));
    assert!(platform.frames().iter().all(|frame| frame["message_type"] != "task"));

    platform.refusals.lock().unwrap().clear();
    let second = Running::start(with(), &platform, &env);
    // It is sent without being run again, also where Connect sends the task once more.
    let frame = task("TQ-1", "background", PURCHASE, "PR-1", &Value::Null);
    platform.connection("background", 2).await.send(frame.to_string());
    let frames = platform.frames_until(1).await;
    let answered = answers(&frames);
    assert_eq!((id_of(answered[0]), &answered[0]["data"]["output"]["result"]), ("TQ-1", &json!("success")));
    let exit = second.ended().await;
    assert_eq!((exit.unfinished, exit.unsent), (0, 0));
    assert_eq!(handled.load(Ordering::SeqCst), 1);
}

/// The runner as a process of its own, that is this test's program again.
fn child(platform: &Platform, results: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "nothing_is_lost_when_the_process_is_killed", "--nocapture"])
        .env("CHILD_SERVER", platform.address.to_string())
        .env("CHILD_RESULTS", results)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

async fn run_child(server: String) {
    support::secrets::search();
    let purchase = async |request: AssetRequest, _: Scope| {
        // Some take longer than others.
        let number: u64 = request.id.trim_start_matches("PR-").parse()?;
        tokio::time::sleep(Duration::from_millis(number % 7)).await;
        Ok(BackgroundResponse::done())
    };
    let extension = extension().background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], purchase);
    let vars = [
        ("API_KEY", support::KEY.to_owned()),
        ("ENVIRONMENT_ID", "ENV-0001-0002-01".to_owned()),
        ("INSTANCE_ID", "SIN-0001".to_owned()),
        ("SERVER_ADDRESS", server.clone()),
        ("API_ADDRESS", format!("http://{server}")),
        ("RESULTS_DIR", std::env::var("CHILD_RESULTS").unwrap()),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value));
    let environment = connect_fulfillment::Environment::from_vars(vars, true).unwrap();
    let runner = Runner::new(extension.into(), environment).unwrap();
    let stop = async {
        let mut signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
        signal.recv().await;
    };
    let exit = runner.run_until(stop, std::future::pending()).await;
    assert_eq!((exit.unfinished, exit.unsent), (0, 0));
}

const TASKS: usize = 5_000;
const KILLS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_process_is_killed() {
    if let Ok(server) = std::env::var("CHILD_SERVER") {
        return run_child(server).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::start().await;
    // No count before each task: the stand-in would look at every request for it.
    platform.setup_response.lock().unwrap()["data"]["event_definitions"][0]["api_collection_filter"] =
        Value::Null;
    for number in 0..TASKS {
        put(&platform, &format!("PR-{number}"));
    }
    let mut random = 7_u64;
    let mut sent = HashSet::new();
    for round in 0..=KILLS {
        let mut process = child(&platform, folder.path());
        let connection = platform.connection("background", round + 1).await;
        // Connect sends again what it has no answer to, and some more.
        let done = platform.answers();
        let due = if round == KILLS { TASKS } else { TASKS / KILLS * (round + 1) };
        for number in (0..due).filter(|number| !done.contains_key(&format!("TQ-{number}"))) {
            sent.insert(number);
            let id = format!("TQ-{number}");
            connection
                .send(task(&id, "background", PURCHASE, &format!("PR-{number}"), &Value::Null).to_string());
        }
        if round < KILLS {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            tokio::time::sleep(Duration::from_micros((random >> 33) % 25_000)).await;
            process.kill().unwrap();
            process.wait().unwrap();
            continue;
        }
        platform.answered(TASKS).await;
        Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap();
        let exit = tokio::task::spawn_blocking(move || process.wait().unwrap()).await.unwrap();
        assert!(exit.success(), "{exit}");
    }
    let counts = platform.answers();
    assert_eq!((counts.len(), sent.len()), (TASKS, TASKS));
    for frame in answers(&platform.frames()) {
        assert_eq!(frame["data"]["output"]["result"], "success", "{frame}");
    }
    let twice = counts.values().filter(|count| **count > 1).count();
    let is_fetch = |path: &str| path.starts_with("/public/v1/requests/PR-");
    let tries = platform.calls().iter().filter(|call| is_fetch(&call.path)).count();
    println!("{KILLS} kills, {TASKS} tasks: all answered, {twice} more than once, {tries} tries at them");
    // A task whose result was kept is not run again: only what ran when the process was killed is.
    assert!(twice < TASKS / 2, "{twice}");
}
