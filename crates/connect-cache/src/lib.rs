#![doc = include_str!("../README.md")]

mod cache;
#[cfg(any(feature = "file", feature = "sqlite", feature = "memcached"))]
mod clock;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
#[cfg(any(feature = "file", feature = "memcached", feature = "postgres", feature = "mysql"))]
mod digest;
mod driver;
mod drivers;
mod entry;
mod error;
#[cfg(feature = "file")]
mod file;
mod fill;
mod layers;
#[cfg(any(feature = "file", feature = "sqlite"))]
mod legacy;
#[cfg(feature = "memcached")]
mod memcached;
#[cfg(feature = "memory")]
mod memory;
mod metrics;
#[cfg(feature = "mysql")]
mod mysql;
mod none;
#[cfg(feature = "postgres")]
mod postgres;
mod provider;
#[cfg(feature = "redis")]
mod redis;
#[cfg_attr(
    not(all(
        feature = "memory",
        feature = "file",
        feature = "sqlite",
        feature = "redis",
        feature = "postgres",
        feature = "mysql",
        feature = "memcached"
    )),
    allow(dead_code, reason = "each driver reads what it needs, and not all are compiled in")
)]
mod settings;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod typed;

#[cfg(feature = "redis")]
pub use self::redis::RedisCache;
pub use cache::{BoxFuture, Cache};
pub use driver::Driver;
pub use drivers::Drivers;
pub use entry::{Entry, Flush};
pub use error::{CacheError, ComputeError};
#[cfg(feature = "file")]
pub use file::FileCache;
pub use fill::{Fill, Filled};
#[cfg(feature = "memory")]
pub use layers::TwoLevel;
#[cfg(feature = "encryption")]
pub use layers::{Encrypted, EncryptionKey};
pub use layers::{Guard, Layers, Limits, Metered, Namespaced, SingleFlight, Sweep};
#[cfg(feature = "memcached")]
pub use memcached::MemcachedCache;
#[cfg(feature = "memory")]
pub use memory::MemoryCache;
pub use metrics::{LatencySnapshot, Metrics, MetricsSnapshot};
#[cfg(feature = "mysql")]
pub use mysql::MysqlCache;
pub use none::NoneCache;
#[cfg(feature = "postgres")]
pub use postgres::PostgresCache;
pub use provider::CacheServiceProvider;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteCache;
pub use typed::CacheExt;

/// How long an entry lives where nobody says how long: the original's 15 minutes.
pub const DEFAULT_TTL: std::time::Duration = std::time::Duration::from_secs(900);
