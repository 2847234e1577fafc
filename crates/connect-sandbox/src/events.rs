//! The event types of Connect, and where their objects are.
//!
//! Source: Connect's page "Available events", the list of the runner's library, and the filter of the runner's own
//! tests. Collections that no source names follow the paths of the Open API.

use connect_model::{event::SCHEDULED_EXECUTION, wire::EventDefinition};

pub(crate) struct EventType {
    pub(crate) name: &'static str,
    pub(crate) category: &'static str,
    /// Empty where the task carries its data.
    collection: &'static str,
    /// The field of the status.
    field: &'static str,
    pub(crate) statuses: &'static [&'static str],
}

const ASSET: &[&str] = &["pending", "approved", "failed", "inquiring", "scheduled", "revoking", "revoked"];
const ASSET_PLAIN: &[&str] = &["pending", "approved", "failed", "scheduled", "revoking", "revoked"];
const TIER: &[&str] = &["draft", "tiers_setup", "pending", "approved", "failed", "inquiring"];
const VALIDATION: &[&str] = &["draft", "inquiring"];
const LISTING_REQUEST: &[&str] = &["draft", "reviewing", "deploying", "completed", "canceled"];

macro_rules! table {
    ($($name:literal $category:ident $collection:literal $field:ident $statuses:expr;)*) => {
        &[$(EventType {
            name: $name,
            category: stringify!($category),
            collection: $collection,
            field: stringify!($field),
            statuses: $statuses,
        },)*]
    };
}

const TYPES: &[EventType] = table! {
    "asset_purchase_request_processing" background "requests" status ASSET;
    "asset_change_request_processing" background "requests" status ASSET;
    "asset_adjustment_request_processing" background "requests" status ASSET;
    "asset_suspend_request_processing" background "requests" status ASSET_PLAIN;
    "asset_resume_request_processing" background "requests" status ASSET_PLAIN;
    "asset_cancel_request_processing" background "requests" status ASSET_PLAIN;
    "asset_renew_request_processing" background "requests" status ASSET;
    "asset_transfer_request_processing" background "requests" status ASSET;
    "asset_purchase_request_validation" interactive "" status VALIDATION;
    "asset_change_request_validation" interactive "" status VALIDATION;
    "asset_renew_request_validation" interactive "" status VALIDATION;
    "asset_transfer_request_validation" interactive "" status VALIDATION;
    "tier_config_setup_request_processing" background "tier/config-requests" status TIER;
    "tier_config_change_request_processing" background "tier/config-requests" status TIER;
    "tier_config_adjustment_request_processing" background "tier/config-requests" status TIER;
    "tier_config_setup_request_validation" interactive "" status VALIDATION;
    "tier_config_change_request_validation" interactive "" status VALIDATION;
    "product_action_execution" interactive "" status &[];
    "product_custom_event_processing" interactive "" status &[];
    "tier_account_update_request_processing" background "tier/account-requests" status
        &["pending", "accepted", "ignored"];
    "usage_file_request_processing" background "usage/files" status
        &["draft", "uploading", "uploaded", "invalid", "processing", "ready", "rejected", "pending", "accepted", "closed"];
    "part_usage_file_request_processing" background "usage/chunks" status &["draft", "ready", "closed", "failed"];
    "listing_request_processing" background "listing-requests" state LISTING_REQUEST;
    "listing_new_request_processing" background "listing-requests" state LISTING_REQUEST;
    "listing_remove_request_processing" background "listing-requests" state LISTING_REQUEST;
    "listing_processing" background "listings" status &["unlisted", "listed"];
    "installation_status_change" background "devops/installations" status &["installed", "uninstalled"];
    "helpdesk_case_processing" background "helpdesk/cases" state &["pending", "inquiring", "resolved", "closed"];
    "contract_changed" background "contracts" status
        &["new", "enrolling", "pending", "active", "terminated", "rejected"];
    "product_changed" background "products" status
        &["draft", "indevelopment", "oncertification", "published", "initializationfailed", "deleted", "endofsale"];
    "pricelist_version_changed" background "pricing/versions" status
        &["draft", "processing", "scheduled", "active", "expired"];
    "translation_change" background "localization/translations" status &[];
    "scheduled_execution" scheduled "" status &[];
};

/// What a setup response says about an event; `schedules` is the path of the environment's schedules.
pub(crate) fn definition(name: &str, schedules: &str) -> EventDefinition {
    let known = TYPES.iter().find(|event| event.name == name);
    let collection = match known.map(|event| event.collection) {
        _ if name == SCHEDULED_EXECUTION => schedules,
        Some(collection) => collection,
        // An event of a later Connect; most are about requests.
        None => "requests",
    };
    let filter = match known {
        Some(event) if event.statuses.is_empty() => "eq(id,${_object_id_})".to_owned(),
        _ => {
            let field = known.map_or("status", |event| event.field);
            format!("and(eq(id,${{_object_id_}}),in({field},${{_statuses_}}))")
        }
    };
    // The original's runner takes no null there, even where it needs neither.
    let resource = if collection.is_empty() { String::new() } else { format!("{collection}/{{pk}}") };
    EventDefinition {
        event_type: name.to_owned(),
        api_resource_endpoint: Some(resource),
        api_collection_endpoint: Some(collection.to_owned()),
        api_collection_filter: Some(filter),
    }
}

