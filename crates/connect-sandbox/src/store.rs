//! What the sandbox knows, in SQLite: a file, or memory. The only place that knows how it is kept.
//!
//! Every object is JSON in a collection. What lists ask for most stands in columns beside it.

mod assets;
mod counts;
mod pack;
mod select;
#[cfg(test)]
mod tests;

use std::{fmt, path::Path};

use rusqlite::{Connection, OptionalExtension, Row, backup::Backup, params};
use serde_json::Value;

use counts::Counter;
use pack::Packer;
pub(crate) use select::{Condition, Scan};

/// The collection of asset requests, whose assets follow from them.
pub(crate) const REQUESTS: &str = "requests";
/// The collection of assets.
pub(crate) const ASSETS: &str = "assets";

/// So that a file of something else is not taken for the sandbox's: "CSBX".
const APPLICATION: i32 = 0x4353_4258;
/// The version of the tables.
const VERSION: i32 = 1;

const TABLES: &str = "
    CREATE TABLE objects (
        number INTEGER PRIMARY KEY,
        collection TEXT NOT NULL,
        id TEXT NOT NULL,
        kind TEXT NOT NULL,
        status TEXT NOT NULL,
        parent TEXT,
        created TEXT NOT NULL,
        entered INTEGER NOT NULL,
        handled INTEGER NOT NULL DEFAULT 0,
        source TEXT,
        in_force INTEGER NOT NULL DEFAULT 0
    );
    CREATE UNIQUE INDEX ids ON objects (collection, id);
    CREATE INDEX unhandled ON objects (collection, status, kind) WHERE handled < entered;
    CREATE INDEX children ON objects (collection, parent, id) WHERE parent IS NOT NULL;
    CREATE INDEX newest ON objects (collection, created, id);
    CREATE TABLE bodies (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
    CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
";

/// Why something could not be read or kept.
#[derive(Debug)]
pub(crate) struct StoreError(String);

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self(match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                "another program, perhaps another sandbox, has it open".to_owned()
            }
            Some(rusqlite::ErrorCode::NotADatabase) => "it is no SQLite file".to_owned(),
            _ => error.to_string(),
        })
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self(format!("an object in it is not JSON: {error}"))
    }
}

/// What columns say of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    number: i64,
    /// Its `type`.
    pub(crate) kind: String,
    /// Its `status`, or `state`.
    pub(crate) status: String,
    /// What it is for: of a request, its asset or configuration; of a configuration, its account.
    parent: Option<String>,
    created: String,
    /// How often it has entered a status.
    pub(crate) entered: i64,
    /// For which entry a task has come to its end last.
    pub(crate) handled: i64,
}

impl Head {
    const COLUMNS: &str = "number, kind, status, parent, created, entered, handled";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            kind: row.get(1)?,
            status: row.get(2)?,
            parent: row.get(3)?,
            created: row.get(4)?,
            entered: row.get(5)?,
            handled: row.get(6)?,
        })
    }
}

#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    packer: Packer,
    counter: Counter,
}

/// The id of an object, where it has one.
pub(crate) fn id_of(object: &Value) -> Option<&str> {
    object["id"].as_str().filter(|id| !id.is_empty())
}

/// The member that says where an object of a collection stands.
pub(crate) fn status_member(collection: &str) -> &'static str {
    if matches!(collection, "listing-requests" | "helpdesk/cases") { "state" } else { "status" }
}

/// The member that says what an object of a collection is for.
pub(crate) fn parent_member(collection: &str) -> Option<&'static str> {
    match collection {
        REQUESTS | "subscriptions/requests" => Some("asset"),
        "tier/config-requests" => Some("configuration"),
        "tier/configs" | "tier/account-requests" => Some("account"),
        "usage/records" | "usage/chunks" => Some("usagefile"),
        "listing-requests" => Some("listing"),
        _ => None,
    }
}

fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object[member].as_str().unwrap_or_default()
}

fn created(object: &Value) -> &str {
    let at = object.pointer("/events/created/at").and_then(Value::as_str);
    object["created"].as_str().or(at).unwrap_or_default()
}

impl Store {
    /// In memory: gone when it is dropped.
    pub(crate) fn memory() -> Result<Self, StoreError> {
        Self::prepare(Connection::open_in_memory()?)
    }

    /// In memory, with all that another has: much faster than to put it there anew.
    pub(crate) fn copy(&self) -> Result<Self, StoreError> {
        self.keep()?;
        let mut connection = Connection::open_in_memory()?;
        Backup::new(&self.connection, &mut connection)?.step(-1)?;
        Self::prepare(connection)
    }

