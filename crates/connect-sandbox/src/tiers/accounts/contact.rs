//! What has to be in an account.

use serde_json::Value;

use crate::api_error::ApiError;

/// A text: where it is, whether it has to be there, and how long it may be.
type Text = (&'static str, bool, usize);

const ACCOUNT: [Text; 4] =
    [("name", false, 255), ("external_id", false, 255), ("external_uid", false, 255), ("tax_id", false, 100)];
const ADDRESS: [Text; 6] = [
    ("address_line1", true, 255),
    ("address_line2", false, 255),
    ("city", true, 100),
    ("state", false, 100),
    ("postal_code", true, 50),
    ("country", true, 100),
];
const CONTACT: [Text; 3] = [("first_name", true, 100), ("last_name", true, 100), ("email", true, 254)];
const PHONE: [Text; 4] = [
    ("country_code", false, 25),
    ("area_code", false, 25),
    ("phone_number", false, 25),
    ("extension", false, 25),
];

/// What a body has to say of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A new one says where it is.
    Whole,
    /// A change says that anew, or not at all.
    Change,
    /// For people at the console and in tests, a name will do.
    Sketch,
}

/// Refuses what an account can't be.
pub(super) fn check(body: &Value, wanted: Wanted, place: &str) -> Result<(), ApiError> {
    let mut errors = Errors { of: Vec::new(), strict: wanted != Wanted::Sketch };
    texts(body, place, &ACCOUNT, &mut errors);
    choice(body, place, "type", &["customer", "reseller"], &mut errors);
    choice(body, place, "environment", &["production", "test", "preview"], &mut errors);
    let says_where = wanted == Wanted::Whole || body.get("contact_info").is_some();
    if let Some(info) = part(body, place, "contact_info", says_where, &mut errors) {
        let place = format!("{place}contact_info.");
        texts(info, &place, &ADDRESS, &mut errors);
        if let Some(contact) = part(info, &place, "contact", true, &mut errors) {
            let place = format!("{place}contact.");
            texts(contact, &place, &CONTACT, &mut errors);
            if let Some(phone) = part(contact, &place, "phone_number", false, &mut errors) {
                texts(phone, &format!("{place}phone_number."), &PHONE, &mut errors);
            }
        }
    }
    if errors.of.is_empty() {
        return Ok(());
    }
    let mut error = ApiError::bad("VAL_001", "");
    error.errors = errors.of;
    Err(error)
}

struct Errors {
    of: Vec<String>,
    /// Whether what is missing is wrong.
    strict: bool,
}

impl Errors {
    fn tell(&mut self, place: &str, name: &str, error: &str) {
        self.of.push(format!("{place}{name}: {error}"));
    }
}

/// An object in an object.
fn part<'a>(
    object: &'a Value,
    place: &str,
    name: &str,
    required: bool,
    errors: &mut Errors,
) -> Option<&'a Value> {
    match object.get(name) {
        Some(part @ Value::Object(_)) => return Some(part),
        None | Some(Value::Null) if required && errors.strict => {
            errors.tell(place, name, "This field is required.");
        }
        None | Some(Value::Null) => {}
        Some(_) => errors.tell(place, name, "Invalid data. Expected a dictionary."),
    }
    None
}

fn texts(object: &Value, place: &str, texts: &[Text], errors: &mut Errors) {
    for (name, required, longest) in texts {
        let required = *required && errors.strict;
        let error = match &object[*name] {
            Value::Null if required => "This field is required.".to_owned(),
            Value::String(text) if required && text.trim().is_empty() => {
                "This field may not be blank.".to_owned()
            }
            Value::String(text) if text.chars().count() > *longest => {
                format!("Ensure this field has no more than {longest} characters.")
            }
            Value::Null | Value::String(_) => continue,
            _ => "Not a valid string.".to_owned(),
        };
        errors.tell(place, name, &error);
    }
}

fn choice(object: &Value, place: &str, name: &str, choices: &[&str], errors: &mut Errors) {
    match &object[name] {
        Value::Null => {}
        Value::String(chosen) if choices.contains(&chosen.as_str()) => {}
        other => errors.tell(place, name, &format!("{other} is not a valid choice.")),
    }
}

#[cfg(test)]
mod tests {
    use connect_model::build::Generator;
    use serde_json::json;

    use super::*;

    fn whole() -> Value {
        json!({"name": "N", "type": "reseller", "contact_info": {"address_line1": "A", "city": "C",
            "postal_code": "1", "country": "ES", "state": null, "contact": {"first_name": "F", "last_name": "L",
                "email": "f@example.com", "phone_number": {"country_code": "+1", "phone_number": "2"}}}})
    }

    #[test]
    fn what_generators_and_bodies_give_is_enough() {
        for account in [whole(), Value::from(&Generator::seeded(3).customer())] {
            assert_eq!(check(&account, Wanted::Whole, ""), Ok(()), "{account}");
        }
        assert_eq!(check(&json!({"name": "N"}), Wanted::Change, ""), Ok(()), "a change need not be whole");
        let sketch = json!({"name": "N", "contact_info": {"city": "", "contact": {"email": ""}}});
        assert_eq!(check(&sketch, Wanted::Sketch, ""), Ok(()));
        assert!(check(&sketch, Wanted::Change, "").is_err());
    }

    #[test]
    fn each_wrong_field_is_named() {
        let errors = |body: &Value| check(body, Wanted::Whole, "asset.tiers.tier1.").unwrap_err().errors;
        assert_eq!(errors(&json!(null)), ["asset.tiers.tier1.contact_info: This field is required."]);
        let mut wrong = whole();
        wrong["type"] = json!("vendor");
        wrong["name"] = json!(7);
        wrong["contact_info"]["city"] = json!("");
        wrong["contact_info"]["postal_code"] = json!("1".repeat(51));
        wrong["contact_info"]["contact"]["email"] = json!(null);
        wrong["contact_info"]["contact"]["phone_number"] = json!([]);
        let expected = [
            "name: Not a valid string.",
            "type: \"vendor\" is not a valid choice.",
            "contact_info.city: This field may not be blank.",
            "contact_info.postal_code: Ensure this field has no more than 50 characters.",
            "contact_info.contact.email: This field is required.",
            "contact_info.contact.phone_number: Invalid data. Expected a dictionary.",
        ];
        assert_eq!(errors(&wrong), expected.map(|text| format!("asset.tiers.tier1.{text}")));
    }
}
