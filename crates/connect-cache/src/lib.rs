#![doc = include_str!("../README.md")]

mod cache;
#[cfg(any(feature = "file", feature = "sqlite"))]
mod clock;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
#[cfg(feature = "file")]
mod digest;
mod driver;
mod drivers;
mod entry;
mod error;
#[cfg(feature = "file")]
mod file;
mod fill;
#[cfg(feature = "memory")]
mod memory;
mod none;
mod provider;
#[allow(dead_code, reason = "each driver reads what it needs, and not all are compiled in")]
mod settings;
#[cfg(feature = "sqlite")]
mod sqlite;
mod typed;

pub use cache::{BoxFuture, Cache};
pub use driver::Driver;
pub use drivers::Drivers;
pub use entry::{Entry, Flush};
pub use error::{CacheError, ComputeError};
#[cfg(feature = "file")]
pub use file::FileCache;
pub use fill::{Fill, Filled};
#[cfg(feature = "memory")]
pub use memory::MemoryCache;
pub use none::NoneCache;
pub use provider::CacheServiceProvider;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteCache;
pub use typed::CacheExt;

/// How long an entry lives where nobody says how long: the original's 15 minutes.
pub const DEFAULT_TTL: std::time::Duration = std::time::Duration::from_secs(900);
