//! Parameters: what the definitions of a product say, and the values that requests and configs hold of them.

mod value;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

/// Who gives a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Giver {
    /// Who orders: values of the phase ordering alone, and none that is read-only.
    Buyer,
    Vendor,
}

/// The parameters of one scope of a product.
#[derive(Debug)]
pub(crate) struct Parameters<'a> {
    /// By position. Headings and contents are none: they hold no value.
    definitions: Vec<&'a Value>,
    /// The path of the values, for errors.
    place: &'static str,
}

/// What a definition asks for, given the values of others.
struct Asked {
    required: bool,
    readonly: bool,
}

/// What is wrong, one text a field, as Connect words it.
pub(crate) type Errors = Vec<String>;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

impl<'a> Parameters<'a> {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// Those of `asset`, `tier1` or `tier2`; the place is the path of their values, such as `asset.params`.
    pub(crate) fn new(definitions: &'a [Value], scope: &str, place: &'static str) -> Self {
        let mut definitions: Vec<&Value> = definitions
            .iter()
            .filter(|own| text(own, "scope") == scope && text(own, "phase") != "configuration")
            .filter(|own| {
                !matches!(text(own, "type"), "heading" | "content") && !text(own, "name").is_empty()
            })
            .collect();
        definitions.sort_by_key(|own| own["position"].as_u64());
        Self { definitions, place }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.named(name).is_some()
    }

    fn named(&self, name: &str) -> Option<&'a Value> {
        self.definitions.iter().copied().find(|own| text(own, "name") == name)
    }

    /// The values of a new request: all parameters, with what is given and the defaults of what is not.
    pub(crate) fn fill(&self, changes: &Value, giver: Giver) -> Result<Vec<Value>, Errors> {
        let mut values: Vec<Value> = self.definitions.iter().map(|own| unfilled(own)).collect();
        self.change(&mut values, changes, giver)?;
        Ok(values)
    }

    /// Changes the values that are named; whether one is another than before is the answer. All or nothing.
    pub(crate) fn change(
        &self,
        values: &mut Vec<Value>,
        changes: &Value,
        giver: Giver,
    ) -> Result<bool, Errors> {
        let changes = match changes {
            Value::Null => return Ok(false),
            Value::Array(changes) => changes,
            _ => return Err(vec![format!("{}: Expected a list of items.", self.place)]),
        };
        let mut after = values.clone();
        let (mut errors, mut seen) = (Vec::new(), HashSet::new());
        for change in changes {
            let id = text(change, "id");
            let Some(definition) = self.named(id) else {
                errors.push(format!("{}: the parameter \"{id}\" does not exist.", self.place));
                continue;
            };
            if !seen.insert(id) {
                errors.push(format!("{}.{id}: The parameter is given twice.", self.place));
                continue;
            }
            // A request that is older than the definition has no value of it yet.
            let at = after.iter().position(|value| value["id"] == id).unwrap_or_else(|| {
                after.push(unfilled(definition));
                after.len() - 1
            });
            if let Err(error) = put(definition, &mut after[at], change) {
                errors.extend(error.into_iter().map(|(member, error)| {
                    let dot = if member.is_empty() { "" } else { "." };
                    format!("{}.{id}{dot}{member}: {error}", self.place)
                }));
            }
        }
        if giver == Giver::Buyer {
            errors.extend(self.not_the_buyers(values, &after));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let is_other = *values != after;
        *values = after;
        Ok(is_other)
    }

    /// What a buyer changed who may not.
    fn not_the_buyers<'b>(
        &'b self,
        before: &'b [Value],
        after: &'b [Value],
    ) -> impl Iterator<Item = String> + 'b {
        self.definitions.iter().filter_map(move |definition| {
            let id = text(definition, "name");
            let (old, new) = (of(before, id), of(after, id)?);
            let is_same = old.map_or_else(
                || is_blank(new),
                |old| old["value"] == new["value"] && old["structured_value"] == new["structured_value"],
            );
            if is_same {
                return None;
            }
            let error = if text(definition, "phase") == "fulfillment" {
                "The vendor fills in this parameter."
            } else if self.asked(definition, after).readonly {
                "This parameter is read-only."
            } else {
                return None;
            };
            Some(format!("{}.{id}: {error}", self.place))
        })
    }

    /// The names of a phase's parameters that are required and have no value.
    pub(crate) fn missing(&self, values: &[Value], phase: &str) -> Vec<&'a str> {
        self.definitions
            .iter()
            .filter(|own| text(own, "phase") == phase && self.asked(own, values).required)
            .map(|own| text(own, "name"))
            .filter(|name| of(values, name).is_none_or(is_blank))
            .collect()
    }

    /// Marks the values of a phase that are required and not there; whether there is one is the answer.
    pub(crate) fn mark_missing(&self, values: &mut [Value], phase: &str) -> bool {
        let missing = self.missing(values, phase);
        for value in values.iter_mut().filter(|value| missing.contains(&text(value, "id"))) {
            if let Some(members) = value.as_object_mut() {
                members.insert("value_error".to_owned(), "This field is required.".into());
            }
        }
        !missing.is_empty()
    }

    /// A hidden one is in no form, so nobody can be asked for it.
    fn asked(&self, definition: &Value, values: &[Value]) -> Asked {
        let constraints = &definition["constraints"];
        let dependency = &constraints["dependency"];
        let depends = self.depends(dependency, values);
        let is_set = |name: &str| {
            let own = constraints[name].as_bool().unwrap_or_default();
            dependency[name].as_bool().filter(|_| depends).unwrap_or(own)
        };
        Asked { required: is_set("required") && !is_set("hidden"), readonly: is_set("readonly") }
    }

    /// Whether the parameter that another depends on has one of the values it says.
    fn depends(&self, dependency: &Value, values: &[Value]) -> bool {
        let (id, name) = (&dependency["parameter"]["id"], text(&dependency["parameter"], "name"));
        let parent = self
            .definitions
            .iter()
            .find(|own| text(own, "name") == name || id.is_string() && own["id"] == *id)
            .and_then(|own| of(values, text(own, "name")));
        let Some(parent) = parent else { return false };
        list(dependency, "values")
            .iter()
            .filter_map(Value::as_str)
            .any(|wanted| text(parent, "value") == wanted || parent["structured_value"][wanted] == true)
    }
}

