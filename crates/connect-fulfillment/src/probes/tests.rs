use std::time::Duration;

use connect_runner::{Environment, Runner};
use connect_sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::timeout};

use super::*;
use crate::{Descriptor, Extension, logging::Logs, prelude::*};

const PATIENCE: Duration = Duration::from_secs(20);

struct Probes(SocketAddr, reqwest::Client);

impl Probes {
    async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.1.get(format!("http://{}{path}", self.0)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn ready_is(&self, code: u16) -> Value {
        let ready = async {
            loop {
                let (found, body) = self.get("/readyz").await;
                if found == code {
                    return serde_json::from_str(&body).unwrap();
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, ready).await.unwrap()
    }
}

async fn purchase(_: AssetRequest, _: Scope) -> Result<BackgroundResponse, crate::Error> {
    Ok(BackgroundResponse::skip("not ours"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_sees_how_it_goes() {
    let sandbox = Sandbox::builder().request(json!({"id": "PR-1", "type": "purchase", "status": "pending"}));
    let sandbox = sandbox.start().await.unwrap();
    let environment = Environment::from_vars(sandbox.environment(), true).unwrap();
    let extension = Extension::new(Descriptor::default()).background(
        crate::event::ASSET_PURCHASE_REQUEST_PROCESSING,
        ["pending"],
        purchase,
    );
    let declaration = extension.declaration();
    let runner = Runner::new(extension.into(), environment).unwrap();
    let metrics = Arc::new(Metrics::new(&declaration, runner.monitor(), Logs::unattached()));
    let address =
        serve("127.0.0.1:0".parse().unwrap(), runner.monitor(), Arc::clone(&metrics)).await.unwrap();
    let tls = (*connect_client::tls::client_config().unwrap()).clone();
    let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap();
    let probes = Probes(address, http);
    assert_eq!(probes.get("/healthz").await, (200, "ok".to_owned()));
    assert_eq!(probes.ready_is(503).await["connections"][0]["state"], "connecting");

    let (answered, mut an_answer) = tokio::sync::mpsc::unbounded_channel();
    let runner = runner.on_task(move |report| {
        metrics.task(report);
        let _ = answered.send(());
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(runner.run_until(async { drop(stopped.await) }, std::future::pending()));
    let status = probes.ready_is(200).await;
    assert_eq!(
        status["connections"][1],
        json!({"runner_type": "interactive", "state": "active", "connects": 1, "failures": 0, "outbox": 0})
    );
    timeout(PATIENCE, an_answer.recv()).await.unwrap().unwrap();
    let (code, text) = probes.get("/metrics").await;
    assert_eq!(code, 200);
    for line in [
        "connect_extension_info{name=\"\",version=\"\"} 1",
        "connect_tasks_total{category=\"background\",event=\"asset_purchase_request_processing\",result=\"skip\"} 1",
        "connect_task_duration_seconds_count{category=\"background\",event=\"asset_purchase_request_processing\"} 1",
        "connect_tasks_running{category=\"scheduled\"} 0",
        "connect_tasks_waiting{category=\"interactive\"} 0",
        "connect_connection_up{runner_type=\"background\"} 1",
        "connect_reconnects_total{runner_type=\"background\"} 0",
        "connect_outbox_results{runner_type=\"interactive\"} 0",
        "connect_ready 1",
        "connect_log_lines_dropped_total 0",
        "# TYPE connect_reconnects counter",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }

    sandbox.stop().await;
    probes.ready_is(503).await;
    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.unwrap().unwrap();
    let status = probes.ready_is(503).await;
    assert_eq!(status["connections"][0]["state"], "closed");
    assert!(status["connections"][0]["failures"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_taken_address_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let extension: connect_runner::Extension = Extension::new(Descriptor::default()).into();
    let sandbox = Sandbox::builder().start().await.unwrap();
    let runner =
        Runner::new(extension, Environment::from_vars(sandbox.environment(), true).unwrap()).unwrap();
    let declaration = Extension::new(Descriptor::default()).declaration();
    let metrics = Arc::new(Metrics::new(&declaration, runner.monitor(), Logs::unattached()));
    let error = serve(address, runner.monitor(), metrics).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("the probe address {address} can't be listened on")), "{error}");
}
