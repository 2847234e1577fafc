use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use connect_container::Config;
use sqlx::{
    Connection as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use crate::{
    CacheError, Driver, Entry, Flush,
    digest::digest,
    settings::Settings,
    sql::{self, CONNECT_TIMEOUT, DEFAULT_POOL, FRESH, left, length, millis},
};

const DEFAULT_PORT: u16 = 5432;
const DEFAULT_DATABASE: &str = "cache";

/// A cache in a PostgreSQL database. It connects at first use, and again when it has to.
///
/// | variable | default | |
/// |---|---|---|
/// | `CACHE_POSTGRESQL_HOST` | `localhost` | |
/// | `CACHE_POSTGRESQL_PORT` | 5432 | |
/// | `CACHE_POSTGRESQL_DATABASE_NAME` | `cache` | |
/// | `CACHE_POSTGRESQL_USER_NAME` | has to be set | |
/// | `CACHE_POSTGRESQL_PASSWORD` | has to be set | |
/// | `CACHE_POSTGRESQL_SSLMODE` | `prefer` | `disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full` |
/// | `CACHE_POSTGRESQL_POOL` | 8 | connections at most |
///
/// As a URL: `CACHE_URL=postgres://user:password@host:5432/cache?sslmode=verify-full&sslrootcert=/etc/ca.pem&pool=8`.
///
/// Its table is `connect_cache`, made at first use, safely also by several processes at once. It is unlogged: after a crash
/// of the server the cache is empty. Times are the server's, so clocks that differ do no harm.
#[derive(Clone)]
pub struct PostgresCache(Arc<Server>);

struct Server {
    options: PgConnectOptions,
    connections: u32,
    pool: OnceLock<PgPool>,
}

/// The server's time in milliseconds since 1970.
macro_rules! now {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    };
}

/// Any number that no other program takes: who makes the table holds it.
const LOCK: &str = "SELECT pg_advisory_xact_lock(4872690714327)";
/// The key is any text of any length, which neither a text column nor an index can hold.
const TABLE: &str = "CREATE UNLOGGED TABLE IF NOT EXISTS connect_cache
    (hash bytea PRIMARY KEY, key bytea NOT NULL, value text NOT NULL, expire_at bigint NOT NULL)";
const INDEX: &str = "CREATE INDEX IF NOT EXISTS connect_cache_expire_at ON connect_cache (expire_at)";

const LOAD: &str = concat!(
    "SELECT value, expire_at - ",
    now!(),
    " FROM connect_cache WHERE hash = $1 AND expire_at > ",
    now!()
);
const CONTAINS: &str =
    concat!("SELECT EXISTS (SELECT FROM connect_cache WHERE hash = $1 AND expire_at > ", now!(), ")");
const STORE: &str = concat!(
    "INSERT INTO connect_cache (hash, key, value, expire_at) VALUES ($1, $2, $3, $4 + ",
    now!(),
    ")
     ON CONFLICT (hash) DO UPDATE SET value = excluded.value, expire_at = excluded.expire_at"
);
const STORE_NEW: &str = concat!(
    "INSERT INTO connect_cache (hash, key, value, expire_at) VALUES ($1, $2, $3, $4 + ",
    now!(),
    ")
     ON CONFLICT (hash) DO UPDATE SET value = excluded.value, expire_at = excluded.expire_at
     WHERE connect_cache.expire_at <= ",
    now!()
);
const RENEW: &str = concat!(
    "UPDATE connect_cache SET expire_at = $2 + ",
    now!(),
    " WHERE hash = $1 AND expire_at > ",
    now!(),
    " RETURNING value"
);
const REMOVE: &str = "DELETE FROM connect_cache WHERE hash = $1";
const CLEAR: &str = concat!(
    "DELETE FROM connect_cache WHERE ($1 OR expire_at <= ",
    now!(),
    ") AND substring(key FROM 1 FOR $2) = $3"
);

impl PostgresCache {
    /// A cache in the database that the variables name.
    pub fn from_config(config: &Config) -> Result<Self, CacheError> {
        Self::configure(&mut Settings::new(config))
    }

