//! The cases of the API client that are about RQL, and the table of what the published grammar takes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use std::path::PathBuf;

use connect_model::rql::{Operand, Query, R, Rql};
use jiff::{ZonedDateTime, civil};
use serde_json::Value;

/// A file of the specification; none only on a machine that has no such folder and is not the gate.
fn specification(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec").join(name);
    if path.is_file() {
        return Some(std::fs::read_to_string(path).unwrap());
    }
    assert!(std::env::var_os("CI").is_none(), "the specification is missing: {}", path.display());
    eprintln!("skipped: no specification at {}", path.display());
    None
}

fn operand(value: &Value) -> Operand {
    match value {
        Value::String(text) => text.into(),
        Value::Bool(bool) => bool.into(),
        Value::Number(number) => number.into(),
        Value::Object(typed) => {
            let (kind, text) = typed.iter().next().unwrap();
            let text = text.as_str().unwrap();
            match kind.as_str() {
                "$decimal" => text.into(),
                "$date" => text.parse::<civil::Date>().unwrap().into(),
                "$datetime" => match text.get(19..).and_then(|rest| rest.find(['+', '-'])) {
                    Some(at) => {
                        format!("{text}[{}]", &text[19 + at..]).parse::<ZonedDateTime>().unwrap().into()
                    }
                    None => text.parse::<civil::DateTime>().unwrap().into(),
                },
                other => panic!("a value of the kind {other}"),
            }
        }
        other => panic!("the value {other}"),
    }
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().unwrap().iter().collect()
}

/// An expression of the cases, built as a user would.
fn built(expression: &Value) -> Rql {
    let Some((kind, inner)) = expression.as_object().unwrap().iter().next() else { return Rql::default() };
    match kind.as_str() {
        "raw" => inner.as_str().unwrap().into(),
        "lookups" => Rql::all(list(inner).into_iter().map(|lookup| {
            let name = lookup[0].as_str().unwrap();
            match &lookup[1] {
                Value::Array(values) => {
                    Rql::lookup(name, values.iter().map(operand).collect::<Vec<Operand>>())
                }
                value => Rql::lookup(name, operand(value)),
            }
        })),
        "and" => list(inner).into_iter().map(built).reduce(|all, next| all & next).unwrap(),
        "or" => list(inner).into_iter().map(built).reduce(|any, next| any | next).unwrap(),
        "not" => !built(inner),
        _ => {
            let field = R::field(expression["field"].as_str().unwrap());
            let value = &expression["value"];
            match expression["op"].as_str().unwrap() {
                "eq" => field.eq(operand(value)),
                "ne" => field.ne(operand(value)),
                "lt" => field.lt(operand(value)),
                "le" => field.le(operand(value)),
                "gt" => field.gt(operand(value)),
                "ge" => field.ge(operand(value)),
                "like" => field.like(operand(value)),
                "ilike" => field.ilike(operand(value)),
                "in" | "oneof" => field.is_in(list(value).into_iter().map(operand)),
                "out" => field.out(list(value).into_iter().map(operand)),
                "null" if value == true => field.is_null(),
                "null" => field.is_not_null(),
                "empty" if value == true => field.is_empty(),
                "empty" => field.is_not_empty(),
                other => panic!("the operator {other}"),
            }
        }
    }
}

#[test]
fn the_cases_of_the_client_hold() {
    let Some(text) = specification("openapi-client-cases.json") else { return };
    let cases: Value = serde_json::from_str(&text).unwrap();
    let mut played = Vec::new();
    for case in cases["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if !id.starts_with("rql-") || case["conformance"] == "info" {
            continue;
        }
        let better = &case["better"]["program"];
        assert_eq!(case["conformance"] == "differ", better.is_array(), "{id}");
        for (index, statement) in case["program"].as_array().unwrap().iter().enumerate() {
            let expect = better.get(index).map_or(&statement["expect"], |better| &better["expect"]);
            let filter = built(&statement["rql"]);
            if let Some(expected) = expect.get("value") {
                assert_eq!(
                    (Ok(()), filter.to_string().as_str()),
                    (filter.check(), expected.as_str().unwrap()),
                    "{id}"
                );
                assert_eq!(Rql::parse(&filter.to_string()).unwrap().to_string(), filter.to_string(), "{id}");
            } else {
                assert_eq!(expect["error"]["kind"], "usage", "{id}");
                assert!(filter.check().is_err(), "{id}: {filter}");
            }
        }
        played.push(id);
    }
    assert_eq!(played.len(), 22, "{played:?}");
}

/// Every text of the table, whose last column says whether the published grammar takes it.
#[test]
fn texts_are_taken_and_refused_as_the_published_grammar_does() {
    let Some(text) = specification("openapi-client.md") else { return };
    let table = text.split_once("### 4.7").unwrap().1.split_once("### 4.8").unwrap().0;
    let (mut taken, mut refused) = (0, 0);
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let mut columns = line.trim_matches(['|', ' ']).rsplitn(3, " | ");
        let (accepted, printed) = (columns.next().unwrap(), columns.next().unwrap());
        if accepted == "n/a" {
            continue;
        }
        let text = printed.trim_matches('`');
        let answers = (Rql::parse(text).is_ok(), Query::parse(text).is_ok());
        let expected = accepted == "yes";
        assert_eq!(answers, (expected, expected), "{text}");
        taken += i32::from(expected);
        refused += i32::from(!expected);
    }
    assert_eq!((taken, refused), (54, 12));
}
