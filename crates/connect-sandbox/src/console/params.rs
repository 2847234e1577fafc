//! Parameters: how they are shown, typed in, and sent.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::{
    form::Form,
    parts::{COVERED, chip, first, list, text},
};

/// The parts of structured values, as Connect names them.
const ADDRESS: &[(&str, &str)] = &[
    ("address_line1", "Address"),
    ("address_line2", "Address, second line"),
    ("city", "City"),
    ("state", "State"),
    ("postal_code", "Postal code"),
    ("country", "Country"),
];
const PHONE: &[(&str, &str)] = &[
    ("country_code", "Country code"),
    ("area_code", "Area code"),
    ("phone_number", "Number"),
    ("extension", "Extension"),
];

/// The choices of a parameter, wherever a payload has them.
fn choices(param: &Value) -> &[Value] {
    ["/constraints/choices", "/value_choices", "/constraints/meta/choices"]
        .into_iter()
        .map(|place| list(param, place))
        .find(|choices| !choices.is_empty())
        .unwrap_or_default()
}

fn is_set(param: &Value, constraint: &str) -> bool {
    param["constraints"][constraint] == true
}

/// A parameter of a request together with what its product says about it.
pub(super) fn joined(param: &Value, definitions: &[Value]) -> Value {
    let id = text(param, "/id");
    let known = definitions.iter().find(|known| text(known, "/name") == id || text(known, "/id") == id);
    let mut joined = known.and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, value) in param.as_object().into_iter().flatten() {
        if !value.is_null() || !joined.contains_key(name) {
            joined.insert(name.clone(), value.clone());
        }
    }
    Value::Object(joined)
}

