//! What happens to asset requests, and through them to assets. Source: Connect's workflows and the texts its clients
//! match on.

mod begin;
mod create;
mod items;
mod offer;
mod order;
mod purchase;
pub(crate) mod template;
mod validate;

use jiff::{Timestamp, civil::DateTime};
use serde_json::{Value, json};

use crate::{
    api_error::ApiError, parameters::Giver, role::Role, store::REQUESTS, tiers, validation::is_invalid,
    world::World,
};
pub(crate) use begin::go_on;
pub(crate) use create::create;
use offer::Offer;
pub(crate) use offer::wrong;
pub(crate) use validate::{pend, validate};

/// What is done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Approve,
    Fail,
    Inquire,
    Pend,
    /// A draft is ordered: `purchase`, or `submit` for the other types.
    Order,
    Schedule,
    Revoke,
    Confirm,
    Assign,
    Unassign,
}

impl Action {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "approve" => Self::Approve,
            "fail" => Self::Fail,
            "inquire" => Self::Inquire,
            "pend" => Self::Pend,
            "purchase" | "submit" => Self::Order,
            "schedule" => Self::Schedule,
            "revoke" => Self::Revoke,
            "confirm" => Self::Confirm,
            "assign" => Self::Assign,
            "unassign" => Self::Unassign,
            _ => return None,
        })
    }

    /// Who may, where not everybody may.
    fn role(self) -> Option<Role> {
        match self {
            Self::Approve | Self::Fail | Self::Inquire | Self::Schedule | Self::Confirm => Some(Role::Vendor),
            Self::Order | Self::Revoke => Some(Role::Distributor),
            Self::Pend | Self::Assign | Self::Unassign => None,
        }
    }
}

pub(crate) fn status(request: &Value) -> &str {
    request["status"].as_str().unwrap_or_default()
}

/// Sets a member, where there is an object to set it in.
pub(crate) fn set(object: &mut Value, key: &str, value: impl Into<Value>) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value.into());
    }
}

pub(crate) fn enter(request: &mut Value, status: &str, event: &str, now: &str) {
    set(request, "status", status);
    set(request, "updated", now);
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

/// Does something with a request, or tells why it can't be done.
pub(crate) fn act(world: &mut World<'_>, id: &str, action: Action, body: &Value) -> Result<Value, ApiError> {
    if let Some(role) = action.role() {
        world.only(role)?;
    }
    let (mut request, now) = (world.get(REQUESTS, id)?, world.now());
    // The others need not look at the product.
    let offer = match action {
        Action::Order | Action::Inquire | Action::Pend => Offer::of(world, &request)?,
        _ => None,
    };
    let values = Values { offer: offer.as_ref(), giver: create::giver(world) };
    if action == Action::Inquire && status(&request) == "pending" {
        begin::open_form(world, &mut request);
    }
    let template = match body["template_id"].as_str().filter(|id| !id.is_empty()) {
        Some(id) => template::named(world, &request, id)?,
        None => Value::Null,
    };
    apply(&mut request, action, body, &template, values, &now)?;
    match (&offer, action) {
        (Some(offer), Action::Order) => {
            tiers::setup(world, &mut request)?;
            begin::begin(world, offer, &mut request)?;
        }
        (Some(_), Action::Inquire) if template.is_null() => begin::show(world, &mut request, "inquire")?,
        (Some(_), Action::Pend) => begin::show(world, &mut request, "pending")?,
        _ => {}
    }
    if action == Action::Pend && request.get("params_form_url").is_some() {
        // It is answered.
        set(&mut request, "params_form_url", "");
    }
    world.put(REQUESTS, &request)?;
    Ok(request)
}

/// Changes parameter values and the note of a request; what is not named stays.
pub(crate) fn update(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let mut request = world.get(REQUESTS, id)?;
    let offer = Offer::of(world, &request)?;
    let values = Values { offer: offer.as_ref(), giver: create::giver(world) };
    change(&mut request, body, values, &world.now())?;
    world.put(REQUESTS, &request)?;
    Ok(request)
}

/// By what values are checked: what the catalogue says of the product, if it has it, and who gives them.
#[derive(Clone, Copy)]
struct Values<'a> {
    offer: Option<&'a Offer>,
    giver: Giver,
}

