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

mod support;

use std::time::{Duration, Instant};

use connect_fulfillment::sandbox::{Activity, DispatchPolicy, Sandbox};
use serde_json::Value;
use support::{RunnerProcess, request};
use tokio::sync::broadcast::Receiver;

const BURST: usize = 20_000;
const IN_FLIGHT: usize = 10_000;
const IDLE_TASKS: usize = 500;

fn main() {
    support::start(measure());
}

async fn sandbox(requests: impl IntoIterator<Item = Value>) -> Sandbox {
    let mut policy = DispatchPolicy::default();
    policy.running_per_connection = IN_FLIGHT;
    Sandbox::builder().requests(requests).policy(policy).start().await.unwrap()
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
    let runner = RunnerProcess::start(idle.environment());
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
    let runner = RunnerProcess::start(burst.environment());
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
    let runner = RunnerProcess::start(waiting.environment());
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
