//! `cargo bench -p connect-cache --all-features`
//!
//! Each driver with nothing around it, and what an extension gets (`layers`), against servers that this starts itself;
//! one that is not installed is left out.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a benchmark")]

#[allow(dead_code, reason = "shared with the tests, which need more of it")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use connect_cache::{
    Cache, CacheError, CacheExt, FileCache, Layers, MemcachedCache, MemoryCache, Metrics, MysqlCache,
    PostgresCache, RedisCache, SingleFlight, SqliteCache,
};
use connect_container::Config;
use divan::{Bencher, counter::ItemsCount};
use support::Server;
use tokio::{runtime::Runtime, task::JoinSet};

const DRIVERS: [&str; 8] =
    ["memory", "file", "sqlite", "redis", "postgres", "mysql", "memcached", "redis with all layers"];
const TASKS: usize = 64;

/// Servers and folders, kept until the end.
static HELD: Mutex<Vec<Server>> = Mutex::new(Vec::new());
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static CACHES: LazyLock<Vec<(&str, Arc<dyn Cache>)>> =
    LazyLock::new(|| DRIVERS.iter().filter_map(|name| Some((*name, open(name)?))).collect());

fn main() {
    divan::main();
    HELD.lock().unwrap().clear();
    let _ = std::fs::remove_dir_all(FOLDER.path());
}

fn open(name: &str) -> Option<Arc<dyn Cache>> {
    let hold = |server: Option<Server>| {
        let server = server?;
        let port = server.port;
        HELD.lock().unwrap().push(server);
        Some(port)
    };
    let config = |url: String| -> Config { [("CACHE_URL", url)].into_iter().collect() };
    let redis = || {
        let port = hold(Server::redis("redis-server", &[]))?;
        Some(RedisCache::from_config(&config(format!("redis://127.0.0.1:{port}"))).unwrap())
    };
    Some(match name {
        "memory" => Arc::new(MemoryCache::default()),
        "file" => Arc::new(FileCache::open(FOLDER.path()).unwrap()),
        "sqlite" => {
            Arc::new(SqliteCache::open(&FOLDER.path().join("cache.sqlite"), Duration::from_secs(15)).unwrap())
        }
        "redis" => Arc::new(redis()?),
        "redis with all layers" => {
            let key = "42".repeat(32);
            let variables =
                [("CACHE_FRONT_TTL", "5"), ("CACHE_NAMESPACE", "shop"), ("CACHE_ENCRYPTION_KEY", &key)];
            Layers::from_config(&variables.into_iter().collect())
                .unwrap()
                .around(redis()?, &Metrics::default())
        }
        "postgres" => {
            let port = hold(Server::postgres())?;
            let url = format!("postgres://cache:canary@127.0.0.1:{port}/postgres?sslmode=disable");
            Arc::new(PostgresCache::from_config(&config(url)).unwrap())
        }
        "mysql" => {
            let port = hold(Server::mariadb())?;
            let url = format!("mysql://cache:canary@127.0.0.1:{port}/cache?ssl-mode=disabled");
            Arc::new(MysqlCache::from_config(&config(url)).unwrap())
        }
        "memcached" => {
            let port = hold(Server::memcached())?;
            Arc::new(MemcachedCache::from_config(&config(format!("memcached://127.0.0.1:{port}"))).unwrap())
        }
        other => panic!("{other}?"),
    })
}

fn names() -> impl Iterator<Item = &'static str> {
    CACHES.iter().map(|(name, _)| *name)
}

/// A driver with a token of 200 bytes in it.
fn cache(name: &str) -> Arc<dyn Cache> {
    let cache = CACHES.iter().find(|(known, _)| *known == name).map(|(_, cache)| Arc::clone(cache)).unwrap();
    RUNTIME.block_on(async {
        // A server that has just begun to listen may not be ready.
        let mut end = cache.put("token", &"x".repeat(200), None).await;
        for _ in 0..500 {
            if end.is_ok() && cache.has("token").await.is_ok_and(|has| has) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            end = cache.put("token", &"x".repeat(200), None).await;
        }
        panic!("{name}: {end:?}");
    });
    cache
}

#[divan::bench(args = names(), max_time = 1)]
fn get_hit(bencher: Bencher<'_, '_>, name: &str) {
    let cache = cache(name);
    bencher.counter(ItemsCount::new(1_u8)).bench(|| {
        RUNTIME.block_on(async { assert!(cache.get::<String>("token").await.unwrap().is_some()) });
    });
}

#[divan::bench(args = names(), max_time = 1)]
fn get_miss(bencher: Bencher<'_, '_>, name: &str) {
    let cache = cache(name);
    bencher.counter(ItemsCount::new(1_u8)).bench(|| {
        RUNTIME.block_on(async { assert!(cache.get::<String>("nothing").await.unwrap().is_none()) });
    });
}

#[divan::bench(args = names(), max_time = 1)]
fn put(bencher: Bencher<'_, '_>, name: &str) {
    let cache = cache(name);
    let value = "x".repeat(200);
    let count = AtomicU32::new(0);
    bencher.counter(ItemsCount::new(1_u8)).bench(|| {
        let key = format!("key {}", count.fetch_add(1, SeqCst) % 1_000);
        RUNTIME.block_on(cache.put(&key, &value, None)).unwrap();
    });
}

/// Four reads and a write of each of 64 tasks at once.
#[divan::bench(args = names(), max_time = 2)]
fn of_64_tasks(bencher: Bencher<'_, '_>, name: &str) {
    let cache = cache(name);
    bencher.counter(ItemsCount::new(TASKS * 5)).bench(|| {
        RUNTIME.block_on(async {
            let mut tasks = JoinSet::new();
            for task in 0..TASKS {
                let cache = Arc::clone(&cache);
                tasks.spawn(async move {
                    for _ in 0..4 {
                        assert!(cache.get::<String>("token").await.unwrap().is_some());
                    }
                    cache.put(&format!("task {task}"), &task, None).await.unwrap();
                });
            }
            tasks.join_all().await;
        });
    });
}

/// 1,000 tasks that miss the same key, whose value takes 10 milliseconds to compute.
#[divan::bench(args = names(), max_time = 2)]
fn stampede_of_1000(bencher: Bencher<'_, '_>, name: &str) {
    let cache: Arc<dyn Cache> = Arc::new(SingleFlight::new(cache(name)).lease(Duration::from_secs(5)));
    bencher.counter(ItemsCount::new(1_000_u32)).bench(|| {
        RUNTIME.block_on(async {
            cache.delete("once").await.unwrap();
            let computed = Arc::new(AtomicU32::new(0));
            let mut tasks = JoinSet::new();
            for _ in 0..1_000 {
                let (cache, computed) = (Arc::clone(&cache), Arc::clone(&computed));
                tasks.spawn(async move {
                    let compute = async || {
                        computed.fetch_add(1, SeqCst);
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        Ok::<_, CacheError>(1)
                    };
                    cache.get_or_try_insert_with::<u32, _, _, _, _>("once", None, compute).await.unwrap()
                });
            }
            tasks.join_all().await;
            assert_eq!(computed.load(SeqCst), 1);
        });
    });
}
