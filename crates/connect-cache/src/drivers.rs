use std::{collections::BTreeMap, fmt, sync::Arc};

use connect_container::{Config, Logger};

use crate::{Cache, CacheError, NoneCache};

type Open = Box<dyn Fn(&Config) -> Result<Arc<dyn Cache>, CacheError> + Send + Sync>;

/// The drivers that `CACHE_DRIVER` can name; `none` is always one of them.
///
/// ```
/// use connect_cache::{Cache, Drivers, NoneCache};
/// use connect_container::{Config, Logger};
///
/// let config: Config = [("CACHE_DRIVER", "mine")].into_iter().collect();
/// let cache = Drivers::new().with("mine", |_| Ok(NoneCache)).open(&config, &Logger::current())?;
/// # Ok::<(), connect_cache::CacheError>(())
/// ```
pub struct Drivers(BTreeMap<String, Open>);

impl Drivers {
    /// `none` alone.
    #[must_use]
    pub fn new() -> Self {
        Self(BTreeMap::new()).with("none", |_| Ok(NoneCache))
    }

    /// Adds a driver; one of that name is replaced.
    #[must_use]
    pub fn with<C: Cache>(
        mut self,
        name: impl Into<String>,
        open: impl Fn(&Config) -> Result<C, CacheError> + Send + Sync + 'static,
    ) -> Self {
        let open = move |config: &Config| Ok(Arc::new(open(config)?) as Arc<dyn Cache>);
        self.0.insert(name.into(), Box::new(open));
        self
    }

    /// Opens the driver that `CACHE_DRIVER` names, `none` where it names none.
    ///
    /// An unknown driver, or one that can't be opened, is logged as an error and `none` takes its place, as in the
    /// original; with `CACHE_REQUIRED=true` it is the error.
    pub fn open(&self, config: &Config, logger: &Logger) -> Result<Arc<dyn Cache>, CacheError> {
        let required = config.parse::<bool>("CACHE_REQUIRED")?.unwrap_or(false);
        let name = config.get("CACHE_DRIVER").unwrap_or("none");
        let unknown = || CacheError::UnknownDriver {
            name: name.to_owned(),
            known: self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        };
        match self.0.get(name).ok_or_else(unknown).and_then(|open| open(config)) {
            Err(error) if !required => {
                logger.error(format_args!("{error}; nothing is cached"));
                Ok(Arc::new(NoneCache))
            }
            end => end,
        }
    }
}

impl Default for Drivers {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Drivers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Drivers").field(&self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(variables: &[(&str, &str)]) -> Result<Arc<dyn Cache>, CacheError> {
        let broken = |_: &Config| Err::<NoneCache, _>(CacheError::storage("the disk is gone"));
        let config = variables.iter().copied().collect();
        Drivers::new().with("broken", broken).open(&config, &Logger::current())
    }

    #[test]
    fn what_can_not_be_opened_is_none_unless_it_is_required() {
        assert!(open(&[]).is_ok());
        assert!(open(&[("CACHE_DRIVER", "broken")]).is_ok());
        assert!(open(&[("CACHE_DRIVER", "nowhere")]).is_ok());
        let error = |driver| match open(&[("CACHE_DRIVER", driver), ("CACHE_REQUIRED", "true")]) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{driver} should not open"),
        };
        assert_eq!(error("broken"), "the cache is not usable: the disk is gone");
        assert_eq!(
            error("nowhere"),
            "there is no cache driver \"nowhere\": CACHE_DRIVER has to be one of broken, none"
        );
    }
}
