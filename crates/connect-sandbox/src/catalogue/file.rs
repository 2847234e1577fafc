//! A catalogue's own file: read, checked, and completed.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{BELOW, Catalogue, LISTS, Wrong, complete, id_of, text};

pub(super) const TYPES: &[&str] = &[
    "text",
    "dropdown",
    "password",
    "email",
    "checkbox",
    "subdomain",
    "domain",
    "address",
    "phone",
    "object",
    "url",
    "choice",
    "heading",
    "content",
];
pub(super) const SCOPES: &[&str] =
    &["asset", "tier1", "tier2", "product", "item", "marketplace", "item_marketplace"];
pub(super) const PHASES: &[&str] = &["ordering", "fulfillment", "configuration"];
pub(super) const TIERS: &[&str] = &["asset", "tier1", "tier2"];
pub(super) const TEMPLATES: &[&str] = &["fulfillment", "inquire", "pending"];
pub(super) const PERIODS: &[&str] = &[
    "Monthly",
    "monthly",
    "Yearly",
    "yearly",
    "years_2",
    "years_3",
    "years_4",
    "years_5",
    "years_6",
    "OneTime",
    "onetime",
    "days_7_trial",
    "days_14_trial",
    "days_30_trial",
    "monthly_trial",
];
pub(super) const PRECISIONS: &[&str] = &["integer", "decimal(1)", "decimal(2)", "decimal(4)", "decimal(8)"];
const ITEM_STATUSES: &[&str] = &["draft", "published", "endofsale"];
pub(super) const ITEM_TYPES: &[&str] = &["reservation", "ppu"];
const CONNECTIONS: &[&str] = &["production", "test", "preview"];
const ACCOUNTS: &[&str] = &["vendor", "provider"];
const TIER_ACCOUNTS: &[&str] = &["customer", "reseller"];
const LISTED: &[&str] = &["listed", "unlisted"];

/// How ids begin: real code cuts them and tells objects by them.
const PREFIXES: &[(&str, &[&str])] = &[
    ("accounts", &["VA-", "PA-"]),
    ("hubs", &["HB-"]),
    ("marketplaces", &["MP-"]),
    ("contracts", &["CRD-"]),
    ("categories", &["CAT-"]),
    ("tier_accounts", &["TA-"]),
    ("listings", &["LST-"]),
    ("listing_requests", &["LSTR-"]),
    ("products", &["PRD-"]),
    ("requests", &["PR-"]),
    ("assets", &["AS-"]),
    ("tier_configs", &["TC-"]),
    ("tier_config_requests", &["TCR-"]),
    ("tier_account_requests", &["TAR-"]),
    ("parameters", &["PRM-"]),
    ("items", &["PRD-"]),
    ("templates", &["TL-"]),
    ("actions", &["ACT-"]),
    ("connections", &["CT-"]),
];

/// An object, and where in the file it is.
struct Found {
    list: &'static str,
    collection: String,
    /// The product it is below.
    product: String,
    place: String,
    object: Value,
}

pub(super) fn parse(text: &str) -> Result<Catalogue, Wrong> {
    let file: Value =
        serde_json::from_str(text).map_err(|error| Wrong::at("", format!("it is not JSON: {error}")))?;
    let Value::Object(file) = file else {
        return Err(Wrong::at("", "it has to be a JSON object with lists, such as {\"products\": […]}"));
    };
    let found = objects(file)?;
    let mut catalogue = Catalogue::default();
    for one in &found {
        check(one)?;
        let id = id_of(&one.object).unwrap_or_default();
        if catalogue.put(&one.collection, id, one.object.clone()).is_some() {
            return Err(Wrong::at(&one.place, format!("id: another object has {id} too")));
        }
    }
    check_names(&found)?;
    for one in &found {
        check_links(one, &catalogue)?;
    }
    complete::complete(&mut catalogue);
    Ok(catalogue)
}

/// All objects of the file, with their ids.
fn objects(file: Map<String, Value>) -> Result<Vec<Found>, Wrong> {
    let mut found = Vec::new();
    for (name, list) in file {
        if name == "products" {
            for (index, product) in listed(&name, list)?.into_iter().enumerate() {
                products(index, product, &mut found)?;
            }
            continue;
        }
        let Some((name, collection)) = LISTS.into_iter().find(|(list, _)| *list == name) else {
            let known: Vec<&str> = LISTS.iter().map(|(list, _)| *list).collect();
            let reason =
                format!("there is no such list in a catalogue; there are products, {}", known.join(", "));
            return Err(Wrong::at(name, reason));
        };
        for (index, object) in listed(name, list)?.into_iter().enumerate() {
            let place = place(name, index, &object);
            let (collection, product) = (collection.to_owned(), String::new());
            found.push(Found { list: name, collection, product, place, object });
        }
    }
    Ok(found)
}

