//! What is below a product: parameters, items, templates, actions, configurations, connections.

use serde_json::{Value, json};

use super::{
    digits,
    fields::{Field, Is, maybe, needed, read},
    free_id, note, product, referred, take,
};
use crate::{
    api_error::ApiError,
    catalogue::{configuration_id, configured, file},
    fulfillment::{set, wrong},
    parameters,
    role::Role,
    world::World,
};

const PARAMETERS: &[Field] = &[
    needed("name", Is::Text(100)),
    needed("title", Is::Text(255)),
    needed("constraints", Is::Map),
    maybe("description", Is::Text(usize::MAX)),
    maybe("type", Is::OneOf(file::TYPES)),
    maybe("scope", Is::OneOf(file::SCOPES)),
    maybe("phase", Is::OneOf(file::PHASES)),
    maybe("hint", Is::Text(usize::MAX)),
    maybe("placeholder", Is::Text(usize::MAX)),
    maybe("parent", Is::Reference),
];
const ITEMS: &[Field] = &[
    needed("name", Is::Text(255)),
    needed("mpn", Is::Text(255)),
    needed("description", Is::Text(usize::MAX)),
    needed("type", Is::OneOf(file::ITEM_TYPES)),
    needed("unit", Is::Reference),
    maybe("external_id", Is::Text(128)),
    maybe("dynamic", Is::Flag),
    maybe("period", Is::OneOf(file::PERIODS)),
    maybe("precision", Is::OneOf(file::PRECISIONS)),
    maybe("commitment", Is::Map),
    maybe("group", Is::Map),
    maybe("ui", Is::Map),
];
const TEMPLATES: &[Field] = &[
    needed("name", Is::Text(255)),
    maybe("title", Is::Text(255)),
    maybe("body", Is::Text(usize::MAX)),
    maybe("scope", Is::OneOf(file::TIERS)),
    maybe("type", Is::OneOf(file::TEMPLATES)),
];
const ACTIONS: &[Field] = &[
    needed("action", Is::Text(100)),
    needed("name", Is::Text(100)),
    needed("type", Is::OneOf(&["button"])),
    needed("scope", Is::OneOf(file::TIERS)),
    needed("description", Is::Text(300)),
    maybe("title", Is::Text(100)),
];
const CONNECTIONS: &[Field] = &[
    needed("provider", Is::Reference),
    needed("vendor", Is::Reference),
    needed("hub", Is::Reference),
    maybe("type", Is::OneOf(&["test", "production"])),
    maybe("note", Is::Text(usize::MAX)),
    maybe("product_version_type", Is::Text(64)),
];
const CONFIGURATIONS: &[Field] = &[
    needed("parameter", Is::Reference),
    maybe("value", Is::Text(2_000)),
    maybe("structured_value", Is::Map),
    maybe("item", Is::Reference),
    maybe("marketplace", Is::Reference),
];

fn fields(list: &str) -> Result<&'static [Field], ApiError> {
    Ok(match list {
        "parameters" => PARAMETERS,
        "items" => ITEMS,
        "templates" => TEMPLATES,
        "actions" => ACTIONS,
        "connections" => CONNECTIONS,
        _ => return Err(ApiError::not_found()),
    })
}

fn refused(text: impl Into<String>) -> ApiError {
    ApiError::bad("VAL_001", text)
}

/// The collection of a product's list. Connections are the distributor's too.
fn collection(world: &World<'_>, product: &str, list: &str) -> Result<String, ApiError> {
    if list != "connections" {
        world.only(Role::Vendor)?;
    }
    world.get("products", product)?;
    Ok(format!("products/{product}/{list}"))
}

