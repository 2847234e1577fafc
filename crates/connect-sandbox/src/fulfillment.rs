//! What happens to asset requests, and through them to assets. Source: Connect's workflows and the texts its clients
//! match on.

use jiff::{Timestamp, civil::DateTime};
use serde_json::{Value, json};

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

pub(crate) fn status(request: &Value) -> &str {
    request["status"].as_str().unwrap_or_default()
}

/// Sets a member, where there is an object to set it in.
fn set(object: &mut Value, key: &str, value: impl Into<Value>) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value.into());
    }
}

fn enter(request: &mut Value, status: &str, event: &str) {
    let now = now();
    set(request, "status", status);
    set(request, "updated", now.as_str());
    if !request["events"].is_object() {
        set(request, "events", json!({}));
    }
    if let Some(events) = request.get_mut("events") {
        set(events, event, json!({"at": now}));
    }
}

fn refused(text: &str) -> ApiError {
    ApiError::bad("REQ_003", text)
}

/// Does what the action says, or tells why it can't be done. The template is the one that the body names.
pub(crate) fn act(
    request: &mut Value,
    action: Action,
    body: &Value,
    template: &Value,
) -> Result<(), ApiError> {
    let from = status(request).to_owned();
    let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    match action {
        Action::Approve => {
            if !matches!(from.as_str(), "pending" | "inquiring") {
                return Err(refused("Only pending and inquiring requests can be approved."));
            }
            let date = effective_date(body)?;
            match (text("template_id"), text("activation_tile")) {
                (Some(_), _) => {
                    if let Some(asset) = request.get_mut("asset") {
                        set(asset, "template", template.clone());
                    }
                    set(request, "template", template.clone());
                }
                (None, Some(tile)) => set(request, "activation_key", tile),
                (None, None) => {
                    return Err(ApiError::bad("VAL_001", "template_id: This field is required."));
                }
            }
            if let Some(date) = date {
                set(request, "effective_date", date);
            }
            enter(request, "approved", "approved");
        }
        Action::Fail => {
            let reason = text("reason").ok_or_else(|| ApiError::bad("REQ_005", "Missed fields: reason."))?;
            if from != "pending" {
                return Err(refused("Only pending requests can be failed."));
            }
            set(request, "reason", reason);
            enter(request, "failed", "failed");
        }
        Action::Inquire => {
            if from != "pending" {
                return Err(refused("Only pending requests can be moved to inquiring status."));
            }
            if !params(request).any(is_invalid) {
                return Err(refused(
                    "For marking request to inquiring status at least one parameter should be marked as invalid.",
                ));
            }
            if text("template_id").is_some() {
                set(request, "template", template.clone());
            }
            enter(request, "inquiring", "inquired");
        }
        Action::Pend => {
            // Connect's own words for this one are in no source.
            if from != "inquiring" {
                return Err(refused("Only inquiring requests can be moved to pending status."));
            }
            update(request, body)?;
            // What the customer typed is right until somebody says otherwise.
            let answered: Vec<Value> =
                changes(body)?.iter().filter(|change| renews(change)).cloned().collect();
            for change in answered {
                if let Some(param) = param_mut(request, &change["id"]) {
                    set(param, "value_error", "");
                }
            }
            enter(request, "pending", "pended");
        }
    }
    settle_asset(request);
    Ok(())
}

fn effective_date(body: &Value) -> Result<Option<&str>, ApiError> {
    let Some(date) = body.get("effective_date").filter(|date| !date.is_null()) else { return Ok(None) };
    let valid = |text: &&str| {
        text.parse::<Timestamp>().is_ok() || text.contains('T') && text.parse::<DateTime>().is_ok()
    };
    date.as_str().filter(valid).map(Some).ok_or_else(|| {
        ApiError::bad(
            "VAL_001",
            "effective_date: Datetime has wrong format. Use one of these formats instead: \
             YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].",
        )
    })
}

fn params(request: &Value) -> impl Iterator<Item = &Value> {
    request["asset"]["params"].as_array().into_iter().flatten()
}

fn param_mut<'a>(request: &'a mut Value, id: &Value) -> Option<&'a mut Value> {
    let params = request.pointer_mut("/asset/params")?.as_array_mut()?;
    params.iter_mut().find(|param| id.is_string() && param["id"] == *id)
}

fn is_invalid(param: &Value) -> bool {
    param["value_error"].as_str().is_some_and(|error| !error.is_empty())
}

fn renews(change: &Value) -> bool {
    (change.get("value").is_some() || change.get("structured_value").is_some())
        && change.get("value_error").is_none()
}

