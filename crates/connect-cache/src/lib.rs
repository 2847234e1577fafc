#![doc = include_str!("../README.md")]

mod cache;
mod drivers;
mod error;
mod none;
mod provider;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use cache::{Cache, CacheExt, Driver};
pub use drivers::Drivers;
pub use error::CacheError;
pub use none::NoneCache;
pub use provider::CacheServiceProvider;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteCache;

/// How long an entry lives where nobody says how long: the original's 15 minutes.
pub const DEFAULT_TTL: std::time::Duration = std::time::Duration::from_secs(900);
