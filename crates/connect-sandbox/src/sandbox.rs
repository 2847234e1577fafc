use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use connect_model::{
    event::SCHEDULED_EXECUTION,
    wire::{Secret, TaskCategory, TaskOutput},
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::broadcast, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    DispatchPolicy, TaskRecord,
    core::{Core, Setup},
    server::{self, Server},
    store::Store,
};

/// The environment that a runner connects as.
const ENVIRONMENT_ID: &str = "ENV-0000-0001-01";

/// Something that happened in the sandbox.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Activity {
    /// A runner connected and said what it handles.
    RunnerConnected {
        /// Its instance.
        instance: String,
    },
    /// A connection of a runner ended.
    RunnerDisconnected {
        /// Its instance.
        instance: String,
    },
    /// A task went out.
    TaskSent {
        /// The task.
        task_id: String,
        /// Its event.
        event_type: String,
        /// What it is about.
        object_id: String,
    },
    /// A task was answered.
    TaskAnswered {
        /// The task.
        task_id: String,
        /// Its event.
        event_type: String,
        /// What it is about.
        object_id: String,
        /// The answer.
        output: Box<TaskOutput>,
    },
    /// A request entered another status.
    RequestChanged {
        /// The request.
        id: String,
        /// The status.
        status: String,
    },
}

/// Why a sandbox can't do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The address can't be listened on.
    #[error("{address} can't be listened on: {reason}")]
    Address {
        /// The address.
        address: String,
        /// Why.
        reason: String,
    },
    /// A file of requests can't be read.
    #[error("{} can't be read as requests: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// An object has no id, so it can't be stored.
    #[error("{0} without an id")]
    NoId(&'static str),
    /// Nothing of that id is there.
    #[error("there is no {0}")]
    NotFound(String),
    /// The task ended without an answer: the sandbox stopped.
    #[error("the task was not answered")]
    NotAnswered,
    /// A speed has to be above zero.
    #[error("the speed {0} is not above zero")]
    Speed(f64),
}

/// A local stand-in for Connect: REST, the devops WebSocket, and the dispatch of tasks.
///
/// ```
/// use connect_sandbox::Sandbox;
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), connect_sandbox::SandboxError> {
/// let sandbox = Sandbox::builder()
///     .request(json!({"id": "PR-1", "type": "purchase", "status": "pending", "asset": {"id": "AS-1"}}))
///     .speed(60.0)
///     .start()
///     .await?;
/// for (name, value) in sandbox.environment() {
///     println!("{name}={value}");
/// }
/// // run an extension with this environment, then: sandbox.settled().await;
/// assert_eq!(sandbox.request("PR-1").unwrap()["status"], "pending");
/// sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sandbox {
    core: Arc<Core>,
    address: SocketAddr,
    stop: CancellationToken,
    running: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts to set one up.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key that it takes.
    #[must_use]
    pub fn api_key(&self) -> &str {
        self.core.setup.api_key.expose()
    }

    /// The environment variables by which a runner finds it.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("API_KEY", self.api_key().to_owned()),
            ("ENVIRONMENT_ID", self.core.setup.environment_id.clone()),
            ("SERVER_ADDRESS", format!("ws://{}", self.address)),
            ("API_ADDRESS", self.url()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// A request as it is now.
    #[must_use]
    pub fn request(&self, id: &str) -> Option<Value> {
        self.core.state().store.request(id).map(|stored| (*stored.value).clone())
    }

    /// All requests, by id.
    #[must_use]
    pub fn requests(&self) -> Vec<Value> {
        self.core.state().store.requests().map(|(_, stored)| (*stored.value).clone()).collect()
    }

    /// An asset as the newest of its requests left it.
    #[must_use]
    pub fn asset(&self, id: &str) -> Option<Value> {
        self.core.state().store.asset(id)
    }

    /// Adds a request, or puts another in its place; its id is the answer.
    pub fn add_request(&self, request: Value) -> Result<String, SandboxError> {
        self.core.add_request(request).ok_or(SandboxError::NoId("a request"))
    }

    /// All tasks ever made, the oldest first.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskRecord> {
        self.core.state().dispatcher.tasks()
    }

    /// What happens from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Activity> {
        self.core.subscribe()
    }

    /// Sends an interactive task and waits for its answer.
    pub async fn send_interactive(
        &self,
        event_type: &str,
        object_id: &str,
        data: Value,
    ) -> Result<TaskOutput, SandboxError> {
        let answer = self.core.ask(event_type, TaskCategory::Interactive, object_id, Some(data));
        answer.ok_or(SandboxError::NotAnswered)?.await.map_err(|_| SandboxError::NotAnswered)
    }

    /// Adds a schedule; its id is the answer.
    pub fn add_schedule(&self, schedule: Value) -> Result<String, SandboxError> {
        self.core.state().store.put("schedules", schedule).ok_or(SandboxError::NoId("a schedule"))
    }

    /// Adds an installation; its id is the answer.
    pub fn add_installation(&self, installation: Value) -> Result<String, SandboxError> {
        self.core
            .state()
            .store
            .put("installations", installation)
            .ok_or(SandboxError::NoId("an installation"))
    }

    /// Runs a schedule now and waits for the end of its task.
    pub async fn trigger_schedule(&self, id: &str) -> Result<TaskOutput, SandboxError> {
        if self.core.state().store.get("schedules", id).is_none() {
            return Err(SandboxError::NotFound(format!("schedule {id}")));
        }
        let answer = self.core.ask(SCHEDULED_EXECUTION, TaskCategory::Scheduled, id, None);
        answer.ok_or(SandboxError::NotAnswered)?.await.map_err(|_| SandboxError::NotAnswered)
    }

    /// Waits until a runner is there and nothing more happens by itself: no task is queued, waits or runs, and each
    /// request that the runner handles is approved, failed, revoked, inquiring, or had its task.
    pub async fn settled(&self) {
        self.core.settled().await;
    }

    /// Stops: connections are closed, the port is free again.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for task in self.running.drain(..) {
            // A task that panicked has ended too.
            let _ = task.await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Sets up a [`Sandbox`].
