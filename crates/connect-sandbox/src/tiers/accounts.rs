//! Tier accounts and their versions.

mod contact;
pub(crate) mod requests;

use connect_model::rql::{Operand, R, Rql};
use serde_json::{Value, json};

use self::contact::Wanted;
use super::{ACCOUNTS, CONFIGS, REQUESTS, configs, digits, note, text};
use crate::{
    api_error::ApiError,
    fulfillment::set,
    role::Role,
    store::{self, ASSETS},
    world::World,
};

/// Those that were taken out of service: hidden, but known.
const DECOMMISSIONED: &str = "tier/decommissioned-accounts";
/// The tiers of an asset.
const TIERS: [&str; 3] = ["customer", "tier1", "tier2"];
/// What a body may change.
const WRITABLE: [&str; 7] =
    ["type", "name", "external_id", "external_uid", "tax_id", "environment", "contact_info"];

/// Creates an account as REST does.
pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Distributor)?;
    make(world, body, "customer", "")
}

/// Makes an account of what a body says; the place of that is named where something is wrong.
fn make(world: &mut World<'_>, body: &Value, kind: &str, place: &str) -> Result<Value, ApiError> {
    let is_person = world.role() == Role::Platform;
    contact::check(body, if is_person { Wanted::Sketch } else { Wanted::Whole }, place)?;
    let now = world.now();
    let id = loop {
        let id = format!("TA-{}", digits(world.number()?, 4, 3));
        if world.find(ACCOUNTS, &id)?.is_none() {
            break id;
        }
    };
    let mut account = json!({"id": id, "version": 1, "name": "", "type": kind, "external_id": "",
        "external_uid": "", "scopes": [], "environment": "production"});
    write(world, &mut account, body, place)?;
    let hub = match body["hub"]["id"].as_str() {
        Some(hub) => {
            let known = world.find("hubs", hub)?;
            let unknown = || ApiError::bad("VAL_001", format!("{place}hub.id: \"{hub}\" does not exist."));
            let known = known.ok_or_else(unknown)?;
            json!({"id": known["id"], "name": known["name"]})
        }
        None => json!({"id": "HB-0000-0000", "name": "None"}),
    };
    set(&mut account, "hub", hub);
    if let Some(owner) = world.list("accounts")?.iter().find(|own| own["role"] == "distributor") {
        set(&mut account, "owner", json!({"id": owner["id"], "name": owner["name"]}));
    }
    note(&mut account, "created", &now);
    note(&mut account, "updated", &now);
    world.put(ACCOUNTS, &account)?;
    Ok(account)
}

/// Writes what a body says of an account.
fn write(world: &World<'_>, account: &mut Value, body: &Value, place: &str) -> Result<(), ApiError> {
    for key in WRITABLE {
        if let Some(value) = body.get(key) {
            set(account, key, value.clone());
        }
    }
    if let Some(parent) = body["parent"]["id"].as_str() {
        let known = world.find(ACCOUNTS, parent)?;
        let unknown = || ApiError::bad("VAL_001", format!("{place}parent.id: \"{parent}\" does not exist."));
        set(account, "parent", reference(&known.ok_or_else(unknown)?));
    }
    Ok(())
}

fn reference(account: &Value) -> Value {
    json!({"id": account["id"], "name": account["name"], "external_id": account["external_id"]})
}

/// Changes an account as REST does.
pub(crate) fn update(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Distributor)?;
    let account = world.get(ACCOUNTS, id)?;
    contact::check(body, wanted_of_change(world), "")?;
    Ok(change(world, &account, body, "")?.unwrap_or(account))
}

fn wanted_of_change(world: &World<'_>) -> Wanted {
    if world.role() == Role::Platform { Wanted::Sketch } else { Wanted::Change }
}

/// Another version of an account, where a body changes something.
fn change(
    world: &mut World<'_>,
    account: &Value,
    body: &Value,
    place: &str,
) -> Result<Option<Value>, ApiError> {
    let mut changed = account.clone();
    write(world, &mut changed, body, place)?;
    if changed == *account {
        return Ok(None);
    }
    let (id, version, now) = (text(account, "id"), number(account), world.now());
    world.put(&past(id, version), account)?;
    set(&mut changed, "version", version + 1);
    note(&mut changed, "updated", &now);
    world.put(ACCOUNTS, &changed)?;
    spread(world, &changed)?;
    Ok(Some(changed))
}

/// Where a version is kept: in a collection of its own, since all have the same id.
fn past(id: &str, version: u64) -> String {
    format!("{ACCOUNTS}/{id}/versions/{version}")
}

fn number(account: &Value) -> u64 {
    account["version"].as_u64().unwrap_or(1)
}

/// All versions of an account, the first one first.
pub(crate) fn versions(world: &World<'_>, id: &str) -> Result<Vec<Value>, ApiError> {
    let account = world.get(ACCOUNTS, id)?;
    let mut versions = Vec::new();
    for version in 1..number(&account) {
        versions.extend(world.find(&past(id, version), id)?);
    }
    versions.push(account);
    Ok(versions)
}

