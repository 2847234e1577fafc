use std::{future::Future, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use tracing::warn;

use crate::{Cache, CacheError, ComputeError, Entry, Fill, Flush, error::BoxError, fill::NULL};

/// Typed values on top of a [`Cache`].
///
/// What is stored and not of the type asked for, say from before a deployment, is logged and absent.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
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
        async move { Ok(self.get_text(key).await?.and_then(|entry| read(key, &entry.value))) }
    }

    /// The value of a key, or the default, which is not stored.
    fn get_or<T: DeserializeOwned + Send>(
        &self,
        key: &str,
        default: T,
    ) -> impl Future<Output = Result<T, CacheError>> + Send {
        async move { Ok(self.get(key).await?.unwrap_or(default)) }
    }

    /// The value of a key, or else what the function computes, which is then stored: for as long as it says itself
    /// ([`Entry`]), or for `ttl`, or for the default time to live.
    ///
    /// `None` is not stored, unless its [`Entry`] says for how long. An error is passed on and not stored. A cache that
    /// fails is logged, and the value computed.
    fn get_or_try_insert_with<T, R, E, F, Fut>(
        &self,
        key: &str,
        ttl: Option<Duration>,
        compute: F,
    ) -> impl Future<Output = Result<T, ComputeError>> + Send
    where
        T: Serialize + DeserializeOwned + Send,
        R: Into<Entry<T>> + Send,
        E: Into<BoxError>,
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<R, E>> + Send,
    {
        async move {
            // Filled by whichever comes first: what is read, or what is computed.
            let slot = std::sync::Mutex::new(None);
            let put =
                |value: T| *slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(value);
            // `None` that is cached is a value here, and nothing for who only reads.
            let none = |text: &str| (text == NULL).then(|| serde_json::from_str(text).ok()).flatten();
            let accept = |text: &str| none(text).or_else(|| read(key, text)).map(put).is_some();
            let make = || {
                Box::pin(async move {
                    let entry: Entry<T> = compute().await.map_err(ComputeError::new)?.into();
                    let value = write(key, &entry.value).map_err(ComputeError::new)?;
                    put(entry.value);
                    Ok(Entry { value, ttl: entry.ttl })
                }) as std::pin::Pin<Box<dyn Future<Output = _> + Send + '_>>
            };
            let text = self.fill(key, Fill::new(ttl, accept, make)).await?;
            let value = slot.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
            value.map_or_else(|| serde_json::from_str(&text).map_err(ComputeError::new), Ok)
        }
    }

    /// Stores a value, for so long or for the default time to live. `None` takes the entry out.
    fn put<T: Serialize + Sync + ?Sized>(
        &self,
        key: &str,
        value: &T,
        ttl: Option<Duration>,
    ) -> impl Future<Output = Result<(), CacheError>> + Send {
        let text = write(key, value);
        async move {
            let text = text?;
            if text == NULL { self.delete(key).await } else { self.put_text(key, text, ttl).await }
        }
    }

    /// Stores a value where the key has none, and says whether it did: of many who try, one succeeds.
    fn add<T: Serialize + Sync + ?Sized>(
        &self,
        key: &str,
        value: &T,
        ttl: Option<Duration>,
    ) -> impl Future<Output = Result<bool, CacheError>> + Send {
        let text = write(key, value);
        async move { self.add_text(key, text?, ttl).await }
    }

    /// The value of a key, which lives for so long from now on.
    fn touch<T: DeserializeOwned>(
        &self,
        key: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<Option<T>, CacheError>> + Send {
        async move { Ok(self.touch_text(key, ttl).await?.and_then(|text| read(key, &text))) }
    }

    /// Takes all entries out, or only the expired ones: of this cache, not of others on the same server.
    fn flush(&self, flush: Flush) -> impl Future<Output = Result<(), CacheError>> + Send {
        async move { self.flush_prefix("", flush).await }
    }
}

impl<C: Cache + ?Sized> CacheExt for C {}

fn write<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<String, CacheError> {
    serde_json::to_string(value)
        .map_err(|error| CacheError::Value { key: key.to_owned(), reason: error.to_string() })
}

/// Says where the text does not fit, not what stands there: it may be a secret.
fn read<T: DeserializeOwned>(key: &str, text: &str) -> Option<T> {
    match serde_json::from_str::<Option<T>>(text) {
        Ok(value) => value,
        Err(error) => {
            let (problem, column) = (error.classify(), error.column());
            let wanted = std::any::type_name::<T>();
            warn!(
                key,
                "what is cached is not a {wanted} ({problem:?} error at column {column}): it is not used"
            );
            None
        }
    }
}
