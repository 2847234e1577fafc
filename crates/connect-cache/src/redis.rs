use std::{fmt, fs, sync::Arc, time::Duration};

use connect_container::Config;
use redis::{
    Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError, RedisResult,
    TlsCertificates, Value,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo, SingleNodeRoutingInfo},
};
use tokio::sync::OnceCell;

use crate::{
    CacheError, Driver, Entry, Flush,
    settings::{Settings, Switch},
};

const DEFAULT_PORT: u16 = 6379;
/// What all keys begin with where nobody says: the server may be others' as well.
const DEFAULT_PREFIX: &str = "connect-cache:";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How many keys to look at in one step of a flush.
const STEP: usize = 500;

/// A cache on a Redis or Valkey server, or on a cluster of them. It connects at first use, and again when it has to.
///
/// | variable | default | |
/// |---|---|---|
/// | `CACHE_REDIS_HOST` | `localhost` | of a cluster, any of its nodes |
/// | `CACHE_REDIS_PORT` | 6379 | |
/// | `CACHE_REDIS_DB` | 0 | the number of the database; a cluster has but one |
/// | `CACHE_REDIS_USERNAME` | – | |
/// | `CACHE_REDIS_PASSWORD` | – | |
/// | `CACHE_REDIS_TLS` | `false` | |
/// | `CACHE_REDIS_CA_FILE` | the system's | PEM file of the authority that the server's certificate is from |
/// | `CACHE_REDIS_CLUSTER` | `false` | |
/// | `CACHE_REDIS_PREFIX` | `connect-cache:` | what all keys begin with; nothing else is ever flushed |
/// | `CACHE_REDIS_ENCODING` | `utf-8` | the original's; there is no other |
///
/// As a URL: `CACHE_URL=rediss://user:password@host:6379/0?cluster=true&prefix=shop:&ca_file=/etc/ca.pem`, with `redis` in
/// place of `rediss` without TLS. Needs Redis 6.2 or any Valkey.
#[derive(Clone)]
pub struct RedisCache(Arc<Server>);

struct Server {
    kind: Kind,
    prefix: String,
}

#[allow(clippy::large_enum_variant, reason = "there is one of it")]
enum Kind {
    Single(Client, OnceCell<ConnectionManager>),
    Cluster(ClusterClient, OnceCell<ClusterConnection>),
}

impl RedisCache {
    /// A cache on the server that the variables name.
    pub fn from_config(config: &Config) -> Result<Self, CacheError> {
        Self::configure(&mut Settings::new(config))
    }

    pub(crate) fn configure(settings: &mut Settings<'_>) -> Result<Self, CacheError> {
        let prefix =
            settings.text("CACHE_REDIS_PREFIX", "prefix").unwrap_or_else(|| DEFAULT_PREFIX.to_owned());
        let Switch(cluster) = settings.parse_or("CACHE_REDIS_CLUSTER", "cluster", Switch(false));
        let authority = settings.text("CACHE_REDIS_CA_FILE", "ca_file").and_then(|file| {
            let unreadable =
                |error| settings.problem(format!("CACHE_REDIS_CA_FILE: {file} can't be read: {error}"));
            fs::read(&file).map_err(unreadable).ok()
        });
        let encoding = settings.config().get("CACHE_REDIS_ENCODING").unwrap_or("utf-8");
        if !matches!(encoding.to_ascii_lowercase().as_str(), "utf-8" | "utf8") {
            settings.problem(
                "the variable CACHE_REDIS_ENCODING has a value that is not right: it can only be utf-8",
            );
        }
        let server = server(settings);
        settings.check()?;
        let Some(server) = server else { return Err(CacheError::config("CACHE_URL names no Redis server")) };
        if matches!(server.addr(), ConnectionAddr::TcpTls { .. })
            && rustls::crypto::CryptoProvider::get_default().is_none()
        {
            // Else rustls has to guess, and can't where two are compiled in. Another one may win the race.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let opened = if cluster { open_cluster(server, authority) } else { open_single(server, authority) };
        let kind = opened.map_err(CacheError::storage)?;
        Ok(Self(Arc::new(Server { kind, prefix })))
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.0.prefix)
    }

