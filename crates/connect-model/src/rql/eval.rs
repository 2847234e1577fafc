use std::cmp::Ordering;

use serde_json::Value;

use super::{Comparison, Operand, Query, Rql};

impl Rql {
    /// Whether an object matches. Fields step through objects by dots or double underscores; a list on the way stands
    /// for any of its entries. A [`Raw`](Self::Raw) text is parsed first, and matches nothing where it is not RQL.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        match self {
            Self::Compare(comparison, field, operand) => {
                compare(*comparison, &values(object, field), operand)
            }
            Self::List { out, field, values: list } => {
                let found = values(object, field);
                list.iter().any(|operand| compare(Comparison::Eq, &found, operand)) != *out
            }
            Self::And(members) => members.iter().all(|member| member.matches(object)),
            Self::Or(members) => members.iter().any(|member| member.matches(object)),
            Self::Not(inner) => !inner.matches(object),
            Self::Raw(text) => Self::parse(text).is_ok_and(|filter| filter.matches(object)),
        }
    }
}

impl Query {
    /// Sorts objects as the query says; those that are equal keep their order.
    pub fn sort(&self, objects: &mut [Value]) {
        objects.sort_by(|left, right| {
            let by_field = self.ordering.iter().map(|field| {
                let (name, descending) = match field.strip_prefix('-') {
                    Some(name) => (name, true),
                    None => (field.trim_start_matches('+'), false),
                };
                let order = match (values(left, name).first(), values(right, name).first()) {
                    (Some(left), Some(right)) => order(&text_of(left), &text_of(right)),
                    (left, right) => left.is_some().cmp(&right.is_some()),
                };
                if descending { order.reverse() } else { order }
            });
            by_field.fold(Ordering::Equal, Ordering::then)
        });
    }
}

/// The values a field has in an object, without nulls.
fn values<'a>(object: &'a Value, field: &str) -> Vec<&'a Value> {
    let mut found = vec![object];
    for step in field.split("__").flat_map(|part| part.split('.')) {
        let members = found.into_iter().flat_map(entries).filter_map(|value| value.get(step));
        found = members.collect();
    }
    found.into_iter().flat_map(entries).filter(|value| !value.is_null()).collect()
}

fn entries(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(entries).collect(),
        other => vec![other],
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Numbers by size, anything else (times in ISO 8601 too) by its text.
fn order(left: &str, right: &str) -> Ordering {
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
        return left.cmp(&right);
    }
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        _ => left.cmp(right),
    }
}

/// Texts are equal to the letter; numbers are equal by size.
fn is_equal(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own == text,
        other => order(&text_of(other), text) == Ordering::Equal,
    }
}

fn compare(comparison: Comparison, found: &[&Value], operand: &Operand) -> bool {
    let equal = |operand: &Operand| match operand {
        Operand::Null => found.is_empty(),
        Operand::Empty => found.is_empty() || found.iter().any(|value| **value == ""),
        Operand::Text(text) => found.iter().any(|value| is_equal(value, text)),
    };
    let any = |test: &dyn Fn(&str, &str) -> bool| match operand {
        Operand::Text(text) => found.iter().any(|value| test(&text_of(value), text)),
        Operand::Null | Operand::Empty => false,
    };
    match comparison {
        Comparison::Eq => equal(operand),
        Comparison::Ne => !equal(operand),
        Comparison::Lt => any(&|value, text| order(value, text).is_lt()),
        Comparison::Le => any(&|value, text| order(value, text).is_le()),
        Comparison::Gt => any(&|value, text| order(value, text).is_gt()),
        Comparison::Ge => any(&|value, text| order(value, text).is_ge()),
        Comparison::Like => any(&|value, pattern| like(value, pattern)),
        Comparison::Ilike => any(&|value, pattern| like(&value.to_lowercase(), &pattern.to_lowercase())),
    }
}

/// `*` is any run of characters, `\*` a star, `\\` a backslash.
fn like(value: &str, pattern: &str) -> bool {
    let mut parts = vec![String::new()];
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            '*' => parts.push(String::new()),
            '\\' => parts.last_mut().map_or((), |part| part.extend(chars.next())),
            other => parts.last_mut().map_or((), |part| part.push(other)),
        }
    }
    let [first, middle @ .., last] = parts.as_slice() else { return value == parts.concat() };
    let Some(mut rest) = value.strip_prefix(first.as_str()) else { return false };
    for part in middle {
        let Some(at) = rest.find(part.as_str()) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_mean_what_connect_means() {
        let request = json!({"id": "PR-1", "status": "pending", "created": "2024-03-01T00:00:00+00:00", "note": "",
            "asset": {"product": {"id": "PRD-1"}, "params": [{"id": "a", "value": "1"}, {"id": "b", "value": "10"}]}});
        for filter in [
            "and(eq(id,PR-1),in(status,(pending,approved)))",
            "out(status,(failed))",
            "asset__product__id=PRD-1",
            "and(like(asset.product.id,PRD*),ilike(status,*END*))",
            "gt(asset.params.value,9)",
            "and(ge(created,2024-02-28),lt(created,2025-01-01))",
            "and(eq(reason,null()),eq(note,empty()),ne(id,null()))",
            "not(eq(status,approved))",
        ] {
            assert!(Rql::parse(filter).unwrap().matches(&request), "{filter}");
            assert!(!(!Rql::parse(filter).unwrap()).matches(&request), "not {filter}");
        }
    }

    #[test]
    fn patterns() {
        assert!(like("a*b", r"a\*b") && !like("axb", r"a\*b"));
        assert!(like("abc", "a*c") && like("abc", "*") && !like("abc", "abcd*") && !like("aba", "ab*ba"));
    }

    #[test]
    fn objects_are_sorted() {
        let mut objects =
            vec![json!({"n": 2, "m": "a"}), json!({"n": 10, "m": "b"}), json!({"n": 2, "m": "c"})];
        Query::parse("ordering(-n,-m)").unwrap().sort(&mut objects);
        let names: Vec<&Value> = objects.iter().map(|object| &object["m"]).collect();
        assert_eq!(names, ["b", "c", "a"]);
    }
}
