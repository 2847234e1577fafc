//! Templates: Markdown with the names of parameters, and of what else an object has, in double braces.

use serde_json::Value;

/// The text of a template for a request, an asset or a tier config: each `{{ name }}` is the value of that parameter, or
/// the member of that path (`{{ asset.id }}`); what is not there is empty. As in Connect's own messages, values are
/// escaped: a Markdown text may have HTML in it.
pub(crate) fn render(template: &str, object: &Value) -> String {
    let mut rendered = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once("{{").and_then(|(before, inner)| Some((before, inner.split_once("}}")?)))
    {
        rendered.push_str(before);
        escape(&value(object, name.trim()), &mut rendered);
        rest = after;
    }
    rendered.push_str(rest);
    rendered
}

fn value(object: &Value, name: &str) -> String {
    if name == "activation_form_url" {
        return text(&object["params_form_url"]);
    }
    ["/params", "/asset/params", "/configuration/params", "/asset/configuration/params"]
        .into_iter()
        .filter_map(|place| object.pointer(place)?.as_array())
        .flatten()
        .find(|param| param["id"] == name)
        .map_or_else(|| member(object, name), of_parameter)
}

fn of_parameter(param: &Value) -> String {
    let value = text(&param["value"]);
    match &param["structured_value"] {
        Value::Object(choices) if param["type"] == "checkbox" => {
            let ticked =
                choices.iter().filter(|(_, ticked)| **ticked == true).map(|(choice, _)| choice.as_str());
            ticked.collect::<Vec<_>>().join(", ")
        }
        structured @ Value::Object(_) if value.is_empty() => structured.to_string(),
        _ => value,
    }
}

/// A member by its path; a number in it is the index in a list.
fn member(object: &Value, path: &str) -> String {
    let found = path.split('.').try_fold(object, |value, name| match value {
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        value => value.get(name),
    });
    found.map(text).unwrap_or_default()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(is_so) => is_so.to_string(),
        _ => String::new(),
    }
}

fn escape(value: &str, into: &mut String) {
    for sign in value.chars() {
        match sign {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            sign => into.push(sign),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_in_braces_are_filled_in() {
        let request = json!({"id": "PR-1", "params_form_url": "https://form.example/?request_id=PR-1&code=x",
            "asset": {"id": "AS-1", "items": [{"mpn": "A", "quantity": 5}],
                "configuration": {"params": [{"id": "region", "value": "eu"}]},
                "params": [{"id": "domain", "value": "<b>"}, {"id": "flags", "type": "checkbox", "value": "",
                    "structured_value": {"a": true, "b": false, "c": true}},
                    {"id": "data", "type": "object", "value": "", "structured_value": {"k": 1}}]}});
        for (template, rendered) in [
            ("# No names", "# No names"),
            ("{{ domain }} and {{domain}}", "&lt;b&gt; and &lt;b&gt;"),
            ("[{{flags}}] {{ region }} {{ data }}", "[a, c] eu {&quot;k&quot;:1}"),
            ("{{ id }} {{ asset.id }} {{asset.items.0.quantity}}", "PR-1 AS-1 5"),
            ("[form]({{ activation_form_url }})", "[form](https://form.example/?request_id=PR-1&amp;code=x)"),
            ("-{{ missing }}-{{ asset.items.9 }}-{{ asset.items.x.y }}-{{ asset }}-{{}}-", "------"),
            ("{{ unclosed", "{{ unclosed"),
            ("}} {{ id }", "}} {{ id }"),
            ("{{ {{ id }}", ""),
        ] {
            assert_eq!(render(template, &request), rendered, "{template}");
        }
        let config = json!({"params": [{"id": "reseller_id", "value": "R"}]});
        assert_eq!(render("ü {{ reseller_id }}", &config), "ü R");
        assert_eq!(render("{{ a }}", &Value::Null), "");
    }

    #[test]
    fn a_value_is_no_template() {
        let asset = json!({"params": [{"id": "a", "value": "{{ b }}"}, {"id": "b", "value": "secret"}]});
        assert_eq!(render("{{ a }}", &asset), "{{ b }}");
    }
}
