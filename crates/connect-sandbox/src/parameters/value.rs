//! What a value of each type has to be.

use serde_json::{Map, Value, json};
use url::{Host, Url};

use super::{list, text};

/// A value that was checked.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Given {
    pub(super) text: String,
    /// Where the type has one.
    pub(super) structured: Option<Value>,
}

/// The member that is wrong, empty for the value as a whole, and what is wrong with it.
type Wrong = Vec<(String, String)>;

const ADDRESS: [&str; 6] = ["address_line1", "address_line2", "city", "state", "postal_code", "country"];
/// What no address is without.
const NEEDED: [&str; 4] = ["address_line1", "city", "postal_code", "country"];
const PHONE: [&str; 4] = ["country_code", "area_code", "phone_number", "extension"];

pub(super) fn has_choices(kind: &str) -> bool {
    matches!(kind, "dropdown" | "choice" | "checkbox" | "subdomain")
}

fn wrong(error: impl Into<String>) -> Wrong {
    vec![(String::new(), error.into())]
}

/// What a change gives, if it gives a value at all.
pub(super) fn read(definition: &Value, change: &Value) -> Result<Option<Given>, Wrong> {
    let kind = text(definition, "type");
    let plain = match change.get("value") {
        None => None,
        Some(Value::Null) => Some(""),
        Some(Value::String(text)) => Some(text.as_str()),
        Some(_) => return Err(vec![("value".to_owned(), "Not a valid string.".to_owned())]),
    };
    let structured = change.get("structured_value").filter(|structured| !structured.is_null());
    if !matches!(kind, "checkbox" | "address" | "phone" | "object") {
        // Objects that travelled through older clients have an empty one.
        if structured.is_some_and(|structured| *structured != json!({})) {
            let error = format!("A parameter of type {kind} has no structured value.");
            return Err(vec![("structured_value".to_owned(), error)]);
        }
        let Some(plain) = plain else { return Ok(None) };
        plain_text(definition, kind, plain)?;
        return Ok(Some(Given { text: plain.to_owned(), structured: None }));
    }
    match structured {
        Some(Value::Object(members)) => by_members(definition, kind, members).map(Some),
        Some(_) => Err(vec![("structured_value".to_owned(), "Expected a dictionary of items.".to_owned())]),
        None => plain.map(|plain| by_text(definition, kind, plain)).transpose(),
    }
}

/// What is taken where nothing is given.
pub(super) fn default(definition: &Value) -> Option<Given> {
    let kind = text(definition, "type");
    let chosen: Vec<&str> = list(&definition["constraints"], "choices")
        .iter()
        .filter(|choice| choice["default"] == true)
        .map(|choice| text(choice, "value"))
        .collect();
    match kind {
        "checkbox" => Some(Given { text: String::new(), structured: Some(ticked(definition, &chosen)) }),
        "dropdown" | "choice" => {
            chosen.first().map(|value| Given { text: (*value).to_owned(), structured: None })
        }
        // One of those domains is no value yet: what stands before it is missing.
        "subdomain" => None,
        // Those of an address and a phone say where a form begins.
        _ => {
            let default = definition["default"].as_str()?;
            plain_text(definition, kind, default).ok()?;
            Some(Given { text: default.to_owned(), structured: None })
        }
    }
}

fn ticked(definition: &Value, chosen: &[&str]) -> Value {
    let values = list(&definition["constraints"], "choices").iter().map(|choice| text(choice, "value"));
    values.map(|value| (value.to_owned(), chosen.contains(&value).into())).collect::<Map<_, _>>().into()
}

/// Whether a text can be a value; an empty one always can, since whether it is required is another question.
fn plain_text(definition: &Value, kind: &str, value: &str) -> Result<(), Wrong> {
    if value.is_empty() {
        return Ok(());
    }
    let limit = |name: &str| definition["constraints"][name].as_u64();
    let length = value.chars().count() as u64;
    if let Some(least) = limit("min_length").filter(|least| length < *least) {
        return Err(wrong(format!("Ensure this field has at least {least} characters.")));
    }
    if let Some(most) = limit("max_length").filter(|most| length > *most) {
        return Err(wrong(format!("Ensure this field has no more than {most} characters.")));
    }
    let choices = || list(&definition["constraints"], "choices").iter().map(|choice| text(choice, "value"));
    match kind {
        "email" if !is_email(value) => Err(wrong("Enter a valid email address.")),
        "url" if !is_url(value) => Err(wrong("Enter a valid URL.")),
        "domain" | "subdomain" if !is_domain(value) => Err(wrong("Enter a valid domain name.")),
        "dropdown" | "choice" if choices().all(|choice| choice != value) => {
            Err(wrong(format!("\"{value}\" is not a valid choice.")))
        }
        "subdomain" if !choices().any(|parent| is_below(value, parent)) => {
            let parents = choices().collect::<Vec<_>>().join(", ");
            Err(wrong(format!("\"{value}\" is no subdomain of: {parents}.")))
        }
        _ => Ok(()),
    }
}

fn is_domain(value: &str) -> bool {
    let Ok(Host::Domain(ascii)) = Host::parse(value) else { return false };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    ascii.len() <= 253 && ascii.contains('.') && ascii.split('.').all(is_label)
}

