use std::time::Duration;

use crate::{BoxFuture, Cache, Entry, Fill, Filled, Flush};

/// A part of a cache with keys of its own: one for each account, say. A flush takes out its entries alone.
///
/// Its keys begin with `@`, its name, and `/`; keys outside of any namespace should not begin so.
///
/// ```
/// use std::sync::Arc;
/// use connect_cache::{Cache, CacheExt, Flush, Namespaced, NoneCache};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), connect_cache::CacheError> {
/// let cache: Arc<dyn Cache> = Arc::new(NoneCache);
/// let account = Namespaced::new(cache, "VA-000-000");
/// account.put("token", &"abc", None).await?;
/// account.flush(Flush::All).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Namespaced<C> {
    inner: C,
    prefix: String,
}

impl<C: Cache> Namespaced<C> {
    /// The part of a cache that has this name.
    pub fn new(cache: C, name: &str) -> Self {
        // So that no name is the beginning of another one's keys.
        let name = name.replace('%', "%25").replace('/', "%2F");
        Self { inner: cache, prefix: format!("@{name}/") }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

impl<C: Cache> Cache for Namespaced<C> {
    fn get_text<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Entry<String>>> {
        Box::pin(async move { self.inner.get_text(&self.key(key)).await })
    }

    fn put_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.inner.put_text(&self.key(key), value, ttl).await })
    }

    fn add_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, bool> {
        Box::pin(async move { self.inner.add_text(&self.key(key), value, ttl).await })
    }

    fn touch_text<'a>(&'a self, key: &'a str, ttl: Duration) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move { self.inner.touch_text(&self.key(key), ttl).await })
    }

    fn has<'a>(&'a self, key: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move { self.inner.has(&self.key(key)).await })
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.inner.delete(&self.key(key)).await })
    }

    fn flush_prefix<'a>(&'a self, prefix: &'a str, flush: Flush) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.inner.flush_prefix(&self.key(prefix), flush).await })
    }

    fn fill<'a>(&'a self, key: &'a str, fill: Fill<'a>) -> Filled<'a> {
        Box::pin(async move {
            let key = self.key(key);
            // `fill` asks for one lifetime, and the key lives shorter than what is passed on.
            self.inner.fill(&key, fill.narrow()).await
        })
    }
}
