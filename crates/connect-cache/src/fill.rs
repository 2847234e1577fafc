use std::{fmt, future::Future, pin::Pin, time::Duration};

use tracing::warn;

use crate::{Cache, ComputeError, Entry};

/// What [`Cache::fill`] returns.
pub type Filled<'a> = Pin<Box<dyn Future<Output = Result<String, ComputeError>> + Send + 'a>>;

type Making<'a> = Pin<Box<dyn Future<Output = Result<Entry<String>, ComputeError>> + Send + 'a>>;

/// `None` as JSON.
pub(crate) const NULL: &str = "null";

/// How to make a value that a cache does not have. A cache in front of another passes it on.
pub struct Fill<'a> {
    ttl: Option<Duration>,
    accept: Box<dyn FnMut(&str) -> bool + Send + 'a>,
    make: Box<dyn FnOnce() -> Making<'a> + Send + 'a>,
}

/// A value that has just been made.
pub(crate) struct Made {
    pub(crate) value: String,
    pub(crate) ttl: Option<Duration>,
    /// `None` that says nothing about how long it is to live: not stored, unless there is negative caching.
    pub(crate) absent: bool,
}

impl<'a> Fill<'a> {
    pub(crate) fn new(
        ttl: Option<Duration>,
        accept: impl FnMut(&str) -> bool + Send + 'a,
        make: impl FnOnce() -> Making<'a> + Send + 'a,
    ) -> Self {
        Self { ttl, accept: Box::new(accept), make: Box::new(make) }
    }

    /// The same for a shorter time.
    pub(crate) fn narrow<'b>(self) -> Fill<'b>
    where
        'a: 'b,
    {
        let make = self.make;
        Fill { ttl: self.ttl, accept: self.accept, make: Box::new(move || make()) }
    }

    /// Whether a text is a value of the type that is wanted.
    pub(crate) fn accepts(&mut self, text: &str) -> bool {
        (self.accept)(text)
    }

    pub(crate) async fn make(self) -> Result<Made, ComputeError> {
        let Entry { value, ttl } = (self.make)().await?;
        let absent = value == NULL && ttl.is_none();
        Ok(Made { value, ttl: ttl.or(self.ttl), absent })
    }

    /// The entry a cache has, if it is of the type that is wanted.
    pub(crate) async fn look_at<C: Cache + ?Sized>(&mut self, cache: &C, key: &str) -> Option<Entry<String>> {
        match cache.get_text(key).await {
            Ok(entry) => entry.filter(|entry| self.accepts(&entry.value)),
            Err(error) => {
                warn!(key, "{error}; the value is computed");
                None
            }
        }
    }

    pub(crate) async fn look<C: Cache + ?Sized>(&mut self, cache: &C, key: &str) -> Option<String> {
        self.look_at(cache, key).await.map(|entry| entry.value)
    }
}

impl Made {
    pub(crate) async fn keep<C: Cache + ?Sized>(&self, cache: &C, key: &str) {
        if self.absent {
            return;
        }
        if let Err(error) = cache.put_text(key, self.value.clone(), self.ttl).await {
            warn!(key, "{error}; the computed value is not stored");
        }
    }
}

impl fmt::Debug for Fill<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fill").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}