fn changes(body: &Value) -> Result<&[Value], ApiError> {
    match body.pointer("/asset/params") {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(changes)) => Ok(changes),
        Some(_) => Err(ApiError::bad("VAL_001", "asset.params: Expected a list of items.")),
    }
}

/// Changes parameter values and the note; what is not named stays. All or nothing.
pub(crate) fn update(request: &mut Value, body: &Value) -> Result<(), ApiError> {
    if !matches!(status(request), "pending" | "draft" | "inquiring") {
        return Err(refused(
            "Only pending, draft or inquiring Fulfillments with enabled validation capability can be updated.",
        ));
    }
    let changes = changes(body)?;
    // A wrong one must not leave half of them changed.
    for change in changes {
        let id = change["id"].as_str().unwrap_or_default();
        if !params(request).any(|param| param["id"] == id) {
            let error = format!("asset.params: the parameter \"{id}\" does not exist.");
            return Err(ApiError::bad("VAL_001", error));
        }
        if change.get("value_error").is_some_and(|error| !error.is_string() && !error.is_null()) {
            return Err(ApiError::bad(
                "VAL_001",
                format!("asset.params.{id}.value_error: Not a valid string."),
            ));
        }
    }
    for change in changes {
        let Some(param) = param_mut(request, &change["id"]) else { continue };
        for key in ["value", "structured_value", "value_error"] {
            if let Some(value) = change.get(key) {
                set(param, key, value.clone());
            }
        }
    }
    if let Some(note) = body.get("note").filter(|note| note.is_string()) {
        set(request, "note", note.clone());
    }
    set(request, "updated", now());
    Ok(())
}

/// What a request has done to its asset by now.
fn settle_asset(request: &mut Value) {
    let kind = request["type"].as_str().unwrap_or_default();
    let status = match (kind, status(request)) {
        ("purchase" | "change" | "adjustment" | "renew" | "transfer" | "resume", "approved")
        | ("change" | "adjustment" | "suspend" | "cancel" | "renew" | "transfer", "failed") => "active",
        ("suspend", "approved") | ("resume", "failed") => "suspended",
        ("cancel", "approved") | ("purchase", "failed") => "terminated",
        _ => return,
    };
    if let Some(asset) = request.get_mut("asset") {
        set(asset, "status", status);
    }
}

/// The asset of a request, with what the request knows of it and the asset itself does not say.
pub(crate) fn asset_of(request: &Value) -> Option<Value> {
    let mut asset = request["asset"].as_object()?.clone();
    for shared in ["marketplace", "contract"] {
        if let Some(value) = request.get(shared) {
            asset.entry(shared).or_insert_with(|| value.clone());
        }
    }
    Some(Value::Object(asset))
}

/// Whether the values that a request holds are in force: those of a purchase are from the start, since there are no
/// others; those of a later request once it is approved.
pub(crate) fn is_in_force(request: &Value) -> bool {
    request["type"] == "purchase" || status(request) == "approved"
}

/// Whether nothing more happens to a request but by an answer of the customer.
pub(crate) fn is_settled(request: &Value) -> bool {
    matches!(status(request), "approved" | "failed" | "revoked" | "inquiring")
}

