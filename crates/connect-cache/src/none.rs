use std::time::Duration;

use serde_json::Value;

use crate::{CacheError, Driver};

/// The cache that stores nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoneCache;

impl Driver for NoneCache {
    async fn load(&self, _: &str) -> Result<Option<Value>, CacheError> {
        Ok(None)
    }

    async fn store(&self, _: &str, _: Value, _: Option<Duration>) -> Result<(), CacheError> {
        Ok(())
    }

    async fn remove(&self, _: &str) -> Result<(), CacheError> {
        Ok(())
    }

    async fn clear(&self, _: bool) -> Result<(), CacheError> {
        Ok(())
    }
}
