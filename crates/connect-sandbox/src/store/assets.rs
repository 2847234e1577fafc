//! Assets: what requests have brought into force. They are not kept a second time beside their requests.

use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use super::{ASSETS, REQUESTS, Store, StoreError, id_of};
use crate::fulfillment;

/// Where an asset comes from.
#[derive(Debug)]
struct Origin {
    number: i64,
    kind: String,
    status: String,
    /// The request whose values it has; none where it is kept itself.
    source: Option<String>,
    in_force: bool,
}

impl Store {
    fn origin(&self, id: &str) -> Result<Option<Origin>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, kind, status, source, in_force FROM objects WHERE collection = 'assets' AND id = ?1",
        )?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Origin {
                number: row.get(0)?,
                kind: row.get(1)?,
                status: row.get(2)?,
                source: row.get(3)?,
                in_force: row.get(4)?,
            })
        };
        Ok(statement.query_row([id], read).optional()?)
    }

    /// An asset with the values that are in force.
    pub(super) fn asset(&self, id: &str) -> Result<Option<Value>, StoreError> {
        let Some(origin) = self.origin(id)? else { return Ok(None) };
        let asset = if let Some(request) = &origin.source {
            let request = self.get(REQUESTS, request)?;
            request.as_ref().and_then(fulfillment::asset_of)
        } else {
            let text = self.body(origin.number)?;
            text.map(|text| serde_json::from_str(&text)).transpose()?
        };
        Ok(asset.map(|mut asset| {
            if let Some(members) = asset.as_object_mut().filter(|_| !origin.status.is_empty()) {
                members.insert("status".to_owned(), origin.status.into());
            }
            asset
        }))
    }

    /// An asset that was put here itself does not follow from a request any more.
    pub(super) fn detach(&self, id: &str) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE objects SET source = NULL, in_force = 1 WHERE collection = 'assets' AND id = ?1",
        )?;
        statement.execute([id])?;
        Ok(())
    }

    /// Brings the asset of a request to where the request has brought it.
    pub(super) fn follow(&self, id: &str, request: &Value, before: Option<&str>) -> Result<(), StoreError> {
        let asset = id_of(&request["asset"]);
        if let Some(before) = before.filter(|before| Some(*before) != asset) {
            self.drop_childless(before)?;
        }
        let Some(asset) = asset else { return Ok(()) };
        let status = request["asset"]["status"].as_str().unwrap_or_default();
        let in_force = fulfillment::is_in_force(request);
        let Some(known) = self.origin(asset)? else {
            let mut statement = self.connection.prepare_cached(
                "INSERT INTO objects (collection, id, kind, status, created, entered, source, in_force)
                 VALUES (?1, ?2, '', ?3, ?4, 1, ?5, ?6)",
            )?;
            statement.execute(params![ASSETS, asset, status, super::created(request), id, in_force])?;
            self.counter.add(ASSETS, "", status, 1);
            return Ok(());
        };
        let source = known.source.as_deref();
        if source == Some(id) || (in_force, Some(id)) >= (known.in_force, source) {
            let mut statement = self.connection.prepare_cached(
                "UPDATE objects SET status = ?2, source = ?3, in_force = ?4 WHERE number = ?1",
            )?;
            statement.execute(params![known.number, status, id, in_force])?;
            self.count_status(&known, status);
            if source.is_none() {
                self.connection
                    .prepare_cached("DELETE FROM bodies WHERE number = ?1")?
                    .execute([known.number])?;
            }
        } else if matches!(fulfillment::status(request), "failed" | "revoked") && self.is_newest(asset, id)? {
            // Its values never came into force, yet the asset is what it was before.
            let mut statement =
                self.connection.prepare_cached("UPDATE objects SET status = ?2 WHERE number = ?1")?;
            statement.execute(params![known.number, status])?;
            self.count_status(&known, status);
        }
        Ok(())
    }

    fn count_status(&self, known: &Origin, status: &str) {
        if known.status != status {
            self.counter.add(ASSETS, &known.kind, &known.status, -1);
            self.counter.add(ASSETS, &known.kind, status, 1);
        }
    }

    fn is_newest(&self, asset: &str, request: &str) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT max(id) <= ?2 FROM objects WHERE collection = 'requests' AND parent = ?1",
        )?;
        Ok(statement.query_row([asset, request], |row| row.get::<_, Option<bool>>(0))?.unwrap_or(true))
    }

    /// Takes an asset out that no request is for any more.
    pub(super) fn drop_childless(&self, asset: &str) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "DELETE FROM objects WHERE collection = 'assets' AND id = ?1 AND source IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM objects WHERE collection = 'requests' AND parent = ?1)
             RETURNING kind, status",
        )?;
        let dropped = statement.query_row([asset], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let dropped: Option<(String, String)> = dropped;
        if let Some((kind, status)) = dropped {
            self.counter.add(ASSETS, &kind, &status, -1);
        }
        Ok(())
    }
}
