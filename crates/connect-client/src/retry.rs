use std::time::Duration;

use http::{Method, StatusCode};

/// How often and how late a call is made again.
///
/// Calls that change nothing twice (GET, HEAD, PUT, DELETE) are made again after a connection failure, a timeout, 408,
/// 429 and 5xx; others (POST, PATCH) only where nothing was sent, unless [`all_methods`](Self::all_methods) is set. The
/// waits double, each a random part of them; where Connect says how long to wait (`Retry-After`), that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    retries: u32,
    first_wait: Duration,
    longest_wait: Duration,
    all_methods: bool,
}

impl Default for RetryPolicy {
    /// Three further tries; waits from one second, at most 30 s.
    fn default() -> Self {
        Self {
            retries: 3,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
            all_methods: false,
        }
    }
}

impl RetryPolicy {
    /// One try only.
    pub fn none() -> Self {
        Self { retries: 0, ..Self::default() }
    }

    /// So many further tries after the first.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The longest wait before the first further try; the next ones double it.
    pub fn first_wait(mut self, wait: Duration) -> Self {
        self.first_wait = wait;
        self
    }

    /// The longest wait of all, also for a `Retry-After`: a call that would have to wait longer fails instead.
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// Makes calls of all methods again, also ones that may have had their effect.
    pub fn all_methods(mut self) -> Self {
        self.all_methods = true;
        self
    }

    pub(crate) fn may_repeat(&self, method: &Method) -> bool {
        self.all_methods
            || matches!(*method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE | Method::OPTIONS)
    }

    /// The wait before a further try, if there is to be one; the first try is number 0.
    pub(crate) fn wait(&self, tries: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if tries >= self.retries {
            return None;
        }
        if let Some(asked) = retry_after {
            // A little later than asked, each at another moment: thousands were told the same one.
            let spread = self.first_wait.min(self.longest_wait).mul_f64(fastrand::f64() / 4.0);
            return (asked <= self.longest_wait).then(|| asked + spread);
        }
        let longest =
            self.first_wait.saturating_mul(2_u32.saturating_pow(tries.min(30))).min(self.longest_wait);
        Some(longest.mul_f64(0.5 + fastrand::f64() / 2.0))
    }
}

/// Whether another try may give another status.
pub(crate) fn is_transient(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let policy = RetryPolicy::default().retries(9).first_wait(Duration::from_secs(1));
        for (tries, longest) in [(0, 1.0), (1, 2.0), (4, 16.0), (8, 30.0)] {
            let wait = policy.wait(tries, None).unwrap().as_secs_f64();
            assert!(wait >= longest / 2.0 && wait <= longest, "{tries}: {wait}");
        }
        assert_eq!(policy.wait(9, None), None);
    }

    #[test]
    fn retry_after_holds_up_to_the_longest_wait() {
        let policy = RetryPolicy::default();
        let wait = policy.wait(0, Some(Duration::from_secs(7))).unwrap().as_secs_f64();
        assert!((7.0..=7.25).contains(&wait), "{wait}");
        assert_eq!(policy.wait(0, Some(Duration::from_secs(31))), None);
    }
}