/// Adds something to a product.
pub(crate) fn create(
    world: &mut World<'_>,
    product: &str,
    list: &str,
    body: &Value,
) -> Result<Value, ApiError> {
    let collection = collection(world, product, list)?;
    let given = read(body, fields(list)?, true)?;
    let others = world.list(&collection)?;
    let mut object = json!({});
    let id = match list {
        "templates" => free_id(world, &collection, |number| format!("TL-{}", digits(number, 3, 3)))?,
        "connections" => free_id(world, &collection, |number| format!("CT-{}", digits(number, 4, 2)))?,
        list => next_id(product, list, &others),
    };
    set(&mut object, "id", id);
    take(&mut object, given);
    if list == "parameters"
        && let Some(default) = body.get("default")
    {
        set(&mut object, "default", default.clone());
    }
    if !matches!(list, "actions" | "connections") {
        let highest = others.iter().filter_map(|other| other["position"].as_u64()).max().unwrap_or_default();
        set(&mut object, "position", highest + 10_000);
    }
    complete(world, product, list, &mut object)?;
    check(list, &object, &others)?;
    note(world, &mut object, "created");
    note(world, &mut object, "updated");
    world.put(&collection, &object)?;
    Ok(object)
}

/// The id after those that there are.
fn next_id(product: &str, list: &str, others: &[Value]) -> String {
    let digits = product.strip_prefix("PRD-").unwrap_or(product);
    let number = |other: &Value| other["id"].as_str()?.rsplit_once('-')?.1.parse::<u64>().ok();
    let next = others.iter().filter_map(number).max().unwrap_or_default() + 1;
    match list {
        "parameters" => format!("PRM-{digits}-{next:04}"),
        "items" => format!("PRD-{digits}-{next:04}"),
        _ => format!("ACT-{digits}-{next:03}"),
    }
}

/// What is not said of something new, or said by a reference alone.
fn complete(world: &World<'_>, product: &str, list: &str, object: &mut Value) -> Result<(), ApiError> {
    let name = object["name"].clone();
    let defaults = match list {
        "parameters" => json!({"description": "", "type": "text", "scope": "asset", "phase": "ordering"}),
        "items" => {
            let id = object["id"].as_str().unwrap_or_default().replace('-', "_");
            let unit = referred(world, "settings/units", &object["unit"], "unit", &["description", "unit"])?;
            let unit = json!({"id": unit["id"], "title": unit["description"], "unit": unit["unit"]});
            set(object, "unit", unit);
            json!({"local_id": id, "display_name": name, "status": "draft", "period": "Monthly", "precision": "integer",
                "dynamic": false, "depth": 0, "commitment": {"count": 1}, "ui": {"visibility": true}})
        }
        "templates" => json!({"title": name, "body": "", "scope": "asset", "type": "fulfillment"}),
        "actions" => json!({"title": name}),
        _ => {
            for (member, collection, members) in [
                ("provider", "accounts", &["name", "icon"]),
                ("vendor", "accounts", &["name", "icon"]),
                ("hub", "hubs", &["name", "instance"]),
            ] {
                let reference = referred(world, collection, &object[member], member, members)?;
                set(object, member, reference);
            }
            json!({"type": "production", "status": "approved", "created_at": world.now(), "product_version_type": "public"})
        }
    };
    if let (Some(object), Value::Object(defaults)) = (object.as_object_mut(), defaults) {
        for (name, value) in defaults {
            object.entry(name).or_insert(value);
        }
    }
    let constraints = object["constraints"]["dependency"]["parameter"].clone();
    if list == "parameters" && !constraints.is_null() {
        definition(world, product, &constraints)
            .map_err(|_| refused("constraints.dependency.parameter: The product has no such parameter."))?;
    }
    Ok(())
}

/// What can't be beside the others of the product.
fn check(list: &str, object: &Value, others: &[Value]) -> Result<(), ApiError> {
    let (what, members): (&str, &[&str]) = match list {
        "parameters" => {
            file::constraints(object).map_err(refused)?;
            ("Parameter", &["name"])
        }
        "items" => ("Item", &["name", "mpn"]),
        "actions" => ("Action", &["action"]),
        _ => return Ok(()),
    };
    let is_same = |member: &str| {
        others.iter().any(|other| other["id"] != object["id"] && other[member] == object[member])
    };
    let errors: Vec<String> = members
        .iter()
        .filter(|member| is_same(member))
        .map(|member| format!("{member}: {what} with same {member} already exists for the product."))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(wrong(errors)) }
}

