//! What becomes of a task whose handler returned an error.

use std::{
    error::Error as StdError,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use connect_model::{
    BackgroundResponse, HandlerError, Panicked, Response,
    wire::{ResultType, TaskOutput},
};
use tracing::error;

use crate::Backoff;

/// What becomes of a background or scheduled task whose handler returned an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnError {
    /// Answered with `retry`: Connect sends the task again when it sees fit.
    Retry,
    /// Rescheduled; the delay grows with the attempts, as the policy's backoff says.
    Reschedule,
    /// Rescheduled after this delay; at least 30 s, which Connect demands.
    RescheduleAfter(Duration),
    /// Answered with `fail`: Connect does not send the task again.
    Fail,
    /// Answered with `skip`: nothing to do for this extension. A scheduled task, which can't be skipped, is done.
    Skip,
}

/// A server that asks for more is not believed: it would hold up an order for good.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);

type Rule = dyn Fn(&(dyn StdError + 'static)) -> Option<OnError> + Send + Sync;

/// Says what becomes of tasks whose handlers return an error, in place of a `match` in each transaction.
///
/// Rules are asked in the order they were added, each with the error and then with what caused it; the first that
/// decides holds. By default calls of Connect that another try may mend (no connection, no answer in time, 408, 429, 5xx)
/// are rescheduled, and no earlier than the server asks for in `Retry-After` (up to a day); all else is `retry`. With the feature `vendor`
/// so are calls of the vendor's client.
///
/// It is about errors and panics of handlers. Where the runner itself can't fetch a task's object, or stops a handler whose
/// time is over, the task is `retry` whatever the policy says; a handler that then ends by itself, as a saga does, counts by
/// what it returns. Interactive tasks, for which somebody waits, are always `fail`.
///
/// ```
/// use std::time::Duration;
/// use connect_runner::{Backoff, Descriptor, ErrorPolicy, Extension, OnError};
///
/// #[derive(Debug, thiserror::Error)]
/// enum VendorProblem {
///     #[error("the vendor creates the tenant still")]
///     Busy,
///     #[error("the vendor does not know the tenant")]
///     Gone,
/// }
///
/// let policy = ErrorPolicy::default()
///     .on::<VendorProblem>(|problem| match problem {
///         VendorProblem::Busy => OnError::Reschedule,
///         VendorProblem::Gone => OnError::Fail,
///     })
///     // One minute, then two, then four, … up to an hour.
///     .backoff(Backoff::new(Duration::from_secs(60), Duration::from_secs(3600)));
/// let extension = Extension::new(Descriptor::default()).error_policy(policy);
/// ```
#[derive(Clone)]
#[must_use]
pub struct ErrorPolicy {
    rules: Vec<Arc<Rule>>,
    defaults: bool,
    otherwise: OnError,
    backoff: Backoff,
    attempts: Option<u32>,
}

impl Default for ErrorPolicy {
    /// What another try may mend is rescheduled, after a minute at first and an hour at most; all else is `retry`.
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            defaults: true,
            otherwise: OnError::Retry,
            backoff: Backoff::new(Duration::from_secs(60), Duration::from_secs(3600)),
            attempts: None,
        }
    }
}

impl ErrorPolicy {
    /// Without the default's rules: everything is `retry`, as the original runner has it.
    pub fn retry_all() -> Self {
        Self { defaults: false, ..Self::default() }
    }

