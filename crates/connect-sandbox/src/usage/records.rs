//! Usage records: the rows of usage files, each billed by itself.

use std::collections::BTreeMap;

use connect_model::rql::R;
use serde_json::{Value, json};

use super::{chunks, files};
use crate::{
    api_error::ApiError,
    fulfillment::set,
    role::Role,
    transitions::{self, USAGE_FILES, USAGE_RECORDS},
    who::{choice, wrong},
    world::World,
};

/// The id of a file's record: the digits of the file, and which it is.
fn id(file: &Value, number: u64) -> String {
    let stem = file["id"].as_str().unwrap_or_default().replacen("UF", "UR", 1);
    crate::who::id(&stem, &[4, 4], number)
}

/// Gives a record what it has of its file.
pub(super) fn complete(record: &mut Value, file: &Value, number: u64) {
    set(record, "id", id(file, number));
    set(record, "product_id", file["product"]["id"].clone());
    set(
        record,
        "usagefile",
        json!({"id": file["id"], "name": file["name"], "schema": file["schema"], "currency": file["currency"]}),
    );
}

/// The records of a file, in the order of its rows.
pub(crate) fn of(world: &World<'_>, file: &Value) -> Result<Vec<Value>, ApiError> {
    let id = file["id"].as_str().unwrap_or_default();
    world.matching(USAGE_RECORDS, &R::field("usagefile.id").eq(id))
}

pub(super) fn remove(world: &mut World<'_>, file: &Value) -> Result<(), ApiError> {
    for record in of(world, file)? {
        world.remove(USAGE_RECORDS, record["id"].as_str().unwrap_or_default())?;
    }
    Ok(())
}

/// Lets those records of a file that have one of some statuses enter another. How many these are is the answer.
pub(super) fn enter(world: &mut World<'_>, file: &Value, from: &[&str], to: &str) -> Result<usize, ApiError> {
    let now = world.now();
    let mut entered = 0;
    for mut record in of(world, file)? {
        if from.contains(&record["status"].as_str().unwrap_or_default()) {
            set(&mut record, "status", to);
            if to == "closed" {
                set(&mut record, "closed_at", now.as_str());
            }
            world.put(USAGE_RECORDS, record)?;
            entered += 1;
        }
    }
    Ok(entered)
}

/// Approves or rejects one record of a file that waits for that.
pub(crate) fn change(world: &mut World<'_>, own: &str, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Distributor)?;
    let status = choice(body, "status", &["approved", "rejected", "closed"])?;
    if status == "closed" {
        return close(world, own, body);
    }
    let record = world.get(USAGE_RECORDS, own)?;
    let file =
        world.find(USAGE_FILES, record["usagefile"]["id"].as_str().unwrap_or_default())?.unwrap_or_default();
    if file["status"] != "pending" {
        return Err(wrong("status", "Only records of pending usage files can be approved and rejected."));
    }
    transitions::act(world, USAGE_RECORDS, own, status, body)
}

/// Closes a record: it was billed.
pub(crate) fn close(world: &mut World<'_>, own: &str, body: &Value) -> Result<Value, ApiError> {
    let record = transitions::act(world, USAGE_RECORDS, own, "close", body)?;
    closed(world, std::slice::from_ref(&record))?;
    world.get(USAGE_RECORDS, own)
}

/// Closes many records; what became of each is the answer.
pub(crate) fn close_many(world: &mut World<'_>, bills: &[Value]) -> Result<Vec<Value>, ApiError> {
    world.only(Role::Distributor)?;
    let mut done = Vec::new();
    let mut told = Vec::new();
    for bill in bills {
        let id = bill["id"].as_str().unwrap_or_default();
        match transitions::act(world, USAGE_RECORDS, id, "close", bill) {
            Ok(record) => {
                told.push(json!({"id": id, "status": record["status"]}));
                done.push(record);
            }
            // What the sandbox itself can't do is not the record's.
            Err(error) if error.status.is_server_error() => return Err(error),
            Err(error) => {
                let status = world.find(USAGE_RECORDS, id)?.map(|record| record["status"].clone());
                told.push(json!({"id": bill["id"], "status": status, "error_codes": error.code,
                    "error_details": error.errors.join(" ")}));
            }
        }
    }
    closed(world, &done)?;
    Ok(told)
}

/// What follows from records that were closed: their files count them, and are closed with the last; chunks that were
/// made before no longer say how it is.
pub(super) fn closed(world: &mut World<'_>, closed: &[Value]) -> Result<(), ApiError> {
    let now = world.now();
    let mut by_file: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for record in closed {
        world.update(USAGE_RECORDS, record["id"].as_str().unwrap_or_default(), |record| {
            set(record, "closed_at", now.as_str());
            Ok(())
        })?;
        by_file.entry(record["usagefile"]["id"].as_str().unwrap_or_default()).or_default().push(record);
    }
    for (id, records) in by_file {
        let Some(mut file) = world.find(USAGE_FILES, id)? else { continue };
        files::count_closed(&mut file, records.len());
        world.put(USAGE_FILES, &file)?;
        chunks::outdate(world, &file, &records)?;
        if files::is_done(&file) {
            files::act(world, id, "close", &Value::Null)?;
        }
    }
    Ok(())
}