/// A purchase as it is after it was ordered: with ids, status and times where the order has none.
pub(crate) fn purchase(order: &Value, number: u64) -> Result<Value, ApiError> {
    if order["type"] != "purchase" {
        return Err(ApiError::bad("VAL_001", "type: Only a purchase can be created without an id."));
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
    let now = now();
    set(&mut request, "created", now.as_str());
    set(&mut request, "updated", now.as_str());
    set(&mut request, "events", json!({"created": {"at": now}}));
    if let Some(asset) = request.get_mut("asset") {
        set(asset, "id", format!("AS-{digits}"));
        set(asset, "status", if draft { "draft" } else { "processing" });
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(status: &str) -> Value {
        json!({"id": "PR-1", "type": "purchase", "status": status,
            "asset": {"id": "AS-1", "status": "processing", "params": [{"id": "a", "value": "1"}, {"id": "b"}]}})
    }

    fn template() -> Value {
        json!({"id": "TL-1", "name": "Ready"})
    }

    fn refused(from: &str, action: Action, body: &Value) -> ApiError {
        let mut request = request(from);
        let before = request.clone();
        let error = act(&mut request, action, body, &template()).unwrap_err();
        assert_eq!(request, before, "a refused action changes nothing");
        error
    }

    #[test]
    fn a_purchase_is_approved_or_failed_with_its_asset() {
        let mut approved = request("pending");
        act(&mut approved, Action::Approve, &json!({"template_id": "TL-1"}), &template()).unwrap();
        assert_eq!(
            (&approved["status"], &approved["asset"]["status"]),
            (&json!("approved"), &json!("active"))
        );
        assert_eq!(approved["template"], template());
        assert_eq!(approved["asset"]["template"], template());
        let mut failed = request("pending");
        act(&mut failed, Action::Fail, &json!({"reason": "no stock"}), &template()).unwrap();
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
        let dated = json!({"template_id": "TL-1", "effective_date": "tomorrow"});
        assert!(
            refused("pending", Action::Approve, &dated).errors[0].starts_with("effective_date: Datetime has")
        );
        let nothing_invalid = refused("pending", Action::Inquire, &json!({}));
        assert!(nothing_invalid.errors[0].starts_with("For marking request to inquiring status"));
    }

    #[test]
    fn an_inquiry_needs_a_wrong_value_and_ends_with_a_right_one() {
        let mut request = request("pending");
        update(&mut request, &json!({"asset": {"params": [{"id": "a", "value_error": "is taken"}]}}))
            .unwrap();
        act(&mut request, Action::Inquire, &json!({}), &template()).unwrap();
        act(
            &mut request,
            Action::Pend,
            &json!({"asset": {"params": [{"id": "a", "value": "2"}]}}),
            &template(),
        )
        .unwrap();
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
    #[test]
    fn dates_have_connects_form() {
        for (date, is_one) in [
            ("2026-01-02T03:04:05+00:00", true),
            ("2026-01-02T03:04", true),
            ("2026-01-02T03:04:05.123456Z", true),
            ("2026-01-02", false),
            ("", false),
        ] {
            let body = json!({"effective_date": date});
            assert_eq!(effective_date(&body).is_ok(), is_one, "{date}");
        }
        assert_eq!(effective_date(&json!({"effective_date": null})), Ok(None));
    }

    #[test]
    fn every_type_does_to_its_asset_what_connects_workflow_says() {
        for (kind, approved, failed) in [
            ("purchase", "active", "terminated"),
            ("change", "active", "active"),
            ("adjustment", "active", "active"),
            ("suspend", "suspended", "active"),
            ("resume", "active", "suspended"),
            ("cancel", "terminated", "active"),
            ("renew", "active", "active"),
            ("transfer", "active", "active"),
        ] {
            for (action, expected) in [(Action::Approve, approved), (Action::Fail, failed)] {
                let mut request = request("pending");
                set(&mut request, "type", kind);
                act(&mut request, action, &json!({"template_id": "TL-1", "reason": "r"}), &template())
                    .unwrap();
                assert_eq!(request["asset"]["status"], expected, "{kind} {action:?}");
            }
        }
    }

    #[test]
    fn an_update_leaves_what_it_does_not_name() {
        let mut request = request("pending");
        let invalid = json!({"asset": {"params": [{"id": "a", "value_error": "no"}]}, "note": "n"});
        update(&mut request, &invalid).unwrap();
        update(&mut request, &json!({"asset": {"params": [{"id": "a", "structured_value": {"b": 1}}]}}))
            .unwrap();
        let params = json!([{"id": "a", "value": "1", "value_error": "no", "structured_value": {"b": 1}}, {"id": "b"}]);
        assert_eq!((&request["asset"]["params"], &request["note"]), (&params, &json!("n")));
        let wrong = json!({"asset": {"params": [{"id": "a", "value_error": 7}]}});
        assert_eq!(update(&mut request, &wrong).unwrap_err().code, "VAL_001");
    }

    #[test]
    fn odd_objects_make_no_panic() {
        let bodies = [
            json!(null),
            json!([]),
            json!("text"),
            json!({"asset": 7}),
            json!({"asset": {"params": [{}, 7, null, {"id": ""}, {"id": 7}]}}),
            json!({"asset": {"params": [{"value": "x"}]}}),
            json!({"template_id": "TL-1", "reason": "r", "asset": {"params": [{"id": "", "value": "x"}]}}),
        ];
        for asset in
            [json!(null), json!("x"), json!([]), json!({"params": ["x", {"id": ""}, null, {"id": 7}]})]
        {
            for status in ["pending", "inquiring"] {
                for body in &bodies {
                    let request = json!({"id": "PR-1", "status": status, "events": 7, "asset": asset});
                    let _ = update(&mut request.clone(), body);
                    for action in [Action::Approve, Action::Fail, Action::Inquire, Action::Pend] {
                        let _ = act(&mut request.clone(), action, body, &template());
                    }
                }
            }
        }
    }
}
