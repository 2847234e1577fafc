//! What stands in front of a driver, in time that the tests make pass.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]
#![allow(missing_docs, reason = "a test")]

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use connect_cache::{
    Cache, CacheError, CacheExt, Driver, Encrypted, EncryptionKey, Entry, Flush, Guard, Layers, Limits,
    MemoryCache, Metered, Metrics, Namespaced, NoneCache, SingleFlight, Sweep, TwoLevel, contract::contract,
};
use connect_container::Config;
use tokio::{
    task::JoinSet,
    time::{Instant, advance, sleep},
};

const SECOND: Duration = Duration::from_secs(1);

/// A cache in memory whose next operations fail, or never end.
#[derive(Clone, Default)]
struct Flaky {
    memory: MemoryCache,
    mood: Arc<Mutex<Mood>>,
    asked: Arc<AtomicU32>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Mood {
    #[default]
    Works,
    Fails,
    Hangs,
    /// Writes fail, the rest works: a full disk.
    Full,
}

impl Flaky {
    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> u32 {
        self.asked.swap(0, SeqCst)
    }

    async fn ask(&self, write: bool) -> Result<(), CacheError> {
        self.asked.fetch_add(1, SeqCst);
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Full if write => Err(CacheError::storage("no space left on device")),
            Mood::Works | Mood::Full => Ok(()),
            Mood::Fails => Err(CacheError::storage("connection refused")),
            Mood::Hangs => std::future::pending().await,
        }
    }
}

impl Driver for Flaky {
    async fn load(&self, key: &str) -> Result<Option<Entry<String>>, CacheError> {
        self.ask(false).await?;
        self.memory.load(key).await
    }

    async fn store(&self, key: &str, value: String, ttl: Duration) -> Result<(), CacheError> {
        self.ask(true).await?;
        self.memory.store(key, value, ttl).await
    }

    async fn remove(&self, key: &str) -> Result<(), CacheError> {
        self.ask(false).await?;
        self.memory.remove(key).await
    }

    async fn clear(&self, prefix: &str, flush: Flush) -> Result<(), CacheError> {
        self.ask(false).await?;
        self.memory.clear(prefix, flush).await
    }
}

/// Computes a value in a second, and counts how often.
async fn slow(counter: &AtomicU32) -> Result<u32, io::Error> {
    let count = counter.fetch_add(1, SeqCst) + 1;
    sleep(SECOND).await;
    Ok(count)
}

async fn get(cache: &Arc<dyn Cache>, counter: &Arc<AtomicU32>) -> u32 {
    cache.get_or_try_insert_with("k", Some(SECOND * 100), || slow(counter)).await.unwrap()
}

/// So many tasks that want the same value.
async fn stampede(caches: &[Arc<dyn Cache>], counter: &Arc<AtomicU32>) -> Vec<u32> {
    let mut tasks = JoinSet::new();
    for task in 0..100 {
        let (cache, counter) = (Arc::clone(&caches[task % caches.len()]), Arc::clone(counter));
        tasks.spawn(async move { get(&cache, &counter).await });
    }
    tasks.join_all().await
}

fn shared(cache: impl Cache) -> Arc<dyn Cache> {
    Arc::new(cache)
}

