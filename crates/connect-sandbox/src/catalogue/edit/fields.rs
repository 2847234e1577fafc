//! The members that bodies may have, as the official schema says.

use serde_json::{Map, Value};

use crate::{api_error::ApiError, fulfillment::wrong};

/// What a member has to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Is {
    /// A text of at most so many characters.
    Text(usize),
    /// One of these; upper and lower case are the same.
    OneOf(&'static [&'static str]),
    Flag,
    Map,
    List,
    /// An object with the id of another one.
    Reference,
}

/// A member of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) is: Is,
    /// What is made needs it.
    pub(super) needed: bool,
}

pub(super) const fn needed(name: &'static str, is: Is) -> Field {
    Field { name, is, needed: true }
}

pub(super) const fn maybe(name: &'static str, is: Is) -> Field {
    Field { name, is, needed: false }
}

/// The known members of a body; all that is wrong with them is the error. A change need not name them all.
pub(super) fn read(body: &Value, fields: &[Field], is_new: bool) -> Result<Map<String, Value>, ApiError> {
    let (mut known, mut errors) = (Map::new(), Vec::new());
    for field in fields {
        match (body.get(field.name), field.needed) {
            (None, true) if is_new => errors.push(format!("{}: This field is required.", field.name)),
            (Some(Value::Null), true) => errors.push(format!("{}: This field may not be null.", field.name)),
            (None, _) => {}
            (Some(Value::Null), false) => {
                known.insert(field.name.to_owned(), Value::Null);
            }
            (Some(value), needed) => match checked(value, field.is, needed) {
                Ok(value) => {
                    known.insert(field.name.to_owned(), value);
                }
                Err(error) => errors.push(format!("{}{error}", field.name)),
            },
        }
    }
    if errors.is_empty() { Ok(known) } else { Err(wrong(errors)) }
}

fn checked(value: &Value, is: Is, needed: bool) -> Result<Value, String> {
    let error = match (is, value) {
        (Is::Text(_), Value::String(text)) if needed && text.trim().is_empty() => {
            ": This field may not be blank.".to_owned()
        }
        (Is::Text(most), Value::String(text)) if text.chars().count() > most => {
            format!(": Ensure this field has no more than {most} characters.")
        }
        (Is::OneOf(choices), Value::String(text)) => {
            match choices.iter().find(|choice| choice.eq_ignore_ascii_case(text)) {
                Some(choice) => return Ok((*choice).into()),
                None => format!(": \"{text}\" is not a valid choice."),
            }
        }
        (Is::Text(_), Value::String(_))
        | (Is::Flag, Value::Bool(_))
        | (Is::Map, Value::Object(_))
        | (Is::List, Value::Array(_)) => return Ok(value.clone()),
        (Is::Reference, Value::Object(members)) => match members.get("id").and_then(Value::as_str) {
            Some(id) if !id.is_empty() => return Ok(value.clone()),
            _ => ".id: This field is required.".to_owned(),
        },
        (Is::Text(_) | Is::OneOf(_), _) => ": Not a valid string.".to_owned(),
        (Is::Flag, _) => ": Must be a valid boolean.".to_owned(),
        (Is::Map | Is::Reference, _) => ": Invalid data. Expected a dictionary.".to_owned(),
        (Is::List, _) => ": Expected a list of items.".to_owned(),
    };
    Err(error)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn known_members_are_taken_and_wrong_ones_told() {
        let fields = [
            needed("name", Is::Text(5)),
            maybe("zone", Is::OneOf(&["EU", "NA"])),
            maybe("flag", Is::Flag),
            maybe("map", Is::Map),
            maybe("list", Is::List),
            maybe("hub", Is::Reference),
            maybe("note", Is::Text(9)),
        ];
        let right = json!({"name": "a", "zone": "eu", "flag": true, "map": {}, "list": [], "hub": {"id": "HB-1"},
            "note": null, "unknown": 1});
        let mut expected = right.clone();
        expected.as_object_mut().unwrap().remove("unknown");
        expected["zone"] = "EU".into();
        assert_eq!(read(&right, &fields, true), Ok(expected.as_object().unwrap().clone()));
        assert!(read(&json!({}), &fields, false).unwrap().is_empty());
        let wrong = json!({"name": " ", "zone": "XX", "flag": 1, "map": [], "list": {}, "hub": {}, "note": "0123456789"});
        assert_eq!(
            read(&wrong, &fields, true).unwrap_err().errors,
            [
                "name: This field may not be blank.",
                "zone: \"XX\" is not a valid choice.",
                "flag: Must be a valid boolean.",
                "map: Invalid data. Expected a dictionary.",
                "list: Expected a list of items.",
                "hub.id: This field is required.",
                "note: Ensure this field has no more than 9 characters.",
            ]
        );
        for (body, error) in [
            (json!({}), "name: This field is required."),
            (json!(null), "name: This field is required."),
            (json!({"name": null}), "name: This field may not be null."),
            (json!({"name": 7}), "name: Not a valid string."),
            (json!({"name": "a", "hub": "HB-1"}), "hub: Invalid data. Expected a dictionary."),
        ] {
            assert_eq!(read(&body, &fields, true).unwrap_err().errors, [error]);
        }
    }
}
