//! Chunks of usage files: what a distributor's system takes of an accepted file, one for each hub.

use std::collections::BTreeMap;

use connect_model::rql::R;
use serde_json::{Value, json};

use super::records;
use crate::{
    api_error::ApiError,
    fulfillment::set,
    role::Role,
    transitions::{self, USAGE_CHUNKS, USAGE_FILES, USAGE_RECORDS, note},
    who::{self, needed, text},
    world::World,
};

/// The id of a file's chunk. How Connect's look is in no source.
fn id(file: &Value, number: u64) -> String {
    let stem = file["id"].as_str().unwrap_or_default().replacen("UF", "UFC", 1);
    who::id(&stem, &[4], number)
}

/// The chunks of a file.
pub(crate) fn of(world: &World<'_>, file: &Value) -> Result<Vec<Value>, ApiError> {
    let id = file["id"].as_str().unwrap_or_default();
    world.matching(USAGE_CHUNKS, &R::field("usagefile.id").eq(id))
}

/// The records of a chunk.
pub(crate) fn records_of(world: &World<'_>, chunk: &Value) -> Result<(Value, Vec<Value>), ApiError> {
    let file = world.get(USAGE_FILES, chunk["usagefile"]["id"].as_str().unwrap_or_default())?;
    let mut records = records::of(world, &file)?;
    records.retain(|record| belongs(record, chunk) && is_taken(record));
    Ok((file, records))
}

/// Whether a record is for the hub of a chunk.
fn belongs(record: &Value, chunk: &Value) -> bool {
    record["hub"]["id"] == chunk["binding"]["hub"]["id"]
}

fn is_taken(record: &Value) -> bool {
    matches!(record["status"].as_str(), Some("approved" | "closed"))
}

/// Makes the chunks of an accepted file, as drafts. How many records they hold is the answer.
pub(super) fn make(world: &mut World<'_>, file: &Value) -> Result<usize, ApiError> {
    let mut by_hub: BTreeMap<String, (Value, usize)> = BTreeMap::new();
    let mut taken = 0;
    for record in records::of(world, file)?.into_iter().filter(is_taken) {
        let hub = record["hub"]["id"].as_str().unwrap_or_default().to_owned();
        by_hub.entry(hub).or_insert((record["hub"].clone(), 0)).1 += 1;
        taken += 1;
    }
    let marketplace = file["marketplace"]["id"].as_str().unwrap_or_default();
    let marketplace = world.find("marketplaces", marketplace)?.unwrap_or_default();
    let (now, by) = (world.now(), who::user(Role::Platform));
    for (number, (hub, (reference, count))) in (1..).zip(by_hub) {
        let bound =
            marketplace["hubs"].as_array().into_iter().flatten().find(|bound| bound["hub"]["id"] == *hub);
        let mut chunk = json!({
            "id": id(file, number), "status": "draft", "outdated": false, "external_id": "", "error": {},
            "usagefile": {"id": file["id"], "name": file["name"], "schema": file["schema"], "currency": file["currency"]},
            "binding": {"hub": reference, "external_id": bound.map(|bound| &bound["external_id"])},
            "marketplace": file["marketplace"], "provider": file["provider"],
            "stats": {"uploaded": count, "validated": 0, "pending": 0, "accepted": count, "closed": 0, "billed": 0},
        });
        note(&mut chunk, "created", &now, &by);
        note(&mut chunk, "accepted", &now, &by);
        world.put(USAGE_CHUNKS, chunk)?;
    }
    Ok(taken)
}

/// Makes the workbooks of a file's chunks ready, which is a moment after the file was accepted.
pub(crate) fn ready(world: &mut World<'_>, file: &Value) -> Result<(), ApiError> {
    for mut chunk in of(world, file)? {
        if chunk["status"] == "draft" {
            set(&mut chunk, "status", "ready");
            world.put(USAGE_CHUNKS, chunk)?;
        }
    }
    Ok(())
}

/// Does something with a chunk. With it its records are closed, and with the last of them their file.
pub(crate) fn act(world: &mut World<'_>, own: &str, action: &str, body: &Value) -> Result<Value, ApiError> {
    text(body, "external_billing_note", 500)?;
    let mut chunk = transitions::act(world, USAGE_CHUNKS, own, action, body)?;
    if action != "close" {
        set(&mut chunk, "outdated", false);
        world.put(USAGE_CHUNKS, &chunk)?;
        return Ok(chunk);
    }
    let (_, records) = records_of(world, &chunk)?;
    let mut closed = Vec::new();
    for record in records.iter().filter(|record| record["status"] == "approved") {
        let id = record["id"].as_str().unwrap_or_default();
        closed.push(transitions::act(world, USAGE_RECORDS, id, "close", body)?);
    }
    count(&mut chunk, records.len());
    world.put(USAGE_CHUNKS, &chunk)?;
    records::closed(world, &closed)?;
    world.get(USAGE_CHUNKS, own)
}

/// Counts all records of a chunk as closed.
fn count(chunk: &mut Value, records: usize) {
    if let Some(stats) = chunk.get_mut("stats") {
        set(stats, "accepted", 0);
        set(stats, "closed", records);
        set(stats, "billed", records);
    }
}

/// The chunks of some records that changed no longer say how it is, unless they are closed.
pub(super) fn outdate(world: &mut World<'_>, file: &Value, changed: &[&Value]) -> Result<(), ApiError> {
    for mut chunk in of(world, file)? {
        let closed = changed.iter().filter(|record| belongs(record, &chunk)).count();
        if chunk["status"] == "closed" || closed == 0 {
            continue;
        }
        set(&mut chunk, "outdated", true);
        let counted = |counter: &str| chunk["stats"][counter].as_u64().unwrap_or_default();
        let (accepted, all) =
            (counted("accepted").saturating_sub(closed as u64), counted("closed") + closed as u64);
        if let Some(stats) = chunk.get_mut("stats") {
            set(stats, "accepted", accepted);
            set(stats, "closed", all);
            set(stats, "billed", all);
        }
        world.put(USAGE_CHUNKS, chunk)?;
    }
    Ok(())
}

/// Closes the chunks of a file that is closed.
pub(super) fn close_all(world: &mut World<'_>, file: &Value) -> Result<(), ApiError> {
    let (now, by) = (world.now(), who::user(world.role()));
    for mut chunk in of(world, file)? {
        if chunk["status"] != "closed" {
            let records = chunk["stats"]["uploaded"].as_u64().unwrap_or_default();
            set(&mut chunk, "status", "closed");
            set(&mut chunk, "outdated", false);
            count(&mut chunk, usize::try_from(records).unwrap_or_default());
            note(&mut chunk, "closed", &now, &by);
            world.put(USAGE_CHUNKS, chunk)?;
        }
    }
    Ok(())
}

/// Notes what a distributor's system calls a chunk.
pub(crate) fn change(world: &mut World<'_>, own: &str, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Distributor)?;
    let external = needed(body, "/external_id")?;
    text(body, "external_id", 200)?;
    let (now, by) = (world.now(), who::user(world.role()));
    world.update(USAGE_CHUNKS, own, |chunk| {
        set(chunk, "external_id", external);
        note(chunk, "updated", &now, &by);
        Ok(())
    })
}
