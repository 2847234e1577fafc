use std::{borrow::Cow, collections::BTreeMap, fmt, sync::Arc, time::Duration};

use connect_container::{Bindings, BoxError, Config, Logger, ServiceProvider};

use crate::{
    Cache, CacheError, Layers, Metrics, NoneCache, SingleFlight,
    settings::{Settings, Switch},
};

/// All that this crate has, each a cargo feature.
const FEATURES: [&str; 8] = ["none", "memory", "file", "sqlite", "redis", "postgres", "mysql", "memcached"];

/// How long a cache that is required may take to answer at the start.
const TRIAL: Duration = Duration::from_secs(10);

/// A driver of this crate: reads the settings, so that all that is wrong with them is told at once.
type Given = fn(&mut Settings<'_>) -> Result<Arc<dyn Cache>, CacheError>;
type Own = Arc<dyn Fn(&Config) -> Result<Arc<dyn Cache>, CacheError> + Send + Sync>;

#[derive(Clone)]
enum Open {
    Given(Given),
    Own(Own),
}

/// The drivers that `CACHE_DRIVER` can name, or the scheme of `CACHE_URL`: those that are compiled in, and your own.
///
/// ```
/// use connect_cache::{Cache, Drivers, NoneCache};
/// use connect_container::{Config, Logger};
///
/// let config: Config = [("CACHE_DRIVER", "mine")].into_iter().collect();
/// let cache = Drivers::new().with("mine", |_| Ok(NoneCache)).open(&config, &Logger::current())?;
/// # Ok::<(), connect_cache::CacheError>(())
/// ```
///
/// They are a service provider as well: `Extension::provider(Drivers::new().with(…))` binds the cache they open.
#[derive(Clone)]
pub struct Drivers {
    known: BTreeMap<String, Open>,
    metrics: Metrics,
}

impl Drivers {
    /// Those that are compiled in; `none` always is.
    #[must_use]
    pub fn new() -> Self {
        let given: &[(&str, Given)] = &[
            ("none", |_| Ok(Arc::new(NoneCache))),
            #[cfg(feature = "memory")]
            ("memory", |settings| Ok(Arc::new(crate::MemoryCache::configure(settings)?))),
            #[cfg(feature = "file")]
            ("file", |settings| Ok(Arc::new(crate::FileCache::configure(settings)?))),
            #[cfg(feature = "sqlite")]
            ("sqlite", |settings| Ok(Arc::new(crate::SqliteCache::configure(settings)?))),
            #[cfg(feature = "redis")]
            ("redis", |settings| Ok(Arc::new(crate::RedisCache::configure(settings)?))),
            #[cfg(feature = "postgres")]
            ("postgres", |settings| Ok(Arc::new(crate::PostgresCache::configure(settings)?))),
            #[cfg(feature = "mysql")]
            ("mysql", |settings| Ok(Arc::new(crate::MysqlCache::configure(settings)?))),
            #[cfg(feature = "memcached")]
            ("memcached", |settings| Ok(Arc::new(crate::MemcachedCache::configure(settings)?))),
        ];
        let known = given.iter().map(|(name, open)| ((*name).to_owned(), Open::Given(*open))).collect();
        Self { known, metrics: Metrics::default() }
    }

    /// Adds a driver; one of that name is replaced.
    #[must_use]
    pub fn with<C: Cache>(
        mut self,
        name: impl Into<String>,
        open: impl Fn(&Config) -> Result<C, CacheError> + Send + Sync + 'static,
    ) -> Self {
        let open = move |config: &Config| Ok(Arc::new(open(config)?) as Arc<dyn Cache>);
        self.known.insert(name.into(), Open::Own(Arc::new(open)));
        self
    }

    /// Where it is counted what the cache does.
    #[must_use]
    pub fn metrics(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// Opens the driver that `CACHE_DRIVER` or the scheme of `CACHE_URL` names, `none` where neither is set, with the
    /// [`Layers`] around it.
    ///
    /// An unknown driver, or one that can't be opened, is logged as an error and `none` takes its place, as in the
    /// original; with `CACHE_REQUIRED=true` it is the error, and so is a server that does not answer. All that is wrong with the variables is told in one.
    pub fn open(&self, config: &Config, logger: &Logger) -> Result<Arc<dyn Cache>, CacheError> {
        let mut settings = Settings::new(config);
        let Switch(required) = settings.parse_or("CACHE_REQUIRED", "", Switch(false));
        let layers = Layers::configure(&mut settings);
        match self.open_settings(&mut settings, required) {
            Ok((name, cache)) => {
                logger.debug(format_args!("the cache is {name}"));
                Ok(layers.around(cache, &self.metrics))
            }
            Err(error) if required => Err(error),
            Err(error) => {
                logger.error(format_args!("{error}; nothing is cached"));
                Ok(Arc::new(SingleFlight::new(NoneCache).metrics(self.metrics.clone())))
            }
        }
    }

    fn open_settings(
        &self,
        settings: &mut Settings<'_>,
        required: bool,
    ) -> Result<(String, Arc<dyn Cache>), CacheError> {
        let name = self.name(settings);
        let Some(open) = self.known.get(&*name) else {
            let known = self.known.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let hint = if FEATURES.contains(&&*name) {
                format!("; {name} is a cargo feature of connect-cache that is off")
            } else {
                String::new()
            };
            settings
                .problem(format!("there is no cache driver \"{name}\": it has to be one of {known}{hint}"));
            return Err(settings.check().err().unwrap_or_else(|| CacheError::config("no driver")));
        };
        let cache = match open {
            Open::Given(open) => {
                let cache = open(settings).and_then(|cache| settings.check().map(|()| cache))?;
                if required {
                    try_out(*open, settings.config())?;
                }
                cache
            }
            Open::Own(open) => {
                settings.check()?;
                open(settings.config())?
            }
        };
        Ok((name.into_owned(), cache))
    }

    fn name<'a>(&self, settings: &mut Settings<'a>) -> Cow<'a, str> {
        let named = settings.config().get("CACHE_DRIVER").map(|name| {
            // The original's names have no capitals; a driver of one's own may.
            if self.known.contains_key(name) {
                Cow::Borrowed(name)
            } else {
                alias(&name.to_ascii_lowercase())
            }
        });
        let scheme = settings.url().map(|url| alias(url.scheme()));
        match (named, scheme) {
            (Some(named), Some(scheme)) if named != scheme => {
                settings
                    .problem(format!("CACHE_DRIVER says {named} and CACHE_URL says {scheme}: leave one out"));
                named
            }
            (named, scheme) => named.or(scheme).unwrap_or(Cow::Borrowed("none")),
        }
    }
}

