use connect_container::{Bindings, BoxError, ServiceProvider};

use crate::{Drivers, Metrics};

/// Binds `Arc<dyn Cache>`: the driver that `CACHE_DRIVER` or `CACHE_URL` names, of those that are compiled in, with the
/// [`Layers`](crate::Layers) around it; and the [`Metrics`] of it.
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
        bind.instance(Metrics::default());
        bind.shared(|resolver| {
            let drivers = Drivers::new().metrics(resolver.get()?);
            drivers.open(&resolver.get()?, &resolver.get()?).map_err(BoxError::from)
        });
    }
}
