//! Log lines: for people on a terminal, JSON otherwise; and which of them there are.

mod human;
mod level;
mod logzio;

use std::{io::IsTerminal, time::Duration};

use clap::ValueEnum;
use connect_model::wire::SetupResponse;
use connect_runner::Environment;
use tracing::{Metadata, warn};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, LevelFilter, filter_fn},
    layer::{Filter, SubscriberExt},
    reload,
    util::SubscriberInitExt,
};

use human::{Human, TaskIds};
use level::Levels;
use logzio::{Logzio, LogzioLayer};

/// How long the last lines may take to leave.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people; coloured on a terminal.
    Human,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// What is wanted, or what fits where the lines go to.
    pub(crate) fn or_fitting(wanted: Option<Self>) -> Self {
        let fitting = if std::io::stderr().is_terminal() { Self::Human } else { Self::Json };
        wanted.unwrap_or(fitting)
    }
}

/// Does something with a log that is there only for it.
pub(crate) fn meanwhile<T>(level: LevelFilter, format: LogFormat, work: impl FnOnce() -> T) -> T {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| level::filter(level, level));
    let layers = vec![console(format).with_filter(filter).boxed()];
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layers), work)
}

/// Logs to standard error, at this level where `RUST_LOG` does not say otherwise. What is given back follows the levels
/// that Connect says, unless `RUST_LOG` or `is_fixed` forbids it, and sends lines to Logz.io where Connect gives a key. A further layer takes what it wants.
///
/// A subscriber that the program has set already stays.
pub(crate) fn init(
    level: LevelFilter,
    is_fixed: bool,
    format: LogFormat,
    further: Option<BoxedLayer>,
) -> Logs {
    let given = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|text| !text.trim().is_empty());
    let given = given.map(EnvFilter::try_new).transpose();
    let (given, problem) = match given {
        Ok(given) => (given, None),
        Err(error) => (None, Some(error)),
    };
    let is_fixed = is_fixed || given.is_some();
    let mut handles = Vec::new();
    let mut filtered = |layer: BoxedLayer| {
        let filter = given.as_ref().map_or_else(|| level::filter(level, level), again);
        let (filter, handle) = reload::Layer::new(filter);
        handles.push(handle);
        layer.with_filter(filter.or(of_tasks())).boxed()
    };
    let logzio = Logzio::new();
    let mut layers = vec![
        TaskIds.with_filter(of_tasks()).boxed(),
        filtered(console(format)),
        filtered(LogzioLayer(logzio.clone()).boxed()),
    ];
    layers.extend(further);
    // An error: set already, by the program itself, which then logs as it wants.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    if let Some(problem) = problem {
        warn!("RUST_LOG is not right, so it is left out: {problem}");
    }
    Logs { levels: Levels::new(level, is_fixed, handles), logzio }
}

pub(crate) type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// A filter can't be copied, its text can.
fn again(filter: &EnvFilter) -> EnvFilter {
    EnvFilter::new(filter.to_string())
}

/// The log of the process.
#[derive(Clone, Debug)]
pub(crate) struct Logs {
    levels: Levels,
    logzio: Logzio,
}

impl Logs {
    /// Changes nothing.
    #[cfg(test)]
    pub(crate) fn unattached() -> Self {
        Self { levels: Levels::new(LevelFilter::OFF, true, Vec::new()), logzio: Logzio::new() }
    }

    /// Begins to send lines where they may be wanted.
    pub(crate) fn start(&self) -> Result<(), String> {
        self.logzio.start(logzio::listener()?, logzio::WAITS);
        Ok(())
    }

    /// Does as Connect says.
    pub(crate) fn follow(&self, response: &SetupResponse, environment: &Environment) {
        if let Some(logging) = &response.logging {
            self.levels.follow(logging);
        }
        self.logzio.follow(response, environment);
    }

    /// How many lines did not get to Logz.io.
    pub(crate) fn dropped(&self) -> u64 {
        self.logzio.dropped()
    }

    /// Sends what still waits to be sent.
    pub(crate) async fn flush(&self) {
        self.logzio.flush(FLUSH_LIMIT).await;
    }
}

fn console(format: LogFormat) -> BoxedLayer {
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    match format {
        LogFormat::Human => layer.with_ansi(colours).event_format(Human).boxed(),
        // The list of spans: the fields of the task are in its span, whatever the current one is.
        LogFormat::Json => {
            layer.json().flatten_event(true).with_current_span(false).with_span_list(true).boxed()
        }
    }
}

/// Whether it is of the libraries that send lines: each would make the next.
pub(crate) fn is_of_sending(target: &str) -> bool {
    let is_in = |name: &str| {
        target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '-', ':']))
    };
    is_in(concat!(env!("CARGO_CRATE_NAME"), "::logging")) || level::QUIET.iter().any(|library| is_in(library))
}

/// The spans of tasks are there at every level: a lone error has to say whose it is too.
fn of_tasks() -> impl Filter<Registry> {
    filter_fn(is_task).with_max_level_hint(LevelFilter::INFO)
}

fn is_task(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.name() == "task"
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    pub(super) struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        pub(super) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }
}