fn products(index: usize, mut product: Value, found: &mut Vec<Found>) -> Result<(), Wrong> {
    let own = place("products", index, &product);
    let id = id_of(&product).unwrap_or_default().to_owned();
    let mut below = Vec::new();
    for list in BELOW {
        let Some(objects) = product.as_object_mut().and_then(|members| members.remove(list)) else {
            continue;
        };
        for (index, mut object) in listed(&format!("{own}.{list}"), objects)?.into_iter().enumerate() {
            complete::identify(list, &id, index, &mut object);
            let place = format!("{own}.{}", place(list, index, &object));
            let (collection, product) = (format!("products/{id}/{list}"), id.clone());
            below.push(Found { list, collection, product, place, object });
        }
    }
    let collection = "products".to_owned();
    found.push(Found { list: "products", collection, product: String::new(), place: own, object: product });
    found.append(&mut below);
    Ok(())
}

fn listed(place: &str, list: Value) -> Result<Vec<Value>, Wrong> {
    match list {
        Value::Array(list) => Ok(list),
        _ => Err(Wrong::at(place, "it has to be a list")),
    }
}

/// Where an object is: its place in the list, and what people call it.
fn place(list: &str, index: usize, object: &Value) -> String {
    match ["name", "id", "title", "mpn"]
        .map(|name| text(object, name))
        .into_iter()
        .find(|name| !name.is_empty())
    {
        Some(name) => format!("{list}[{index}] ({name})"),
        None => format!("{list}[{index}]"),
    }
}

/// What an object says by itself.
fn check(found: &Found) -> Result<(), Wrong> {
    let Found { list, object, .. } = found;
    let wrong = |reason: String| Err(Wrong::at(&found.place, reason));
    if !object.is_object() {
        return wrong("it has to be an object".to_owned());
    }
    let Some(id) = id_of(object) else {
        return wrong("id: it is missing, and has to be a text".to_owned());
    };
    if let Some((_, prefixes)) = PREFIXES.iter().find(|(own, _)| own == list)
        && !prefixes.iter().any(|prefix| id.starts_with(prefix))
    {
        return wrong(format!("id: {id} has to begin with {}", prefixes.join(" or ")));
    }
    let one_of = |name: &str, allowed: &[&str]| match &object[name] {
        Value::Null => Ok(()),
        value if allowed.iter().any(|own| value == own) => Ok(()),
        value => wrong(format!("{name}: {value} is none of {}", allowed.join(", "))),
    };
    let needs = |name: &str| match text(object, name) {
        "" => wrong(format!("{name}: it is missing, and has to be a text")),
        _ => Ok(()),
    };
    match *list {
        "accounts" => one_of("type", ACCOUNTS),
        "products" | "hubs" | "marketplaces" | "contracts" | "categories" => needs("name"),
        "tier_accounts" => {
            needs("name")?;
            one_of("type", TIER_ACCOUNTS)
        }
        "parameters" => {
            needs("name")?;
            one_of("type", TYPES)?;
            one_of("scope", SCOPES)?;
            one_of("phase", PHASES)?;
            constraints(object).or_else(wrong)
        }
        "items" => {
            needs("mpn")?;
            one_of("type", ITEM_TYPES)?;
            one_of("period", PERIODS)?;
            one_of("precision", PRECISIONS)?;
            one_of("status", ITEM_STATUSES)
        }
        "templates" => {
            needs("body")?;
            one_of("scope", TIERS)?;
            one_of("type", TEMPLATES)
        }
        "actions" => {
            needs("action")?;
            one_of("scope", TIERS)
        }
        "connections" => one_of("type", CONNECTIONS),
        "listings" => one_of("status", LISTED),
        _ => Ok(()),
    }
}

