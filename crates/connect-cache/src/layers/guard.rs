use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use crate::{BoxFuture, Cache, CacheError, Entry, Flush, Metrics};

/// How long an operation may take, where nobody says.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// How many failures in a row pause a cache.
pub(crate) const DEFAULT_FAILURES: u32 = 5;
/// How long it pauses then.
pub(crate) const DEFAULT_PAUSE: Duration = Duration::from_secs(10);

/// How many keys are known to be outdated at most: of more than these one or the other may be read.
const MOST_OUTDATED: usize = 100_000;

/// Makes a failure of a cache a miss, and no more: logged and counted, never the caller's error.
///
/// Every operation has a time limit. After some failures in a row nothing is asked for a while, so that nobody waits for a
/// server that is down; then one operation tries. What could not be stored or taken out is not read again, lest it is an
/// old value, until it is stored anew.
///
/// Two things are errors still: a time to live of zero, which is a mistake, and [`add`](crate::CacheExt::add), whose answer
/// nobody could rely on.
#[derive(Debug)]
pub struct Guard<C> {
    inner: C,
    timeout: Duration,
    failures: u32,
    pause: Duration,
    breaker: Mutex<Breaker>,
    /// The keys whose entries should not be there any more, and may be.
    outdated: Mutex<HashSet<String>>,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    /// Nothing is asked before.
    paused: Option<Instant>,
}

impl<C: Cache> Guard<C> {
    /// A time limit of 5 seconds; 10 seconds without asking after 5 failures in a row.
    pub fn new(cache: C, metrics: Metrics) -> Self {
        Self {
            inner: cache,
            timeout: DEFAULT_TIMEOUT,
            failures: DEFAULT_FAILURES,
            pause: DEFAULT_PAUSE,
            breaker: Mutex::default(),
            outdated: Mutex::default(),
            metrics,
        }
    }

    /// How long an operation may take. A flush may take ten times as long.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How many failures in a row there have to be for how long a pause.
    #[must_use]
    pub fn breaker(self, failures: u32, pause: Duration) -> Self {
        Self { failures, pause, ..self }
    }

    /// The end of an operation; `None` where it failed or was not tried.
    async fn run<T>(&self, limit: Duration, operation: BoxFuture<'_, T>) -> Result<T, Failed> {
        if !self.admits() {
            self.metrics.0.skipped.count();
            return Err(Failed::Cache(CacheError::storage(
                "it has failed too often, and is not asked for a while",
            )));
        }
        let error = match timeout(limit, operation).await {
            Ok(Err(error @ CacheError::Storage(_))) => Failed::Cache(error),
            Ok(end) => {
                self.worked();
                return end.map_err(Failed::Caller);
            }
            Err(_) => {
                self.metrics.0.timeouts.count();
                Failed::Late(CacheError::storage(format!("it took longer than {limit:?}")))
            }
        };
        let (Failed::Cache(reason) | Failed::Late(reason) | Failed::Caller(reason)) = &error;
        self.failed(reason);
        Err(error)
    }

    /// Like [`run`](Self::run), with what counts where it failed.
    async fn or<T>(&self, otherwise: T, operation: BoxFuture<'_, T>) -> Result<T, CacheError> {
        match self.run(self.timeout, operation).await {
            Ok(end) => Ok(end),
            Err(Failed::Caller(error)) => Err(error),
            Err(Failed::Cache(_) | Failed::Late(_)) => Ok(otherwise),
        }
    }

    fn breaker_state(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outdated(&self) -> MutexGuard<'_, HashSet<String>> {
        self.outdated.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps in mind whether a key has what it should have.
    fn changed(&self, key: &str, done: bool) {
        let mut outdated = self.outdated();
        if done {
            outdated.remove(key);
        } else if outdated.len() < MOST_OUTDATED {
            outdated.insert(key.to_owned());
        }
    }

    fn admits(&self) -> bool {
        let now = Instant::now();
        let mut breaker = self.breaker_state();
        match breaker.paused {
            Some(until) if now < until => false,
            Some(_) => {
                // One tries; the others wait for its end, or for another pause should there be none.
                breaker.paused = Some(now + self.pause);
                true
            }
            None => true,
        }
    }

    fn worked(&self) {
        let before = std::mem::take(&mut *self.breaker_state());
        if before.paused.is_some() {
            info!("the cache is usable again");
        }
    }

    fn failed(&self, error: &CacheError) {
        self.metrics.0.failures.count();
        let mut breaker = self.breaker_state();
        breaker.failures = breaker.failures.saturating_add(1);
        let total = self.metrics.0.failures.get();
        if breaker.failures < self.failures {
            warn!(failures = total, "{error}; it counts as a miss");
            return;
        }
        breaker.paused = Some(Instant::now() + self.pause);
        drop(breaker);
        warn!(failures = total, "{error}; nothing is cached for {:?}", self.pause);
    }
}

/// Whose fault it is.
enum Failed {
    Cache(CacheError),
    /// The cache's, and it would only take longer to ask it for more.
    Late(CacheError),
    Caller(CacheError),
}

impl From<Failed> for CacheError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Cache(error) | Failed::Late(error) | Failed::Caller(error) => error,
        }
    }
}

impl<C: Cache> Cache for Guard<C> {
    fn get_text<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Entry<String>>> {
        if self.outdated().contains(key) {
            return Box::pin(async { Ok(None) });
        }
        Box::pin(self.or(None, self.inner.get_text(key)))
    }

    fn put_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            match self.run(self.timeout, self.inner.put_text(key, value, ttl)).await {
                Ok(()) => {
                    self.changed(key, true);
                    return Ok(());
                }
                Err(Failed::Late(_)) => {
                    self.changed(key, false);
                    return Ok(());
                }
                Err(Failed::Caller(error @ CacheError::TooLarge { .. })) => {
                    self.metrics.0.refused.count();
                    warn!(key, "{error}; it is not stored");
                }
                Err(Failed::Caller(error)) => return Err(error),
                Err(Failed::Cache(_)) => {}
            }
            self.delete(key).await
        })
    }

    fn add_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let added = self.run(self.timeout, self.inner.add_text(key, value, ttl)).await?;
            if added {
                self.changed(key, true);
            }
            Ok(added)
        })
    }

    fn touch_text<'a>(&'a self, key: &'a str, ttl: Duration) -> BoxFuture<'a, Option<String>> {
        if self.outdated().contains(key) {
            return Box::pin(async { Ok(None) });
        }
        Box::pin(self.or(None, self.inner.touch_text(key, ttl)))
    }

    fn has<'a>(&'a self, key: &'a str) -> BoxFuture<'a, bool> {
        if self.outdated().contains(key) {
            return Box::pin(async { Ok(false) });
        }
        Box::pin(self.or(false, self.inner.has(key)))
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let end = self.run(self.timeout, self.inner.delete(key)).await;
            self.changed(key, end.is_ok());
            match end {
                Err(Failed::Caller(error)) => Err(error),
                _ => Ok(()),
            }
        })
    }

    fn flush_prefix<'a>(&'a self, prefix: &'a str, flush: Flush) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            match self.run(self.timeout * 10, self.inner.flush_prefix(prefix, flush)).await {
                Ok(()) if flush == Flush::All => self.outdated().retain(|key| !key.starts_with(prefix)),
                Err(Failed::Caller(error)) => return Err(error),
                Ok(()) | Err(Failed::Cache(_) | Failed::Late(_)) => {}
            }
            Ok(())
        })
    }
}
