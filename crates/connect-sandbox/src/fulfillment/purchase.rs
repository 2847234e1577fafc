//! A purchase of a product that the catalogue has: checked, and completed with what the catalogue says.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{
    items,
    offer::{Offer, wrong},
    set,
};
use crate::{
    api_error::ApiError,
    parameters::{Errors, Giver},
    world::World,
};

const TIERS: [&str; 3] = ["customer", "tier1", "tier2"];

/// A purchase as it is after it was ordered, in the status that it begins with if nothing is missing.
pub(super) fn purchase(
    world: &World<'_>,
    offer: &Offer,
    order: &Value,
    digits: &str,
    giver: Giver,
) -> Result<Value, ApiError> {
    let status = offer.product["status"].as_str().unwrap_or("published");
    if status != "published" {
        let text = format!("asset.product.id: the product {} is {status}, not published.", offer.id());
        return Err(ApiError::bad("VAL_001", text));
    }
    let asset = &order["asset"];
    let marketplace = marketplace(world, order)?;
    let id = marketplace["id"].as_str().unwrap_or_default();
    let listing = offer.listing(world, id)?;
    let connection = offer.connection(world, &asset["connection"], &marketplace)?;
    let mut errors = Vec::new();
    let items = told(items_of(offer, &asset["items"], id), &mut errors);
    let params = told(params_of(offer, &asset["params"], giver), &mut errors);
    let tiers = told(tiers_of(offer, &asset["tiers"]), &mut errors);
    if !errors.is_empty() {
        return Err(wrong(errors));
    }
    let draft = order["status"] == "draft";
    let now = world.now();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let events = json!({"created": {"at": now}, "updated": {"at": now}});
    let marketplace = reference(&marketplace, &["id", "name", "icon"]);
    let contract = reference(&listing["contract"], &["id", "name", "type"]);
    let mut request = json!({"id": format!("PR-{digits}-001"), "type": "purchase",
        "status": if draft { "draft" } else { "pending" }, "note": text(&order["note"]), "reason": "", "created": now,
        "updated": now, "answered": false, "assignee": "", "activation_key": "", "params_form_url": "",
        "previous_approved_request": null, "effective_date": null, "planned_date": null, "events": events,
        "external_attributes": {}, "marketplace": marketplace, "contract": contract,
        "asset": {"id": format!("AS-{digits}"), "status": if draft { "draft" } else { "processing" },
            "external_id": text(&asset["external_id"]), "external_uid": text(&asset["external_uid"]),
            "external_name": text(&asset["external_name"]), "product": offer.reference(), "connection": connection,
            "events": events, "items": items, "params": params, "tiers": tiers, "configuration": offer.configuration(id),
            "marketplace": marketplace, "contract": contract}});
    for name in ["planned_date", "external_attributes"] {
        if let Some(given) = order.get(name).filter(|given| !given.is_null()) {
            set(&mut request, name, given.clone());
        }
    }
    Ok(request)
}

fn told<T: Default>(found: Result<T, Errors>, errors: &mut Errors) -> T {
    found.unwrap_or_else(|wrong| {
        errors.extend(wrong);
        T::default()
    })
}

fn reference(object: &Value, members: &[&str]) -> Value {
    let known = members.iter().filter_map(|name| Some(((*name).to_owned(), object.get(*name)?.clone())));
    Value::Object(known.collect())
}

/// The marketplace that an order names, or else the one that its tiers belong to: hubs know resellers by an id of their
/// own, which is the one that a marketplace has for the hub.
fn marketplace(world: &World<'_>, order: &Value) -> Result<Value, ApiError> {
    let named = order["marketplace"]["id"].as_str().or(order["asset"]["marketplace"]["id"].as_str());
    if let Some(id) = named.filter(|id| !id.is_empty()) {
        let none = "There is no Listing for specified Product and Marketplace.";
        return world.find("marketplaces", id)?.ok_or_else(|| ApiError::bad("VAL_001", none));
    }
    let mut tiers = Vec::new();
    for tier in TIERS {
        let tier = &order["asset"]["tiers"][tier];
        let known = match tier["id"].as_str() {
            Some(id) => world.find("tier/accounts", id)?.unwrap_or_default(),
            None => Value::Null,
        };
        let external = tier["external_id"].as_str().or(known["external_id"].as_str()).unwrap_or_default();
        tiers.extend((!external.is_empty()).then(|| Value::from(external)));
    }
    let is_theirs = |marketplace: &Value| {
        let mut hubs = marketplace["hubs"].as_array().into_iter().flatten();
        hubs.any(|hub| tiers.contains(&hub["external_id"]))
    };
    let theirs = world.list("marketplaces")?.into_iter().find(is_theirs);
    theirs.ok_or_else(|| ApiError::bad("VAL_001", "Field 'marketplace.id' is required."))
}

