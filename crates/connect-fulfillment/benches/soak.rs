//! `cargo bench -p connect-fulfillment --bench soak`: a million tasks through one process.
//!
//! A stand-in for Connect in this process keeps a thousand tasks at a time in the hands of a runner in another. It prints,
//! at the beginning, in between and at the end, the resident memory of the runner and how long tasks take from their
//! sending to their result; then how long an interactive task takes on an idle runner, and on one that has a thousand
//! background tasks at any time. `SOAK_TASKS` is another number of tasks.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark"
)]

mod support;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Path, Query, State, WebSocketUpgrade, ws::Message},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use serde_json::{Value, json};
use support::{RunnerProcess, request};
use tokio::{net::TcpListener, sync::mpsc, time::sleep};

const TASKS: usize = 1_000_000;
const AT_A_TIME: usize = 1_000;
const INTERACTIVE: usize = 2_000;
const POINTS: usize = 10;

/// What the stand-in tells the one that measures.
struct Answered {
    number: usize,
    took: Duration,
}

struct Platform {
    request: String,
    /// A background task is sent for each that is answered.
    goes_on: AtomicBool,
    background: mpsc::UnboundedSender<Answered>,
    interactive: mpsc::UnboundedSender<Answered>,
}

#[derive(serde::Deserialize)]
struct Lane {
    runner_type: String,
}

fn setup_response() -> String {
    let definition = |event: &str, filter: &str| {
        json!({"event_type": event, "api_collection_endpoint": "requests",
            "api_resource_endpoint": "requests/{pk}", "api_collection_filter": filter})
    };
    json!({"version": 2, "message_type": "setup_response", "data": {
        "variables": [{"name": "ACTIVATION_TEMPLATE", "value": "TL-000-000-000", "secure": false}],
        "environment_type": "development",
        "logging": {"logging_api_key": null, "log_level": "WARNING", "runner_log_level": "WARNING",
            "meta": {"service_id": "SRVC-0001-0002", "account_id": "VA-0001", "account_name": "Vendor"}},
        "event_definitions": [
            definition("asset_purchase_request_processing", "and(eq(id,${_object_id_}),in(status,${_statuses_}))"),
            definition("asset_purchase_request_validation", "eq(id,${_object_id_})")],
        "model_type": "setup_response"}})
    .to_string()
}

fn task(category: &str, event: &str, number: usize, data: &Value) -> Message {
    let task = json!({"version": 2, "message_type": "task", "data": {
        "options": {"task_id": format!("TQ-{category}-{number}"), "task_category": category,
            "correlation_id": format!("corr-{number}"), "reply_to": "reply", "api_key": null,
            "installation_id": null, "connect_correlation_id": null},
        "input": {"event_type": event, "object_id": format!("PR-{number}"), "data": data},
        "output": null, "model_type": "task"}});
    Message::Text(task.to_string().into())
}

/// The number of the task that a frame answers.
fn answered(frame: &Message) -> Option<usize> {
    let frame: Value = serde_json::from_str(frame.to_text().ok()?).ok()?;
    let (id, result) = (&frame["data"]["options"]["task_id"], &frame["data"]["output"]["result"]);
    let number = id.as_str()?.rsplit('-').next()?.parse().ok();
    assert_eq!(*result, "success", "{frame}");
    number
}