/// What an action makes of a request. The template is the one that the body names.
fn apply(
    request: &mut Value,
    action: Action,
    body: &Value,
    template: &Value,
    values: Values<'_>,
    now: &str,
) -> Result<(), ApiError> {
    let from = status(request).to_owned();
    let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    match action {
        Action::Approve => {
            if !matches!(from.as_str(), "pending" | "inquiring") {
                return Err(refused("Only pending and inquiring requests can be approved."));
            }
            approve(request, body, template)?;
            enter(request, "approved", "approved", now);
        }
        Action::Fail => {
            let reason = text("reason").ok_or_else(|| ApiError::bad("REQ_005", "Missed fields: reason."))?;
            if from != "pending" {
                return Err(refused("Only pending requests can be failed."));
            }
            set(request, "reason", reason);
            enter(request, "failed", "failed", now);
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
            enter(request, "inquiring", "inquired", now);
        }
        Action::Pend => {
            // Connect's own words for this one and for the following are in no source.
            if !matches!(from.as_str(), "inquiring" | "scheduled") {
                return Err(refused("Only inquiring and scheduled requests can be moved to pending status."));
            }
            if from == "inquiring" {
                take_answer(request, body, values, now)?;
            }
            enter(request, "pending", "pended", now);
        }
        Action::Order => {
            if from != "draft" {
                return Err(refused("Only draft requests can be moved to pending status by an order."));
            }
            if params(request).any(is_invalid) {
                return Err(ApiError::bad("VAL_001", "asset.params: A parameter is marked as invalid."));
            }
            if request["type"] == "purchase"
                && let Some(asset) = request.get_mut("asset")
            {
                set(asset, "status", "processing");
            }
            enter(request, "pending", "pended", now);
        }
        Action::Schedule => {
            if from != "pending" {
                return Err(refused("Only pending requests can be scheduled."));
            }
            let date = date(body, "planned_date")?
                .ok_or_else(|| ApiError::bad("VAL_001", "planned_date: This field is required."))?;
            set(request, "planned_date", date);
            enter(request, "scheduled", "scheduled", now);
        }
        Action::Assign => {
            let email =
                text("email").ok_or_else(|| ApiError::bad("VAL_001", "email: This field is required."))?;
            set(request, "assignee", json!({"email": email}));
            set(request, "updated", now);
            return Ok(());
        }
        Action::Unassign => {
            set(request, "assignee", Value::Null);
            set(request, "updated", now);
            return Ok(());
        }
        Action::Revoke => {
            if from != "scheduled" {
                return Err(refused("Only scheduled requests can be revoked."));
            }
            set(request, "reason", text("reason").unwrap_or_default());
            enter(request, "revoking", "revoking", now);
        }
        Action::Confirm => {
            if from != "revoking" {
                return Err(refused("Only revoking requests can be confirmed."));
            }
            enter(request, "revoked", "revoked", now);
        }
    }
    settle_asset(request);
    Ok(())
}

/// Takes over what an approval says: what the customer is told, and since when.
fn approve(request: &mut Value, body: &Value, template: &Value) -> Result<(), ApiError> {
    let text = |key: &str| body[key].as_str().filter(|text| !text.is_empty());
    let date = date(body, "effective_date")?;
    match (text("template_id"), text("activation_tile")) {
        (Some(_), _) => {
            if let Some(asset) = request.get_mut("asset") {
                set(asset, "template", template::reference(template));
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
    Ok(())
}

/// Takes what the customer typed, which is right until somebody says otherwise.
fn take_answer(request: &mut Value, body: &Value, values: Values<'_>, now: &str) -> Result<(), ApiError> {
    change(request, body, values, now)?;
    for change in changes(body)?.iter().filter(|change| renews(change)) {
        if let Some(param) = param_mut(request, &change["id"]) {
            set(param, "value_error", "");
        }
    }
    Ok(())
}

pub(crate) fn date<'a>(body: &'a Value, member: &str) -> Result<Option<&'a str>, ApiError> {
    let Some(date) = body.get(member).filter(|date| !date.is_null()) else { return Ok(None) };
    let valid = |text: &&str| {
        text.parse::<Timestamp>().is_ok() || text.contains('T') && text.parse::<DateTime>().is_ok()
    };
    date.as_str().filter(valid).map(Some).ok_or_else(|| {
        let text = "Datetime has wrong format. Use one of these formats instead: \
                    YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
        ApiError::bad("VAL_001", format!("{member}: {text}"))
    })
}

fn params(request: &Value) -> impl Iterator<Item = &Value> {
    request["asset"]["params"].as_array().into_iter().flatten()
}

fn param_mut<'a>(request: &'a mut Value, id: &Value) -> Option<&'a mut Value> {
    let params = request.pointer_mut("/asset/params")?.as_array_mut()?;
    params.iter_mut().find(|param| id.is_string() && param["id"] == *id)
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

