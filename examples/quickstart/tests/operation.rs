//! The process as it runs in production: probes, log levels, log shipping, its end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../../../crates/connect-fulfillment/tests/support/mod.rs"]
mod support;

use std::{
    io::Read,
    process::{ExitStatus, Stdio},
    sync::Arc,
};

use axum::{Router, body::Bytes, extract::RawQuery, routing::post};
use connect_fulfillment::client::tls;
use serde_json::{Value, json};
use support::{KEY, Platform, setup_response, task};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStderr, Command},
    sync::mpsc,
    time::timeout,
};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// The program, and what it logs.
struct Process {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    seen: Vec<Value>,
}

impl Process {
    fn start(platform: &Platform, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let address = platform.address.to_string();
        let mut child = Command::new(env!("CARGO_BIN_EXE_quickstart"))
            .args(["run", "--unsecure", "--no-validate", "--log-format", "json"])
            .args(arguments)
            .env_clear()
            .envs([("API_KEY", KEY), ("ENVIRONMENT_ID", "ENV-0001-0002-01"), ("INSTANCE_ID", "SIN-0001")])
            .envs([("SERVER_ADDRESS", address.as_str()), ("API_ADDRESS", &format!("http://{address}"))])
            .envs(std::env::var("SSL_CERT_FILE").map(|file| ("SSL_CERT_FILE", file)))
            .envs(env.iter().copied())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, log, seen: Vec::new() }
    }

    /// Waits for a line of the log.
    async fn logged(&mut self, text: &str) -> Value {
        loop {
            let line = timeout(PATIENCE, self.log.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("no \"{text}\" in {:#?}", self.seen)).unwrap().unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            self.seen.push(line.clone());
            if line["message"].as_str().is_some_and(|message| message.contains(text)) {
                return line;
            }
        }
    }

    async fn stop(mut self) -> (ExitStatus, Vec<Value>) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        while let Some(line) = timeout(PATIENCE, self.log.next_line()).await.unwrap().unwrap() {
            self.seen.push(serde_json::from_str(&line).unwrap());
        }
        (timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap(), self.seen)
    }
}

fn http() -> reqwest::Client {
    let tls = (*tls::client_config().unwrap()).clone();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}

/// What came to Logz.io: the query, and the lines.
async fn logzio() -> (String, mpsc::UnboundedReceiver<(String, Vec<Value>)>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let (came, heard) = mpsc::unbounded_channel();
    let take = move |RawQuery(query): RawQuery, body: Bytes| async move {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
        came.send((query.unwrap(), text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()))
            .unwrap();
    };
    tokio::spawn(async { axum::serve(socket, Router::new().route("/", post(take))).await.unwrap() });
    (url, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_watched_from_its_start_to_its_end() {
    let platform: Arc<Platform> = Platform::start().await;
    let request = json!({"id": "PR-1", "type": "purchase", "status": "pending",
        "asset": {"id": "AS-1", "product": {"id": "PRD-1"}}});
    platform.put("requests/PR-1", request);
    let mut setup = setup_response();
    setup["data"]["logging"]["logging_api_key"] = "canary-key".into();
    setup["data"]["logging"]["log_level"] = "DEBUG".into();
    setup["data"]["variables"] = json!([{"name": "ACTIVATION_TEMPLATE", "value": "TL-000-000-000"}]);
    *platform.setup_response.lock().unwrap() = setup;
    let (listener, mut shipped) = logzio().await;
    let mut process =
        Process::start(&platform, &["--probe-addr", "127.0.0.1:0"], &[("LOGZIO_LISTENER_URL", &listener)]);
    let line = process.logged("probes on http://").await;
    let port = line["message"].as_str().unwrap().split(':').nth(2).unwrap().to_owned();
    let line = process.logged("starting Quickstart").await;
    assert_eq!(line["events"], "asset_purchase_request_processing");
    process.logged("Connect wants messages at the level debug").await;

    let event = "asset_purchase_request_processing";
    platform
        .connection("background", 1)
        .await
        .send(task("TQ-1", "background", event, "PR-1", &Value::Null).to_string());
    platform.answered(1).await;
    let metrics =
        http().get(format!("http://127.0.0.1:{port}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("result=\"success\"} 1"), "{metrics}");
    // Its level said, calls of the client are logged.
    let (status, log) = process.stop().await;
    assert_eq!(status.code(), Some(0), "{log:#?}");
    let is_call =
        |line: &&Value| line["target"].as_str().is_some_and(|target| target.starts_with("connect_client"));
    assert!(log.iter().any(|line| is_call(&line)), "{log:#?}");
    assert!(!format!("{log:?}").contains("canary"));

    let (mut keys, mut lines) = (Vec::new(), Vec::new());
    while let Ok((key, bulk)) = shipped.try_recv() {
        keys.push(key);
        lines.extend(bulk);
    }
    assert!(!keys.is_empty() && keys.iter().all(|key| key == "token=canary-key"), "{keys:?}");
    let of_task = lines.iter().rfind(|line| line["task_id"] == "TQ-1").unwrap();
    assert_eq!(
        (&of_task["request_id"], &of_task["service_id"], &of_task["environment_type"]),
        (&json!("PR-1"), &json!("SRVC-0001-0002"), &json!("development")),
        "{of_task}"
    );
    let last = lines.last().unwrap();
    assert_eq!(last["message"], "stopped, nothing is left", "the last line is there too");
}

/// With the feature, and only where the environment says where to.
#[cfg(feature = "telemetry")]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_sends_its_spans_and_figures_before_it_ends() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    let (came, mut heard) = mpsc::unbounded_channel::<(&str, Bytes)>();
    let take = |path: &'static str| {
        let came = came.clone();
        post(move |body: Bytes| async move { came.send((path, body)).unwrap() })
    };
    let all = Router::new().route("/v1/traces", take("traces")).route("/v1/metrics", take("metrics"));
    tokio::spawn(async { axum::serve(socket, all).await.unwrap() });

    let platform: Arc<Platform> = Platform::start().await;
    platform.put("requests/PR-1", json!({"id": "PR-1", "type": "purchase", "status": "pending"}));
    let mut setup = setup_response();
    setup["data"]["variables"] = json!([{"name": "ACTIVATION_TEMPLATE", "value": "TL-000-000-000"}]);
    *platform.setup_response.lock().unwrap() = setup;
    let mut process = Process::start(&platform, &[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    process.logged("starting Quickstart").await;
    let event = "asset_purchase_request_processing";
    let task = task("TQ-1", "background", event, "PR-1", &Value::Null).to_string();
    platform.connection("background", 1).await.send(task);
    platform.answered(1).await;
    let (status, log) = process.stop().await;
    assert_eq!(status.code(), Some(0), "{log:#?}");

    let mut bodies = std::collections::HashMap::<&str, Vec<u8>>::new();
    while let Ok((path, body)) = heard.try_recv() {
        bodies.entry(path).or_default().extend_from_slice(&body);
    }
    // Texts stand in protobuf as they are.
    let says =
        |path: &str, text: &str| bodies[path].windows(text.len()).any(|window| window == text.as_bytes());
    for name in ["Quickstart", event, "PurchaseSaga", "Approve request", "requests/PR-1/approve"] {
        assert!(says("traces", name), "{name}");
    }
    assert!(says("metrics", "connect.tasks") && says("metrics", "success"));
    let secret = KEY.split(':').nth(1).unwrap();
    assert!(!says("traces", secret) && !says("metrics", secret));
}