async fn upgrade(
    upgrade: WebSocketUpgrade,
    Query(lane): Query<Lane>,
    State(platform): State<Arc<Platform>>,
) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        while !matches!(socket.recv().await, Some(Ok(Message::Text(_)))) {}
        socket.send(Message::Text(setup_response().into())).await.unwrap();
        let of_background = lane.runner_type == "background";
        let data = if of_background { Value::Null } else { serde_json::from_str(&platform.request).unwrap() };
        let (category, event, at_a_time) = if of_background {
            ("background", "asset_purchase_request_processing", AT_A_TIME)
        } else {
            ("interactive", "asset_purchase_request_validation", 1)
        };
        let told = if of_background { &platform.background } else { &platform.interactive };
        // When each was sent; the numbers of those in flight lie close together.
        let mut sent = std::collections::HashMap::new();
        let mut next = 0;
        loop {
            while sent.len() < at_a_time && (!of_background || platform.goes_on.load(Ordering::Relaxed)) {
                sent.insert(next, Instant::now());
                if socket.send(task(category, event, next, &data)).await.is_err() {
                    return;
                }
                next += 1;
            }
            // While nothing is to be sent, what comes is only a ping.
            let Some(Ok(frame)) = socket.recv().await else { return };
            if let Some(number) = answered(&frame) {
                let took = sent.remove(&number).unwrap().elapsed();
                let _ = told.send(Answered { number, took });
                if !of_background {
                    sleep(Duration::from_millis(5)).await;
                }
            }
        }
    })
}

async fn count() -> impl IntoResponse {
    ([("Content-Range", "items 0-0/1")], axum::Json(json!([])))
}

async fn object(Path(id): Path<String>, State(platform): State<Arc<Platform>>) -> impl IntoResponse {
    ([("Content-Type", "application/json")], platform.request.replace("PR-0", &id))
}

async fn start(platform: Arc<Platform>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/public/v1/devops/ws/{environment}/{instance}", any(upgrade))
        .route("/public/v1/requests", get(count))
        .route("/public/v1/requests/{id}", get(object))
        .with_state(platform);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

fn environment(address: SocketAddr) -> Vec<(String, String)> {
    [
        ("API_KEY", "ApiKey SU-000:xxxxxxxxxxxx".to_owned()),
        ("ENVIRONMENT_ID", "ENV-0001-0002-01".to_owned()),
        ("SERVER_ADDRESS", format!("ws://{address}")),
        ("API_ADDRESS", format!("http://{address}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// p50 and p99 in milliseconds.
fn percentiles(times: &mut [Duration]) -> (f64, f64) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    (at(50), at(99))
}

async fn interactive(answers: &mut mpsc::UnboundedReceiver<Answered>, when: &str) {
    // What was answered before counts no more.
    while answers.try_recv().is_ok() {}
    let mut times = Vec::new();
    while times.len() < INTERACTIVE {
        times.push(answers.recv().await.unwrap().took);
    }
    let (half, most) = percentiles(&mut times);
    println!("interactive task, {when:<34} p50 {half:>6.2} ms, p99 {most:>6.2} ms");
}

async fn measure() {
    let tasks = std::env::var("SOAK_TASKS").map_or(TASKS, |tasks| tasks.parse().unwrap());
    let (background, mut done) = mpsc::unbounded_channel();
    let (lane, mut answers) = mpsc::unbounded_channel();
    let platform = Arc::new(Platform {
        request: request("PR-0", "").to_string(),
        goes_on: AtomicBool::new(true),
        background,
        interactive: lane,
    });
    let address = start(Arc::clone(&platform)).await;

    let runner = RunnerProcess::start(environment(address));
    let begun = Instant::now();
    let mut seen = 0;
    for point in 1..=POINTS {
        let mut times = Vec::new();
        while seen < tasks * point / POINTS {
            let answered = done.recv().await.unwrap();
            assert!(answered.number < tasks + AT_A_TIME);
            times.push(answered.took);
            seen += 1;
            if seen == tasks / 100 {
                println!("{seen:>9} tasks: {:>6.1} MiB", runner.resident());
            }
        }
        let (half, most) = percentiles(&mut times);
        let memory = runner.resident();
        println!("{seen:>9} tasks: {memory:>6.1} MiB, a task p50 {half:>6.1} ms, p99 {most:>6.1} ms");
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{:.0} tasks per second, {:.3} ms of processor time each",
        seen as f64 / seconds,
        runner.processor() * 1e3 / seen as f64
    );

    interactive(&mut answers, "a thousand background tasks besides").await;
    platform.goes_on.store(false, Ordering::Relaxed);
    sleep(Duration::from_secs(2)).await;
    interactive(&mut answers, "idle runner").await;
}

fn main() {
    support::start(measure());
}
