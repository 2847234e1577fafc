//! Requests are created: purchases, and what follows for an asset.

use connect_model::rql::R;
use serde_json::{Value, json};

use super::{order::follow_up, set};
use crate::{
    api_error::ApiError,
    role::Role,
    store::{ASSETS, REQUESTS},
    world::World,
};

/// Creates a request as REST does. A whole request with its id is taken as it is, which Connect would not do; an order
/// gets its ids here.
pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    let vendors = body["type"] == "adjustment";
    world.only(if vendors { Role::Vendor } else { Role::Distributor })?;
    let now = world.now();
    let request = if let Some(id) = body.get("id").filter(|id| !id.is_null()) {
        let id = id.as_str().unwrap_or_default();
        if world.find(REQUESTS, id)?.is_some() {
            return Err(ApiError::conflict(format!("The request {id} exists.")));
        }
        body.clone()
    } else if body["type"] != "purchase"
        && let Some(id) = body["asset"]["id"].as_str()
    {
        let asset = world.get(ASSETS, id)?;
        let others = world.matching(REQUESTS, &R::field("asset.id").eq(id))?;
        follow_up(body, &asset, &others, &now)?
    } else {
        loop {
            let request = purchase(body, world.number()?, &now)?;
            if world.find(REQUESTS, request["id"].as_str().unwrap_or_default())?.is_none() {
                break request;
            }
        }
    };
    world.put(REQUESTS, &request)?;
    Ok(request)
}

/// A purchase as it is after it was ordered: with ids, status and times where the order has none.
fn purchase(order: &Value, number: u64, now: &str) -> Result<Value, ApiError> {
    if order["type"] != "purchase" {
        return Err(ApiError::bad(
            "VAL_001",
            "type: Without an id of its own, only a purchase or a request for an asset can be created.",
        ));
    }
    if !order["asset"].is_object() {
        return Err(ApiError::bad("VAL_001", "asset: This field is required."));
    }
    let mut request = order.clone();
    let digits = format!("{number:012}");
    let digits = format!("{}-{}-{}", &digits[..4], &digits[4..8], &digits[8..]);
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
    Ok(request)
}
