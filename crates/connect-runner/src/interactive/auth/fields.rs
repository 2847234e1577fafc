//! What stands where in a call.

use connect_model::CustomEvent;
use serde_json::{Map, Value};

/// The one value of a header, whatever its case; `None` where there are several.
pub(crate) fn header<'a>(request: &'a CustomEvent, name: &str) -> Option<&'a str> {
    let mut found = request.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (Some((_, value)), None) => single(value),
        _ => None,
    }
}

fn single(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(list) if list.len() == 1 => list[0].as_str(),
        _ => None,
    }
}

/// What stands behind the scheme in `Authorization`.
pub(crate) fn authorization<'a>(request: &'a CustomEvent, scheme: &str) -> Option<&'a str> {
    let (own, rest) = header(request, "Authorization")?.trim().split_once(' ')?;
    own.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

pub(crate) fn is_form(request: &CustomEvent) -> bool {
    let kind = header(request, "Content-Type").unwrap_or_default();
    kind.split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The body, read where it came as text: JSON, or a form.
pub(crate) fn body(request: &CustomEvent) -> Option<Value> {
    match request.body.as_ref()? {
        Value::String(text) if is_form(request) => {
            let pairs = url::form_urlencoded::parse(text.as_bytes());
            Some(Value::Object(
                pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect(),
            ))
        }
        Value::String(text) => Some(serde_json::from_str(text).unwrap_or_else(|_| text.clone().into())),
        other => Some(other.clone()),
    }
}

/// The pairs of a query or a form, each name with each of its values.
pub(crate) fn pairs(fields: &Map<String, Value>) -> impl Iterator<Item = (String, String)> {
    fields.iter().flat_map(|(name, value)| {
        let values = match value {
            Value::Array(list) => list.iter().map(text).collect(),
            other => vec![text(other)],
        };
        values.into_iter().map(|value| (name.clone(), value))
    })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
