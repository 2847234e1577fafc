use std::{
    fmt,
    path::Path,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use connect_container::Config;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use tokio::sync::oneshot;

use crate::{
    CacheError, Driver, Entry, Flush,
    clock::{Clock, left},
    legacy::is_plain,
    settings::{DEFAULT_DIR, Seconds, Settings, make_folder},
};

/// How long to wait for another process that writes: the original's.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

/// The original counts in whole seconds, by which its entries are told.
const LOAD: &str = "SELECT value, expire_at, typeof(expire_at) = 'integer' FROM entries
                    WHERE key = ?1 AND expire_at > ?2 AND value IS NOT NULL";

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// A cache in an SQLite file, on a thread of its own. Several processes may share the file.
///
/// | variable | default | |
/// |---|---|---|
/// | `CACHE_DIR` | `/tmp/cache` | the folder of the file; made if it is not there, for this user alone |
/// | `CACHE_SQLITE_NAME` | `cache` | the file is `<name>.sqlite` |
/// | `CACHE_SQLITE_TIMEOUT` | 15 | seconds to wait for another process that writes |
///
/// As a URL: `CACHE_URL=sqlite:///var/cache/extension.sqlite?timeout=15`.
///
/// The table is the original's, and so are entries whose value is plain JSON: `entries(key, value, expire_at)`, times in
/// seconds since 1970, here with a fraction.
#[derive(Clone)]
pub struct SqliteCache {
    jobs: mpsc::Sender<Job>,
    clock: Clock,
}

impl SqliteCache {
    /// Opens the file that the variables name.
    pub fn from_config(config: &Config) -> Result<Self, CacheError> {
        Self::configure(&mut Settings::new(config))
    }

    pub(crate) fn configure(settings: &mut Settings<'_>) -> Result<Self, CacheError> {
        let Seconds(timeout) = settings.parse_or("CACHE_SQLITE_TIMEOUT", "timeout", Seconds(DEFAULT_TIMEOUT));
        let file = if let Some(file) = settings.path("sqlite") {
            settings.known_parameters(&["timeout"]);
            settings.replaced_by_url(&["CACHE_DIR", "CACHE_SQLITE_NAME"]);
            file
        } else {
            let folder = settings.config().get("CACHE_DIR").unwrap_or(DEFAULT_DIR);
            let name = settings.config().get("CACHE_SQLITE_NAME").unwrap_or("cache");
            if name.contains(['/', '\\', '\0']) {
                settings
                    .problem("the variable CACHE_SQLITE_NAME is a name, not a path: the folder is CACHE_DIR");
            }
            Path::new(folder).join(format!("{name}.sqlite"))
        };
        settings.check()?;
        if let Some(folder) = file.parent() {
            make_folder(folder)?;
        }
        Self::open(&file, timeout)
    }

    /// Opens a file; waits up to `timeout` for another process that writes.
    pub fn open(file: &Path, timeout: Duration) -> Result<Self, CacheError> {
        let failed = |error: rusqlite::Error| CacheError::storage(format!("{}: {error}", file.display()));
        let connection = connect(file, timeout).map_err(failed)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        let work = move || queue.into_iter().for_each(|job| job(&connection));
        thread::Builder::new().name("connect-cache".to_owned()).spawn(work).map_err(CacheError::storage)?;
        Ok(Self { jobs, clock: Clock::default() })
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

/// SQLite's own waiting does not hold while two make the file at once, of which one turns it into a WAL.
fn connect(file: &Path, timeout: Duration) -> rusqlite::Result<Connection> {
    let since = Instant::now();
    loop {
        match connect_once(file, timeout) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && since.elapsed() < timeout =>
            {
                thread::sleep(Duration::from_millis(10));
            }
            connected => return connected,
        }
    }
}

fn connect_once(file: &Path, timeout: Duration) -> rusqlite::Result<Connection> {
    // For this user alone; SQLite gives the files beside it the same mode.
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Where this fails SQLite tells why, better.
        let _ = std::fs::File::options().create(true).append(true).mode(0o600).open(file);
    }
    let connection = Connection::open(file)?;
    connection.busy_timeout(timeout)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A cache may lose its newest entries with the machine's power, and is several times faster for it.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, expire_at INTEGER);
         CREATE INDEX IF NOT EXISTS entries_expire_at ON entries (expire_at);",
    )?;
    Ok(connection)
}

