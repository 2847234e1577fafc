//! No input makes a panic, and none is lost: what the fuzzer does, with inputs that are made.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod exercise;

use connect_model::build::Generator;
use proptest::prelude::*;
use serde_json::{Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "0",
            "unlimited",
            "1e9999",
            "-1",
            "2020-05-27",
            "a.example.com",
            "a@b",
            "x://y"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{0,8}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A request, with one of its values exchanged.
fn any_request() -> impl Strategy<Value = Value> {
    let requests = (any::<u64>(), any::<bool>()).prop_map(|(seed, asset)| {
        let mut make = Generator::seeded(seed);
        let params = [
            ("text", json!("a.example.com")),
            ("checkbox", json!({"a": true})),
            ("address", json!({"city": "Porto"})),
            ("phone", json!({"country_code": "+1"})),
            ("object", json!({"a": [1]})),
            ("subdomain", json!("a.b.example.com")),
        ]
        .map(|(of, value)| {
            let mut param = make.parameter(of);
            param.r#type = of.into();
            (param, value)
        });
        if asset {
            let mut request = make.purchase();
            for (param, value) in params {
                let id = param.id.clone();
                request = request.with_params([param]).with_param(&id, value);
            }
            Value::from(request)
        } else {
            let mut request = make.tier_config_setup();
            for (param, value) in params {
                let id = param.id.clone();
                request = request.with_params([param]).with_param(&id, value);
            }
            Value::from(request)
        }
    });
    (requests, any::<prop::sample::Index>(), any_json()).prop_map(|(mut request, at, value)| {
        let mut pointers = Vec::new();
        pointers_of(&request, "", &mut pointers);
        let pointer = at.get(&pointers[..]);
        *request.pointer_mut(pointer).unwrap() = value;
        request
    })
}

fn pointers_of(value: &Value, path: &str, found: &mut Vec<String>) {
    let mut add = |name: &str, value: &Value| {
        let path = format!("{path}/{name}");
        pointers_of(value, &path, found);
        found.push(path);
    };
    match value {
        Value::Array(list) => list.iter().enumerate().for_each(|(at, value)| add(&at.to_string(), value)),
        Value::Object(members) => members.iter().for_each(|(name, value)| add(name, value)),
        _ => {}
    }
}

/// A text with some of its bytes exchanged.
fn damaged(text: String, damage: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let mut text = text.into_bytes();
    for (at, byte) in damage {
        let at = at.index(text.len());
        text[at] = *byte;
    }
    text
}

proptest! {
    #[test]
    fn any_value_in_a_request(request in any_request()) {
        exercise::object(request.to_string().as_bytes());
    }

    #[test]
    fn a_damaged_request(
        request in any_request(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        exercise::object(&damaged(request.to_string(), &damage));
    }

    #[test]
    fn any_bytes(text in prop::collection::vec(any::<u8>(), 0..64)) {
        exercise::object(&text);
        exercise::frame(&String::from_utf8_lossy(&text));
    }

    #[test]
    fn any_frame(
        of in prop::sample::select(vec!["task", "setup_request", "setup_response", "shutdown", "other"]),
        data in prop_oneof![any_json(), any_task()],
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let frame = json!({"version": 2, "message_type": of, "data": data}).to_string();
        exercise::frame(&frame);
        exercise::frame(&String::from_utf8_lossy(&damaged(frame, &damage)));
    }
}

fn any_task() -> impl Strategy<Value = Value> {
    (any_json(), any_json(), any_json()).prop_map(|(extra, input, output)| {
        json!({
            "options": {"task_id": "TQ-1", "task_category": "background", "more": extra},
            "input": {"event_type": "e", "object_id": "PR-1", "data": input},
            "output": {"result": "success", "data": output, "countdown": 0, "runtime": 0.5, "message": null},
        })
    })
}
