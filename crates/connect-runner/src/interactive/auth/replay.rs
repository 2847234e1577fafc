//! What was shown once does not hold a second time.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use connect_cache::{Cache, CacheExt};
use tokio::time::Instant;
use tracing::warn;

/// How many nonces are remembered at once; beyond that, calls are refused until some have expired.
const REMEMBERED: usize = 100_000;

/// The nonces that were seen: of this process, and in a cache those of others and of earlier ones too.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<HashMap<String, Instant>>);

/// Whether a nonce may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nonce {
    New,
    Used,
    /// There are too many to remember one more.
    TooMany,
}

impl Seen {
    /// Remembers it for so long.
    pub(super) async fn first_time(
        &self,
        parts: &[&str],
        lifetime: Duration,
        cache: Option<Arc<dyn Cache>>,
    ) -> Nonce {
        let key = key(parts);
        let here = self.first_time_here(&key, lifetime);
        let (Nonce::New, Some(cache)) = (here, cache) else { return here };
        let key = format!("nonce:{key}");
        match cache.add(&key, &true, Some(lifetime)).await {
            Ok(true) => Nonce::New,
            Ok(false) => Nonce::Used,
            Err(error) => {
                warn!("nonces are not shared with other processes: {error}");
                Nonce::New
            }
        }
    }

    fn first_time_here(&self, key: &str, lifetime: Duration) -> Nonce {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if seen.get(key).is_some_and(|until| *until > now) {
            return Nonce::Used;
        }
        if seen.len() >= REMEMBERED {
            seen.retain(|_, until| *until > now);
            if seen.len() >= REMEMBERED {
                return Nonce::TooMany;
            }
        }
        seen.insert(key.to_owned(), now + lifetime);
        Nonce::New
    }
}

/// One text for several, none of which can pass for another.
fn key(parts: &[&str]) -> String {
    let mut all = digest::Context::new(&digest::SHA256);
    for part in parts {
        all.update(&part.len().to_be_bytes());
        all.update(part.as_bytes());
    }
    all.finish().as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use connect_cache::MemoryCache;

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(600);

    #[tokio::test(start_paused = true)]
    async fn a_nonce_holds_once_until_it_is_forgotten() {
        let seen = Seen::default();
        assert_eq!(seen.first_time(&["a", "1"], LIFETIME, None).await, Nonce::New);
        assert_eq!(seen.first_time(&["a", "1"], LIFETIME, None).await, Nonce::Used);
        assert_eq!(seen.first_time(&["a1", ""], LIFETIME, None).await, Nonce::New);
        tokio::time::advance(LIFETIME).await;
        assert_eq!(seen.first_time(&["a", "1"], LIFETIME, None).await, Nonce::New);
    }

    #[tokio::test]
    async fn a_shared_cache_tells_other_processes() {
        let cache: Arc<dyn Cache> = Arc::new(MemoryCache::with_size(65_536));
        let one = Seen::default().first_time(&["a"], LIFETIME, Some(Arc::clone(&cache))).await;
        let other = Seen::default().first_time(&["a"], LIFETIME, Some(cache)).await;
        assert_eq!((one, other), (Nonce::New, Nonce::Used));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let seen = Seen::default();
        for number in 0..REMEMBERED {
            seen.first_time_here(&number.to_string(), LIFETIME);
        }
        assert_eq!(seen.first_time_here("one more", LIFETIME), Nonce::TooMany);
        tokio::time::advance(LIFETIME).await;
        assert_eq!(seen.first_time_here("one more", LIFETIME), Nonce::New);
        assert_eq!(seen.0.lock().unwrap().len(), 1);
    }
}
