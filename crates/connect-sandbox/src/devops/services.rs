//! Services: the extension that runs here, and others that are only kept.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{account, choice, environments, note_by, service_of, take_texts};
use crate::{
    api_error::ApiError,
    fulfillment::set,
    role::Role,
    who::{self, wrong},
    world::World,
};

pub(crate) const SERVICES: &str = "devops/services";

const REQUIRED: &str = "This field is required.";
const TYPES: [&str; 4] = ["products", "hub", "multiaccount", "transformations"];
/// What may be changed, and how long it may be.
const TEXTS: [(&str, usize); 8] = [
    ("name", 256),
    ("description", 2_048),
    ("icon", 2_000),
    ("package_id", 256),
    ("category", 256),
    ("short_description", 2_048),
    ("overview", 65_536),
    ("website", 2_000),
];

/// Makes the service of the extension, where it is not there yet.
pub(crate) fn seed(world: &mut World<'_>) -> Result<(), ApiError> {
    let id = service_of(&world.state.devops.environment);
    if world.find(SERVICES, &id)?.is_none() {
        make(world, &id, &json!({"name": "Extension", "type": "products"}), Role::Vendor)?;
    }
    select(world)
}

pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    let id = who::new_id(world, SERVICES, "SRVC", &[4, 4])?;
    make(world, &id, body, world.role())?;
    view(world, &id)
}

fn make(world: &mut World<'_>, id: &str, body: &Value, role: Role) -> Result<(), ApiError> {
    let now = world.now();
    let kind = choice(body, "type", &TYPES)?.unwrap_or("products");
    let digits = id.trim_start_matches("SRVC-").replace('-', "");
    let digits = digits.get(digits.len().saturating_sub(6)..).unwrap_or_default();
    let extension_id = format!("EXT-{}-{}", &digits[..digits.len() / 2], &digits[digits.len() / 2..]);
    let mut service = json!({
        "id": id, "type": kind, "name": null, "description": null, "icon": null, "package_id": null,
        "products": [], "hub": null, "extension_id": extension_id, "owner": account(world, role)?,
        "catalog_status": "private", "category": null, "short_description": null, "overview": null, "website": null,
    });
    note_by(&mut service, "created", &now, role);
    change(world, &mut service, body)?;
    world.put(SERVICES, &service)?;
    environments::seed(world, id)
}

/// Takes over what a body says.
fn change(world: &World<'_>, service: &mut Value, body: &Value) -> Result<(), ApiError> {
    take_texts(service, body, &TEXTS)?;
    if service["name"].as_str().is_none_or(str::is_empty) {
        return Err(wrong("name", REQUIRED));
    }
    if let Some(products) = products(world, body)? {
        set(service, "products", products);
    }
    match &body["hub"] {
        Value::Null if body.get("hub").is_none() => {}
        Value::Null => set(service, "hub", Value::Null),
        hub => {
            let id = hub["id"].as_str().ok_or_else(|| wrong("hub.id", REQUIRED))?;
            let known = world.find("hubs", id)?;
            let name = known.as_ref().map_or(&Value::Null, |known| &known["name"]);
            set(service, "hub", json!({"id": id, "name": name}));
        }
    }
    note_by(service, "updated", &world.now(), world.role());
    Ok(())
}

/// The products that a body names, as references: a list, or the one that creation bodies have.
fn products(world: &World<'_>, body: &Value) -> Result<Option<Value>, ApiError> {
    let named = match (&body["products"], &body["product"]) {
        (Value::Array(list), _) => list.as_slice(),
        (Value::Null, Value::Null) => return Ok(None),
        (Value::Null, one) => std::slice::from_ref(one),
        _ => return Err(wrong("products", "Expected a list of items.")),
    };
    let reference = |named: &Value| {
        let id =
            named["id"].as_str().filter(|id| !id.is_empty()).ok_or_else(|| wrong("products.id", REQUIRED))?;
        let known = world.find("products", id)?.unwrap_or_default();
        Ok(json!({"id": id, "name": known["name"], "icon": known["icon"]}))
    };
    named.iter().map(reference).collect::<Result<Value, ApiError>>().map(Some)
}

pub(crate) fn update(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let mut service = world.get(SERVICES, id)?;
    change(world, &mut service, body)?;
    world.put(SERVICES, &service)?;
    if id == service_of(&world.state.devops.environment) {
        select(world)?;
        // What waited for nobody may be the extension's now.
        world.state.announce_all()?;
    }
    view(world, id)
}

pub(crate) fn delete(world: &mut World<'_>, id: &str) -> Result<(), ApiError> {
    world.get(SERVICES, id)?;
    if id == service_of(&world.state.devops.environment) {
        return Err(ApiError::bad("VAL_001", "The extension that runs here can't be deleted."));
    }
    environments::drop_all(world, id)?;
    world.remove(SERVICES, id)?;
    Ok(())
}

/// Notes which products the extension is for: of the others it gets no tasks.
fn select(world: &mut World<'_>) -> Result<(), ApiError> {
    let service = world.get(SERVICES, &service_of(&world.state.devops.environment))?;
    let ids = service["products"].as_array().into_iter().flatten();
    let ids: BTreeSet<String> = ids.filter_map(|product| product["id"].as_str()).map(str::to_owned).collect();
    let chosen = service["type"] == "products" && !ids.is_empty();
    world.state.devops.products = chosen.then_some(ids);
    Ok(())
}

/// A service with its environments, as REST tells it.
pub(crate) fn view(world: &World<'_>, id: &str) -> Result<Value, ApiError> {
    let mut service = world.get(SERVICES, id)?;
    let mut all = json!({});
    for environment in environments::list(world, id)? {
        let kind = environment["type"].as_str().unwrap_or_default().to_owned();
        let members = [
            "id",
            "type",
            "runtime",
            "external_id",
            "status",
            "git",
            "readme_url",
            "changelog_url",
            "configuration_changed",
            "capabilities",
            "ui_modules",
            "anvil_callables",
            "icon",
        ];
        let told = members.into_iter().map(|member| (member.to_owned(), environment[member].clone()));
        set(&mut all, &kind, told.collect::<serde_json::Map<_, _>>());
    }
    set(&mut service, "environments", all);
    Ok(service)
}

/// The products of a service; of an extension for products that names none, all there are.
pub(crate) fn products_of(world: &World<'_>, id: &str) -> Result<Vec<Value>, ApiError> {
    let service = world.get(SERVICES, id)?;
    let named = service["products"].as_array().cloned().unwrap_or_default();
    if !named.is_empty() || service["type"] != "products" {
        return Ok(named);
    }
    let reference =
        |product: Value| json!({"id": product["id"], "name": product["name"], "icon": product["icon"]});
    Ok(world.list("products")?.into_iter().map(reference).collect())
}
