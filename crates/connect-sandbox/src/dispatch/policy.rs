use std::time::Duration;

use connect_model::wire::TaskCategory;

/// How tasks are given out, again and again.
///
/// Connect documents none of these numbers but the time limits, which are those of its own runner; the rest is what
/// this sandbox chose. Countdowns and the waits between retries are divided by the sandbox's speed, the limits for
/// answers are not: a handler takes as long as it takes.
///
/// ```
/// use connect_sandbox::DispatchPolicy;
///
/// let mut policy = DispatchPolicy::default();
/// policy.running_per_connection = 10;
/// policy.retries = 0;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DispatchPolicy {
    /// How many tasks one connection may hold at once; 100 by default.
    pub running_per_connection: usize,
    /// The wait after the first `retry`; it doubles with each further one. 30 s by default.
    pub retry_delay: Duration,
    /// The longest wait after a `retry`; 5 min by default.
    pub longest_retry_delay: Duration,
    /// How many retries a task gets before it fails; 10 by default.
    pub retries: u32,
    /// The countdown of a `reschedule` that names none (Connect's runner leaves it out for scheduled tasks); 30 s by
    /// default.
    pub default_countdown: Duration,
    /// How long the handler of a background task may take; 300 s by default.
    pub background_limit: Duration,
    /// How long the handler of an interactive task may take; 120 s by default.
    pub interactive_limit: Duration,
    /// How long the handler of a scheduled task may take; 12 h by default.
    pub scheduled_limit: Duration,
    /// How long after its limit a task may still be answered before it is taken back; 60 s by default.
    pub answer_grace: Duration,
    /// How long an interactive task waits for a runner before it fails; 2 s by default.
    pub interactive_wait: Duration,
    /// How many tasks that are over are remembered; 100,000 by default. Beyond that, those that ended first are forgotten.
    pub finished_tasks: usize,
}

impl Default for DispatchPolicy {
    fn default() -> Self {
        Self {
            running_per_connection: 100,
            retry_delay: Duration::from_secs(30),
            longest_retry_delay: Duration::from_secs(300),
            retries: 10,
            default_countdown: Duration::from_secs(30),
            background_limit: Duration::from_secs(300),
            interactive_limit: Duration::from_secs(120),
            scheduled_limit: Duration::from_secs(12 * 3_600),
            answer_grace: Duration::from_secs(60),
            interactive_wait: Duration::from_secs(2),
            finished_tasks: 100_000,
        }
    }
}

impl DispatchPolicy {
    pub(crate) fn answer_limit(&self, category: &TaskCategory) -> Duration {
        let limit = match category {
            TaskCategory::Interactive => self.interactive_limit,
            TaskCategory::Scheduled => self.scheduled_limit,
            _ => self.background_limit,
        };
        limit.saturating_add(self.answer_grace)
    }

    /// The wait before the next attempt, after so many retries; none where it has had them all.
    pub(crate) fn retry_after(&self, retries: u32) -> Option<Duration> {
        let doubled = self.retry_delay.saturating_mul(2_u32.saturating_pow(retries));
        (retries < self.retries).then(|| doubled.min(self.longest_retry_delay))
    }
}
