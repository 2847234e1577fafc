//! The drivers that keep their entries on disk: several processes, a full disk, what the original has written.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]
#![allow(missing_docs, reason = "a test")]

use std::{
    env, fs,
    io::Write,
    path::Path,
    process::{Child, Command},
    sync::Arc,
    time::{Duration, Instant},
};

use connect_cache::{Cache, CacheExt, FileCache, Flush, Layers, Metrics, SqliteCache};
use connect_container::Config;
use serde_json::{Value, json};

const CHILD: &str = "CACHE_TEST_CHILD";
const LOCKS: u32 = 200;

/// Both of them, on a folder.
fn caches(folder: &Path) -> [(&'static str, Arc<dyn Cache>); 2] {
    let sqlite = SqliteCache::open(&folder.join("cache.sqlite"), Duration::from_secs(15)).unwrap();
    [("file", Arc::new(FileCache::open(folder).unwrap())), ("sqlite", Arc::new(sqlite))]
}

/// A process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// This test once more, in a process of its own that is told who it is.
fn child(test: &str, folder: &Path, number: u32) -> Process {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact"]).env(CHILD, folder).env("CACHE_TEST_NUMBER", number.to_string());
    Process(command.stdout(std::process::Stdio::null()).spawn().unwrap())
}

#[tokio::test]
async fn several_processes_share_the_files() {
    if let Some(folder) = env::var_os(CHILD) {
        let number = env::var("CACHE_TEST_NUMBER").unwrap().parse().unwrap();
        return share(Path::new(&folder), number).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<Process> =
        (0..3).map(|number| child("several_processes_share_the_files", folder.path(), number)).collect();
    for mut child in children {
        assert!(child.0.wait().unwrap().success());
    }
    for (name, cache) in caches(folder.path()) {
        let mut won = 0;
        for number in 0..3 {
            won += cache.get::<u32>(&format!("won {number}")).await.unwrap().unwrap();
            assert_eq!(cache.get::<u32>(&format!("own {number}")).await.unwrap(), Some(LOCKS - 1));
        }
        assert_eq!(won, LOCKS, "{name}: of many who add, one succeeds");
    }
}

async fn share(folder: &Path, number: u32) {
    for (name, cache) in caches(folder) {
        let mut won = 0;
        for round in 0..LOCKS {
            cache.put(&format!("own {number}"), &round, None).await.unwrap();
            cache.put("shared", &number.to_string().repeat(5_000), None).await.unwrap();
            let shared: String = cache.get("shared").await.unwrap().unwrap();
            let whole = (0..3).any(|number: u32| number.to_string().repeat(5_000) == shared);
            assert!(whole, "{name}: a value that nobody wrote");
            won += u32::from(cache.add(&format!("lock {round}"), &number, None).await.unwrap());
            assert_eq!(cache.get::<u32>(&format!("own {number}")).await.unwrap(), Some(round));
        }
        cache.put(&format!("won {number}"), &won, None).await.unwrap();
    }
}

#[tokio::test]
async fn a_process_that_is_killed_leaves_nothing_broken() {
    if let Some(folder) = env::var_os(CHILD) {
        for round in 0_u32.. {
            for (_, cache) in &caches(Path::new(&folder)) {
                for key in 0..20 {
                    let value = json!({"round": round, "more": "x".repeat(20_000)});
                    cache.put(&format!("key {key}"), &value, None).await.unwrap();
                }
            }
        }
    }
    for attempt in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let mut child = child("a_process_that_is_killed_leaves_nothing_broken", folder.path(), 0);
        let mine = caches(folder.path());
        let since = Instant::now();
        for (_, cache) in &mine {
            while !cache.has("key 1").await.unwrap() {
                assert!(since.elapsed() < Duration::from_secs(30), "the other process does nothing");
                tokio::time::sleep(Duration::from_millis(7 * (attempt + 1))).await;
            }
        }
        child.0.kill().unwrap();
        child.0.wait().unwrap();
        let since = Instant::now();
        for (name, cache) in &mine {
            for key in (0..20).map(|key| format!("key {key}")) {
                if cache.has(&key).await.unwrap() {
                    let value: Value = cache.get(&key).await.unwrap().unwrap();
                    assert_eq!(value["more"].as_str().map(str::len), Some(20_000), "{name}");
                }
                cache.put(&key, &1, None).await.unwrap();
            }
            cache.flush(Flush::All).await.unwrap();
        }
        assert!(since.elapsed() < Duration::from_secs(10), "its locks went with it: {:?}", since.elapsed());
    }
}

/// A disk of a megabyte.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        assert!(mounted || env::var_os("CI").is_none(), "only root can mount a small disk");
        mounted.then_some(Self(folder))
    }

    fn fill(&self) {
        let mut file = fs::File::create(self.0.path().join("ballast")).unwrap();
        while file.write_all(&[0; 1024]).is_ok() {}
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_no_end() {
    let Some(disk) = Disk::mount() else { return };
    let large = "x".repeat(200_000);
    for (name, driver) in caches(disk.0.path()) {
        let metrics = Metrics::default();
        let config: Config = [("CACHE_BREAKER_FAILURES", "100")].into_iter().collect();
        let cache = Layers::from_config(&config).unwrap().around(Arc::clone(&driver), &metrics);
        driver.put("small", &1, None).await.unwrap();
        driver.put("changes", &1, None).await.unwrap();
        disk.fill();
        let error = driver.put("large", &large, None).await.unwrap_err().to_string();
        assert!(error.contains("space") || error.contains("full"), "{name}: {error}");
        assert_eq!(driver.get::<u8>("small").await.unwrap(), Some(1), "{name}: what is there can be read");
        cache.put("large", &large, None).await.unwrap();
        cache.put("changes", &large, None).await.unwrap();
        assert!(!cache.has("changes").await.unwrap(), "{name}: not the old value");
        assert!(metrics.snapshot().failures > 0, "{name}");
        let computed = async || Ok::<_, std::io::Error>(large.clone());
        let value: String = cache.get_or_try_insert_with("computed", None, computed).await.unwrap();
        assert_eq!(value.len(), large.len(), "{name}: the order goes on");
        assert!(!driver.has("large").await.unwrap() && !driver.has("computed").await.unwrap(), "{name}");

        fs::remove_file(disk.0.path().join("ballast")).unwrap();
        cache.put("large", &large, None).await.unwrap();
        assert!(cache.has("large").await.unwrap(), "{name}: there is space again");
        cache.flush(Flush::All).await.unwrap();
        assert!(!cache.has("small").await.unwrap(), "{name}");
    }
}

#[tokio::test]
async fn what_the_original_has_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    for (name, cache) in caches(folder.path()) {
        let plain = [
            ("token", json!("abc")),
            (
                "vendor:token/1",
                json!({"access_token": "é \"quoted\"", "expires_in": 3600, "scopes": ["a", null, true]}),
            ),
            ("with space é", json!([1, 2.5, -3, {"nested": {}}])),
            ("number", json!(u64::MAX)),
        ];
        for (key, value) in plain {
            assert!(cache.has(key).await.unwrap(), "{name}: {key}");
            assert_eq!(cache.get::<Value>(key).await.unwrap(), Some(value), "{name}: {key}");
            let century = Duration::from_secs(90 * 365 * 86_400);
            assert!(cache.get_text(key).await.unwrap().unwrap().ttl > Some(century), "{name}: {key}");
            // Once changed it is an entry like all others.
            assert!(!cache.add(key, &1, None).await.unwrap(), "{name}: {key}");
            assert!(
                cache.touch::<Value>(key, Duration::from_secs(9)).await.unwrap().is_some(),
                "{name}: {key}"
            );
            cache.put(key, &1, None).await.unwrap();
            assert_eq!(cache.get::<u8>(key).await.unwrap(), Some(1), "{name}: {key}");
            cache.delete(key).await.unwrap();
            assert!(!cache.has(key).await.unwrap(), "{name}: {key}");
        }
        for key in ["short", "nothing", "date", "object"] {
            assert_eq!(cache.get::<Value>(key).await.unwrap(), None, "{name}: {key}");
        }
        cache.flush(Flush::All).await.unwrap();
    }
    let mut left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    left.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "json"));
    assert!(left.is_empty(), "{left:?}");
}
