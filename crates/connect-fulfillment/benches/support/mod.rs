//! What the benchmarks share: a runner in a process of its own, and the purchase that it handles.

#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, reason = "shared by the benchmarks")]

use std::process::{Child, Command};

use connect_fulfillment::{Descriptor, Environment, Runner, prelude::*};
use serde_json::{Value, json};

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

/// The benchmark, or the runner where this process is one.
pub fn start(measure: impl Future<Output = ()>) {
    // `cargo test --benches` runs it with this argument; there is nothing to test here.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if std::env::var_os(RUNNER).is_some() {
        runtime.block_on(run());
    } else {
        runtime.block_on(measure);
    }
}

async fn validate(request: AssetRequest, _: Scope) -> Result<ValidationResponse> {
    Ok(ValidationResponse::done(serde_json::to_value(request)?))
}

async fn run() {
    let extension = Extension::new(Descriptor::default())
        .variable(Variable::new("ACTIVATION_TEMPLATE").initial_value("TL-000-000-000"))
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], PurchaseSaga)
        .interactive(event::ASSET_PURCHASE_REQUEST_VALIDATION, validate);
    let runner = Runner::new(extension.into(), Environment::from_env(true).unwrap()).unwrap();
    runner.run_until(std::future::pending(), std::future::pending()).await;
}

pub fn request(id: &str, note: &str) -> Value {
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

pub struct RunnerProcess(Child);

impl RunnerProcess {
    pub fn start(environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        Self(command.env(RUNNER, "1").envs(environment).spawn().unwrap())
    }

    /// MiB of memory that it really has.
    pub fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// Seconds of processor time that it has used.
    pub fn processor(&self) -> f64 {
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