fn is_email(value: &str) -> bool {
    value.rsplit_once('@').is_some_and(|(local, domain)| {
        let is_sign =
            |sign: char| !sign.is_whitespace() && !sign.is_control() && !"@()<>[],;:\\\"".contains(sign);
        !local.is_empty() && local.len() <= 64 && local.chars().all(is_sign) && is_domain(domain)
    })
}

fn is_url(value: &str) -> bool {
    // The parser would forgive spaces around it.
    !value.contains(char::is_whitespace)
        && Url::parse(value)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "ftp" | "ftps") && url.has_host())
}

fn is_below(value: &str, parent: &str) -> bool {
    let (value, parent) = (value.to_lowercase(), parent.to_lowercase());
    value.strip_suffix(&parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn by_members(definition: &Value, kind: &str, members: &Map<String, Value>) -> Result<Given, Wrong> {
    match kind {
        "checkbox" => checkbox(definition, members),
        "address" => address(members),
        "phone" => phone(members),
        _ => Ok(Given { text: String::new(), structured: Some(members.clone().into()) }),
    }
}

/// A text in place of the structured value that the type has.
fn by_text(definition: &Value, kind: &str, value: &str) -> Result<Given, Wrong> {
    let is_empty = value.trim().is_empty();
    match kind {
        "checkbox" if is_empty => {
            Ok(Given { text: String::new(), structured: Some(ticked(definition, &[])) })
        }
        _ if is_empty => Ok(Given::default()),
        "object" => match serde_json::from_str(value) {
            Ok(members @ Value::Object(_)) => Ok(Given { text: value.to_owned(), structured: Some(members) }),
            Ok(_) => Err(wrong("Expected a JSON object.")),
            Err(error) => Err(wrong(format!("Value must be valid JSON: {error}."))),
        },
        "phone" => {
            let digits = value.strip_prefix('+').unwrap_or(value);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(wrong("Enter a valid phone number: + and digits."));
            }
            Ok(Given { text: value.to_owned(), structured: None })
        }
        _ => Err(vec![("structured_value".to_owned(), "This field is required.".to_owned())]),
    }
}

fn checkbox(definition: &Value, members: &Map<String, Value>) -> Result<Given, Wrong> {
    let mut structured = ticked(definition, &[]);
    let mut errors = Vec::new();
    for (choice, is_ticked) in members {
        let place = || format!("structured_value.{choice}");
        match structured.get_mut(choice) {
            None => errors.push((place(), format!("\"{choice}\" is not a valid choice."))),
            Some(_) if !is_ticked.is_boolean() => {
                errors.push((place(), "Must be a valid boolean.".to_owned()));
            }
            Some(known) => *known = is_ticked.clone(),
        }
    }
    if errors.is_empty() {
        Ok(Given { text: String::new(), structured: Some(structured) })
    } else {
        Err(errors)
    }
}

/// The parts that a type has, as texts; the errors are those of parts that are none.
fn parts<const N: usize>(names: [&str; N], members: &Map<String, Value>) -> Result<[String; N], Wrong> {
    let mut errors = Vec::new();
    let parts = names.map(|name| match members.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(part)) => part.trim().to_owned(),
        Some(_) => {
            errors.push((format!("structured_value.{name}"), "Not a valid string.".to_owned()));
            String::new()
        }
    });
    if errors.is_empty() { Ok(parts) } else { Err(errors) }
}

fn whole(names: &[&str], parts: &[String]) -> Value {
    names
        .iter()
        .zip(parts)
        .map(|(name, part)| ((*name).to_owned(), part.as_str().into()))
        .collect::<Map<_, _>>()
        .into()
}

fn address(members: &Map<String, Value>) -> Result<Given, Wrong> {
    let parts = parts(ADDRESS, members)?;
    if parts.iter().all(String::is_empty) {
        return Ok(Given::default());
    }
    let mut errors = Vec::new();
    for (name, part) in ADDRESS.iter().zip(&parts) {
        let error = if part.is_empty() && NEEDED.contains(name) {
            "This field may not be blank."
        } else if *name == "country"
            && !(part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic()))
        {
            "Enter the two letters of a country."
        } else {
            continue;
        };
        errors.push((format!("structured_value.{name}"), error.to_owned()));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let line: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    Ok(Given { text: line.join(" "), structured: Some(whole(&ADDRESS, &parts)) })
}

fn phone(members: &Map<String, Value>) -> Result<Given, Wrong> {
    let parts = parts(PHONE, members)?;
    if parts.iter().all(String::is_empty) {
        return Ok(Given::default());
    }
    let [country, area, number, extension] = &parts;
    let country = country.strip_prefix('+').unwrap_or(country);
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mut errors = Vec::new();
    for (name, part, is_needed) in [
        ("country_code", country, true),
        ("area_code", area, false),
        ("phone_number", number, true),
        ("extension", extension, false),
    ] {
        let error = match part {
            "" if is_needed => "This field may not be blank.",
            // Exports have "-" where a distributor's system knew none.
            "-" if name == "extension" => continue,
            part if !is_number(part) => "Enter digits only.",
            _ => continue,
        };
        errors.push((format!("structured_value.{name}"), error.to_owned()));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let structured = json!({"country_code": format!("+{country}"), "area_code": area, "phone_number": number,
        "extension": extension});
    Ok(Given { text: format!("+{country}{area}{number}"), structured: Some(structured) })
}
