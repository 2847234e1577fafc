use super::*;

fn definition(name: &str, kind: &str, constraints: &Value) -> Value {
    json!({"id": format!("PRM-000-000-000-{name}"), "name": name, "title": name, "description": "d", "type": kind,
        "scope": "asset", "phase": "ordering", "constraints": constraints})
}

fn all_types() -> Vec<Value> {
    let choices = json!({"choices": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]});
    let parents = json!({"choices": [{"value": "Shop.example", "label": "s", "default": true}]});
    let mut all: Vec<Value> =
        ["text", "password", "email", "url", "domain", "address", "phone", "object", "heading", "content"]
            .map(|kind| definition(kind, kind, &json!({"min_length": 2, "max_length": 60})))
            .into();
    all.extend(["dropdown", "choice", "checkbox"].map(|kind| definition(kind, kind, &choices)));
    all.push(definition("subdomain", "subdomain", &parents));
    all
}

/// The value and structured value that a change leads to, or what is wrong.
fn filled(change: &Value) -> Result<(Value, Value), Errors> {
    let definitions = all_types();
    let parameters = Parameters::new(&definitions, "asset", "asset.params");
    let id = change["id"].as_str().unwrap_or_default().to_owned();
    let values = parameters.fill(&json!([change]), Giver::Buyer)?;
    let value = of(&values, &id).unwrap();
    assert_eq!(value["value_error"], "");
    Ok((value["value"].clone(), value["structured_value"].clone()))
}

