//! The event types of Connect, and where their objects are.
//!
//! Source: section "Available events" of Connect's documentation, and the filter of the runner's own tests.

use connect_model::wire::EventDefinition;
use serde_json::{Value, json};

pub(crate) struct EventType {
    pub(crate) name: &'static str,
    pub(crate) category: &'static str,
    pub(crate) collection: &'static str,
    pub(crate) statuses: &'static [&'static str],
}

const ASSET: &[&str] = &["pending", "approved", "failed", "inquiring", "scheduled", "revoking", "revoked"];
const ASSET_PLAIN: &[&str] = &["pending", "approved", "failed", "scheduled", "revoking", "revoked"];
const TIER: &[&str] = &["pending", "approved", "failed", "inquiring"];
const VALIDATION: &[&str] = &["draft", "inquiring"];

macro_rules! table {
    ($($name:literal $category:literal $collection:literal $statuses:expr;)*) => {
        &[$(EventType { name: $name, category: $category, collection: $collection, statuses: $statuses },)*]
    };
}

pub(crate) const TYPES: &[EventType] = table! {
    "asset_purchase_request_processing" "background" "requests" ASSET;
    "asset_change_request_processing" "background" "requests" ASSET;
    "asset_adjustment_request_processing" "background" "requests" ASSET;
    "asset_suspend_request_processing" "background" "requests" ASSET_PLAIN;
    "asset_resume_request_processing" "background" "requests" ASSET_PLAIN;
    "asset_cancel_request_processing" "background" "requests" ASSET_PLAIN;
    "asset_renew_request_processing" "background" "requests" ASSET;
    "asset_transfer_request_processing" "background" "requests" ASSET;
    "asset_purchase_request_validation" "interactive" "requests" VALIDATION;
    "asset_change_request_validation" "interactive" "requests" VALIDATION;
    "asset_renew_request_validation" "interactive" "requests" VALIDATION;
    "asset_transfer_request_validation" "interactive" "requests" VALIDATION;
    "tier_config_setup_request_processing" "background" "tier/config-requests" TIER;
    "tier_config_change_request_processing" "background" "tier/config-requests" TIER;
    "tier_config_adjustment_request_processing" "background" "tier/config-requests" TIER;
    "tier_config_setup_request_validation" "interactive" "tier/config-requests" VALIDATION;
    "tier_config_change_request_validation" "interactive" "tier/config-requests" VALIDATION;
    "tier_account_update_request_processing" "background" "tier/account-requests" &["pending", "accepted", "ignored"];
    "usage_file_request_processing" "background" "usage/files"
        &["draft", "uploading", "uploaded", "invalid", "processing", "ready", "rejected", "pending", "accepted", "closed"];
    "part_usage_file_request_processing" "background" "usage/chunks" &["draft", "ready", "closed", "failed"];
    "listing_request_processing" "background" "listing-requests"
        &["draft", "reviewing", "deploying", "completed", "canceled"];
    "listing_new_request_processing" "background" "listing-requests"
        &["draft", "reviewing", "deploying", "completed", "canceled"];
    "listing_remove_request_processing" "background" "listing-requests"
        &["draft", "reviewing", "deploying", "completed", "canceled"];
    "listing_processing" "background" "listings" &["unlisted", "listed"];
    "product_action_execution" "interactive" "" &[];
    "product_custom_event_processing" "interactive" "" &[];
};

pub(crate) fn find(name: &str) -> Option<&'static EventType> {
    TYPES.iter().find(|event| event.name == name)
}

/// What a setup response says about an event.
pub(crate) fn definition(name: &str) -> EventDefinition {
    let known = find(name);
    let collection = known.map_or("requests", |event| event.collection);
    let has_statuses = known.is_none_or(|event| !event.statuses.is_empty());
    let field = if collection == "listing-requests" { "state" } else { "status" };
    let filter = if has_statuses {
        format!("and(eq(id,${{_object_id_}}),in({field},${{_statuses_}}))")
    } else {
        "eq(id,${_object_id_})".to_owned()
    };
    EventDefinition {
        event_type: name.to_owned(),
        api_resource_endpoint: Some(format!("{collection}/{{pk}}")),
        api_collection_endpoint: Some(collection.to_owned()),
        api_collection_filter: Some(filter),
    }
}

/// What REST says about all of them.
pub(crate) fn rest() -> Vec<Value> {
    let event = |(index, event): (usize, &EventType)| {
        json!({
            "id": index + 1,
            "source": "system",
            "type": event.name,
            "name": event.name.replace('_', " "),
            "category": event.category,
            "object_statuses": event.statuses,
        })
    };
    TYPES.iter().enumerate().map(event).collect()
}

/// The event that announces an asset request of this type.
pub(crate) fn of_request(request: &Value) -> String {
    format!("asset_{}_request_processing", request["type"].as_str().unwrap_or_default())
}
