use std::sync::Arc;

use axum::{
    Json,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use connect_model::rql::Query;
use serde_json::Value;

use crate::{
    api_error::ApiError,
    core::Core,
    store::{Condition, Scan},
};

/// How many entries a list holds where nobody says how many.
const PAGE: usize = 100;
/// How many entries a list holds at most.
const LONGEST_PAGE: usize = 1_000;
/// How many objects are read at once, between which others get their turn.
const STRETCH: usize = 500;

/// Which entries of a list are wanted.
#[derive(Clone, Copy, Debug)]
struct Window {
    offset: usize,
    limit: usize,
}

impl Window {
    fn of(query: &Query) -> Self {
        Self { offset: query.offset.unwrap_or(0), limit: query.limit.unwrap_or(PAGE).min(LONGEST_PAGE) }
    }

    fn end(self) -> usize {
        self.offset.saturating_add(self.limit)
    }

    /// The header that says which entries these are.
    fn range(self, entries: usize, total: usize) -> [(&'static str, String); 1] {
        let (first, last) = if entries == 0 { (0, 0) } else { (self.offset, self.offset + entries - 1) };
        [("Content-Range", format!("items {first}-{last}/{total}"))]
    }
}

/// Answers a list of what is kept: what matches, in the order that is asked for, cut to the page.
pub(super) async fn kept(core: &Arc<Core>, collection: &str, query: &Query) -> Result<Response, ApiError> {
    let condition = Condition::of(collection, &query.filter);
    let window = Window::of(query);
    let scan = Scan::of(collection, &query.ordering);
    if let Some(scan) = scan.filter(|_| condition.is_whole && query.search.is_none()) {
        // The columns can answer it.
        let state = core.state();
        let total = state.store.count(collection, &condition)?;
        let texts = if window.limit == 0 {
            Vec::new()
        } else {
            state.store.texts(collection, &condition, scan, window.limit, window.offset)?
        };
        drop(state);
        let range = window.range(texts.len(), total);
        if query.select.is_empty() {
            let list = format!("[{}]", texts.join(","));
            return Ok((range, [(CONTENT_TYPE, "application/json")], list).into_response());
        }
        let items: Result<Vec<Value>, _> = texts.iter().map(|text| serde_json::from_str(text)).collect();
        let items = items.map_err(|error| ApiError::from(crate::store::StoreError::from(error)))?;
        return Ok((range, Json(selected(items, query))).into_response());
    }
    let mut best = Best::new(query);
    let mut after = String::new();
    loop {
        let stretch = core.state().store.stretch(collection, &condition, &after, STRETCH)?;
        let is_last = stretch.len() < STRETCH;
        for (id, text) in stretch {
            let value = serde_json::from_str(&text).map_err(crate::store::StoreError::from)?;
            best.look_at(value);
            after = id;
        }
        if is_last {
            return Ok(best.into_response());
        }
        tokio::task::yield_now().await;
    }
}

/// Answers a list of what was made for it.
pub(super) fn made(all: Vec<Value>, query: &Query) -> Response {
    let mut best = Best::new(query);
    for value in all {
        best.look_at(value);
    }
    best.into_response()
}

/// What is wanted of all that was looked at: no more of it is held than a page needs.
pub(super) struct Best<'a> {
    query: &'a Query,
    search: Option<String>,
    window: Window,
    found: Vec<Value>,
    total: usize,
}

impl<'a> Best<'a> {
    pub(super) fn new(query: &'a Query) -> Self {
        let window = Window::of(query);
        let search = query.search.as_deref().map(str::to_lowercase);
        Self { query, search, window, found: Vec::new(), total: 0 }
    }

    pub(super) fn look_at(&mut self, value: Value) {
        let searched = self.search.as_ref().is_none_or(|text| mentions(&value, text));
        if !searched || !self.query.filter.matches(&value) {
            return;
        }
        self.total += 1;
        let end = self.window.end();
        if self.query.ordering.is_empty() {
            if self.total <= end {
                self.found.push(value);
            }
            return;
        }
        self.found.push(value);
        if self.found.len() > end.saturating_mul(2).saturating_add(STRETCH) {
            self.cut();
        }
    }

    /// Leaves what is on the page or before it.
    fn cut(&mut self) {
        self.query.sort(&mut self.found);
        self.found.truncate(self.window.end());
    }

    pub(super) fn into_response(mut self) -> Response {
        self.cut();
        let items: Vec<Value> = self.found.into_iter().skip(self.window.offset).collect();
        let range = self.window.range(items.len(), self.total);
        (range, Json(selected(items, self.query))).into_response()
    }
}

/// Without the members that nobody wants.
fn selected(mut items: Vec<Value>, query: &Query) -> Vec<Value> {
    for hidden in query.select.iter().filter_map(|field| field.strip_prefix('-')) {
        let hidden = hidden.replace("__", ".");
        for item in &mut items {
            hide(item, &hidden);
        }
    }
    items
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
    fn a_page_of_many_is_sorted_whatever_comes_when() {
        let all = |count: u64| (0..count).map(move |number| json!({"id": number * 7_919 % count, "x": "y"}));
        let query = Query::parse("eq(x,y)&ordering(-id)&limit=3&offset=2").unwrap();
        let mut best = Best::new(&query);
        all(5_003).for_each(|value| best.look_at(value));
        assert!(best.found.len() < 1_000, "{}", best.found.len());
        best.cut();
        let ids: Vec<&Value> = best.found[2..].iter().map(|value| &value["id"]).collect();
        assert_eq!((ids, best.total), (vec![&json!(5_000), &json!(4_999), &json!(4_998)], 5_003));
    }
}
