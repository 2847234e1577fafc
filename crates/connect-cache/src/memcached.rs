use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_memcached::{AsciiProtocol as _, Client, Error, ErrorKind, MetaProtocol as _, MetaValue, Status};
use connect_container::Config;
use deadpool::managed::{self, Object, Pool, RecycleError, RecycleResult};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::{
    CacheError, Driver, Entry, Flush,
    clock::{Clock, left},
    digest::short_digest,
    settings::Settings,
};

const DEFAULT_PORT: u16 = 11211;
const DEFAULT_POOL: usize = 8;
/// What all keys begin with where nobody says: the server may be others' as well.
const DEFAULT_PREFIX: &str = "connect-cache:";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The server's limit in bytes.
const LONGEST_KEY: usize = 250;
/// `#` and 32 hexadecimal digits.
const HASH: usize = 33;
/// The server's default limit of a value in bytes, for what is told about one that is too large.
const LARGEST_VALUE: usize = 1024 * 1024;
/// What can't stand in a key, and `#`, which says that a hash follows.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'#');
/// From here on the server takes a time to live for a point in time.
const MONTH: u64 = 30 * 86_400;
/// How often to try again what another one has changed in between.
const ATTEMPTS: usize = 5;
/// How many flushes of keys that begin alike are kept apart; one more flushes everything.
const MOST_FLUSHES: usize = 100;

/// A cache on a memcached server, version 1.6 or newer. It connects at first use, and again when it has to.
///
/// | variable | default | |
/// |---|---|---|
/// | `CACHE_MEMCACHED_HOST` | `localhost` | |
/// | `CACHE_MEMCACHED_PORT` | 11211 | |
/// | `CACHE_MEMCACHED_PREFIX` | `connect-cache:` | what all keys begin with; nothing else is ever flushed |
/// | `CACHE_MEMCACHED_POOL` | 8 | connections at most |
///
/// As a URL: `CACHE_URL=memcached://host:11211?prefix=shop:&pool=8`.
///
/// Keys over 250 bytes are hashed. A value can't be larger than the server's limit, 1 MiB unless set otherwise.
///
/// The server can't tell which keys it has, so a flush is a note in it, read along with every entry: what is older is
/// absent. Old and new are the server's own count of changes, not a clock.
#[derive(Clone)]
pub struct MemcachedCache {
    pool: Pool<Manager>,
    prefix: Arc<str>,
    clock: Clock,
    /// Whether the note of flushes has been seen on the server.
    begun: Arc<AtomicBool>,
}

struct Manager {
    address: String,
}

impl managed::Manager for Manager {
    type Type = Client;
    type Error = Error;

    async fn create(&self) -> Result<Client, Error> {
        let late = |_| Error::Connect(std::io::ErrorKind::TimedOut.into());
        timeout(CONNECT_TIMEOUT, Client::new(&self.address)).await.map_err(late)?
    }

    async fn recycle(&self, client: &mut Client, _: &managed::Metrics) -> RecycleResult<Error> {
        // An operation that was cancelled leaves it closed.
        if client.is_closed() { Err(RecycleError::Backend(Error::ConnectionClosed)) } else { Ok(()) }
    }
}

impl MemcachedCache {
    /// A cache on the server that the variables name.
    pub fn from_config(config: &Config) -> Result<Self, CacheError> {
        Self::configure(&mut Settings::new(config))
    }

    pub(crate) fn configure(settings: &mut Settings<'_>) -> Result<Self, CacheError> {
        let prefix =
            settings.text("CACHE_MEMCACHED_PREFIX", "prefix").unwrap_or_else(|| DEFAULT_PREFIX.to_owned());
        let connections = settings.parse_or("CACHE_MEMCACHED_POOL", "pool", DEFAULT_POOL).max(1);
        let (host, port) = if let Some(url) = settings.url().cloned() {
            settings.known_parameters(&["prefix", "pool"]);
            settings.replaced_by_url(&["CACHE_MEMCACHED_HOST", "CACHE_MEMCACHED_PORT"]);
            if url.host_str().is_none() || !matches!(url.path(), "" | "/") || !url.username().is_empty() {
                settings.problem("CACHE_URL is not right: it has to be memcached://host:port");
            }
            (url.host_str().unwrap_or_default().to_owned(), url.port().unwrap_or(DEFAULT_PORT))
        } else {
            let host = settings.config().get("CACHE_MEMCACHED_HOST").unwrap_or("localhost").to_owned();
            (host, settings.parse_or("CACHE_MEMCACHED_PORT", "", DEFAULT_PORT))
        };
        let escaped = escape(&prefix);
        if escaped.len() > LONGEST_KEY / 2 {
            settings.problem(format!("CACHE_MEMCACHED_PREFIX is longer than {} bytes", LONGEST_KEY / 2));
        }
        settings.check()?;
        let manager = Manager { address: format!("tcp://{host}:{port}") };
        let pool = Pool::builder(manager).max_size(connections).build().map_err(CacheError::storage)?;
        Ok(Self { pool, prefix: escaped.into(), clock: Clock::default(), begun: Arc::default() })
    }

