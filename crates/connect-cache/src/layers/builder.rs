use std::{sync::Arc, time::Duration};

use connect_container::Config;

use crate::{
    Cache, CacheError, DEFAULT_TTL, Guard, Limits, Metered, Metrics, Namespaced, SingleFlight, Sweep,
    layers::guard::{DEFAULT_FAILURES, DEFAULT_PAUSE, DEFAULT_TIMEOUT},
    settings::Settings,
};

/// How long other processes wait for the value that one of them computes.
const DEFAULT_LEASE: Duration = Duration::from_secs(5);
/// How often expired entries are taken out.
const DEFAULT_SWEEP: Duration = Duration::from_secs(300);
/// How many bytes the memory in front of a server takes.
#[cfg(feature = "memory")]
const DEFAULT_FRONT_SIZE: u64 = 16 * 1024 * 1024;

/// What stands between a driver and who uses it, by the variables:
///
/// | variable | default | |
/// |---|---|---|
/// | `CACHE_TTL` | 900 | seconds an entry lives where nobody says how long |
/// | `CACHE_NAMESPACE` | – | a name for the part of the cache that is this extension's: [`Namespaced`] |
/// | `CACHE_TIMEOUT` | 5 | seconds an operation may take: [`Guard`] |
/// | `CACHE_BREAKER_FAILURES` | 5 | failures in a row until the driver is not asked for a while |
/// | `CACHE_BREAKER_PAUSE` | 10 | how many seconds that is |
/// | `CACHE_MAX_VALUE_SIZE` | no limit | bytes of a value's JSON text: [`Limits`] |
/// | `CACHE_LEASE` | 5 | seconds to wait for a value that another process computes; 0 = don't: [`SingleFlight`] |
/// | `CACHE_REFRESH_AHEAD` | 0 | an entry with fewer seconds left is computed anew, by one |
/// | `CACHE_NEGATIVE_TTL` | 0 | seconds that `None` is cached for; 0 = it is not |
/// | `CACHE_FRONT_TTL` | 0 | seconds that entries are kept in memory as well, in front of the driver; 0 = not at all |
/// | `CACHE_FRONT_SIZE` | 16777216 | bytes that these may take |
/// | `CACHE_SWEEP` | 300 | seconds between two sweeps of what has expired; 0 = none: [`Sweep`] |
/// | `CACHE_ENCRYPTION_KEY` | – | 32 bytes as 64 hexadecimal digits or in Base64; several, with commas between: the first one encrypts |
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use connect_cache::{Cache, Layers, Metrics, NoneCache};
/// use connect_container::Config;
///
/// let config: Config = [("CACHE_TTL", "60"), ("CACHE_NAMESPACE", "shop")].into_iter().collect();
/// let cache: Arc<dyn Cache> = Layers::from_config(&config)?.around(NoneCache, &Metrics::default());
/// # Ok::<(), connect_cache::CacheError>(())
/// ```
#[derive(Debug)]
pub struct Layers {
    ttl: Duration,
    namespace: Option<String>,
    timeout: Duration,
    failures: u32,
    pause: Duration,
    largest: Option<usize>,
    lease: Duration,
    refresh_ahead: Duration,
    negative_ttl: Duration,
    #[cfg(feature = "memory")]
    front: Option<(Duration, u64)>,
    sweep: Duration,
    #[cfg(feature = "encryption")]
    keys: Vec<crate::EncryptionKey>,
}

impl Layers {
    /// As the variables say; all that is wrong with them is told at once.
    pub fn from_config(config: &Config) -> Result<Self, CacheError> {
        let mut settings = Settings::new(config);
        let layers = Self::configure(&mut settings);
        settings.check().map(|()| layers)
    }

