//! The variables of an environment.

use connect_model::wire::{self, Secret, SetupRequest};
use serde_json::{Value, json};

use super::note_by;
use crate::{api_error::ApiError, fulfillment::set, who::wrong, world::World};

/// What stands in place of a secret.
pub(crate) const COVERED: &str = "******";

/// The longest value, in characters.
pub(crate) const LONGEST: usize = 21_960;
/// The longest name, in characters.
const LONGEST_NAME: usize = 256;

/// Whether a variable can be called so: a letter, then letters, digits, `_`, `-` and `.`.
pub(crate) fn is_name(name: &str) -> bool {
    let others = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(others)
}

/// The name that a body gives.
pub(crate) fn name(body: &Value) -> Result<&str, ApiError> {
    let name = required(body, "name")?;
    if is_name(name) {
        return Ok(name);
    }
    Err(ApiError::bad(
        "VAL_001",
        format!(
            "name: Enter a letter, then letters, digits, '_', '-' or '.', at most {LONGEST_NAME} characters."
        ),
    ))
}

/// The value that a body gives.
pub(crate) fn value(body: &Value) -> Result<&str, ApiError> {
    let value = required(body, "value")?;
    if value.chars().count() <= LONGEST {
        return Ok(value);
    }
    Err(wrong("value", &format!("Ensure this field has no more than {LONGEST} characters.")))
}

/// Whether a body says that the value is a secret.
pub(crate) fn secure(body: &Value) -> Result<Option<bool>, ApiError> {
    match &body["secure"] {
        Value::Null => Ok(None),
        Value::Bool(secure) => Ok(Some(*secure)),
        _ => Err(wrong("secure", "Must be a valid boolean.")),
    }
}

/// The collection of an environment's variables.
pub(super) fn of(world: &World<'_>, environment: &str) -> String {
    if world.state.devops.environment == environment {
        return "variables".to_owned();
    }
    format!("devops/services/{}/environments/{environment}/variables", super::service_of(environment))
}

/// The variables of an environment with all that is kept of them, by name.
pub(crate) fn all(world: &World<'_>, environment: &str) -> Result<Vec<Value>, ApiError> {
    let mut all = world.list(&of(world, environment))?;
    all.sort_by(|left, right| left["name"].as_str().cmp(&right["name"].as_str()));
    Ok(all)
}

fn named(world: &World<'_>, environment: &str, name: &str) -> Result<Option<Value>, ApiError> {
    Ok(all(world, environment)?.into_iter().find(|variable| variable["name"] == name))
}

/// Whether nobody is to see the value. What nobody has declared may be a secret.
fn is_secure(variable: &Value) -> bool {
    variable["secure"].as_bool().unwrap_or(true)
}

/// A variable as REST tells it.
pub(crate) fn view(variable: &Value) -> Value {
    let secure = is_secure(variable);
    let value = if secure { &Value::from(COVERED) } else { &variable["value"] };
    json!({"id": variable["id"], "name": variable["name"], "value": value, "secure": secure, "events": variable["events"]})
}

/// A variable as runners are told of it.
pub(super) fn wire(variable: &Value) -> wire::Variable {
    let text = |member: &str| variable[member].as_str().unwrap_or_default();
    wire::Variable {
        name: text("name").to_owned(),
        value: Some(Secret::new(text("value"))),
        secure: Some(is_secure(variable)),
    }
}

fn make(world: &mut World<'_>, environment: &str, members: Value) -> Result<Value, ApiError> {
    let digits = environment.trim_start_matches("ENV-");
    let mut variable = members;
    set(&mut variable, "id", format!("VAR-{digits}-{:04}", world.number()?));
    let (now, role) = (world.now(), world.role());
    note_by(&mut variable, "created", &now, role);
    note_by(&mut variable, "updated", &now, role);
    world.put(&of(world, environment), &variable)?;
    Ok(variable)
}

pub(crate) fn create(world: &mut World<'_>, environment: &str, body: &Value) -> Result<Value, ApiError> {
    let (name, value, secure) = (name(body)?, value(body)?, secure(body)?);
    if named(world, environment, name)?.is_some() {
        return Err(wrong("name", &format!("There is a variable called {name}.")));
    }
    make(world, environment, json!({"name": name, "value": value, "secure": secure.unwrap_or(false)}))
}

/// Changes the value, and whether it is a secret; the name stays.
pub(crate) fn update(
    world: &mut World<'_>,
    environment: &str,
    id: &str,
    body: &Value,
) -> Result<Value, ApiError> {
    let (value, secure, now, role) = (value(body)?, secure(body)?, world.now(), world.role());
    world.update(&of(world, environment), id, |variable| {
        set(variable, "value", value);
        if let Some(secure) = secure {
            set(variable, "secure", secure);
        }
        note_by(variable, "updated", &now, role);
        Ok(())
    })
}

pub(crate) fn delete(world: &mut World<'_>, environment: &str, id: &str) -> Result<(), ApiError> {
    if world.remove(&of(world, environment), id)? { Ok(()) } else { Err(ApiError::not_found()) }
}

/// Gives a variable of the runners' environment another value, whether it was declared yet or not.
pub(crate) fn set_value(world: &mut World<'_>, name: &str, value: &str) -> Result<(), ApiError> {
    let environment = world.state.devops.environment.clone();
    let now = world.now();
    let Some(mut variable) = named(world, &environment, name)? else {
        make(world, &environment, json!({"name": name, "value": value}))?;
        return Ok(());
    };
    set(&mut variable, "value", value);
    note_by(&mut variable, "updated", &now, world.role());
    world.put(&of(world, &environment), &variable)
}

/// Makes the variables that an extension declares. One whose value nobody changed follows its declaration.
pub(crate) fn declare(world: &mut World<'_>, request: &SetupRequest) -> Result<(), ApiError> {
    let environment = world.state.devops.environment.clone();
    for declared in request.variables.iter().flatten() {
        let initial = declared.initial_value.expose();
        let Some(known) = named(world, &environment, &declared.name)? else {
            let members = json!({"name": declared.name, "value": initial, "initial": initial, "secure": declared.secure});
            make(world, &environment, members)?;
            continue;
        };
        let mut variable = known.clone();
        if known["value"] == known["initial"] {
            set(&mut variable, "value", initial);
        }
        set(&mut variable, "initial", initial);
        set(&mut variable, "secure", declared.secure || known["secure"] == true);
        if variable != known {
            world.put(&of(world, &environment), &variable)?;
        }
    }
    Ok(())
}

fn required<'a>(body: &'a Value, field: &str) -> Result<&'a str, ApiError> {
    match &body[field] {
        Value::Null => Err(wrong(field, "This field is required.")),
        Value::String(text) if text.is_empty() => Err(wrong(field, "This field may not be blank.")),
        Value::String(text) => Ok(text),
        _ => Err(wrong(field, "Not a valid string.")),
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
            [
                "name: Not a valid string.",
                "value: This field may not be blank.",
                "secure: Must be a valid boolean."
            ]
        );
        assert_eq!(
            told(json!({"name": "A", "value": "x".repeat(LONGEST + 1)})),
            ["value: Ensure this field has no more than 21960 characters."]
        );
        assert!(told(json!("text")).len() == 2);
    }
}
