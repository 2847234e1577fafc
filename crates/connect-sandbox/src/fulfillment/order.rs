//! What is ordered for an asset that is there. Source: Connect's workflow of subscriptions.

use serde_json::{Value, json};

use super::{
    items::{checked, quantity},
    offer::{Offer, wrong},
    purchase::{item_of, name_of},
    set, status,
};
use crate::{api_error::ApiError, parameters::Giver};

/// Something that is ordered for an asset.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) body: &'a Value,
    pub(super) asset: &'a Value,
    /// All requests of the asset.
    pub(super) others: &'a [Value],
    /// The asset's product, where the catalogue has it.
    pub(super) offer: Option<&'a Offer>,
    pub(super) giver: Giver,
}

impl Order<'_> {
    fn kind(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default()
    }

    /// The request, as it is after it was ordered.
    pub(super) fn follow_up(&self, now: &str) -> Result<Value, ApiError> {
        let kind = self.kind();
        self.check()?;
        let mut ordered = self.asset.clone();
        for item in ordered["items"].as_array_mut().into_iter().flatten() {
            let quantity = item["quantity"].clone();
            set(item, "old_quantity", quantity);
        }
        let changed = self.items(&mut ordered)? | self.params(&mut ordered)?;
        if !changed && let Some(text) = unchanged(kind) {
            return Err(ApiError::bad("VAL_001", text));
        }
        if kind == "cancel" {
            set(&mut ordered, "status", "terminating");
        }
        let draft = self.body["status"] == "draft";
        let mut request = json!({"id": self.free_id(), "type": kind, "status": if draft { "draft" } else { "pending" },
            "created": now, "updated": now, "events": {"created": {"at": now}}, "asset": ordered});
        for shared in ["marketplace", "contract"] {
            if let Some(value) = self.asset.get(shared) {
                set(&mut request, shared, value.clone());
            }
        }
        for given in ["planned_date", "note"] {
            if let Some(value) = self.body.get(given).filter(|value| !value.is_null()) {
                set(&mut request, given, value.clone());
            }
        }
        if let Some(approved) = self.others.iter().rfind(|other| status(other) == "approved") {
            set(&mut request, "previous_approved_request", json!({"id": approved["id"]}));
        }
        if matches!(kind, "suspend" | "resume") && self.offer.is_some_and(|offer| !offer.can_hold()) {
            set(&mut request, "reason", "The product does not support administrative hold.");
            super::enter(&mut request, "failed", "failed", now);
        }
        Ok(request)
    }

    /// Whether the type can be ordered now.
    fn check(&self) -> Result<(), ApiError> {
        let kind = self.kind();
        let allowed: &[&str] = match kind {
            "change" | "adjustment" | "suspend" | "renew" | "transfer" => &["active"],
            "resume" => &["suspended"],
            "cancel" => &["active", "suspended"],
            _ => return Err(ApiError::bad("VAL_001", format!("type: \"{kind}\" is not a valid choice."))),
        };
        let capability = match kind {
            "renew" => "subscription/renew/enable_renew",
            "transfer" => "subscription/transfer/enable_transfer",
            _ => "",
        };
        if !capability.is_empty() && self.offer.is_some_and(|offer| !offer.can(capability)) {
            let text = format!("type: The product does not support requests of type {kind}.");
            return Err(ApiError::bad("VAL_001", text));
        }
        let is_open = |other: &&Value| !matches!(status(other), "approved" | "failed" | "revoked");
        if let Some(open) = self.others.iter().find(is_open) {
            let id = open["id"].as_str().unwrap_or_default();
            return Err(self.conflict(format!("The asset has an open request: {id}."), Some(open)));
        }
        let state = self.asset["status"].as_str().unwrap_or_default();
        if !allowed.contains(&state) {
            let error = format!("Request type {kind} is not allowed when asset state is {state}");
            return Err(self.conflict(error, self.others.last()));
        }
        Ok(())
    }

    /// A refusal because of another request or of the asset's state; who ordered the same before reads from it what
    /// became of that.
    fn conflict(&self, error: String, other: Option<&Value>) -> ApiError {
        let mut conflict = ApiError::conflict(error);
        let mut params = json!({"asset_id": self.asset["id"], "asset_status": self.asset["status"]});
        if let Some(other) = other {
            for (name, value) in [
                ("id", &other["id"]),
                ("request_id", &other["id"]),
                ("request_status", &other["status"]),
                ("params_form_url", &other["params_form_url"]),
                ("template", &other["template"]),
                ("fail_message", &other["reason"]),
            ] {
                if !value.is_null() {
                    set(&mut params, name, value.clone());
                }
            }
        }
        conflict.params = Some(params);
        conflict
    }

    fn free_id(&self) -> Option<String> {
        let stem = self.asset["id"].as_str().unwrap_or_default();
        let stem = stem.strip_prefix("AS-").unwrap_or(stem);
        let is_free = |id: &String| !self.others.iter().any(|other| other["id"] == id.as_str());
        // One more than there are, so one of them is free.
        let mut numbers = self.others.len() + 1..=2 * self.others.len() + 1;
        numbers.find_map(|number| Some(format!("PR-{stem}-{number:03}")).filter(is_free))
    }

    /// Puts new quantities in; whether one is another than before is the answer.
    fn items(&self, asset: &mut Value) -> Result<bool, ApiError> {
        let marketplace = self.asset["marketplace"]["id"].as_str().unwrap_or_default();
        let mut changed = false;
        for order in listed(&self.body["asset"]["items"], "items")? {
            let name = name_of(order);
            let refused = |error: String| ApiError::bad("VAL_001", error);
            let offered = self.offer.and_then(|offer| Some((offer, offer.item(order)?)));
            let is_it = |item: &Value| {
                let same = |key: &str| order[key].is_string() && order[key] == item[key];
                same("id")
                    || same("global_id")
                    || offered.is_some_and(|(_, own)| own["id"] == item["global_id"])
            };
            let Some(items) = asset.get_mut("items").and_then(Value::as_array_mut) else { continue };
            if let Some(item) = items.iter_mut().find(|item| is_it(item)) {
                let new = match offered {
                    Some((_, own)) => checked(&order["quantity"], own)
                        .map_err(|error| refused(format!("asset.items.{name}.quantity: {error}")))?,
                    None => quantity(&order["quantity"]).ok_or_else(|| {
                        refused("asset.items.quantity: A valid number is required.".to_owned())
                    })?,
                };
                changed |= quantity(&item["old_quantity"]).as_ref() != Some(&new);
                set(item, "quantity", new);
            } else if let Some((offer, _)) = offered {
                let (item, quantity) = item_of(offer, order).map_err(refused)?;
                items.push(offer.ordered(item, &quantity, marketplace));
                changed = true;
            } else {
                return Err(refused(format!("asset.items: the asset has no item \"{name}\".")));
            }
        }
        Ok(changed)
    }

    /// Puts new values in; whether there is one is the answer.
    fn params(&self, asset: &mut Value) -> Result<bool, ApiError> {
        let given = &self.body["asset"]["params"];
        let ordered = listed(given, "params")?;
        if ordered.is_empty() {
            return Ok(false);
        }
        let Some(params) = asset.get_mut("params").and_then(Value::as_array_mut) else { return Ok(false) };
        let Some(offer) = self.offer else { return as_they_come(params, ordered) };
        let before = params.clone();
        let changed = offer.parameters().change(params, given, self.giver).map_err(wrong)?;
        if self.kind() != "adjustment" {
            let is_other = |param: &&Value| {
                let old = before.iter().find(|old| old["id"] == param["id"]);
                old.is_none_or(|old| {
                    old["value"] != param["value"] || old["structured_value"] != param["structured_value"]
                })
            };
            let fixed = params.iter().filter(is_other).map(|param| param["id"].as_str().unwrap_or_default());
            let errors: Vec<String> = fixed
                .filter(|id| {
                    let phase = offer.phase_of(id);
                    !offer.can(&format!("subscription/change/editable_{phase}_parameters"))
                })
                .map(|id| format!("asset.params.{id}: The product does not allow to change it."))
                .collect();
            if !errors.is_empty() {
                return Err(wrong(errors));
            }
        }
        Ok(changed)
    }
}