/// A value as text.
pub(super) fn shown(param: &Value) -> String {
    let value = match &param["value"] {
        Value::String(value) => value.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    match text(param, "/type") {
        "password" if !value.is_empty() => COVERED.to_owned(),
        "checkbox" => {
            let label = |choice: &str| {
                let known = choices(param).iter().find(|known| text(known, "/value") == choice);
                known.map_or(choice, |known| first([text(known, "/label"), choice])).to_owned()
            };
            let ticked = param["structured_value"].as_object().into_iter().flatten();
            let ticked: Vec<String> =
                ticked.filter(|(_, ticked)| **ticked == true).map(|(choice, _)| label(choice)).collect();
            if ticked.is_empty() { value } else { ticked.join(", ") }
        }
        "dropdown" | "choice" => {
            let known = choices(param).iter().find(|known| text(known, "/value") == value);
            match known
                .map(|known| text(known, "/label"))
                .filter(|label| !label.is_empty() && *label != value)
            {
                Some(label) => format!("{label} ({value})"),
                None => value,
            }
        }
        _ if value.is_empty() && !param["structured_value"].is_null() => {
            param["structured_value"].to_string()
        }
        _ => value,
    }
}

/// The parameters of an object as a table.
pub(super) fn table(params: &[Value]) -> Markup {
    html! {
        div.scroll {
            table.facts {
                thead { tr { th scope="col" { "Parameter" } th scope="col" { "Value" } th scope="col" { "Phase" } } }
                tbody {
                    @for param in params {
                        @let error = text(param, "/value_error");
                        tr {
                            th scope="row" {
                                (first([text(param, "/title"), text(param, "/name"), text(param, "/id")]))
                                " " code.quiet { (text(param, "/id")) }
                            }
                            td.value {
                                (shown(param))
                                @if !error.is_empty() { p.error { (chip("invalid")) " " (error) } }
                            }
                            td.quiet { (text(param, "/phase")) }
                        }
                    }
                }
            }
        }
    }
}

/// What a value has to be, in words.
fn constraints(param: &Value) -> String {
    let number = |name: &str| param["constraints"][name].as_u64();
    let mut words = Vec::new();
    match (number("min_length"), number("max_length")) {
        (Some(least), Some(most)) => words.push(format!("{least} to {most} characters")),
        (Some(least), None) => words.push(format!("at least {least} characters")),
        (None, Some(most)) => words.push(format!("at most {most} characters")),
        (None, None) => {}
    }
    let dependency = &param["constraints"]["dependency"];
    let parent = first([text(dependency, "/parameter/name"), text(dependency, "/parameter/id")]);
    for name in ["unique", "readonly", "hidden", "reconciliation"] {
        // Who depends on another is hidden until that has the value.
        if is_set(param, name) && (name != "hidden" || parent.is_empty()) {
            words.push(if name == "readonly" { "read only".to_owned() } else { name.to_owned() });
        }
    }
    if !parent.is_empty() {
        let values: Vec<&str> = list(dependency, "/values").iter().filter_map(Value::as_str).collect();
        words.push(format!("if {parent} is {}", values.join(" or ")));
    }
    match text(param, "/type") {
        "" | "text" | "dropdown" | "choice" | "checkbox" => {}
        kind => words.push(kind.to_owned()),
    }
    words.join(" · ")
}

/// A parameter as if it had no value yet: whatever is typed is given then, a default too.
pub(super) fn unfilled(param: &Value) -> Value {
    let mut param = param.clone();
    if let Some(members) = param.as_object_mut() {
        members.remove("value");
        members.remove("structured_value");
    }
    param
}

/// A field for a parameter, with what it has to be and what is wrong with it. A form that was sent comes again with
/// what was typed. The form is what tells the fields of several forms on a page apart.
pub(super) fn field(param: &Value, form: &str, sent: Option<&Form>, error: &str) -> Markup {
    let id = text(param, "/id");
    let (name, kind) = (format!("p:{id}"), text(param, "/type"));
    let title = first([text(param, "/title"), text(param, "/name"), id]);
    match kind {
        "heading" => return html! { p.heading { (title) } },
        "content" => {
            return html! { p.content { (first([text(param, "/constraints/display_content"), title])) } };
        }
        _ => {}
    }
    let hint = first([
        text(param, "/constraints/hint"),
        text(param, "/hint"),
        Some(text(param, "/description")).filter(|text| *text != title).unwrap_or_default(),
    ]);
    let error = first([error, text(param, "/value_error")]);
    let field_id = format!("{form}{name}");
    let (hint_id, error_id) = (format!("hint-{field_id}"), format!("error-{field_id}"));
    let described = if error.is_empty() { hint_id.clone() } else { format!("{hint_id} {error_id}") };
    let required = is_set(param, "required");
    let label = html! { (title) @if required { " " span.required { "required" } } };
    let constraints = constraints(param);
    let hints = html! {
        p.hint id=(hint_id) {
            @if !hint.is_empty() { (hint) }
            @if !hint.is_empty() && !constraints.is_empty() { " · " }
            span.constraints { (constraints) }
        }
        @if !error.is_empty() { p.error id=(error_id) { (error) } }
    };
    let several = matches!(kind, "checkbox" | "address" | "phone");
    html! {
        div.field.invalid[!error.is_empty()] {
            @if several {
                fieldset aria-describedby=(described) {
                    legend { (label) }
                    div.parts { (parts(param, &name, kind, sent)) }
                }
            } @else {
                label for=(field_id) { (label) }
                (input(param, [&field_id, &name, &described], sent, !error.is_empty()))
            }
            (hints)
        }
    }
}

/// The input of a value: its id, its name, and what describes it.
fn input(param: &Value, [id, name, described]: [&str; 3], sent: Option<&Form>, invalid: bool) -> Markup {
    let kind = text(param, "/type");
    let typed = sent.and_then(|sent| sent.find(name));
    let current = match &param["value"] {
        Value::String(value) => value.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let value = match typed {
        Some(typed) => typed.to_owned(),
        // It is not in the page; left empty, it stays as it is.
        None if kind == "password" => String::new(),
        None if kind == "object" && !param["structured_value"].is_null() => {
            format!("{:#}", param["structured_value"])
        }
        None => current,
    };
    let kept = if kind == "password" && !text(param, "/value").is_empty() { "Unchanged" } else { "" };
    let placeholder = first([kept, text(param, "/constraints/placeholder"), text(param, "/placeholder")]);
    let (required, invalid) = (is_set(param, "required").then_some("true"), invalid.then_some("true"));
    match kind {
        "dropdown" | "choice" => {
            let known = choices(param).iter().any(|choice| text(choice, "/value") == value);
            html! {
                select id=(id) name=(name) aria-describedby=(described) aria-required=[required] aria-invalid=[invalid] {
                    option value="" { "–" }
                    @for choice in choices(param) {
                        @let own = text(choice, "/value");
                        option value=(own) selected[own == value] { (first([text(choice, "/label"), own])) }
                    }
                    @if !known && !value.is_empty() { option value=(value) selected { (value) } }
                }
            }
        }
        "object" => html! {
            textarea id=(id) name=(name) rows="4" spellcheck="false" placeholder="{}" aria-describedby=(described)
                aria-required=[required] aria-invalid=[invalid] { (value) }
        },
        _ => html! {
            input id=(id) name=(name) value=(value) placeholder=(placeholder) aria-describedby=(described)
                aria-required=[required] aria-invalid=[invalid] autocomplete="off"
                type=(match kind { "password" => "password", "email" => "email", "url" => "url", _ => "text" });
        },
    }
}

/// The inputs of a value that has several.
fn parts(param: &Value, name: &str, kind: &str, sent: Option<&Form>) -> Markup {
    let current = &param["structured_value"];
    if kind == "checkbox" {
        let ticked = |choice: &str| match sent {
            Some(sent) => sent.all(name).any(|own| own == choice),
            None => current[choice] == true,
        };
        return html! {
            // Without it, none ticked could not be told from not asked for.
            input type="hidden" name={ (name) ":asked" } value="1";
            @for choice in choices(param) {
                @let own = text(choice, "/value");
                label.check {
                    input type="checkbox" name=(name) value=(own) checked[ticked(own)];
                    " " (first([text(choice, "/label"), own]))
                }
            }
        };
    }
    let (members, which) = if kind == "address" { (ADDRESS, "address") } else { (PHONE, "phone") };
    html! {
        @for (part, title) in members {
            @let own = format!("{name}:{part}");
            @let value = sent.and_then(|sent| sent.find(&own)).unwrap_or_else(|| current[*part].as_str().unwrap_or_default());
            label.part.(which) { span { (title) } input type="text" name=(own) value=(value) autocomplete="off"; }
        }
    }
}

/// What is wrong with which parameter, as far as Connect's texts tell.
pub(super) fn told(params: &[Value], texts: &[String]) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for id in params.iter().map(|param| text(param, "/id")).filter(|id| !id.is_empty()) {
        let names =
            |text: &&String| text.contains(&format!("\"{id}\"")) || text.contains(&format!("params.{id}"));
        told.extend(texts.iter().find(names).map(|text| (id.to_owned(), text.clone())));
    }
    told
}

/// What was typed for a parameter, as Connect takes it; `None` where it is as it was. What can't be told from the text
/// is the error.
pub(super) fn change(param: &Value, sent: &Form) -> Result<Option<Value>, String> {
    let id = text(param, "/id");
    let name = format!("p:{id}");
    let structured = |value: Value| {
        let same = value == param["structured_value"];
        (!same).then(|| json!({"id": id, "structured_value": value}))
    };
    match text(param, "/type") {
        "heading" | "content" => Ok(None),
        "checkbox" => {
            if sent.find(&format!("{name}:asked")).is_none() {
                return Ok(None);
            }
            let ticked: Vec<&str> = sent.all(&name).collect();
            let values = choices(param).iter().map(|choice| text(choice, "/value"));
            let map: Map<String, Value> =
                values.map(|value| (value.to_owned(), ticked.contains(&value).into())).collect();
            if ticked.is_empty() && param["structured_value"].is_null() {
                return Ok(None);
            }
            Ok(structured(Value::Object(map)))
        }
        kind @ ("address" | "phone") => {
            let members = if kind == "address" { ADDRESS } else { PHONE };
            let typed = |part: &str| sent.get(&format!("{name}:{part}")).trim().to_owned();
            if members.iter().all(|(part, _)| sent.find(&format!("{name}:{part}")).is_none()) {
                return Ok(None);
            }
            let typed: Vec<(&str, String)> = members.iter().map(|(part, _)| (*part, typed(part))).collect();
            let current =
                |part: &str| param["structured_value"][part].as_str().unwrap_or_default().to_owned();
            if typed.iter().all(|(part, value)| *value == current(part)) {
                return Ok(None);
            }
            let map: Map<String, Value> =
                typed.into_iter().map(|(part, value)| (part.to_owned(), value.into())).collect();
            Ok(structured(map.into()))
        }
        "object" => match sent.find(&name).map(str::trim) {
            None => Ok(None),
            Some("") if param["structured_value"].is_null() => Ok(None),
            Some("") => Ok(structured(json!({}))),
            Some(typed) => match serde_json::from_str(typed) {
                Ok(value @ Value::Object(_)) => Ok(structured(value)),
                Ok(_) => Err("It has to be a JSON object.".to_owned()),
                Err(error) => Err(format!("It is not JSON: {error}.")),
            },
        },
        "password" if sent.get(&name).is_empty() => Ok(None),
        _ => Ok(sent
            .find(&name)
            .filter(|typed| *typed != param["value"].as_str().unwrap_or_default())
            .map(|typed| json!({"id": id, "value": typed}))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(fields: &[(&str, &str)]) -> Form {
        fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<Vec<_>>()
            .into()
    }

    #[test]
    fn what_is_typed_becomes_what_connect_takes() {
        let choices = json!({"choices": [{"value": "1", "label": "One"}, {"value": "2", "label": "Two"}]});
        let of = |kind: &str| json!({"id": "a", "type": kind, "value": "", "constraints": choices});
        for (kind, fields, expected) in [
            ("text", &[("p:a", "x")] as &[_], Some(json!({"id": "a", "value": "x"}))),
            ("text", &[("p:a", "")], None),
            ("dropdown", &[("p:a", "2")], Some(json!({"id": "a", "value": "2"}))),
            (
                "checkbox",
                &[("p:a:asked", "1"), ("p:a", "2")],
                Some(json!({"id": "a", "structured_value": {"1": false, "2": true}})),
            ),
            ("checkbox", &[("p:a:asked", "1")], None),
            ("object", &[("p:a", "{\"b\": 1}")], Some(json!({"id": "a", "structured_value": {"b": 1}}))),
            ("object", &[("p:a", " ")], None),
            (
                "phone",
                &[("p:a:country_code", "+1"), ("p:a:phone_number", "5")],
                Some(json!({"id": "a",
                "structured_value": {"country_code": "+1", "area_code": "", "phone_number": "5", "extension": ""}})),
            ),
            ("address", &[("p:a:city", "")], None),
        ] {
            assert_eq!(change(&of(kind), &sent(fields)), Ok(expected), "{kind}");
        }
        let mut ticked = of("checkbox");
        ticked["structured_value"] = json!({"1": true, "2": false});
        assert_eq!(change(&ticked, &sent(&[])), Ok(None), "it was not asked for");
        let place = json!({"id": "a", "type": "address", "structured_value": {"city": "c"}});
        assert_eq!(change(&place, &sent(&[])), Ok(None), "nor was this");
        let password = json!({"id": "a", "type": "password", "value": "canary"});
        assert_eq!(change(&password, &sent(&[("p:a", "")])), Ok(None));
        assert!(!field(&password, "", None, "").0.contains("canary"));
        let none = json!({"id": "a", "structured_value": {"1": false, "2": false}});
        assert_eq!(change(&ticked, &sent(&[("p:a:asked", "1")])), Ok(Some(none)));
        assert!(change(&of("object"), &sent(&[("p:a", "{")])).unwrap_err().starts_with("It is not JSON"));
        assert!(change(&of("object"), &sent(&[("p:a", "7")])).unwrap_err().contains("JSON object"));
    }

    #[test]
    fn values_are_shown_by_their_type() {
        let param = |kind: &str| {
            json!({"type": kind, "value": "v", "structured_value": {"v": true, "w": false},
            "value_choices": [{"value": "v", "label": "Label"}]})
        };
        assert_eq!(
            ["text", "password", "choice", "checkbox"].map(|kind| shown(&param(kind))),
            ["v", COVERED, "Label (v)", "Label"]
        );
    }

    #[test]
    fn a_hostile_parameter_is_escaped() {
        let hostile = "\"><script>alert(1)</script>";
        for kind in
            ["text", "password", "dropdown", "checkbox", "address", "phone", "object", "heading", hostile]
        {
            let param = json!({"id": hostile, "type": kind, "title": hostile, "value": hostile, "phase": hostile,
                "value_error": hostile, "structured_value": {hostile: true, "city": hostile, "country_code": hostile},
                "constraints": {"hint": hostile, "placeholder": hostile, "choices": [{"value": hostile, "label": hostile}]}});
            for shown in [field(&param, hostile, None, hostile), table(&[param])] {
                assert!(!shown.0.contains("<script"), "{kind}: {}", shown.0);
            }
        }
    }
}
