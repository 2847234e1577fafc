use std::time::Duration;

use tracing::warn;

use crate::{BoxFuture, Cache, CacheError, DEFAULT_TTL, Metrics, layers::forward};

/// What holds for all entries of a cache: how long they live where nobody says, and how large a value may be.
///
/// A value that is too large is logged and not stored, and what the key had is taken out.
#[derive(Clone, Debug)]
pub struct Limits<C> {
    inner: C,
    ttl: Duration,
    largest: usize,
    metrics: Metrics,
}

impl<C: Cache> Limits<C> {
    /// No limit of the size, and [`DEFAULT_TTL`].
    pub fn new(cache: C) -> Self {
        Self { inner: cache, ttl: DEFAULT_TTL, largest: usize::MAX, metrics: Metrics::default() }
    }

    /// How long an entry lives where nobody says how long.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// How many bytes the JSON text of a value may have.
    #[must_use]
    pub fn largest(self, bytes: usize) -> Self {
        Self { largest: bytes, ..self }
    }

    /// Where the values that are too large are counted.
    #[must_use]
    pub fn metrics(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }
}

impl<C: Cache> Cache for Limits<C> {
    forward!(get_text, touch_text, has, delete, flush_prefix);

    fn put_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, ()> {
        if value.len() <= self.largest {
            return self.inner.put_text(key, value, ttl.or(Some(self.ttl)));
        }
        self.metrics.0.refused.count();
        let (size, limit) = (value.len(), self.largest);
        warn!(key, "{}; it is not stored", CacheError::TooLarge { key: key.to_owned(), size, limit });
        self.inner.delete(key)
    }

    fn add_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, bool> {
        if value.len() > self.largest {
            let (size, limit) = (value.len(), self.largest);
            self.metrics.0.refused.count();
            return Box::pin(async move { Err(CacheError::TooLarge { key: key.to_owned(), size, limit }) });
        }
        self.inner.add_text(key, value, ttl.or(Some(self.ttl)))
    }
}