/// An account as it was in a version.
pub(crate) fn version(world: &World<'_>, id: &str, version: u64) -> Result<Value, ApiError> {
    let account = world.get(ACCOUNTS, id)?;
    if number(&account) == version { Ok(account) } else { world.get(&past(id, version), id) }
}

/// Takes an account out of service: what was bought for it still shows it.
pub(crate) fn decommission(world: &mut World<'_>, id: &str) -> Result<(), ApiError> {
    world.only(Role::Distributor)?;
    let (mut account, now) = (world.get(ACCOUNTS, id)?, world.now());
    note(&mut account, "decommissioned", &now);
    world.put(DECOMMISSIONED, &account)?;
    world.remove(ACCOUNTS, id)?;
    Ok(())
}

/// The filter for what has an account as one of its tiers.
fn of_tiers(place: &str, id: &str) -> Rql {
    Rql::any(TIERS.map(|tier| R::field(format!("{place}{tier}.id")).eq(Operand::text(id))))
}

/// Puts an account in place of what it was, among tiers.
fn replace(tiers: &mut Value, account: &Value) {
    for tier in TIERS {
        if tiers[tier]["id"] == account["id"] {
            set(tiers, tier, account.clone());
        }
    }
}

/// Shows a changed account wherever it is used and nothing is at its end.
fn spread(world: &mut World<'_>, account: &Value) -> Result<(), ApiError> {
    let id = text(account, "id");
    for mut config in world.matching(CONFIGS, &R::field("account.id").eq(Operand::text(id)))? {
        set(&mut config, "account", account.clone());
        if let Some(tiers) = config.get_mut("tiers") {
            replace(tiers, account);
        }
        configs::keep(world, &config)?;
    }
    let open = |statuses: &[&str]| R::field("status").is_in(statuses.iter().copied());
    let waits = Rql::all([open(&["draft", "tiers_setup", "pending", "inquiring"]), of_tiers("tiers.", id)]);
    for mut request in world.matching(REQUESTS, &waits)? {
        if let Some(tiers) = request.get_mut("tiers") {
            replace(tiers, account);
        }
        world.put(REQUESTS, &request)?;
    }
    let open = open(&["draft", "tiers_setup", "pending", "inquiring", "scheduled", "revoking"]);
    for mut request in world.matching(store::REQUESTS, &Rql::all([open, of_tiers("asset.tiers.", id)]))? {
        if let Some(tiers) = request.pointer_mut("/asset/tiers") {
            replace(tiers, account);
        }
        world.put(store::REQUESTS, &request)?;
    }
    for mut asset in world.matching(ASSETS, &of_tiers("tiers.", id))? {
        let before = asset.clone();
        if let Some(tiers) = asset.get_mut("tiers") {
            replace(tiers, account);
        }
        // The one of an open purchase has followed already.
        if asset != before {
            world.put(ASSETS, &asset)?;
        }
    }
    for mut below in world.matching(ACCOUNTS, &R::field("parent.id").eq(Operand::text(id)))? {
        set(&mut below, "parent", reference(account));
        world.put(ACCOUNTS, &below)?;
    }
    Ok(())
}

/// The accounts of an order: those that are known in full, new ones made, and each with what it is used as.
pub(super) fn enlist(world: &mut World<'_>, tiers: &mut Value) -> Result<(), ApiError> {
    for tier in TIERS {
        let ordered = tiers[tier].clone();
        if ordered.as_object().is_none_or(serde_json::Map::is_empty) {
            continue;
        }
        let place = format!("asset.tiers.{tier}.");
        let known = match ordered["id"].as_str() {
            Some(id) => world.find(ACCOUNTS, id)?,
            None => Some(make(world, &ordered, if tier == "customer" { tier } else { "reseller" }, &place)?),
        };
        let is_new = known.is_none();
        let mut account = match known {
            Some(account) => account,
            None => given_whole(world, ordered, &place)?,
        };
        if use_as(&mut account, tier) || is_new {
            world.put(ACCOUNTS, &account)?;
        }
        set(tiers, tier, account);
    }
    Ok(())
}

/// An account that is not here, given with its id as a copy of Connect's own.
fn given_whole(world: &World<'_>, account: Value, place: &str) -> Result<Value, ApiError> {
    let id = text(&account, "id");
    let is_whole = account.get("name").is_some() || account.get("contact_info").is_some();
    if is_whole && world.find(DECOMMISSIONED, id)?.is_none() {
        return Ok(account);
    }
    Err(ApiError::bad("VAL_001", format!("{place}id: \"{id}\" does not exist.")))
}

/// Notes what an account is used as, where it was not before.
fn use_as(account: &mut Value, tier: &str) -> bool {
    if !account["scopes"].is_array() {
        set(account, "scopes", json!([]));
    }
    let scopes = account.get_mut("scopes").and_then(Value::as_array_mut);
    let Some(scopes) = scopes.filter(|scopes| !scopes.iter().any(|scope| scope == tier)) else {
        return false;
    };
    scopes.push(tier.into());
    true
}
