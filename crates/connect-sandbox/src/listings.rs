//! Listings, which say what is sold where, and the requests by which vendors have them made, changed and removed.
//!
//! Source: Connect's workflows of both.

use connect_model::rql::{R, Rql};
use serde_json::{Value, json};

use crate::{
    api_error::ApiError,
    fulfillment::set,
    role::Role,
    transitions::{self, LISTING_REQUESTS, note},
    who::{self, choice, id, referred, text, wrong},
    world::World,
};

pub(crate) const LISTINGS: &str = "listings";
/// What a distributor can change of a listing.
const CHANGEABLE: [&str; 4] = ["offer", "pricelist", "alt_pricelist_1", "alt_pricelist_2"];
/// The states in which a request waits for somebody.
const OPEN: [&str; 3] = ["draft", "reviewing", "deploying"];

/// Creates a request as a draft; with one for a new listing comes the listing, which is not listed yet.
pub(crate) fn request(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Vendor)?;
    let kind = choice(body, "type", &["new", "update", "remove"])?;
    let note_text = text(body, "note", 2_000)?;
    let (now, by) = (world.now(), who::user(world.role()));
    let mut listing = match kind {
        "new" => new(world, body, &now)?,
        _ => listed(world, body)?,
    };
    if let Some(open) = listing["pending_request"]["id"].as_str() {
        return Err(ApiError::conflict(format!("The listing has an open request: {open}.")));
    }
    let stem = listing["id"].as_str().unwrap_or_default().replacen("LST", "LSTR", 1);
    let of_listing = world
        .matching(LISTING_REQUESTS, &R::field("listing.id").eq(listing["id"].as_str().unwrap_or_default()))?;
    let mut count = of_listing.len() as u64 + 1;
    let own = loop {
        let own = id(&stem, &[3], count);
        if world.find(LISTING_REQUESTS, &own)?.is_none() {
            break own;
        }
        count += 1;
    };
    set(&mut listing, "pending_request", json!({"id": own, "type": kind, "status": "draft"}));
    let mut request = json!({"id": own, "type": kind, "state": "draft", "product": listing["product"],
        "listing": listing, "creator": by, "assignee": null, "note": note_text, "created": now, "updated": now});
    note(&mut request, "created", &now, &by);
    world.put(LISTINGS, &listing)?;
    world.put(LISTING_REQUESTS, &request)?;
    Ok(request)
}

/// What a request for a new listing is about: a published product, and an active contract.
fn new(world: &mut World<'_>, body: &Value, now: &str) -> Result<Value, ApiError> {
    let product = referred(world, "products", body, "/product_id")?;
    let contract = referred(world, transitions::CONTRACTS, body, "/contract_id")?;
    if product["status"].as_str().is_some_and(|status| status != "published") {
        return Err(wrong("product_id", "Only published products can be listed."));
    }
    if contract["status"].as_str().is_some_and(|status| status != "active") {
        return Err(wrong("contract_id", "Only with an active contract a product can be listed."));
    }
    let same = Rql::all(
        [("product.id", &product), ("contract.id", &contract)]
            .map(|(field, object)| R::field(field).eq(object["id"].as_str().unwrap_or_default())),
    );
    if let Some(listing) = world.matching(LISTINGS, &same)?.pop() {
        if listing["status"] == "listed" {
            return Err(wrong("product_id", "The product is listed by this contract already."));
        }
        return Ok(listing);
    }
    let own = who::new_id(world, LISTINGS, "LST", &[3, 3, 3])?;
    let mut about = who::reference(&product);
    for member in ["status", "version"] {
        if let Some(value) = product.get(member) {
            set(&mut about, member, value.clone());
        }
    }
    let party = |member: &str, role: Role, world: &World<'_>| match &contract[member] {
        Value::Object(_) => Ok(who::reference(&contract[member])),
        _ => who::account(world, role),
    };
    let marketplace = who::reference(&contract["marketplace"]);
    Ok(json!({"id": own, "status": "unlisted", "product": about,
        "contract": {"id": contract["id"], "type": contract["type"], "name": contract["name"], "marketplace": marketplace},
        "vendor": party("owner", Role::Vendor, world)?, "provider": party("issuer", Role::Distributor, world)?,
        "created": now, "updated": now}))
}

/// What a request for a listing that is there is about, by its id or by product and contract.
fn listed(world: &World<'_>, body: &Value) -> Result<Value, ApiError> {
    let listing = if body["listing_id"].is_null() && body["product_id"].is_string() {
        let (product, contract) = (who::needed(body, "/product_id")?, who::needed(body, "/contract_id")?);
        let same = Rql::all([R::field("product.id").eq(product), R::field("contract.id").eq(contract)]);
        let found = world.matching(LISTINGS, &same)?.pop();
        found.ok_or_else(|| wrong("product_id", "The product is not listed by this contract."))?
    } else {
        referred(world, LISTINGS, body, "/listing_id")?
    };
    if listing["status"] == "listed" {
        return Ok(listing);
    }
    Err(wrong("listing_id", "Only listed listings can be updated or removed."))
}

/// Does something with a request, and to its listing what follows.
pub(crate) fn act(world: &mut World<'_>, own: &str, action: &str) -> Result<Value, ApiError> {
    if matches!(action, "assign" | "unassign") {
        return assign(world, own, action == "assign");
    }
    let mut request = transitions::act(world, LISTING_REQUESTS, own, action, &Value::Null)?;
    let listing = request["listing"]["id"].as_str().unwrap_or_default().to_owned();
    let Some(mut listing) = world.find(LISTINGS, &listing)? else { return Ok(request) };
    let state = request["state"].as_str().unwrap_or_default();
    match (state, request["type"].as_str().unwrap_or_default()) {
        ("completed", "new") => set(&mut listing, "status", "listed"),
        ("completed", "remove") => set(&mut listing, "status", "unlisted"),
        _ => {}
    }
    let pending = if OPEN.contains(&state) {
        json!({"id": own, "type": request["type"], "status": state})
    } else {
        Value::Null
    };
    set(&mut listing, "pending_request", pending);
    let now = world.now();
    set(&mut listing, "updated", now);
    world.put(LISTINGS, &listing)?;
    set(&mut request, "listing", listing);
    world.put(LISTING_REQUESTS, &request)?;
    Ok(request)
}

/// Whoever does it becomes the assignee of a request, or there is none any more.
fn assign(world: &mut World<'_>, own: &str, to_somebody: bool) -> Result<Value, ApiError> {
    let (now, by) = (world.now(), who::user(world.role()));
    world.update(LISTING_REQUESTS, own, |request| {
        if !OPEN.contains(&request["state"].as_str().unwrap_or_default()) {
            let text = "Only draft, reviewing and deploying listing requests can be assigned.";
            return Err(ApiError::bad("VAL_001", text));
        }
        set(request, "assignee", if to_somebody { by } else { Value::Null });
        set(request, "updated", now);
        Ok(())
    })
}

/// Changes what a distributor can change of a listing.
pub(crate) fn change(world: &mut World<'_>, own: &str, body: &Value) -> Result<Value, ApiError> {
    world.only(Role::Distributor)?;
    let now = world.now();
    world.update(LISTINGS, own, |listing| {
        for member in CHANGEABLE {
            match body.get(member) {
                None => {}
                Some(value @ (Value::Object(_) | Value::Null)) => set(listing, member, value.clone()),
                Some(_) => return Err(wrong(member, "Invalid data. Expected a dictionary.")),
            }
        }
        set(listing, "updated", now);
        Ok(())
    })
}
