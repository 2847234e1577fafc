use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use connect_container::Config;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tempfile::NamedTempFile;
use tokio::task;
use tracing::warn;

use crate::{
    CacheError, Driver, Entry, Flush,
    clock::{Clock, left},
    digest::short_digest,
    legacy::is_plain,
    settings::{DEFAULT_DIR, Settings, make_folder},
};

/// Longer names than this are hashed; file systems allow 255 bytes.
const LONGEST_NAME: usize = 200;
/// The name that the original can give to a file at most: 255 bytes less `cache.` and `.json`.
const LONGEST_LEGACY_NAME: usize = 244;
/// What the names of files that are being written begin with.
const NEW: &str = "cache.new.";

/// A cache of one file for each entry. Several processes may share the folder.
///
/// | variable | default | |
/// |---|---|---|
/// | `CACHE_DIR` | `/tmp/cache` | the folder; made if it is not there, for this user alone |
///
/// As a URL: `CACHE_URL=file:///var/cache/extension`.
///
/// An entry is the file `cache.<key>.json`, with a hash in its name where the key is long or has other characters than
/// letters, digits, `.`, `_` and `-`. It is written at once or not at all; one that can't be read is absent. Files of the
/// original are read: entries whose value is plain JSON.
#[derive(Clone, Debug)]
pub struct FileCache {
    folder: PathBuf,
    clock: Clock,
}

/// The original's file, and the key, which its name may not tell.
#[derive(Deserialize, Serialize)]
struct Stored {
    expire_at: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    value: Box<RawValue>,
}

impl FileCache {
    /// Opens a folder, which is made if it is not there.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, CacheError> {
        let folder = folder.into();
        make_folder(&folder)?;
        Ok(Self { folder, clock: Clock::default() })
    }

    /// Opens the folder that the variables name.
    pub fn from_config(config: &Config) -> Result<Self, CacheError> {
        Self::configure(&mut Settings::new(config))
    }

    pub(crate) fn configure(settings: &mut Settings<'_>) -> Result<Self, CacheError> {
        let folder = match settings.path("file") {
            Some(folder) => {
                settings.known_parameters(&[]);
                settings.replaced_by_url(&["CACHE_DIR"]);
                folder
            }
            None => settings.config().get("CACHE_DIR").unwrap_or(DEFAULT_DIR).into(),
        };
        settings.check()?;
        Self::open(folder)
    }

    /// Runs what waits for the disk where it stops nobody.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, CacheError> {
        let cache = self.clone();
        let end = task::spawn_blocking(move || {
            let failed = |error| CacheError::storage(format!("{}: {error}", cache.folder.display()));
            work(&cache).map_err(failed)
        });
        end.await.map_err(CacheError::storage)?
    }

    /// Like [`run`](Self::run), while no other process writes.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, CacheError> {
        self.run(|cache| {
            let lock = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(cache.folder.join("cache.lock"))?;
            lock.lock()?;
            work(cache)
        })
        .await
    }

    fn path(&self, key: &str) -> PathBuf {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let name = if !key.is_empty() && key.len() <= LONGEST_NAME && key.chars().all(is_plain) {
            key.to_owned()
        } else {
            let start: String = key.chars().filter(|c| is_plain(*c)).take(40).collect();
            format!("{start}~{}", short_digest(key))
        };
        self.folder.join(format!("cache.{name}.json"))
    }

    /// Where the original keeps a key, if that is somewhere else.
    fn legacy_path(&self, key: &str) -> Option<PathBuf> {
        let name = key.replace([':', '/'], "_");
        if name.len() > LONGEST_LEGACY_NAME || name.contains('\0') {
            return None;
        }
        Some(self.folder.join(format!("cache.{name}.json"))).filter(|path| *path != self.path(key))
    }

    /// The entry of a key, also an expired one.
    fn read(&self, key: &str) -> std::io::Result<Option<Stored>> {
        let stored = match (open(&self.path(key))?, self.legacy_path(key)) {
            (Some(stored), _) if stored.key.as_deref() == Some(key) => return Ok(Some(stored)),
            (None, Some(path)) => open(&path)?,
            (stored, _) => stored,
        };
        Ok(stored.filter(|stored| stored.key.is_none() && is_plain(key, stored.value.get())))
    }

    fn live(&self, key: &str) -> std::io::Result<Option<Stored>> {
        let now = self.clock.now();
        Ok(self.read(key)?.filter(|stored| stored.expire_at > now))
    }

    fn write(&self, key: &str, value: Box<RawValue>, ttl: Duration) -> std::io::Result<()> {
        self.erase_legacy(key)?;
        let expire_at = self.clock.now() + ttl.as_secs_f64();
        let stored = Stored { expire_at, key: Some(key.to_owned()), value };
        let path = self.path(key);
        let written = NamedTempFile::with_prefix_in(NEW, &self.folder).and_then(|mut file| {
            file.write_all(&serde_json::to_vec(&stored)?)?;
            file.persist(&path).map_err(|error| error.error)
        });
        // What is there already is not what should be there.
        written.map(|_| ()).inspect_err(|_| drop(erase(&path)))
    }

    fn erase_legacy(&self, key: &str) -> std::io::Result<()> {
        let Some(path) = self.legacy_path(key) else { return Ok(()) };
        if open(&path)?.is_some_and(|stored| stored.key.is_none()) { erase(&path) } else { Ok(()) }
    }

    fn erase_all(&self, prefix: &str, flush: Flush) -> std::io::Result<()> {
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let Some(name) = name.strip_prefix("cache.").and_then(|name| name.strip_suffix(".json")) else {
                if name.starts_with(NEW) {
                    // Nobody else writes now, so whoever began this has ended.
                    erase(&path)?;
                }
                continue;
            };
            // What can't be read is nobody's entry, and in the way of one.
            let goes = open(&path)?.is_none_or(|stored| {
                let key = stored.key.as_deref().unwrap_or(name);
                let expired = stored.expire_at <= self.clock.now();
                key.starts_with(prefix) && (flush == Flush::All || expired)
            });
            if goes {
                erase(&path)?;
            }
        }
        Ok(())
    }
}