fn items_of(offer: &Offer, ordered: &Value, marketplace: &str) -> Result<Vec<Value>, Errors> {
    let empty = || vec!["asset.items: This list may not be empty.".to_owned()];
    let list = match ordered {
        Value::Null => return Err(empty()),
        Value::Array(list) => list,
        _ => return Err(vec!["asset.items: Expected a list of items.".to_owned()]),
    };
    let (mut items, mut errors, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    let mut is_something = false;
    for order in list {
        match item_of(offer, order) {
            Ok((item, _)) if !seen.insert(item["id"].as_str()) => {
                errors.push(format!("asset.items: the item \"{}\" is given twice.", name_of(order)));
            }
            Ok((item, quantity)) => {
                is_something |= !items::is_none(&quantity);
                items.push(offer.ordered(item, &quantity, marketplace));
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() && !is_something {
        return Err(empty());
    }
    if errors.is_empty() { Ok(items) } else { Err(errors) }
}

/// What an order calls an item.
pub(super) fn name_of(order: &Value) -> &str {
    ["id", "global_id", "mpn"].into_iter().find_map(|name| order[name].as_str()).unwrap_or_default()
}

/// The item of the catalogue that is ordered, and how much of it.
pub(super) fn item_of<'a>(offer: &'a Offer, order: &Value) -> Result<(&'a Value, String), String> {
    let name = name_of(order);
    let item =
        offer.item(order).ok_or_else(|| format!("asset.items: the product has no item \"{name}\"."))?;
    let status = item["status"].as_str().unwrap_or("published");
    if status != "published" {
        return Err(format!("asset.items: the item \"{name}\" is {status}, not published."));
    }
    let quantity = items::checked(&order["quantity"], item)
        .map_err(|error| format!("asset.items.{name}.quantity: {error}"))?;
    Ok((item, quantity))
}

/// The values of the asset's parameters, and behind them those that are given for parameters of tiers.
fn params_of(offer: &Offer, ordered: &Value, giver: Giver) -> Result<Vec<Value>, Errors> {
    let Value::Array(list) = ordered else { return offer.parameters().fill(ordered, giver) };
    let (of_tiers, own): (Vec<Value>, Vec<Value>) =
        list.iter().cloned().partition(|param| offer.is_of_a_tier(&param["id"]));
    let mut params = offer.parameters().fill(&own.into(), giver)?;
    params.extend(of_tiers);
    Ok(params)
}

/// Who is in the tiers, as it was ordered.
fn tiers_of(offer: &Offer, ordered: &Value) -> Result<Value, Errors> {
    let mut errors = Vec::new();
    let needs_reseller = offer.product["configurations"]["requires_reseller_information"] == true;
    let tiers: Map<String, Value> = TIERS
        .into_iter()
        .map(|tier| {
            let account = match &ordered[tier] {
                Value::Object(members) => Value::Object(members.clone()),
                Value::Null => json!({}),
                _ => {
                    errors.push(format!("asset.tiers.{tier}: Invalid data. Expected a dictionary."));
                    return (tier.to_owned(), json!({}));
                }
            };
            let is_needed = tier == "customer" || tier == "tier1" && needs_reseller;
            if is_needed && account.as_object().is_none_or(Map::is_empty) {
                errors.push(format!("asset.tiers.{tier}: This field is required."));
            }
            (tier.to_owned(), account)
        })
        .collect();
    if errors.is_empty() { Ok(tiers.into()) } else { Err(errors) }
}
