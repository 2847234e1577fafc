use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// What time it is for a driver whose entries outlive the process.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// Seconds since 1970, with a fraction: the original's unit, at less than a microsecond.
    pub(crate) fn now(&self) -> f64 {
        (self.0)().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
    }

    /// Moves with tokio's clock, which a test can stop.
    #[cfg(test)]
    pub(crate) fn paused() -> Self {
        let (start, base) = (tokio::time::Instant::now(), SystemTime::now());
        Self(Arc::new(move || base + start.elapsed()))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(SystemTime::now))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The time that is left at `now`; `None` where an entry has expired.
pub(crate) fn left(expire_at: f64, now: f64) -> Option<Duration> {
    (expire_at > now).then(|| Duration::try_from_secs_f64(expire_at - now).unwrap_or(Duration::MAX))
}
