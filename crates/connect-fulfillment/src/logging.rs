use std::io::IsTerminal;

use clap::ValueEnum;
use connect_sandbox::Recorder;
use tracing_subscriber::{EnvFilter, Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people; coloured on a terminal.
    Human,
    /// One JSON object a line.
    Json,
}

/// Logs to standard error, at this level where `RUST_LOG` does not say otherwise; and to the recorder of a sandbox what
/// it wants, whatever the level.
///
/// A subscriber that the program has set already stays.
pub(crate) fn init(level: &str, format: Option<LogFormat>, recorder: Option<&Recorder>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let terminal = std::io::stderr().is_terminal();
    let format = format.unwrap_or(if terminal { LogFormat::Human } else { LogFormat::Json });
    let registry = tracing_subscriber::registry().with(recorder.map(Recorder::layer));
    let end = match format {
        LogFormat::Human => registry
            .with(
                fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_ansi(terminal)
                    .with_target(false)
                    .with_filter(filter),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_current_span(true)
                    .with_span_list(false)
                    .with_writer(std::io::stderr)
                    .with_filter(filter),
            )
            .try_init(),
    };
    // Set already, by the program itself: then it logs as it wants.
    drop(end);
}
