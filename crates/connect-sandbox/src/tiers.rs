//! Tier configurations and tier accounts, with the requests for them. Source: Connect's workflows of both.

pub(crate) mod accounts;
mod configs;
mod create;
mod offer;
mod params;
pub(crate) mod requests;
mod setup;
mod validate;

use serde_json::{Value, json};

use crate::fulfillment::set;
pub(crate) use create::create;
pub(crate) use setup::setup;
pub(crate) use validate::{pend, validate};

pub(crate) const CONFIGS: &str = "tier/configs";
pub(crate) const REQUESTS: &str = "tier/config-requests";
pub(crate) const ACCOUNTS: &str = "tier/accounts";
pub(crate) const ACCOUNT_REQUESTS: &str = "tier/account-requests";

fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object[member].as_str().unwrap_or_default()
}

/// Puts an object in a status, and notes when.
fn enter(object: &mut Value, status: &str, event: &str, now: &str) {
    set(object, "status", status);
    note(object, event, now);
    note(object, "updated", now);
}

/// Notes when something happened.
fn note(object: &mut Value, event: &str, now: &str) {
    if !object["events"].is_object() {
        set(object, "events", json!({}));
    }
    if let Some(events) = object.get_mut("events") {
        set(events, event, json!({"at": now}));
    }
}

/// The digits of a number in groups, as ids have them.
fn digits(number: u64, width: usize, groups: usize) -> String {
    let padded = format!("{number:0total$}", total = width * groups);
    let mut rest = padded.as_str();
    let mut parts = Vec::new();
    // What does not fit makes the first group longer.
    for _ in 1..groups {
        let (before, last) = rest.split_at(rest.len() - width);
        parts.push(last);
        rest = before;
    }
    parts.push(rest);
    parts.reverse();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_of_groups_of_digits() {
        assert_eq!(digits(7, 3, 3), "000-000-007");
        assert_eq!(digits(1_234_567, 4, 3), "0000-0123-4567");
        assert_eq!(digits(12_345_678_901, 3, 3), "12345-678-901");
    }
}