    pub(crate) fn configure(settings: &mut Settings<'_>) -> Self {
        let mut or = |name, default| settings.seconds(name).unwrap_or(default);
        let lease = or("CACHE_LEASE", DEFAULT_LEASE);
        let refresh_ahead = or("CACHE_REFRESH_AHEAD", Duration::ZERO);
        let negative_ttl = or("CACHE_NEGATIVE_TTL", Duration::ZERO);
        let sweep = or("CACHE_SWEEP", DEFAULT_SWEEP);
        Self {
            ttl: settings.seconds_or("CACHE_TTL", DEFAULT_TTL),
            namespace: settings.config().get("CACHE_NAMESPACE").map(str::to_owned),
            timeout: settings.seconds_or("CACHE_TIMEOUT", DEFAULT_TIMEOUT),
            failures: settings.parse_or("CACHE_BREAKER_FAILURES", "", DEFAULT_FAILURES),
            pause: settings.seconds_or("CACHE_BREAKER_PAUSE", DEFAULT_PAUSE),
            largest: settings.parse("CACHE_MAX_VALUE_SIZE", ""),
            lease,
            refresh_ahead,
            negative_ttl,
            #[cfg(feature = "memory")]
            front: front(settings),
            sweep,
            #[cfg(feature = "encryption")]
            keys: keys(settings),
        }
        .without_what_is_off(settings)
    }

    /// What would go unheard since its feature is off is told: nobody should take a cache for encrypted that is not.
    fn without_what_is_off(self, settings: &mut Settings<'_>) -> Self {
        let off = [
            ("CACHE_ENCRYPTION_KEY", "encryption", cfg!(feature = "encryption")),
            ("CACHE_FRONT_TTL", "memory", cfg!(feature = "memory")),
        ];
        for (name, feature, _) in off.iter().filter(|(.., on)| !on) {
            if settings.config().get(name).is_some() {
                settings.problem(format!(
                    "the variable {name} needs the cargo feature {feature} of connect-cache, which is off"
                ));
            }
        }
        self
    }

    /// Puts them around a driver.
    #[must_use]
    pub fn around(self, driver: impl Cache, metrics: &Metrics) -> Arc<dyn Cache> {
        let cache: Arc<dyn Cache> = Arc::new(driver);
        #[cfg(feature = "encryption")]
        let cache = encrypted(cache, self.keys, metrics);
        let guard = Guard::new(cache, metrics.clone());
        let mut cache: Arc<dyn Cache> =
            Arc::new(guard.timeout(self.timeout).breaker(self.failures, self.pause));
        if !self.sweep.is_zero() {
            cache = Arc::new(Sweep::new(cache, self.sweep));
        }
        #[cfg(feature = "memory")]
        if let Some((staleness, size)) = self.front {
            cache = Arc::new(crate::TwoLevel::new(crate::MemoryCache::with_size(size), cache, staleness));
        }
        let limits = Limits::new(cache).ttl(self.ttl).largest(self.largest.unwrap_or(usize::MAX));
        let metered = Metered::new(limits.metrics(metrics.clone()), metrics.clone());
        let cache = SingleFlight::new(metered)
            .lease(self.lease)
            .refresh_ahead(self.refresh_ahead)
            .negative_ttl(self.negative_ttl)
            .metrics(metrics.clone());
        match self.namespace {
            Some(name) => Arc::new(Namespaced::new(cache, &name)),
            None => Arc::new(cache),
        }
    }
}

#[cfg(feature = "memory")]
fn front(settings: &mut Settings<'_>) -> Option<(Duration, u64)> {
    let size = settings.parse_or("CACHE_FRONT_SIZE", "", DEFAULT_FRONT_SIZE);
    let staleness = settings.seconds("CACHE_FRONT_TTL")?;
    (!staleness.is_zero()).then_some((staleness, size))
}

#[cfg(feature = "encryption")]
fn keys(settings: &mut Settings<'_>) -> Vec<crate::EncryptionKey> {
    let Some(text) = settings.config().get("CACHE_ENCRYPTION_KEY") else { return Vec::new() };
    let keys: Result<Vec<crate::EncryptionKey>, _> = text.split(',').map(str::parse).collect();
    keys.unwrap_or_else(|error| {
        settings.problem(format!("the variable CACHE_ENCRYPTION_KEY has a value that is not right: {error}"));
        Vec::new()
    })
}

#[cfg(feature = "encryption")]
fn encrypted(cache: Arc<dyn Cache>, keys: Vec<crate::EncryptionKey>, metrics: &Metrics) -> Arc<dyn Cache> {
    let mut keys = keys.into_iter();
    let Some(first) = keys.next() else { return cache };
    let encrypted = crate::Encrypted::new(cache, first).metrics(metrics.clone());
    Arc::new(keys.fold(encrypted, crate::Encrypted::old_key))
}
