use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use connect_model::wire::Secret;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    DispatchPolicy, Fault, Recorder, Sandbox, SandboxError,
    catalogue::Seed,
    chaos::Chaos,
    core::Core,
    devops::environments,
    role::Role,
    server::{self, Server},
    setup::Setup,
    store::{REQUESTS, StoreError, id_of},
    tls::{Authority, Listener},
};

/// The environment that a runner connects as.
const ENVIRONMENT_ID: &str = "ENV-0000-0001-01";
/// The fastest that schedules and countdowns still make sense.
const FASTEST: f64 = 1_000_000.0;

/// The largest body of a call that uploads a file, in bytes.
const UPLOAD_LIMIT: usize = 64 << 20;

/// Sets up a [`Sandbox`].
#[derive(Debug)]
#[must_use]
pub struct SandboxBuilder {
    address: String,
    api_key: Option<Secret>,
    distributor_key: Option<Secret>,
    file: Option<PathBuf>,
    speed: f64,
    requests: Vec<Value>,
    files: Vec<PathBuf>,
    seed: Seed,
    templates: Vec<(String, Value)>,
    variables: BTreeMap<String, Secret>,
    event_secret: Option<Secret>,
    policy: DispatchPolicy,
    recorder: Recorder,
    console: Option<bool>,
    faults: Vec<Fault>,
    chaos: Option<PathBuf>,
    upload_limit: usize,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:0".to_owned(),
            api_key: None,
            distributor_key: None,
            file: None,
            speed: 1.0,
            requests: Vec::new(),
            files: Vec::new(),
            seed: Seed::default(),
            templates: Vec::new(),
            variables: BTreeMap::new(),
            event_secret: None,
            policy: DispatchPolicy::default(),
            recorder: Recorder::default(),
            console: None,
            faults: Vec::new(),
            chaos: None,
            upload_limit: UPLOAD_LIMIT,
        }
    }
}