/// What is wrong with an order of a type that changes nothing.
fn unchanged(kind: &str) -> Option<&'static str> {
    match kind {
        "change" => Some("asset.items: Item quantities are not changed."),
        "adjustment" => Some("asset.params: Parameters are not changed."),
        _ => None,
    }
}

fn listed<'a>(list: &'a Value, name: &str) -> Result<&'a [Value], ApiError> {
    match list {
        Value::Null => Ok(&[]),
        Value::Array(list) => Ok(list),
        _ => Err(ApiError::bad("VAL_001", format!("asset.{name}: Expected a list of items."))),
    }
}

/// Puts in values of a product that the catalogue does not have.
fn as_they_come(params: &mut [Value], ordered: &[Value]) -> Result<bool, ApiError> {
    let mut changed = false;
    for order in ordered {
        let id = order["id"].as_str().unwrap_or_default();
        let known = params.iter_mut().find(|param| !id.is_empty() && param["id"] == id);
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
        let order = Order { body: order, asset, others, offer: None, giver: Giver::Buyer };
        order.follow_up("2026-01-02T03:04:05+00:00")
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
        let open =
            json!({"id": "PR-1-2-002", "status": "inquiring", "params_form_url": "https://form.example"});
        let error = follow_up(&json!({"type": "cancel"}), &asset("active"), &[open]).unwrap_err();
        assert_eq!((error.status.as_u16(), error.errors[0].contains("PR-1-2-002")), (409, true));
        let told = json!({"asset_id": "AS-1-2", "asset_status": "active", "id": "PR-1-2-002", "request_id": "PR-1-2-002",
            "request_status": "inquiring", "params_form_url": "https://form.example"});
        assert_eq!(error.params, Some(told));
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