/// How an event is handled: background, interactive or scheduled; empty where that is unknown.
pub(crate) fn category(name: &str) -> &'static str {
    TYPES.iter().find(|event| event.name == name).map_or("", |event| event.category)
}

pub(crate) fn all() -> &'static [EventType] {
    TYPES
}

/// The type of the objects that a background event is about; none where it is about all of its collection.
fn kind(event: &EventType) -> Option<&'static str> {
    let name = event.name;
    Some(match event.collection {
        "requests" => name.strip_prefix("asset_")?.strip_suffix("_request_processing")?,
        "tier/config-requests" => match name {
            "tier_config_setup_request_processing" => "setup",
            // REST never says "change" of tier configs.
            "tier_config_change_request_processing" => "update",
            _ => "adjustment",
        },
        "listing-requests" if name == "listing_new_request_processing" => "new",
        "listing-requests" if name == "listing_remove_request_processing" => "remove",
        _ => return None,
    })
}

/// The collection whose objects an event announces, and the type that they have.
pub(crate) fn subject(name: &str) -> Option<(&'static str, Option<&'static str>)> {
    let event = TYPES.iter().find(|event| event.name == name && event.category == "background")?;
    Some((event.collection, kind(event)))
}

/// The events that announce an object of a collection.
pub(crate) fn announcing(collection: &str, object_kind: &str) -> impl Iterator<Item = &'static str> {
    let announces = move |event: &&EventType| {
        event.category == "background"
            && event.collection == collection
            && kind(event).is_none_or(|kind| kind == object_kind)
    };
    TYPES.iter().filter(announces).map(|event| event.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_say_where_and_which() {
        let of = |name: &str| {
            let definition = definition(name, "devops/services/S/environments/E/schedules");
            (
                definition.api_collection_endpoint.unwrap_or_default(),
                definition.api_resource_endpoint.unwrap_or_default(),
                definition.api_collection_filter.unwrap_or_default(),
            )
        };
        let by_status = "and(eq(id,${_object_id_}),in(status,${_statuses_}))";
        let expected = |collection: &str, filter: &str| {
            (collection.to_owned(), format!("{collection}/{{pk}}"), filter.to_owned())
        };
        assert_eq!(of("asset_change_request_processing"), expected("requests", by_status));
        assert_eq!(of("tier_config_setup_request_processing"), expected("tier/config-requests", by_status));
        let by_state = "and(eq(id,${_object_id_}),in(state,${_statuses_}))";
        assert_eq!(of("helpdesk_case_processing"), expected("helpdesk/cases", by_state));
        assert_eq!(of("translation_change"), expected("localization/translations", "eq(id,${_object_id_})"));
        let schedules = "devops/services/S/environments/E/schedules";
        assert_eq!(of("scheduled_execution"), expected(schedules, "eq(id,${_object_id_})"));
        assert_eq!(of("product_action_execution").0, "", "its data is in the task");
        assert_eq!(of("offer_changed"), expected("requests", by_status));
    }

    #[test]
    fn objects_are_announced_by_their_type() {
        let of = |collection: &str, kind: &str| announcing(collection, kind).collect::<Vec<_>>();
        assert_eq!(of("requests", "purchase"), ["asset_purchase_request_processing"]);
        assert_eq!(of("tier/config-requests", "update"), ["tier_config_change_request_processing"]);
        assert_eq!(
            of("listing-requests", "new"),
            ["listing_request_processing", "listing_new_request_processing"]
        );
        assert_eq!(of("usage/files", ""), ["usage_file_request_processing"]);
        assert!(of("requests", "explode").is_empty() && of("", "").is_empty());
        assert_eq!(subject("asset_cancel_request_processing"), Some(("requests", Some("cancel"))));
        assert_eq!(subject("product_action_execution"), None);
    }

    #[test]
    fn the_table_names_what_the_model_does() {
        let background = connect_model::event::ASSET_PURCHASE_REQUEST_PROCESSING;
        for name in [
            background.name(),
            connect_model::event::PRODUCT_ACTION_EXECUTION.name(),
            connect_model::event::LISTING_PROCESSING.name(),
            connect_model::event::PART_USAGE_FILE_REQUEST_PROCESSING.name(),
            SCHEDULED_EXECUTION,
        ] {
            assert!(TYPES.iter().any(|event| event.name == name), "{name}");
        }
        let ids: std::collections::BTreeSet<&str> = TYPES.iter().map(|event| event.name).collect();
        assert_eq!(ids.len(), TYPES.len());
    }
}
