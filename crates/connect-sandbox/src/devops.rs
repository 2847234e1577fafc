//! The extension itself: its service, its environments with variables and schedules, who has installed it, its tasks.

pub(crate) mod definitions;
pub(crate) mod environments;
pub(crate) mod installations;
mod live;
pub(crate) mod schedules;
pub(crate) mod services;
pub(crate) mod tasks;
pub(crate) mod variables;

use serde_json::{Value, json};

use crate::{api_error::ApiError, fulfillment::set, role::Role, world::World};
pub(crate) use live::Live;

/// `SRVC-` and the middle of an environment's id: runners make paths of it.
pub(crate) fn service_of(environment: &str) -> String {
    let rest = environment.strip_prefix("ENV-").unwrap_or(environment);
    let middle = rest.rsplit_once('-').map_or(rest, |(middle, _)| middle);
    format!("SRVC-{middle}")
}

/// The account on whose behalf something is done.
fn account(world: &World<'_>, role: Role) -> Result<Value, ApiError> {
    let (name, default) = match role {
        Role::Distributor => ("distributor", json!({"id": "PA-000-000", "name": "Sandbox distributor"})),
        Role::Vendor | Role::Platform => ("vendor", json!({"id": "VA-000-000", "name": "Sandbox"})),
    };
    let known = world.list("accounts")?.into_iter().find(|account| account["role"] == name);
    let mut account = json!({"role": name});
    let own = known.unwrap_or(default);
    for member in ["id", "name", "icon"] {
        if !own[member].is_null() {
            set(&mut account, member, own[member].clone());
        }
    }
    Ok(account)
}

/// Notes when something happened to an object.
fn note(object: &mut Value, event: &str, now: &str) {
    if !object["events"].is_object() {
        set(object, "events", json!({}));
    }
    if let Some(events) = object.get_mut("events") {
        set(events, event, json!({"at": now}));
    }
}

/// Takes members of a body over that are there; each has to be a text of at most so many characters, or null.
fn take_texts(object: &mut Value, body: &Value, members: &[(&str, usize)]) -> Result<(), ApiError> {
    for (member, longest) in members {
        let wrong = |text: &str| ApiError::bad("VAL_001", format!("{member}: {text}"));
        match body.get(*member) {
            None => continue,
            Some(Value::Null) => {}
            Some(Value::String(text)) if text.chars().count() <= *longest => {}
            Some(Value::String(_)) => {
                return Err(wrong(&format!("Ensure this field has no more than {longest} characters.")));
            }
            Some(_) => return Err(wrong("Not a valid string.")),
        }
        set(object, member, body[*member].clone());
    }
    Ok(())
}

/// A member of a body that has to be one of some words, where it is there.
fn choice<'a>(body: &'a Value, member: &str, choices: &[&str]) -> Result<Option<&'a str>, ApiError> {
    let wrong = |text: &str| ApiError::bad("VAL_001", format!("{member}: \"{text}\" is not a valid choice."));
    match &body[member] {
        Value::Null => Ok(None),
        Value::String(text) if choices.contains(&text.as_str()) => Ok(Some(text)),
        Value::String(text) => Err(wrong(text)),
        other => Err(wrong(&other.to_string())),
    }
}

/// A text that nobody guesses.
fn secret() -> String {
    format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}
