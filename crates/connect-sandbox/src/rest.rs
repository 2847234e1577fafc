//! REST: what is below `/public/v1`. Paths, bodies and answers are those of Connect's Open API.

mod page;

use std::sync::Arc;

use axum::{
    Json,
    body::to_bytes,
    extract::Request,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use connect_model::rql::Query;
use serde_json::{Value, json};

use crate::{
    api_error::ApiError,
    core::Core,
    events,
    fulfillment::{self, Action},
};
use page::{id_of, page};

/// The largest body of a request, in bytes.
const BODY_LIMIT: usize = 1 << 20;

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
        Method::DELETE => call.delete(&segments),
        _ => Err(ApiError::not_found()),
    }
}

struct Call<'a> {
    core: &'a Arc<Core>,
    query: &'a str,
    body: Value,
}

/// What a path below `devops/services/{service}` leads to.
enum Devops<'a> {
    Schedules,
    Schedule(&'a str),
    Trigger(&'a str),
    Installations,
    Installation(&'a str),
}

fn one(value: &Value) -> Response {
    Json(value).into_response()
}

fn found(value: Option<Arc<Value>>) -> Result<Response, ApiError> {
    value.map(|value| one(&value)).ok_or_else(ApiError::not_found)
}

impl Call<'_> {
    fn get(&self, segments: &[&str]) -> Result<Response, ApiError> {
        let state = || self.core.state();
        match segments {
            ["requests"] => {
                let query = self.parsed()?;
                let all: Vec<Arc<Value>> = {
                    let state = state();
                    match id_of(&query) {
                        Some(id) => state
                            .store
                            .request(id)
                            .map(|stored| Arc::clone(&stored.value))
                            .into_iter()
                            .collect(),
                        None => state.store.requests().map(|(_, stored)| Arc::clone(&stored.value)).collect(),
                    }
                };
                Ok(page(all, &query))
            }
            ["requests", id] => found(state().store.request(id).map(|stored| Arc::clone(&stored.value))),
            ["assets"] => {
                let query = self.parsed()?;
                let all = match id_of(&query) {
                    Some(id) => state().store.asset(id).into_iter().collect(),
                    None => state().store.assets(),
                };
                Ok(page(all, &query))
            }
            ["assets", id] => found(state().store.asset(id)),
            ["assets", id, "requests"] => self.list(state().store.requests_of(id)),
            ["products", product, "templates"] => {
                self.list(state().store.list(&format!("products/{product}/templates")))
            }
            ["products", product, "templates", id] => {
                found(state().store.get(&format!("products/{product}/templates"), id))
            }
            ["accounts"] => self.list(Some(vec![Arc::new(account())])),
            ["accounts", id] => found(Some(account()).filter(|account| account["id"] == *id).map(Arc::new)),
            ["auth", "context"] => {
                Ok(one(&json!({"account": account(), "user": {"id": "SU-000-000-000", "name": "Sandbox"}})))
            }
            ["devops", "event-definitions"] => {
                self.list(Some(events::rest().into_iter().map(Arc::new).collect()))
            }
            ["devops", "services", rest @ ..] => match self.devops(rest)? {
                Devops::Schedules => self.list(Some(state().store.list("schedules").unwrap_or_default())),
                Devops::Schedule(id) => found(state().store.get("schedules", id)),
                Devops::Installations => {
                    self.list(Some(state().store.list("installations").unwrap_or_default()))
                }
                Devops::Installation(id) => found(state().store.get("installations", id)),
                Devops::Trigger(_) => Err(ApiError::not_found()),
            },
            _ => Err(ApiError::not_found()),
        }
    }

    fn post(&self, segments: &[&str]) -> Result<Response, ApiError> {
        self.check_body()?;
        match segments {
            ["requests"] => self.create(),
            ["requests", id, action] => {
                let action = Action::named(action).ok_or_else(ApiError::not_found)?;
                let value = self.core.act(id, action, &self.body)?;
                Ok(one(&value))
            }
            ["devops", "services", rest @ ..] => match self.devops(rest)? {
                Devops::Schedules => {
                    let stored = self.core.put_schedule(self.body.clone());
                    let stored = stored.map_err(|error| ApiError::bad("VAL_001", error))?;
                    Ok((StatusCode::CREATED, one(&stored)).into_response())
                }
                Devops::Trigger(id) => {
                    // Nobody waits for its end here.
                    self.core.trigger(id).ok_or_else(ApiError::not_found)?;
                    found(self.core.state().store.get("schedules", id))
                }
                _ => Err(ApiError::not_found()),
            },
            _ => Err(ApiError::not_found()),
        }
    }

    fn put(&self, segments: &[&str]) -> Result<Response, ApiError> {
        self.check_body()?;
        match segments {
            ["requests", id] => {
                let value =
                    self.core.change_request(id, |request| fulfillment::update(request, &self.body))?;
                Ok(one(&value))
            }
            _ => Err(ApiError::not_found()),
        }
    }

    fn delete(&self, segments: &[&str]) -> Result<Response, ApiError> {
        let ["devops", "services", rest @ ..] = segments else { return Err(ApiError::not_found()) };
        match self.devops(rest)? {
            Devops::Schedule(id) if self.core.remove_schedule(id) => {
                Ok(StatusCode::NO_CONTENT.into_response())
            }
            _ => Err(ApiError::not_found()),
        }
    }

    fn create(&self) -> Result<Response, ApiError> {
        let created = self.core.create(&self.body)?;
        Ok((StatusCode::CREATED, one(&created)).into_response())
    }

    fn check_body(&self) -> Result<(), ApiError> {
        if self.body.is_object() || self.body.is_null() {
            return Ok(());
        }
        Err(ApiError::bad("VAL_001", "Invalid data. Expected a dictionary."))
    }

    /// Only the extension's own service and environment are there.
    fn devops<'a>(&self, segments: &[&'a str]) -> Result<Devops<'a>, ApiError> {
        let [service, rest @ ..] = segments else { return Err(ApiError::not_found()) };
        let setup = &self.core.setup;
        if *service != setup.service_id() {
            return Err(ApiError::not_found());
        }
        match rest {
            ["installations"] => Ok(Devops::Installations),
            ["installations", id] => Ok(Devops::Installation(id)),
            ["environments", environment, "schedules", rest @ ..] if *environment == setup.environment_id => {
                match rest {
                    [] => Ok(Devops::Schedules),
                    [id] => Ok(Devops::Schedule(id)),
                    [id, "trigger"] => Ok(Devops::Trigger(id)),
                    _ => Err(ApiError::not_found()),
                }
            }
            _ => Err(ApiError::not_found()),
        }
    }

    fn parsed(&self) -> Result<Query, ApiError> {
        Query::parse(self.query).map_err(|error| ApiError::bad("VAL_001", format!("The query is {error}.")))
    }

    fn list(&self, all: Option<Vec<Arc<Value>>>) -> Result<Response, ApiError> {
        let query = self.parsed()?;
        all.map(|all| page(all, &query)).ok_or_else(ApiError::not_found)
    }
}

fn account() -> Value {
    json!({"id": "VA-000-000", "name": "Sandbox", "type": "vendor", "role": "vendor"})
}
