//! Requests are created: purchases, and what follows for an asset.

use connect_model::rql::R;
use serde_json::{Value, json};

use super::{begin::begin, offer::Offer, order::Order, purchase::purchase, set};
use crate::{
    api_error::ApiError,
    parameters::Giver,
    role::Role,
    store::{ASSETS, REQUESTS},
    tiers,
    world::World,
};

/// Creates a request as REST does. A whole request with its id is taken as it is, which Connect would not do; an order
/// gets its ids here.
pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    let vendors = body["type"] == "adjustment";
    world.only(if vendors { Role::Vendor } else { Role::Distributor })?;
    let request = if let Some(id) = body.get("id").filter(|id| !id.is_null()) {
        let id = id.as_str().unwrap_or_default();
        if world.find(REQUESTS, id)?.is_some() {
            return Err(ApiError::conflict(format!("The request {id} exists.")));
        }
        body.clone()
    } else if body["type"] != "purchase"
        && let Some(id) = body["asset"]["id"].as_str()
    {
        follow(world, id, body)?
    } else {
        buy(world, body)?
    };
    world.put(REQUESTS, &request)?;
    Ok(request)
}

/// Whose values these are: the sandbox itself may give all.
pub(super) fn giver(world: &World<'_>) -> Giver {
    if world.role() == Role::Distributor { Giver::Buyer } else { Giver::Vendor }
}

fn buy(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    check(body)?;
    let digits = loop {
        let number = format!("{:012}", world.number()?);
        let digits = format!("{}-{}-{}", &number[..4], &number[4..8], &number[8..]);
        if world.find(REQUESTS, &format!("PR-{digits}-001"))?.is_none() {
            break digits;
        }
    };
    let product = body["asset"]["product"]["id"].as_str().unwrap_or_default();
    let Some(offer) = Offer::find(world, product)? else {
        let mut request = as_it_comes(body, &digits, &world.now());
        tiers::setup(world, &mut request)?;
        return Ok(request);
    };
    let mut request = purchase(world, &offer, body, &digits, giver(world))?;
    tiers::setup(world, &mut request)?;
    begin(world, &offer, &mut request)?;
    Ok(request)
}

fn follow(world: &mut World<'_>, asset: &str, body: &Value) -> Result<Value, ApiError> {
    let asset = world.get(ASSETS, asset)?;
    let id = asset["id"].as_str().unwrap_or_default();
    let others = world.matching(REQUESTS, &R::field("asset.id").eq(id))?;
    let offer = Offer::find(world, asset["product"]["id"].as_str().unwrap_or_default())?;
    let order = Order { body, asset: &asset, others: &others, offer: offer.as_ref(), giver: giver(world) };
    let mut request = order.follow_up(&world.now())?;
    tiers::setup(world, &mut request)?;
    if let Some(offer) = &offer {
        begin(world, offer, &mut request)?;
    }
    Ok(request)
}

fn check(order: &Value) -> Result<(), ApiError> {
    if order["type"] != "purchase" {
        return Err(ApiError::bad(
            "VAL_001",
            "type: Without an id of its own, only a purchase or a request for an asset can be created.",
        ));
    }
    if !order["asset"].is_object() {
        return Err(ApiError::bad("VAL_001", "asset: This field is required."));
    }
    Ok(())
}

/// A purchase of a product that the catalogue does not have: with ids, status and times where the order has none.
fn as_it_comes(order: &Value, digits: &str, now: &str) -> Value {
    let mut request = order.clone();
    let draft = order["status"] == "draft";
    set(&mut request, "id", format!("PR-{digits}-001"));
    set(&mut request, "status", if draft { "draft" } else { "pending" });
    set(&mut request, "created", now);
    set(&mut request, "updated", now);
    set(&mut request, "events", json!({"created": {"at": now}}));
    if let Some(asset) = request.get_mut("asset") {
        set(asset, "id", format!("AS-{digits}"));
        set(asset, "status", if draft { "draft" } else { "processing" });
    }
    request
}
