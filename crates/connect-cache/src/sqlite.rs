use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use connect_container::{Config, ConfigError};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{CacheError, DEFAULT_TTL, Driver};

/// Where the original keeps its files.
const DEFAULT_DIR: &str = "/tmp/cache";
/// How long to wait for another process that writes.
const DEFAULT_TIMEOUT: f64 = 15.0;

type Job = Box<dyn FnOnce(&Connection) + Send>;
type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// A cache in an SQLite file, on a thread of its own. Several processes may share the file.
///
/// | variable | default | |
/// |---|---|---|
/// | `CACHE_DIR` | `/tmp/cache` | the folder of the file; made if it is not there |
/// | `CACHE_SQLITE_NAME` | `cache` | the file is `<name>.sqlite` |
/// | `CACHE_TTL` | 900 | seconds an entry lives where nobody says how long |
/// | `CACHE_SQLITE_TIMEOUT` | 15 | seconds to wait for another process that writes |
///
/// The table is the original's: `entries(key, value, expire_at)`, times in seconds since 1970.
#[derive(Clone)]
pub struct SqliteCache {
    jobs: mpsc::Sender<Job>,
    ttl: Duration,
    clock: Clock,
}

impl SqliteCache {
    /// Opens the file that the variables name.
    pub fn from_config(config: &Config) -> Result<Self, CacheError> {
        let ttl = config.parse::<u64>("CACHE_TTL");
        let timeout = config.parse::<f64>("CACHE_SQLITE_TIMEOUT");
        let problems: Vec<ConfigError> =
            [ttl.as_ref().err(), timeout.as_ref().err()].into_iter().flatten().cloned().collect();
        ConfigError::all(problems)?;
        let folder = PathBuf::from(config.get("CACHE_DIR").unwrap_or(DEFAULT_DIR));
        let name = config.get("CACHE_SQLITE_NAME").unwrap_or("cache");
        let timeout =
            timeout?.filter(|seconds| seconds.is_finite() && *seconds >= 0.0).unwrap_or(DEFAULT_TIMEOUT);
        fs::create_dir_all(&folder).map_err(|error| {
            CacheError::storage(format!("the folder {} can't be made: {error}", folder.display()))
        })?;
        let cache = Self::open(&folder.join(format!("{name}.sqlite")), Duration::from_secs_f64(timeout))?;
        Ok(Self { ttl: ttl?.map_or(DEFAULT_TTL, Duration::from_secs), ..cache })
    }

    /// Opens a file; waits up to `timeout` for another process that writes.
    pub fn open(file: &Path, timeout: Duration) -> Result<Self, CacheError> {
        let failed = |error: rusqlite::Error| CacheError::storage(format!("{}: {error}", file.display()));
        let connection = Connection::open(file).map_err(failed)?;
        connection.busy_timeout(timeout).map_err(failed)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        // A cache may lose its newest entries with the machine's power, and is several times faster for it.
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
        connection
            .execute_batch(
                "CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, expire_at INTEGER);
                 CREATE INDEX IF NOT EXISTS entries_expire_at ON entries (expire_at);",
            )
            .map_err(failed)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        let work = move || queue.into_iter().for_each(|job| job(&connection));
        thread::Builder::new().name("connect-cache".to_owned()).spawn(work).map_err(CacheError::storage)?;
        Ok(Self { jobs, ttl: DEFAULT_TTL, clock: Arc::new(SystemTime::now) })
    }

    /// Seconds since 1970.
    fn now(&self) -> i64 {
        let since = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, CacheError> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Who asked may have gone; the work is done all the same.
            let _ = sender.send(job(connection));
        });
        let gone = || CacheError::storage("the thread of the cache has ended");
        self.jobs.send(job).map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())?.map_err(CacheError::storage)
    }
}

impl Driver for SqliteCache {
    async fn load(&self, key: &str) -> Result<Option<Value>, CacheError> {
        let (now, wanted) = (self.now(), key.to_owned());
        let text = self
            .run(move |connection| {
                connection
                    .prepare_cached(
                        "SELECT value FROM entries WHERE key = ?1 AND (expire_at IS NULL OR expire_at > ?2)",
                    )?
                    .query_row(params![wanted, now], |row| row.get::<_, String>(0))
                    .optional()
            })
            .await?;
        let Some(text) = text else { return Ok(None) };
        let reason =
            |error: serde_json::Error| CacheError::Value { key: key.to_owned(), reason: error.to_string() };
        serde_json::from_str(&text).map(Some).map_err(reason)
    }

