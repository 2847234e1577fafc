//! Vendors are told that an account changed, and say whether they follow.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ACCOUNTS, DECOMMISSIONED, contact, number, of_tiers, wanted_of_change};
use crate::{
    api_error::ApiError,
    fulfillment::set,
    role::Role,
    store::ASSETS,
    tiers::{ACCOUNT_REQUESTS, note, offer, text},
    world::World,
};

/// How long the reason may be.
const LONGEST_REASON: usize = 255;

/// Changes an account, and makes a request for each product that was bought for it: those are the answer.
pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Vec<Value>, ApiError> {
    world.only(Role::Distributor)?;
    let refused = |text: String| ApiError::bad("VAL_001", text);
    match body["type"].as_str() {
        Some("update") => {}
        Some(kind) => return Err(refused(format!("type: \"{kind}\" is not a valid choice."))),
        None => return Err(refused("type: This field is required.".to_owned())),
    }
    let id = body["account"]["id"].as_str();
    let id = id.ok_or_else(|| refused("account.id: This field is required.".to_owned()))?;
    change(world, id, &body["account"])
}

/// Makes a new version of an account, and the requests that tell of it.
pub(crate) fn change(world: &mut World<'_>, id: &str, changes: &Value) -> Result<Vec<Value>, ApiError> {
    let refused = |text: String| ApiError::bad("VAL_001", text);
    let Some(account) = world.find(ACCOUNTS, id)? else {
        return Err(match world.find(DECOMMISSIONED, id)? {
            Some(_) => ApiError::bad("TAR_003", "The tier account can't be changed: it is decommissioned."),
            None => refused(format!("account.id: \"{id}\" does not exist.")),
        });
    };
    contact::check(changes, wanted_of_change(world), "account.")?;
    let newest = super::change(world, &account, changes, "account.")?;
    let newest = newest.ok_or_else(|| ApiError::bad("TAR_004", "Nothing of the tier account is changed."))?;
    let mut products = BTreeMap::new();
    for asset in world.matching(ASSETS, &of_tiers("tiers.", id))? {
        let product = text(&asset["product"], "id").to_owned();
        if !matches!(text(&asset, "status"), "draft" | "terminated") && !product.is_empty() {
            products.entry(product).or_insert(asset);
        }
    }
    let mut requests = Vec::new();
    for (at, (product, asset)) in products.iter().enumerate() {
        let request = request(world, &newest, product, asset, at + 1)?;
        world.put(ACCOUNT_REQUESTS, &request)?;
        requests.push(request);
    }
    Ok(requests)
}

fn request(
    world: &World<'_>,
    account: &Value,
    product: &str,
    asset: &Value,
    running: usize,
) -> Result<Value, ApiError> {
    let now = world.now();
    let stem = text(account, "id").trim_start_matches("TA-");
    let known = world.find("products", product)?;
    let is_able = known.as_ref().is_some_and(|product| offer::is_able(product, "tiers/updates"));
    let named = known.as_ref().unwrap_or(&asset["product"]);
    let mut request = json!({
        "id": format!("TAR-{stem}-{:03}-{running:03}", number(account)),
        "type": "update",
        "status": if is_able { "pending" } else { "unsupported" },
        "account": account,
        "vendor": asset["connection"]["vendor"],
        "provider": asset["connection"]["provider"],
        "product": {"id": product, "icon": named["icon"], "name": named["name"], "status": named["status"]},
    });
    if !is_able {
        set(&mut request, "reason", "Product does not support contact details change.");
    }
    note(&mut request, "created", &now);
    note(&mut request, "updated", &now);
    Ok(request)
}

/// The vendor follows.
pub(crate) fn accept(world: &mut World<'_>, id: &str) -> Result<Value, ApiError> {
    answer(world, id, "accepted", None)
}

/// The vendor does not follow; the account stays changed.
pub(crate) fn ignore(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    match &body["reason"] {
        Value::Null => answer(world, id, "ignored", None),
        Value::String(reason) if reason.chars().count() <= LONGEST_REASON => {
            answer(world, id, "ignored", Some(reason))
        }
        Value::String(_) => {
            let text = format!("reason: Ensure this field has no more than {LONGEST_REASON} characters.");
            Err(ApiError::bad("VAL_001", text))
        }
        _ => Err(ApiError::bad("VAL_001", "reason: Not a valid string.")),
    }
}

fn answer(world: &mut World<'_>, id: &str, status: &str, reason: Option<&str>) -> Result<Value, ApiError> {
    world.only(Role::Vendor)?;
    let now = world.now();
    world.update(ACCOUNT_REQUESTS, id, |request| {
        if request["status"] != "pending" {
            let text = format!("Only pending tier account requests can be {status}.");
            return Err(ApiError::bad("VAL_001", text));
        }
        if let Some(reason) = reason {
            set(request, "reason", reason);
        }
        set(request, "status", status);
        note(request, "updated", &now);
        Ok(())
    })
}
