//! What vendor and distributor change in the catalogue.

mod below;
mod fields;
mod market;
mod product;

use serde_json::{Map, Value, json};

use crate::{api_error::ApiError, fulfillment::set, world::World};
pub(crate) use below::{configure, create, end_sale, remove, resume_sale, update};
pub(crate) use market::{
    change_hub, change_marketplace, connections_of, create_hub, create_marketplace, marketplaces_of,
    remove_hub, remove_marketplace,
};
pub(crate) use product::{
    change_product, create_product, end_product, publish, regenerate_secret, remove_product, resume_product,
};

/// The digits of a number in groups, as ids have them.
fn digits(number: u64, width: usize, groups: usize) -> String {
    let padded = format!("{number:0total$}", total = width * groups);
    let groups: Vec<&str> = (0..groups)
        .map(|group| {
            // What does not fit makes the first group longer.
            let end = padded.len() - width * (groups - 1 - group);
            &padded[if group == 0 { 0 } else { end - width }..end]
        })
        .collect();
    groups.join("-")
}

/// An id that no other object of a collection has.
fn free_id(
    world: &mut World<'_>,
    collection: &str,
    form: impl Fn(u64) -> String,
) -> Result<String, ApiError> {
    loop {
        let id = form(world.number()?);
        if world.find(collection, &id)?.is_none() {
            return Ok(id);
        }
    }
}

/// Notes when something happened to an object.
fn note(world: &World<'_>, object: &mut Value, event: &str) {
    if !object["events"].is_object() {
        set(object, "events", json!({}));
    }
    let at = json!({"at": world.now()});
    if let Some(events) = object.get_mut("events") {
        set(events, event, at);
    }
}

/// Takes members over into an object.
fn take(object: &mut Value, members: Map<String, Value>) {
    if let Some(object) = object.as_object_mut() {
        object.extend(members);
    }
}

/// Objects are merged, all else is put in place: a change need not name what stays.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// What other objects say of one that has to be there; the member is named where it is not.
fn referred(
    world: &World<'_>,
    collection: &str,
    reference: &Value,
    member: &str,
    members: &[&str],
) -> Result<Value, ApiError> {
    let id = reference["id"].as_str().unwrap_or_default();
    let unknown = || ApiError::bad("VAL_001", format!("{member}.id: \"{id}\" does not exist."));
    let known = world.find(collection, id)?.ok_or_else(unknown)?;
    let member =
        |name: &&str| Some(((*name).to_owned(), known.get(*name).filter(|own| !own.is_null())?.clone()));
    let id = std::iter::once(("id".to_owned(), Value::from(id)));
    Ok(Value::Object(id.chain(members.iter().filter_map(member)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_groups_of_digits() {
        assert_eq!(digits(7, 3, 3), "000-000-007");
        assert_eq!(digits(12_345, 4, 2), "0001-2345");
        assert_eq!(digits(123_456_789, 4, 2), "12345-6789");
        assert_eq!(digits(42, 5, 1), "00042");
    }

    #[test]
    fn a_change_need_not_name_what_stays() {
        let mut capabilities = json!({"hold": false, "change": {"a": true}, "list": [1, 2]});
        merge(&mut capabilities, json!({"change": {"b": true}, "list": [3], "ppu": null}));
        assert_eq!(
            capabilities,
            json!({"hold": false, "change": {"a": true, "b": true}, "list": [3], "ppu": null})
        );
    }
}