#[test]
fn a_value_is_kept_as_its_type_has_it() {
    for (id, value) in [
        ("text", "hello"),
        ("text", ""),
        ("password", "ß€"),
        ("email", "a.b+c@mail.example"),
        ("url", "https://example.com/a?b=c#d"),
        ("domain", "bücher.example"),
        ("dropdown", "b"),
        ("choice", "a"),
        ("choice", ""),
        ("subdomain", "my.SHOP.example"),
        ("phone", "+15550100"),
    ] {
        assert_eq!(filled(&json!({"id": id, "value": value})), Ok((value.into(), Value::Null)), "{id}");
    }
    for (change, value, structured) in [
        (json!({"id": "checkbox", "structured_value": {"b": true}}), "", json!({"a": false, "b": true})),
        (json!({"id": "checkbox", "value": ""}), "", json!({"a": false, "b": false})),
        (
            json!({"id": "address", "value": "what the parts say is right", "structured_value":
                {"address_line1": "1 Main", "address_line2": null, "city": " Rome ", "postal_code": "1", "country": "IT"}}),
            "1 Main Rome 1 IT",
            json!({"address_line1": "1 Main", "address_line2": "", "city": "Rome", "state": "", "postal_code": "1",
                "country": "IT"}),
        ),
        (
            json!({"id": "phone", "structured_value":
                {"country_code": "+34", "area_code": "555", "phone_number": "5550100", "extension": "-"}}),
            "+345555550100",
            json!({"country_code": "+34", "area_code": "555", "phone_number": "5550100", "extension": "-"}),
        ),
        (json!({"id": "phone", "structured_value": {"country_code": ""}}), "", Value::Null),
        (json!({"id": "object", "structured_value": {"a": [1]}}), "", json!({"a": [1]})),
        (json!({"id": "object", "value": "{\"a\": 1}"}), "{\"a\": 1}", json!({"a": 1})),
    ] {
        assert_eq!(filled(&change), Ok((value.into(), structured)), "{change}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let long = "x".repeat(61);
    for (id, value, error) in [
        ("text", "x", "Ensure this field has at least 2 characters."),
        ("password", long.as_str(), "Ensure this field has no more than 60 characters."),
        ("email", "nobody", "Enter a valid email address."),
        ("email", "a b@mail.example", "Enter a valid email address."),
        ("email", "a@b@mail.example", "Enter a valid email address."),
        ("url", "example.com", "Enter a valid URL."),
        ("url", "javascript:alert(1)", "Enter a valid URL."),
        ("domain", "localhost", "Enter a valid domain name."),
        ("domain", "-a.example", "Enter a valid domain name."),
        ("domain", "127.0.0.1", "Enter a valid domain name."),
        ("dropdown", "c", "\"c\" is not a valid choice."),
        ("choice", "A", "\"A\" is not a valid choice."),
        ("subdomain", "my.store.example", "\"my.store.example\" is no subdomain of: Shop.example."),
        ("subdomain", "shop.example", "\"shop.example\" is no subdomain of: Shop.example."),
        ("subdomain", "myshop.example", "\"myshop.example\" is no subdomain of: Shop.example."),
        ("phone", "call me", "Enter a valid phone number: + and digits."),
        ("object", "[1]", "Expected a JSON object."),
    ] {
        let expected = vec![format!("asset.params.{id}: {error}")];
        assert_eq!(filled(&json!({"id": id, "value": value})), Err(expected));
    }
    for (change, place) in [
        (json!({"id": "nothing"}), ": the parameter \"nothing\" does not exist."),
        (json!({"id": "heading", "value": "x"}), ": the parameter \"heading\" does not exist."),
        (json!(7), ": the parameter \"\" does not exist."),
        (json!({"id": "text", "value": 7}), ".text.value: Not a valid string."),
        (json!({"id": "text", "value_error": 7}), ".text.value_error: Not a valid string."),
        (
            json!({"id": "text", "structured_value": {"a": 1}}),
            ".text.structured_value: A parameter of type text has no structured value.",
        ),
        (json!({"id": "address", "value": "Rome"}), ".address.structured_value: This field is required."),
        (
            json!({"id": "phone", "structured_value": 7}),
            ".phone.structured_value: Expected a dictionary of items.",
        ),
        (
            json!({"id": "object", "value": "{"}),
            ".object: Value must be valid JSON: EOF while parsing an object at line 1 column 1.",
        ),
        (
            json!({"id": "checkbox", "structured_value": {"c": true}}),
            ".checkbox.structured_value.c: \"c\" is not a valid choice.",
        ),
        (
            json!({"id": "checkbox", "structured_value": {"a": "yes"}}),
            ".checkbox.structured_value.a: Must be a valid boolean.",
        ),
        (
            json!({"id": "address", "structured_value": {"city": 7}}),
            ".address.structured_value.city: Not a valid string.",
        ),
    ] {
        assert_eq!(filled(&change), Err(vec![format!("asset.params{place}")]), "{change}");
    }
    let parts = json!({"address_line1": "1 Main", "city": "Rome", "country": "Italy"});
    let expected = [
        "asset.params.address.structured_value.postal_code: This field may not be blank.",
        "asset.params.address.structured_value.country: Enter the two letters of a country.",
    ];
    assert_eq!(filled(&json!({"id": "address", "structured_value": parts})).unwrap_err(), expected);
    let parts = json!({"area_code": "x"});
    let expected = [
        "asset.params.phone.structured_value.country_code: This field may not be blank.",
        "asset.params.phone.structured_value.area_code: Enter digits only.",
        "asset.params.phone.structured_value.phone_number: This field may not be blank.",
    ];
    assert_eq!(filled(&json!({"id": "phone", "structured_value": parts})).unwrap_err(), expected);
}

#[test]
fn a_new_request_has_all_parameters_with_their_defaults() {
    let choices = json!({"required": true, "choices": [{"value": "a", "label": "A"}, {"value": "b", "label": "B", "default": true}]});
    let mut first = definition("first", "text", &json!({"required": true}));
    first["position"] = 1.into();
    first["default"] = "as usual".into();
    first["hint"] = "Anything".into();
    let mut tier = definition("tier", "text", &json!({}));
    tier["scope"] = "tier1".into();
    let mut configuration = definition("configuration", "text", &json!({}));
    configuration["phase"] = "configuration".into();
    let mut second = definition("second", "choice", &choices);
    second["position"] = 2.into();
    let definitions = [definition("boxes", "checkbox", &choices), second, first, tier, configuration];
    let parameters = Parameters::new(&definitions, "asset", "asset.params");
    let values = parameters.fill(&Value::Null, Giver::Buyer).unwrap();
    let list = &choices["choices"];
    assert_eq!(
        Value::from(values),
        json!([
            {"id": "boxes", "name": "boxes", "title": "boxes", "description": "d", "type": "checkbox", "scope": "asset",
                "phase": "ordering", "value": "", "structured_value": {"a": false, "b": true}, "value_error": "",
                "value_choices": list, "constraints": {"required": true, "choices": list, "meta": {"choices": list}}},
            {"id": "first", "name": "first", "title": "first", "description": "d", "type": "text", "scope": "asset",
                "phase": "ordering", "value": "as usual", "value_error": "",
                "constraints": {"required": true, "hint": "Anything", "default": "as usual", "meta": {}}},
            {"id": "second", "name": "second", "title": "second", "description": "d", "type": "choice", "scope": "asset",
                "phase": "ordering", "value": "b", "value_error": "",
                "value_choices": list, "constraints": {"required": true, "choices": list, "meta": {"choices": list}}},
        ])
    );
}

#[test]
fn what_is_required_depends_on_other_values() {
    let on = |values: Value, more: Value| {
        let mut dependency = json!({"parameter": {"name": "kind"}, "values": values});
        dependency.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        dependency
    };
    let kinds = json!({"required": true, "choices": [{"value": "new"}, {"value": "old"}]});
    let definitions = [
        definition("kind", "choice", &kinds),
        definition(
            "domain",
            "text",
            &json!({"hidden": true, "dependency":
            on(json!(["new"]), json!({"hidden": false, "required": true}))}),
        ),
        definition(
            "account",
            "text",
            &json!({"required": true, "dependency":
            {"parameter": {"id": "PRM-000-000-000-kind"}, "values": ["new"], "required": false}}),
        ),
        definition("secret", "text", &json!({"required": true, "hidden": true})),
    ];
    let parameters = Parameters::new(&definitions, "asset", "asset.params");
    let missing = |given: Value| -> Vec<String> {
        let mut values = parameters.fill(&given, Giver::Buyer).unwrap();
        let is_missing = parameters.mark_missing(&mut values, "ordering");
        let marked = values.iter().filter(|value| value["value_error"] == "This field is required.");
        let marked: Vec<String> = marked.map(|value| value["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(is_missing, !marked.is_empty());
        assert!(!parameters.mark_missing(&mut values, "fulfillment"));
        marked
    };
    assert_eq!(missing(json!([])), ["kind", "account"]);
    assert_eq!(missing(json!([{"id": "kind", "value": "new"}])), ["domain"]);
    assert_eq!(missing(json!([{"id": "kind", "value": "old"}])), ["account"]);
    assert_eq!(
        missing(json!([{"id": "kind", "value": "new"}, {"id": "domain", "value": "x"}])),
        [] as [&str; 0]
    );
}

#[test]
fn a_buyer_gives_what_is_asked_of_buyers() {
    let mut vendors = definition("vendors", "text", &json!({}));
    vendors["phase"] = "fulfillment".into();
    let mut fixed = definition("fixed", "text", &json!({"readonly": true}));
    fixed["default"] = "f".into();
    let definitions = [vendors, fixed, definition("own", "text", &json!({}))];
    let parameters = Parameters::new(&definitions, "asset", "params");
    let given =
        json!([{"id": "vendors", "value": "v"}, {"id": "fixed", "value": "g"}, {"id": "own", "value": "o"}]);
    assert_eq!(
        parameters.fill(&given, Giver::Buyer).unwrap_err(),
        ["params.vendors: The vendor fills in this parameter.", "params.fixed: This parameter is read-only."]
    );
    assert!(parameters.fill(&given, Giver::Vendor).is_ok());
    let same = json!([{"id": "vendors", "value": ""}, {"id": "fixed", "value": "f"}]);
    assert!(parameters.fill(&same, Giver::Buyer).is_ok());
}

#[test]
fn a_change_is_whole_or_not_at_all() {
    let definitions = [definition("a", "text", &json!({})), definition("b", "email", &json!({}))];
    let parameters = Parameters::new(&definitions, "asset", "asset.params");
    // It is older than the definition of b.
    let mut values = vec![json!({"id": "a", "value": "1", "value_error": "wrong"})];
    let before = values.clone();
    let wrong = json!([{"id": "a", "value": "2"}, {"id": "b", "value": "none"}]);
    assert!(parameters.change(&mut values, &wrong, Giver::Vendor).is_err());
    let twice = json!([{"id": "a", "value": "2"}, {"id": "a", "value": "3"}]);
    assert_eq!(
        parameters.change(&mut values, &twice, Giver::Vendor),
        Err(vec!["asset.params.a: The parameter is given twice.".to_owned()])
    );
    assert!(parameters.change(&mut values, &json!("x"), Giver::Vendor).is_err());
    assert_eq!(parameters.change(&mut values, &json!([{"id": "a"}]), Giver::Vendor), Ok(false));
    assert_eq!(values, before);
    let right = json!([{"id": "a", "value_error": ""}, {"id": "b", "value": "b@c.example"}]);
    assert_eq!(parameters.change(&mut values, &right, Giver::Vendor), Ok(true));
    assert_eq!((&values[0]["value"], &values[0]["value_error"]), (&json!("1"), &json!("")));
    assert_eq!((&values[1]["id"], &values[1]["value"]), (&json!("b"), &json!("b@c.example")));
}
