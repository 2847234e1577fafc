use std::time::{Duration, Instant};

use crate::{BoxFuture, Cache, Entry, Metrics, layers::forward, metrics::Latencies};

/// Counts what a cache does, and how long it takes: see [`Metrics`].
#[derive(Clone, Debug)]
pub struct Metered<C> {
    inner: C,
    metrics: Metrics,
}

impl<C: Cache> Metered<C> {
    /// Counts what this cache does.
    pub fn new(cache: C, metrics: Metrics) -> Self {
        Self { inner: cache, metrics }
    }

    /// Takes the time of an operation.
    async fn timed<T>(
        &self,
        latencies: &Latencies,
        operation: BoxFuture<'_, T>,
    ) -> Result<T, crate::CacheError> {
        let since = Instant::now();
        let end = operation.await;
        latencies.record(since.elapsed());
        end
    }

    fn read(&self, hit: bool) {
        if hit { self.metrics.0.hits.count() } else { self.metrics.0.misses.count() }
    }
}

impl<C: Cache> Cache for Metered<C> {
    forward!(has, flush_prefix);

    fn get_text<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Entry<String>>> {
        Box::pin(async move {
            let entry = self.timed(&self.metrics.0.reads, self.inner.get_text(key)).await?;
            self.read(entry.is_some());
            Ok(entry)
        })
    }

    fn put_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, ()> {
        self.metrics.0.puts.count();
        Box::pin(self.timed(&self.metrics.0.writes, self.inner.put_text(key, value, ttl)))
    }

    fn add_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, bool> {
        Box::pin(self.timed(&self.metrics.0.writes, self.inner.add_text(key, value, ttl)))
    }

    fn touch_text<'a>(&'a self, key: &'a str, ttl: Duration) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            let value = self.timed(&self.metrics.0.reads, self.inner.touch_text(key, ttl)).await?;
            self.read(value.is_some());
            Ok(value)
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()> {
        self.metrics.0.deletes.count();
        Box::pin(self.timed(&self.metrics.0.writes, self.inner.delete(key)))
    }
}