fn erase(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A file that is not an entry counts as one that is not there: what it says can be computed anew.
fn open(path: &Path) -> std::io::Result<Option<Stored>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidFilename) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let stored = serde_json::from_slice(&text);
    if let Err(error) = &stored {
        let (problem, column) = (error.classify(), error.column());
        warn!("{} is not a cache entry ({problem:?} error at column {column})", path.display());
    }
    Ok(stored.ok())
}

impl Driver for FileCache {
    async fn load(&self, key: &str) -> Result<Option<Entry<String>>, CacheError> {
        let (now, key) = (self.clock.now(), key.to_owned());
        let stored = self.run(move |cache| cache.read(&key)).await?;
        Ok(stored.and_then(|stored| {
            let left = left(stored.expire_at, now)?;
            Some(Entry::new(String::from(Box::<str>::from(stored.value))).ttl(left))
        }))
    }

    async fn store(&self, key: &str, value: String, ttl: Duration) -> Result<(), CacheError> {
        let (key, value) = (key.to_owned(), raw(key, value)?);
        self.change(move |cache| cache.write(&key, value, ttl)).await
    }

    async fn remove(&self, key: &str) -> Result<(), CacheError> {
        let key = key.to_owned();
        self.change(move |cache| {
            cache.erase_legacy(&key)?;
            erase(&cache.path(&key))
        })
        .await
    }

    async fn clear(&self, prefix: &str, flush: Flush) -> Result<(), CacheError> {
        let prefix = prefix.to_owned();
        self.change(move |cache| cache.erase_all(&prefix, flush)).await
    }

    async fn store_new(&self, key: &str, value: String, ttl: Duration) -> Result<bool, CacheError> {
        let (key, value) = (key.to_owned(), raw(key, value)?);
        self.change(move |cache| {
            let free = cache.live(&key)?.is_none();
            if free {
                cache.write(&key, value, ttl)?;
            }
            Ok(free)
        })
        .await
    }

    async fn renew(&self, key: &str, ttl: Duration) -> Result<Option<String>, CacheError> {
        let key = key.to_owned();
        self.change(move |cache| {
            let Some(stored) = cache.live(&key)? else { return Ok(None) };
            let text = stored.value.get().to_owned();
            cache.write(&key, stored.value, ttl)?;
            Ok(Some(text))
        })
        .await
    }
}

fn raw(key: &str, value: String) -> Result<Box<RawValue>, CacheError> {
    RawValue::from_string(value)
        .map_err(|error| CacheError::Value { key: key.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Cache, CacheExt, contract::contract};

    #[tokio::test(start_paused = true)]
    async fn it_keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FileCache { clock: Clock::paused(), ..FileCache::open(folder.path()).unwrap() };
        contract(Arc::new(cache), Duration::from_secs(10), tokio::time::advance).await.unwrap();
        let names = || fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
        assert_eq!(names().collect::<Vec<_>>(), ["cache.lock"], "a flush leaves nothing");
    }

    #[tokio::test]
    async fn what_can_not_be_read_is_absent_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FileCache::open(folder.path()).unwrap();
        for torn in ["", "{\"expire_at\": 99999", "[]", "\u{0}\u{0}"] {
            fs::write(folder.path().join("cache.k.json"), torn).unwrap();
            assert_eq!(cache.get::<u8>("k").await.unwrap(), None, "{torn:?}");
            assert!(!cache.has("k").await.unwrap());
            cache.put("k", &1, None).await.unwrap();
            assert_eq!(cache.get::<u8>("k").await.unwrap(), Some(1));
        }
        fs::write(folder.path().join("cache.k.json"), "torn").unwrap();
        fs::write(folder.path().join("cache.new.abc"), "of a process that ended").unwrap();
        fs::write(folder.path().join("mine.txt"), "not of the cache").unwrap();
        cache.flush(Flush::Expired).await.unwrap();
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["cache.lock", "mine.txt"]);
    }

    #[tokio::test]
    async fn only_their_owner_reads_the_files() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        let cache = FileCache::open(&inner).unwrap();
        cache.put("k", &1, None).await.unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&inner.join("cache.k.json"))), (0o700, 0o600));
    }
}
