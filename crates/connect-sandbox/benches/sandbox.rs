//! `cargo bench -p connect-sandbox`: how much the sandbox takes, so that it is not what other figures measure.
//!
//! It prints calls of REST per second over 64 connections, tasks per second given out to a runner that does nothing, and
//! memory with a million requests, in memory and in a file. Clients, runner and sandbox share the machine.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark"
)]

use std::{
    env,
    process::Command,
    time::{Duration, Instant},
};

use connect_model::build::Generator;
use connect_sandbox::{DispatchPolicy, Sandbox};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

const CONNECTIONS: usize = 64;
const CALLS: usize = 100_000;
const TASKS: usize = 100_000;
const STORED: usize = 1_000_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let kind = env::args().find_map(|argument| argument.strip_prefix("--store=").map(str::to_owned));
    if let Some(kind) = kind {
        runtime.block_on(store(&kind));
        return;
    }
    runtime.block_on(rest());
    runtime.block_on(dispatch());
    // Memory is measured in a process of its own.
    for kind in ["memory", "file"] {
        let mut command = Command::new(env::current_exe().unwrap());
        assert!(command.arg(format!("--store={kind}")).status().unwrap().success());
    }
}

/// A purchase that looks real, with an id of its own.
fn purchase(number: usize) -> Value {
    let mut request = Value::from(&Generator::seeded(number as u64).purchase());
    request["id"] = format!("PR-{number:08}-001").into();
    request["asset"]["id"] = format!("AS-{number:08}").into();
    request["status"] = "pending".into();
    request["created"] = format!("2026-{:02}-{:02}T00:00:00+00:00", number % 12 + 1, number % 28 + 1).into();
    request
}

/// One connection, over which one call goes after the other.
struct Connection(TcpStream, Vec<u8>);

impl Connection {
    async fn call(&mut self, sandbox: &Sandbox, method: &str, path: &str, body: &str) -> usize {
        let call = format!(
            "{method} /public/v1/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n{body}",
            sandbox.api_key(),
            body.len()
        );
        self.0.write_all(call.as_bytes()).await.unwrap();
        self.1.clear();
        loop {
            assert!(self.0.read_buf(&mut self.1).await.unwrap() > 0, "the connection ended");
            let Some(head) = self.1.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&self.1[..head]).unwrap();
            assert!(text.starts_with("HTTP/1.1 200"), "{text}");
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if self.1.len() >= head + 4 + length.parse::<usize>().unwrap() {
                return self.1.len();
            }
        }
    }
}

/// The path of a call, by its number.
type Path = fn(usize) -> String;

async fn rest() {
    let sandbox = Sandbox::start().await.unwrap();
    for number in 0..CALLS {
        sandbox.add_request(purchase(number)).unwrap();
    }
    let approve = r#"{"template_id": "TL-000-000-000"}"#;
    let update = r#"{"asset": {"params": []}, "note": "seen"}"#;
    let calls: [(&str, &str, Path, &str); 5] = [
        (
            "count by id and status",
            "GET",
            |number| format!("requests?and(eq(id,PR-{number:08}-001),in(status,(pending)))&limit=0&offset=0"),
            "",
        ),
        ("read a request", "GET", |number| format!("requests/PR-{number:08}-001"), ""),
        (
            "read a page of 10",
            "GET",
            |number| format!("requests?in(status,(pending))&limit=10&offset={}", number % 100),
            "",
        ),
        ("update a request", "PUT", |number| format!("requests/PR-{number:08}-001"), update),
        ("approve a request", "POST", |number| format!("requests/PR-{number:08}-001/approve"), approve),
    ];
    for (name, method, path, body) in calls {
        let begun = Instant::now();
        let each = CALLS / CONNECTIONS;
        let work = (0..CONNECTIONS).map(|connection| {
            let sandbox = &sandbox;
            async move {
                let stream = TcpStream::connect(sandbox.address()).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut stream = Connection(stream, Vec::new());
                for number in connection * each..(connection + 1) * each {
                    stream.call(sandbox, method, &path(number), body).await;
                }
            }
        });
        futures_util::future::join_all(work).await;
        let made = (each * CONNECTIONS) as f64;
        println!("{name:<40}{:>10.0} calls/s", made / begun.elapsed().as_secs_f64());
    }
}

async fn dispatch() {
    let mut policy = DispatchPolicy::default();
    policy.running_per_connection = 1_000;
    let sandbox = Sandbox::builder().policy(policy).start().await.unwrap();
    for number in 0..TASKS {
        sandbox.add_request(purchase(number)).unwrap();
    }
    let url = format!(
        "ws://{}/public/v1/devops/ws/ENV-0000-0001-01/INS-1?runner_type=background",
        sandbox.address()
    );
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("Authorization", sandbox.api_key().parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    let setup = json!({"version": 2, "message_type": "setup_request", "data": {
        "event_subscriptions": {"asset_purchase_request_processing": ["pending"]}}});
    let begun = Instant::now();
    socket.send(Message::text(setup.to_string())).await.unwrap();
    let mut answered = 0;
    while answered < TASKS {
        let Message::Text(text) = socket.next().await.unwrap().unwrap() else { continue };
        let mut message: Value = serde_json::from_str(&text).unwrap();
        if message["message_type"] == "task" {
            message["data"]["output"] = json!({"result": "success", "runtime": 0.1});
            socket.send(Message::text(message.to_string())).await.unwrap();
            answered += 1;
        }
    }
    sandbox.settled().await;
    println!(
        "{:<40}{:>10.0} tasks/s",
        "given out and answered",
        TASKS as f64 / begun.elapsed().as_secs_f64()
    );
}

/// What the kernel says that the process has in memory, in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

async fn store(kind: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.sqlite");
    let builder = if kind == "file" { Sandbox::builder().file(&file) } else { Sandbox::builder() };
    let sandbox = builder.start().await.unwrap();
    let begun = Instant::now();
    for number in 0..STORED {
        sandbox.add_request(purchase(number)).unwrap();
        if number % 1_000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    tokio::time::sleep(Duration::from_millis(500)).await;
    println!(
        "{STORED} requests in {kind}: {:.0} added per second, {:.0} MiB resident",
        STORED as f64 / seconds,
        resident()
    );
    if kind == "file" {
        println!(
            "  the file has {:.0} MiB",
            std::fs::metadata(&file).unwrap().len() as f64 / f64::from(1 << 20)
        );
    }
    let stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let mut connection = Connection(stream, Vec::new());
    for (name, path) in [
        ("a request", "requests/PR-00500000-001"),
        ("the newest 50", "requests?ordering(-created,-id)&limit=50"),
        ("how many are pending", "requests?in(status,(pending))&limit=0"),
        ("how many are for a customer", "requests?eq(asset.tiers.customer.name,nobody)&limit=0"),
    ] {
        let begun = Instant::now();
        connection.call(&sandbox, "GET", path, "").await;
        println!("  {name:<38}{:>10.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    }
}
