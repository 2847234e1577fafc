//! Requests for tier configurations are created: by the platform for what was ordered, and by REST.

use serde_json::{Value, json};

use super::{
    ACCOUNTS, CONFIGS, REQUESTS,
    configs::{self, Standing},
    note,
    offer::{self, Level},
    params,
    requests::{proceed, write_notes},
    text,
};
use crate::{api_error::ApiError, fulfillment::set, parameters::Giver, role::Role, world::World};

/// What is asked for a configuration.
pub(super) struct Asked<'a> {
    /// Its type: setup, update or adjustment.
    pub(super) kind: &'a str,
    /// Values for its parameters.
    pub(super) values: &'a Value,
    /// What else the body says.
    pub(super) body: &'a Value,
    /// The configuration above, where there is one.
    pub(super) parent: Option<&'a Value>,
}

fn refused(text: impl Into<String>) -> ApiError {
    ApiError::bad("VAL_001", text)
}

/// Creates a request as REST does: for a configuration that is there, or for one that is made here.
pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    let wanted = &body["configuration"];
    let named = wanted["id"].as_str();
    let kind = body["type"].as_str().unwrap_or(if named.is_some() { "update" } else { "setup" });
    match kind {
        "setup" | "update" => world.only(Role::Distributor)?,
        "adjustment" => world.only(Role::Vendor)?,
        _ => return Err(refused(format!("type: \"{kind}\" is not a valid choice."))),
    }
    if !wanted.is_object() {
        return Err(refused("configuration: This field is required."));
    }
    let mut config = match named {
        Some(id) => {
            let known = world.find(CONFIGS, id)?;
            known.ok_or_else(|| refused(format!("configuration.id: \"{id}\" does not exist.")))?
        }
        None => wanted_config(world, wanted, kind)?,
    };
    if let Some(open) = world.find(REQUESTS, text(&config["open_request"], "id"))? {
        let mut error =
            ApiError::conflict(format!("The configuration has an open request: {}.", text(&open, "id")));
        error.params = Some(json!({"request_id": open["id"], "request_status": open["status"]}));
        return Err(error);
    }
    let is_ready = configs::standing(world, &config)? == Standing::Ready;
    if is_ready == (kind == "setup") {
        let state = if is_ready { "is set up" } else { "is not set up" };
        return Err(ApiError::conflict(format!(
            "Request type {kind} is not allowed: the configuration {state}."
        )));
    }
    let parent = parent(world, &config)?;
    let asked = Asked { kind, values: &body["params"], body, parent: parent.as_ref() };
    open(world, &mut config, &asked)
}

/// The configuration that a body describes by account, product, connection and level; a setup makes it.
fn wanted_config(world: &mut World<'_>, wanted: &Value, kind: &str) -> Result<Value, ApiError> {
    let missing = |field: &str| refused(format!("configuration.{field}: This field is required."));
    let unknown =
        |field: &str, id: &str| refused(format!("configuration.{field}.id: \"{id}\" does not exist."));
    let id = |field: &str| wanted[field]["id"].as_str().ok_or_else(|| missing(field));
    let (product_id, account_id) = (id("product")?, id("account")?);
    let level = Level::of(&wanted["tier_level"]).ok_or_else(|| missing("tier_level"))?;
    let product = world.find("products", product_id)?.ok_or_else(|| unknown("product", product_id))?;
    let account = world.find(ACCOUNTS, account_id)?.ok_or_else(|| unknown("account", account_id))?;
    let connections = world.list(&format!("products/{product_id}/connections"))?;
    let connection = match wanted["connection"]["id"].as_str() {
        Some(id) => {
            connections.into_iter().find(|own| own["id"] == id).ok_or_else(|| unknown("connection", id))?
        }
        None => connections.into_iter().next().unwrap_or_else(preview),
    };
    if let Some(config) = configs::find(world, &account, &product, &connection, level)? {
        return Ok(config);
    }
    if kind != "setup" {
        return Err(refused(
            "configuration: There is none of this account, product, connection and tier level.",
        ));
    }
    let definitions = params::definitions(world, &product)?;
    if !offer::levels(&product, &definitions).contains(&level) {
        let text =
            format!("configuration.tier_level: The product has no configurations of {}.", level.name());
        return Err(refused(text));
    }
    let above = world.find(ACCOUNTS, text(&account["parent"], "id"))?.unwrap_or(json!({}));
    let tiers = match level {
        Level::One => json!({"tier1": account, "tier2": above}),
        Level::Two => json!({"tier2": account}),
    };
    let order =
        json!({"asset": {"connection": connection, "tiers": tiers}, "marketplace": wanted["marketplace"]});
    configs::make(world, &order, &product, level)
}

