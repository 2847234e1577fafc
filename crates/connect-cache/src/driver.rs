use std::{future::Future, time::Duration};

use crate::{BoxFuture, Cache, CacheError, DEFAULT_TTL, Entry, Flush};

/// Longer than any entry has to live; short enough for every driver's arithmetic.
const MAX_TTL: Duration = Duration::from_secs(100 * 365 * 86_400);
/// What drivers count in.
const MIN_TTL: Duration = Duration::from_millis(1);

/// Where a cache keeps its entries: what one implements to add a driver. Every driver is a [`Cache`].
///
/// Values are JSON text. A key is any text, of any length; a driver that is narrower hashes it. Whether a driver keeps
/// the contract is what [`contract`](crate::contract::contract) tells (feature `contract`).
///
/// ```
/// use std::{collections::HashMap, sync::Mutex, time::Duration};
/// use connect_cache::{CacheError, Driver, Entry, Flush};
/// use tokio::time::Instant;
///
/// #[derive(Default)]
/// struct MapCache(Mutex<HashMap<String, (String, Instant)>>);
///
/// impl Driver for MapCache {
///     async fn load(&self, key: &str) -> Result<Option<Entry<String>>, CacheError> {
///         let entries = self.0.lock().unwrap();
///         let Some((value, expires)) = entries.get(key) else { return Ok(None) };
///         let left = expires.saturating_duration_since(Instant::now());
///         Ok((!left.is_zero()).then(|| Entry::new(value.clone()).ttl(left)))
///     }
///
///     async fn store(&self, key: &str, value: String, ttl: Duration) -> Result<(), CacheError> {
///         self.0.lock().unwrap().insert(key.to_owned(), (value, Instant::now() + ttl));
///         Ok(())
///     }
///
///     async fn remove(&self, key: &str) -> Result<(), CacheError> {
///         self.0.lock().unwrap().remove(key);
///         Ok(())
///     }
///
///     async fn clear(&self, prefix: &str, flush: Flush) -> Result<(), CacheError> {
///         let now = Instant::now();
///         let goes = |key: &str, expires| key.starts_with(prefix) && (flush == Flush::All || expires <= now);
///         self.0.lock().unwrap().retain(|key, (_, expires)| !goes(key, *expires));
///         Ok(())
///     }
/// }
/// ```
pub trait Driver: Send + Sync + 'static {
    /// The value of a key that has not expired, with the time it has left; without where the driver can't tell.
    fn load(&self, key: &str) -> impl Future<Output = Result<Option<Entry<String>>, CacheError>> + Send;

    /// Stores a value for so long: never zero, at least a millisecond, at most a hundred years.
    fn store(
        &self,
        key: &str,
        value: String,
        ttl: Duration,
    ) -> impl Future<Output = Result<(), CacheError>> + Send;

    /// Takes an entry out; there may be none.
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), CacheError>> + Send;

    /// Takes out the entries whose key begins with a prefix, all of them or only the expired ones.
    fn clear(&self, prefix: &str, flush: Flush) -> impl Future<Output = Result<(), CacheError>> + Send;

    /// Whether there is an entry that has not expired.
    fn contains(&self, key: &str) -> impl Future<Output = Result<bool, CacheError>> + Send {
        async move { Ok(self.load(key).await?.is_some()) }
    }

    /// Stores a value where there is none, and says whether it did.
    ///
    /// One caller of many should win; so it is with every driver of this crate, not with this default.
    fn store_new(
        &self,
        key: &str,
        value: String,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, CacheError>> + Send {
        async move {
            if self.contains(key).await? {
                return Ok(false);
            }
            self.store(key, value, ttl).await.map(|()| true)
        }
    }

    /// The value of a key, which lives for so long from now on.
    fn renew(
        &self,
        key: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<Option<String>, CacheError>> + Send {
        async move {
            let Some(entry) = self.load(key).await? else { return Ok(None) };
            self.store(key, entry.value.clone(), ttl).await?;
            Ok(Some(entry.value))
        }
    }
}

impl<D: Driver> Cache for D {
    fn get_text<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Entry<String>>> {
        Box::pin(self.load(key))
    }

    fn put_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.store(key, value, lifetime(key, ttl)?).await })
    }

    fn add_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, bool> {
        Box::pin(async move { self.store_new(key, value, lifetime(key, ttl)?).await })
    }

    fn touch_text<'a>(&'a self, key: &'a str, ttl: Duration) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move { self.renew(key, lifetime(key, Some(ttl))?).await })
    }

    fn has<'a>(&'a self, key: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(self.contains(key))
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(self.remove(key))
    }

    fn flush_prefix<'a>(&'a self, prefix: &'a str, flush: Flush) -> BoxFuture<'a, ()> {
        Box::pin(self.clear(prefix, flush))
    }
}

fn lifetime(key: &str, ttl: Option<Duration>) -> Result<Duration, CacheError> {
    match ttl.unwrap_or(DEFAULT_TTL) {
        Duration::ZERO => Err(CacheError::ZeroTtl { key: key.to_owned() }),
        ttl => Ok(ttl.clamp(MIN_TTL, MAX_TTL)),
    }
}
