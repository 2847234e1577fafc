//! The accounts that take part, who acts for them, and the ids of what they make.

use serde_json::{Value, json};

use crate::{
    api_error::ApiError,
    catalogue::{DISTRIBUTOR, VENDOR},
    role::Role,
    world::World,
};

/// The user who acts for a role.
pub(crate) fn user(role: Role) -> Value {
    match role {
        Role::Vendor => json!({"id": "SU-000-000-000", "name": "Vendor"}),
        Role::Distributor => json!({"id": "SU-000-000-001", "name": "Distributor"}),
        Role::Platform => json!({"id": "UR-000-000-000", "name": "Sandbox"}),
    }
}

/// The account of a role, as others refer to it. What the platform does is taken for the vendor's.
pub(crate) fn account(world: &World<'_>, role: Role) -> Result<Value, ApiError> {
    let (id, name) = match role {
        Role::Vendor | Role::Platform => (VENDOR, "Vendor"),
        Role::Distributor => (DISTRIBUTOR, "Distributor"),
    };
    let known = world.find("accounts", id)?;
    Ok(known.as_ref().map_or_else(|| json!({"id": id, "name": name}), reference))
}

/// An object as others refer to it: its id, name and icon.
pub(crate) fn reference(object: &Value) -> Value {
    let members = ["id", "name", "icon"].into_iter().filter_map(|member| {
        let value = object.get(member).filter(|value| !value.is_null())?;
        Some((member.to_owned(), value.clone()))
    });
    Value::Object(members.collect())
}

/// An id: a prefix, and a number's digits in groups, as in `LST-000-000-001`.
pub(crate) fn id(prefix: &str, groups: &[usize], number: u64) -> String {
    let width: usize = groups.iter().sum();
    let digits = format!("{number:0width$}");
    let mut rest = digits.as_str();
    let mut id = prefix.to_owned();
    for (at, group) in groups.iter().enumerate() {
        // A number with more digits than there is room for has them in the last group.
        let (head, tail) = if at + 1 == groups.len() { (rest, "") } else { rest.split_at(*group) };
        id.push('-');
        id.push_str(head);
        rest = tail;
    }
    id
}

/// An id that no other object of a collection has.
pub(crate) fn new_id(
    world: &mut World<'_>,
    collection: &str,
    prefix: &str,
    groups: &[usize],
) -> Result<String, ApiError> {
    loop {
        let id = id(prefix, groups, world.number()?);
        if world.find(collection, &id)?.is_none() {
            return Ok(id);
        }
    }
}

/// What is wrong with a member of a body, as Connect words it.
pub(crate) fn wrong(member: &str, text: &str) -> ApiError {
    ApiError::bad("VAL_001", format!("{member}: {text}"))
}

/// A text that a body has to have.
pub(crate) fn needed<'a>(body: &'a Value, pointer: &str) -> Result<&'a str, ApiError> {
    let text = body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    text.ok_or_else(|| wrong(&pointer[1..].replace('/', "."), "This field is required."))
}

/// A text that a body may have, no longer than Connect takes it; `null` where it has none.
pub(crate) fn text(body: &Value, member: &str, longest: usize) -> Result<Value, ApiError> {
    match body.get(member) {
        None | Some(Value::Null) => Ok(Value::Null),
        Some(Value::String(text)) if text.chars().count() <= longest => Ok(text.as_str().into()),
        Some(Value::String(_)) => {
            Err(wrong(member, &format!("Ensure this field has no more than {longest} characters.")))
        }
        Some(_) => Err(wrong(member, "Not a valid string.")),
    }
}

/// One of the words that a body has to choose from.
pub(crate) fn choice<'a>(body: &'a Value, member: &str, choices: &[&str]) -> Result<&'a str, ApiError> {
    let choice = body[member].as_str().ok_or_else(|| wrong(member, "This field is required."))?;
    if choices.contains(&choice) {
        Ok(choice)
    } else {
        Err(wrong(member, &format!("\"{choice}\" is not a valid choice.")))
    }
}

/// What a body refers to by an id; told by that member where it is not there.
pub(crate) fn referred(
    world: &World<'_>,
    collection: &str,
    body: &Value,
    pointer: &str,
) -> Result<Value, ApiError> {
    let id = needed(body, pointer)?;
    world.find(collection, id)?.ok_or_else(|| {
        wrong(&pointer[1..].replace('/', "."), &format!("Invalid pk \"{id}\" - object does not exist."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_digits_in_groups() {
        assert_eq!(id("LST", &[3, 3, 3], 7), "LST-000-000-007");
        assert_eq!(id("UF-2026-01", &[4, 4], 123_456), "UF-2026-01-0012-3456");
        assert_eq!(id("CA", &[3, 3, 3], 12_345_678_901), "CA-123-456-78901");
    }

    #[test]
    fn what_is_wrong_with_a_body_is_told_by_member() {
        let body = json!({"subject": "ä".repeat(4), "product": {"id": " "}, "type": "odd", "note": 7});
        let told = [
            text(&body, "subject", 3).unwrap_err(),
            text(&body, "note", 3).unwrap_err(),
            needed(&body, "/product/id").unwrap_err(),
            choice(&body, "type", &["even"]).unwrap_err(),
            choice(&body, "kind", &["even"]).unwrap_err(),
        ]
        .map(|error| error.errors.concat());
        let expected = [
            "subject: Ensure this field has no more than 3 characters.",
            "note: Not a valid string.",
            "product.id: This field is required.",
            "type: \"odd\" is not a valid choice.",
            "kind: This field is required.",
        ];
        assert_eq!(told, expected);
        assert_eq!(text(&body, "subject", 4).unwrap(), "ääää");
        assert_eq!(text(&body, "nothing", 4).unwrap(), Value::Null);
    }
}
