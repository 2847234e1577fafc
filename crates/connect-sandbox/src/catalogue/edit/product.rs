//! Products as a whole.

use serde_json::{Value, json};

use super::{
    digits,
    fields::{Field, Is, maybe, needed, read},
    free_id, merge, note, referred,
};
use crate::{
    api_error::ApiError,
    catalogue::{VENDOR, capabilities_of_none},
    fulfillment::set,
    role::Role,
    world::World,
};

const PRODUCTS: &str = "products";
const NEW: [Field; 2] = [needed("name", Is::Text(255)), maybe("external_id", Is::Text(128))];
const CHANGE: [Field; 7] = [
    maybe("name", Is::Text(255)),
    maybe("external_id", Is::Text(128)),
    maybe("short_description", Is::Text(usize::MAX)),
    maybe("detailed_description", Is::Text(usize::MAX)),
    maybe("usage_rule", Is::Map),
    maybe("capabilities", Is::Map),
    maybe("customer_ui_settings", Is::Map),
];

fn refused(text: impl Into<String>) -> ApiError {
    ApiError::bad("VAL_001", text)
}

/// A new product: a draft, which can't be ordered before it is published.
pub(crate) fn create_product(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Vendor)?;
    let given = read(body, &NEW, true)?;
    let id = free_id(world, PRODUCTS, |number| format!("PRD-{}", digits(number, 3, 3)))?;
    let owner = referred(world, "accounts", &json!({"id": VENDOR}), "owner", &["name", "icon"])
        .unwrap_or_else(|_| json!({"id": VENDOR}));
    let mut product = json!({"id": id, "icon": "", "status": "draft", "short_description": "", "detailed_description": "",
        "configurations": {"suspend_resume_supported": false, "requires_reseller_information": false},
        "customer_ui_settings": {"description": "", "getting_started": "", "download_links": [], "documents": [],
            "languages": []}, "owner": owner, "latest": true, "version": null, "published_at": null,
        "capabilities": capabilities_of_none(), "stats": {"versions": 0},
        "visibility": {"owner": true, "listing": false, "syndication": false, "catalog": false}, "public": false});
    super::take(&mut product, given);
    note(world, &mut product, "created");
    note(world, &mut product, "updated");
    world.put(PRODUCTS, &product)?;
    Ok(product)
}

/// Changes a product; of what has members, those that are not named stay.
pub(crate) fn change_product(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Vendor)?;
    let mut product = world.get(PRODUCTS, id)?;
    merge(&mut product, read(body, &CHANGE, false)?.into());
    let is_held = product["capabilities"]["subscription"]["hold"] == true;
    let has_tiers = product["capabilities"]["tiers"]["configs"]["level"].is_u64();
    if let Some(configurations) = product.get_mut("configurations") {
        set(configurations, "suspend_resume_supported", is_held);
        set(configurations, "requires_reseller_information", has_tiers);
    }
    note(world, &mut product, "updated");
    world.put(PRODUCTS, &product)?;
    Ok(product)
}

/// Publishes a product with all that is a draft of it.
pub(crate) fn publish(world: &mut World<'_>, id: &str) -> Result<Value, ApiError> {
    world.only(Role::Vendor)?;
    let mut product = world.get(PRODUCTS, id)?;
    let version = product["version"].as_u64().unwrap_or_default() + 1;
    let now = world.now();
    for (name, value) in [
        ("status", json!("published")),
        ("version", version.into()),
        ("published_at", now.into()),
        ("stats", json!({"versions": version})),
        ("public", true.into()),
    ] {
        set(&mut product, name, value);
    }
    note(world, &mut product, "published");
    world.put(PRODUCTS, &product)?;
    let items = format!("{PRODUCTS}/{id}/items");
    for mut item in world.list(&items)?.into_iter().filter(|item| item["status"] == "draft") {
        set(&mut item, "status", "published");
        note(world, &mut item, "updated");
        world.put(&items, &item)?;
    }
    Ok(product)
}

/// Removes a draft with all that is below it.
pub(crate) fn remove_product(world: &mut World<'_>, id: &str) -> Result<(), ApiError> {
    world.only(Role::Vendor)?;
    if world.get(PRODUCTS, id)?["status"] != "draft" {
        return Err(refused("Only draft Product can be deleted."));
    }
    for list in crate::catalogue::BELOW {
        let collection = format!("{PRODUCTS}/{id}/{list}");
        for object in world.list(&collection)? {
            world.remove(&collection, object["id"].as_str().unwrap_or_default())?;
        }
    }
    world.remove(PRODUCTS, id)?;
    Ok(())
}

/// Ends the sale of something that is published, in favour of something else where that is named.
pub(super) fn end(
    world: &World<'_>,
    object: &mut Value,
    body: &Value,
    collection: &str,
) -> Result<(), ApiError> {
    if object["status"] != "published" {
        return Err(refused("status: Only what is published can be put out of sale."));
    }
    let fields = [maybe("replacement", Is::Reference), maybe("end_of_sale_notes", Is::Text(usize::MAX))];
    let given = read(body, &fields, false)?;
    if let Some(replacement) = given.get("replacement").filter(|replacement| !replacement.is_null()) {
        let members = ["name", "icon", "status"];
        set(object, "replacement", referred(world, collection, replacement, "replacement", &members)?);
    }
    set(object, "end_of_sale_notes", given.get("end_of_sale_notes").cloned().unwrap_or_else(|| "".into()));
    set(object, "status", "endofsale");
    note(world, object, "saleended");
    Ok(())
}

/// Brings back into sale what was put out of it.
pub(super) fn resume(world: &World<'_>, object: &mut Value) -> Result<(), ApiError> {
    if object["status"] != "endofsale" {
        return Err(refused("status: Only what was put out of sale can come back."));
    }
    set(object, "status", "published");
    set(object, "replacement", Value::Null);
    note(world, object, "updated");
    Ok(())
}

pub(crate) fn end_product(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Vendor)?;
    let mut product = world.get(PRODUCTS, id)?;
    end(world, &mut product, body, PRODUCTS)?;
    world.put(PRODUCTS, &product)?;
    Ok(product)
}

pub(crate) fn resume_product(world: &mut World<'_>, id: &str) -> Result<Value, ApiError> {
    world.only(Role::Vendor)?;
    let mut product = world.get(PRODUCTS, id)?;
    resume(world, &mut product)?;
    world.put(PRODUCTS, &product)?;
    Ok(product)
}

/// A new secret for the tokens of the product's actions.
pub(crate) fn regenerate_secret(world: &mut World<'_>, id: &str) -> Result<Value, ApiError> {
    world.only(Role::Vendor)?;
    let mut product = world.get(PRODUCTS, id)?;
    let secret: String = std::iter::repeat_with(fastrand::alphanumeric).take(32).collect();
    merge(&mut product, json!({"customer_ui_settings": {"action": {"jwt_secret": secret}}}));
    note(world, &mut product, "updated");
    world.put(PRODUCTS, &product)?;
    Ok(json!({"jwt_secret": secret}))
}
