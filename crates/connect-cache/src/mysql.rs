use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use connect_container::Config;
use sqlx::{
    Connection as _, Executor as _, MySqlPool,
    mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlSslMode},
};

use crate::{
    CacheError, Driver, Entry, Flush,
    digest::digest,
    settings::Settings,
    sql::{self, CONNECT_TIMEOUT, DEFAULT_POOL, FRESH, left, length, millis},
};

const DEFAULT_PORT: u16 = 3306;
const DEFAULT_DATABASE: &str = "cache";

/// A cache in a `MySQL` or `MariaDB` database. It connects at first use, and again when it has to.
///
/// | variable | default | |
/// |---|---|---|
/// | `CACHE_MYSQL_HOST` | `localhost` | |
/// | `CACHE_MYSQL_PORT` | 3306 | |
/// | `CACHE_MYSQL_DATABASE` | `cache` | |
/// | `CACHE_MYSQL_USER` | has to be set | |
/// | `CACHE_MYSQL_PASSWORD` | has to be set | |
/// | `CACHE_MYSQL_SSLMODE` | `preferred` | `disabled`, `preferred`, `required`, `verify_ca`, `verify_identity` |
/// | `CACHE_MYSQL_POOL` | 8 | connections at most |
///
/// As a URL: `CACHE_URL=mysql://user:password@host:3306/cache?ssl-mode=verify_identity&ssl-ca=/etc/ca.pem&pool=8`.
///
/// Its table is `connect_cache`, made at first use, safely also by several processes at once. A value may be as large as the
/// server's `max_allowed_packet`. Times are the server's, so clocks that differ do no harm.
#[derive(Clone)]
pub struct MysqlCache(Arc<Server>);

struct Server {
    options: MySqlConnectOptions,
    connections: u32,
    pool: OnceLock<MySqlPool>,
}

/// The server's time in milliseconds since 1970.
macro_rules! now {
    () => {
        "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)"
    };
}

/// The key is any text of any length, which an index can't hold.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS connect_cache
    (hash BINARY(32) PRIMARY KEY, name LONGBLOB NOT NULL, value LONGTEXT NOT NULL, expire_at BIGINT NOT NULL,
     INDEX connect_cache_expire_at (expire_at))
    CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
/// Fewer locks, and so fewer deadlocks: an entry is never more than one row.
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

const LOAD: &str = concat!(
    "SELECT value, expire_at - ",
    now!(),
    " FROM connect_cache WHERE hash = ? AND expire_at > ",
    now!()
);
const CONTAINS: &str = concat!("SELECT COUNT(*) FROM connect_cache WHERE hash = ? AND expire_at > ", now!());
const STORE: &str = concat!(
    "INSERT INTO connect_cache (hash, name, value, expire_at) VALUES (?, ?, ?, ? + ",
    now!(),
    ")
     ON DUPLICATE KEY UPDATE value = VALUES(value), expire_at = VALUES(expire_at)"
);
const INSERT: &str = concat!(
    "INSERT IGNORE INTO connect_cache (hash, name, value, expire_at) VALUES (?, ?, ?, ? + ",
    now!(),
    ")"
);
const REPLACE_EXPIRED: &str = concat!(
    "UPDATE connect_cache SET value = ?, expire_at = ? + ",
    now!(),
    " WHERE hash = ? AND expire_at <= ",
    now!()
);
const RENEW: &str =
    concat!("UPDATE connect_cache SET expire_at = ? + ", now!(), " WHERE hash = ? AND expire_at > ", now!());
const REMOVE: &str = "DELETE FROM connect_cache WHERE hash = ?";
const CLEAR: &str =
    concat!("DELETE FROM connect_cache WHERE (? OR expire_at <= ", now!(), ") AND SUBSTRING(name, 1, ?) = ?");

impl MysqlCache {
    /// A cache in the database that the variables name.
    pub fn from_config(config: &Config) -> Result<Self, CacheError> {
        Self::configure(&mut Settings::new(config))
    }