impl Driver for SqliteCache {
    async fn load(&self, key: &str) -> Result<Option<Entry<String>>, CacheError> {
        let (now, asked) = (self.clock.now(), key.to_owned());
        let found = self
            .run(move |connection| {
                connection
                    .prepare_cached(LOAD)?
                    .query_row(params![asked, now], |row| {
                        Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?, row.get::<_, bool>(2)?))
                    })
                    .optional()
            })
            .await?;
        Ok(found
            .filter(|(value, _, legacy)| !legacy || is_plain(key, value))
            .and_then(|(value, expire_at, _)| Some(Entry::new(value).ttl(left(expire_at, now)?))))
    }

    async fn store(&self, key: &str, value: String, ttl: Duration) -> Result<(), CacheError> {
        let (expire_at, key) = (self.clock.now() + ttl.as_secs_f64(), key.to_owned());
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

    async fn clear(&self, prefix: &str, flush: Flush) -> Result<(), CacheError> {
        let (now, prefix, all) = (self.clock.now(), prefix.to_owned(), flush == Flush::All);
        self.run(move |connection| {
            // As bytes: the prefix may end within what SQLite takes for one text.
            let sql = "DELETE FROM entries WHERE (?1 OR expire_at <= ?2)
                       AND (length(?3) = 0 OR substr(CAST(key AS BLOB), 1, length(?3)) = ?3)";
            connection.prepare_cached(sql)?.execute(params![all, now, prefix.as_bytes()]).map(|_| ())
        })
        .await
    }

    async fn store_new(&self, key: &str, value: String, ttl: Duration) -> Result<bool, CacheError> {
        let (now, key) = (self.clock.now(), key.to_owned());
        let expire_at = now + ttl.as_secs_f64();
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO entries (key, value, expire_at) VALUES (?1, ?2, ?3)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value, expire_at = excluded.expire_at
                     WHERE entries.expire_at <= ?4",
                )?
                .execute(params![key, value, expire_at, now])
                .map(|changed| changed > 0)
        })
        .await
    }

    async fn renew(&self, key: &str, ttl: Duration) -> Result<Option<String>, CacheError> {
        let (now, key) = (self.clock.now(), key.to_owned());
        let expire_at = now + ttl.as_secs_f64();
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE entries SET expire_at = ?2 WHERE key = ?1 AND expire_at > ?3 RETURNING value",
                )?
                .query_row(params![key, expire_at, now], |row| row.get(0))
                .optional()
        })
        .await
    }
}

impl fmt::Debug for SqliteCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{CacheExt, contract::contract};

    fn open(folder: &Path) -> SqliteCache {
        SqliteCache::open(&folder.join("cache.sqlite"), Duration::from_secs(1)).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn it_keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let cache = SqliteCache { clock: Clock::paused(), ..open(folder.path()) };
        contract(Arc::new(cache), Duration::from_secs(10), tokio::time::advance).await.unwrap();
    }

    #[tokio::test]
    async fn the_file_outlives_the_cache_and_serves_several() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("made").display().to_string();
        let config: Config = [("CACHE_DIR", dir.as_str())].into_iter().collect();
        let (first, second) =
            (SqliteCache::from_config(&config).unwrap(), SqliteCache::from_config(&config).unwrap());
        first.put("k", &"v", None).await.unwrap();
        drop(first);
        assert_eq!(second.get::<String>("k").await.unwrap().as_deref(), Some("v"));
        #[cfg(unix)]
        for name in ["cache.sqlite", "cache.sqlite-wal"] {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(Path::new(&dir).join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name} is for its owner alone");
        }
    }

    #[test]
    fn many_make_the_same_file_at_once() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let open =
                || SqliteCache::open(&folder.path().join("cache.sqlite"), Duration::from_secs(10)).map(drop);
            thread::scope(|scope| {
                let opening: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
                for opened in opening {
                    opened.join().unwrap().unwrap();
                }
            });
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let config: Config =
            [("CACHE_SQLITE_NAME", "../x"), ("CACHE_SQLITE_TIMEOUT", "y")].into_iter().collect();
        let error = SqliteCache::from_config(&config).unwrap_err().to_string();
        assert!(error.contains("CACHE_SQLITE_NAME") && error.contains("CACHE_SQLITE_TIMEOUT"), "{error}");
    }
}
