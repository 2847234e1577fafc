use std::fmt::Display;

use tracing::{Span, debug, error, info, warn};

/// A logger bound to what it logs about: a handle to a [`tracing::Span`].
///
/// Inside a task, `tracing`'s own macros log into the same span; this is for services that are injected.
///
/// ```
/// use connect_container::Logger;
///
/// let logger = Logger::new(tracing::info_span!("task", request = "PR-1"));
/// logger.info("the user exists already");
/// ```
#[derive(Clone, Debug)]
pub struct Logger(Span);

impl Logger {
    /// A logger for a span.
    #[must_use]
    pub fn new(span: Span) -> Self {
        Self(span)
    }

    /// A logger for the span that is current now.
    #[must_use]
    pub fn current() -> Self {
        Self(Span::current())
    }

    /// Its span.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.0
    }

    /// Runs something inside its span.
    pub fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        self.0.in_scope(run)
    }

    /// Logs what only a developer wants to know.
    pub fn debug(&self, message: impl Display) {
        self.in_scope(|| debug!("{message}"));
    }

    /// Logs what happened.
    pub fn info(&self, message: impl Display) {
        self.in_scope(|| info!("{message}"));
    }

    /// Logs what somebody should look at.
    pub fn warn(&self, message: impl Display) {
        self.in_scope(|| warn!("{message}"));
    }

    /// Logs what went wrong.
    pub fn error(&self, message: impl Display) {
        self.in_scope(|| error!("{message}"));
    }
}