    async fn client(&self) -> Result<Object<Manager>, Error> {
        self.pool.get().await.map_err(|error| match error {
            managed::PoolError::Backend(error) => error,
            error => Error::Connect(std::io::Error::other(error)),
        })
    }

    fn key(&self, key: &str) -> String {
        let whole = format!("{}{}", self.prefix, escape(key));
        if whole.len() <= LONGEST_KEY {
            return whole;
        }
        format!("{}#{}", &whole[..LONGEST_KEY - HASH], short_digest(key))
    }

    /// The entry of a key, also one that has expired or was flushed, and what it is for the cache.
    async fn get(&self, key: &str) -> Result<Option<(Found, bool)>, Error> {
        let (on_server, note) = (self.key(key), self.note());
        let found = self.client().await?.meta_get_multi(&[&note, &on_server], Some(&["v", "c"])).await?;
        let (mut flushes, mut entry) = (None, None);
        for found in found {
            if found.key.as_deref() == Some(note.as_bytes()) {
                flushes = Flushes::read(&found).map(|(flushes, _)| flushes);
            } else {
                entry = Found::new(found);
            }
        }
        if flushes.is_none() {
            // The server was started anew, or has dropped the note: nothing is known about what it has.
            self.begin().await?;
        }
        let now = self.clock.now();
        let lives = |found: &Found| {
            left(found.expire_at, now).is_some()
                && flushes.as_ref().is_some_and(|flushes| !flushes.cover(key, found.number))
        };
        Ok(entry.map(|found| {
            let lives = lives(&found);
            (found, lives)
        }))
    }

    fn note(&self) -> String {
        format!("{}#flushed", self.prefix)
    }

    /// A number that is higher than that of every change so far.
    async fn tick(&self) -> Result<u64, Error> {
        let key = format!("{}#tick", self.prefix);
        let mut client = self.client().await?;
        client.set(&key, "", None, None).await?;
        let found = client.meta_get(&key, false, None, Some(&["c"])).await?;
        found.and_then(|found| found.cas).ok_or(Error::Protocol(Status::NotFound))
    }

