use std::{error::Error as StdError, fmt, sync::Arc};

use connect_container::ConfigError;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a cache can't do what it was asked to. It never shows a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The variables of the cache are not right; each problem is named.
    #[error("{}", .problems.join("; "))]
    Config {
        /// One text for each problem.
        problems: Vec<String>,
    },
    /// A value can't be written as JSON.
    #[error("the value of \"{key}\" can't be written as JSON: {reason}")]
    Value {
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
    /// A value is larger than the driver, or the limit that was set, allows.
    #[error("the value of \"{key}\" has {size} bytes, more than the {limit} that fit")]
    TooLarge {
        /// The key.
        key: String,
        /// The bytes of the value.
        size: usize,
        /// The bytes that fit.
        limit: usize,
    },
    /// An entry can't live for no time at all.
    #[error("the entry \"{key}\" has a time to live of zero; to take it out, delete it")]
    ZeroTtl {
        /// The key.
        key: String,
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

    /// The variables are not right.
    pub fn config(problem: impl Into<String>) -> Self {
        Self::Config { problems: vec![problem.into()] }
    }
}

impl From<ConfigError> for CacheError {
    fn from(error: ConfigError) -> Self {
        Self::Config { problems: error.problems().to_vec() }
    }
}

/// Why a value could not be computed: the error of the function that computes it.
///
/// It reads like the original, and is shared by all who waited for the same value.
#[derive(Clone)]
pub struct ComputeError(Arc<BoxError>);

impl ComputeError {
    pub(crate) fn new(error: impl Into<BoxError>) -> Self {
        Self(Arc::new(error.into()))
    }

    /// The original error, if it is of this type.
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for ComputeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ComputeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for ComputeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}
