//! What products are sold by: marketplaces, hubs, contracts.

use serde_json::{Value, json};

use super::{
    digits,
    fields::{Field, Is, maybe, needed, read},
    free_id, note, referred, take,
};
use crate::{api_error::ApiError, catalogue::DISTRIBUTOR, fulfillment::set, role::Role, world::World};

const HUBS: &str = "hubs";
const MARKETPLACES: &str = "marketplaces";

const MARKETPLACE: &[Field] = &[
    needed("name", Is::Text(255)),
    maybe("description", Is::Text(usize::MAX)),
    maybe("zone", Is::OneOf(&["AF", "NA", "OC", "AS", "EU", "SA"])),
    maybe("hubs", Is::List),
    maybe("countries", Is::List),
    maybe("currency", Is::Text(3)),
    maybe("alt_currency_1", Is::Text(3)),
    maybe("alt_currency_2", Is::Text(3)),
];
const HUB: &[Field] = &[
    needed("name", Is::Text(256)),
    needed("description", Is::Text(usize::MAX)),
    needed("instance_id", Is::Text(255)),
    needed("instance_type", Is::OneOf(&["OA", "API"])),
    maybe("version", Is::Text(256)),
];

fn refused(text: impl Into<String>) -> ApiError {
    ApiError::bad("VAL_001", text)
}

fn owner(world: &World<'_>) -> Value {
    referred(world, "accounts", &json!({"id": DISTRIBUTOR}), "owner", &["name", "icon"])
        .unwrap_or_else(|_| json!({"id": DISTRIBUTOR}))
}

pub(crate) fn create_marketplace(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Distributor)?;
    let id = free_id(world, MARKETPLACES, |number| format!("MP-{}", digits(number, 5, 1)))?;
    let mut marketplace = json!({"id": id, "description": "", "owner": owner(world), "hubs": [], "countries": [],
        "currency": "USD", "active_contracts": 0});
    note(world, &mut marketplace, "created");
    write_marketplace(world, marketplace, body, true)
}

pub(crate) fn change_marketplace(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Distributor)?;
    let marketplace = world.get(MARKETPLACES, id)?;
    write_marketplace(world, marketplace, body, false)
}

fn write_marketplace(
    world: &mut World<'_>,
    mut marketplace: Value,
    body: &Value,
    is_new: bool,
) -> Result<Value, ApiError> {
    let mut given = read(body, MARKETPLACE, is_new)?;
    for (index, entry) in
        given.get_mut("hubs").and_then(Value::as_array_mut).into_iter().flatten().enumerate()
    {
        let place = format!("hubs[{index}]");
        if entry["external_id"].as_str().is_none_or(str::is_empty) {
            return Err(refused(format!("{place}.external_id: This field is required.")));
        }
        let hub = referred(world, HUBS, &entry["hub"], &format!("{place}.hub"), &["name"])?;
        set(entry, "hub", hub);
    }
    take(&mut marketplace, given);
    note(world, &mut marketplace, "updated");
    world.put(MARKETPLACES, &marketplace)?;
    Ok(marketplace)
}

pub(crate) fn remove_marketplace(world: &mut World<'_>, id: &str) -> Result<(), ApiError> {
    world.only(Role::Distributor)?;
    world.get(MARKETPLACES, id)?;
    let is_there =
        |listing: &Value| listing["contract"]["marketplace"]["id"] == id && listing["status"] == "listed";
    if world.list("listings")?.iter().any(is_there) {
        return Err(refused("The marketplace has listings."));
    }
    world.remove(MARKETPLACES, id)?;
    Ok(())
}

pub(crate) fn create_hub(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Distributor)?;
    let id = free_id(world, HUBS, |number| format!("HB-{}", digits(number, 4, 2)))?;
    let mut hub = json!({"id": id, "company": owner(world)});
    note(world, &mut hub, "created");
    write_hub(world, hub, body, true)
}

pub(crate) fn change_hub(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Distributor)?;
    let hub = world.get(HUBS, id)?;
    write_hub(world, hub, body, false)
}

fn write_hub(world: &mut World<'_>, mut hub: Value, body: &Value, is_new: bool) -> Result<Value, ApiError> {
    let mut given = read(body, HUB, is_new)?;
    let mut instance = hub["instance"].as_object().cloned().unwrap_or_default();
    for (written, member) in [("instance_id", "id"), ("instance_type", "type")] {
        if let Some(value) = given.remove(written) {
            instance.insert(member.to_owned(), value);
        }
    }
    set(&mut hub, "instance", instance);
    take(&mut hub, given);
    note(world, &mut hub, "updated");
    world.put(HUBS, &hub)?;
    Ok(hub)
}

pub(crate) fn remove_hub(world: &mut World<'_>, id: &str) -> Result<(), ApiError> {
    world.only(Role::Distributor)?;
    world.get(HUBS, id)?;
    if !marketplaces_of(world, id)?.is_empty() || !connections_of(world, id)?.is_empty() {
        return Err(refused("The hub has marketplaces or connections."));
    }
    world.remove(HUBS, id)?;
    Ok(())
}

/// The connections of products to a hub.
pub(crate) fn connections_of(world: &World<'_>, hub: &str) -> Result<Vec<Value>, ApiError> {
    let mut connections = Vec::new();
    for product in world.list("products")? {
        let id = product["id"].as_str().unwrap_or_default();
        for mut connection in world.list(&format!("products/{id}/connections"))? {
            if connection["hub"]["id"] != hub {
                continue;
            }
            if let Some(members) = connection.as_object_mut() {
                members.remove("hub");
            }
            set(
                &mut connection,
                "product",
                json!({"id": id, "name": product["name"], "icon": product["icon"]}),
            );
            connections.push(connection);
        }
    }
    Ok(connections)
}

/// The marketplaces that sell by a hub, each with the id that the hub has for it.
pub(crate) fn marketplaces_of(world: &World<'_>, hub: &str) -> Result<Vec<Value>, ApiError> {
    let mut marketplaces = Vec::new();
    for marketplace in world.list(MARKETPLACES)? {
        let mut entries = marketplace["hubs"].as_array().into_iter().flatten();
        if let Some(entry) = entries.find(|entry| entry["hub"]["id"] == hub) {
            marketplaces.push(
                json!({"id": marketplace["id"], "name": marketplace["name"], "icon": marketplace["icon"],
                "description": marketplace["description"], "external_id": entry["external_id"]}),
            );
        }
    }
    Ok(marketplaces)
}