    /// In a file, made where it is not there, for this user alone: it holds variables.
    pub(crate) fn open(file: &Path) -> Result<Self, StoreError> {
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(file).map_err(|error| StoreError(error.to_string()))?;
        let connection = Connection::open(file)?;
        // One sandbox a file; the last one may be about to end.
        connection.busy_timeout(std::time::Duration::from_millis(250))?;
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        Self::prepare(connection)
    }

    fn prepare(connection: Connection) -> Result<Self, StoreError> {
        // What a crash of the machine loses is a sandbox's.
        connection.execute_batch(
            "PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768;",
        )?;
        let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        let version: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        // The lock is taken by a write.
        connection.execute_batch("BEGIN IMMEDIATE")?;
        if tables == 0 {
            connection.execute_batch(TABLES)?;
            connection.pragma_update(None, "application_id", APPLICATION)?;
            connection.pragma_update(None, "user_version", VERSION)?;
        } else if application != APPLICATION {
            return Err(StoreError("it is an SQLite file of another program".to_owned()));
        } else if version != VERSION {
            return Err(StoreError(format!(
                "its tables are of version {version}, and this sandbox has version {VERSION}: start with a new file"
            )));
        }
        connection.set_prepared_statement_cache_capacity(128);
        let mut store = Self { connection, packer: Packer::default(), counter: Counter::default() };
        match store.meta("dictionary")? {
            Some(dictionary) => store.packer = Packer::new(dictionary),
            None => store.set_meta("dictionary", &Packer::default_dictionary())?,
        }
        store.count_now()?;
        Ok(store)
    }