/// Whether a cache answers: asked on a thread of its own, since the caller may be anywhere, and by a cache of its own, since
/// connections belong to the runtime that made them.
fn try_out(open: Given, config: &Config) -> Result<(), CacheError> {
    let ask = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(CacheError::storage)?.block_on(async {
            let cache = open(&mut Settings::new(config))?;
            let late = |_| CacheError::storage(format!("it does not answer within {TRIAL:?}"));
            tokio::time::timeout(TRIAL, cache.has("connect-cache:trial")).await.map_err(late)?.map(|_| ())
        })
    };
    let ended = |_| CacheError::storage("its trial ended without an answer");
    std::thread::scope(|scope| scope.spawn(ask).join()).map_err(ended)?
}

/// The driver's name for other words that mean it.
fn alias<'a>(name: &str) -> Cow<'a, str> {
    match name {
        "rediss" | "valkey" | "valkeys" => Cow::Borrowed("redis"),
        "postgresql" => Cow::Borrowed("postgres"),
        "mariadb" => Cow::Borrowed("mysql"),
        "memcache" => Cow::Borrowed("memcached"),
        name => Cow::Owned(name.to_owned()),
    }
}

impl ServiceProvider for Drivers {
    fn register(&self, bind: &mut Bindings) {
        bind.instance(self.metrics.clone());
        let drivers = self.clone();
        bind.shared(move |resolver| drivers.open(&resolver.get()?, &resolver.get()?).map_err(BoxError::from));
    }
}

impl Default for Drivers {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Drivers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Drivers").field(&self.known.keys()).finish()
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

    fn error(variables: &[(&str, &str)]) -> String {
        let variables = [variables, &[("CACHE_REQUIRED", "True")]].concat();
        match open(&variables) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{variables:?} should not open"),
        }
    }

    #[test]
    fn what_can_not_be_opened_is_none_unless_it_is_required() {
        assert!(open(&[]).is_ok());
        assert!(open(&[("CACHE_DRIVER", "None ")]).is_ok());
        assert!(open(&[("CACHE_DRIVER", "broken")]).is_ok());
        assert!(open(&[("CACHE_DRIVER", "nowhere")]).is_ok());
        assert_eq!(error(&[("CACHE_DRIVER", "broken")]), "the cache is not usable: the disk is gone");
        let text = error(&[("CACHE_DRIVER", "nowhere")]);
        assert!(
            text.starts_with("there is no cache driver \"nowhere\": it has to be one of broken, "),
            "{text}"
        );
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_and_no_value_shown() {
        let text = error(&[("CACHE_DRIVER", "nowhere"), ("CACHE_URL", "redis://user:canary@")]);
        assert!(text.contains("there is no cache driver") && text.contains("CACHE_URL"), "{text}");
        assert!(!text.contains("canary"), "{text}");
        let text = error(&[("CACHE_DRIVER", "none"), ("CACHE_URL", "sqlite:///x")]);
        assert_eq!(text, "CACHE_DRIVER says none and CACHE_URL says sqlite: leave one out");
    }
}
