use std::time::Duration;

/// Where a connection to Connect stands.
///
/// A pure state machine: [`on`](Self::on) says what follows an event. What is done in a state is done elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// The socket is being opened.
    Connecting {
        /// How many attempts in a row have failed before this one.
        failures: u32,
    },
    /// The socket is open, the setup request is out.
    Handshaking {
        /// How many attempts in a row have failed before this one.
        failures: u32,
    },
    /// Tasks come, results go.
    Active,
    /// The connection failed or broke; the next attempt waits.
    BackingOff {
        /// How many attempts in a row have failed.
        failures: u32,
        /// How long to wait.
        delay: Duration,
    },
    /// The process is to stop: no new tasks, results still go.
    Draining,
    /// No more.
    Closed,
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// The socket is open.
    Opened,
    /// Connect answered the setup request.
    SetUp,
    /// The socket could not be opened, the handshake failed, or the connection broke.
    Lost,
    /// The wait is over.
    WaitOver,
    /// The process is to stop.
    StopRequested,
    /// All results are out, or nobody waits for them any more.
    Closed,
}

/// How long to wait before connecting again.
///
/// The first attempt after a loss comes at once, up to a small jitter; then the wait doubles up to a limit, each time
/// a random part of it, so that many extensions don't come back in the same moment. It never gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// The longest first wait; the next ones double it.
    pub base: Duration,
    /// The longest wait of all; the original's is five minutes.
    pub limit: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_millis(500), limit: Duration::from_secs(300) }
    }
}

impl Backoff {
    /// A first wait of at most `base`, doubled up to `limit`.
    #[must_use]
    pub fn new(base: Duration, limit: Duration) -> Self {
        Self { base, limit }
    }

    /// The wait after so many failures in a row; `jitter` is a random number from 0 to 1.
    #[must_use]
    pub fn delay(&self, failures: u32, jitter: f64) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(30));
        let longest = self.base.saturating_mul(doubled).min(self.limit);
        // At least half of it, so that a refusal is never answered by a storm.
        longest.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
    }
}

impl ConnectionState {
    /// How every connection begins.
    #[must_use]
    pub fn new() -> Self {
        Self::Connecting { failures: 0 }
    }

    /// What follows an event; `jitter` is a random number from 0 to 1. An event that means nothing here changes
    /// nothing.
    #[must_use]
    pub fn on(self, event: ConnectionEvent, backoff: &Backoff, jitter: f64) -> Self {
        use ConnectionEvent as E;
        match (self, event) {
            (Self::Connecting { failures }, E::Opened) => Self::Handshaking { failures },
            (Self::Handshaking { .. }, E::SetUp) => Self::Active,
            (Self::Connecting { failures } | Self::Handshaking { failures }, E::Lost) => {
                let failures = failures.saturating_add(1);
                Self::BackingOff { failures, delay: backoff.delay(failures, jitter) }
            }
            // It worked until now: come back soon.
            (Self::Active | Self::Draining, E::Lost) => {
                Self::BackingOff { failures: 0, delay: backoff.base.mul_f64(jitter / 2.0) }
            }
            (Self::BackingOff { failures, .. }, E::WaitOver) => Self::Connecting { failures },
            (Self::Active, E::StopRequested) => Self::Draining,
            (
                Self::Connecting { .. } | Self::Handshaking { .. } | Self::BackingOff { .. },
                E::StopRequested,
            )
            | (_, E::Closed) => Self::Closed,
            (state, _) => state,
        }
    }
}

impl Default for ConnectionState {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionEvent as E, ConnectionState as S, *};

    fn after(events: &[E]) -> S {
        events.iter().fold(S::new(), |state, event| state.on(*event, &Backoff::default(), 1.0))
    }

    #[test]
    fn a_connection_opens_works_and_drains() {
        assert_eq!(after(&[E::Opened]), S::Handshaking { failures: 0 });
        assert_eq!(after(&[E::Opened, E::SetUp]), S::Active);
        assert_eq!(after(&[E::Opened, E::SetUp, E::StopRequested]), S::Draining);
        assert_eq!(after(&[E::Opened, E::SetUp, E::StopRequested, E::Closed]), S::Closed);
    }

    #[test]
    fn failures_add_up_until_the_handshake_is_done() {
        let failed = [E::Lost, E::WaitOver, E::Opened, E::Lost, E::WaitOver];
        assert_eq!(after(&failed), S::Connecting { failures: 2 });
        let recovered = [&failed[..], &[E::Opened, E::SetUp, E::Lost]].concat();
        let S::BackingOff { failures: 0, delay } = after(&recovered) else {
            panic!("{:?}", after(&recovered))
        };
        assert!(delay < Duration::from_secs(1), "a working connection comes back soon: {delay:?}");
    }

    #[test]
    fn what_is_left_is_sent_over_a_new_connection() {
        let lost = after(&[E::Opened, E::SetUp, E::StopRequested, E::Lost]);
        assert!(matches!(lost, S::BackingOff { failures: 0, .. }), "{lost:?}");
    }

    #[test]
    fn a_stop_ends_every_state_that_has_nothing_to_drain() {
        for events in [&[][..], &[E::Opened], &[E::Lost]] {
            assert_eq!(after(&[events, &[E::StopRequested]].concat()), S::Closed);
        }
        assert_eq!(
            after(&[E::StopRequested, E::Opened, E::SetUp, E::WaitOver]),
            S::Closed,
            "and it stays closed"
        );
    }

    #[test]
    fn the_wait_doubles_up_to_its_limit_and_is_never_zero() {
        let backoff = Backoff::default();
        let seconds = |failures, jitter| backoff.delay(failures, jitter).as_secs_f64();
        let waits: Vec<f64> = (1..=4).map(|failures| seconds(failures, 1.0)).collect();
        assert_eq!(waits, [0.5, 1.0, 2.0, 4.0]);
        assert!((seconds(1, 0.0) - 0.25).abs() < 1e-9);
        assert!((seconds(60, 1.0) - 300.0).abs() < 1e-9);
    }
}
