//! Log lines go to Logz.io too, where Connect gives a key for it.
//!
//! Lines as `logzio-python-handler` writes them, which is what the original uses: one JSON object each, with the
//! metadata of the extension, sent in bulks to the listener's `/?token=…`.

mod layer;
mod shipper;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use connect_model::wire::{Secret, SetupResponse};
use connect_runner::Environment;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use url::Url;

pub(crate) use layer::LogzioLayer;

/// Where Logz.io takes lines, unless `LOGZIO_LISTENER_URL` says otherwise.
pub(crate) const LISTENER: &str = "https://listener.logz.io:8071";

/// How many lines may wait to be sent, and how many bytes they may have; further ones are dropped.
const MOST_LINES: usize = 10_000;
const MOST_BYTES: usize = 16 << 20;

/// The waits between the tries of one bulk: those of the original's handler.
pub(crate) const WAITS: &[Duration] =
    &[Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// What writes lines and what sends them have in common.
#[derive(Clone, Debug)]
pub(crate) struct Logzio(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Whether there is a key.
    is_on: AtomicBool,
    target: Mutex<Target>,
    lines: mpsc::Sender<Line>,
    waiting_bytes: AtomicUsize,
    dropped: AtomicU64,
    /// What sends takes it once there is a runtime.
    receiver: Mutex<Option<mpsc::Receiver<Line>>>,
}

/// Where lines go, and what each of them says.
#[derive(Clone, Debug, Default)]
struct Target {
    key: Option<Secret>,
    metadata: Map<String, Value>,
}

#[derive(Debug)]
enum Line {
    Text(String),
    /// All before it is to be sent now.
    Flush(oneshot::Sender<()>),
}

impl Logzio {
    pub(crate) fn new() -> Self {
        let (lines, receiver) = mpsc::channel(MOST_LINES);
        Self(Arc::new(Shared {
            is_on: AtomicBool::new(false),
            target: Mutex::default(),
            lines,
            waiting_bytes: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            receiver: Mutex::new(Some(receiver)),
        }))
    }

    /// Does as Connect says: begins, goes on with another key, or ends.
    pub(crate) fn follow(&self, response: &SetupResponse, environment: &Environment) {
        // A response that says nothing about logs changes nothing.
        let Some(logging) = &response.logging else { return };
        let key = logging.logging_api_key.clone().filter(|key| !key.expose().is_empty());
        let meta = logging.meta.clone().unwrap_or_default();
        let host = environment.api.host_str().unwrap_or_default();
        let api = environment.api.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let mut target = self.target();
        let said = [
            ("api_address", Some(api)),
            ("service_id", meta.service_id),
            ("environment_id", Some(environment.environment_id.clone())),
            ("environment_type", response.environment_type.clone()),
            ("instance_id", Some(environment.instance_id.clone())),
            ("account_id", meta.account_id),
            ("account_name", meta.account_name),
            ("repository_tag", meta.repository_tag),
        ];
        for (name, value) in said {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                target.metadata.insert(name.to_owned(), value.into());
            }
        }
        self.0.is_on.store(key.is_some(), Ordering::Relaxed);
        target.key = key;
    }

    /// How many lines were dropped, because too many waited or Logz.io did not take them.
    pub(crate) fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    fn is_on(&self) -> bool {
        self.0.is_on.load(Ordering::Relaxed)
    }

    fn target(&self) -> MutexGuard<'_, Target> {
        self.0.target.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line without ever waiting; one too many is counted and gone.
    fn put(&self, line: String) {
        let bytes = line.len();
        let waiting = self.0.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        if waiting + bytes > MOST_BYTES || self.0.lines.try_send(Line::Text(line)).is_err() {
            self.0.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Begins to send; needs a runtime. Once.
    pub(crate) fn start(&self, listener: Url, waits: &'static [Duration]) {
        let receiver = self.0.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(receiver) = receiver {
            tokio::spawn(shipper::run(self.clone(), listener, receiver, waits));
        }
    }

    /// Sends what waits, for so long.
    pub(crate) async fn flush(&self, limit: Duration) {
        if !self.is_on() {
            return;
        }
        let flushed = async {
            let (done, flushed) = oneshot::channel();
            if self.0.lines.send(Line::Flush(done)).await.is_ok() {
                let _ = flushed.await;
            }
        };
        if tokio::time::timeout(limit, flushed).await.is_err() {
            tracing::warn!("not all log lines could be sent to Logz.io within {limit:?}");
        }
    }
}

/// Where Logz.io is, by the process's environment.
pub(crate) fn listener() -> Result<Url, String> {
    let text = std::env::var("LOGZIO_LISTENER_URL").ok().filter(|text| !text.trim().is_empty());
    let text = text.unwrap_or_else(|| LISTENER.to_owned());
    let url =
        Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| format!("LOGZIO_LISTENER_URL is no web address (https://…): \"{text}\""))
}

#[cfg(test)]
mod tests;
