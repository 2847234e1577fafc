//! What a catalogue's file leaves out, since it can be told from the rest.

use serde_json::{Value, json};

use super::{Catalogue, DISTRIBUTOR, VENDOR, id_of, text};

/// How far apart positions are, as in Connect.
const STEP: usize = 10_000;

/// Inserts the members that an object does not have.
fn fill(object: &mut Value, members: Value) {
    let (Some(object), Value::Object(members)) = (object.as_object_mut(), members) else { return };
    for (name, member) in members {
        object.entry(name).or_insert(member);
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// Gives what is below a product the id that follows from the product's, and its position.
pub(super) fn identify(list: &str, product: &str, index: usize, object: &mut Value) {
    let digits = product.strip_prefix("PRD-").unwrap_or(product);
    let number = index + 1;
    if list == "configurations" {
        let id = configuration_id(object);
        set(object, "id", id.into());
        return;
    }
    let id = match list {
        "parameters" => format!("PRM-{digits}-{number:04}"),
        "items" => format!("PRD-{digits}-{number:04}"),
        // Their ids have one group less.
        "templates" => {
            let short = digits.split_once('-').map_or(digits, |(_, short)| short);
            format!("TL-{short}-{number:03}")
        }
        "actions" => format!("ACT-{digits}-{number:03}"),
        _ => return,
    };
    fill(object, json!({"id": id}));
    if list != "actions" {
        fill(object, json!({"position": number * STEP}));
    }
}

/// What tells a configuration's value from others: Connect gives it no id.
pub(crate) fn configuration_id(object: &Value) -> String {
    let parts = ["parameter", "item", "marketplace"].map(|name| text(&object[name], "id"));
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// Collections that others take something over from come first.
fn turn(collection: &str) -> usize {
    match collection {
        "accounts" | "settings/units" => 0,
        "hubs" | "products" | "contracts" => 1,
        _ => 2,
    }
}

pub(super) fn complete(catalogue: &mut Catalogue) {
    for now in 0..=2 {
        let known = catalogue.clone();
        for (collection, objects) in catalogue.0.iter_mut().filter(|(collection, _)| turn(collection) == now)
        {
            let below = collection.strip_prefix("products/").and_then(|rest| rest.split_once('/'));
            for object in objects.values_mut() {
                match below {
                    Some((product, list)) => of_product(&known, product, list, object),
                    None => whole(&known, collection, object),
                }
            }
        }
    }
}

fn account(known: &Catalogue, id: &str) -> Value {
    known.reference("accounts", id, &["name", "icon"])
}

/// The first account whose id begins so, or the sandbox's own.
fn first_account(known: &Catalogue, prefix: &str, own: &str) -> Value {
    let first = known.list("accounts").filter_map(id_of).find(|id| id.starts_with(prefix));
    account(known, first.unwrap_or(own))
}

pub(super) fn vendor(known: &Catalogue) -> Value {
    first_account(known, "VA-", VENDOR)
}

pub(super) fn distributor(known: &Catalogue) -> Value {
    first_account(known, "PA-", DISTRIBUTOR)
}

/// Puts what is known of an object in place of a reference to it.
fn refer(known: &Catalogue, object: &mut Value, member: &str, collection: &str, members: &[&str]) {
    if let Some(reference) = object.get_mut(member).filter(|reference| reference["id"].is_string()) {
        let whole = known.reference(collection, text(reference, "id"), members);
        fill(reference, whole);
    }
}

fn whole(known: &Catalogue, list: &str, object: &mut Value) {
    match list {
        "accounts" => {
            let is_vendor = text(object, "id").starts_with("VA-");
            let (kind, role) = if is_vendor { ("vendor", "vendor") } else { ("provider", "distributor") };
            fill(object, json!({"name": object["id"], "type": kind, "role": role}));
        }
        "hubs" => {
            let number = text(object, "id").trim_start_matches("HB-").to_owned();
            fill(
                object,
                json!({"description": "", "company": distributor(known), "instance": {"id": number, "type": "API"}}),
            );
        }
        "marketplaces" => marketplace(known, object),
        "contracts" => {
            fill(
                object,
                json!({"type": "distribution", "version": 1, "status": "active", "owner": vendor(known),
                "issuer": distributor(known), "latest": true}),
            );
            refer(known, object, "marketplace", "marketplaces", &["name", "icon"]);
        }
        "settings/units" => {
            fill(
                object,
                json!({"unit": "unit", "description": object["id"], "type": "reservation", "cumulative": false}),
            );
        }
        "tier/accounts" => tier_account(known, object),
        "products" => product(known, object),
        "listings" => listing(known, object),
        _ => {}
    }
}

fn marketplace(known: &Catalogue, object: &mut Value) {
    let hubs: Vec<&str> = known.list("hubs").filter_map(id_of).collect();
    let hubs: Vec<Value> = hubs
        .into_iter()
        .enumerate()
        .map(|(index, id)| json!({"hub": {"id": id}, "external_id": (index + 1).to_string()}))
        .collect();
    let id = object["id"].clone();
    let contracts = known.list("contracts").filter(|contract| contract["marketplace"]["id"] == id).count();
    fill(
        object,
        json!({"description": "", "owner": distributor(known), "hubs": hubs, "countries": [], "currency": "USD",
        "active_contracts": contracts}),
    );
    for entry in object["hubs"].as_array_mut().into_iter().flatten() {
        refer(known, entry, "hub", "hubs", &["name"]);
    }
}

fn tier_account(known: &Catalogue, object: &mut Value) {
    let kind = if object["parent"]["id"].is_string() { "customer" } else { "reseller" };
    let hub = known.list("hubs").find_map(id_of).map(|id| json!({"id": id}));
    fill(object, json!({"version": 1, "type": kind, "external_id": "", "external_uid": "", "scopes": []}));
    if let Some(hub) = hub {
        fill(object, json!({"hub": hub}));
    }
    refer(known, object, "hub", "hubs", &["name"]);
    refer(known, object, "parent", "tier/accounts", &["name", "external_id"]);
}

fn product(known: &Catalogue, object: &mut Value) {
    fill(
        object,
        json!({"icon": "", "status": "published", "short_description": "", "detailed_description": "",
        "configurations": {}, "customer_ui_settings": {}, "owner": vendor(known), "latest": true, "version": 1,
        "capabilities": {}, "visibility": {"owner": true, "listing": true, "syndication": false, "catalog": true},
        "public": true}),
    );
    let is_held = object["capabilities"]["subscription"]["hold"].as_bool().unwrap_or_default();
    let needs_reseller = object["capabilities"]["tiers"]["configs"]["level"].is_u64();
    if let Some(configurations) = object.get_mut("configurations") {
        fill(
            configurations,
            json!({"suspend_resume_supported": is_held, "requires_reseller_information": needs_reseller}),
        );
    }
    if let Some(capabilities) = object.get_mut("capabilities") {
        fill(capabilities, capabilities_of_none());
    }
    refer(known, object, "category", "categories", &["name"]);
}

/// The capabilities of a product that says nothing of them.
pub(super) fn capabilities_of_none() -> Value {
    json!({"ppu": null, "reservation": {"consumption": false}, "cart": {"validation": false},
        "inquiring": {"validation": false}, "tiers": {"updates": false, "configs": null, "validation": false},
        "subscription": {"hold": false, "schema": "evergreen", "change": {"editable_ordering_parameters": false,
            "editable_fulfillment_parameters": false, "validation": false, "inquiring_validation": false}}})
}

fn listing(known: &Catalogue, object: &mut Value) {
    fill(object, json!({"status": "listed", "vendor": vendor(known), "provider": distributor(known)}));
    refer(known, object, "product", "products", &["name", "icon", "status"]);
    if let Some(contract) = object.get_mut("contract") {
        let whole = known.reference("contracts", text(contract, "id"), &["name", "type", "marketplace"]);
        fill(contract, whole);
        refer(known, contract, "marketplace", "marketplaces", &["name", "icon"]);
    }
}

fn of_product(known: &Catalogue, product: &str, list: &str, object: &mut Value) {
    match list {
        "parameters" => {
            fill(
                object,
                json!({"title": object["name"], "description": "", "type": "text", "scope": "asset",
                "phase": "ordering", "constraints": {}}),
            );
            if let Some(constraints) = object.get_mut("constraints") {
                fill(constraints, json!({"required": false, "hidden": false, "unique": false}));
            }
        }
        "items" => item(known, object),
        "templates" => {
            let name =
                object.get("name").or(object.get("title")).cloned().unwrap_or_else(|| "Template".into());
            fill(object, json!({"name": name, "title": name, "scope": "asset", "type": "fulfillment"}));
        }
        "actions" => {
            let name = object.get("name").or(object.get("title")).unwrap_or(&object["action"]).clone();
            fill(
                object,
                json!({"name": name, "title": name, "type": "button", "scope": "asset", "description": ""}),
            );
        }
        "configurations" => {
            let parameters = format!("products/{product}/parameters");
            let id = text(&object["parameter"], "id");
            let definition =
                known.list(&parameters).find(|own| text(own, "name") == id || text(own, "id") == id);
            if let Some(definition) = definition {
                set(object, "parameter", configured(definition));
            }
            refer(known, object, "item", &format!("products/{product}/items"), &["name"]);
            refer(known, object, "marketplace", "marketplaces", &["name", "icon"]);
        }
        "connections" => {
            fill(
                object,
                json!({"type": "production", "status": "approved", "provider": distributor(known),
                "vendor": vendor(known), "product_version_type": "public"}),
            );
            refer(known, object, "hub", "hubs", &["name", "instance"]);
        }
        _ => {}
    }
}

/// A parameter as a configuration's value holds it: its name is the id there.
pub(super) fn configured(definition: &Value) -> Value {
    let mut parameter = definition.clone();
    if let Some(members) = parameter.as_object_mut() {
        for name in ["events", "position"] {
            members.remove(name);
        }
        if let Some(name) = members.remove("name") {
            members.insert("id".to_owned(), name);
        }
    }
    parameter
}

fn item(known: &Catalogue, object: &mut Value) {
    let id = text(object, "id").to_owned();
    let name = object.get("name").unwrap_or(&object["mpn"]).clone();
    fill(
        object,
        json!({"name": name, "display_name": name, "local_id": id.replace('-', "_"), "description": name,
        "type": "reservation", "period": "monthly", "precision": "integer", "status": "published", "dynamic": false,
        "depth": 0, "commitment": {"count": 1, "multiplier": "billing_period"}, "ui": {"visibility": true},
        "unit": {"id": "unit", "title": "Units", "unit": "unit"}}),
    );
    let unit = &object["unit"];
    if unit["title"].is_null()
        && let Some(known) = known.get("settings/units", text(unit, "id"))
    {
        let whole = json!({"title": known["description"], "unit": known["unit"]});
        if let Some(unit) = object.get_mut("unit") {
            fill(unit, whole);
        }
    }
}
