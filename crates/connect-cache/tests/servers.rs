//! The drivers against real servers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]
#![allow(missing_docs, reason = "a test")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use connect_cache::{
    Cache, CacheError, CacheExt, Drivers, Flush, MemcachedCache, Metrics, MysqlCache, PostgresCache,
    RedisCache, contract::contract,
};
use connect_container::{Config, Logger};
use support::Server;
use tokio::{task::JoinSet, time::sleep};

/// What the entries of the contract live for multiples of: these servers have their own clocks.
const UNIT: Duration = Duration::from_millis(400);

/// The driver that variables name, with nothing around it.
fn driver(variables: &[(&str, &str)]) -> Arc<dyn Cache> {
    let config: Config = variables.iter().copied().collect();
    let named = config.get("CACHE_DRIVER").or(config.get("CACHE_URL")).unwrap();
    if named.starts_with("redis") {
        Arc::new(RedisCache::from_config(&config).unwrap())
    } else if named.starts_with("postgres") {
        Arc::new(PostgresCache::from_config(&config).unwrap())
    } else if named.starts_with("memcached") {
        Arc::new(MemcachedCache::from_config(&config).unwrap())
    } else {
        Arc::new(MysqlCache::from_config(&config).unwrap())
    }
}

fn url(url: &str) -> Arc<dyn Cache> {
    driver(&[("CACHE_URL", url)])
}

/// What an extension gets.
fn service(variables: &[(&str, &str)], metrics: &Metrics) -> Arc<dyn Cache> {
    let more = [("CACHE_REQUIRED", "true"), ("CACHE_BREAKER_PAUSE", "0.3"), ("CACHE_TIMEOUT", "2")];
    let config: Config = variables.iter().copied().chain(more).collect();
    Drivers::new().metrics(metrics.clone()).open(&config, &Logger::current()).unwrap()
}