mod single_flight {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_hundred_tasks_compute_once() {
        let metrics = Metrics::default();
        for (hits, backing) in [(1, shared(MemoryCache::default())), (2, shared(NoneCache))] {
            let cache = shared(SingleFlight::new(backing).metrics(metrics.clone()));
            let counter = Arc::default();
            assert_eq!(stampede(&[Arc::clone(&cache)], &counter).await, [1; 100]);
            assert_eq!(counter.load(SeqCst), 1);
            assert_eq!(get(&cache, &counter).await, hits, "from the cache, if it has it");
        }
        let counts = metrics.snapshot();
        assert_eq!((counts.computed, counts.joined), (3, 198));
        assert_eq!(counts.computations.count, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn all_get_the_error_and_the_next_one_tries_again() {
        let cache = shared(SingleFlight::new(MemoryCache::default()));
        let counter = Arc::new(AtomicU32::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..100 {
            let (cache, counter) = (Arc::clone(&cache), Arc::clone(&counter));
            tasks.spawn(async move {
                let fails = async || {
                    slow(&counter).await?;
                    Err::<u32, _>(io::Error::from(io::ErrorKind::ConnectionReset))
                };
                cache.get_or_try_insert_with::<u32, _, _, _, _>("k", None, fails).await
            });
        }
        for end in tasks.join_all().await {
            let error = end.unwrap_err();
            let original: &io::Error = error.downcast_ref().unwrap();
            assert_eq!(original.kind(), io::ErrorKind::ConnectionReset);
            assert_eq!(error.to_string(), original.to_string());
        }
        assert_eq!(counter.load(SeqCst), 1);
        assert_eq!(get(&cache, &counter).await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_cancelled_or_panics_holds_nobody_up() {
        let memory = MemoryCache::default();
        let cache = shared(SingleFlight::new(memory).lease(SECOND * 60));
        for cancelled in [true, false] {
            let (other, counter) = (Arc::clone(&cache), Arc::new(AtomicU32::new(0)));
            let first = tokio::spawn(async move {
                let never = async || {
                    sleep(SECOND).await;
                    if cancelled { std::future::pending().await } else { panic!("as planned") }
                };
                other.get_or_try_insert_with::<u32, u32, io::Error, _, _>("k", None, never).await
            });
            tokio::task::yield_now().await;
            let waiting = {
                let (cache, counter) = (Arc::clone(&cache), Arc::clone(&counter));
                tokio::spawn(async move { get(&cache, &counter).await })
            };
            sleep(SECOND * 2).await;
            first.abort();
            let since = Instant::now();
            assert_eq!(waiting.await.unwrap(), 1);
            assert!(since.elapsed() < SECOND * 2, "{:?}", since.elapsed());
            cache.delete("k").await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_put_or_deleted_meanwhile_wins() {
        let cache = shared(SingleFlight::new(MemoryCache::default()));
        let counter = Arc::new(AtomicU32::new(0));
        let begin = || {
            let (cache, counter) = (Arc::clone(&cache), Arc::clone(&counter));
            tokio::spawn(async move { get(&cache, &counter).await })
        };
        let first = begin();
        sleep(SECOND / 2).await;
        cache.put("k", &50, None).await.unwrap();
        assert_eq!(first.await.unwrap(), 1);
        assert_eq!(cache.get::<u32>("k").await.unwrap(), Some(50), "what was put is newer");

        cache.delete("k").await.unwrap();
        let second = begin();
        sleep(SECOND / 2).await;
        cache.flush_prefix("k", Flush::All).await.unwrap();
        assert_eq!(get(&cache, &counter).await, 3, "who asks after the flush gets what is newer");
        assert_eq!(second.await.unwrap(), 2);
        assert_eq!(cache.get::<u32>("k").await.unwrap(), Some(3));
    }

    #[tokio::test(start_paused = true)]
    async fn once_among_processes_that_share_the_cache() {
        let memory = MemoryCache::default();
        let process = || shared(SingleFlight::new(memory.clone()).lease(SECOND * 5));
        let (processes, counter) = ([process(), process(), process()], Arc::default());
        assert_eq!(stampede(&processes, &counter).await, [1; 100]);
        assert_eq!(counter.load(SeqCst), 1);

        // One that has taken the lease and is no more.
        memory.delete("k").await.unwrap();
        memory.put("connect-cache:lease:k", &true, Some(SECOND * 5)).await.unwrap();
        let since = Instant::now();
        assert_eq!(get(&processes[0], &counter).await, 2);
        let took = since.elapsed();
        assert!(took >= SECOND * 5 && took < SECOND * 7, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_is_refreshed_by_one_before_it_expires() {
        let metrics = Metrics::default();
        let cache = shared(
            SingleFlight::new(MemoryCache::default())
                .refresh_ahead(SECOND * 10)
                .lease(SECOND * 5)
                .metrics(metrics.clone()),
        );
        let counter = Arc::default();
        assert_eq!(get(&cache, &counter).await, 1);
        sleep(SECOND * 89).await;
        assert_eq!(stampede(&[Arc::clone(&cache)], &counter).await, [1; 100], "10 seconds are left");
        sleep(SECOND * 2).await;
        let mut values = stampede(&[Arc::clone(&cache)], &counter).await;
        values.sort_unstable();
        assert_eq!((values[98], values[99]), (1, 2), "one computes, all others get what is there");
        assert_eq!(metrics.snapshot().refreshed, 1);
        sleep(SECOND * 95).await;
        let fails = || async { Err::<u32, _>(io::Error::other("the vendor is down")) };
        let old: u32 = cache.get_or_try_insert_with("k", None, fails).await.unwrap();
        assert_eq!(old, 2, "it is good until it expires");
    }

    #[tokio::test(start_paused = true)]
    async fn none_is_cached_where_that_is_wanted() {
        let cache = SingleFlight::new(MemoryCache::default()).negative_ttl(SECOND * 10);
        let counter = AtomicU32::new(0);
        let nothing = async || {
            slow(&counter).await?;
            Ok::<_, io::Error>(None)
        };
        for expected in [1, 1, 2] {
            let value: Option<u32> = cache.get_or_try_insert_with("k", None, nothing).await.unwrap();
            assert_eq!((value, counter.load(SeqCst)), (None, expected));
            sleep(SECOND * 6).await;
        }
        assert_eq!(cache.get::<u32>("k").await.unwrap(), None);
        cache.put("k", &1, None).await.unwrap();
        assert_eq!(cache.get::<u32>("k").await.unwrap(), Some(1));
    }
}

mod guard {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_a_miss() {
        let (driver, metrics) = (Flaky::default(), Metrics::default());
        let cache = shared(Guard::new(driver.clone(), metrics.clone()).timeout(SECOND).breaker(100, SECOND));
        for mood in [Mood::Fails, Mood::Hangs] {
            driver.set(Mood::Works);
            cache.put("k", &1, None).await.unwrap();
            driver.set(mood);
            assert_eq!(cache.get::<u8>("k").await.unwrap(), None);
            assert_eq!(cache.touch::<u8>("k", SECOND).await.unwrap(), None);
            assert!(!cache.has("k").await.unwrap());
            cache.put("k", &2, None).await.unwrap();
            cache.delete("k").await.unwrap();
            cache.flush(Flush::All).await.unwrap();
            let since = Instant::now();
            assert_eq!(get(&cache, &Arc::default()).await, 1, "the order goes on");
            assert!(since.elapsed() <= SECOND * 4, "{:?}", since.elapsed());
            assert!(cache.add("k", &1, None).await.is_err(), "nobody could rely on the answer");
        }
        assert!(cache.put("k", &1, Some(Duration::ZERO)).await.is_err(), "a mistake of the caller");
        let counts = metrics.snapshot();
        assert_eq!((counts.failures, counts.timeouts), (18, 8));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_server_that_is_down() {
        let (driver, metrics) = (Flaky::default(), Metrics::default());
        let cache = Guard::new(driver.clone(), metrics.clone()).timeout(SECOND).breaker(5, SECOND * 10);
        driver.set(Mood::Hangs);
        for _ in 0..50 {
            assert_eq!(cache.get::<u8>("k").await.unwrap(), None);
        }
        assert_eq!((driver.asked(), metrics.snapshot().skipped), (5, 45));
        advance(SECOND * 11).await;
        for _ in 0..50 {
            cache.get::<u8>("k").await.unwrap();
        }
        assert_eq!(driver.asked(), 1, "one tries");
        driver.set(Mood::Works);
        cache.put("k", &1, None).await.unwrap();
        assert_eq!(driver.asked(), 0, "not yet");
        advance(SECOND * 11).await;
        cache.put("k", &1, None).await.unwrap();
        assert_eq!(cache.get::<u8>("k").await.unwrap(), Some(1), "it works again");
        driver.set(Mood::Fails);
        for _ in 0..4 {
            cache.get::<u8>("k").await.unwrap();
        }
        driver.set(Mood::Works);
        assert_eq!(cache.get::<u8>("k").await.unwrap(), Some(1), "only failures in a row count");
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_that_is_cancelled_is_not_the_last() {
        let driver = Flaky::default();
        let cache = Guard::new(driver.clone(), Metrics::default()).timeout(SECOND).breaker(1, SECOND * 10);
        driver.set(Mood::Hangs);
        cache.get::<u8>("k").await.unwrap();
        advance(SECOND * 11).await;
        assert!(tokio::time::timeout(SECOND / 2, cache.get::<u8>("k")).await.is_err());
        driver.set(Mood::Works);
        advance(SECOND * 11).await;
        cache.put("k", &1, None).await.unwrap();
        assert!(cache.has("k").await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn what_can_not_be_replaced_is_not_read_again() {
        let driver = Flaky::default();
        let cache = Guard::new(driver.clone(), Metrics::default());
        cache.put("k", &1, None).await.unwrap();
        driver.set(Mood::Full);
        cache.put("k", &2, None).await.unwrap();
        assert_eq!(cache.get::<u8>("k").await.unwrap(), None, "not the old value");
        for mood in [Mood::Fails, Mood::Hangs] {
            driver.set(Mood::Works);
            for key in ["put", "deleted", "other"] {
                cache.put(key, &1, None).await.unwrap();
            }
            driver.set(mood);
            cache.put("put", &2, None).await.unwrap();
            cache.delete("deleted").await.unwrap();
            driver.set(Mood::Works);
            advance(SECOND * 60).await;
            for key in ["put", "deleted"] {
                assert_eq!(cache.get::<u8>(key).await.unwrap(), None, "{key}");
                assert_eq!(cache.touch::<u8>(key, SECOND).await.unwrap(), None, "{key}");
                assert!(!cache.has(key).await.unwrap(), "{key}");
                cache.put(key, &3, None).await.unwrap();
                assert_eq!(cache.get::<u8>(key).await.unwrap(), Some(3), "{key}");
            }
            assert!(cache.has("other").await.unwrap());
        }
    }
}

mod two_level {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_keeps_the_contract() {
        let cache = TwoLevel::new(MemoryCache::default(), MemoryCache::default(), SECOND * 3);
        contract(Arc::new(cache), SECOND * 10, advance).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_is_read_from_memory_for_so_long() {
        let back = Flaky::default();
        let process = || TwoLevel::new(MemoryCache::default(), back.clone(), SECOND * 10);
        let (one, other) = (process(), process());
        one.put("k", &1, None).await.unwrap();
        assert_eq!(other.get::<u8>("k").await.unwrap(), Some(1));
        back.asked();
        for _ in 0..100 {
            assert_eq!(one.get::<u8>("k").await.unwrap(), Some(1));
            assert_eq!(other.get::<u8>("k").await.unwrap(), Some(1));
        }
        assert_eq!(back.asked(), 0);
        one.put("k", &2, None).await.unwrap();
        assert_eq!(one.get::<u8>("k").await.unwrap(), Some(2), "one's own changes are seen at once");
        advance(SECOND * 9).await;
        assert_eq!(other.get::<u8>("k").await.unwrap(), Some(1));
        advance(SECOND).await;
        assert_eq!(other.get::<u8>("k").await.unwrap(), Some(2), "others' in time");
        one.delete("k").await.unwrap();
        assert!(!one.has("k").await.unwrap());
        advance(SECOND * 10).await;
        assert_eq!(other.get::<u8>("k").await.unwrap(), None);

        one.put("short", &1, Some(SECOND * 4)).await.unwrap();
        assert_eq!(other.get::<u8>("short").await.unwrap(), Some(1));
        advance(SECOND * 4).await;
        assert_eq!(other.get::<u8>("short").await.unwrap(), None, "never longer than it lives");
    }
}

mod namespaces {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_keeps_the_contract_and_leaves_the_others_alone() {
        let memory = shared(MemoryCache::default());
        let names = ["VA-1", "VA-10", "VA-1/x", "VA-1%2Fx", "", "@"];
        let spaces = names.map(|name| Namespaced::new(Arc::clone(&memory), name));
        for (space, name) in spaces.iter().zip(names) {
            space.put("k", &name, None).await.unwrap();
            space.put("x/k", &name, None).await.unwrap();
        }
        let first = shared(Namespaced::new(Arc::clone(&memory), "first"));
        contract(first, SECOND * 10, advance).await.unwrap();
        for (space, name) in spaces.iter().zip(names) {
            for key in ["k", "x/k"] {
                assert_eq!(space.get::<String>(key).await.unwrap().as_deref(), Some(name));
            }
        }
        spaces[0].flush(Flush::All).await.unwrap();
        assert!(!spaces[0].has("k").await.unwrap());
        assert!(spaces[1].has("k").await.unwrap() && spaces[2].has("k").await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_key_of_two_accounts_is_computed_twice() {
        let cache = shared(SingleFlight::new(MemoryCache::default()));
        let accounts = ["VA-1", "VA-2"].map(|name| shared(Namespaced::new(Arc::clone(&cache), name)));
        let counter = Arc::default();
        stampede(&accounts, &counter).await;
        assert_eq!(counter.load(SeqCst), 2);
    }
}

mod limits {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn entries_have_a_size_and_a_time_to_live() {
        let metrics = Metrics::default();
        let cache = Limits::new(MemoryCache::default()).largest(10).ttl(SECOND * 5).metrics(metrics.clone());
        cache.put("k", &"12345678", None).await.unwrap();
        assert!(cache.has("k").await.unwrap());
        cache.put("k", &"123456789", None).await.unwrap();
        assert!(!cache.has("k").await.unwrap(), "nor is the old value there");
        assert!(matches!(
            cache.add("k", &"123456789", None).await,
            Err(CacheError::TooLarge { size: 11, .. })
        ));
        assert_eq!(metrics.snapshot().refused, 2);
        cache.put("k", &1, None).await.unwrap();
        advance(SECOND * 5).await;
        assert!(!cache.has("k").await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_expired_is_swept_out() {
        let driver = Flaky::default();
        let cache = Sweep::new(driver.clone(), SECOND * 60);
        cache.put("old", &1, Some(SECOND)).await.unwrap();
        advance(SECOND * 10).await;
        cache.put("k", &1, None).await.unwrap();
        assert_eq!(driver.asked(), 2);
        advance(SECOND * 30).await;
        cache.put("k", &1, None).await.unwrap();
        sleep(SECOND).await;
        assert_eq!(driver.asked(), 2, "one of them a sweep");
        cache.put("k", &1, None).await.unwrap();
        assert_eq!(driver.asked(), 1);
    }
}

mod encryption {
    use super::*;

    fn key(byte: u8) -> EncryptionKey {
        EncryptionKey::new([byte; 32]).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn it_keeps_the_contract() {
        contract(Arc::new(Encrypted::new(MemoryCache::default(), key(1))), SECOND * 10, advance)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn nobody_reads_or_forges_a_value_without_the_key() {
        let (memory, metrics) = (MemoryCache::default(), Metrics::default());
        let cache = Encrypted::new(memory.clone(), key(1)).metrics(metrics.clone());
        cache.put("token", &"canary", None).await.unwrap();
        let stored = memory.get_text("token").await.unwrap().unwrap().value;
        assert!(!stored.contains("canary") && serde_json::from_str::<String>(&stored).is_ok(), "{stored}");
        cache.put("again", &"canary", None).await.unwrap();
        let again = memory.get_text("again").await.unwrap().unwrap().value;
        assert_ne!(stored, again);

        let middle = stored.len() - 10;
        let changed = format!(
            "{}{}{}",
            &stored[..middle],
            if &stored[middle..=middle] == "A" { "B" } else { "A" },
            &stored[middle + 1..]
        );
        for (name, forged) in [
            ("another key's", again),
            ("changed", changed),
            ("plain", "\"canary\"".to_owned()),
            ("cut", format!("{}\"", &stored[..30])),
            ("empty", String::new()),
        ] {
            memory.put_text("token", forged, None).await.unwrap();
            assert_eq!(cache.get::<String>("token").await.unwrap(), None, "{name}");
        }
        assert_eq!(metrics.snapshot().undecryptable, 5);
        assert!(!format!("{cache:?}").contains("[1, 1"), "a key is not shown");
    }

    #[tokio::test]
    async fn a_key_can_be_exchanged() {
        let memory = MemoryCache::default();
        Encrypted::new(memory.clone(), key(1)).put("k", &"old", None).await.unwrap();
        let both = Encrypted::new(memory.clone(), key(2)).old_key(key(1));
        assert_eq!(both.get::<String>("k").await.unwrap().as_deref(), Some("old"));
        both.put("k", &"new", None).await.unwrap();
        let new = Encrypted::new(memory.clone(), key(2));
        assert_eq!(new.get::<String>("k").await.unwrap().as_deref(), Some("new"));
        assert_eq!(Encrypted::new(memory, key(1)).get::<String>("k").await.unwrap(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn reads_and_writes_are_counted() {
    let metrics = Metrics::default();
    let cache = Metered::new(MemoryCache::default(), metrics.clone());
    cache.put("k", &1, None).await.unwrap();
    cache.get::<u8>("k").await.unwrap();
    cache.touch::<u8>("k", SECOND).await.unwrap();
    cache.get::<u8>("other").await.unwrap();
    cache.delete("k").await.unwrap();
    let counts = metrics.snapshot();
    assert_eq!((counts.hits, counts.misses, counts.puts, counts.deletes), (2, 1, 1, 1));
    assert_eq!((counts.reads.count, counts.writes.count), (3, 2));
}

fn all_layers() -> Config {
    let key = "42".repeat(32);
    [
        ("CACHE_TTL", "900"),
        ("CACHE_NAMESPACE", "shop"),
        ("CACHE_MAX_VALUE_SIZE", "400000"),
        ("CACHE_FRONT_TTL", "2.5"),
        ("CACHE_REFRESH_AHEAD", "1"),
        ("CACHE_SWEEP", "1"),
        ("CACHE_ENCRYPTION_KEY", &key),
    ]
    .into_iter()
    .collect()
}

#[tokio::test(start_paused = true)]
async fn all_layers_together_keep_the_contract_and_compute_once() {
    let memory = MemoryCache::default();
    let process = || Layers::from_config(&all_layers()).unwrap().around(memory.clone(), &Metrics::default());
    contract(process(), SECOND * 10, advance).await.unwrap();
    let (processes, counter) = ([process(), process()], Arc::default());
    assert_eq!(stampede(&processes, &counter).await, [1; 100]);
    let stored = memory.get_text("@shop/k").await.unwrap().unwrap().value;
    assert!(stored.contains("aes-256-gcm-siv"), "{stored}");
}

#[tokio::test(start_paused = true)]
async fn all_layers_together_stand_a_cache_that_fails() {
    for mood in [Mood::Fails, Mood::Hangs] {
        let (driver, metrics) = (Flaky::default(), Metrics::default());
        driver.set(mood);
        let cache = Layers::from_config(&all_layers()).unwrap().around(driver.clone(), &metrics);
        let counter = Arc::default();
        assert_eq!(stampede(&[Arc::clone(&cache)], &counter).await, [1; 100]);
        for _ in 0..100 {
            cache.put("k", &1, None).await.unwrap();
            cache.delete("k").await.unwrap();
            assert_eq!(cache.get::<u8>("k").await.unwrap(), None);
        }
        assert!(metrics.snapshot().skipped > 200, "{metrics:?}");
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_no_secret_shown() {
    let config: Config = [
        ("CACHE_TTL", "0"),
        ("CACHE_TIMEOUT", "soon"),
        ("CACHE_LEASE", "-1"),
        ("CACHE_BREAKER_FAILURES", "many"),
        ("CACHE_ENCRYPTION_KEY", "canary"),
    ]
    .into_iter()
    .collect();
    let Err(CacheError::Config { problems }) = Layers::from_config(&config) else { panic!("it is wrong") };
    assert_eq!(problems.len(), 5, "{problems:?}");
    assert!(!problems.iter().any(|problem| problem.contains("canary")), "{problems:?}");
}
