//! What happens to asset requests, and through them to assets. Source: Connect's workflows and the texts its clients
//! match on.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::api_error::ApiError;

/// An action of the vendor, or of whom answers an inquiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Approve,
    Fail,
    Inquire,
    Pend,
}

impl Action {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "approve" => Self::Approve,
            "fail" => Self::Fail,
            "inquire" => Self::Inquire,
            "pend" => Self::Pend,
            _ => return None,
        })
    }
}

fn now() -> String {
    // As Connect writes times: seconds, with the offset.
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

fn status(request: &Value) -> &str {
    request["status"].as_str().unwrap_or_default()
}

fn enter(request: &mut Value, status: &str, event: &str) {
    let now = now();
    request["status"] = status.into();
    request["updated"] = now.as_str().into();
    if !request["events"].is_object() {
        request["events"] = json!({});
    }
    request["events"][event] = json!({"at": now});
}

/// Does what the action says, or tells why it can't be done.
pub(crate) fn act(request: &mut Value, action: Action, body: &Value) -> Result<(), ApiError> {
    let from = status(request).to_owned();
    let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    match action {
        Action::Approve => {
            if !matches!(from.as_str(), "pending" | "inquiring") {
                return Err(ApiError::bad("REQ_003", "Only pending and inquiring requests can be approved."));
            }
            match (text("template_id"), text("activation_tile")) {
                (Some(template), _) => request["template"] = json!({"id": template}),
                (None, Some(tile)) => request["activation_key"] = tile.into(),
                (None, None) => {
                    return Err(ApiError::bad("VAL_001", "template_id: This field is required."));
                }
            }
            if let Some(date) = text("effective_date") {
                request["effective_date"] = date.into();
            }
            enter(request, "approved", "approved");
        }
        Action::Fail => {
            let reason = text("reason").ok_or_else(|| ApiError::bad("REQ_005", "Missed fields: reason."))?;
            if from != "pending" {
                return Err(ApiError::bad("REQ_003", "Only pending requests can be failed."));
            }
            request["reason"] = reason.into();
            enter(request, "failed", "failed");
        }
        Action::Inquire => {
            if from != "pending" {
                return Err(ApiError::bad(
                    "REQ_003",
                    "Only pending requests can be moved to inquiring status.",
                ));
            }
            if !params(request).any(is_invalid) {
                return Err(ApiError::bad(
                    "REQ_003",
                    "For marking request to inquiring status at least one parameter should be marked as invalid.",
                ));
            }
            if let Some(template) = text("template_id") {
                request["template"] = json!({"id": template});
            }
            enter(request, "inquiring", "inquired");
        }
        Action::Pend => {
            if from != "inquiring" {
                return Err(ApiError::bad(
                    "REQ_003",
                    "Only inquiring requests can be moved to pending status.",
                ));
            }
            update(request, body)?;
            enter(request, "pending", "pended");
        }
    }
    settle_asset(request);
    Ok(())
}

fn params(request: &Value) -> impl Iterator<Item = &Value> {
    request["asset"]["params"].as_array().into_iter().flatten()
}

fn is_invalid(param: &Value) -> bool {
    param["value_error"].as_str().is_some_and(|error| !error.is_empty())
}

/// Changes parameter values and the note; what is not named stays.
pub(crate) fn update(request: &mut Value, body: &Value) -> Result<(), ApiError> {
    if !matches!(status(request), "pending" | "draft" | "inquiring") {
        return Err(ApiError::bad(
            "REQ_003",
            "Only pending, draft or inquiring Fulfillments with enabled validation capability can be updated.",
        ));
    }
    let changes = match body.pointer("/asset/params") {
        None | Some(Value::Null) => &Vec::new(),
        Some(Value::Array(changes)) => changes,
        Some(_) => return Err(ApiError::bad("VAL_001", "asset.params: Expected a list of items.")),
    };
    // All or nothing: a wrong one must not leave half of them changed.
    for change in changes {
        let id = change["id"].as_str().unwrap_or_default();
        if !params(request).any(|param| param["id"] == id) {
            return Err(ApiError::bad(
                "VAL_001",
                format!("asset.params: the parameter \"{id}\" does not exist."),
            ));
        }
    }
    for change in changes {
        let list = request["asset"]["params"].as_array_mut();
        let Some(param) = list.into_iter().flatten().find(|param| param["id"] == change["id"]) else {
            continue;
        };
        for key in ["value", "structured_value", "value_error"] {
            if let Some(value) = change.get(key) {
                param[key] = value.clone();
            }
        }
        // A new value is right until somebody says otherwise.
        if change.get("value").is_some() && change.get("value_error").is_none() {
            param["value_error"] = "".into();
        }
    }
    if let Some(note) = body.get("note").filter(|note| note.is_string()) {
        request["note"] = note.clone();
    }
    request["updated"] = now().into();
    Ok(())
}

/// What a request has done to its asset by now.
fn settle_asset(request: &mut Value) {
    let kind = request["type"].as_str().unwrap_or_default();
    let asset = match (kind, status(request)) {
        ("purchase" | "change" | "adjustment" | "renew" | "transfer" | "resume", "approved")
        | ("change" | "adjustment" | "suspend" | "cancel" | "renew" | "transfer", "failed") => "active",
        ("suspend", "approved") | ("resume", "failed") => "suspended",
        ("cancel", "approved") | ("purchase", "failed") => "terminated",
        _ => return,
    };
    if let Some(members) = request["asset"].as_object_mut() {
        members.insert("status".to_owned(), asset.into());
    }
}

/// The asset of a request, as `/assets` shows it.
pub(crate) fn asset_of(request: &Value) -> Option<Map<String, Value>> {
    let mut asset = request["asset"].as_object().filter(|asset| asset.contains_key("id"))?.clone();
    for shared in ["marketplace", "contract"] {
        if let Some(value) = request.get(shared) {
            asset.entry(shared).or_insert_with(|| value.clone());
        }
    }
    Some(asset)
}

/// Whether nothing more happens to a request by itself.
pub(crate) fn is_settled(request: &Value) -> bool {
    matches!(status(request), "approved" | "failed" | "revoked" | "inquiring" | "scheduled")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(status: &str) -> Value {
        json!({"id": "PR-1", "type": "purchase", "status": status,
            "asset": {"id": "AS-1", "status": "processing", "params": [{"id": "a", "value": "1"}, {"id": "b"}]}})
    }

    fn refused(from: &str, action: Action, body: &Value) -> ApiError {
        let mut request = request(from);
        let before = request.clone();
        let error = act(&mut request, action, body).unwrap_err();
        assert_eq!(request, before, "a refused action changes nothing");
        error
    }

    #[test]
    fn a_purchase_is_approved_or_failed_with_its_asset() {
        let mut approved = request("pending");
        act(&mut approved, Action::Approve, &json!({"template_id": "TL-1"})).unwrap();
        assert_eq!(
            (&approved["status"], &approved["asset"]["status"]),
            (&json!("approved"), &json!("active"))
        );
        assert_eq!(approved["template"]["id"], "TL-1");
        let mut failed = request("pending");
        act(&mut failed, Action::Fail, &json!({"reason": "no stock"})).unwrap();
        assert_eq!(
            (&failed["reason"], &failed["asset"]["status"]),
            (&json!("no stock"), &json!("terminated"))
        );
    }

    #[test]
    fn wrong_transitions_are_refused_in_connects_words() {
        let body = json!({"template_id": "TL-1", "reason": "r"});
        let texts: Vec<_> =
            [("approved", Action::Approve), ("inquiring", Action::Fail), ("draft", Action::Inquire)]
                .map(|(from, action)| refused(from, action, &body))
                .into_iter()
                .map(|error| (error.code, error.errors.concat()))
                .collect();
        assert_eq!(
            texts,
            [
                ("REQ_003", "Only pending and inquiring requests can be approved.".to_owned()),
                ("REQ_003", "Only pending requests can be failed.".to_owned()),
                ("REQ_003", "Only pending requests can be moved to inquiring status.".to_owned()),
            ]
        );
        assert_eq!(refused("pending", Action::Fail, &json!({})).errors, ["Missed fields: reason."]);
        assert_eq!(refused("pending", Action::Approve, &json!({"template_id": null})).code, "VAL_001");
        let nothing_invalid = refused("pending", Action::Inquire, &json!({}));
        assert!(nothing_invalid.errors[0].starts_with("For marking request to inquiring status"));
    }

    #[test]
    fn an_inquiry_needs_a_wrong_value_and_ends_with_a_right_one() {
        let mut request = request("pending");
        update(&mut request, &json!({"asset": {"params": [{"id": "a", "value_error": "is taken"}]}}))
            .unwrap();
        act(&mut request, Action::Inquire, &json!({})).unwrap();
        act(&mut request, Action::Pend, &json!({"asset": {"params": [{"id": "a", "value": "2"}]}})).unwrap();
        assert_eq!(request["asset"]["params"][0], json!({"id": "a", "value": "2", "value_error": ""}));
        assert_eq!(request["status"], "pending");
    }

    #[test]
    fn an_update_changes_all_or_nothing() {
        let mut open = request("pending");
        let before = open.clone();
        let changes = json!({"asset": {"params": [{"id": "a", "value": "2"}, {"id": "x", "value": "3"}]}});
        let error = update(&mut open, &changes).unwrap_err();
        assert_eq!(error.errors, ["asset.params: the parameter \"x\" does not exist."]);
        assert_eq!(open, before);
        assert_eq!(update(&mut request("approved"), &changes).unwrap_err().code, "REQ_003");
        assert_eq!(update(&mut open, &json!({"asset": {"params": {}}})).unwrap_err().code, "VAL_001");
    }
}
