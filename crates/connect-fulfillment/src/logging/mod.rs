//! Log lines: for people on a terminal, JSON otherwise; and which of them there are.

mod human;
mod level;

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing::{Metadata, warn};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, LevelFilter, filter_fn},
    layer::{Filter, SubscriberExt},
    reload,
    util::SubscriberInitExt,
};

use human::{Human, TaskIds};
pub(crate) use level::Levels;

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

/// Logs to standard error, at this level where `RUST_LOG` does not say otherwise. What is given back follows the levels
/// that Connect says, unless `RUST_LOG` or `is_fixed` forbids it.
///
/// A subscriber that the program has set already stays.
pub(crate) fn init(level: LevelFilter, is_fixed: bool, format: LogFormat) -> Levels {
    let (filter, problem, is_fixed) = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(text) if !text.trim().is_empty() => match EnvFilter::try_new(&text) {
            Ok(filter) => (filter, None, true),
            Err(error) => (level::filter(level, level), Some(error), is_fixed),
        },
        _ => (level::filter(level, level), None, is_fixed),
    };
    let (filter, handle) = reload::Layer::new(filter);
    let console = console(format).with_filter(filter.or(of_tasks())).boxed();
    let ids = TaskIds.with_filter(of_tasks()).boxed();
    // An error: set already, by the program itself, which then logs as it wants.
    let _ = tracing_subscriber::registry().with(vec![ids, console]).try_init();
    if let Some(problem) = problem {
        warn!("RUST_LOG is not right, so it is left out: {problem}");
    }
    Levels::new(level, is_fixed, vec![handle])
}

fn console(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
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
