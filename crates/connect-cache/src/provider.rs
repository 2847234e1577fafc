use connect_container::{Bindings, ServiceProvider};

use crate::Drivers;

/// Binds `Arc<dyn Cache>`: the driver that `CACHE_DRIVER` or `CACHE_URL` names, of those that are compiled in, with the
/// [`Layers`](crate::Layers) around it; and the [`Metrics`](crate::Metrics) of it.
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
        Drivers::new().register(bind);
    }
}
