//! REST: what is below `/public/v1`.

use std::sync::Arc;

use axum::{
    Json,
    body::to_bytes,
    extract::Request,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use connect_model::rql::{Comparison, Query, Rql};
use serde_json::{Value, json};

use crate::{
    api_error::ApiError,
    core::Core,
    events,
    fulfillment::{self, Action},
};

/// The largest body of a request.
const BODY_LIMIT: usize = 1 << 20;
/// How many entries a list holds where nobody says how many.
const PAGE: usize = 100;
/// How many entries a list holds at most.
const LONGEST_PAGE: usize = 1_000;

/// Answers a call whose key is right. The path is what is below `/public/v1`.
pub(crate) async fn answer(core: &Arc<Core>, path: &str, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| ApiError::too_large(BODY_LIMIT))?;
    let body: Value = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body)
            .map_err(|error| ApiError::bad("VAL_001", format!("The body is not JSON: {error}.")))?
    };
    let segments: Vec<String> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let call = Call { core, query: parts.uri.query().unwrap_or_default(), body };
    match parts.method {
        Method::GET => call.get(&segments),
        Method::POST => call.post(&segments),
        Method::PUT => call.put(&segments),
        _ => Err(ApiError::not_found()),
    }
}

struct Call<'a> {
    core: &'a Arc<Core>,
    query: &'a str,
    body: Value,
}

fn one(value: &Value) -> Response {
    Json(value).into_response()
}

impl Call<'_> {
    fn get(&self, segments: &[&str]) -> Result<Response, ApiError> {
        let state = || self.core.state();
        match segments {
            ["requests"] => self.requests(),
            ["requests", id] => {
                let value = state().store.request(id).map(|stored| Arc::clone(&stored.value));
                value.map(|value| one(&value)).ok_or_else(ApiError::not_found)
            }
            ["assets"] => {
                let assets = state().store.assets();
                self.list(assets)
            }
            ["assets", id] => {
                let asset = state().store.asset(id);
                asset.map(|asset| one(&asset)).ok_or_else(ApiError::not_found)
            }
            ["assets", id, "requests"] => {
                let requests: Vec<Value> = {
                    let state = state();
                    let own = state.store.requests().filter(|(_, stored)| stored.value["asset"]["id"] == *id);
                    own.map(|(_, stored)| (*stored.value).clone()).collect()
                };
                self.list(requests)
            }
            ["accounts"] => self.list(vec![account()]),
            ["auth", "context"] => Ok(one(&json!({"account": account(), "user": {"id": "UR-000-000-000"}}))),
            ["devops", "event-definitions"] => self.list(events::rest()),
            ["devops", "services", service, "environments", environment, rest @ ..] => {
                self.own(service)?;
                if *environment != self.core.setup.environment_id {
                    return Err(ApiError::not_found());
                }
                match rest {
                    ["schedules"] => self.others("schedules"),
                    ["schedules", id] => self.other("schedules", id),
                    _ => Err(ApiError::not_found()),
                }
            }
            ["devops", "services", service, "installations"] => {
                self.own(service)?;
                self.others("installations")
            }
            ["devops", "services", service, "installations", id] => {
                self.own(service)?;
                self.other("installations", id)
            }
            _ => Err(ApiError::not_found()),
        }
    }

    fn post(&self, segments: &[&str]) -> Result<Response, ApiError> {
        match segments {
            ["requests"] => {
                let id = self.body["id"].as_str().unwrap_or_default();
                if self.core.state().store.request(id).is_some() {
                    return Err(ApiError::conflict(format!("The request {id} exists.")));
                }
                let missing = || ApiError::bad("VAL_001", "id: This field is required.");
                let id = self.core.add_request(self.body.clone()).ok_or_else(missing)?;
                let value = self.core.state().store.request(&id).map(|stored| Arc::clone(&stored.value));
                let value = value.ok_or_else(ApiError::not_found)?;
                Ok((StatusCode::CREATED, one(&value)).into_response())
            }
            ["requests", id, action] => {
                let action = Action::named(action).ok_or_else(ApiError::not_found)?;
                let value =
                    self.core.change_request(id, |request| fulfillment::act(request, action, &self.body))?;
                Ok(one(&value))
            }
            _ => Err(ApiError::not_found()),
        }
    }

    fn put(&self, segments: &[&str]) -> Result<Response, ApiError> {
        match segments {
            ["requests", id] => {
                let value =
                    self.core.change_request(id, |request| fulfillment::update(request, &self.body))?;
                Ok(one(&value))
            }
            _ => Err(ApiError::not_found()),
        }
    }

    fn own(&self, service: &str) -> Result<(), ApiError> {
        if service == self.core.setup.service_id() { Ok(()) } else { Err(ApiError::not_found()) }
    }

    fn other(&self, collection: &str, id: &str) -> Result<Response, ApiError> {
        let found = self.core.state().store.get(collection, id);
        found.map(|value| one(&value)).ok_or_else(ApiError::not_found)
    }

    fn others(&self, collection: &str) -> Result<Response, ApiError> {
        let all = self.core.state().store.list(collection);
        self.list(all.iter().map(|value| (**value).clone()).collect())
    }

    fn parsed(&self) -> Result<Query, ApiError> {
        Query::parse(self.query).map_err(|error| ApiError::bad("VAL_001", format!("The query is {error}.")))
    }

    /// Requests, of which there may be many: an id in the filter finds its one without looking at the others.
    fn requests(&self) -> Result<Response, ApiError> {
        let query = self.parsed()?;
        let found: Vec<Value> = {
            let state = self.core.state();
            let matching = |value: &Value| query.filter.matches(value);
            if let Some(id) = id_of(&query.filter) {
                let stored = state.store.request(id).filter(|stored| matching(&stored.value));
                stored.map(|stored| (*stored.value).clone()).into_iter().collect()
            } else {
                let all = state.store.requests().filter(|(_, stored)| matching(&stored.value));
                all.map(|(_, stored)| (*stored.value).clone()).collect()
            }
        };
        Ok(page(found, &query))
    }

    fn list(&self, mut all: Vec<Value>) -> Result<Response, ApiError> {
        let query = self.parsed()?;
        all.retain(|value| query.filter.matches(value));
        Ok(page(all, &query))
    }
}