/// Changes something of a product; what is not named stays.
pub(crate) fn update(
    world: &mut World<'_>,
    product: &str,
    list: &str,
    id: &str,
    body: &Value,
) -> Result<Value, ApiError> {
    let collection = collection(world, product, list)?;
    let mut object = world.get(&collection, id)?;
    let mut given = read(body, fields(list)?, false)?;
    if list == "parameters" {
        // Values are kept by it.
        given.remove("name");
        if let Some(default) = body.get("default") {
            given.insert("default".to_owned(), default.clone());
        }
    }
    take(&mut object, given);
    complete(world, product, list, &mut object)?;
    check(list, &object, &world.list(&collection)?)?;
    note(world, &mut object, "updated");
    world.put(&collection, &object)?;
    Ok(object)
}

/// Removes something of a product; of items drafts alone.
pub(crate) fn remove(world: &mut World<'_>, product: &str, list: &str, id: &str) -> Result<(), ApiError> {
    if !matches!(list, "parameters" | "items" | "templates" | "actions") {
        return Err(ApiError::not_found());
    }
    let collection = collection(world, product, list)?;
    let object = world.get(&collection, id)?;
    if list == "items" && object["status"] != "draft" {
        return Err(ApiError::bad("PRD_038", "Only draft Item can be deleted."));
    }
    world.remove(&collection, id)?;
    Ok(())
}

/// Puts an item out of sale.
pub(crate) fn end_sale(
    world: &mut World<'_>,
    product: &str,
    id: &str,
    body: &Value,
) -> Result<Value, ApiError> {
    let items = collection(world, product, "items")?;
    let mut item = world.get(&items, id)?;
    product::end(world, &mut item, body, &items)?;
    world.put(&items, &item)?;
    Ok(item)
}

/// Brings an item back into sale.
pub(crate) fn resume_sale(world: &mut World<'_>, product: &str, id: &str) -> Result<Value, ApiError> {
    let items = collection(world, product, "items")?;
    let mut item = world.get(&items, id)?;
    product::resume(world, &mut item)?;
    world.put(&items, &item)?;
    Ok(item)
}

/// The definition of a parameter that is named by its name or its id.
fn definition(world: &World<'_>, product: &str, named: &Value) -> Result<Value, ApiError> {
    let definitions = world.list(&format!("products/{product}/parameters"))?;
    let is_it = |own: &Value| {
        [&named["id"], &named["name"]]
            .into_iter()
            .any(|given| given.is_string() && (own["name"] == *given || own["id"] == *given))
    };
    let unknown = || refused("parameter.id: The product has no such parameter.");
    definitions.into_iter().find(is_it).ok_or_else(unknown)
}

/// Sets the value of a parameter of the phase configuration: of the product, of an item, in a marketplace.
pub(crate) fn configure(world: &mut World<'_>, product: &str, body: &Value) -> Result<Value, ApiError> {
    let collection = collection(world, product, "configurations")?;
    let given = Value::Object(read(body, CONFIGURATIONS, true)?);
    let definition = definition(world, product, &given["parameter"])?;
    if definition["phase"] != "configuration" {
        return Err(refused("parameter.id: The parameter is none of the phase configuration."));
    }
    let scope = definition["scope"].as_str().unwrap_or_default();
    let mut configuration = json!({"parameter": configured(&definition)});
    for (member, list, is_needed) in [
        ("item", format!("products/{product}/items"), matches!(scope, "item" | "item_marketplace")),
        ("marketplace", "marketplaces".to_owned(), matches!(scope, "marketplace" | "item_marketplace")),
    ] {
        match (&given[member], is_needed) {
            (Value::Null, false) => {}
            (Value::Null, true) => return Err(refused(format!("{member}: This field is required."))),
            (_, false) => {
                return Err(refused(format!("{member}: A parameter of scope {scope} has no value of one.")));
            }
            (reference, true) => {
                let reference = referred(world, &list, reference, member, &["name", "icon"])?;
                set(&mut configuration, member, reference);
            }
        }
    }
    for (member, value) in parameters::checked(&definition, &given).map_err(wrong)? {
        set(&mut configuration, member, value);
    }
    let id = configuration_id(&configuration);
    let known = world.find(&collection, &id)?;
    set(&mut configuration, "id", id);
    if let Some(events) = known.as_ref().and_then(|known| known.get("events")) {
        set(&mut configuration, "events", events.clone());
    } else {
        note(world, &mut configuration, "created");
    }
    note(world, &mut configuration, "updated");
    world.put(&collection, &configuration)?;
    Ok(configuration)
}