fn of<'v>(values: &'v [Value], id: &str) -> Option<&'v Value> {
    values.iter().find(|value| value["id"] == id)
}

/// Whether nothing is filled in.
pub(crate) fn is_blank(value: &Value) -> bool {
    let structured = match &value["structured_value"] {
        Value::Object(members) if value["type"] == "checkbox" => members.values().any(|own| *own == true),
        Value::Object(members) => !members.is_empty(),
        other => !other.is_null(),
    };
    !structured && value["value"].as_str().is_none_or(|text| text.trim().is_empty())
}

/// The members of a value that a body gives for a parameter, checked.
pub(crate) fn checked(definition: &Value, given: &Value) -> Result<Vec<(&'static str, Value)>, Errors> {
    let told = |(member, error): (String, String)| {
        let member = if member.is_empty() { "value".to_owned() } else { member };
        format!("{member}: {error}")
    };
    let given =
        value::read(definition, given).map_err(|wrong| wrong.into_iter().map(told).collect::<Errors>())?;
    let Some(given) = given else { return Ok(Vec::new()) };
    let structured = given.structured.map(|structured| ("structured_value", structured));
    Ok(std::iter::once(("value", given.text.into())).chain(structured).collect())
}

/// Puts what a change says into a value. What is wrong is told with the member that is.
fn put(definition: &Value, into: &mut Value, change: &Value) -> Result<(), Vec<(String, String)>> {
    let error = change.get("value_error");
    if error.is_some_and(|error| !error.is_string() && !error.is_null()) {
        return Err(vec![("value_error".to_owned(), "Not a valid string.".to_owned())]);
    }
    let given = value::read(definition, change)?;
    let Some(members) = into.as_object_mut() else { return Ok(()) };
    if let Some(given) = given {
        members.insert("value".to_owned(), given.text.into());
        match given.structured {
            Some(structured) => members.insert("structured_value".to_owned(), structured),
            None => members.remove("structured_value"),
        };
    }
    if let Some(error) = error {
        members.insert("value_error".to_owned(), error.as_str().unwrap_or_default().into());
    }
    Ok(())
}

/// A parameter as a request holds it before anybody filled it in: its name is the id there.
fn unfilled(definition: &Value) -> Value {
    let name = text(definition, "name");
    let mut value = json!({"id": name, "name": name, "title": text(definition, "title"),
        "description": text(definition, "description"), "type": definition["type"], "scope": definition["scope"],
        "phase": definition["phase"], "value": "", "value_error": "", "constraints": constraints(definition)});
    let choices = &definition["constraints"]["choices"];
    let Some(members) = value.as_object_mut() else { return value };
    if value::has_choices(text(definition, "type")) {
        members.insert("value_choices".to_owned(), choices.clone());
    }
    if let Some(given) = value::default(definition) {
        members.insert("value".to_owned(), given.text.into());
        if let Some(structured) = given.structured {
            members.insert("structured_value".to_owned(), structured);
        }
    }
    value
}

/// The constraints as a value has them: with what helps who fills it in, and the choices where older clients look.
fn constraints(definition: &Value) -> Value {
    let mut all: Map<String, Value> = definition["constraints"].as_object().cloned().unwrap_or_default();
    all.entry("required").or_insert_with(|| false.into());
    for name in ["hint", "placeholder", "default"] {
        if let Some(given) = definition.get(name).filter(|given| !given.is_null()) {
            all.insert(name.to_owned(), given.clone());
        }
    }
    let meta = all.get("choices").map_or_else(|| json!({}), |choices| json!({"choices": choices}));
    all.entry("meta").or_insert(meta);
    all.into()
}

#[cfg(test)]
mod tests;