    /// Begins to gather writes, where none are gathered yet.
    fn gather(&self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            self.run("BEGIN")?;
        }
        Ok(())
    }

    /// Whether writes are gathered that are not kept yet.
    pub(crate) fn has_gathered(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Keeps what was gathered.
    pub(crate) fn keep(&self) -> Result<(), StoreError> {
        if self.has_gathered() {
            self.run("COMMIT")?;
        }
        Ok(())
    }

    fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Begins something that is whole or not at all.
    pub(crate) fn begin(&self) -> Result<(), StoreError> {
        self.gather()?;
        self.counter.begin();
        self.run("SAVEPOINT whole")
    }

    /// Ends what was begun: all of it stays, or nothing.
    pub(crate) fn end(&self, stays: bool) -> Result<(), StoreError> {
        if !stays {
            self.counter.undo();
            self.run("ROLLBACK TO whole")?;
        }
        self.run("RELEASE whole")
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }

    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.gather()?;
        let mut statement =
            self.connection.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?;
        statement.execute(params![name, value])?;
        Ok(())
    }

    /// Something that is kept beside the objects.
    pub(crate) fn setting(&self, name: &str) -> Result<Option<Value>, StoreError> {
        let value = self.meta(name)?;
        Ok(value.map(|value| serde_json::from_slice(&value)).transpose()?)
    }

    pub(crate) fn set_setting(&self, name: &str, value: &Value) -> Result<(), StoreError> {
        self.set_meta(name, value.to_string().as_bytes())
    }

    /// A number that it has given to nobody else.
    pub(crate) fn number(&mut self) -> Result<u64, StoreError> {
        let number = self.setting("numbers")?.and_then(|number| number.as_u64()).unwrap_or_default() + 1;
        self.set_setting("numbers", &number.into())?;
        Ok(number)
    }

    /// What columns say of an object.
    pub(crate) fn head(&self, collection: &str, id: &str) -> Result<Option<Head>, StoreError> {
        let sql = format!("SELECT {} FROM objects WHERE collection = ?1 AND id = ?2", Head::COLUMNS);
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([collection, id], Head::read).optional()?)
    }

    fn body(&self, number: i64) -> Result<Option<String>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT body FROM bodies WHERE number = ?1")?;
        let mut rows = statement.query([number])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let packed = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        self.packer.unpack(packed).map(Some)
    }

    /// An object as the text that it was kept as.
    pub(crate) fn text(&self, collection: &str, id: &str) -> Result<Option<String>, StoreError> {
        if collection == ASSETS {
            return Ok(self.asset(id)?.map(|asset| asset.to_string()));
        }
        match self.head(collection, id)? {
            Some(head) => self.body(head.number),
            None => Ok(None),
        }
    }

    pub(crate) fn get(&self, collection: &str, id: &str) -> Result<Option<Value>, StoreError> {
        if collection == ASSETS {
            return self.asset(id);
        }
        let text = self.text(collection, id)?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    /// Adds an object, or puts another in its place; whether it entered a status by that is the answer. It has to have
    /// an id.
    pub(crate) fn put(&mut self, collection: &str, object: &Value) -> Result<bool, StoreError> {
        let id = id_of(object).ok_or_else(|| StoreError(format!("one of {collection} has no id")))?;
        self.gather()?;
        let before = self.head(collection, id)?;
        let entered = self.write(collection, id, object, before.as_ref())?;
        match collection {
            REQUESTS => {
                let before = before.and_then(|before| before.parent);
                self.follow(id, object, before.as_deref())?;
            }
            ASSETS => self.detach(id)?,
            _ => {}
        }
        Ok(entered)
    }

    fn write(
        &self,
        collection: &str,
        id: &str,
        object: &Value,
        before: Option<&Head>,
    ) -> Result<bool, StoreError> {
        let parent = parent_member(collection).and_then(|member| id_of(&object[member]));
        let kind = text(object, "type");
        let status = text(object, status_member(collection));
        let created = created(object);
        let entered = before.is_none_or(|before| before.status != status);
        let number = if let Some(before) = before {
            if (
                before.kind.as_str(),
                before.status.as_str(),
                before.parent.as_deref(),
                before.created.as_str(),
            ) != (kind, status, parent, created)
            {
                let mut statement = self.connection.prepare_cached(
                        "UPDATE objects SET kind = ?2, status = ?3, parent = ?4, created = ?5, entered = entered + ?6
                         WHERE number = ?1",
                    )?;
                statement.execute(params![before.number, kind, status, parent, created, entered])?;
                self.counter.add(collection, &before.kind, &before.status, -1);
                self.counter.add(collection, kind, status, 1);
            }
            before.number
        } else {
            let mut statement = self.connection.prepare_cached(
                "INSERT INTO objects (collection, id, kind, status, parent, created, entered)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)",
            )?;
            self.counter.add(collection, kind, status, 1);
            statement.insert(params![collection, id, kind, status, parent, created])?
        };
        let packed = self.packer.pack(&object.to_string());
        let sql = match before {
            // One that is made of others has none yet.
            Some(_) => {
                "INSERT INTO bodies (number, body) VALUES (?1, ?2)
                        ON CONFLICT (number) DO UPDATE SET body = excluded.body"
            }
            None => "INSERT INTO bodies (number, body) VALUES (?1, ?2)",
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(params![number, packed])?;
        Ok(entered)
    }

    pub(crate) fn remove(&mut self, collection: &str, id: &str) -> Result<bool, StoreError> {
        let Some(head) = self.head(collection, id)? else { return Ok(false) };
        self.gather()?;
        self.connection.prepare_cached("DELETE FROM bodies WHERE number = ?1")?.execute([head.number])?;
        self.connection.prepare_cached("DELETE FROM objects WHERE number = ?1")?.execute([head.number])?;
        self.counter.add(collection, &head.kind, &head.status, -1);
        if let Some(asset) = head.parent {
            self.drop_childless(&asset)?;
        }
        Ok(true)
    }

    /// Notes for which entry into a status a task has come to its end.
    pub(crate) fn set_handled(&self, collection: &str, id: &str, entry: i64) -> Result<(), StoreError> {
        self.gather()?;
        let mut statement = self
            .connection
            .prepare_cached("UPDATE objects SET handled = ?3 WHERE collection = ?1 AND id = ?2")?;
        statement.execute(params![collection, id, entry])?;
        Ok(())
    }

    /// Objects whose last entry into a status no task has handled, which have one of these statuses; of any type where
    /// none is named.
    pub(crate) fn unhandled(
        &self,
        collection: &str,
        kind: Option<&str>,
        status: &str,
    ) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM objects WHERE collection = ?1 AND status = ?2 AND handled < entered
             AND (?3 IS NULL OR kind = ?3) ORDER BY id",
        )?;
        let rows = statement.query_map(params![collection, status, kind], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether there is an object in a status which no task has handled.
    pub(crate) fn is_unhandled(&self, collection: &str, status: &str) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM objects WHERE collection = ?1 AND status = ?2 AND handled < entered LIMIT 1",
        )?;
        Ok(statement.exists([collection, status])?)
    }

    /// The ids of what is in a status.
    pub(crate) fn with_status(&self, collection: &str, status: &str) -> Result<Vec<String>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id FROM objects WHERE collection = ?1 AND status = ?2 ORDER BY id")?;
        let rows = statement.query_map([collection, status], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.keep() {
            tracing::error!("the last changes could not be kept: {error}");
        }
    }
}
