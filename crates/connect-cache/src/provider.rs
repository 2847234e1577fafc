use connect_container::{Bindings, BoxError, Config, Logger, ServiceProvider};

use crate::Drivers;

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
            Drivers::new()
                .open(&resolver.get::<Config>()?, &resolver.get::<Logger>()?)
                .map_err(BoxError::from)
        });
    }
}
