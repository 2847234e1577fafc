//! Lists: what of a filter the columns can answer, and the objects themselves, a stretch at a time.

use connect_model::rql::{Comparison, Operand, Rql};
use rusqlite::{ToSql, params_from_iter};
use serde_json::Value;

use super::{ASSETS, REQUESTS, Store, StoreError, parent_member, status_member};

/// What columns are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    /// A column, and the values that it may have.
    columns: Vec<(&'static str, Vec<String>)>,
    /// Whether that is the whole filter.
    pub(crate) is_whole: bool,
}

impl Condition {
    /// What columns can answer of a filter.
    pub(crate) fn of(collection: &str, filter: &Rql) -> Self {
        let mut condition = Self { columns: Vec::new(), is_whole: true };
        condition.add(collection, filter);
        condition
    }

    fn add(&mut self, collection: &str, filter: &Rql) {
        let texts = |values: &[Operand]| -> Option<Vec<String>> {
            values.iter().map(|value| value.as_text().map(str::to_owned)).collect()
        };
        let (field, values) = match filter {
            Rql::Empty => return,
            Rql::And(members) => return members.iter().for_each(|member| self.add(collection, member)),
            Rql::Compare(Comparison::Eq, field, value) => (field, texts(std::slice::from_ref(value))),
            Rql::List { out: false, field, values } => (field, texts(values)),
            _ => {
                self.is_whole = false;
                return;
            }
        };
        let column = match field.as_str() {
            "id" => Some("id"),
            "type" if collection != ASSETS => Some("kind"),
            field if parent_member(collection).is_some_and(|member| is_id_of(field, member)) => {
                Some("parent")
            }
            field if field == status_member(collection) => Some("status"),
            _ => None,
        };
        match (column, values) {
            (Some(column), Some(values)) if !values.iter().any(String::is_empty) => {
                self.columns.push((column, values));
            }
            _ => self.is_whole = false,
        }
    }

    /// The index by which few rows are looked at, in the right order where many are. Left to itself, SQLite would rather
    /// sort.
    fn index(&self, scan: Scan) -> &'static str {
        let has = |name: &str| self.columns.iter().any(|(column, _)| *column == name);
        match scan {
            _ if has("id") => "ids",
            _ if has("parent") => "children",
            Scan::Id => "ids",
            Scan::Newest | Scan::Oldest => "newest",
        }
    }

    fn sql(&self, from: usize) -> String {
        let mut next = from;
        let terms = self.columns.iter().map(|(column, values)| {
            let places: Vec<String> =
                values.iter().enumerate().map(|(at, _)| format!("?{}", next + at)).collect();
            next += values.len();
            format!(" AND {column} IN ({})", places.join(", "))
        });
        terms.collect()
    }

    fn values(&self) -> impl Iterator<Item = &dyn ToSql> {
        self.columns.iter().flat_map(|(_, values)| values.iter().map(|value| value as &dyn ToSql))
    }
}

/// Whether a field is the id of a member; two underscores stand for a dot too.
fn is_id_of(field: &str, member: &str) -> bool {
    field.strip_prefix(member).is_some_and(|rest| matches!(rest, ".id" | "__id"))
}

/// In which order columns give objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// By id.
    Id,
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
}

impl Scan {
    /// The order that columns can give; none where they can't.
    pub(crate) fn of(collection: &str, ordering: &[String]) -> Option<Self> {
        let ordering: Vec<&str> = ordering.iter().map(String::as_str).collect();
        // An asset's own time of creation is not in its column.
        if collection == ASSETS && !matches!(ordering.as_slice(), [] | ["id"]) {
            return None;
        }
        let by_event = collection != REQUESTS;
        Some(match ordering.as_slice() {
            [] | ["id"] => Self::Id,
            ["-created"] | ["-created", "-id"] if !by_event => Self::Newest,
            ["created"] | ["created", "id"] if !by_event => Self::Oldest,
            ["-events.created.at"] | ["-events.created.at", "-id"] if by_event => Self::Newest,
            ["events.created.at"] | ["events.created.at", "id"] if by_event => Self::Oldest,
            _ => return None,
        })
    }

    fn sql(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Newest => "created DESC, id DESC",
            Self::Oldest => "created, id",
        }
    }
}

impl Store {
    /// How many there are.
    pub(crate) fn count(&self, collection: &str, condition: &Condition) -> Result<usize, StoreError> {
        let of = |column: &str| {
            let found = condition.columns.iter().find(|(name, _)| *name == column);
            found.map(|(_, values)| values.as_slice())
        };
        let (kinds, statuses) = (of("kind"), of("status"));
        if usize::from(kinds.is_some()) + usize::from(statuses.is_some()) == condition.columns.len() {
            return self.counted(collection, kinds, statuses);
        }
        let sql = format!("SELECT count(*) FROM objects WHERE collection = ?1{}", condition.sql(2));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let values = std::iter::once(&collection as &dyn ToSql).chain(condition.values());
        let count: i64 = statement.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// The texts of some of them.
    pub(crate) fn texts(
        &self,
        collection: &str,
        condition: &Condition,
        scan: Scan,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<String>, StoreError> {
        let rest = format!("ORDER BY {} LIMIT {limit} OFFSET {offset}", scan.sql());
        Ok(self.select(collection, condition, scan, None, &rest)?.into_iter().map(|(_, text)| text).collect())
    }

    /// The next ones by id, after an id, with their ids: so that a long list need not be read at once.
    pub(crate) fn stretch(
        &self,
        collection: &str,
        condition: &Condition,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, String)>, StoreError> {
        self.select(collection, condition, Scan::Id, Some(after), &format!("ORDER BY id LIMIT {limit}"))
    }

    fn select(
        &self,
        collection: &str,
        condition: &Condition,
        scan: Scan,
        after: Option<&str>,
        rest: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let sql = format!(
            "SELECT id, body FROM objects INDEXED BY {} LEFT JOIN bodies USING (number)
             WHERE collection = ?1 AND id > ?2{} {rest}",
            condition.index(scan),
            condition.sql(3)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let after = after.unwrap_or_default();
        let fixed = [&collection as &dyn ToSql, &after as &dyn ToSql];
        let mut rows = statement.query(params_from_iter(fixed.into_iter().chain(condition.values())))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            let text = match row.get_ref(1)?.as_blob_or_null().map_err(rusqlite::Error::from)? {
                Some(packed) if collection != ASSETS => Some(self.packer.unpack(packed)?),
                _ => self.text(collection, &id)?,
            };
            found.extend(text.map(|text| (id, text)));
        }
        Ok(found)
    }

    /// All of a collection, by id.
    pub(crate) fn list(&self, collection: &str) -> Result<Vec<Value>, StoreError> {
        self.matching(collection, &Rql::Empty)
    }

    /// What of a collection matches, by id.
    pub(crate) fn matching(&self, collection: &str, filter: &Rql) -> Result<Vec<Value>, StoreError> {
        let condition = Condition::of(collection, filter);
        let mut found = Vec::new();
        for (_, text) in self.select(collection, &condition, Scan::Id, None, "ORDER BY id")? {
            let object: Value = serde_json::from_str(&text)?;
            if condition.is_whole || filter.matches(&object) {
                found.push(object);
            }
        }
        Ok(found)
    }
}
