use std::{error::Error as StdError, future::Future, pin::Pin, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::CacheError;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, CacheError>> + Send + 'a>>;

/// A cache, whatever it keeps its entries in: `Arc<dyn Cache>`. [`CacheExt`] adds typed values.
///
/// Every driver means the same: an expired entry is absent, `null` is not stored, and where no time to live is given it
/// is the driver's own, [`DEFAULT_TTL`](crate::DEFAULT_TTL) unless set otherwise. One implements [`Driver`] instead.
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
    /// The value of a key, if it has not expired.
    fn get_value<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Value>>;

    /// Stores a value, for so long; `null` takes the entry out.
    fn put_value<'a>(&'a self, key: &'a str, value: Value, ttl: Option<Duration>) -> BoxFuture<'a, ()>;

    /// Takes an entry out.
    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()>;

    /// Takes all entries out, or only the expired ones.
    fn flush(&self, expired_only: bool) -> BoxFuture<'_, ()>;
}

/// Where a cache keeps its entries.
///
/// ```
/// use std::{collections::HashMap, sync::Mutex, time::Duration};
/// use connect_cache::{CacheError, Driver};
/// use serde_json::Value;
///
/// /// Never expires: good enough for a test.
/// #[derive(Default)]
/// struct MapCache(Mutex<HashMap<String, Value>>);
///
/// impl Driver for MapCache {
///     async fn load(&self, key: &str) -> Result<Option<Value>, CacheError> {
///         Ok(self.0.lock().unwrap().get(key).cloned())
///     }
///
///     async fn store(&self, key: &str, value: Value, _: Option<Duration>) -> Result<(), CacheError> {
///         self.0.lock().unwrap().insert(key.to_owned(), value);
///         Ok(())
///     }
///
///     async fn remove(&self, key: &str) -> Result<(), CacheError> {
///         self.0.lock().unwrap().remove(key);
///         Ok(())
///     }
///
///     async fn clear(&self, expired_only: bool) -> Result<(), CacheError> {
///         if !expired_only {
///             self.0.lock().unwrap().clear();
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Driver: Send + Sync + 'static {
    /// The value of a key, if it has not expired.
    fn load(&self, key: &str) -> impl Future<Output = Result<Option<Value>, CacheError>> + Send;

    /// Stores a value that is not `null`, for so long, or for the driver's own time to live.
    fn store(
        &self,
        key: &str,
        value: Value,
        ttl: Option<Duration>,
    ) -> impl Future<Output = Result<(), CacheError>> + Send;

    /// Takes an entry out.
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), CacheError>> + Send;

    /// Takes all entries out, or only the expired ones.
    fn clear(&self, expired_only: bool) -> impl Future<Output = Result<(), CacheError>> + Send;
}

impl<D: Driver> Cache for D {
    fn get_value<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Value>> {
        Box::pin(self.load(key))
    }

    fn put_value<'a>(&'a self, key: &'a str, value: Value, ttl: Option<Duration>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if value.is_null() { self.remove(key).await } else { self.store(key, value, ttl).await }
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(self.remove(key))
    }

    fn flush(&self, expired_only: bool) -> BoxFuture<'_, ()> {
        Box::pin(self.clear(expired_only))
    }
}

/// Typed values on top of a [`Cache`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// use connect_cache::{Cache, CacheExt, NoneCache};
///
/// let cache: &dyn Cache = &NoneCache;
/// let token: String = cache
///     .get_or_try_insert_with("token", None, async || Ok::<_, std::io::Error>("abc".to_owned()))
///     .await?;
/// assert_eq!(token, "abc");
/// # Ok(())
/// # }
/// ```
pub trait CacheExt: Cache {
    /// The value of a key, if it has not expired.
    fn get<T: DeserializeOwned>(
        &self,
        key: &str,
    ) -> impl Future<Output = Result<Option<T>, CacheError>> + Send {
        async move {
            let Some(value) = self.get_value(key).await? else { return Ok(None) };
            serde_json::from_value(value).map(Some).map_err(|error| unfit(key, &error))
        }
    }

    /// Whether there is a value that has not expired.
    fn has(&self, key: &str) -> impl Future<Output = Result<bool, CacheError>> + Send {
        async move { Ok(self.get_value(key).await?.is_some()) }
    }

    /// Stores a value, for so long or for the driver's own time to live.
    fn put<T: Serialize + Sync + ?Sized>(
        &self,
        key: &str,
        value: &T,
        ttl: Option<Duration>,
    ) -> impl Future<Output = Result<(), CacheError>> + Send {
        let value = serde_json::to_value(value).map_err(|error| unfit(key, &error));
        async move { self.put_value(key, value?, ttl).await }
    }

    /// The value of a key, or else what the function makes, which is then stored.
    fn get_or_try_insert_with<T, E, F, Fut>(
        &self,
        key: &str,
        ttl: Option<Duration>,
        make: F,
    ) -> impl Future<Output = Result<T, Box<dyn StdError + Send + Sync>>> + Send
    where
        T: Serialize + DeserializeOwned + Send + Sync,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        async move {
            if let Some(value) = self.get(key).await? {
                return Ok(value);
            }
            let value = make().await.map_err(Into::into)?;
            self.put(key, &value, ttl).await?;
            Ok(value)
        }
    }
}

impl<C: Cache + ?Sized> CacheExt for C {}

fn unfit(key: &str, error: &serde_json::Error) -> CacheError {
    CacheError::Value { key: key.to_owned(), reason: error.to_string() }
}