    pub(crate) fn configure(settings: &mut Settings<'_>) -> Result<Self, CacheError> {
        let connections = settings.parse_or("CACHE_POSTGRESQL_POOL", "pool", DEFAULT_POOL).max(1);
        let options = if let Some(url) = settings.url_without(&["pool"]) {
            settings.replaced_by_url(&[
                "CACHE_POSTGRESQL_HOST",
                "CACHE_POSTGRESQL_PORT",
                "CACHE_POSTGRESQL_DATABASE_NAME",
                "CACHE_POSTGRESQL_USER_NAME",
                "CACHE_POSTGRESQL_PASSWORD",
                "CACHE_POSTGRESQL_SSLMODE",
            ]);
            // Its error may show the URL, and with it the password.
            let options = url.as_str().parse().ok();
            if options.is_none() {
                settings.problem(
                    "CACHE_URL is not right: it has to be postgres://user:password@host:port/database",
                );
            }
            options.unwrap_or_else(PgConnectOptions::new_without_pgpass)
        } else {
            let config = settings.config();
            PgConnectOptions::new_without_pgpass()
                .host(config.get("CACHE_POSTGRESQL_HOST").unwrap_or("localhost"))
                .port(settings.parse_or("CACHE_POSTGRESQL_PORT", "", DEFAULT_PORT))
                .database(config.get("CACHE_POSTGRESQL_DATABASE_NAME").unwrap_or(DEFAULT_DATABASE))
                .username(&settings.require("CACHE_POSTGRESQL_USER_NAME"))
                .password(&settings.require("CACHE_POSTGRESQL_PASSWORD"))
                .ssl_mode(settings.parse_or("CACHE_POSTGRESQL_SSLMODE", "", PgSslMode::Prefer))
        };
        settings.check()?;
        Ok(Self(Arc::new(Server { options, connections, pool: OnceLock::new() })))
    }

    fn pool(&self) -> &PgPool {
        // Here, since it needs a runtime.
        self.0.pool.get_or_init(|| {
            PgPoolOptions::new()
                .max_connections(self.0.connections)
                .acquire_timeout(CONNECT_TIMEOUT)
                .test_before_acquire(false)
                .before_acquire(|connection, meta| {
                    Box::pin(async move { Ok(meta.idle_for < FRESH || connection.ping().await.is_ok()) })
                })
                .connect_lazy_with(self.0.options.clone())
        })
    }

    async fn make_table(&self) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool().begin().await?;
        // PostgreSQL's own "if not exists" fails where two do it at once.
        for sql in [LOCK, TABLE, INDEX] {
            sqlx::query(sql).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    async fn run<T, F: Future<Output = Result<T, sqlx::Error>>>(
        &self,
        operation: impl Fn() -> F,
    ) -> Result<T, CacheError> {
        sql::run(operation, || self.make_table()).await
    }
}

impl Driver for PostgresCache {
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
        let query = || sqlx::query_as::<_, (bool,)>(CONTAINS).bind(&hash[..]).fetch_one(self.pool());
        self.run(query).await.map(|(contains,)| contains)
    }

    async fn store_new(&self, key: &str, value: String, ttl: Duration) -> Result<bool, CacheError> {
        let hash = digest(key);
        let query = || {
            sqlx::query(STORE_NEW)
                .bind(&hash[..])
                .bind(key.as_bytes())
                .bind(&value)
                .bind(millis(ttl))
                .execute(self.pool())
        };
        self.run(query).await.map(|done| done.rows_affected() > 0)
    }

    async fn renew(&self, key: &str, ttl: Duration) -> Result<Option<String>, CacheError> {
        let hash = digest(key);
        let query = || {
            sqlx::query_as::<_, (String,)>(RENEW)
                .bind(&hash[..])
                .bind(millis(ttl))
                .fetch_optional(self.pool())
        };
        Ok(self.run(query).await?.map(|(value,)| value))
    }
}

impl fmt::Debug for PostgresCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresCache").field("host", &self.0.options.get_host()).finish_non_exhaustive()
    }
}
