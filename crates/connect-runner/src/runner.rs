use std::{sync::Arc, time::Duration};

use connect_client::Client;
use connect_model::wire::Logging;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::{
    Environment, Error, ErrorKind, Extension, TaskReport,
    connection::{Session, Signals},
    outbox::Outbox,
    settings::Settings,
    tasks::{Lane, LoggingObserver, Observer, Tasks},
};

/// How long what is done at the end may take.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// How long results may take to leave once no task runs any more.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);

/// The process of an extension: connects, takes tasks, answers them, stops in an orderly way.
///
/// ```no_run
/// use connect_runner::{Descriptor, Environment, Extension, Runner};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let extension = Extension::new(Descriptor::default());
/// let runner = Runner::new(extension, Environment::from_env(false)?)?;
/// let exit = runner.run_until(async { _ = tokio::signal::ctrl_c().await }, std::future::pending()).await;
/// assert_eq!(exit.unfinished, 0);
/// # Ok(())
/// # }
/// ```
#[must_use = "a runner does nothing until it runs"]
pub struct Runner {
    extension: Arc<Extension>,
    environment: Environment,
    client: Client,
    tls: Option<Arc<rustls::ClientConfig>>,
    settings: Settings,
    observers: Vec<Observer>,
    on_logging: Vec<LoggingObserver>,
    outboxes: [Outbox; 2],
    results: Results,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("extension", &self.extension).finish_non_exhaustive()
    }
}

/// How a runner stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exit {
    /// Tasks that did not finish in the time they got.
    pub unfinished: usize,
    /// Results that Connect did not take. Where they are kept ([`Environment::results_dir`]), the next process sends
    /// them.
    pub unsent: usize,
    /// Whether a function of [`Extension::on_startup`] failed.
    pub start_failed: bool,
}

impl Runner {
    /// Checks the declaration and the container's graph; nothing is connected yet.
    pub fn new(extension: Extension, environment: Environment) -> Result<Self, Error> {
        extension.check_declaration()?;
        let needs_tls = environment.server.scheme() == "wss" || environment.api.scheme() == "https";
        let unusable =
            |error| Error::because(ErrorKind::Client, "no client for Connect's API can be made", error);
        let tls = if needs_tls { Some(websocket_tls().map_err(unusable)?) } else { None };
        let mut client = Client::builder(environment.api_key()).endpoint(environment.api.as_str());
        if let Some(retry) = &environment.retry {
            client = client.retry(retry.clone());
        }
        let client = client.build().map_err(unusable)?;
        let settings = Settings::initial(&extension, &client, &environment.environment_id)?;
        let (outboxes, results) = outboxes(&environment)?;
        let extension = Arc::new(extension);
        let (observers, on_logging) = (Vec::new(), Vec::new());
        Ok(Self { extension, environment, client, tls, settings, observers, on_logging, outboxes, results })
    }

    /// Tells how each task ended.
    pub fn on_task(mut self, observer: impl Fn(&TaskReport) + Send + Sync + 'static) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Is told what Connect says about logs, each time it does: the level, the key of the log collector, and what to say
    /// about the extension.
    pub fn on_logging(mut self, observer: impl Fn(&Logging) + Send + Sync + 'static) -> Self {
        self.on_logging.push(Box::new(observer));
        self
    }

    /// Runs until `stop`: then no new tasks are taken, running ones get the environment's
    /// [`drain`](Environment::drain) time, and their results are sent. `force` ends that at once.
    pub async fn run_until(self, stop: impl Future<Output = ()>, force: impl Future<Output = ()>) -> Exit {
        let drain = self.environment.drain;
        let tasks = Arc::new(Tasks::new(
            self.extension,
            self.settings,
            self.client,
            self.environment.clone(),
            self.observers,
            self.on_logging,
            self.outboxes,
        ));
        let results = self.results;
        let signals = Signals::default();
        let sessions = Lane::ALL.map(|lane| {
            let session = Session::new(
                lane,
                Arc::clone(&tasks),
                self.environment.clone(),
                self.tls.clone(),
                signals.clone(),
            );
            tokio::spawn(session.run())
        });
        tokio::select! {
            () = stop => {}
            // Connect asked for it.
            () = signals.drain.cancelled() => {}
            () = tasks.failed_to_start() => {}
        }
        signals.drain.cancel();
        let running = tasks.count();
        if running > 0 {
            info!("stopping: {running} running tasks get up to {drain:?}");
        }
        tokio::select! {
            () = drained(&tasks, drain) => {}
            () = force => warn!("stopping at once"),
        }
        let exit = Exit {
            unfinished: tasks.count(),
            unsent: Lane::ALL.iter().map(|lane| tasks.outbox(*lane).len()).sum(),
            start_failed: tasks.start_failed(),
        };
        signals.close.cancel();
        for session in sessions {
            if let Err(error) = session.await {
                warn!("a connection ended in an unexpected way: {error}");
            }
        }
        tasks.shut_down(SHUTDOWN_LIMIT).await;
        // Waits until all is written.
        drop(results);
        if exit.unfinished > 0 || exit.unsent > 0 {
            let Exit { unfinished, unsent, .. } = exit;
            warn!(
                "stopped with {unfinished} unfinished tasks and {unsent} unsent results: Connect will send them again"
            );
        } else {
            info!("stopped, nothing is left");
        }
        exit
    }
}

#[cfg(feature = "results")]
type Results = Option<crate::results::Results>;
#[cfg(not(feature = "results"))]
type Results = ();

/// The outboxes of the two connections, with what an earlier process left.
#[cfg(feature = "results")]
fn outboxes(environment: &Environment) -> Result<([Outbox; 2], Results), Error> {
    let Some(folder) = &environment.results_dir else { return Ok((Default::default(), None)) };
    let (results, lanes) =
        crate::results::Results::open(folder, &environment.environment_id, &environment.instance_id)?;
    let left: usize = lanes.iter().map(|(_, kept)| kept.len()).sum();
    if left > 0 {
        info!("{left} results of an earlier process are to be sent");
    }
    Ok((lanes.map(|(store, kept)| Outbox::kept(store, kept)), Some(results)))
}

#[cfg(not(feature = "results"))]
fn outboxes(environment: &Environment) -> Result<([Outbox; 2], Results), Error> {
    if environment.results_dir.is_some() {
        let missing = "RESULTS_DIR is set, and the extension is built without the feature \"results\"";
        return Err(Error::new(ErrorKind::Results, missing));
    }
    Ok((Default::default(), ()))
}

/// Waits for the running tasks, then for their results to leave.
async fn drained(tasks: &Tasks, limit: Duration) {
    if timeout(limit, tasks.finished()).await.is_err() {
        warn!("{} tasks did not finish within {limit:?}", tasks.count());
    }
    let sent = async {
        for lane in Lane::ALL {
            tasks.outbox(lane).emptied().await;
        }
    };
    if timeout(FLUSH_LIMIT, sent).await.is_err() {
        warn!("Connect did not take all results within {FLUSH_LIMIT:?}");
    }
}

/// The one TLS configuration, without the protocols that only HTTP offers.
fn websocket_tls() -> Result<Arc<rustls::ClientConfig>, connect_client::Error> {
    let mut config = (*connect_client::tls::client_config()?).clone();
    config.alpn_protocols.clear();
    Ok(Arc::new(config))
}
