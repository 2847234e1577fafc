//! What is sent of what was changed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use connect_model::{AssetRequest, Parameter, Params, ParamsExt, TierConfigRequest, ValidationResponse};
use proptest::prelude::*;
use serde_json::{Value, json};

fn request(params: &Value) -> AssetRequest {
    serde_json::from_value(json!({"id": "PR-1", "asset": {"id": "AS-1", "params": params}})).unwrap()
}

fn body(request: &AssetRequest) -> Value {
    serde_json::to_value(request.params_update()).unwrap()
}

fn three() -> AssetRequest {
    request(&json!([
        {"id": "a", "value": "1", "type": "text", "title": "A"},
        {"id": "b", "value": "", "structured_value": {"x": true, "y": false}, "type": "checkbox"},
        {"id": "c", "value": "3", "value_error": "is wrong"},
    ]))
}

#[test]
fn nothing_changed_is_nothing_to_send() {
    let request = three();
    assert!(request.params_update().is_empty());
    assert!(request.clone().params_update().is_empty());
    assert!(request.params_update_since(&request.asset.params).is_empty());
}

#[test]
fn only_what_changed_is_sent_however_it_was_changed() {
    let mut request = three();
    request.set_param("a", "2");
    request.param_mut("b").unwrap().structured_value = Some(Box::new(json!({"x": true, "y": true})));
    request.asset.params[2].value_error = None;
    request.asset.params.push(Parameter::new("d", "4"));
    request.asset.params.push(Parameter { id: "e".into(), ..Parameter::default() });
    request.set_param_error("f", "is missing");
    assert_eq!(
        body(&request),
        json!({"asset": {"params": [
            {"id": "a", "value": "2"},
            {"id": "b", "structured_value": {"x": true, "y": true}},
            {"id": "c", "value_error": ""},
            {"id": "d", "value": "4"},
            {"id": "f", "value_error": "is missing"},
        ]}})
    );
}

#[test]
fn what_was_changed_back_is_not_sent() {
    let mut request = three();
    request.set_param("a", "2");
    request.set_param("a", "1");
    assert!(request.params_update().is_empty());
}

#[test]
fn what_was_emptied_is_sent_empty() {
    let mut request = three();
    request.param_mut("a").unwrap().value = None;
    request.param_mut("b").unwrap().structured_value = None;
    request.clear_param_error("c");
    assert_eq!(
        body(&request),
        json!({"asset": {"params": [
            {"id": "a", "value": ""}, {"id": "b", "structured_value": null}, {"id": "c", "value_error": ""}]}})
    );
}

#[test]
fn a_change_can_be_taken_as_read() {
    let mut request = three();
    request.set_param("a", "2");
    let before: Params = request.asset.params.clone();
    request.asset.params.mark_as_read();
    assert!(request.params_update().is_empty());
    request.set_param("c", "4");
    let expected = json!({"asset": {"params": [{"id": "c", "value": "4"}]}});
    assert_eq!(body(&request), expected);
    assert_eq!(serde_json::to_value(request.params_update_since(&before)).unwrap(), expected);
}

#[test]
fn a_tier_config_request_has_its_parameters_at_the_top() {
    let mut request: TierConfigRequest =
        serde_json::from_value(json!({"id": "TCR-1", "params": [{"id": "a", "value": "1"}]})).unwrap();
    request.set_param("a", "2");
    let update = request.params_update();
    assert_eq!(serde_json::to_value(&update).unwrap(), json!({"params": [{"id": "a", "value": "2"}]}));
    assert!(update.params()[0].changes_value() && !update.params()[0].changes_error());
}

#[test]
fn a_validation_answers_the_request_with_its_errors() {
    let mut request = three();
    let valid = request.asset.params.validate(|param| (param.id == "a").then(|| "is taken".to_owned()));
    assert!(!valid);
    assert_eq!(request.asset.params.invalid().map(|param| param.id.as_str()).collect::<Vec<_>>(), ["a"]);
    let answered = Value::from(&request);
    assert_eq!(answered["asset"]["params"][0]["value_error"], "is taken");
    assert_eq!(answered["asset"]["params"][2]["value_error"], "", "an old error is taken away");
    let _ = ValidationResponse::done(request);
}

/// Id, value, structured value, error.
type AnyParam = (String, Option<String>, Option<bool>, Option<String>);

fn params() -> impl Strategy<Value = Vec<AnyParam>> {
    let text = || prop::option::of("[ab]{0,2}");
    prop::collection::vec(("[a-d]", text(), prop::option::of(any::<bool>()), text()), 0..5)
}

fn as_params(list: &[AnyParam]) -> Params {
    let mut params = Params::new();
    for (id, value, structured, error) in list {
        let param = params.param_or_new(id);
        param.value.clone_from(value);
        param.structured_value = structured.map(|value| Box::new(json!({"x": value})));
        param.value_error.clone_from(error);
    }
    params
}

proptest! {
    /// Connect applies an update to what it has: then it has what the request has.
    #[test]
    fn an_applied_update_gives_what_was_meant(before in params(), after in params()) {
        let mut request = request(&serde_json::to_value(as_params(&before)).unwrap());
        let read = request.asset.params.clone();
        for wanted in as_params(&after) {
            let param = request.asset.params.param_or_new(&wanted.id);
            param.value = wanted.value;
            param.structured_value = wanted.structured_value;
            param.value_error = wanted.value_error;
        }
        prop_assert_eq!(request.params_update(), request.params_update_since(&read));
        let mut connect = read;
        for update in body(&request)["asset"]["params"].as_array().unwrap() {
            let param = connect.param_or_new(update["id"].as_str().unwrap());
            if let Some(value) = update.get("value") {
                param.value = value.as_str().map(str::to_owned);
            }
            if let Some(value) = update.get("structured_value") {
                param.structured_value = (!value.is_null()).then(|| Box::new(value.clone()));
            }
            if let Some(error) = update.get("value_error") {
                param.value_error = error.as_str().map(str::to_owned);
            }
        }
        for wanted in &request.asset.params {
            let default = Parameter::default();
            let param = connect.param(&wanted.id).unwrap_or(&default);
            prop_assert_eq!(param.value(), wanted.value());
            prop_assert_eq!(param.structured_value(), wanted.structured_value());
            prop_assert_eq!(param.value_error(), wanted.value_error());
        }
    }
}
