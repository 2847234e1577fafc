//! What is ordered for an asset that is there. Source: Connect's workflow of subscriptions.

use serde_json::{Value, json};

use super::{set, status};
use crate::api_error::ApiError;

/// A request for an asset, as it is after it was ordered. The others are all requests of the asset.
pub(super) fn follow_up(
    order: &Value,
    asset: &Value,
    others: &[Value],
    now: &str,
) -> Result<Value, ApiError> {
    let kind = order["type"].as_str().unwrap_or_default();
    let allowed: &[&str] = match kind {
        "change" | "adjustment" | "suspend" | "renew" | "transfer" => &["active"],
        "resume" => &["suspended"],
        "cancel" => &["active", "suspended"],
        _ => return Err(ApiError::bad("VAL_001", format!("type: \"{kind}\" is not a valid choice."))),
    };
    if let Some(open) =
        others.iter().find(|other| !matches!(status(other), "approved" | "failed" | "revoked"))
    {
        let id = open["id"].as_str().unwrap_or_default();
        return Err(ApiError::conflict(format!("The asset has an open request: {id}.")));
    }
    let state = asset["status"].as_str().unwrap_or_default();
    if !allowed.contains(&state) {
        let error = format!("Request type {kind} is not allowed when asset state is {state}");
        return Err(ApiError::conflict(error));
    }
    let mut ordered = asset.clone();
    for item in ordered["items"].as_array_mut().into_iter().flatten() {
        let quantity = item["quantity"].clone();
        set(item, "old_quantity", quantity);
    }
    let changed =
        items(&mut ordered, &order["asset"]["items"])? | params(&mut ordered, &order["asset"]["params"])?;
    if matches!(kind, "change" | "adjustment") && !changed {
        return Err(ApiError::bad("VAL_001", "asset.items: Neither quantities nor parameters are changed."));
    }
    if kind == "cancel" {
        set(&mut ordered, "status", "terminating");
    }
    let stem = asset["id"].as_str().unwrap_or_default();
    let stem = stem.strip_prefix("AS-").unwrap_or(stem);
    let is_free = |id: &String| !others.iter().any(|other| other["id"] == id.as_str());
    // One more than there are, so one of them is free.
    let numbers = others.len() + 1..=2 * others.len() + 1;
    let id = numbers.into_iter().map(|number| format!("PR-{stem}-{number:03}")).find(is_free);
    let draft = order["status"] == "draft";
    let mut request = json!({"id": id, "type": kind, "status": if draft { "draft" } else { "pending" }, "created": now,
        "updated": now, "events": {"created": {"at": now}}, "asset": ordered});
    for shared in ["marketplace", "contract"] {
        if let Some(value) = asset.get(shared) {
            set(&mut request, shared, value.clone());
        }
    }
    for given in ["planned_date", "note"] {
        if let Some(value) = order.get(given).filter(|value| !value.is_null()) {
            set(&mut request, given, value.clone());
        }
    }
    Ok(request)
}

fn listed<'a>(list: &'a Value, name: &str) -> Result<&'a [Value], ApiError> {
    match list {
        Value::Null => Ok(&[]),
        Value::Array(list) => Ok(list),
        _ => Err(ApiError::bad("VAL_001", format!("asset.{name}: Expected a list of items."))),
    }
}

/// A quantity as payloads have it now: a text of a number that is not negative, or `unlimited`.
fn quantity(value: &Value) -> Option<String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_one =
        text == "unlimited" || text.parse().is_ok_and(|number: f64| number.is_finite() && number >= 0.0);
    is_one.then_some(text)
}

/// Puts new quantities in; whether one is another than before is the answer.
fn items(asset: &mut Value, ordered: &Value) -> Result<bool, ApiError> {
    let mut changed = false;
    for order in listed(ordered, "items")? {
        let new = quantity(&order["quantity"])
            .ok_or_else(|| ApiError::bad("VAL_001", "asset.items.quantity: A valid number is required."))?;
        let is_it = |item: &Value| {
            ["id", "global_id"].into_iter().any(|key| order[key].is_string() && order[key] == item[key])
        };
        let known = asset["items"].as_array_mut().and_then(|items| items.iter_mut().find(|item| is_it(item)));
        let Some(item) = known else {
            let id = order["id"].as_str().or(order["global_id"].as_str()).unwrap_or_default();
            let error = format!("asset.items: the asset has no item \"{id}\".");
            return Err(ApiError::bad("VAL_001", error));
        };
        changed |= quantity(&item["old_quantity"]).as_ref() != Some(&new);
        set(item, "quantity", new);
    }
    Ok(changed)
}