#[derive(Debug)]
#[must_use]
pub struct SandboxBuilder {
    address: String,
    api_key: Option<Secret>,
    speed: f64,
    requests: Vec<Value>,
    files: Vec<PathBuf>,
    variables: BTreeMap<String, Secret>,
    policy: DispatchPolicy,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:0".to_owned(),
            api_key: None,
            speed: 1.0,
            requests: Vec::new(),
            files: Vec::new(),
            variables: BTreeMap::new(),
            policy: DispatchPolicy::default(),
        }
    }
}

impl SandboxBuilder {
    /// Where to listen: an IP address and a port, 0 for a free one. By default `127.0.0.1:0`: this machine alone.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// The key to take; by default one is made up.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(Secret::new(key));
        self
    }

    /// How much faster time goes: countdowns and the waits between retries are divided by it. 1 by default.
    pub fn speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// Adds an asset request, as Connect's API gives it.
    pub fn request(mut self, request: Value) -> Self {
        self.requests.push(request);
        self
    }

    /// Adds asset requests.
    pub fn requests(mut self, requests: impl IntoIterator<Item = Value>) -> Self {
        self.requests.extend(requests);
        self
    }

    /// Adds the asset requests of a JSON file, one or a list of them, or of all `.json` files of a folder.
    pub fn load_requests(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// The value of a variable, in place of the initial one that the extension declares.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), Secret::new(value));
        self
    }

    /// How tasks are given out.
    pub fn policy(mut self, policy: DispatchPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Starts it.
    pub async fn start(self) -> Result<Sandbox, SandboxError> {
        if !(self.speed.is_finite() && self.speed > 0.0) {
            return Err(SandboxError::Speed(self.speed));
        }
        let mut store = Store::default();
        let mut requests = self.requests;
        for path in &self.files {
            requests.extend(read_requests(path)?);
        }
        for request in requests {
            store.put_request(request).ok_or(SandboxError::NoId("a request"))?;
        }
        let refused = |error: &dyn std::fmt::Display| SandboxError::Address {
            address: self.address.clone(),
            reason: error.to_string(),
        };
        let address: SocketAddr = self.address.parse().map_err(|error| refused(&error))?;
        let listener = TcpListener::bind(address).await.map_err(|error| refused(&error))?;
        let address = listener.local_addr().map_err(|error| refused(&error))?;
        let api_key =
            self.api_key.unwrap_or_else(|| Secret::new(format!("ApiKey SU-000-000-000:{:032x}", random())));
        let setup = Setup {
            api_key,
            environment_id: ENVIRONMENT_ID.to_owned(),
            variables: self.variables,
            policy: self.policy,
            speed: self.speed,
        };
        let core = Core::new(setup, store);
        let stop = CancellationToken::new();
        let router = server::router(Server { core: Arc::clone(&core), stop: stop.clone() });
        let serving = {
            let stop = stop.clone();
            async move {
                let end = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
                if let Err(error) = end {
                    tracing::error!("the sandbox stopped: {error}");
                }
            }
        };
        let running = vec![tokio::spawn(serving), tokio::spawn(Arc::clone(&core).run(stop.clone()))];
        Ok(Sandbox { core, address: reachable(address), stop, running })
    }
}

/// An address that a runner on this machine can connect to.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn random() -> u128 {
    u128::from(fastrand::u64(..)) << 64 | u128::from(fastrand::u64(..))
}

fn read_requests(path: &Path) -> Result<Vec<Value>, SandboxError> {
    let failed = |path: &Path, reason: String| SandboxError::File { path: path.to_owned(), reason };
    let io = |error: std::io::Error| failed(path, error.to_string());
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(io)? {
            let file = entry.map_err(io)?.path();
            if file.extension().is_some_and(|extension| extension == "json") {
                files.push(file);
            }
        }
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut requests = Vec::new();
    for file in files {
        let text = fs::read(&file).map_err(|error| failed(&file, error.to_string()))?;
        match serde_json::from_slice(&text).map_err(|error| failed(&file, error.to_string()))? {
            Value::Array(list) => requests.extend(list),
            object @ Value::Object(_) => requests.push(object),
            _ => return Err(failed(&file, "it holds neither an object nor a list of them".to_owned())),
        }
    }
    Ok(requests)
}
