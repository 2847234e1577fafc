use std::sync::Arc;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use connect_model::rql::{Comparison, Query, Rql};
use serde_json::Value;

/// How many entries a list holds where nobody says how many.
const PAGE: usize = 100;
/// How many entries a list holds at most.
const LONGEST_PAGE: usize = 1_000;

/// The id that every match has to have, so that the others need not be looked at.
pub(super) fn id_of(query: &Query) -> Option<&str> {
    fn of(filter: &Rql) -> Option<&str> {
        match filter {
            Rql::Compare(Comparison::Eq, field, id) if field == "id" => id.as_text(),
            Rql::And(members) => members.iter().find_map(of),
            _ => None,
        }
    }
    of(&query.filter)
}

/// Answers a list: what matches, in the order that is asked for, cut to the page.
pub(super) fn page(mut found: Vec<Arc<Value>>, query: &Query) -> Response {
    let search = query.search.as_deref().map(str::to_lowercase);
    found.retain(|value| {
        query.filter.matches(value) && search.as_ref().is_none_or(|text| mentions(value, text))
    });
    let total = found.len();
    let offset = query.offset.unwrap_or(0);
    let limit = query.limit.unwrap_or(PAGE).min(LONGEST_PAGE);
    query.sort(&mut found);
    let mut items: Vec<Value> =
        found.iter().skip(offset).take(limit).map(|value| (**value).clone()).collect();
    for hidden in query.select.iter().filter_map(|field| field.strip_prefix('-')) {
        let hidden = hidden.replace("__", ".");
        for item in &mut items {
            hide(item, &hidden);
        }
    }
    let (first, last) = if items.is_empty() { (0, 0) } else { (offset, offset + items.len() - 1) };
    let range = format!("items {first}-{last}/{total}");
    ([("Content-Range", range)], Json(items)).into_response()
}

/// Whether a text is in any value of an object. Which members Connect searches no source says.
fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(value) => value.to_lowercase().contains(text),
        Value::Array(list) => list.iter().any(|entry| mentions(entry, text)),
        Value::Object(members) => members.values().any(|member| mentions(member, text)),
        _ => false,
    }
}

/// Takes a branch out of an object.
fn hide(value: &mut Value, path: &str) {
    match (path.split_once('.'), value) {
        (_, Value::Array(list)) => list.iter_mut().for_each(|entry| hide(entry, path)),
        (Some((first, rest)), Value::Object(members)) => {
            if let Some(inner) = members.get_mut(first) {
                hide(inner, rest);
            }
        }
        (None, Value::Object(members)) => {
            members.remove(path);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn branches_are_hidden_through_lists() {
        let mut value = json!({"asset": {"params": [{"id": "a", "value": "1"}, 7], "id": "AS-1"}});
        hide(&mut value, "asset.params.value");
        hide(&mut value, "asset.none.what");
        assert_eq!(value, json!({"asset": {"params": [{"id": "a"}, 7], "id": "AS-1"}}));
    }

    #[test]
    fn a_search_finds_texts_at_any_depth() {
        let value = json!({"id": "PR-1", "asset": {"params": [{"value": "Münster"}]}, "amount": 7});
        for (text, expected) in [("pr-1", true), ("münst", true), ("7", false), ("value", false)] {
            assert_eq!(mentions(&value, text), expected, "{text}");
        }
    }

    #[test]
    fn an_id_is_found_where_every_match_has_it() {
        let of = |query: &str| id_of(&Query::parse(query).unwrap()).map(str::to_owned);
        assert_eq!(of("and(eq(id,PR-1),in(status,(pending)))&limit=0"), Some("PR-1".to_owned()));
        assert_eq!(of("or(eq(id,PR-1),eq(id,PR-2))"), None);
        assert_eq!(of("not(eq(id,PR-1))"), None);
        assert_eq!(of(""), None);
    }
}
