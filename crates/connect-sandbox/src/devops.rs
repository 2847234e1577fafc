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

use crate::{
    api_error::ApiError,
    fulfillment::set,
    role::Role,
    who::{self, wrong},
    world::World,
};
pub(crate) use live::Live;

/// `SRVC-` and the middle of an environment's id: runners make paths of it.
pub(crate) fn service_of(environment: &str) -> String {
    let rest = environment.strip_prefix("ENV-").unwrap_or(environment);
    let middle = rest.rsplit_once('-').map_or(rest, |(middle, _)| middle);
    format!("SRVC-{middle}")
}

/// The account on whose behalf something is done, with what it is.
fn account(world: &World<'_>, role: Role) -> Result<Value, ApiError> {
    let mut account = who::account(world, role)?;
    set(&mut account, "role", if role == Role::Distributor { "distributor" } else { "vendor" });
    Ok(account)
}

/// Notes when something happened to an object.
fn note(object: &mut Value, event: &str, now: &str) {
    put_event(object, event, json!({"at": now}));
}

/// Notes when somebody did something with an object, and who.
fn note_by(object: &mut Value, event: &str, now: &str, role: Role) {
    put_event(object, event, json!({"at": now, "by": who::user(role)}));
}

fn put_event(object: &mut Value, event: &str, what: Value) {
    if !object["events"].is_object() {
        set(object, "events", json!({}));
    }
    if let Some(events) = object.get_mut("events") {
        set(events, event, what);
    }
}

/// Takes members of a body over that are there; each has to be a text of at most so many characters, or null.
fn take_texts(object: &mut Value, body: &Value, members: &[(&str, usize)]) -> Result<(), ApiError> {
    for (member, longest) in members {
        match body.get(*member) {
            None => continue,
            Some(Value::Null) => {}
            Some(Value::String(text)) if text.chars().count() <= *longest => {}
            Some(Value::String(_)) => {
                return Err(wrong(
                    member,
                    &format!("Ensure this field has no more than {longest} characters."),
                ));
            }
            Some(_) => return Err(wrong(member, "Not a valid string.")),
        }
        set(object, member, body[*member].clone());
    }
    Ok(())
}

/// A member of a body that has to be one of some words, where it is there.
fn choice<'a>(body: &'a Value, member: &str, choices: &[&str]) -> Result<Option<&'a str>, ApiError> {
    if body[member].is_null() { Ok(None) } else { who::choice(body, member, choices).map(Some) }
}

/// A text that nobody guesses.
fn secret() -> String {
    format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}