/// What previews go over.
fn preview() -> Value {
    json!({"id": "CT-0000-0000-0000", "type": "preview", "hub": {"id": "HB-0000-0000", "name": "None"}})
}

/// The configuration above one of tier 1.
fn parent(world: &World<'_>, config: &Value) -> Result<Option<Value>, ApiError> {
    if Level::of(&config["tier_level"]) != Some(Level::One) {
        return Ok(None);
    }
    let above = &config["tiers"]["tier2"];
    configs::find(world, above, &config["product"], &config["connection"], Level::Two)
}

/// Opens a request for a configuration.
pub(super) fn open(world: &mut World<'_>, config: &mut Value, asked: &Asked<'_>) -> Result<Value, ApiError> {
    let (now, kind) = (world.now(), asked.kind);
    let others = configs::shown(world, "configuration", config)?;
    let stem = text(config, "id").trim_start_matches("TC-").to_owned();
    let mut number = others.len() + 1;
    let id = loop {
        let id = format!("TCR-{stem}-{number:03}");
        if world.find(REQUESTS, &id)?.is_none() {
            break id;
        }
        number += 1;
    };
    set(config, "open_request", json!({"id": id}));
    set(config, "status", "processing");
    note(config, "updated", &now);
    let mut request = json!({
        "id": id,
        "type": kind,
        "status": "draft",
        "configuration": config,
        "params": params::values(world, config)?,
        "assignee": null,
        "environment": config["connection"]["type"].as_str().unwrap_or("production"),
        "tiers": config["tiers"],
        "notes": null,
    });
    note(&mut request, "created", &now);
    note(&mut request, "updated", &now);
    if let Some(parent) = asked.parent {
        set(&mut request, "parent_configuration", parent.clone());
    }
    if let Some(before) = others.iter().rfind(|other| other["status"] == "approved") {
        set(&mut request, "previous_approved_request", json!({"id": before["id"]}));
    }
    let giver = if kind == "adjustment" { Giver::Vendor } else { Giver::Buyer };
    params::change(world, &mut request, asked.values, giver)?;
    write_notes(&mut request, asked.body)?;
    let waits = match asked.parent {
        Some(parent) if kind == "setup" => configs::standing(world, parent)? == Standing::Open,
        _ => false,
    };
    if !stays_draft(world, &request, asked.body)? {
        proceed(world, &mut request, waits)?;
    }
    world.put(REQUESTS, &request)?;
    configs::keep(world, config)?;
    Ok(request)
}

/// Whether the extension is to validate a request before it is submitted: where the buyer asks for that, and where the
/// product can and nothing is missing that only the buyer's form can get.
fn stays_draft(world: &World<'_>, request: &Value, body: &Value) -> Result<bool, ApiError> {
    if body["status"] == "draft" {
        return Ok(true);
    }
    let product = world.find("products", text(&request["configuration"]["product"], "id"))?;
    let is_validated = product.is_some_and(|product| match text(request, "type") {
        "setup" => offer::is_able(&product, "tiers/validation"),
        "update" => offer::is_able(&product, "tiers/configs/update/validation"),
        _ => false,
    });
    Ok(is_validated && !params::mark_missing(world, &mut request.clone())?)
}
