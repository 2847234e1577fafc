//! Helpdesk cases: one account asks another for help. Source: Connect's workflow of cases, and its Open API.

use serde_json::{Value, json};

use crate::{
    api_error::ApiError,
    fulfillment::set,
    transitions::{self, CASES, note},
    who::{self, choice, needed, referred, text, wrong},
    world::World,
};

const TYPES: [&str; 2] = ["technical", "business"];

/// Creates a case: of the account that asks, for the one that it names.
pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    let (now, by) = (world.now(), who::user(world.role()));
    needed(body, "/subject")?;
    needed(body, "/description")?;
    choice(body, "type", &TYPES)?;
    let receiver = needed(body, "/receiver/account/id")?;
    if !matches!(body["state"].as_str(), None | Some("pending")) {
        return Err(wrong("state", "A new case is pending."));
    }
    let issuer = who::account(world, world.role())?;
    if issuer["id"] == receiver {
        return Err(wrong("receiver.account.id", "A case is for another account."));
    }
    let account = world.find("accounts", receiver)?;
    let account = account.map_or_else(|| json!({"id": receiver}), |account| who::reference(&account));
    let mut case = json!({
        "id": who::new_id(world, CASES, "CA", &[3, 3, 3])?, "state": "pending", "priority": 0,
        "issuer": {"account": issuer, "agent": by, "recipients": []},
        "receiver": {"account": account, "recipients": []},
    });
    fill(world, &mut case, body)?;
    note(&mut case, "created", &now, &by);
    note(&mut case, "pending", &now, &by);
    world.put(CASES, &case)?;
    Ok(case)
}

/// Changes what a case says; its state is changed by actions.
pub(crate) fn change(world: &mut World<'_>, own: &str, body: &Value) -> Result<Value, ApiError> {
    let mut case = world.get(CASES, own)?;
    if case["state"] == "closed" {
        return Err(ApiError::bad("VAL_001", "Only pending, inquiring and resolved cases can be updated."));
    }
    fill(world, &mut case, body)?;
    let (now, by) = (world.now(), who::user(world.role()));
    note(&mut case, "updated", &now, &by);
    world.put(CASES, &case)?;
    Ok(case)
}

/// Puts into a case what a body says; what it does not name stays.
fn fill(world: &World<'_>, case: &mut Value, body: &Value) -> Result<(), ApiError> {
    for (member, longest) in [("subject", 300), ("description", 10_000)] {
        if body.get(member).is_some() {
            needed(body, &format!("/{member}"))?;
            set(case, member, text(body, member, longest)?);
        }
    }
    if body.get("type").is_some() {
        set(case, "type", choice(body, "type", &TYPES)?);
    }
    if let Some(priority) = body.get("priority").filter(|priority| !priority.is_null()) {
        set(
            case,
            "priority",
            number(priority, 0, 3).ok_or_else(|| wrong("priority", "It is 0, 1, 2 or 3."))?,
        );
    }
    match body.get("product") {
        None => {}
        Some(Value::Null) => set(case, "product", Value::Null),
        Some(_) => {
            let product = referred(world, "products", body, "/product/id")?;
            set(case, "product", who::reference(&product));
        }
    }
    for side in ["issuer", "receiver"] {
        for (member, is_list) in [("agent", false), ("recipients", true)] {
            let Some(value) = body.pointer(&format!("/{side}/{member}")) else { continue };
            if value.is_array() != is_list || !(value.is_array() || value.is_object() || value.is_null()) {
                return Err(wrong(&format!("{side}.{member}"), "Invalid data."));
            }
            if let Some(side) = case.get_mut(side) {
                set(side, member, value.clone());
            }
        }
    }
    Ok(())
}

/// A number between two, which may be a text.
fn number(value: &Value, least: u64, most: u64) -> Option<u64> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    number.filter(|number| (least..=most).contains(number))
}

/// Does something with a case. Who closes it may say how it was.
pub(crate) fn act(world: &mut World<'_>, own: &str, action: &str, body: &Value) -> Result<Value, ApiError> {
    let mut body = body.clone();
    if action == "close" {
        if let Some(rating) = body.get("rating").filter(|rating| !rating.is_null()) {
            let rating = number(rating, 1, 5).ok_or_else(|| wrong("rating", "It is 1, 2, 3, 4 or 5."))?;
            set(&mut body, "rating", rating);
        }
        text(&body, "feedback", 10_000)?;
    }
    transitions::act(world, CASES, own, action, &body)
}
