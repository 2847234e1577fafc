//! The values of a request's parameters, and what bodies change of them.

use serde_json::Value;

use super::{offer::Level, text};
use crate::{
    api_error::ApiError,
    fulfillment::{set, wrong},
    parameters::{Giver, Parameters},
    world::World,
};

/// Where values are, for errors.
const PLACE: &str = "params";

/// What a product says of its parameters.
pub(super) fn definitions(world: &World<'_>, product: &Value) -> Result<Vec<Value>, ApiError> {
    world.list(&format!("products/{}/parameters", text(product, "id")))
}

/// Those of a level.
pub(super) fn of(definitions: &[Value], level: Level) -> Parameters<'_> {
    Parameters::new(definitions, level.name(), PLACE)
}

/// All values that a configuration has, those of newer parameters empty or as their defaults are.
pub(super) fn values(world: &World<'_>, config: &Value) -> Result<Vec<Value>, ApiError> {
    let definitions = definitions(world, &config["product"])?;
    let filled = match Level::of(&config["tier_level"]) {
        Some(level) => of(&definitions, level).fill(&Value::Null, Giver::Vendor).map_err(wrong)?,
        None => Vec::new(),
    };
    let mut own = config["params"].as_array().cloned().unwrap_or_default();
    for param in &mut own {
        if param.get("value").is_none() {
            set(param, "value", "");
        }
        set(param, "value_error", "");
    }
    let newer = filled.into_iter().filter(|param| !own.iter().any(|known| known["id"] == param["id"]));
    let newer: Vec<Value> = newer.collect();
    own.extend(newer);
    Ok(own)
}

/// Changes the values of a request that a body names and nothing else; a wrong one leaves all as it was.
pub(super) fn change(
    world: &World<'_>,
    request: &mut Value,
    changes: &Value,
    giver: Giver,
) -> Result<(), ApiError> {
    let config = &request["configuration"];
    let definitions = definitions(world, &config["product"])?;
    let known = Level::of(&config["tier_level"]).map(|level| of(&definitions, level));
    let Some(known) = known.filter(|known| !known.is_empty()) else {
        return change_unknown(request, changes);
    };
    let mut values = request["params"].as_array().cloned().unwrap_or_default();
    known.change(&mut values, changes, giver).map_err(wrong)?;
    set(request, "params", values);
    Ok(())
}

/// The same of who answers an inquiry: what was given anew is right until somebody says otherwise.
pub(super) fn answer(
    world: &World<'_>,
    request: &mut Value,
    changes: &Value,
    giver: Giver,
) -> Result<(), ApiError> {
    change(world, request, &renewed(changes), giver)
}

/// Without errors where there are new values.
fn renewed(changes: &Value) -> Value {
    let mut changes = changes.clone();
    for change in changes.as_array_mut().into_iter().flatten() {
        let renews = change.get("value").is_some() || change.get("structured_value").is_some();
        if renews && change.get("value_error").is_none() {
            set(change, "value_error", "");
        }
    }
    changes
}

/// Marks what the buyer still has to give; whether there is something is the answer.
pub(super) fn mark_missing(world: &World<'_>, request: &mut Value) -> Result<bool, ApiError> {
    let config = &request["configuration"];
    let Some(level) = Level::of(&config["tier_level"]) else { return Ok(false) };
    let definitions = definitions(world, &config["product"])?;
    let Some(values) = request.get_mut("params").and_then(Value::as_array_mut) else { return Ok(false) };
    Ok(of(&definitions, level).mark_missing(values, "ordering"))
}

/// Changes values of a product that the sandbox does not know: whatever the request or its configuration has.
fn change_unknown(request: &mut Value, changes: &Value) -> Result<(), ApiError> {
    let changes = match changes {
        Value::Null => return Ok(()),
        Value::Array(changes) => changes,
        _ => return Err(wrong(vec![format!("{PLACE}: Expected a list of items.")])),
    };
    let mut values = request["params"].as_array().cloned().unwrap_or_default();
    let blank = request["configuration"]["params"].as_array();
    for change in changes {
        let id = text(change, "id");
        let is_it = |param: &&Value| !id.is_empty() && param["id"] == id;
        if !values.iter().any(|param| is_it(&param)) {
            let known = blank.and_then(|blank| blank.iter().find(is_it));
            let known = known
                .ok_or_else(|| wrong(vec![format!("{PLACE}: the parameter \"{id}\" does not exist.")]))?;
            values.push(known.clone());
        }
        for key in ["value", "structured_value", "value_error", "structured_error"] {
            if let (Some(value), Some(param)) =
                (change.get(key), values.iter_mut().find(|param| param["id"] == id))
            {
                if key == "value_error" && !(value.is_string() || value.is_null()) {
                    return Err(wrong(vec![format!("{PLACE}.{id}.{key}: Not a valid string.")]));
                }
                set(param, key, value.clone());
            }
        }
    }
    set(request, "params", Value::from(values));
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request() -> Value {
        json!({"params": [{"id": "a", "value": "1", "value_error": "no"}],
            "configuration": {"params": [{"id": "a"}, {"id": "b", "title": "B"}]}})
    }

    #[test]
    fn values_of_an_unknown_product_are_changed_too() {
        let mut changed = request();
        change_unknown(&mut changed, &json!([{"id": "b", "value": "7", "title": "X"}])).unwrap();
        assert_eq!(
            changed["params"],
            json!([request()["params"][0], {"id": "b", "title": "B", "value": "7"}])
        );
        let mut bare = json!({"configuration": request()["configuration"]});
        change_unknown(&mut bare, &json!([{"id": "a", "structured_value": {"x": true}}])).unwrap();
        assert_eq!(bare["params"], json!([{"id": "a", "structured_value": {"x": true}}]));
        for (changes, text) in [
            (json!({}), "params: Expected a list of items."),
            (json!([{"id": "a", "value": "2"}, {"id": "z"}]), "params: the parameter \"z\" does not exist."),
            (json!([null]), "params: the parameter \"\" does not exist."),
            (json!([{"id": "a", "value_error": 7}]), "params.a.value_error: Not a valid string."),
        ] {
            let mut changed = request();
            assert_eq!(change_unknown(&mut changed, &changes).unwrap_err().errors, [text]);
            assert_eq!(changed, request());
        }
    }

    #[test]
    fn a_new_answer_takes_the_error_away() {
        let changes = json!([{"id": "a", "value": "2"}, {"id": "b", "value": "3", "value_error": "still"},
            {"id": "c", "structured_value": {}}, {"id": "d"}, 7]);
        let expected = json!([{"id": "a", "value": "2", "value_error": ""},
            {"id": "b", "value": "3", "value_error": "still"},
            {"id": "c", "structured_value": {}, "value_error": ""}, {"id": "d"}, 7]);
        assert_eq!(renewed(&changes), expected);
    }
}
