//! Validation by the extension: of drafts, and of what is typed into an inquiry form.

use connect_model::wire::ResultType;
use serde_json::Value;

use crate::{api_error::ApiError, core::Core};

/// What of a parameter a validation may change.
const TAKEN: [&str; 4] = ["value", "structured_value", "value_error", "structured_error"];

/// Takes over what an answer says of parameters: values, structured values and errors, and nothing else.
pub(crate) fn take_over(params: &mut Value, answer: &Value) {
    for param in params.as_array_mut().into_iter().flatten() {
        let same = |own: &&Value| own["id"].is_string() && own["id"] == param["id"];
        let Some(told) = answer.as_array().and_then(|answer| answer.iter().find(same)) else { continue };
        let taken = TAKEN.into_iter().filter_map(|key| Some((key.to_owned(), told.get(key)?.clone())));
        let taken: Vec<(String, Value)> = taken.collect();
        if let Some(members) = param.as_object_mut() {
            members.extend(taken);
        }
    }
}

/// Whether somebody said that the value of a parameter is wrong.
pub(crate) fn is_invalid(param: &Value) -> bool {
    param["value_error"].as_str().is_some_and(|error| !error.is_empty())
}

/// Refuses a code that is not that of the link to a request's form.
pub(crate) fn check_code(link: &str, code: &str) -> Result<(), ApiError> {
    let form = url::Url::parse(link).ok();
    let own = form.as_ref().and_then(|form| form.query_pairs().find(|(name, _)| name == "code"));
    if own.is_some_and(|(_, own)| own == code) {
        return Ok(());
    }
    Err(ApiError::bad("VAL_001", "code: The code is not that of the request's form."))
}

/// What is wrong with the parameters at a place, as Connect tells what is wrong with a body.
pub(crate) fn refused(place: &str, params: &Value) -> Result<(), ApiError> {
    let invalid = params.as_array().into_iter().flatten().filter(|param| is_invalid(param));
    let errors: Vec<String> = invalid
        .map(|param| {
            let text = |key: &str| param[key].as_str().unwrap_or_default();
            format!("{place}.{}: {}", text("id"), text("value_error"))
        })
        .collect();
    if errors.is_empty() {
        return Ok(());
    }
    let mut error = ApiError::bad("VAL_001", "");
    error.errors = errors;
    Err(error)
}

/// Asks the extension what it says of an object, by an interactive task. Its answer is the object, with errors at the
/// parameters that are wrong.
pub(crate) async fn validate(core: &Core, event: &str, id: &str, object: &Value) -> Result<Value, ApiError> {
    let Ok(output) = core.ask(event, id, object.clone()).await else {
        let text = format!("Not validated: no runner handles {event}, or it did not answer in time.");
        return Err(ApiError::bad("VAL_001", text));
    };
    answered(output.result == ResultType::Success, output.data, output.message.as_deref())
}

/// The object of an answer: handlers answer as HTTP servers do, with the object as the body.
fn answered(is_done: bool, data: Option<Value>, message: Option<&str>) -> Result<Value, ApiError> {
    if !is_done {
        let reason = message.unwrap_or("the extension gave no reason");
        return Err(ApiError::bad("VAL_001", format!("Not validated: {reason}.")));
    }
    let object = match data {
        Some(Value::Object(mut answer)) => match answer.remove("body") {
            Some(body) => body,
            None => Value::Object(answer),
        },
        _ => Value::Null,
    };
    if object.is_object() {
        return Ok(object);
    }
    Err(ApiError::bad("VAL_001", "Not validated: the answer of the extension holds no object."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_changes_values_and_errors_alone() {
        let mut params = json!([
            {"id": "a", "value": "1", "value_error": "", "title": "A", "constraints": {"required": true}},
            {"id": "b", "value": "2"},
            7,
        ]);
        let answer = json!([
            {"id": "a", "value": "1!", "value_error": "no", "structured_error": {"message": {}}, "title": "X",
                "constraints": {}},
            {"id": "c", "value": "3"},
            {"value": "4"},
            null,
        ]);
        take_over(&mut params, &answer);
        let expected = json!([
            {"id": "a", "value": "1!", "value_error": "no", "structured_error": {"message": {}}, "title": "A",
                "constraints": {"required": true}},
            {"id": "b", "value": "2"},
            7,
        ]);
        assert_eq!(params, expected);
        for nonsense in [json!(null), json!({}), json!("x")] {
            take_over(&mut params, &nonsense);
            assert_eq!(params, expected);
        }
        let error = refused("params", &params).unwrap_err();
        assert_eq!((error.code, error.errors), ("VAL_001", vec!["params.a: no".to_owned()]));
    }

    #[test]
    fn the_object_is_the_body_of_the_answer_or_the_answer() {
        let object = json!({"id": "TCR-1", "params": []});
        let wrapped = json!({"http_status": 200, "headers": null, "body": object});
        for data in [object.clone(), wrapped] {
            assert_eq!(answered(true, Some(data), None), Ok(object.clone()));
        }
        for data in [None, Some(json!(7)), Some(json!({"body": null})), Some(json!([object]))] {
            assert_eq!(answered(true, data, None).unwrap_err().code, "VAL_001");
        }
        let failed = answered(false, Some(object), Some("the vendor is down")).unwrap_err();
        assert_eq!(failed.errors, ["Not validated: the vendor is down."]);
    }
}
