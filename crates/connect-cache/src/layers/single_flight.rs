use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::OnceCell,
    time::{Instant, sleep},
};
use tracing::{debug, warn};

use crate::{
    BoxFuture, Cache, ComputeError, Fill, Filled, Flush, Metrics,
    fill::{Made, NULL},
    layers::forward,
};

/// What the key of a lease begins with.
const LEASE: &str = "connect-cache:lease:";
/// How long to wait between two looks for the value that another process computes: from, to.
const LOOKS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(200));

/// Computes a value that is missing once, however many ask for it: the others wait and get the same value or error.
///
/// That is so within the process; with a [`lease`](Self::lease) also among processes that share the cache. What was put or
/// deleted while a value is computed is not overwritten by it.
pub struct SingleFlight<C: Cache> {
    inner: Arc<C>,
    flights: Mutex<HashMap<String, Arc<Flight>>>,
    lease: Option<Duration>,
    refresh_ahead: Duration,
    negative_ttl: Option<Duration>,
    metrics: Metrics,
}

#[derive(Default)]
struct Flight {
    end: OnceCell<Result<String, ComputeError>>,
    /// The key was changed in the meantime.
    overtaken: AtomicBool,
}

impl<C: Cache> SingleFlight<C> {
    /// Once per process; no early refresh, no negative caching.
    pub fn new(cache: C) -> Self {
        Self {
            inner: Arc::new(cache),
            flights: Mutex::default(),
            lease: None,
            refresh_ahead: Duration::ZERO,
            negative_ttl: None,
            metrics: Metrics::default(),
        }
    }

    /// Once among all processes that share the cache: who computes leaves a note in it, and others wait for the value, for
    /// so long at most. Then they compute it themselves: the first may have ended.
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        Self { lease: (!lease.is_zero()).then_some(lease), ..self }
    }

    /// An entry with less than this left to live is computed anew by one who asks for it, while all others get it as it is.
    /// Where that fails it stays until it expires.
    #[must_use]
    pub fn refresh_ahead(self, left: Duration) -> Self {
        Self { refresh_ahead: left, ..self }
    }

    /// Stores `None` for so long, where the value does not say itself for how long: nothing is stored otherwise.
    #[must_use]
    pub fn negative_ttl(self, ttl: Duration) -> Self {
        Self { negative_ttl: (!ttl.is_zero()).then_some(ttl), ..self }
    }

    /// Where it is counted what was computed, joined and refreshed.
    #[must_use]
    pub fn metrics(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<String, Arc<Flight>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat in the flight of a key, which begins if there is none.
    fn seat(&self, key: &str) -> Seat<'_, C> {
        let flight = Arc::clone(self.flights().entry(key.to_owned()).or_default());
        Seat { owner: self, key: key.to_owned(), flight }
    }

    /// The first seat in a flight, if there is none yet.
    fn first_seat(&self, key: &str) -> Option<Seat<'_, C>> {
        let mut flights = self.flights();
        if flights.contains_key(key) {
            return None;
        }
        let flight = Arc::clone(flights.entry(key.to_owned()).or_default());
        drop(flights);
        Some(Seat { owner: self, key: key.to_owned(), flight })
    }

    /// What is being computed is not to be stored, and who asks from now on computes anew.
    fn overtake(&self, goes: impl Fn(&str) -> bool) {
        self.flights().retain(|key, flight| {
            let goes = goes(key);
            flight.overtaken.fetch_or(goes, Ordering::Relaxed);
            !goes
        });
    }

    fn overtake_one(&self, key: &str) {
        if let Some(flight) = self.flights().remove(key) {
            flight.overtaken.store(true, Ordering::Relaxed);
        }
    }

    /// The value that another one is computing, or else computes it.
    async fn join(&self, key: &str, fill: Fill<'_>) -> Result<String, ComputeError> {
        let seat = self.seat(key);
        let mut fill = Some(fill);
        // Not run by those for whom another one computes.
        let lead = async {
            let Some(mut fill) = fill.take() else { return Err(ComputeError::new("nothing to compute")) };
            let lease = self.await_lease(key, &mut fill, &seat.flight).await;
            // Another one may have been done between the look at the cache and now.
            match fill.look(&*self.inner, key).await {
                Some(value) => Ok(value),
                None => self.compute(key, fill, &seat.flight, lease).await,
            }
        };
        let end = seat.flight.end.get_or_init(|| lead).await.clone();
        let Some(mut fill) = fill else { return end };
        self.metrics.0.joined.count();
        match end {
            Ok(text) if !fill.accepts(&text) => Ok(fill.make().await?.value),
            end => end,
        }
    }

    /// Computes a value that is there but expires soon, unless somebody does so already.
    async fn refresh(&self, key: &str, fill: Fill<'_>) -> Option<Result<String, ComputeError>> {
        let seat = self.first_seat(key)?;
        let lease = match self.lease {
            Some(lease) => Some(self.try_lease(key, lease).await.ok()??),
            None => None,
        };
        let lead = self.compute(key, fill, &seat.flight, lease);
        let end = seat.flight.end.get_or_init(|| lead).await.clone();
        self.metrics.0.refreshed.count();
        Some(end)
    }

    async fn compute(
        &self,
        key: &str,
        fill: Fill<'_>,
        flight: &Flight,
        lease: Option<Lease<C>>,
    ) -> Result<String, ComputeError> {
        let since = Instant::now();
        let made = fill.make().await;
        self.metrics.0.computed.count();
        self.metrics.0.computations.record(since.elapsed());
        if let Ok(made) = &made
            && !flight.overtaken.load(Ordering::Relaxed)
        {
            self.keep(key, made).await;
        }
        if let Some(lease) = lease {
            lease.give_back().await;
        }
        made.map(|made| made.value)
    }

    async fn keep(&self, key: &str, made: &Made) {
        match self.negative_ttl {
            Some(ttl) if made.absent => {
                if let Err(error) = self.inner.put_text(key, NULL.to_owned(), Some(ttl)).await {
                    warn!(key, "{error}; that there is nothing is not stored");
                }
            }
            _ => made.keep(&*self.inner, key).await,
        }
    }

    /// Waits until nobody else computes the value of a key: the lease, if there are any.
    async fn await_lease(&self, key: &str, fill: &mut Fill<'_>, flight: &Flight) -> Option<Lease<C>> {
        let lease = self.lease?;
        let (since, mut pause) = (Instant::now(), LOOKS.0);
        while since.elapsed() < lease && !flight.overtaken.load(Ordering::Relaxed) {
            match self.try_lease(key, lease).await {
                Ok(Some(lease)) => return Some(lease),
                // A cache that fails holds nobody up.
                Err(()) => return None,
                Ok(None) => sleep(pause).await,
            }
            pause = (pause * 2).min(LOOKS.1);
            if fill.look(&*self.inner, key).await.is_some() {
                return None;
            }
        }
        debug!(key, "another process computes the value for longer than its lease");
        None
    }

    async fn try_lease(&self, key: &str, lease: Duration) -> Result<Option<Lease<C>>, ()> {
        let key = format!("{LEASE}{key}");
        let got = self.inner.add_text(&key, "true".to_owned(), Some(lease)).await.map_err(drop)?;
        Ok(got.then(|| Lease { cache: Arc::clone(&self.inner), key, ends: Instant::now() + lease }))
    }

    fn is_due(&self, left: Option<Duration>) -> bool {
        left.is_some_and(|left| left < self.refresh_ahead)
    }
}

