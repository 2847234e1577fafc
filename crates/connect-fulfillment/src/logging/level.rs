use std::sync::{Arc, Mutex, PoisonError};

use connect_model::wire::Logging;
use tracing::{info, warn};
use tracing_subscriber::{EnvFilter, Registry, filter::LevelFilter, reload::Handle};

/// Whose messages are the runner's; Connect has a level of its own for them. Those of the client are the extension's, as
/// in the original.
const RUNNER: [&str; 2] = ["connect_fulfillment", "connect_runner"];

/// Libraries whose details help nobody who writes an extension.
pub(super) const QUIET: [&str; 9] = [
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "reqwest",
    "rustls",
    "tokio_tungstenite",
    "tower",
    "tungstenite",
];

/// What is logged at these levels.
pub(super) fn filter(extension: LevelFilter, runner: LevelFilter) -> EnvFilter {
    let mut text = extension.to_string();
    let quiet = QUIET.iter().map(|library| (library, extension.min(LevelFilter::INFO)));
    for (target, level) in RUNNER.iter().map(|target| (target, runner)).chain(quiet) {
        text.extend([",", target, "=", &level.to_string()]);
    }
    // What `dev --watch` is made of says much, even of errors that are none.
    text.push_str(",watchexec=off");
    EnvFilter::new(text)
}

/// The levels of the log, which Connect may change.
#[derive(Clone, Debug)]
pub(crate) struct Levels(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    at_start: LevelFilter,
    /// The person who started the process has said what they want to see.
    is_fixed: bool,
    now: Mutex<(LevelFilter, LevelFilter)>,
    handles: Vec<Handle<EnvFilter, Registry>>,
}

impl Levels {
    pub(super) fn new(
        at_start: LevelFilter,
        is_fixed: bool,
        handles: Vec<Handle<EnvFilter, Registry>>,
    ) -> Self {
        Self(Arc::new(Shared { at_start, is_fixed, now: Mutex::new((at_start, at_start)), handles }))
    }

    /// Does as Connect says. A level that it does not name is that of the start.
    pub(crate) fn follow(&self, logging: &Logging) {
        if self.0.is_fixed {
            return;
        }
        let mut now = self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = (
            self.level(logging.log_level.as_deref(), now.0),
            self.level(logging.runner_log_level.as_deref(), now.1),
        );
        // Both connections are told.
        if wanted == *now {
            return;
        }
        *now = wanted;
        for handle in &self.0.handles {
            // Gone where the program has a subscriber of its own.
            let _ = handle.reload(filter(wanted.0, wanted.1));
        }
        drop(now);
        info!("Connect wants messages at the level {}, those of the runner at {}", wanted.0, wanted.1);
    }

    fn level(&self, name: Option<&str>, now: LevelFilter) -> LevelFilter {
        let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else { return self.0.at_start };
        parse(name, self.0.at_start).unwrap_or_else(|| {
            warn!("Connect names an unknown log level, \"{name}\": it stays at {now}");
            now
        })
    }
}

/// Reads a level of Python's `logging`, which is what Connect names.
fn parse(name: &str, at_start: LevelFilter) -> Option<LevelFilter> {
    Some(match name.to_ascii_uppercase().as_str() {
        "CRITICAL" | "FATAL" | "ERROR" => LevelFilter::ERROR,
        "WARNING" | "WARN" => LevelFilter::WARN,
        "INFO" => LevelFilter::INFO,
        "DEBUG" => LevelFilter::DEBUG,
        "TRACE" => LevelFilter::TRACE,
        "NOTSET" => at_start,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use tracing::{debug, error};
    use tracing_subscriber::{Layer, layer::SubscriberExt, reload};

    use super::*;
    use crate::logging::tests::Lines;

    fn said(level: Option<&str>, runner_level: Option<&str>) -> Logging {
        Logging {
            log_level: level.map(str::to_owned),
            runner_log_level: runner_level.map(str::to_owned),
            ..Logging::default()
        }
    }

    #[test]
    fn the_levels_are_those_that_connect_says() {
        let lines = Lines::default();
        let (filter, handle) = reload::Layer::new(filter(LevelFilter::INFO, LevelFilter::INFO));
        let layer = tracing_subscriber::fmt::layer().with_writer(lines.clone()).with_ansi(false);
        let subscriber = tracing_subscriber::registry().with(vec![layer.with_filter(filter).boxed()]);
        tracing::subscriber::with_default(subscriber, || {
            let levels = Levels::new(LevelFilter::INFO, false, vec![handle]);
            let speak = |round: u32| {
                debug!(target: "my_extension", round, "extension");
                debug!(target: "connect_runner::tasks", round, "runner");
                debug!(target: "hyper::client", round, "noise");
                error!(target: "my_extension", round, "broken");
            };
            speak(1);
            levels.follow(&said(Some("DEBUG"), Some("INFO")));
            speak(2);
            levels.follow(&said(Some("CRITICAL"), Some("debug")));
            speak(3);
            levels.follow(&said(Some("nonsense"), None));
            speak(4);
        });
        let text = lines.text();
        let heard = |what: &str| -> Vec<u32> {
            let rounds = text.lines().filter(|line| line.contains(what));
            rounds.filter_map(|line| line.rsplit_once("round=")?.1.parse().ok()).collect()
        };
        assert_eq!((heard(" extension "), heard(" runner "), heard(" noise ")), (vec![2], vec![3], vec![]));
        assert_eq!(heard(" broken "), [1, 2, 3, 4]);
        assert!(text.contains("unknown log level, \"nonsense\""), "{text}");
    }

    #[test]
    fn whoever_started_the_process_has_the_say() {
        let (_, handle) = reload::Layer::<_, Registry>::new(filter(LevelFilter::INFO, LevelFilter::INFO));
        let levels = Levels::new(LevelFilter::INFO, true, vec![handle]);
        levels.follow(&said(Some("DEBUG"), Some("DEBUG")));
        assert_eq!(*levels.0.now.lock().unwrap(), (LevelFilter::INFO, LevelFilter::INFO));
    }
}