    /// Sends a command to where its key lives.
    async fn send<T: redis::FromRedisValue>(&self, command: &Cmd) -> Result<T, CacheError> {
        let value = match &self.0.kind {
            Kind::Single(client, cell) => single(client, cell).await?.req_packed_command(command).await,
            Kind::Cluster(client, cell) => connected(client, cell).await?.req_packed_command(command).await,
        };
        let value = value.and_then(Value::extract_error).map_err(CacheError::storage)?;
        T::from_redis_value(value).map_err(CacheError::storage)
    }

    /// Takes out the keys that a step of a scan has found.
    async fn unlink(&self, keys: Vec<Vec<u8>>) -> Result<(), CacheError> {
        if keys.is_empty() {
            return Ok(());
        }
        if let Kind::Single(..) = self.0.kind {
            return self.send(redis::cmd("UNLINK").arg(keys)).await;
        }
        // Each may live on another node.
        for key in keys {
            self.send::<()>(redis::cmd("UNLINK").arg(key)).await?;
        }
        Ok(())
    }

    async fn clear_node(&self, pattern: &str, node: Option<RoutingInfo>) -> Result<(), CacheError> {
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(STEP);
            let (next, keys): (u64, Vec<Vec<u8>>) = match (&self.0.kind, &node) {
                (Kind::Cluster(client, cell), Some(node)) => {
                    let answer = connected(client, cell).await?.route_command(scan, node.clone()).await;
                    answer
                        .and_then(|answer| Ok(redis::from_redis_value(answer)?))
                        .map_err(CacheError::storage)?
                }
                _ => self.send(&scan).await?,
            };
            self.unlink(keys).await?;
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// The nodes of a cluster that hold keys; of a single server, the server.
    async fn nodes(&self) -> Result<Vec<Option<RoutingInfo>>, CacheError> {
        let Kind::Cluster(client, cell) = &self.0.kind else { return Ok(vec![None]) };
        let everywhere = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        let answer = connected(client, cell).await?.route_command(redis::cmd("PING"), everywhere).await;
        let answer = answer.map_err(CacheError::storage)?;
        let answers: Vec<(String, Value)> = redis::from_redis_value(answer).map_err(CacheError::storage)?;
        let by_address = |(address, _): (String, Value)| {
            let (host, port) = address.rsplit_once(':')?;
            let (host, port) = (host.to_owned(), port.parse().ok()?);
            Some(RoutingInfo::SingleNode(SingleNodeRoutingInfo::ByAddress { host, port }))
        };
        Ok(answers.into_iter().filter_map(by_address).map(Some).collect())
    }
}

/// The server that the URL or the variables name.
fn server(settings: &mut Settings<'_>) -> Option<ConnectionInfo> {
    if let Some(url) = settings.url_without(&["prefix", "cluster", "ca_file"]) {
        settings.replaced_by_url(&[
            "CACHE_REDIS_HOST",
            "CACHE_REDIS_PORT",
            "CACHE_REDIS_DB",
            "CACHE_REDIS_USERNAME",
            "CACHE_REDIS_PASSWORD",
            "CACHE_REDIS_TLS",
        ]);
        // Its error may show the URL, and with it the password.
        let server = url.into_connection_info().ok();
        if server.is_none() {
            settings.problem("CACHE_URL is not right: it has to be redis://user:password@host:port/database");
        }
        return server;
    }
    let host = settings.config().get("CACHE_REDIS_HOST").unwrap_or("localhost").to_owned();
    let port = settings.parse_or("CACHE_REDIS_PORT", "", DEFAULT_PORT);
    let database = settings.parse_or("CACHE_REDIS_DB", "", 0_u16);
    let Switch(tls) = settings.parse_or("CACHE_REDIS_TLS", "", Switch(false));
    let address = if tls {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    let server = address.into_connection_info().ok()?;
    let mut login = server.redis_settings().clone().set_db(database.into());
    if let Some(username) = settings.config().get("CACHE_REDIS_USERNAME") {
        login = login.set_username(username);
    }
    if let Some(password) = settings.config().get("CACHE_REDIS_PASSWORD") {
        login = login.set_password(password);
    }
    Some(server.set_redis_settings(login))
}

fn open_single(server: ConnectionInfo, authority: Option<Vec<u8>>) -> RedisResult<Kind> {
    let client = match authority {
        Some(_) => Client::build_with_tls(server, TlsCertificates { client_tls: None, root_cert: authority }),
        None => Client::open(server),
    };
    Ok(Kind::Single(client?, OnceCell::new()))
}

fn open_cluster(server: ConnectionInfo, authority: Option<Vec<u8>>) -> RedisResult<Kind> {
    let mut builder = ClusterClient::builder([server])
        .connection_timeout(CONNECT_TIMEOUT)
        .response_timeout(RESPONSE_TIMEOUT)
        .retries(2);
    if authority.is_some() {
        builder = builder.certs(TlsCertificates { client_tls: None, root_cert: authority });
    }
    Ok(Kind::Cluster(builder.build()?, OnceCell::new()))
}

/// A handle to the one connection, which is opened anew when it is lost.
async fn single(
    client: &Client,
    cell: &OnceCell<ConnectionManager>,
) -> Result<ConnectionManager, CacheError> {
    let open = async || {
        // The next operation tries again; nobody waits for a server that is down.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        ConnectionManager::new_lazy_with_config(client.clone(), config)
    };
    cell.get_or_try_init(open).await.cloned().map_err(CacheError::storage)
}

async fn connected(
    client: &ClusterClient,
    cell: &OnceCell<ClusterConnection>,
) -> Result<ClusterConnection, CacheError> {
    cell.get_or_try_init(|| client.get_async_connection()).await.cloned().map_err(CacheError::storage)
}

/// Milliseconds, which is what the server counts in.
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)
}