/// The id that every match has to have.
fn id_of(filter: &Rql) -> Option<&str> {
    match filter {
        Rql::Compare(Comparison::Eq, field, id) if field == "id" => id.as_text(),
        Rql::And(members) => members.iter().find_map(id_of),
        _ => None,
    }
}

fn page(mut found: Vec<Value>, query: &Query) -> Response {
    query.sort(&mut found);
    let total = found.len();
    let offset = query.offset.unwrap_or(0);
    let limit = query.limit.unwrap_or(PAGE).min(LONGEST_PAGE);
    let mut items: Vec<Value> = found.into_iter().skip(offset).take(limit).collect();
    for hidden in query.select.iter().filter_map(|field| field.strip_prefix('-')) {
        for item in &mut items {
            hide(item, hidden);
        }
    }
    let (first, last) = if items.is_empty() { (0, 0) } else { (offset, offset + items.len() - 1) };
    let range = format!("items {first}-{last}/{total}");
    ([("Content-Range", range)], Json(items)).into_response()
}

/// Takes a branch out of an object.
fn hide(value: &mut Value, path: &str) {
    match (path.split_once('.'), value) {
        (Some((first, rest)), Value::Object(members)) => {
            if let Some(inner) = members.get_mut(first) {
                hide(inner, rest);
            }
        }
        (None, Value::Object(members)) => {
            members.remove(path);
        }
        (_, Value::Array(list)) => list.iter_mut().for_each(|entry| hide(entry, path)),
        _ => {}
    }
}

fn account() -> Value {
    json!({"id": "VA-000-000", "name": "Sandbox", "type": "vendor", "role": "vendor"})
}