    /// A rule for errors of a type, also where they are the cause of another error.
    pub fn on<E: StdError + 'static>(self, rule: impl Fn(&E) -> OnError + Send + Sync + 'static) -> Self {
        self.on_some::<E>(move |error| Some(rule(error)))
    }

    /// A rule that decides about some errors of a type; with `None` it leaves the decision to the rules behind it.
    ///
    /// ```
    /// use connect_runner::{ErrorPolicy, OnError};
    ///
    /// let policy = ErrorPolicy::default().on_some::<std::io::Error>(|error| {
    ///     (error.kind() == std::io::ErrorKind::TimedOut).then_some(OnError::Reschedule)
    /// });
    /// ```
    pub fn on_some<E: StdError + 'static>(
        mut self,
        rule: impl Fn(&E) -> Option<OnError> + Send + Sync + 'static,
    ) -> Self {
        self.rules.push(Arc::new(move |error| error.downcast_ref::<E>().and_then(&rule)));
        self
    }

    /// What becomes of errors that no rule is about; [`OnError::Retry`] by default.
    pub fn otherwise(mut self, decision: OnError) -> Self {
        self.otherwise = decision;
        self
    }

    /// How long the delays of [`OnError::Reschedule`] are; by default a minute at first, doubled up to an hour.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How many tries a task has: where the last one would be rescheduled or `retry`, it is `fail`. By default there is
    /// no limit. Tries are counted as in [`TaskContext::attempt`](crate::TaskContext::attempt).
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts.max(1));
        self
    }

    /// What becomes of a task with this error at this attempt, counted from 1.
    #[must_use]
    pub fn decide(&self, error: &HandlerError, attempt: u32) -> OnError {
        let decision = self
            .rules
            .iter()
            .find_map(|rule| error.chain().find_map(|cause| rule(cause)))
            .or_else(|| error.chain().find_map(|cause| self.by_default(cause, attempt)))
            .unwrap_or(self.otherwise);
        let is_final = matches!(decision, OnError::Fail | OnError::Skip);
        match self.attempts {
            Some(attempts) if attempt >= attempts && !is_final => OnError::Fail,
            _ => decision,
        }
    }

    fn by_default(&self, error: &(dyn StdError + 'static), attempt: u32) -> Option<OnError> {
        if !self.defaults {
            return None;
        }
        #[cfg(feature = "vendor")]
        if let Some(error) = error.downcast_ref::<connect_vendor::VendorError>() {
            return error.is_retryable().then(|| self.no_earlier_than(error.retry_after(), attempt));
        }
        let error = error.downcast_ref::<connect_client::Error>()?;
        error.is_retryable().then(|| self.no_earlier_than(error.retry_after(), attempt))
    }

    fn no_earlier_than(&self, asked: Option<Duration>, attempt: u32) -> OnError {
        match asked {
            Some(asked) => OnError::RescheduleAfter(asked.min(LONGEST_ASKED).max(self.delay(attempt))),
            None => OnError::Reschedule,
        }
    }

    fn delay(&self, attempt: u32) -> Duration {
        self.backoff.delay(attempt, fastrand::f64())
    }

    /// The answer to a task with this error, the reason in its message.
    pub(crate) fn answer(&self, error: &HandlerError, attempt: u32, is_scheduled: bool) -> TaskOutput {
        let reschedule = |delay| BackgroundResponse::reschedule(delay).into_output();
        // A rule is the user's code: where it panics, the task still has to be answered.
        let decision = catch_unwind(AssertUnwindSafe(|| self.decide(error, attempt)));
        let decision = decision.unwrap_or_else(|payload| {
            error!("a rule of the error policy {}", Panicked::new(&*payload));
            OnError::Retry
        });
        let output = match decision {
            OnError::Retry => TaskOutput::new(ResultType::Retry),
            OnError::Reschedule => reschedule(self.delay(attempt)),
            OnError::RescheduleAfter(delay) => reschedule(delay),
            OnError::Fail => TaskOutput::new(ResultType::Fail),
            OnError::Skip if is_scheduled => TaskOutput::new(ResultType::Success),
            OnError::Skip => TaskOutput::new(ResultType::Skip),
        };
        output.with_message(error.report())
    }
}

impl fmt::Debug for ErrorPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorPolicy")
            .field("rules", &self.rules.len())
            .field("defaults", &self.defaults)
            .field("otherwise", &self.otherwise)
            .field("backoff", &self.backoff)
            .field("attempts", &self.attempts)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("busy")]
    struct Busy;

    #[derive(Debug, thiserror::Error)]
    #[error("the tenant was not made")]
    struct NotMade(#[source] Busy);

    #[test]
    fn the_first_rule_that_decides_holds_also_for_causes() {
        let policy = ErrorPolicy::default()
            .on_some::<Busy>(|_| None)
            .on::<Busy>(|_| OnError::Skip)
            .on::<NotMade>(|_| OnError::Fail);
        assert_eq!(policy.decide(&NotMade(Busy).into(), 1), OnError::Skip);
        assert_eq!(policy.decide(&"no rule is about texts".into(), 1), OnError::Retry);
        let policy = ErrorPolicy::default().otherwise(OnError::Fail);
        assert_eq!(policy.decide(&Busy.into(), 1), OnError::Fail);
    }

    #[test]
    fn a_limit_of_attempts_ends_what_would_go_on() {
        let policy = ErrorPolicy::default().on::<Busy>(|_| OnError::Reschedule).attempts(3);
        assert_eq!(policy.decide(&Busy.into(), 2), OnError::Reschedule);
        assert_eq!(policy.decide(&Busy.into(), 3), OnError::Fail);
        let skipping = ErrorPolicy::default().on::<Busy>(|_| OnError::Skip).attempts(1);
        assert_eq!(skipping.decide(&Busy.into(), 9), OnError::Skip);
    }

    #[test]
    fn a_rule_that_panics_and_a_server_that_asks_for_ever_hold_up_nothing() {
        let policy = ErrorPolicy::default().on::<Busy>(|_| panic!("out of range"));
        assert_eq!(policy.answer(&Busy.into(), 1, false).result, ResultType::Retry);
        let asked = ErrorPolicy::default().no_earlier_than(Some(Duration::MAX), 1);
        assert_eq!(asked, OnError::RescheduleAfter(LONGEST_ASKED));
    }

    #[test]
    fn answers_carry_the_reason_and_a_growing_delay() {
        let policy = ErrorPolicy::retry_all()
            .on::<Busy>(|_| OnError::Reschedule)
            .backoff(Backoff::new(Duration::from_secs(600), Duration::from_secs(3600)));
        let answer = |attempt| policy.answer(&NotMade(Busy).into(), attempt, false);
        for (attempt, longest) in [(1, 600), (2, 1200), (9, 3600)] {
            let output = answer(attempt);
            assert_eq!(output.result, ResultType::Reschedule);
            assert!((longest / 2..=longest).contains(&output.countdown), "{attempt}: {}", output.countdown);
            assert_eq!(output.message.as_deref(), Some("the tenant was not made\ncaused by: busy"));
        }
        let skipping = ErrorPolicy::default().on::<Busy>(|_| OnError::Skip);
        assert_eq!(skipping.answer(&Busy.into(), 1, false).result, ResultType::Skip);
        assert_eq!(skipping.answer(&Busy.into(), 1, true).result, ResultType::Success);
    }
}
