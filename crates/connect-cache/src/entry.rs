use std::time::Duration;

/// A value and how long it is to live.
///
/// What computes a value may say so itself, which wins over what the caller gave:
///
/// ```
/// use std::time::Duration;
/// use connect_cache::{Cache, CacheExt, Entry, NoneCache};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cache = NoneCache;
/// let token: String = cache
///     .get_or_try_insert_with("token", None, async || {
///         let (token, expires_in) = ("abc".to_owned(), 3600);
///         Ok::<_, std::io::Error>(Entry::new(token).ttl(Duration::from_secs(expires_in)))
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    /// The value.
    pub value: T,
    /// How long it is to live; `None` where it says nothing about it.
    pub ttl: Option<Duration>,
}

impl<T> Entry<T> {
    /// A value that says nothing about how long it is to live.
    pub fn new(value: T) -> Self {
        Self { value, ttl: None }
    }

    /// Says how long it is to live.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
    }
}

impl<T> From<T> for Entry<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// What a flush takes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flush {
    /// All entries.
    All,
    /// Only those that have expired. A server that does so by itself has nothing to do.
    Expired,
}