fn change(request: &mut Value, body: &Value, values: Values<'_>, now: &str) -> Result<(), ApiError> {
    if !matches!(status(request), "pending" | "draft" | "inquiring") {
        return Err(refused(
            "Only pending, draft or inquiring Fulfillments with enabled validation capability can be updated.",
        ));
    }
    let is_defined = |change: &&Value| values.offer.is_some_and(|offer| offer.has(&change["id"]));
    let (defined, changes): (Vec<&Value>, Vec<&Value>) = changes(body)?.iter().partition(is_defined);
    for change in &changes {
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
    if let Some(offer) = values.offer.filter(|_| !defined.is_empty())
        && let Some(params) = request.pointer_mut("/asset/params").and_then(Value::as_array_mut)
    {
        let defined = defined.into_iter().cloned().collect();
        offer.parameters().change(params, &Value::Array(defined), values.giver).map_err(offer::wrong)?;
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
    set(request, "updated", now);
    Ok(())
}

/// What a request has done to its asset by now.
pub(crate) fn settle_asset(request: &mut Value) {
    let kind = request["type"].as_str().unwrap_or_default();
    let status = match (kind, status(request)) {
        ("purchase" | "change" | "adjustment" | "renew" | "transfer" | "resume", "approved")
        | ("change" | "adjustment" | "suspend" | "cancel" | "renew" | "transfer", "failed" | "revoked") => {
            "active"
        }
        ("suspend", "approved") | ("resume", "failed" | "revoked") => "suspended",
        ("cancel", "approved") | ("purchase", "failed" | "revoked") => "terminated",
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The product is none of the catalogue.
    const NONE: Values<'static> = Values { offer: None, giver: Giver::Vendor };
    const NOW: &str = "2026-01-02T03:04:05+00:00";

    fn act(request: &mut Value, action: Action, body: &Value, template: &Value) -> Result<(), ApiError> {
        apply(request, action, body, template, NONE, NOW)
    }

    fn update(request: &mut Value, body: &Value) -> Result<(), ApiError> {
        change(request, body, NONE, NOW)
    }

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
    fn drafts_are_ordered_and_scheduled_ones_revoked() {
        let mut draft = request("draft");
        act(&mut draft, Action::Order, &json!({}), &Value::Null).unwrap();
        assert_eq!((&draft["status"], &draft["asset"]["status"]), (&json!("pending"), &json!("processing")));
        let mut wrong = request("draft");
        update(&mut wrong, &json!({"asset": {"params": [{"id": "a", "value_error": "no"}]}})).unwrap();
        assert_eq!(act(&mut wrong, Action::Order, &json!({}), &Value::Null).unwrap_err().code, "VAL_001");
        let mut scheduled = request("scheduled");
        act(&mut scheduled, Action::Revoke, &json!({"reason": "too late"}), &Value::Null).unwrap();
        assert_eq!((&scheduled["status"], &scheduled["reason"]), (&json!("revoking"), &json!("too late")));
        act(&mut scheduled, Action::Confirm, &json!({}), &Value::Null).unwrap();
        assert_eq!(
            (&scheduled["status"], &scheduled["asset"]["status"]),
            (&json!("revoked"), &json!("terminated"))
        );
        let mut early = request("scheduled");
        act(&mut early, Action::Pend, &json!({}), &Value::Null).unwrap();
        assert_eq!(early["status"], "pending");
        for (from, action) in
            [("pending", Action::Order), ("pending", Action::Revoke), ("scheduled", Action::Confirm)]
        {
            refused(from, action, &json!({"reason": "r"}));
        }
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
            assert_eq!(super::date(&body, "effective_date").is_ok(), is_one, "{date}");
        }
        assert_eq!(super::date(&json!({"effective_date": null}), "effective_date"), Ok(None));
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