/// Waits until the server answers.
async fn ready(cache: &Arc<dyn Cache>) {
    let since = Instant::now();
    while let Err(error) = cache.put("ready", &true, None).await {
        assert!(since.elapsed() < Duration::from_secs(30), "{error}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// What every server has to stand. `other` is the same cache, configured in another way.
async fn all(server: &mut Server, variables: &[(&str, &str)], other: Arc<dyn Cache>) {
    let cache = driver(variables);
    ready(&cache).await;
    contract(Arc::clone(&cache), UNIT, sleep).await.unwrap();

    cache.put("shared", &"by both", None).await.unwrap();
    assert_eq!(other.get::<String>("shared").await.unwrap().as_deref(), Some("by both"));
    other.flush(Flush::All).await.unwrap();
    assert!(!cache.has("shared").await.unwrap());

    computed_once(variables).await;
    killed_in_mid_run(server, variables).await;
}

/// By a hundred tasks of two processes.
async fn computed_once(variables: &[(&str, &str)]) {
    let processes = [service(variables, &Metrics::default()), service(variables, &Metrics::default())];
    let counter = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for task in 0..100 {
        let (cache, counter) = (Arc::clone(&processes[task % 2]), Arc::clone(&counter));
        tasks.spawn(async move {
            let compute = async || {
                sleep(Duration::from_millis(300)).await;
                Ok::<_, CacheError>(counter.fetch_add(1, SeqCst))
            };
            cache.get_or_try_insert_with::<u32, _, _, _, _>("once", None, compute).await.unwrap()
        });
    }
    assert_eq!(tasks.join_all().await, [0; 100]);
}

/// While the server is gone nothing is an error but the driver's own, and nothing hangs; soon after it is back, all works.
async fn killed_in_mid_run(server: &mut Server, variables: &[(&str, &str)]) {
    let metrics = Metrics::default();
    let (bare, cache) = (driver(variables), service(variables, &metrics));
    ready(&bare).await;
    let gone = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for task in 0..8_u32 {
        let (cache, gone) = (Arc::clone(&cache), Arc::clone(&gone));
        tasks.spawn(async move {
            let (mut missed, since) = (false, Instant::now());
            loop {
                assert!(since.elapsed() < Duration::from_secs(60), "it does not recover");
                let key = format!("task {task}");
                cache.put(&key, &task, None).await.unwrap();
                match cache.get::<u32>(&key).await.unwrap() {
                    Some(value) if missed => break assert_eq!(value, task),
                    Some(value) => assert_eq!(value, task),
                    None => missed = gone.load(SeqCst),
                }
                sleep(Duration::from_millis(5)).await;
            }
        });
    }
    sleep(Duration::from_millis(200)).await;
    gone.store(true, SeqCst);
    server.kill();
    let since = Instant::now();
    assert!(bare.get::<u32>("task 1").await.is_err());
    assert!(since.elapsed() < Duration::from_secs(8), "{:?} until the error", since.elapsed());
    sleep(Duration::from_millis(500)).await;
    server.start();
    tasks.join_all().await;
    ready(&bare).await;
    let counts = metrics.snapshot();
    assert!(counts.failures > 0 && counts.skipped > 0, "{counts:?}");
}

/// A value of many megabytes.
async fn large(cache: &Arc<dyn Cache>, megabytes: usize) {
    let value = "0123456789abcdef".repeat(megabytes * 65_536);
    cache.put("large", &value, None).await.unwrap();
    assert!(cache.get::<String>("large").await.unwrap().is_some_and(|stored| stored == value));
}

async fn redis_or_valkey(name: &str) {
    let Some(mut server) = Server::redis(name, &[]) else { return };
    let port = server.port.to_string();
    let variables = [
        ("CACHE_DRIVER", "redis"),
        ("CACHE_REDIS_HOST", "127.0.0.1"),
        ("CACHE_REDIS_PORT", &*port),
        ("CACHE_REDIS_DB", "3"),
        ("CACHE_REDIS_USERNAME", "cache"),
        ("CACHE_REDIS_PASSWORD", "canary"),
    ];
    let cache = driver(&variables);
    let login = format!("redis://cache:canary@127.0.0.1:{port}");
    let others = [url(&format!("{login}/3?prefix=theirs")), url(&format!("{login}/2"))];
    for others in &others {
        ready(others).await;
        others.put("kept", &1, None).await.unwrap();
    }
    large(&cache, 20).await;
    cache.flush(Flush::All).await.unwrap();
    for others in &others {
        assert!(others.has("kept").await.unwrap(), "a flush is of this cache's keys alone");
    }
    all(&mut server, &variables, url(&format!("{login}/3"))).await;

    let wrong = url(&format!("redis://cache:wrong@127.0.0.1:{port}"));
    let error = wrong.get::<u8>("k").await.unwrap_err().to_string();
    assert!(!error.contains("wrong:") && !error.contains(":wrong"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis() {
    redis_or_valkey("redis-server").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn valkey() {
    // Older Debians have none; the gate says so.
    if std::env::var_os("CACHE_TEST_NO_VALKEY").is_none() {
        redis_or_valkey("valkey-server").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_cluster() {
    let Some(nodes) = Server::redis_cluster() else { return };
    let address = format!("redis://cache:canary@127.0.0.1:{}", nodes[0].port);
    let cache = url(&format!("{address}?cluster=true"));
    let others = url(&format!("{address}?cluster=true&prefix=theirs"));
    ready(&cache).await;
    others.put("kept", &1, None).await.unwrap();
    contract(Arc::clone(&cache), UNIT, sleep).await.unwrap();
    for number in 0..2_000 {
        cache.put(&format!("key {number}"), &number, None).await.unwrap();
    }
    cache.flush(Flush::All).await.unwrap();
    for number in 0..2_000 {
        assert!(!cache.has(&format!("key {number}")).await.unwrap(), "key {number}");
    }
    assert!(others.has("kept").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_over_tls() {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = authority.self_signed(&authority_key).unwrap();
    std::fs::write(file("ca.pem"), certificate.pem()).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(file("server.pem"), leaf.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    std::fs::write(file("server.key"), key.serialize_pem()).unwrap();
    for path in [folder.path().to_owned(), folder.path().join("server.key")] {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let port = support::free_port().to_string();
    let (ca, cert, key) = (file("ca.pem"), file("server.pem"), file("server.key"));
    let more = [
        "--tls-port",
        &port,
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &ca,
        "--tls-auth-clients",
        "no",
    ];
    let Some(_server) = Server::redis("redis-server", &more) else { return };
    let cache = driver(&[
        ("CACHE_DRIVER", "redis"),
        ("CACHE_REDIS_TLS", "true"),
        ("CACHE_REDIS_PORT", &port),
        ("CACHE_REDIS_USERNAME", "cache"),
        ("CACHE_REDIS_PASSWORD", "canary"),
        ("CACHE_REDIS_CA_FILE", &ca),
    ]);
    ready(&cache).await;
    large(&cache, 1).await;
    let address = format!("rediss://cache:canary@localhost:{port}");
    assert!(url(&format!("{address}?ca_file={ca}")).has("large").await.unwrap());
    assert!(url(&address).has("large").await.is_err(), "a certificate that nobody knows");
    assert!(url(&address.replace("rediss", "redis")).has("large").await.is_err(), "no TLS");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let Some(mut server) = Server::postgres() else { return };
    let port = server.port.to_string();
    let variables = [
        ("CACHE_DRIVER", "postgresql"),
        ("CACHE_POSTGRESQL_HOST", "127.0.0.1"),
        ("CACHE_POSTGRESQL_PORT", &*port),
        ("CACHE_POSTGRESQL_DATABASE_NAME", "postgres"),
        ("CACHE_POSTGRESQL_USER_NAME", "cache"),
        ("CACHE_POSTGRESQL_PASSWORD", "canary"),
    ];
    first_use_at_once(|| driver(&variables)).await;
    let cache = driver(&variables);
    large(&cache, 20).await;
    let other = url(&format!("postgres://cache:canary@127.0.0.1:{port}/postgres?pool=2"));
    all(&mut server, &variables, other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb() {
    let Some(mut server) = Server::mariadb() else { return };
    let port = server.port.to_string();
    let variables = [
        ("CACHE_DRIVER", "mysql"),
        ("CACHE_MYSQL_HOST", "127.0.0.1"),
        ("CACHE_MYSQL_PORT", &*port),
        ("CACHE_MYSQL_USER", "cache"),
        ("CACHE_MYSQL_PASSWORD", "canary"),
    ];
    first_use_at_once(|| driver(&variables)).await;
    let cache = driver(&variables);
    large(&cache, 10).await;
    let other = url(&format!("mariadb://cache:canary@127.0.0.1:{port}/cache?pool=2"));
    all(&mut server, &variables, other).await;
}

/// Many processes that find no table.
async fn first_use_at_once(open: impl Fn() -> Arc<dyn Cache>) {
    let mut tasks = JoinSet::new();
    for task in 0..8_u32 {
        let cache = open();
        tasks.spawn(async move { cache.put(&format!("first {task}"), &task, None).await });
    }
    for end in tasks.join_all().await {
        end.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memcached() {
    let Some(mut server) = Server::memcached() else { return };
    let port = server.port.to_string();
    let variables = [
        ("CACHE_DRIVER", "memcached"),
        ("CACHE_MEMCACHED_HOST", "127.0.0.1"),
        ("CACHE_MEMCACHED_PORT", &*port),
    ];
    let cache = driver(&variables);
    let others = url(&format!("memcached://127.0.0.1:{port}?prefix=theirs"));
    others.put("kept", &1, None).await.unwrap();
    let end = cache.put("large", &"x".repeat(2_000_000), None).await;
    assert!(matches!(end, Err(CacheError::TooLarge { size: 2_000_002, .. })), "{end:?}");
    cache.flush(Flush::All).await.unwrap();
    assert!(others.has("kept").await.unwrap(), "a flush is of this cache's keys alone");
    all(&mut server, &variables, url(&format!("memcached://127.0.0.1:{port}?pool=1"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there() {
    let port = support::free_port();
    for url in ["redis", "postgres", "mysql", "memcached"]
        .map(|scheme| format!("{scheme}://u:canary@127.0.0.1:{port}"))
    {
        let url = if url.starts_with("memcached") { url.replace("u:canary@", "") } else { url };
        let open = |required| {
            let config: Config =
                [("CACHE_URL", &*url), ("CACHE_REQUIRED", required), ("CACHE_TIMEOUT", "0.2")]
                    .into_iter()
                    .collect();
            Drivers::new().open(&config, &Logger::current())
        };
        let Err(error) = open("true") else { panic!("{url} is required, and not there") };
        assert!(!error.to_string().contains("canary"), "{error}");
        // It may come.
        let cache = open("false").unwrap();
        cache.put("k", &1, None).await.unwrap();
        assert_eq!(cache.get::<u8>("k").await.unwrap(), None);
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_no_secret_shown() {
    type Wrong<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let wrong: [Wrong<'_>; 6] = [
        (
            &[
                ("CACHE_DRIVER", "redis"),
                ("CACHE_REDIS_PORT", "cache"),
                ("CACHE_REDIS_DB", "x"),
                ("CACHE_TTL", "y"),
            ],
            &["CACHE_REDIS_PORT", "CACHE_REDIS_DB", "CACHE_TTL"],
        ),
        (
            &[
                ("CACHE_DRIVER", "redis"),
                ("CACHE_REDIS_ENCODING", "latin1"),
                ("CACHE_REDIS_CA_FILE", "/nowhere"),
            ],
            &["CACHE_REDIS_ENCODING", "CACHE_REDIS_CA_FILE"],
        ),
        (
            &[
                ("CACHE_URL", "redis://u:canary@h/1?prefix=a"),
                ("CACHE_REDIS_HOST", "h"),
                ("CACHE_REDIS_PREFIX", "b"),
            ],
            &["CACHE_REDIS_HOST", "CACHE_REDIS_PREFIX"],
        ),
        (
            &[("CACHE_DRIVER", "postgres"), ("CACHE_POSTGRESQL_PORT", "x")],
            &["CACHE_POSTGRESQL_PORT", "CACHE_POSTGRESQL_USER_NAME", "CACHE_POSTGRESQL_PASSWORD"],
        ),
        (
            &[("CACHE_DRIVER", "mysql"), ("CACHE_MYSQL_POOL", "x"), ("CACHE_MYSQL_USER", "u")],
            &["CACHE_MYSQL_POOL", "CACHE_MYSQL_PASSWORD"],
        ),
        (
            &[("CACHE_URL", "memcached:///x?pol=1"), ("CACHE_MEMCACHED_PORT", "1")],
            &["\"pol\"", "CACHE_MEMCACHED_PORT", "memcached://host:port"],
        ),
    ];
    for (variables, problems) in wrong {
        let config: Config = variables.iter().copied().chain([("CACHE_REQUIRED", "true")]).collect();
        let Err(CacheError::Config { problems: told }) = Drivers::new().open(&config, &Logger::current())
        else {
            panic!("{variables:?} are wrong")
        };
        let text = told.join("\n");
        assert!(problems.iter().all(|problem| text.contains(problem)), "{text}");
        assert_eq!(told.len(), problems.len(), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
