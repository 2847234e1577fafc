//! `cargo bench -p connect-fulfillment`: a runner in a process of its own against a sandbox in this one.
//!
//! It prints tasks per second from end to end (count, fetch, saga, result), the time from a task's sending to its
//! result on an idle runner, resident memory idle and with 10,000 tasks in flight, and the time from process start to
//! the end of the handshake.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark"
)]

use std::{
    process::{Child, Command},
    time::{Duration, Instant},
};

use connect_fulfillment::{
    Descriptor, Environment, Runner,
    prelude::*,
    sandbox::{Activity, DispatchPolicy, Sandbox},
};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

const BURST: usize = 20_000;
const IN_FLIGHT: usize = 10_000;
const IDLE_TASKS: usize = 500;

/// Tells the process that it is the runner, not the one that measures.
const RUNNER: &str = "CONNECT_BENCH_RUNNER";

#[derive(Inject)]
struct Process {
    #[inject(name = "activation_template")]
    _template: String,
    _client: Client,
    _cache: Arc<dyn Cache>,
}

impl BackgroundTransaction for Process {
    fn name(&self) -> &str {
        "Process"
    }

    fn should_execute(&self, _: &AssetRequest) -> bool {
        true
    }

    async fn execute(&self, request: &mut AssetRequest) -> Result<BackgroundResponse> {
        if request.note.as_deref() == Some("wait") {
            std::future::pending::<()>().await;
        }
        Ok(BackgroundResponse::done())
    }
}

struct PurchaseSaga;

impl Saga for PurchaseSaga {
    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().then::<Process>()
    }
}

fn main() {
    // `cargo test --benches` runs it with this argument; there is nothing to test here.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if std::env::var_os(RUNNER).is_some() {
        runtime.block_on(run());
    } else {
        runtime.block_on(measure());
    }
}

async fn run() {
    let extension = Extension::new(Descriptor::default())
        .variable(Variable::new("ACTIVATION_TEMPLATE").initial_value("TL-000-000-000"))
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], PurchaseSaga);
    let runner = Runner::new(extension.into(), Environment::from_env(true).unwrap()).unwrap();
    runner.run_until(std::future::pending(), std::future::pending()).await;
}

fn request(id: &str, note: &str) -> Value {
    let params: Vec<Value> = (0..10)
        .map(|number| {
            json!({"id": format!("param_{number}"), "title": "A parameter", "type": "text", "value": "value",
            "value_error": "", "constraints": {"required": false, "hidden": false}})
        })
        .collect();
    json!({"id": id, "type": "purchase", "status": "pending", "note": note, "asset": {"id": format!("AS-{id}"),
        "status": "processing", "product": {"id": "PRD-1", "name": "Product"}, "params": params,
        "items": [{"id": "1", "mpn": "A", "quantity": "5", "old_quantity": "0"}],
        "tiers": {"customer": {"id": "TA-1", "name": "Customer", "contact_info": {"city": "Madrid", "country": "ES"}}}}})
}

async fn sandbox(requests: impl IntoIterator<Item = Value>) -> Sandbox {
    let mut policy = DispatchPolicy::default();
    policy.running_per_connection = IN_FLIGHT;
    Sandbox::builder().requests(requests).policy(policy).start().await.unwrap()
}

struct RunnerProcess(Child);

impl RunnerProcess {
    fn start(sandbox: &Sandbox) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        Self(command.env(RUNNER, "1").envs(sandbox.environment()).spawn().unwrap())
    }

    /// MiB of memory that it really has.
    fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// Seconds of processor time that it has used.
    fn processor(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let fields: Vec<f64> =
            stat.rsplit(") ").next().unwrap().split(' ').filter_map(|text| text.parse().ok()).collect();
        // utime and stime, in hundredths of a second; the state, which is no number, stands before them.
        (fields[10] + fields[11]) / 100.0
    }
}

impl Drop for RunnerProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn connected(activity: &mut Receiver<Activity>, times: usize) {
    let mut seen = 0;
    while seen < times {
        seen += usize::from(matches!(activity.recv().await.unwrap(), Activity::RunnerConnected { .. }));
    }
}

async fn measure() {
    // Handshake, idle memory, latency.
    let idle = sandbox([]).await;
    let mut activity = idle.subscribe();
    let begun = Instant::now();
    let runner = RunnerProcess::start(&idle);
    connected(&mut activity, 2).await;
    println!("process start to both handshakes done   {:>10.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    tokio::time::sleep(Duration::from_secs(1)).await;
    println!("resident memory, idle                   {:>10.1} MiB", runner.resident());
    let mut times = Vec::new();
    for number in 0..IDLE_TASKS {
        idle.add_request(request(&format!("PR-{number}"), "")).unwrap();
        let mut sent = Instant::now();
        loop {
            match activity.recv().await.unwrap() {
                Activity::TaskSent { .. } => sent = Instant::now(),
                Activity::TaskAnswered { .. } => break,
                _ => {}
            }
        }
        times.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!("task sent to result received, p50       {:>10.2} ms", times[times.len() / 2]);
    println!("task sent to result received, p99       {:>10.2} ms", times[times.len() * 99 / 100]);
    drop(runner);
    idle.stop().await;

    // A burst.
    let burst = sandbox((0..BURST).map(|number| request(&format!("PR-{number:06}"), ""))).await;
    let mut activity = burst.subscribe();
    let runner = RunnerProcess::start(&burst);
    connected(&mut activity, 1).await;
    let begun = Instant::now();
    burst.settled().await;
    let seconds = begun.elapsed().as_secs_f64();
    println!("tasks per second, a burst of {BURST}      {:>10.0}", BURST as f64 / seconds);
    println!("processor time of the runner for a task {:>10.3} ms", runner.processor() * 1e3 / BURST as f64);
    println!("resident memory after the burst         {:>10.1} MiB", runner.resident());
    drop(runner);
    burst.stop().await;

    // Many in flight.
    let waiting = sandbox((0..IN_FLIGHT).map(|number| request(&format!("PR-{number:06}"), "wait"))).await;
    let runner = RunnerProcess::start(&waiting);
    // Nothing tells that the last handler waits, but the processor time that no longer grows.
    let mut used = -1.0;
    while runner.processor() > used {
        used = runner.processor();
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    println!("resident memory, {IN_FLIGHT} tasks in flight  {:>10.1} MiB", runner.resident());
    drop(runner);
    waiting.stop().await;
}
