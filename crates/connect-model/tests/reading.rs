//! What one reads in real requests.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use std::{fs, path::PathBuf};

use connect_model::{
    AssetRequest, ConnectionType, Item, ItemChange, ItemErrorKind, Parameter, ParameterErrorKind,
    ParameterType, ParameterValue, Quantity, Request, Tier, TierConfigRequest, timestamp,
};
use serde_json::{Value, json};

/// A sample; none only on a machine that has no samples and is not the gate.
fn sample(file: &str) -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(file);
    if let Ok(text) = fs::read(&path) {
        return Some(serde_json::from_slice(&text).unwrap());
    }
    assert!(std::env::var_os("CI").is_none(), "the sample is missing: {}", path.display());
    eprintln!("skipped: no sample at {}", path.display());
    None
}

fn param(value: Value) -> Parameter {
    serde_json::from_value(value).unwrap()
}

#[test]
fn an_asset_request_is_read_as_people_read_it() {
    let Some(sample) = sample("asset-request-purchase-pending.json") else { return };
    let request: AssetRequest = serde_json::from_value(sample).unwrap();
    assert_eq!(request.id, "PR-4405-9454-9305-001");
    assert_eq!(request.r#type, connect_model::RequestType::Purchase);
    assert_eq!(request.status, "pending");
    assert_eq!(request.value("tenantId"), Some("12345"));
    assert_eq!(request.configuration_param("templateId").and_then(Parameter::value), Some("TL-313-655-502"));
    assert_eq!(request.item("Free").unwrap().quantity.as_ref().unwrap().as_f64(), Some(15.0));
    assert_eq!(request.item("Free").unwrap().change().unwrap(), ItemChange::New);
    assert_eq!(request.customer().unwrap().name.as_deref(), Some("Hintz - Grady"));
    assert!(request.tier(Tier::Tier1).is_some());
    assert!(request.tier("tier2").is_none(), "an empty tier is none");
    assert!(request.tier("tier3").is_none());
    let connection = request.connection().unwrap();
    assert_eq!(connection.r#type, ConnectionType::Preview);
    for party in [request.provider(), request.vendor(), request.product(), request.marketplace()] {
        assert!(!party.unwrap().id.is_empty());
    }
    assert!(request.hub().unwrap().id.starts_with("HB-"));
    assert!(request.created_at().unwrap().unwrap() < request.updated_at().unwrap().unwrap());
    assert!(request.planned_at().unwrap().is_none());
}

#[test]
fn a_tier_config_request_is_read_as_people_read_it() {
    let Some(sample) = sample("tier-config-request-t1-with-parent-t2.json") else { return };
    let request: TierConfigRequest = serde_json::from_value(sample).unwrap();
    assert_eq!(request.configuration.tier_level, Some(1));
    assert_eq!(request.parent_configuration.as_ref().unwrap().tier_level, Some(2));
    assert!(request.account().is_some() && request.product().is_some() && request.marketplace().is_some());
    assert!(request.tier(Tier::Tier2).is_some());
    let events = request.events.as_ref().unwrap();
    assert!(events.timestamp("approved").unwrap().is_some());
    assert!(events.timestamp("no such event").unwrap().is_none());
}

#[test]
fn values_are_read_as_their_type_says() {
    let Some(sample) = sample("asset-request-purchase-with-inquiry-template.json") else { return };
    let request: AssetRequest = serde_json::from_value(sample).unwrap();
    let mut seen = 0;
    for param in &request.asset.params {
        let typed = param.typed();
        match (&param.r#type, &typed) {
            (ParameterType::Address, Ok(ParameterValue::Address(address))) => {
                assert!(address.country.is_some() && address.extra.is_empty());
            }
            (ParameterType::Phone, Ok(ParameterValue::Phone(phone))) => {
                assert!(phone.country_code.is_some() && phone.extra.is_empty());
            }
            (ParameterType::Checkbox, Ok(ParameterValue::Checkbox(options))) => {
                assert!(options.iter().count() > 0);
            }
            (_, Ok(ParameterValue::Text(text))) => assert_eq!(Some(*text), param.value()),
            (_, Ok(_)) => {}
            (_, Err(error)) => assert_eq!(error.kind(), &ParameterErrorKind::Empty, "{error}"),
        }
        seen += usize::from(typed.is_ok());
    }
    assert!(seen >= 3, "{seen}");
}

#[test]
fn errors_name_the_parameter_and_show_no_value() {
    let request: AssetRequest = serde_json::from_value(json!({"asset": {
        "params": [{"id": "seats", "value": "s3cret"}, {"id": "empty", "value": ""}],
        "items": [{"id": "i", "mpn": "MPN-A"}]}}))
    .unwrap();
    let text = |error: connect_model::ParameterError| error.to_string();
    let seats = request.try_param("seats").unwrap();
    for (error, expected) in [
        (text(request.try_param("nope").unwrap_err()), "there is no parameter \"nope\""),
        (
            text(request.try_configuration_param("nope").unwrap_err()),
            "there is no parameter \"nope\" of the configuration",
        ),
        (text(request.try_param("empty").unwrap().text().unwrap_err()), "parameter \"empty\" has no value"),
        (text(seats.parse::<u32>().unwrap_err()), "the value of parameter \"seats\" is not a valid u32"),
        (text(seats.domain().unwrap_err()), "the value of parameter \"seats\" is not a domain"),
        (text(seats.email().unwrap_err()), "the value of parameter \"seats\" is not a mail address"),
        (text(seats.url().unwrap_err()), "the value of parameter \"seats\" is not an address on the web"),
        (
            text(seats.address().unwrap_err()),
            "the value of parameter \"seats\" is not an address in its parts",
        ),
        (
            text(seats.object::<Vec<u32>>().unwrap_err()),
            "the value of parameter \"seats\" is not JSON of the form that was asked for",
        ),
        (text(seats.checkbox().unwrap_err()), "parameter \"seats\" has no value"),
        (
            request.item_param("MPN-A", "sku").unwrap_err().to_string(),
            "there is no parameter \"sku\" of item \"MPN-A\"",
        ),
    ] {
        assert_eq!(error, expected);
    }
}

#[test]
fn texts_of_a_form_are_checked() {
    let text = |value: &str| Parameter::new("p", value);
    assert_eq!(text(" 12 ").parse::<u32>().unwrap(), 12);
    assert!(text("true").parse::<bool>().unwrap());
    for good in ["example.com", "a-b.example.co.uk", "bücher.example"] {
        assert_eq!(text(good).domain().unwrap(), good);
    }
    for bad in ["example", "-a.example", "a..b", "a b.example", ".example", "example."] {
        assert!(text(bad).domain().is_err(), "{bad}");
    }
    assert_eq!(text("a@b.example").email().unwrap(), "a@b.example");
    assert!(text("@b.example").email().is_err());
    assert_eq!(text("https://example.com/x?y=z").url().unwrap(), "https://example.com/x?y=z");
    for bad in ["example.com", "https://", "://x", "1a://x", "https:///x", "https://a b"] {
        assert!(text(bad).url().is_err(), "{bad}");
    }
}

#[test]
fn a_subdomain_is_cut_where_its_domain_begins() {
    let host = |host: &str| {
        param(json!({"id": "host", "type": "subdomain", "value": host,
            "constraints": {"choices": [{"value": "example.com"}, {"value": "shop.example.com"}]}}))
    };
    let cut =
        |param: &Parameter| param.subdomain().map(|s| (s.name.to_owned(), s.domain.to_owned())).unwrap();
    assert_eq!(cut(&host("me.shop.example.com")), ("me".into(), "shop.example.com".into()));
    assert_eq!(cut(&host("a.b.example.com")), ("a.b".into(), "example.com".into()));
    assert_eq!(cut(&host("a.other.example")), ("a".into(), "other.example".into()));
    assert_eq!(cut(&host("notexample.com")), ("notexample".into(), "com".into()));
}

#[test]
fn old_forms_are_read() {
    let param =
        param(json!({"id": "p", "constraints": {"required": "True", "hidden": "False", "unique": true}}));
    let constraints = param.constraints.as_ref().unwrap();
    assert!(param.is_required() && constraints.is_unique());
    assert!(!constraints.is_hidden() && !constraints.is_readonly());
    let account: connect_model::TierAccount =
        serde_json::from_value(json!({"external_id": 1_001_000})).unwrap();
    assert_eq!(account.external_id().as_deref(), Some("1001000"));
}

#[test]
fn a_request_of_either_kind_says_which_it_is() {
    let read = |value: Value| serde_json::from_value::<Request>(value);
    assert!(read(json!({"type": "adjustment", "asset": {}})).unwrap().is_asset_request());
    assert!(read(json!({"type": "adjustment", "configuration": {}})).unwrap().is_tier_config_request());
    assert!(read(json!({"type": "renew"})).unwrap().is_asset_request());
    assert!(read(json!({"type": "setup"})).unwrap().is_tier_config_request());
    assert!(read(json!({"type": "brand_new", "asset": {"id": "AS-1"}})).unwrap().asset_id() == Some("AS-1"));
    for unclear in [json!({"type": "adjustment"}), json!({"type": "brand_new"}), json!({}), json!([])] {
        let error = read(unclear).unwrap_err().to_string();
        assert!(error.starts_with("neither an asset request nor a tier config request"), "{error}");
    }
    let value = json!({"id": "PR-1", "new": 1, "asset": {"tiers": {"customer": {"id": "TA-1"}}}});
    let mut request = read(value.clone()).unwrap();
    assert_eq!(Value::from(&request), value);
    assert_eq!(request.account().unwrap().id, "TA-1");
    assert_eq!((request.tier_config_id(), request.as_tier_config_request()), (None, None));
    request.set_param("a", "b");
    assert_eq!(request.value("a"), Some("b"));
    assert_eq!(request.params_update().params()[0].id(), "a");
}

#[test]
fn items_are_new_grown_shrunk_gone_or_unchanged() {
    use ItemChange::{Gone, Grown, New, Shrunk, Unchanged};

    let change = |old: Value, new: Value| {
        let item: Item =
            serde_json::from_value(json!({"id": "i", "quantity": new, "old_quantity": old})).unwrap();
        item.change().map_err(|error| error.kind())
    };
    for (old, new, expected) in [
        (json!("0"), json!("5"), New),
        (json!(null), json!("5"), New),
        (json!("5"), json!("7"), Grown),
        (json!("9"), json!("10"), Grown),
        (json!(7), json!("5"), Shrunk),
        (json!("0.1"), json!(0), Gone),
        (json!(10), json!("10.0"), Unchanged),
        (json!(10.0), json!("1e1"), Unchanged),
        (json!("0"), json!("0"), Unchanged),
        (json!("5"), json!("unlimited"), Grown),
        (json!("0"), json!("unlimited"), New),
        (json!("unlimited"), json!("5"), Shrunk),
        (json!("unlimited"), json!("0"), Gone),
        (json!("unlimited"), json!("unlimited"), Unchanged),
        (json!("0.00000001"), json!("0.00000002"), Grown),
        (json!("123456789012345678.12345678"), json!("123456789012345678.12345679"), Grown),
    ] {
        assert_eq!(change(old.clone(), new.clone()), Ok(expected), "{old} {new}");
    }
    assert_eq!(change(json!("0"), json!(null)), Err(ItemErrorKind::NoQuantity));
    assert_eq!(change(json!("0"), json!("some")), Err(ItemErrorKind::InvalidQuantity));
    assert_eq!(change(json!("0"), json!([1])), Err(ItemErrorKind::InvalidQuantity));
    assert_eq!(change(json!(true), json!("1")), Err(ItemErrorKind::InvalidOldQuantity));
    let item: Item = serde_json::from_value(json!({"id": "i", "quantity": "x"})).unwrap();
    assert_eq!(
        item.change().unwrap_err().to_string(),
        "the quantity of item \"i\" is neither a number nor \"unlimited\""
    );
}

#[test]
fn quantities_are_written_as_their_precision_wants() {
    use connect_model::Precision;
    let written = |quantity: &str, precision: &str| {
        Quantity::from(quantity).with_precision(&precision.into()).map(|quantity| quantity.to_text())
    };
    assert_eq!(written("10", "decimal(2)").as_deref(), Some("10.00"));
    assert_eq!(written("10.50", "Decimal(1)").as_deref(), Some("10.5"));
    assert_eq!(written("10.000", "integer").as_deref(), Some("10"));
    assert_eq!(written("unlimited", "integer").as_deref(), Some("unlimited"));
    assert_eq!(written("10.55", "decimal(1)"), None);
    assert_eq!(written("ten", "integer"), None);
    assert_eq!(written("10", "decimal(3)"), None);
    assert_eq!(Precision::Decimal8.decimals(), Some(8));
    assert!(Quantity::unlimited().is_unlimited() && !Quantity::from(3).is_unlimited());
}

#[test]
fn moments_are_read_in_all_their_forms() {
    let same = [
        "2020-05-27T15:00:29+00:00",
        "2020-05-27T15:00:29Z",
        "2020-05-27T17:00:29+02:00",
        "2020-05-27T15:00:29",
    ];
    for text in same {
        assert_eq!(timestamp(text).unwrap(), timestamp(same[0]).unwrap(), "{text}");
    }
    assert!(timestamp("2019-05-22T09:36:12.848598+00:00").is_ok() && timestamp("2020-06-01").is_ok());
    assert_eq!(timestamp("soon").unwrap_err().to_string(), "not a moment in ISO 8601: \"soon\"");
}
