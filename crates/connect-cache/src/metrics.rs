use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use serde::Serialize;

/// What a cache has done so far: a handle to counters that may be read at any time.
///
/// In a container that has the cache's service provider it is bound by its type.
///
/// ```
/// use std::sync::Arc;
/// use connect_cache::{Cache, CacheExt, Metered, Metrics, NoneCache};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), connect_cache::CacheError> {
/// let metrics = Metrics::default();
/// let cache = Metered::new(NoneCache, metrics.clone());
/// cache.get::<String>("token").await?;
/// assert_eq!(metrics.snapshot().misses, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Metrics(pub(crate) Arc<Counters>);

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
    pub(crate) puts: Counter,
    pub(crate) deletes: Counter,
    pub(crate) computed: Counter,
    pub(crate) joined: Counter,
    pub(crate) refreshed: Counter,
    pub(crate) failures: Counter,
    pub(crate) timeouts: Counter,
    pub(crate) skipped: Counter,
    pub(crate) refused: Counter,
    pub(crate) undecryptable: Counter,
    pub(crate) reads: Latencies,
    pub(crate) writes: Latencies,
    pub(crate) computations: Latencies,
}

/// What the counters of a cache said at one moment. All are since the start of the process.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct MetricsSnapshot {
    /// Reads that found an entry.
    pub hits: u64,
    /// Reads that found none.
    pub misses: u64,
    /// Entries that were to be stored.
    pub puts: u64,
    /// Entries that were to be taken out.
    pub deletes: u64,
    /// Values that were computed for want of an entry.
    pub computed: u64,
    /// Callers that got a value which another one was computing.
    pub joined: u64,
    /// Entries that were computed anew before they expired.
    pub refreshed: u64,
    /// Operations of the driver that failed, timeouts among them: read as misses, not stored.
    pub failures: u64,
    /// Operations of the driver that took too long.
    pub timeouts: u64,
    /// Operations that were not tried, since the driver had failed too often.
    pub skipped: u64,
    /// Values that were too large to be stored.
    pub refused: u64,
    /// Entries that none of the keys could decrypt.
    pub undecryptable: u64,
    /// How long reads took.
    pub reads: LatencySnapshot,
    /// How long writes took.
    pub writes: LatencySnapshot,
    /// How long it took to compute values.
    pub computations: LatencySnapshot,
}

/// How long something took, in microseconds. Percentiles are exact to a factor of two, upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LatencySnapshot {
    /// How often it was done.
    pub count: u64,
    /// Half of them took at most so long.
    pub p50: u64,
    /// 99 of 100 took at most so long.
    pub p99: u64,
    /// None took longer.
    pub max: u64,
}

impl Metrics {
    /// What the counters say now.
    #[must_use]
    pub fn snapshot(&self) -> MetricsSnapshot {
        let counters = &self.0;
        MetricsSnapshot {
            hits: counters.hits.get(),
            misses: counters.misses.get(),
            puts: counters.puts.get(),
            deletes: counters.deletes.get(),
            computed: counters.computed.get(),
            joined: counters.joined.get(),
            refreshed: counters.refreshed.get(),
            failures: counters.failures.get(),
            timeouts: counters.timeouts.get(),
            skipped: counters.skipped.get(),
            refused: counters.refused.get(),
            undecryptable: counters.undecryptable.get(),
            reads: counters.reads.snapshot(),
            writes: counters.writes.snapshot(),
            computations: counters.computations.snapshot(),
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}

#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Up to six days, in powers of two.
const BUCKETS: usize = 40;

/// How often something took up to 1, 2, 4, 8 … microseconds.
pub(crate) struct Latencies {
    buckets: [AtomicU64; BUCKETS],
    max: AtomicU64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS], max: AtomicU64::new(0) }
    }
}

impl Latencies {
    pub(crate) fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = micros.clamp(1, 1 << (BUCKETS - 1)).next_power_of_two().trailing_zeros() as usize;
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.max.fetch_max(micros, Relaxed);
    }

    fn snapshot(&self) -> LatencySnapshot {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        let (count, max) = (counts.iter().sum::<u64>(), self.max.load(Relaxed));
        let percentile = |percent: u64| {
            let mut below = 0;
            let bucket = counts.iter().position(|count| {
                below += count;
                below * 100 >= percent * counts.iter().sum::<u64>()
            });
            bucket.filter(|_| count > 0).map_or(0, |bucket| (1 << bucket).min(max))
        };
        LatencySnapshot { count, p50: percentile(50), p99: percentile(99), max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_a_factor_of_two() {
        let latencies = Latencies::default();
        assert_eq!(latencies.snapshot(), LatencySnapshot { count: 0, p50: 0, p99: 0, max: 0 });
        for micros in 1..=1_000 {
            latencies.record(Duration::from_micros(micros));
        }
        assert_eq!(latencies.snapshot(), LatencySnapshot { count: 1_000, p50: 512, p99: 1_000, max: 1_000 });
        latencies.record(Duration::MAX);
        assert_eq!(latencies.snapshot().max, u64::MAX);
    }
}