/// Puts new values in; whether there is one is the answer.
fn params(asset: &mut Value, ordered: &Value) -> Result<bool, ApiError> {
    let mut changed = false;
    for order in listed(ordered, "params")? {
        let id = order["id"].as_str().unwrap_or_default();
        let known = asset["params"].as_array_mut();
        let known =
            known.and_then(|params| params.iter_mut().find(|param| !id.is_empty() && param["id"] == id));
        let Some(param) = known else {
            let error = format!("asset.params: the parameter \"{id}\" does not exist.");
            return Err(ApiError::bad("VAL_001", error));
        };
        for key in ["value", "structured_value"] {
            if let Some(value) = order.get(key) {
                changed |= param[key] != *value;
                set(param, key, value.clone());
            }
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow_up(order: &Value, asset: &Value, others: &[Value]) -> Result<Value, ApiError> {
        super::follow_up(order, asset, others, "2026-01-02T03:04:05+00:00")
    }

    fn asset(status: &str) -> Value {
        json!({"id": "AS-1-2", "status": status, "marketplace": {"id": "MP-1"},
            "items": [{"id": "a", "quantity": "5", "old_quantity": "0"}, {"id": "b", "quantity": 1}],
            "params": [{"id": "domain", "value": "x"}]})
    }

    #[test]
    fn a_change_says_what_was_and_what_is_to_be() {
        let order =
            json!({"type": "change", "asset": {"id": "AS-1-2", "items": [{"id": "a", "quantity": 7}]}});
        let purchase = json!({"id": "PR-1-2-001", "status": "approved"});
        let request = follow_up(&order, &asset("active"), &[purchase]).unwrap();
        assert_eq!((&request["id"], &request["status"]), (&json!("PR-1-2-002"), &json!("pending")));
        assert_eq!(
            request["asset"]["items"],
            json!([{"id": "a", "quantity": "7", "old_quantity": "5"}, {"id": "b", "quantity": 1, "old_quantity": 1}])
        );
        assert_eq!(request["marketplace"]["id"], "MP-1");
        let values = json!({"type": "adjustment", "asset": {"params": [{"id": "domain", "value": "y"}]}});
        let request = follow_up(&values, &asset("active"), &[]).unwrap();
        assert_eq!(request["asset"]["params"][0]["value"], "y");
    }

    #[test]
    fn what_the_state_of_the_asset_forbids_is_refused() {
        for (kind, allowed) in [
            ("change", &["active"] as &[_]),
            ("suspend", &["active"]),
            ("resume", &["suspended"]),
            ("cancel", &["active", "suspended"]),
            ("renew", &["active"]),
        ] {
            for state in ["processing", "active", "suspended", "terminated"] {
                let order = json!({"type": kind, "asset": {"items": [{"id": "a", "quantity": "9"}]}});
                let end = follow_up(&order, &asset(state), &[]);
                assert_eq!(end.is_ok(), allowed.contains(&state), "{kind} of {state}: {end:?}");
            }
        }
        let open = json!({"id": "PR-1-2-002", "status": "inquiring"});
        let error = follow_up(&json!({"type": "cancel"}), &asset("active"), &[open]).unwrap_err();
        assert_eq!((error.status.as_u16(), error.errors[0].contains("PR-1-2-002")), (409, true));
        let cancel = follow_up(&json!({"type": "cancel"}), &asset("suspended"), &[]).unwrap();
        assert_eq!(cancel["asset"]["status"], "terminating");
    }

    #[test]
    fn wrong_orders_are_told() {
        for asset_order in [
            json!({}),
            json!({"items": [{"id": "a", "quantity": "5"}]}),
            json!({"items": [{"id": "a", "quantity": "-1"}]}),
            json!({"items": [{"id": "a", "quantity": "many"}]}),
            json!({"items": [{"id": "z", "quantity": "1"}]}),
            json!({"items": {}}),
            json!({"items": [7]}),
            json!({"params": [{"id": "z", "value": "1"}]}),
        ] {
            let order = json!({"type": "change", "asset": asset_order});
            assert_eq!(follow_up(&order, &asset("active"), &[]).unwrap_err().code, "VAL_001", "{order}");
        }
        assert_eq!(
            follow_up(&json!({"type": "explode"}), &asset("active"), &[]).unwrap_err().code,
            "VAL_001"
        );
    }
}
