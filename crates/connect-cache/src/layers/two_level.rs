use std::time::Duration;

use crate::{BoxFuture, Cache, Entry, Flush, MemoryCache};

/// A cache in memory in front of a slower one: an entry that was read is read again without asking the server.
///
/// What another process changes is seen after `staleness` at the latest.
#[derive(Clone, Debug)]
pub struct TwoLevel<C> {
    front: MemoryCache,
    back: C,
    staleness: Duration,
}

impl<C: Cache> TwoLevel<C> {
    /// Keeps what was read or stored in `front` for at most `staleness`.
    pub fn new(front: MemoryCache, back: C, staleness: Duration) -> Self {
        Self { front, back, staleness }
    }

    async fn keep(&self, key: &str, value: String, ttl: Option<Duration>) -> Result<(), crate::CacheError> {
        let ttl = ttl.map_or(self.staleness, |ttl| ttl.min(self.staleness));
        if ttl.is_zero() {
            self.front.delete(key).await
        } else {
            self.front.put_text(key, value, Some(ttl)).await
        }
    }
}

impl<C: Cache> Cache for TwoLevel<C> {
    fn get_text<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Entry<String>>> {
        Box::pin(async move {
            if let Some(entry) = self.front.get_text(key).await? {
                // What is left of it in front is not what is left of it.
                return Ok(Some(Entry::new(entry.value)));
            }
            let entry = self.back.get_text(key).await?;
            if let Some(entry) = &entry {
                self.keep(key, entry.value.clone(), entry.ttl).await?;
            }
            Ok(entry)
        })
    }

    fn put_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            // Not the old value, should the server fail.
            self.front.delete(key).await?;
            self.back.put_text(key, value.clone(), ttl).await?;
            self.keep(key, value, ttl).await
        })
    }

    fn add_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            // One of many processes is to succeed, so the server decides.
            let added = self.back.add_text(key, value, ttl).await?;
            self.front.delete(key).await?;
            Ok(added)
        })
    }

    fn touch_text<'a>(&'a self, key: &'a str, ttl: Duration) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            self.front.delete(key).await?;
            let value = self.back.touch_text(key, ttl).await?;
            if let Some(value) = &value {
                self.keep(key, value.clone(), Some(ttl)).await?;
            }
            Ok(value)
        })
    }

    fn has<'a>(&'a self, key: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move { Ok(self.front.has(key).await? || self.back.has(key).await?) })
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let gone = self.back.delete(key).await;
            // Afterwards: who reads in between brings the old value to the front.
            self.front.delete(key).await?;
            gone
        })
    }

    fn flush_prefix<'a>(&'a self, prefix: &'a str, flush: Flush) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let gone = self.back.flush_prefix(prefix, flush).await;
            self.front.flush_prefix(prefix, flush).await?;
            gone
        })
    }
}