    /// Leaves a note of flushes where there is none; what is older than it counts as flushed.
    async fn begin(&self) -> Result<(), Error> {
        let note = self.note();
        if self.client().await?.meta_get(&note, false, None, Some(&["c"])).await?.is_none() {
            let text = Flushes { all: self.tick().await?, prefixes: Vec::new() }.write();
            self.write(&note, &text, "T0", How::New).await?;
        }
        self.begun.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn flush(&self, prefix: &str) -> Result<(), Error> {
        let (note, number) = (self.note(), self.tick().await?);
        for _ in 0..ATTEMPTS {
            let found = self.client().await?.meta_get(&note, false, None, Some(&["v", "c"])).await?;
            let Some((mut flushes, instead)) = found.as_ref().and_then(Flushes::read) else {
                return self.begin().await;
            };
            flushes.add(prefix, number);
            if self.write(&note, &flushes.write(), "T0", How::Instead(instead)).await? {
                return Ok(());
            }
        }
        Err(Error::Protocol(Status::Exists))
    }

    /// Stores a value; with the number of what it replaces, or only where there is nothing. Says whether it did.
    async fn set(&self, key: &str, value: &str, ttl: Duration, how: How) -> Result<bool, Error> {
        if !self.begun.load(Ordering::Relaxed) {
            self.begin().await?;
        }
        let now = self.clock.now();
        // The server's own end is a little later and to the second; the entry says its own to the millisecond.
        let seconds = ttl.as_secs() + 2;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since 1970")]
        let end = now as u64 + seconds;
        let ends = match seconds {
            seconds if seconds <= MONTH => seconds,
            // Past 2038 the server can't count: without end.
            _ if end > i32::MAX.unsigned_abs().into() => 0,
            _ => end,
        };
        let ends = format!("T{ends}");
        let text = format!("{} {value}", now + ttl.as_secs_f64());
        self.write(key, &text, &ends, how).await
    }

    async fn write(&self, key: &str, text: &str, ends: &str, how: How) -> Result<bool, Error> {
        let how = match how {
            How::Always => None,
            How::New => Some("ME".to_owned()),
            How::Instead(number) => Some(format!("C{number}")),
        };
        let flags: Vec<&str> = std::iter::once(ends).chain(how.as_deref()).collect();
        match self.client().await?.meta_set(key, text, false, None, Some(&flags)).await {
            Ok(_) => Ok(true),
            Err(Error::Protocol(Status::NotStored | Status::Exists | Status::NotFound)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Does something with the server, and again on a new connection where the old one was lost.
    async fn run<T, F: Future<Output = Result<T, Error>>>(
        &self,
        operation: impl Fn() -> F,
    ) -> Result<T, CacheError> {
        let end = match operation().await {
            Err(Error::Io(_) | Error::ConnectionClosed) => {
                // What was lost with it are all others that were idle.
                self.pool.retain(|_, _| false);
                operation().await
            }
            end => end,
        };
        end.map_err(CacheError::storage)
    }
}

fn escape(key: &str) -> String {
    utf8_percent_encode(key, ESCAPED).to_string()
}

enum How {
    Always,
    New,
    Instead(u64),
}

/// An entry of the server: when it expires, a blank, and the value.
struct Found {
    value: String,
    expire_at: f64,
    number: u64,
}

impl Found {
    fn new(found: MetaValue) -> Option<Self> {
        let number = found.cas.unwrap_or_default();
        let text = String::from_utf8(found.data?).ok()?;
        let (expire_at, value) = text.split_once(' ')?;
        Some(Self { value: value.to_owned(), expire_at: expire_at.parse().ok()?, number })
    }
}

/// The flushes so far: entries that are older are absent. Older is what has a lower number.
#[derive(Deserialize, Serialize)]
struct Flushes {
    /// The last one of all entries.
    all: u64,
    /// Later ones, of keys that begin alike.
    prefixes: Vec<(String, u64)>,
}

impl Flushes {
    fn read(found: &MetaValue) -> Option<(Self, u64)> {
        Some((serde_json::from_slice(found.data.as_deref()?).ok()?, found.cas?))
    }

    fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn cover(&self, key: &str, number: u64) -> bool {
        let covers = |(prefix, flush): &(String, u64)| number < *flush && key.starts_with(prefix.as_str());
        number < self.all || self.prefixes.iter().any(covers)
    }

    fn add(&mut self, prefix: &str, number: u64) {
        self.prefixes.retain(|(other, _)| !other.starts_with(prefix));
        if prefix.is_empty() || self.prefixes.len() == MOST_FLUSHES {
            *self = Self { all: number, prefixes: Vec::new() };
        } else {
            self.prefixes.push((prefix.to_owned(), number));
        }
    }
}

impl Driver for MemcachedCache {
    async fn load(&self, key: &str) -> Result<Option<Entry<String>>, CacheError> {
        let Some((found, true)) = self.run(|| self.get(key)).await? else { return Ok(None) };
        Ok(left(found.expire_at, self.clock.now()).map(|left| Entry::new(found.value).ttl(left)))
    }

    async fn store(&self, key: &str, value: String, ttl: Duration) -> Result<(), CacheError> {
        let on_server = self.key(key);
        let set = self.run(|| self.set(&on_server, &value, ttl, How::Always)).await;
        match set {
            Err(CacheError::Storage(error)) if is_too_large(&*error) => {
                Err(CacheError::TooLarge { key: key.to_owned(), size: value.len(), limit: LARGEST_VALUE })
            }
            set => set.map(|_| ()),
        }
    }

    async fn remove(&self, key: &str) -> Result<(), CacheError> {
        let key = self.key(key);
        self.run(|| async {
            match self.client().await?.delete(&key).await {
                Err(Error::Protocol(Status::NotFound)) => Ok(()),
                end => end,
            }
        })
        .await
    }

    async fn clear(&self, prefix: &str, flush: Flush) -> Result<(), CacheError> {
        match flush {
            Flush::All => self.run(|| self.flush(prefix)).await,
            Flush::Expired => Ok(()),
        }
    }

    async fn store_new(&self, key: &str, value: String, ttl: Duration) -> Result<bool, CacheError> {
        let on_server = self.key(key);
        for _ in 0..ATTEMPTS {
            if self.run(|| self.set(&on_server, &value, ttl, How::New)).await? {
                return Ok(true);
            }
            match self.run(|| self.get(key)).await? {
                Some((_, true)) => return Ok(false),
                // Absent, but the server does not know.
                Some((found, false)) => {
                    return self.run(|| self.set(&on_server, &value, ttl, How::Instead(found.number))).await;
                }
                None => {}
            }
        }
        Ok(false)
    }

    async fn renew(&self, key: &str, ttl: Duration) -> Result<Option<String>, CacheError> {
        let on_server = self.key(key);
        for _ in 0..ATTEMPTS {
            let Some((found, true)) = self.run(|| self.get(key)).await? else { return Ok(None) };
            if self.run(|| self.set(&on_server, &found.value, ttl, How::Instead(found.number))).await? {
                return Ok(Some(found.value));
            }
        }
        // It is being changed all the time, so it is as new as can be.
        Ok(self.load(key).await?.map(|entry| entry.value))
    }
}

fn is_too_large(error: &(dyn std::error::Error + 'static)) -> bool {
    let Some(Error::Protocol(Status::Error(ErrorKind::Server(text)))) = error.downcast_ref() else {
        return false;
    };
    text.contains("too large")
}

impl fmt::Debug for MemcachedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemcachedCache").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
