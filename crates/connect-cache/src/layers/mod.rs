mod builder;
#[cfg(feature = "encryption")]
mod encrypted;
mod guard;
mod limits;
mod metered;
mod namespaced;
mod single_flight;
mod sweep;
#[cfg(feature = "memory")]
mod two_level;

pub use builder::Layers;
#[cfg(feature = "encryption")]
pub use encrypted::{Encrypted, EncryptionKey};
pub use guard::Guard;
pub use limits::Limits;
pub use metered::Metered;
pub use namespaced::Namespaced;
pub use single_flight::SingleFlight;
pub use sweep::Sweep;
#[cfg(feature = "memory")]
pub use two_level::TwoLevel;

/// The methods of [`Cache`](crate::Cache) that a layer leaves to `self.inner`.
macro_rules! forward {
    ($($method:ident),+) => { $($crate::layers::forward!(@ $method);)+ };
    (@ get_text) => {
        fn get_text<'a>(&'a self, key: &'a str) -> $crate::BoxFuture<'a, Option<$crate::Entry<String>>> {
            self.inner.get_text(key)
        }
    };
    (@ put_text) => {
        fn put_text<'a>(
            &'a self,
            key: &'a str,
            value: String,
            ttl: Option<std::time::Duration>,
        ) -> $crate::BoxFuture<'a, ()> {
            self.inner.put_text(key, value, ttl)
        }
    };
    (@ add_text) => {
        fn add_text<'a>(
            &'a self,
            key: &'a str,
            value: String,
            ttl: Option<std::time::Duration>,
        ) -> $crate::BoxFuture<'a, bool> {
            self.inner.add_text(key, value, ttl)
        }
    };
    (@ touch_text) => {
        fn touch_text<'a>(
            &'a self,
            key: &'a str,
            ttl: std::time::Duration,
        ) -> $crate::BoxFuture<'a, Option<String>> {
            self.inner.touch_text(key, ttl)
        }
    };
    (@ has) => {
        fn has<'a>(&'a self, key: &'a str) -> $crate::BoxFuture<'a, bool> {
            self.inner.has(key)
        }
    };
    (@ delete) => {
        fn delete<'a>(&'a self, key: &'a str) -> $crate::BoxFuture<'a, ()> {
            self.inner.delete(key)
        }
    };
    (@ flush_prefix) => {
        fn flush_prefix<'a>(&'a self, prefix: &'a str, flush: $crate::Flush) -> $crate::BoxFuture<'a, ()> {
            self.inner.flush_prefix(prefix, flush)
        }
    };
}
pub(crate) use forward;
