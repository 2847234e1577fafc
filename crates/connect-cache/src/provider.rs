use std::sync::Arc;

use connect_container::{Bindings, Config, Logger, ServiceProvider};

use crate::{Cache, CacheError, Drivers};

/// Binds `Arc<dyn Cache>`: the driver that `CACHE_DRIVER` names, of those that are compiled in.
///
/// ```
/// use std::sync::Arc;
/// use connect_cache::{Cache, CacheServiceProvider};
/// use connect_container::{Container, Logger};
///
/// let container = Container::builder()
///     .bind(|bind| { bind.instance(Logger::current()); })
///     .provider(CacheServiceProvider)
///     .build()?;
/// let cache = container.get::<Arc<dyn Cache>>()?;
/// # Ok::<(), connect_container::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CacheServiceProvider;

impl ServiceProvider for CacheServiceProvider {
    fn register(&self, bind: &mut Bindings) {
        bind.shared(|resolver| {
            let drivers = Drivers::new();
            #[cfg(feature = "sqlite")]
            let drivers = drivers.with("sqlite", crate::SqliteCache::from_config);
            let cache = drivers.open(&resolver.get::<Config>()?, &resolver.get::<Logger>()?);
            cache.map_err(|error: CacheError| Box::new(error) as connect_container::BoxError)
                as Result<Arc<dyn Cache>, connect_container::BoxError>
        });
    }
}