/// One who waits for a flight to end. The last one, and whoever sees it ended, takes it off the list.
struct Seat<'a, C: Cache> {
    owner: &'a SingleFlight<C>,
    key: String,
    flight: Arc<Flight>,
}

impl<C: Cache> Drop for Seat<'_, C> {
    fn drop(&mut self) {
        let mut flights = self.owner.flights();
        let listed = flights.get(&self.key).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight));
        // Two: the list's and this one.
        if listed && (self.flight.end.initialized() || Arc::strong_count(&self.flight) <= 2) {
            flights.remove(&self.key);
        }
    }
}

/// The note that this process computes a value.
struct Lease<C: Cache> {
    cache: Arc<C>,
    key: String,
    ends: Instant,
}

impl<C: Cache> Lease<C> {
    async fn give_back(mut self) {
        let key = std::mem::take(&mut self.key);
        // Later it may be another's.
        if Instant::now() < self.ends && self.cache.delete(&key).await.is_err() {
            debug!("a lease could not be given back, and ends by itself");
        }
    }
}

impl<C: Cache> Drop for Lease<C> {
    fn drop(&mut self) {
        // Who computed was cancelled, and others need not wait.
        let (key, cache) = (std::mem::take(&mut self.key), Arc::clone(&self.cache));
        if !key.is_empty()
            && Instant::now() < self.ends
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move { cache.delete(&key).await });
        }
    }
}

impl<C: Cache> Cache for SingleFlight<C> {
    forward!(get_text, touch_text, has);

    fn put_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, ()> {
        self.overtake_one(key);
        self.inner.put_text(key, value, ttl)
    }

    fn add_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, bool> {
        self.overtake_one(key);
        self.inner.add_text(key, value, ttl)
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()> {
        self.overtake_one(key);
        self.inner.delete(key)
    }

    fn flush_prefix<'a>(&'a self, prefix: &'a str, flush: Flush) -> BoxFuture<'a, ()> {
        if flush == Flush::All {
            self.overtake(|key| key.starts_with(prefix));
        }
        self.inner.flush_prefix(prefix, flush)
    }

    fn fill<'a>(&'a self, key: &'a str, fill: Fill<'a>) -> Filled<'a> {
        Box::pin(async move {
            let mut fill = fill;
            let Some(entry) = fill.look_at(&*self.inner, key).await else {
                return self.join(key, fill).await;
            };
            if !self.is_due(entry.ttl) {
                return Ok(entry.value);
            }
            match self.refresh(key, fill).await {
                Some(Err(error)) => {
                    warn!(key, "{error}; the old value is used until it expires");
                    Ok(entry.value)
                }
                Some(end) => end,
                None => Ok(entry.value),
            }
        })
    }
}

impl<C: Cache> fmt::Debug for SingleFlight<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight")
            .field("lease", &self.lease)
            .field("refresh_ahead", &self.refresh_ahead)
            .field("negative_ttl", &self.negative_ttl)
            .finish_non_exhaustive()
    }
}
