use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{CacheError, Entry, Fill, Flush, fill::Filled};

/// What the methods of a [`Cache`] return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, CacheError>> + Send + 'a>>;

/// A cache, whatever it keeps its entries in: `Arc<dyn Cache>`. [`CacheExt`](crate::CacheExt) adds typed values.
///
/// Every driver means the same: a key is any text; an expired entry is absent; where no time to live is given it is
/// [`DEFAULT_TTL`](crate::DEFAULT_TTL) unless set otherwise, and zero is an error. Who adds a driver implements
/// [`Driver`](crate::Driver) instead; what stands in front of a cache implements this.
///
/// ```
/// use std::sync::Arc;
/// use connect_cache::{Cache, CacheError, CacheExt, NoneCache};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), CacheError> {
/// let cache: Arc<dyn Cache> = Arc::new(NoneCache);
/// cache.put("token", &"abc", None).await?;
/// assert_eq!(cache.get::<String>("token").await?, None, "this one stores nothing");
/// # Ok(())
/// # }
/// ```
pub trait Cache: Send + Sync + 'static {
    /// The JSON text of a key that has not expired, with the time it has left where that is known.
    fn get_text<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Entry<String>>>;

    /// Stores JSON text, for so long or for the default time to live.
    fn put_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, ()>;

    /// Stores JSON text where the key has none, and says whether it did: of many who try, one succeeds.
    fn add_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, bool>;

    /// The JSON text of a key, which lives for so long from now on.
    fn touch_text<'a>(&'a self, key: &'a str, ttl: Duration) -> BoxFuture<'a, Option<String>>;

    /// Whether there is an entry that has not expired.
    fn has<'a>(&'a self, key: &'a str) -> BoxFuture<'a, bool>;

    /// Takes an entry out; there may be none.
    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()>;

    /// Takes out the entries whose key begins with a prefix, all of them or only the expired ones.
    fn flush_prefix<'a>(&'a self, prefix: &'a str, flush: Flush) -> BoxFuture<'a, ()>;

    /// The value of a key, or else what [`Fill`] makes, which is then stored.
    ///
    /// A cache that fails is one that has nothing: the value is made all the same.
    fn fill<'a>(&'a self, key: &'a str, fill: Fill<'a>) -> Filled<'a> {
        Box::pin(async move {
            let mut fill = fill;
            if let Some(value) = fill.look(self, key).await {
                return Ok(value);
            }
            let made = fill.make().await?;
            made.keep(self, key).await;
            Ok(made.value)
        })
    }
}

impl<C: Cache + ?Sized> Cache for Arc<C> {
    fn get_text<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Entry<String>>> {
        (**self).get_text(key)
    }

    fn put_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, ()> {
        (**self).put_text(key, value, ttl)
    }

    fn add_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, bool> {
        (**self).add_text(key, value, ttl)
    }

    fn touch_text<'a>(&'a self, key: &'a str, ttl: Duration) -> BoxFuture<'a, Option<String>> {
        (**self).touch_text(key, ttl)
    }

    fn has<'a>(&'a self, key: &'a str) -> BoxFuture<'a, bool> {
        (**self).has(key)
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()> {
        (**self).delete(key)
    }

    fn flush_prefix<'a>(&'a self, prefix: &'a str, flush: Flush) -> BoxFuture<'a, ()> {
        (**self).flush_prefix(prefix, flush)
    }

    fn fill<'a>(&'a self, key: &'a str, fill: Fill<'a>) -> Filled<'a> {
        (**self).fill(key, fill)
    }
}
