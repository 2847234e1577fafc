//! What objects keep, whatever stands in them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unreadable_literal,
    reason = "a test"
)]

use connect_model::{AssetRequest, Parameter, RequestStatus};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn round_trip(value: &Value) -> Value {
    let request: AssetRequest = serde_json::from_value(value.clone()).unwrap();
    serde_json::to_value(&request).unwrap()
}

#[test]
fn empty_null_and_missing_stay_apart() {
    for value in [
        json!({}),
        json!({"id": "", "note": "", "reason": null, "asset": {}, "template": null}),
        json!({"asset": {"params": [], "items": null, "tiers": {"tier2": {}, "tier1": null}}}),
        json!({"asset": null, "status": "brand_new", "template": {}}),
    ] {
        assert_eq!(round_trip(&value), value);
    }
}

#[test]
fn what_does_not_fit_its_type_is_kept() {
    let value = json!({
        "id": 1559115188, "type": ["purchase"], "asset": {"params": [{"id": "a"}, 7, {"id": "b"}],
        "items": [{"quantity": 10}, {"quantity": "unlimited"}, {"quantity": 1.5}]},
    });
    assert_eq!(round_trip(&value), value);
    let request: AssetRequest = serde_json::from_value(value).unwrap();
    assert_eq!(request.id, "");
    assert_eq!(
        request.asset.items[1].quantity.as_ref().map(connect_model::Quantity::is_unlimited),
        Some(true)
    );
}

#[test]
fn a_change_wins_over_what_was_kept() {
    let mut request: AssetRequest =
        serde_json::from_value(json!({"id": "", "status": "pending", "note": null, "x": 1})).unwrap();
    request.id = "PR-1".into();
    request.note = Some("hello".into());
    request.status = RequestStatus::Approved;
    request.set_param("user_id", "U-1");
    let expected = json!({"id": "PR-1", "status": "approved", "note": "hello", "x": 1,
        "asset": {"params": [{"id": "user_id", "value": "U-1"}]}});
    assert_eq!(serde_json::to_value(&request).unwrap(), expected);
    assert_eq!(Value::from(request), expected);
}

#[test]
fn a_parameter_is_empty_without_any_value() {
    let empty = |value: Value| serde_json::from_value::<Parameter>(value).unwrap().is_empty();
    assert!(empty(json!({"id": "a"})));
    assert!(empty(json!({"id": "a", "value": "", "structured_value": {}})));
    assert!(empty(json!({"id": "a", "value": null, "structured_value": null})));
    assert!(!empty(json!({"id": "a", "value": "x"})));
    assert!(!empty(json!({"id": "a", "value": "", "structured_value": {"1": true}})));
}

#[test]
fn an_object_is_no_list() {
    let error = serde_json::from_str::<AssetRequest>("[]").unwrap_err().to_string();
    assert_eq!(error, "expected the object AssetRequest, found a list");
}

#[test]
fn a_number_keeps_its_last_digit() {
    let text = r#"{"new":96341306.37045717}"#;
    let request: AssetRequest = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&request).unwrap(), text);
}

#[test]
fn of_several_members_of_one_name_the_last_counts() {
    let last = |text: &str| {
        let request: AssetRequest = serde_json::from_str(text).unwrap();
        serde_json::to_string(&request).unwrap()
    };
    assert_eq!(last(r#"{"note":"a","note":"b"}"#), r#"{"note":"b"}"#);
    assert_eq!(last(r#"{"note":"a","note":1}"#), r#"{"note":1}"#);
    assert_eq!(last(r#"{"note":1,"note":"a"}"#), r#"{"note":"a"}"#);
    assert_eq!(last(r#"{"new":1,"new":2}"#), r#"{"new":2}"#);
    assert_eq!(last(r#"{"events":{"a":1,"a":{"at":"x"}}}"#), r#"{"events":{"a":{"at":"x"}}}"#);
    assert_eq!(last(r#"{"events":{"a":{"at":"x"},"a":1}}"#), r#"{"events":{"a":1}}"#);
}

#[test]
fn debug_shows_which_object_it_is_and_nobodys_data() {
    let request: AssetRequest = serde_json::from_value(json!({
        "id": "PR-1", "type": "purchase", "status": "brand_new", "note": "call Mrs Smith", "secret": "s3cret",
        "asset": {"id": "AS-1", "params": [{"id": "password", "value": "s3cret"}]}}))
    .unwrap();
    assert_eq!(
        format!("{request:?}"),
        r#"AssetRequest { id: "PR-1", type: Purchase, status: Other("brand_new"), .. }"#
    );
    assert_eq!(format!("{:?}", request.asset.params), r#"[Parameter { id: "password", .. }]"#);
    let mut request = request;
    request.set_param("password", "0ther");
    assert!(!format!("{:?}", request.params_update()).contains("0ther"));
}

#[test]
fn requests_are_small() {
    // 10,000 of them may wait at once. A larger one is no mistake, but should be meant.
    let sizes = [size_of::<AssetRequest>(), size_of::<Parameter>(), size_of::<connect_model::Item>()];
    assert!(sizes[0] <= 720 && sizes[1] <= 320 && sizes[2] <= 280, "{sizes:?}");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z]{0,6}".prop_map(Value::from),
        Just(json!("")),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(member(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Known and unknown names alike.
fn member() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "id",
            "type",
            "status",
            "asset",
            "params",
            "items",
            "quantity",
            "tiers",
            "customer",
            "value",
            "structured_value",
            "contact_info",
            "configuration",
            "product",
        ])
        .prop_map(str::to_owned),
        "[a-z_]{1,8}",
    ]
}

proptest! {
    #[test]
    fn any_object_goes_back_out_as_it_came(
        members in prop::collection::btree_map(member(), any_json(), 0..8)
    ) {
        let value = Value::Object(members.into_iter().collect());
        prop_assert_eq!(round_trip(&value), value);
    }
}
