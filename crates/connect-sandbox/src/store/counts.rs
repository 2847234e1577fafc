//! How many objects of each type and status there are: every page of a list says so, and counting a million takes time.

use std::{cell::RefCell, collections::HashMap};

use super::{Store, StoreError};

type Counts = HashMap<Key, i64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    collection: String,
    kind: String,
    status: String,
}

/// They are counted at the start, and followed from then on; after something that did not stay, when somebody asks.
#[derive(Debug, Default)]
pub(super) struct Counter {
    counts: RefCell<Option<Counts>>,
    /// Whether they were changed by something that may not stay.
    touched: RefCell<bool>,
}

impl Counter {
    /// Something may not stay from now on.
    pub(super) fn begin(&self) {
        self.touched.replace(false);
    }

    /// It did not stay.
    pub(super) fn undo(&self) {
        if self.touched.replace(false) {
            self.counts.replace(None);
        }
    }

    pub(super) fn add(&self, collection: &str, kind: &str, status: &str, by: i64) {
        self.touched.replace(true);
        if let Some(counts) = self.counts.borrow_mut().as_mut() {
            let key =
                Key { collection: collection.to_owned(), kind: kind.to_owned(), status: status.to_owned() };
            *counts.entry(key).or_default() += by;
        }
    }
}

impl Store {
    /// How many there are with one of these types and one of these statuses; none named are all.
    pub(super) fn counted(
        &self,
        collection: &str,
        kinds: Option<&[String]>,
        statuses: Option<&[String]>,
    ) -> Result<usize, StoreError> {
        let mut counts = self.counter.counts.borrow_mut();
        let counts = match counts.as_mut() {
            Some(counts) => counts,
            None => counts.insert(self.count_all()?),
        };
        let is_one = |names: Option<&[String]>, name: &String| names.is_none_or(|names| names.contains(name));
        let wanted = |key: &Key| {
            key.collection == collection && is_one(kinds, &key.kind) && is_one(statuses, &key.status)
        };
        let count: i64 = counts.iter().filter(|(key, _)| wanted(key)).map(|(_, count)| count).sum();
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// Counts them anew.
    pub(super) fn count_now(&self) -> Result<(), StoreError> {
        self.counter.counts.replace(Some(self.count_all()?));
        Ok(())
    }

    fn count_all(&self) -> Result<Counts, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT collection, kind, status, count(*) FROM objects GROUP BY collection, kind, status",
        )?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok((Key { collection: row.get(0)?, kind: row.get(1)?, status: row.get(2)? }, row.get(3)?))
        };
        Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
    }
}
