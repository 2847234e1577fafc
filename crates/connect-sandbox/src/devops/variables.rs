//! The variables of an environment: what may be one.

use serde_json::Value;

use crate::api_error::ApiError;

/// The longest value, in characters.
pub(crate) const LONGEST: usize = 21_960;
/// The longest name, in characters.
const LONGEST_NAME: usize = 256;

/// Whether a variable can be called so: a letter, then letters, digits, `_`, `-` and `.`.
pub(crate) fn is_name(name: &str) -> bool {
    let others = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    name.len() <= LONGEST_NAME && name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.chars().all(others)
}

/// The name that a body gives.
pub(crate) fn name(body: &Value) -> Result<&str, ApiError> {
    let name = required(body, "name")?;
    if is_name(name) {
        return Ok(name);
    }
    Err(ApiError::bad(
        "VAL_001",
        format!("name: Enter a letter, then letters, digits, '_', '-' or '.', at most {LONGEST_NAME} characters."),
    ))
}

/// The value that a body gives.
pub(crate) fn value(body: &Value) -> Result<&str, ApiError> {
    let value = required(body, "value")?;
    if value.chars().count() <= LONGEST {
        return Ok(value);
    }
    Err(ApiError::bad("VAL_001", format!("value: Ensure this field has no more than {LONGEST} characters.")))
}

/// Whether a body says that the value is a secret.
pub(crate) fn secure(body: &Value) -> Result<Option<bool>, ApiError> {
    match &body["secure"] {
        Value::Null => Ok(None),
        Value::Bool(secure) => Ok(Some(*secure)),
        _ => Err(ApiError::bad("VAL_001", "secure: Must be a valid boolean.")),
    }
}

fn required<'a>(body: &'a Value, field: &str) -> Result<&'a str, ApiError> {
    let wrong = |text: &str| ApiError::bad("VAL_001", format!("{field}: {text}"));
    match &body[field] {
        Value::Null => Err(wrong("This field is required.")),
        Value::String(text) if text.is_empty() => Err(wrong("This field may not be blank.")),
        Value::String(text) => Ok(text),
        _ => Err(wrong("Not a valid string.")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_follow_connects_pattern() {
        for name in ["A", "auth_token", "a.b-c_9"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "9a", "_a", "a b", "ä", "a/b", &"a".repeat(257)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_field() {
        let told = |body: Value| {
            let errors = [name(&body).err(), value(&body).err(), secure(&body).err()];
            errors.into_iter().flatten().map(|error| error.errors.concat()).collect::<Vec<_>>()
        };
        assert!(told(json!({"name": "A", "value": "x".repeat(LONGEST), "secure": true})).is_empty());
        assert!(told(json!({"name": "A", "value": "ä".repeat(LONGEST)})).is_empty(), "characters, not bytes");
        assert_eq!(told(json!({})), ["name: This field is required.", "value: This field is required."]);
        assert_eq!(
            told(json!({"name": 7, "value": "", "secure": "yes"})),
            ["name: Not a valid string.", "value: This field may not be blank.", "secure: Must be a valid boolean."]
        );
        assert_eq!(
            told(json!({"name": "A", "value": "x".repeat(LONGEST + 1)})),
            ["value: Ensure this field has no more than 21960 characters."]
        );
        assert!(told(json!("text")).len() == 2);
    }
}
