use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant as StdInstant},
};

use connect_container::Config;
use moka::{
    Expiry,
    ops::compute::{CompResult, Op},
    sync::Cache as Moka,
};
use tokio::time::Instant;

use crate::{CacheError, Driver, Entry, Flush, settings::Settings};

/// How many bytes a cache in memory holds where nobody says: 64 MiB.
const DEFAULT_SIZE: u64 = 64 * 1024 * 1024;
/// What an entry costs beside its key and its value, about.
const OVERHEAD: usize = 200;

/// A cache in the memory of this process, of a bounded size: what is used least goes first.
///
/// | variable | default | |
/// |---|---|---|
/// | `CACHE_MEMORY_SIZE` | 67108864 | bytes that keys and values may take |
///
/// As a URL: `CACHE_URL=memory:?size=1048576`.
///
/// ```
/// use connect_cache::{CacheError, CacheExt, MemoryCache};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), CacheError> {
/// let cache = MemoryCache::with_size(1024 * 1024);
/// cache.put("token", &"abc", None).await?;
/// assert_eq!(cache.get::<String>("token").await?.as_deref(), Some("abc"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryCache(Moka<String, Held>);

#[derive(Clone)]
struct Held {
    value: Arc<str>,
    /// By tokio's clock, which a test can stop; moka's own only frees the memory.
    expires: Instant,
}

impl Held {
    fn new(value: impl Into<Arc<str>>, ttl: Duration) -> Self {
        Self { value: value.into(), expires: Instant::now() + ttl }
    }

    fn left(&self) -> Duration {
        self.expires.saturating_duration_since(Instant::now())
    }

    fn lives(&self) -> bool {
        !self.left().is_zero()
    }
}

struct Left;

impl Expiry<String, Held> for Left {
    fn expire_after_create(&self, _: &String, held: &Held, _: StdInstant) -> Option<Duration> {
        Some(held.left())
    }

    fn expire_after_update(
        &self,
        _: &String,
        held: &Held,
        _: StdInstant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(held.left())
    }
}

impl MemoryCache {
    /// A cache whose keys and values take at most so many bytes.
    #[must_use]
    pub fn with_size(bytes: u64) -> Self {
        let weigh = |key: &String, held: &Held| {
            u32::try_from(key.len() + held.value.len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        Self(Moka::builder().max_capacity(bytes).weigher(weigh).expire_after(Left).build())
    }

    /// A cache of the size that the variables say.
    pub fn from_config(config: &Config) -> Result<Self, CacheError> {
        Self::configure(&mut Settings::new(config))
    }

    pub(crate) fn configure(settings: &mut Settings<'_>) -> Result<Self, CacheError> {
        settings.known_parameters(&["size"]);
        let bytes = settings.parse_or("CACHE_MEMORY_SIZE", "size", DEFAULT_SIZE);
        settings.check()?;
        Ok(Self::with_size(bytes))
    }
}

impl Default for MemoryCache {
    fn default() -> Self {
        Self::with_size(DEFAULT_SIZE)
    }
}

impl Driver for MemoryCache {
    async fn load(&self, key: &str) -> Result<Option<Entry<String>>, CacheError> {
        let held = self.0.get(key).filter(Held::lives);
        Ok(held.map(|held| Entry::new((*held.value).to_owned()).ttl(held.left())))
    }

    async fn store(&self, key: &str, value: String, ttl: Duration) -> Result<(), CacheError> {
        self.0.insert(key.to_owned(), Held::new(value, ttl));
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), CacheError> {
        self.0.invalidate(key);
        Ok(())
    }

    async fn clear(&self, prefix: &str, flush: Flush) -> Result<(), CacheError> {
        for (key, held) in &self.0 {
            if key.starts_with(prefix) && (flush == Flush::All || !held.lives()) {
                self.0.invalidate(&*key);
            }
        }
        self.0.run_pending_tasks();
        Ok(())
    }

    async fn contains(&self, key: &str) -> Result<bool, CacheError> {
        Ok(self.0.get(key).is_some_and(|held| held.lives()))
    }

    async fn store_new(&self, key: &str, value: String, ttl: Duration) -> Result<bool, CacheError> {
        let end = self.0.entry_by_ref(key).and_compute_with(|entry| match entry {
            Some(entry) if entry.value().lives() => Op::Nop,
            _ => Op::Put(Held::new(value, ttl)),
        });
        Ok(matches!(end, CompResult::Inserted(_) | CompResult::ReplacedWith(_)))
    }

    async fn renew(&self, key: &str, ttl: Duration) -> Result<Option<String>, CacheError> {
        let end = self.0.entry_by_ref(key).and_compute_with(|entry| match entry {
            Some(entry) if entry.value().lives() => Op::Put(Held::new(Arc::clone(&entry.value().value), ttl)),
            _ => Op::Nop,
        });
        Ok(match end {
            CompResult::ReplacedWith(entry) => Some((*entry.value().value).to_owned()),
            _ => None,
        })
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache").field("entries", &self.0.entry_count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CacheExt, contract::contract};

    #[tokio::test(start_paused = true)]
    async fn it_keeps_the_contract() {
        let cache = Arc::new(MemoryCache::default());
        contract(cache, Duration::from_secs(10), tokio::time::advance).await.unwrap();
    }

    #[tokio::test]
    async fn it_stays_within_its_size() {
        let cache = MemoryCache::with_size(10_000);
        for number in 0..1_000 {
            cache.put(&format!("key {number}"), &"x".repeat(100), None).await.unwrap();
        }
        cache.0.run_pending_tasks();
        assert!(cache.0.weighted_size() <= 10_000, "{} bytes", cache.0.weighted_size());
        assert!(cache.0.entry_count() > 10, "{} entries", cache.0.entry_count());
    }
}
