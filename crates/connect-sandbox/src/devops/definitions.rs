//! The events of Connect, as its REST tells them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::events::{self, EventType};

/// What events begin with, and the group that Connect shows them in: its id and its name.
const GROUPS: [(&str, &str, &str); 13] = [
    ("asset", "subscription", "Subscription"),
    ("tier_config", "tier_config", "Tier Config"),
    ("tier_account", "tier_account", "Tier Account"),
    ("usage_file", "usage", "Usage File"),
    ("part_usage_file", "usage", "Usage Chunk"),
    ("product", "product", "Product"),
    ("listing", "listing", "Listing"),
    ("installation", "installation", "Installation"),
    ("helpdesk_case", "helpdesk", "Helpdesk Case"),
    ("contract", "contract", "Contract"),
    ("pricelist_version", "pricing", "Price List Version"),
    ("translation", "localization", "Translation"),
    ("scheduled", "schedule", "Schedule"),
];

fn group(event: &EventType) -> (&'static str, &'static str, &'static str) {
    let prefixed = |name: &str| event.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('_'));
    GROUPS.into_iter().find(|(prefix, ..)| prefixed(prefix)).unwrap_or(("", "other", "Other"))
}

/// `asset_purchase_request_processing` as "Purchase Request".
fn label(event: &EventType) -> String {
    let (prefix, _, name) = group(event);
    let rest = event.name.strip_prefix(prefix).unwrap_or(event.name).trim_start_matches('_');
    let rest = match event.name {
        "product_action_execution" | "product_custom_event_processing" => rest,
        _ => rest.trim_end_matches("processing").trim_end_matches("validation").trim_end_matches('_'),
    };
    let words = rest.split('_').filter(|word| !word.is_empty()).map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    });
    let label = words.collect::<Vec<_>>().join(" ");
    if label.is_empty() { name.to_owned() } else { label }
}

fn description(event: &EventType) -> &'static str {
    match (event.category, event.statuses.is_empty()) {
        ("scheduled", _) => "A schedule fires.",
        ("interactive", false) => "A draft, or what was asked for, is to be validated.",
        ("interactive", true) => "Somebody calls, and waits for the answer.",
        (_, false) => "The object enters one of the statuses.",
        (_, true) => "The object changes.",
    }
}

/// The types of extensions that an event is for. Which Connect means is not documented beyond the interactive ones.
fn extension_type(event: &EventType) -> &'static str {
    match (event.category, event.name) {
        ("interactive", _) => "products",
        (_, "installation_status_change") => "multiaccount",
        _ => "multiaccount+products",
    }
}

/// What REST says about all of them.
pub(crate) fn all() -> Vec<Value> {
    let definition = |(index, event): (usize, &EventType)| {
        json!({
            "id": index + 1,
            "source": "system",
            "type": event.name,
            "name": label(event),
            "description": description(event),
            "category": event.category,
            "group": group(event).2,
            "extension_type": extension_type(event),
            "object_statuses": event.statuses,
        })
    };
    events::all().iter().enumerate().map(definition).collect()
}

/// What an environment can do, and which of it the connected runners do: in the form that environments have it.
pub(crate) fn capabilities(subscribed: &BTreeMap<String, Vec<String>>) -> Vec<Value> {
    let capability = |event: &EventType| {
        let own = subscribed.get(event.name);
        let (_, id, name) = group(event);
        let category = match event.name {
            name if name.ends_with("_validation") => "validation",
            name if name.starts_with("asset_") || name.starts_with("tier_config_") => "processing",
            _ => "",
        };
        let mut capability = json!({
            "id": event.name,
            "label": label(event),
            "group": {"id": id, "label": name},
            "category": category,
            "enabled": own.is_some(),
        });
        let statuses: Map<String, Value> = event
            .statuses
            .iter()
            .map(|status| {
                // Of interactive ones nobody says for which statuses.
                let all = own.is_some() && event.category == "interactive";
                let named = own.is_some_and(|own| own.iter().any(|own| own == status));
                ((*status).to_owned(), (all || named).into())
            })
            .collect();
        if let Some(members) = capability.as_object_mut().filter(|_| !statuses.is_empty()) {
            members.insert("statuses".to_owned(), statuses.into());
        }
        capability
    };
    events::all().iter().filter(|event| event.category != "scheduled").map(capability).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_as_connect_does() {
        let all = all();
        let of = |name: &str| all.iter().find(|event| event["type"] == name).unwrap();
        for (name, label, group) in [
            ("asset_purchase_request_processing", "Purchase Request", "Subscription"),
            ("asset_change_request_validation", "Change Request", "Subscription"),
            ("tier_config_setup_request_processing", "Setup Request", "Tier Config"),
            ("product_action_execution", "Action Execution", "Product"),
            ("product_custom_event_processing", "Custom Event Processing", "Product"),
            ("listing_new_request_processing", "New Request", "Listing"),
            ("listing_processing", "Listing", "Listing"),
            ("part_usage_file_request_processing", "Request", "Usage Chunk"),
            ("installation_status_change", "Status Change", "Installation"),
            ("scheduled_execution", "Execution", "Schedule"),
        ] {
            assert_eq!((&of(name)["name"], &of(name)["group"]), (&json!(label), &json!(group)), "{name}");
        }
        for event in &all {
            assert!(event["group"] != "Other" && event["description"] != "", "{event}");
            assert!(matches!(event["category"].as_str(), Some("background" | "interactive" | "scheduled")));
        }
    }

    #[test]
    fn capabilities_say_what_is_handled() {
        let subscribed = BTreeMap::from([
            ("asset_purchase_request_processing".to_owned(), vec!["pending".to_owned()]),
            ("asset_purchase_request_validation".to_owned(), vec![]),
            ("product_action_execution".to_owned(), vec![]),
        ]);
        let all = capabilities(&subscribed);
        let of = |name: &str| all.iter().find(|one| one["id"] == name).unwrap();
        let purchase = of("asset_purchase_request_processing");
        assert_eq!((&purchase["enabled"], &purchase["category"]), (&json!(true), &json!("processing")));
        assert_eq!(purchase["statuses"]["pending"], true);
        assert_eq!(purchase["statuses"]["approved"], false);
        assert_eq!(of("asset_purchase_request_validation")["statuses"]["draft"], true);
        assert!(of("product_action_execution").get("statuses").is_none());
        assert_eq!(of("asset_cancel_request_processing")["enabled"], false);
    }
}
