//! Tier configurations: which there are, and where they stand.

use connect_model::rql::{Operand, R, Rql};
use serde_json::{Value, json};

use super::{CONFIGS, REQUESTS, digits, note, offer::Level, params, text};
use crate::{api_error::ApiError, fulfillment::set, world::World};

/// Where a configuration stands for who needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its values are in force, though others may be asked for.
    Ready,
    /// Its setup is asked for.
    Open,
    /// Its setup failed, or was never asked for.
    Missing,
}

/// The configuration of an account for a product over a connection.
pub(super) fn find(
    world: &World<'_>,
    account: &Value,
    product: &Value,
    connection: &Value,
    level: Level,
) -> Result<Option<Value>, ApiError> {
    let same = |field: &str, id: &str| R::field(field).eq(Operand::text(id));
    let filter = Rql::all([
        same("account.id", text(account, "id")),
        same("product.id", text(product, "id")),
        same("connection.id", text(connection, "id")),
    ]);
    let found = world.matching(CONFIGS, &filter)?;
    Ok(found.into_iter().find(|config| Level::of(&config["tier_level"]) == Some(level)))
}

pub(super) fn standing(world: &World<'_>, config: &Value) -> Result<Standing, ApiError> {
    let open = text(&config["open_request"], "id");
    if let Some(open) = world.find(REQUESTS, open)? {
        return Ok(if open["type"] == "setup" { Standing::Open } else { Standing::Ready });
    }
    Ok(if config["status"] == "active" { Standing::Ready } else { Standing::Missing })
}

/// Makes a configuration for what was ordered, with the level's parameters.
pub(super) fn make(
    world: &mut World<'_>,
    order: &Value,
    product: &Value,
    level: Level,
) -> Result<Value, ApiError> {
    let id = loop {
        let id = format!("TC-{}", digits(world.number()?, 3, 3));
        if world.find(CONFIGS, &id)?.is_none() {
            break id;
        }
    };
    let (asset, now) = (&order["asset"], world.now());
    let account = &asset["tiers"][level.name()];
    let above = &asset["tiers"]["tier2"];
    let tiers = match level {
        Level::One if above["id"].is_string() => json!({"tier1": account, "tier2": above}),
        Level::One => json!({"tier1": account, "tier2": null}),
        Level::Two => json!({"tier1": null, "tier2": account}),
    };
    let mut config = json!({
        "id": id,
        "name": format!("Configuration of {}", text(account, "id")),
        "account": account,
        "product": {"id": product["id"], "name": product["name"], "icon": product["icon"], "status": product["status"]},
        "tier_level": level.number(),
        "connection": asset["connection"],
        "params": [],
        "status": "processing",
        "configuration": asset["configuration"],
        "tiers": tiers,
    });
    if !config["configuration"]["params"].is_array() {
        set(&mut config, "configuration", json!({"params": []}));
    }
    for shared in ["marketplace", "contract"] {
        let place = if order[shared].is_object() { order } else { asset };
        if let Some(value) = place.get(shared) {
            set(&mut config, shared, value.clone());
        }
    }
    note(&mut config, "created", &now);
    note(&mut config, "updated", &now);
    let params = params::values(world, &config)?;
    set(&mut config, "params", params);
    world.put(CONFIGS, &config)?;
    Ok(config)
}

/// Keeps a configuration, and lets the requests that show it show it as it is now.
pub(super) fn keep(world: &mut World<'_>, config: &Value) -> Result<(), ApiError> {
    world.put(CONFIGS, config)?;
    for place in ["configuration", "parent_configuration"] {
        for mut request in shown(world, place, config)? {
            set(&mut request, place, config.clone());
            world.put(REQUESTS, &request)?;
        }
    }
    Ok(())
}

/// The requests that show a configuration, as their own or as the one above.
pub(super) fn shown(world: &World<'_>, place: &str, config: &Value) -> Result<Vec<Value>, ApiError> {
    world.matching(REQUESTS, &R::field(format!("{place}.id")).eq(Operand::text(text(config, "id"))))
}

/// What the end of a request does to its configuration.
pub(super) fn settle(config: &mut Value, request: &Value, now: &str) {
    if request["status"] == "approved" {
        merge(config, &request["params"]);
        set(config, "template", request["template"].clone());
        set(config, "status", "active");
    } else if request["type"] != "setup" {
        set(config, "status", "active");
    }
    if let Some(members) = config.as_object_mut() {
        members.remove("open_request");
    }
    note(config, "updated", now);
}

/// Puts parameters in place of those with the same id.
fn merge(config: &mut Value, params: &Value) {
    if !config["params"].is_array() {
        set(config, "params", json!([]));
    }
    let Some(own) = config.get_mut("params").and_then(Value::as_array_mut) else { return };
    for param in params.as_array().into_iter().flatten() {
        match own.iter_mut().find(|known| known["id"] == param["id"]) {
            Some(known) => *known = param.clone(),
            None => own.push(param.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Value {
        json!({"id": "TC-1", "status": "processing", "open_request": {"id": "TCR-1"},
            "params": [{"id": "a", "value": "old"}, {"id": "c"}]})
    }

    fn ended(kind: &str, status: &str) -> Value {
        let request = json!({"type": kind, "status": status, "template": {"id": "TL-1"},
            "params": [{"id": "a", "value": "new"}, {"id": "b", "value": "b"}]});
        let mut config = config();
        settle(&mut config, &request, "now");
        assert!(config.get("open_request").is_none());
        config
    }

    #[test]
    fn what_was_approved_is_in_force() {
        for kind in ["setup", "update", "adjustment"] {
            let config = ended(kind, "approved");
            assert_eq!((&config["status"], &config["template"]["id"]), (&json!("active"), &json!("TL-1")));
            let params = json!([{"id": "a", "value": "new"}, {"id": "c"}, {"id": "b", "value": "b"}]);
            assert_eq!(config["params"], params);
        }
    }

    #[test]
    fn what_failed_changes_no_value() {
        for (kind, status) in [("setup", "processing"), ("update", "active"), ("adjustment", "active")] {
            let config = ended(kind, "failed");
            assert_eq!(
                (&config["status"], &config["params"]),
                (&json!(status), &super::tests::config()["params"])
            );
            assert!(config.get("template").is_none());
        }
    }
}
