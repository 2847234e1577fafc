//! What tests and tools make objects with.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::HashSet;

use connect_model::{
    AssetStatus, Item, ItemChange, Parameter, ParameterType, ParamsExt, RequestStatus, RequestType, Tier,
    TierConfigRequestType, build::Generator, timestamp,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// What is written is read as the same, and into the types: nothing is left over.
fn survives<T: Serialize + DeserializeOwned + PartialEq + Into<Value> + Clone>(object: &T) -> Value {
    let written = serde_json::to_value(object).unwrap();
    assert_eq!(written, object.clone().into());
    assert!(serde_json::from_value::<T>(written.clone()).unwrap() == *object, "{written:#}");
    written
}

#[test]
fn everything_that_is_made_is_written_and_read_as_the_same() {
    let mut make = Generator::seeded(3);
    let asset = make.asset();
    let mut ids = HashSet::new();
    for object in [
        survives(&make.purchase()),
        survives(&make.change()),
        survives(&make.cancel()),
        survives(&make.draft()),
        survives(&asset),
        survives(&make.tier_config_setup()),
        survives(&make.tier_configuration()),
        survives(&make.tier_account_request()),
        survives(&make.customer()),
        survives(&make.reseller()),
        survives(&make.connection()),
        survives(&make.product()),
        survives(&make.product_item("PRD-1")),
        survives(&make.parameter_definition("PRD-1", "domain")),
        survives(&make.template("asset", "fulfillment")),
        survives(&make.vendor()),
        survives(&make.distributor()),
        survives(&make.marketplace()),
        survives(&make.hub()),
        survives(&make.contract()),
        survives(&make.listing()),
        survives(&make.listing_request()),
        survives(&make.usage_file()),
        survives(&make.usage_chunk()),
        survives(&make.schedule("refresh")),
        survives(&make.installation()),
        survives(&make.case()),
        survives(&make.user()),
    ] {
        let id = object["id"].as_str().unwrap().to_owned();
        assert!(id.contains('-') && ids.insert(id.clone()), "{id}");
    }
    survives(&make.product_action("sso", &asset));
    survives(&make.custom_event(json!({"a": 1})));
    survives(&make.address());
    survives(&make.phone_number());
}

#[test]
fn the_same_seed_makes_the_same() {
    let purchases = |seed| {
        let mut make = Generator::seeded(seed);
        [make.purchase(), make.purchase()]
    };
    assert_eq!(purchases(1), purchases(1));
    assert_ne!(purchases(1), purchases(2));
    assert_ne!(purchases(1)[0], purchases(1)[1]);
    let mut by_chance = Generator::new();
    let again = Generator::seeded(by_chance.seed()).purchase();
    assert_eq!(by_chance.purchase(), again);
}

#[test]
fn ids_have_the_forms_of_connect() {
    let mut make = Generator::seeded(5);
    let shape = |id: &str| id.chars().map(|c| if c.is_ascii_digit() { 'd' } else { c }).collect::<String>();
    let purchase = make.purchase();
    assert_eq!(shape(&purchase.id), "PR-dddd-dddd-dddd-ddd");
    assert_eq!(shape(&purchase.asset.id), "AS-dddd-dddd-dddd");
    assert_eq!(purchase.id[3..17], purchase.asset.id[3..], "the request repeats the digits of its asset");
    assert_eq!(shape(&purchase.product().unwrap().id), "PRD-ddd-ddd-ddd");
    assert_eq!(shape(&purchase.connection().unwrap().id), "CT-dddd-dddd");
    assert_eq!(shape(&purchase.asset.items[0].id), "PRD_ddd_ddd_ddd_dddd");
    assert_eq!(shape(&purchase.customer().unwrap().id), "TA-dddd-dddd-dddd");
    assert_eq!(shape(&make.tier_config_setup().id), "TCR-ddd-ddd-ddd-ddd");
    assert_eq!(shape(&make.schedule("m").id), "EFS-dddd-dddd-dd-dddd");
    let uuid = make.uuid();
    assert!(uuid.len() == 36 && uuid[14..15] == *"4" && "89ab".contains(&uuid[19..20]), "{uuid}");
    let created = purchase.created.unwrap();
    assert!(created.ends_with("+00:00") && timestamp(&created).is_ok() && created.starts_with("2026-01-01T"));
}

#[test]
fn requests_stand_where_their_type_finds_them() {
    use ItemChange::{Gone, Grown, New, Unchanged};

    let mut make = Generator::seeded(9);
    let mut changes = |of: RequestType| {
        let request = make.asset_request(of);
        let changes: Vec<_> = request.item_changes().unwrap().into_iter().map(|(_, change)| change).collect();
        (request.asset.status.clone(), changes)
    };
    assert_eq!(changes(RequestType::Purchase), (AssetStatus::Processing, vec![New, New]));
    assert_eq!(changes(RequestType::Change), (AssetStatus::Active, vec![Grown, Unchanged]));
    assert_eq!(changes(RequestType::Cancel), (AssetStatus::Terminating, vec![Gone, Gone]));
    assert_eq!(changes(RequestType::Suspend), (AssetStatus::Active, vec![Unchanged, Unchanged]));
    assert_eq!(changes(RequestType::Resume), (AssetStatus::Suspended, vec![Unchanged, Unchanged]));
}

#[test]
fn setters_set_what_they_name_and_keep_the_rest() {
    let mut make = Generator::seeded(11);
    let account = make.customer();
    let request = make
        .purchase()
        .with_status(RequestStatus::Inquiring)
        .with_params([make.parameter("domain"), make.parameter("options").with_type(ParameterType::Checkbox)])
        .with_param("domain", "example.com")
        .with_param("options", json!({"backup": true}))
        .with_param("seats", 3)
        .with_param_error("domain", "is taken")
        .with_configuration_param("offline_mode_list", json!(["AS-1"]))
        .with_connection("CT-1", "preview")
        .with_connection_vendor("VA-1", "A vendor")
        .with_product("PRD-1")
        .with_tier(Tier::Customer, account.clone())
        .with_tier("tier2", account.clone())
        .with_items([Item::new("seats", 10).with_mpn("MPN-A"), Item::new("disk", "0.5")])
        .with_item_param("MPN-A", "sku", "S-1")
        .with_item(Item::new("seats", 20).with_mpn("MPN-A"))
        .with_assignee("UR-1", "A user", "user@example.com")
        .with_event("approved", "2026-02-01T00:00:00+00:00")
        .with_template("TL-1")
        .with_member("new_in_2027", json!({"kept": true}));
    assert_eq!(request.try_param("domain").unwrap().title.as_deref(), Some("Parameter domain title"));
    assert_eq!(request.try_param("domain").unwrap().value_error(), Some("is taken"));
    assert!(request.try_param("options").unwrap().checkbox().unwrap().is_checked("backup"));
    assert_eq!(request.try_param("seats").unwrap().parse::<u32>().unwrap(), 3);
    assert!(request.connection().unwrap().hub.is_some(), "the rest of the connection stays");
    assert!(request.product().unwrap().name.is_some(), "and the name of the product");
    assert_eq!(request.tier("tier2"), Some(&account));
    assert_eq!(
        request.item_param("seats", "sku").unwrap().value(),
        Some("S-1"),
        "parameters of an item stay"
    );
    assert_eq!(request.item("MPN-A").unwrap().quantity.as_ref().unwrap().to_text(), "20");
    assert_eq!(request.events.as_ref().unwrap()["approved"].at.as_deref(), Some("2026-02-01T00:00:00+00:00"));
    let written = survives(&request);
    assert_eq!(written["new_in_2027"]["kept"], true);
    assert!(request.without_member("new_in_2027").extra.is_empty());

    let request = make
        .tier_config_request(TierConfigRequestType::Update)
        .with_param("region", "eu")
        .with_account(account.clone())
        .with_tier_level(2)
        .without_param("region");
    assert!(request.params.is_empty() && request.account() == Some(&account));
    survives(&request);
}

#[test]
fn what_connect_has_stays_known_when_a_parameter_is_set_whole() {
    let text = json!({"asset": {"params": [{"id": "domain", "value": "example.com"}]}}).to_string();
    let request: connect_model::AssetRequest = serde_json::from_str(&text).unwrap();
    let same = request.clone().with_params([Parameter::new("domain", "example.com")]);
    assert!(same.params_update().is_empty());
    let other = request.with_params([Parameter::new("domain", "example.org")]);
    assert_eq!(other.params_update().params().len(), 1);
    let mut made = Generator::seeded(1).purchase().with_param("domain", "example.com");
    assert!(!made.params_update().is_empty(), "what was never read is new to Connect");
    made.asset.params.mark_as_read();
    assert!(made.params_update().is_empty());
}