    async fn store(&self, key: &str, value: Value, ttl: Option<Duration>) -> Result<(), CacheError> {
        let ttl = i64::try_from(ttl.unwrap_or(self.ttl).as_secs()).unwrap_or(i64::MAX);
        let (expire_at, key, value) = (self.now().saturating_add(ttl), key.to_owned(), value.to_string());
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO entries (key, value, expire_at) VALUES (?1, ?2, ?3)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value, expire_at = excluded.expire_at",
                )?
                .execute(params![key, value, expire_at])
                .map(|_| ())
        })
        .await
    }

    async fn remove(&self, key: &str) -> Result<(), CacheError> {
        let key = key.to_owned();
        self.run(move |connection| {
            connection.prepare_cached("DELETE FROM entries WHERE key = ?1")?.execute(params![key]).map(|_| ())
        })
        .await
    }

    async fn clear(&self, expired_only: bool) -> Result<(), CacheError> {
        let now = self.now();
        self.run(move |connection| {
            let sql = "DELETE FROM entries WHERE NOT ?1 OR expire_at <= ?2";
            connection.prepare_cached(sql)?.execute(params![expired_only, now]).map(|_| ())
        })
        .await
    }
}

impl fmt::Debug for SqliteCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteCache").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use serde_json::json;

    use super::*;
    use crate::{Cache, CacheExt};

    /// A cache in a folder of its own, and the seconds that its clock shows.
    fn cache() -> (tempfile::TempDir, SqliteCache, Arc<AtomicU64>) {
        let folder = tempfile::tempdir().unwrap();
        let seconds = Arc::new(AtomicU64::new(1_000));
        let clock = {
            let seconds = Arc::clone(&seconds);
            move || UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::Relaxed))
        };
        let opened = SqliteCache::open(&folder.path().join("cache.sqlite"), Duration::from_secs(1)).unwrap();
        (folder, SqliteCache { clock: Arc::new(clock), ..opened }, seconds)
    }

    #[tokio::test]
    async fn entries_live_as_long_as_they_should() {
        let (_folder, cache, seconds) = cache();
        cache.put("default", &1, None).await.unwrap();
        cache.put("short é/:", &json!({"a": [1, 2]}), Some(Duration::from_secs(10))).await.unwrap();
        assert_eq!(cache.get::<Value>("short é/:").await.unwrap(), Some(json!({"a": [1, 2]})));
        seconds.store(1_010, Ordering::Relaxed);
        assert!(!cache.has("short é/:").await.unwrap());
        assert_eq!(cache.get::<u8>("default").await.unwrap(), Some(1));
        seconds.store(1_900, Ordering::Relaxed);
        assert!(!cache.has("default").await.unwrap());
    }

    #[tokio::test]
    async fn entries_are_replaced_deleted_and_flushed() {
        let (_folder, cache, seconds) = cache();
        cache.put("a", &1, Some(Duration::from_secs(5))).await.unwrap();
        cache.put("a", &2, Some(Duration::from_secs(50))).await.unwrap();
        cache.put("b", &3, Some(Duration::from_secs(5))).await.unwrap();
        cache.put("c", &4, None).await.unwrap();
        seconds.store(1_006, Ordering::Relaxed);
        cache.flush(true).await.unwrap();
        seconds.store(1_000, Ordering::Relaxed);
        assert!(!cache.has("b").await.unwrap(), "it was really taken out");
        assert_eq!(cache.get::<u8>("a").await.unwrap(), Some(2));
        cache.put("a", &Value::Null, None).await.unwrap();
        assert!(!cache.has("a").await.unwrap(), "null takes the entry out");
        cache.delete("c").await.unwrap();
        cache.put("d", &5, None).await.unwrap();
        cache.flush(false).await.unwrap();
        assert!(!cache.has("d").await.unwrap());
    }

    #[tokio::test]
    async fn a_default_is_made_once_and_stored() {
        let (_folder, cache, _) = cache();
        for made in ["first", "second"] {
            let make = async || Ok::<_, std::io::Error>(made.to_owned());
            let value: String = cache.get_or_try_insert_with("k", None, make).await.unwrap();
            assert_eq!(value, "first");
        }
        let fail = async || Err::<u8, _>(std::io::Error::other("vendor is down"));
        let error = cache.get_or_try_insert_with::<u8, _, _, _>("other", None, fail).await.unwrap_err();
        assert_eq!(error.to_string(), "vendor is down");
        assert_eq!(
            cache.get::<u8>("k").await.unwrap_err().to_string(),
            "the value of \"k\" does not fit: invalid type: string \"first\", expected u8"
        );
    }

    #[tokio::test]
    async fn the_file_outlives_the_cache_and_serves_several() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("made").display().to_string();
        let config: Config = [("CACHE_DIR", dir.as_str()), ("CACHE_TTL", "60")].into_iter().collect();
        let (first, second) =
            (SqliteCache::from_config(&config).unwrap(), SqliteCache::from_config(&config).unwrap());
        first.put("k", &"v", None).await.unwrap();
        drop(first);
        assert_eq!(second.get::<String>("k").await.unwrap().as_deref(), Some("v"));
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let config: Config = [("CACHE_TTL", "x"), ("CACHE_SQLITE_TIMEOUT", "y")].into_iter().collect();
        let error = SqliteCache::from_config(&config).unwrap_err().to_string();
        assert!(error.contains("CACHE_TTL") && error.contains("CACHE_SQLITE_TIMEOUT"), "{error}");
    }
}