impl SandboxBuilder {
    /// Where to listen: an IP address and a port, 0 for a free one. By default `127.0.0.1:0`: this machine alone.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// The key to take of the vendor, whose extension it is, as it stands in the header: `ApiKey SU-…:…`. By default
    /// one is made up at each start.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(Secret::new(key));
        self
    }

    /// The key to take of the distributor, who orders. By default one is made up at each start.
    pub fn distributor_key(mut self, key: impl Into<String>) -> Self {
        self.distributor_key = Some(Secret::new(key));
        self
    }

    /// Keeps everything in this SQLite file, which is made where it is not there: a sandbox that is started with it
    /// again goes on where the last one was stopped. What runners have at that moment is given out again. By default it
    /// is kept in memory.
    ///
    /// The file holds what variables are set to, and can be read by this user alone. Changes are written a tenth of a
    /// second after they are made.
    pub fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// How much faster time goes: countdowns, the waits between retries, and schedules. Above zero and at most a
    /// million; 1 by default.
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

    /// The catalogue of a JSON file in place of the default one: products with all that is below them, and what they are
    /// sold by. The README says what is in such a file.
    pub fn catalogue(mut self, file: impl Into<PathBuf>) -> Self {
        self.seed.catalogue(file.into());
        self
    }

    /// Starts with no catalogue: no product, and nothing that one is sold by. Whatever is ordered is taken as it comes.
    pub fn without_catalogue(mut self) -> Self {
        self.seed.without_catalogue();
        self
    }

    /// Adds what Connect's API gave: objects, or lists of them, in a JSON file or in the `.json` files of a folder and of
    /// those below it. Each is told by its id and its members. Templates, configurations and connections don't say of which
    /// product they are, so their file is in a folder that is named after it, or imported together with that product alone.
    pub fn import(mut self, path: impl Into<PathBuf>) -> Self {
        self.seed.import(path.into());
        self
    }

    /// Adds templates of a product, as Connect's API gives them. A request that is approved or inquired with one of
    /// them gets its name too.
    pub fn templates(
        mut self,
        product: impl Into<String>,
        templates: impl IntoIterator<Item = Value>,
    ) -> Self {
        let product = product.into();
        self.templates.extend(templates.into_iter().map(|template| (product.clone(), template)));
        self
    }

    /// The value of a variable, in place of the initial one that the extension declares.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), Secret::new(value));
        self
    }

    /// The secret by which the tokens of custom events are signed, the environment's `jwt_secret`. By default one is made up.
    pub fn event_secret(mut self, secret: impl Into<String>) -> Self {
        self.event_secret = Some(Secret::new(secret));
        self
    }

    /// How tasks are given out.
    pub fn policy(mut self, policy: DispatchPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Where the sandbox writes down the calls that tasks make. What an extension in the same process logs comes to it by
    /// [`Recorder::layer`]; the console shows both.
    pub fn recorder(mut self, recorder: Recorder) -> Self {
        self.recorder = recorder;
        self
    }

    /// Whether the console is served at `/`. It asks for no key, so by default it is on loopback addresses alone.
    pub fn console(mut self, console: bool) -> Self {
        self.console = Some(console);
        self
    }

    /// Something that goes wrong from the start; [`Sandbox::inject`] adds more.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Reads what goes wrong from a JSON file: `{"maintenance": false, "faults": […]}`. A fault has a `call` (a path, as in
    /// [`Fault::call`]), with `method`, `status`, `done`, `latency_ms`; or a `delivery`, `lost` or `twice`, with `event`; and
    /// for both `times` and `chance`.
    pub fn load_chaos(mut self, path: impl Into<PathBuf>) -> Self {
        self.chaos = Some(path.into());
        self
    }

    /// How large a call may be that uploads a usage file, in bytes. 64 MiB by default; other calls may have 1 MiB.
    pub fn upload_limit(mut self, bytes: usize) -> Self {
        self.upload_limit = bytes;
        self
    }

    /// Starts it: it listens from then on.
    ///
    /// Fails where a setting can't be, a file of requests or a catalogue can't be read, or the address can't be listened on.
    pub async fn start(self) -> Result<Sandbox, SandboxError> {
        check_speed(self.speed)?;
        let made_up = |user: &str| Secret::new(format!("ApiKey {user}:{:032x}", random()));
        let api_key = self.api_key.unwrap_or_else(|| made_up("SU-000-000-000"));
        let distributor_key = self.distributor_key.unwrap_or_else(|| made_up("SU-000-000-001"));
        for key in [&api_key, &distributor_key].map(Secret::expose) {
            if key.trim() != key || key.is_empty() || !key.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
                return Err(SandboxError::Key);
            }
        }
        let mut store = match &self.file {
            Some(file) => self.seed.file(file)?,
            None => self.seed.memory()?,
        };
        let unkept = |error: &StoreError| SandboxError::Store(error.to_string());
        let mut requests = self.requests;
        for path in &self.files {
            requests.extend(read_requests(path)?);
        }
        for request in requests {
            let id = id_of(&request).ok_or(SandboxError::NoId("a request"))?;
            // What was loaded before has gone on since.
            if store.head(REQUESTS, id).map_err(|error| unkept(&error))?.is_none() {
                store.put(REQUESTS, &request).map_err(|error| unkept(&error))?;
            }
        }
        for (product, template) in self.templates {
            id_of(&template).ok_or(SandboxError::NoId("a template"))?;
            let collection = format!("products/{product}/templates");
            store.put(&collection, &template).map_err(|error| unkept(&error))?;
        }
        let refused = |error: &dyn std::fmt::Display| SandboxError::Address {
            address: self.address.clone(),
            reason: error.to_string(),
        };
        let address: SocketAddr = self.address.parse().map_err(|error| refused(&error))?;
        let listener = TcpListener::bind(address).await.map_err(|error| refused(&error))?;
        let address = listener.local_addr().map_err(|error| refused(&error))?;
        let setup = Setup {
            url: format!("http://{}", reachable(address)),
            api_key,
            distributor_key,
            environment_id: ENVIRONMENT_ID.to_owned(),
            policy: self.policy,
            speed: self.speed,
            recorder: self.recorder,
            upload_limit: self.upload_limit,
            media_token: Secret::new(format!("{:032x}", random())),
        };
        let console = self.console.unwrap_or_else(|| address.ip().is_loopback());
        let chaos = Chaos::default();
        for fault in self.faults {
            chaos.inject(fault)?;
        }
        if let Some(file) = &self.chaos {
            chaos.load(file)?;
        }
        let core =
            Core::new(setup, store, &self.variables, chaos).map_err(|error| SandboxError::refused(&error))?;
        if let Some(secret) = self.event_secret {
            let set = core.change(Role::Platform, |world| environments::set_secret(world, secret.expose()));
            set.map_err(|error| SandboxError::refused(&error))?;
        }
        let stop = CancellationToken::new();
        let authority = Arc::new(Authority::new(address.ip())?);
        let listener = Listener::new(listener, Arc::clone(&authority), stop.clone());
        let router = server::router(Server { core: Arc::clone(&core), stop: stop.clone() }, console);
        let serving = {
            let stop = stop.clone();
            async move {
                let end = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
                if let Err(error) = end {
                    tracing::error!("the sandbox stopped: {error}");
                }
            }
        };
        let running = vec![
            tokio::spawn(serving),
            tokio::spawn(Arc::clone(&core).run(stop.clone())),
            tokio::spawn(Arc::clone(&core).keep(stop.clone())),
        ];
        Ok(Sandbox { core, address: reachable(address), authority, console, stop, running })
    }
}

/// Whether schedules and countdowns still make sense at a speed.
pub(crate) fn check_speed(speed: f64) -> Result<(), SandboxError> {
    if speed > 0.0 && speed <= FASTEST { Ok(()) } else { Err(SandboxError::Speed(speed)) }
}

/// An address that a runner on this machine can connect to.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
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
