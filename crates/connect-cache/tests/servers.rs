//! The drivers against real servers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]
#![allow(missing_docs, reason = "a test")]

mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use connect_cache::{Cache, CacheError, CacheExt, Drivers, Flush, contract::contract};
use connect_container::{Config, Logger};
use support::Server;
use tokio::{task::JoinSet, time::sleep};

/// What the entries of the contract live for multiples of: these servers have their own clocks.
const UNIT: Duration = Duration::from_millis(400);

/// The driver that variables name.
fn open(variables: &[(&str, &str)]) -> Arc<dyn Cache> {
    let config: Config = variables.iter().copied().chain([("CACHE_REQUIRED", "true")]).collect();
    Drivers::new().open(&config, &Logger::current()).unwrap()
}

fn url(url: &str) -> Arc<dyn Cache> {
    open(&[("CACHE_URL", url)])
}

/// Waits until the server answers.
async fn ready(cache: &Arc<dyn Cache>) {
    let since = Instant::now();
    while let Err(error) = cache.put("ready", &true, None).await {
        assert!(since.elapsed() < Duration::from_secs(30), "{error}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// What every server has to stand, by the same names: `other` is the same cache in another process, say.
async fn all(server: &mut Server, cache: Arc<dyn Cache>, other: Arc<dyn Cache>) {
    ready(&cache).await;
    contract(Arc::clone(&cache), UNIT, sleep).await.unwrap();

    cache.put("shared", &"by both", None).await.unwrap();
    assert_eq!(other.get::<String>("shared").await.unwrap().as_deref(), Some("by both"));
    other.flush(Flush::All).await.unwrap();
    assert!(!cache.has("shared").await.unwrap());

    killed_in_mid_run(server, &cache).await;
}

/// While the server is gone there are errors, and nothing hangs; soon after it is back, there are none.
async fn killed_in_mid_run(server: &mut Server, cache: &Arc<dyn Cache>) {
    let mut tasks = JoinSet::new();
    for task in 0..8_u32 {
        let cache = Arc::clone(cache);
        tasks.spawn(async move {
            let (mut failed, mut worked_again) = (false, false);
            let since = Instant::now();
            while !worked_again {
                assert!(since.elapsed() < Duration::from_secs(60), "it does not recover");
                let key = format!("task {task}");
                let worked: Result<_, CacheError> = async {
                    cache.put(&key, &task, None).await?;
                    cache.get::<u32>(&key).await
                }
                .await;
                match worked {
                    // It may have gone down between the two.
                    Ok(value) => {
                        assert!(value.is_none_or(|value| value == task));
                        worked_again = failed && value.is_some();
                    }
                    Err(_) => failed = true,
                }
                sleep(Duration::from_millis(5)).await;
            }
        });
    }
    sleep(Duration::from_millis(200)).await;
    server.kill();
    sleep(Duration::from_millis(300)).await;
    let since = Instant::now();
    assert!(cache.get::<u32>("task 1").await.is_err());
    assert!(since.elapsed() < Duration::from_secs(8), "{:?} until the error", since.elapsed());
    server.start();
    tasks.join_all().await;
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
    let cache = open(&[
        ("CACHE_DRIVER", "redis"),
        ("CACHE_REDIS_HOST", "127.0.0.1"),
        ("CACHE_REDIS_PORT", &port),
        ("CACHE_REDIS_DB", "3"),
        ("CACHE_REDIS_USERNAME", "cache"),
        ("CACHE_REDIS_PASSWORD", "canary"),
    ]);
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
    all(&mut server, cache, url(&format!("{login}/3"))).await;

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
    let cache = open(&[
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
    first_use_at_once(|| open(&variables)).await;
    let cache = open(&variables);
    large(&cache, 20).await;
    let other = url(&format!("postgres://cache:canary@127.0.0.1:{port}/postgres?pool=2"));
    all(&mut server, cache, other).await;
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
    first_use_at_once(|| open(&variables)).await;
    let cache = open(&variables);
    large(&cache, 10).await;
    let other = url(&format!("mariadb://cache:canary@127.0.0.1:{port}/cache?pool=2"));
    all(&mut server, cache, other).await;
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
    let cache = open(&[
        ("CACHE_DRIVER", "memcached"),
        ("CACHE_MEMCACHED_HOST", "127.0.0.1"),
        ("CACHE_MEMCACHED_PORT", &port),
    ]);
    let others = url(&format!("memcached://127.0.0.1:{port}?prefix=theirs"));
    others.put("kept", &1, None).await.unwrap();
    let end = cache.put("large", &"x".repeat(2_000_000), None).await;
    assert!(matches!(end, Err(CacheError::TooLarge { size: 2_000_002, .. })), "{end:?}");
    cache.flush(Flush::All).await.unwrap();
    assert!(others.has("kept").await.unwrap(), "a flush is of this cache's keys alone");
    all(&mut server, cache, url(&format!("memcached://127.0.0.1:{port}?pool=1"))).await;
}
