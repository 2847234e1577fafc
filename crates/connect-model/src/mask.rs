use serde::Serialize;
use serde_json::Value;

/// What stands for a masked value, whatever its length was.
const MASKED: &str = "********";

/// A copy of anything that can be serialized, for a log: the values of these keys are masked, at any depth and in any case.
///
/// Parameters are masked by their id too: `{"id": "password", "value": …}` loses its `value` and `structured_value`.
///
/// ```
/// use serde_json::json;
///
/// let request = json!({"asset": {"params": [{"id": "password", "value": "secret"}, {"id": "domain", "value": "x.com"}]}});
/// assert_eq!(
///     connect_model::mask(&request, &["Password"])?,
///     json!({"asset": {"params": [{"id": "password", "value": "********"}, {"id": "domain", "value": "x.com"}]}}),
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Fails where the value can't be written as JSON.
pub fn mask(value: &(impl Serialize + ?Sized), keys: &[&str]) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::to_value(value)?;
    hide(&mut value, keys);
    Ok(value)
}

fn hide(value: &mut Value, keys: &[&str]) {
    let is_masked = |name: &str| keys.iter().any(|key| key.eq_ignore_ascii_case(name));
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, keys)),
        Value::Object(members) => {
            let of_parameter = members.get("id").and_then(Value::as_str).is_some_and(is_masked);
            for (name, member) in members {
                if is_masked(name) || of_parameter && matches!(name.as_str(), "value" | "structured_value") {
                    // Nothing to hide, and whether there is something is what one looks for in a log.
                    if !member.is_null() {
                        *member = MASKED.into();
                    }
                } else {
                    hide(member, keys);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::AssetRequest;

    #[test]
    fn values_are_masked_at_any_depth_whatever_they_are() {
        let value =
            json!({"a": [{"TOKEN": {"deep": 1}}, {"b": {"token": [1, 2]}}], "token": null, "tokens": "seen"});
        let expected = json!({"a": [{"TOKEN": "********"}, {"b": {"token": "********"}}], "token": null, "tokens": "seen"});
        assert_eq!(mask(&value, &["token"]).unwrap(), expected);
        assert_eq!(mask(&value, &[]).unwrap(), value);
    }

    #[test]
    fn a_parameter_is_masked_by_its_id() {
        let request = AssetRequest::default().with_param("admin_password", "pa55").with_param("seats", "3");
        let text = mask(&request, &["admin_password"]).unwrap().to_string();
        assert!(
            !text.contains("pa55") && text.contains("\"3\"") && text.contains("admin_password"),
            "{text}"
        );
    }
}