    pub(crate) fn configure(settings: &mut Settings<'_>) -> Result<Self, CacheError> {
        let connections = settings.parse_or("CACHE_MYSQL_POOL", "pool", DEFAULT_POOL).max(1);
        let options = if let Some(mut url) = settings.url_without(&["pool"]) {
            settings.replaced_by_url(&[
                "CACHE_MYSQL_HOST",
                "CACHE_MYSQL_PORT",
                "CACHE_MYSQL_DATABASE",
                "CACHE_MYSQL_USER",
                "CACHE_MYSQL_PASSWORD",
                "CACHE_MYSQL_SSLMODE",
            ]);
            // The other scheme is this crate's alone; neither is special, so the change is allowed.
            let _ = url.set_scheme("mysql");
            // Its error may show the URL, and with it the password.
            let options = url.as_str().parse().ok();
            if options.is_none() {
                settings
                    .problem("CACHE_URL is not right: it has to be mysql://user:password@host:port/database");
            }
            options.unwrap_or_default()
        } else {
            let config = settings.config();
            MySqlConnectOptions::new()
                .host(config.get("CACHE_MYSQL_HOST").unwrap_or("localhost"))
                .port(settings.parse_or("CACHE_MYSQL_PORT", "", DEFAULT_PORT))
                .database(config.get("CACHE_MYSQL_DATABASE").unwrap_or(DEFAULT_DATABASE))
                .username(&settings.require("CACHE_MYSQL_USER"))
                .password(&settings.require("CACHE_MYSQL_PASSWORD"))
                .ssl_mode(settings.parse_or("CACHE_MYSQL_SSLMODE", "", MySqlSslMode::Preferred))
        };
        settings.check()?;
        Ok(Self(Arc::new(Server { options, connections, pool: OnceLock::new() })))
    }

    fn pool(&self) -> &MySqlPool {
        // Here, since it needs a runtime.
        self.0.pool.get_or_init(|| {
            MySqlPoolOptions::new()
                .max_connections(self.0.connections)
                .acquire_timeout(CONNECT_TIMEOUT)
                .test_before_acquire(false)
                .before_acquire(|connection, meta| {
                    Box::pin(async move { Ok(meta.idle_for < FRESH || connection.ping().await.is_ok()) })
                })
                .after_connect(|connection, _| {
                    Box::pin(async move { connection.execute(ISOLATION).await.map(|_| ()) })
                })
                .connect_lazy_with(self.0.options.clone())
        })
    }

    async fn run<T, F: Future<Output = Result<T, sqlx::Error>>>(
        &self,
        operation: impl Fn() -> F,
    ) -> Result<T, CacheError> {
        let make_table = || async { sqlx::query(TABLE).execute(self.pool()).await.map(|_| ()) };
        sql::run(operation, make_table).await
    }
}

impl Driver for MysqlCache {
    async fn load(&self, key: &str) -> Result<Option<Entry<String>>, CacheError> {
        let hash = digest(key);
        let query = || sqlx::query_as::<_, (String, i64)>(LOAD).bind(&hash[..]).fetch_optional(self.pool());
        let found = self.run(query).await?;
        Ok(found.map(|(value, millis)| Entry { value, ttl: left(millis) }))
    }

    async fn store(&self, key: &str, value: String, ttl: Duration) -> Result<(), CacheError> {
        let hash = digest(key);
        let query = || {
            sqlx::query(STORE)
                .bind(&hash[..])
                .bind(key.as_bytes())
                .bind(&value)
                .bind(millis(ttl))
                .execute(self.pool())
        };
        self.run(query).await.map(|_| ())
    }

    async fn remove(&self, key: &str) -> Result<(), CacheError> {
        let hash = digest(key);
        self.run(|| sqlx::query(REMOVE).bind(&hash[..]).execute(self.pool())).await.map(|_| ())
    }

    async fn clear(&self, prefix: &str, flush: Flush) -> Result<(), CacheError> {
        let query = || {
            sqlx::query(CLEAR)
                .bind(flush == Flush::All)
                .bind(length(prefix))
                .bind(prefix.as_bytes())
                .execute(self.pool())
        };
        self.run(query).await.map(|_| ())
    }

    async fn contains(&self, key: &str) -> Result<bool, CacheError> {
        let hash = digest(key);
        let query = || sqlx::query_as::<_, (i64,)>(CONTAINS).bind(&hash[..]).fetch_one(self.pool());
        self.run(query).await.map(|(count,)| count > 0)
    }

    async fn store_new(&self, key: &str, value: String, ttl: Duration) -> Result<bool, CacheError> {
        let hash = digest(key);
        let insert = || {
            sqlx::query(INSERT)
                .bind(&hash[..])
                .bind(key.as_bytes())
                .bind(&value)
                .bind(millis(ttl))
                .execute(self.pool())
        };
        if self.run(insert).await?.rows_affected() > 0 {
            return Ok(true);
        }
        let replace = || {
            sqlx::query(REPLACE_EXPIRED).bind(&value).bind(millis(ttl)).bind(&hash[..]).execute(self.pool())
        };
        Ok(self.run(replace).await?.rows_affected() > 0)
    }

    async fn renew(&self, key: &str, ttl: Duration) -> Result<Option<String>, CacheError> {
        let hash = digest(key);
        let renew = || sqlx::query(RENEW).bind(millis(ttl)).bind(&hash[..]).execute(self.pool());
        if self.run(renew).await?.rows_affected() == 0 {
            return Ok(None);
        }
        Ok(self.load(key).await?.map(|entry| entry.value))
    }
}

impl fmt::Debug for MysqlCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MysqlCache").field("host", &self.0.options.get_host()).finish_non_exhaustive()
    }
}
