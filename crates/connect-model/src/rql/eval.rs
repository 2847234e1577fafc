use std::cmp::Ordering;

use jiff::{Timestamp, civil, tz::Offset};
use serde_json::Value;

use super::{Comparison, Operand, Query, Rql, operand::Repr};

impl Rql {
    /// Whether an object matches. Fields step through objects by dots or double underscores; a list on the way stands
    /// for any of its entries. Times are compared as instants (in UTC where they have no offset), numbers by size. A
    /// [`Raw`](Self::Raw) text is parsed first, and matches nothing where it is not RQL.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        match self {
            Self::Empty => true,
            Self::Compare(comparison, field, operand) => compare(*comparison, object, field, operand),
            Self::List { out, field, values } => {
                values.iter().any(|operand| compare(Comparison::Eq, object, field, operand)) != *out
            }
            Self::And(members) => members.iter().all(|member| member.matches(object)),
            Self::Or(members) => members.iter().any(|member| member.matches(object)),
            Self::Not(inner) => match &**inner {
                Self::Raw(text) => Self::parse(text).is_ok_and(|filter| !filter.matches(object)),
                inner => !inner.matches(object),
            },
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

/// A date or a date-time; what has no offset is in UTC, what has no time is midnight.
fn instant(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    // Most texts are no times, which these signs tell at once.
    let [_, _, _, _, b'-', _, _, b'-', _, _, rest @ ..] = bytes else { return None };
    if rest.is_empty() {
        let date: civil::Date = text.parse().ok()?;
        return Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok();
    }
    let has_offset =
        rest.ends_with(b"Z") || rest.ends_with(b"z") || rest.iter().any(|sign| b"+-".contains(sign));
    if has_offset {
        return text.parse().ok();
    }
    let time: civil::DateTime = text.parse().ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

/// Times as instants, numbers by size, anything else by its text.
fn order(left: &str, right: &str) -> Ordering {
    if let (Some(left), Some(right)) = (instant(left), instant(right)) {
        return left.cmp(&right);
    }
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
        return left.cmp(&right);
    }
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
        _ => left.cmp(right),
    }
}

/// Texts are equal to the letter, or as times; numbers are equal by size.
fn is_equal(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => {
            own == text || instant(own).is_some_and(|own| instant(text).is_some_and(|text| own == text))
        }
        other => order(&text_of(other), text) == Ordering::Equal,
    }
}

fn compare(comparison: Comparison, object: &Value, field: &str, operand: &Operand) -> bool {
    let found = values(object, field);
    let equal = || match &operand.0 {
        Repr::Null => found.is_empty(),
        Repr::Empty => found.is_empty() || found.iter().any(|value| **value == ""),
        Repr::Text { text, .. } => found.iter().any(|value| is_equal(value, text)),
        Repr::Tuple(members) => found.iter().any(|entry| members.iter().all(|member| member.matches(entry))),
        Repr::Misfit { .. } => false,
    };
    let any = |test: &dyn Fn(&str, &str) -> bool| {
        operand.as_text().is_some_and(|text| found.iter().any(|value| test(&text_of(value), text)))
    };
    match comparison {
        Comparison::Eq => equal(),
        Comparison::Ne => !equal(),
        Comparison::Lt => any(&|value, text| order(value, text).is_lt()),
        Comparison::Le => any(&|value, text| order(value, text).is_le()),
        Comparison::Gt => any(&|value, text| order(value, text).is_gt()),
        Comparison::Ge => any(&|value, text| order(value, text).is_ge()),
        Comparison::Like => any(&|value, pattern| like(value, pattern)),
        Comparison::Ilike => any(&|value, pattern| like(&value.to_lowercase(), &pattern.to_lowercase())),
    }
}

/// `*` is any run of characters, `\*` a star, `\\` a backslash; any other backslash is itself.
fn like(value: &str, pattern: &str) -> bool {
    let mut parts = vec![String::new()];
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        if char == '*' {
            parts.push(String::new());
            continue;
        }
        let escaped = char == '\\' && chars.as_str().starts_with(['*', '\\']);
        if let Some(part) = parts.last_mut() {
            part.push(if escaped { chars.next().unwrap_or(char) } else { char });
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
            "",
            "and(eq(id,PR-1),in(status,(pending,approved)))",
            "out(status,(failed))",
            "asset__product__id=PRD-1",
            "and(like(asset.product.id,PRD*),ilike(status,*END*))",
            "gt(asset.params.value,9)",
            "and(ge(created,2024-02-28),lt(created,2025-01-01))",
            "and(eq(reason,null()),eq(note,empty()),ne(id,null()))",
            "not(eq(status,approved))",
            "asset.params=t(id=b,value=10)",
            "asset.params=ne=t(id=a,value=10)",
            "in(asset.params,(t(id=x),t(like(id,a*))))",
        ] {
            let filter = Rql::parse(filter).unwrap();
            assert!(filter.matches(&request), "{filter}");
            assert!(!(!filter.clone()).matches(&request), "not {filter}");
        }
        assert!(!Rql::raw("near(a,1)").matches(&request) && !(!Rql::raw("near(a,1)")).matches(&request));
        assert!(!Rql::any([]).matches(&request) && Rql::all([]).matches(&request));
    }

    #[test]
    fn times_are_instants() {
        let object =
            json!({"at": "2024-01-02T03:04:05+00:00", "day": "2024-01-02", "exact": "2024-01-02T03:04:05.5"});
        for filter in [
            "at=2024-01-02T03:04:05Z",
            "at=2024-01-02T05:04:05+02:00",
            "at=2024-01-02T03:04:05.000000",
            "le(at,2024-01-02T03:04:05Z)",
            "lt(at,2024-01-02T00:00:00-05:30)",
            "gt(at,2024-01-02)",
            "day=2024-01-02T00:00:00Z",
            "gt(exact,2024-01-02T03:04:05Z)",
            "exact=2024-01-02T03:04:05.500000+00:00",
            "ne(day,2024-01-03)",
        ] {
            assert!(Rql::parse(filter).unwrap().matches(&object), "{filter}");
        }
        let mut objects =
            vec![json!({"at": "2024-01-02T03:00:00+00:00"}), json!({"at": "2024-01-02T04:00:00+02:00"})];
        Query::parse("ordering(at)").unwrap().sort(&mut objects);
        assert_eq!(objects[0]["at"], "2024-01-02T04:00:00+02:00");
    }

    #[test]
    fn patterns() {
        assert!(
            like("a*b", r"a\*b") && !like("axb", r"a\*b") && like(r"a\b", r"a\\b") && like(r"a\b", r"a\b")
        );
        assert!(like("abc", "a*c") && like("abc", "*") && !like("abc", "abcd*") && !like("aba", "ab*ba"));
        assert!(like("abc", "abc") && !like("abc", "ab") && !like("Abc", "a*"));
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
