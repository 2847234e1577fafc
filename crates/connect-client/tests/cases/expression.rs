//! Expressions of the cases.

use connect_client::{
    R, Rql,
    rql::{Operand, RqlError},
};
use serde_json::Value;

use crate::compare::check;

fn operand(value: &Value) -> Operand {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::Bool(value) => (*value).into(),
        Value::Number(number) if number.is_i64() => number.as_i64().unwrap().into(),
        Value::Number(number) => number.as_f64().unwrap().into(),
        // Dates, times and decimals are sent as they are written here.
        Value::Object(members) => members.values().next().unwrap().as_str().unwrap().into(),
        other => panic!("no operand: {other}"),
    }
}

fn lookup(pair: &Value) -> Rql {
    let name = pair[0].as_str().unwrap();
    match &pair[1] {
        Value::Array(list) => Rql::lookup(name, list.iter().map(operand).collect::<Vec<_>>()),
        value => Rql::lookup(name, operand(value)),
    }
}

pub(crate) fn build(expression: &Value) -> Rql {
    let members = |name: &str| expression[name].as_array().unwrap().iter().map(build);
    if let Some(raw) = expression["raw"].as_str() {
        return raw.into();
    }
    if let Some(lookups) = expression["lookups"].as_array() {
        return Rql::all(lookups.iter().map(lookup));
    }
    if expression.get("and").is_some() {
        return members("and").reduce(|left, right| left & right).unwrap();
    }
    if expression.get("or").is_some() {
        return members("or").reduce(|left, right| left | right).unwrap();
    }
    if let Some(inner) = expression.get("not") {
        return !build(inner);
    }
    let Some(field) = expression["field"].as_str() else { return Rql::default() };
    let (field, value) = (R::field(field), &expression["value"]);
    let list = || value.as_array().unwrap().iter().map(operand);
    match expression["op"].as_str().unwrap() {
        "eq" => field.eq(operand(value)),
        "ne" => field.ne(operand(value)),
        "lt" => field.lt(operand(value)),
        "le" => field.le(operand(value)),
        "gt" => field.gt(operand(value)),
        "ge" => field.ge(operand(value)),
        "like" => field.like(value.as_str().unwrap()),
        "ilike" => field.ilike(value.as_str().unwrap()),
        "in" | "oneof" => field.is_in(list()),
        "out" => field.out(list()),
        "null" if *value == true => field.is_null(),
        "null" => field.is_not_null(),
        "empty" if *value == true => field.is_empty(),
        "empty" => field.is_not_empty(),
        op => panic!("no such operator: {op}"),
    }
}

/// The text of an expression, as it is sent.
pub(crate) fn outcome(expression: &Value, wanted: &Value) -> Result<(), String> {
    let filter = build(expression);
    let printed: Result<String, RqlError> = filter.check().map(|()| filter.to_string());
    match printed {
        Ok(text) => check(wanted["value"] == text, || format!("{text} instead of {wanted}")),
        Err(error) => check(wanted["error"]["kind"] == "usage", || format!("{error} instead of {wanted}")),
    }
}