/// What the constraints of a parameter say by themselves.
pub(super) fn constraints(parameter: &Value) -> Result<(), String> {
    let constraints = &parameter["constraints"];
    if !constraints.is_null() && !constraints.is_object() {
        return Err("constraints: they have to be an object".to_owned());
    }
    for name in ["required", "hidden", "readonly", "unique", "reconciliation"] {
        if !constraints[name].is_null() && !constraints[name].is_boolean() {
            return Err(format!("constraints.{name}: {} is neither true nor false", constraints[name]));
        }
    }
    for name in ["min_length", "max_length"] {
        if !constraints[name].is_null() && !constraints[name].is_u64() {
            return Err(format!("constraints.{name}: {} is no number of characters", constraints[name]));
        }
    }
    let choices = constraints["choices"].as_array().map_or(&[] as &[Value], Vec::as_slice);
    let kind = text(parameter, "type");
    if choices.is_empty() && matches!(kind, "dropdown" | "choice" | "checkbox" | "subdomain") {
        let example = "[{\"value\": \"a\", \"label\": \"A\"}]";
        return Err(format!("constraints.choices: a {kind} needs some, such as {example}"));
    }
    match choices.iter().position(|choice| text(choice, "value").is_empty()) {
        Some(index) => {
            Err(format!("constraints.choices[{index}].value: it is missing, and has to be a text"))
        }
        None => Ok(()),
    }
}

/// Names by which values are told apart: two of them can't be the same.
fn check_names(found: &[Found]) -> Result<(), Wrong> {
    let mut seen = BTreeSet::new();
    for one in found {
        let name = match one.list {
            "parameters" => "name",
            "items" => "mpn",
            "actions" => "action",
            _ => continue,
        };
        let value = text(&one.object, name);
        if !seen.insert((one.collection.as_str(), value)) {
            return Err(Wrong::at(&one.place, format!("{name}: another one of the product is {value} too")));
        }
    }
    Ok(())
}

/// What an object says of others.
fn check_links(found: &Found, catalogue: &Catalogue) -> Result<(), Wrong> {
    let needed = |member: &str, collection: &str, is_needed: bool| {
        let id = found.object.pointer(&format!("/{}/id", member.replace('.', "/")));
        match id.and_then(Value::as_str) {
            Some(id) if catalogue.get(collection, id).is_some() => Ok(()),
            // Where there is none at all, one is added later.
            Some(id)
                if catalogue.is_empty(collection) && collection == "accounts" && super::link::is_own(id) =>
            {
                Ok(())
            }
            Some(id) => {
                Err(Wrong::at(&found.place, format!("{member}.id: there is no {id} in the catalogue")))
            }
            None if is_needed => {
                Err(Wrong::at(&found.place, format!("{member}.id: it is missing, and has to be a text")))
            }
            None => Ok(()),
        }
    };
    let below = |list: &str| format!("products/{}/{list}", found.product);
    match found.list {
        "listings" => {
            needed("product", "products", true)?;
            needed("contract.marketplace", "marketplaces", found.object["contract"]["id"].is_null())?;
            needed("contract", "contracts", false)
        }
        "contracts" => needed("marketplace", "marketplaces", false),
        "connections" => needed("hub", "hubs", true),
        "tier_accounts" => needed("parent", "tier/accounts", false),
        "products" => needed("category", "categories", false),
        "configurations" => {
            needed("marketplace", "marketplaces", false)?;
            needed("item", &below("items"), false)?;
            parameter(found, "parameter", catalogue)
        }
        "parameters" => parameter(found, "constraints.dependency.parameter", catalogue),
        "marketplaces" => {
            let hubs = found.object["hubs"].as_array().into_iter().flatten().enumerate();
            for (index, hub) in hubs {
                let id = text(&hub["hub"], "id");
                if catalogue.get("hubs", id).is_none() {
                    let reason = format!("hubs[{index}].hub.id: there is no hub {id:?} in the catalogue");
                    return Err(Wrong::at(&found.place, reason));
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A parameter is named by its name, or by its id.
fn parameter(found: &Found, member: &str, catalogue: &Catalogue) -> Result<(), Wrong> {
    let Some(named) = found.object.pointer(&format!("/{}", member.replace('.', "/"))) else { return Ok(()) };
    let (id, name) = (text(named, "id"), text(named, "name"));
    let list = format!("products/{}/parameters", found.product);
    let is_it = |own: &Value| {
        let is_called =
            |wanted: &str| !wanted.is_empty() && [text(own, "name"), text(own, "id")].contains(&wanted);
        is_called(id) || is_called(name)
    };
    if catalogue.list(&list).any(is_it) {
        return Ok(());
    }
    let wanted = if name.is_empty() { id } else { name };
    Err(Wrong::at(&found.place, format!("{member}: the product has no parameter {wanted:?}")))
}
