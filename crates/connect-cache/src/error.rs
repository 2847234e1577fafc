use connect_container::ConfigError;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a cache can't do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The variables of the cache are not right.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No driver of that name.
    #[error("there is no cache driver \"{name}\": CACHE_DRIVER has to be one of {known}")]
    UnknownDriver {
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A value can't be written as JSON, or what is stored is not the type asked for.
    #[error("the value of \"{key}\" does not fit: {reason}")]
    Value {
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
    /// Where the entries are kept is not usable.
    #[error("the cache is not usable: {0}")]
    Storage(BoxError),
}

impl CacheError {
    /// Where a driver keeps its entries is not usable.
    pub fn storage(error: impl Into<BoxError>) -> Self {
        Self::Storage(error.into())
    }
}