/// A text in which every character stands for itself.
fn literally(text: &str) -> String {
    text.chars().fold(String::new(), |mut pattern, c| {
        if matches!(c, '*' | '?' | '[' | ']' | '^' | '-' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
        pattern
    })
}

impl Driver for RedisCache {
    async fn load(&self, key: &str) -> Result<Option<Entry<String>>, CacheError> {
        let key = self.key(key);
        let mut both = redis::pipe();
        both.get(&key).pttl(&key);
        let answer: RedisResult<(Option<String>, i64)> = match &self.0.kind {
            Kind::Single(client, cell) => both.query_async(&mut single(client, cell).await?).await,
            Kind::Cluster(client, cell) => both.query_async(&mut connected(client, cell).await?).await,
        };
        let (value, left) = answer.map_err(|error: RedisError| CacheError::storage(error))?;
        // Below zero: it has no end, or came to it between the two commands.
        let ttl = u64::try_from(left).ok().map(Duration::from_millis);
        Ok(value.map(|value| Entry { value, ttl }))
    }

    async fn store(&self, key: &str, value: String, ttl: Duration) -> Result<(), CacheError> {
        self.send(redis::cmd("SET").arg(self.key(key)).arg(value).arg("PX").arg(millis(ttl))).await
    }

    async fn remove(&self, key: &str) -> Result<(), CacheError> {
        self.send(redis::cmd("UNLINK").arg(self.key(key))).await
    }

    async fn clear(&self, prefix: &str, flush: Flush) -> Result<(), CacheError> {
        if flush == Flush::Expired {
            return Ok(());
        }
        let pattern = format!("{}*", literally(&self.key(prefix)));
        for node in self.nodes().await? {
            self.clear_node(&pattern, node).await?;
        }
        Ok(())
    }

    async fn contains(&self, key: &str) -> Result<bool, CacheError> {
        self.send(redis::cmd("EXISTS").arg(self.key(key))).await
    }

    async fn store_new(&self, key: &str, value: String, ttl: Duration) -> Result<bool, CacheError> {
        let mut set = redis::cmd("SET");
        set.arg(self.key(key)).arg(value).arg("NX").arg("PX").arg(millis(ttl));
        let answer: Option<String> = self.send(&set).await?;
        Ok(answer.is_some())
    }

    async fn renew(&self, key: &str, ttl: Duration) -> Result<Option<String>, CacheError> {
        self.send(redis::cmd("GETEX").arg(self.key(key)).arg("PX").arg(millis(ttl))).await
    }
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCache").field("prefix", &self.0.prefix).finish_non_exhaustive()
    }
}
