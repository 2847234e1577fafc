use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tracing::warn;

use crate::{BoxFuture, Cache, Flush, layers::forward};

/// Takes expired entries out from time to time, in the background of a put, so that files and tables don't grow for ever.
///
/// Servers that do so by themselves have nothing to do.
#[derive(Debug)]
pub struct Sweep<C> {
    inner: Arc<C>,
    every: Duration,
    next: Mutex<Instant>,
}

impl<C: Cache> Sweep<C> {
    /// Sweeps this cache at most so often; the first time after half of that, with the first put from then on.
    pub fn new(cache: C, every: Duration) -> Self {
        Self { inner: Arc::new(cache), every, next: Mutex::new(Instant::now() + every / 2) }
    }

    fn sweep(&self) {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if now < *next {
            return;
        }
        *next = now + self.every;
        drop(next);
        let cache = Arc::clone(&self.inner);
        tokio::spawn(async move {
            if let Err(error) = cache.flush_prefix("", Flush::Expired).await {
                warn!("{error}; expired entries stay a while longer");
            }
        });
    }
}

impl<C: Cache> Cache for Sweep<C> {
    forward!(get_text, add_text, touch_text, has, delete, flush_prefix);

    fn put_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, ()> {
        self.sweep();
        self.inner.put_text(key, value, ttl)
    }
}
