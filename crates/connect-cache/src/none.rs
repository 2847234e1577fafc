use std::time::Duration;

use crate::{CacheError, Driver, Entry, Flush};

/// The cache that stores nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoneCache;

impl Driver for NoneCache {
    async fn load(&self, _: &str) -> Result<Option<Entry<String>>, CacheError> {
        Ok(None)
    }

    async fn store(&self, _: &str, _: String, _: Duration) -> Result<(), CacheError> {
        Ok(())
    }

    async fn remove(&self, _: &str) -> Result<(), CacheError> {
        Ok(())
    }

    async fn clear(&self, _: &str, _: Flush) -> Result<(), CacheError> {
        Ok(())
    }
}
