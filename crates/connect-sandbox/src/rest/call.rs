use std::sync::Arc;

use axum::{
    Json,
    http::{HeaderMap, Method, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use connect_model::rql::Query;
use serde_json::Value;

use super::page;
use crate::{api_error::ApiError, core::Core, role::Role, transitions::transition, world::World};

/// A call of REST.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) core: &'a Arc<Core>,
    /// Whose key it came with.
    pub(crate) role: Role,
    pub(crate) method: &'a Method,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    /// The body as it came.
    pub(crate) bytes: Bytes,
    /// The body as JSON; null where it is empty, or something else.
    pub(crate) body: Value,
}

/// 200 with an object.
pub(crate) fn ok(value: &Value) -> Response {
    Json(value).into_response()
}

/// 201 with an object.
pub(crate) fn created(value: &Value) -> Response {
    (StatusCode::CREATED, Json(value)).into_response()
}

/// 200 with an object, or with nothing where that is how its action is answered.
pub(crate) fn acted(collection: &str, action: &str, object: &Value) -> Response {
    let answers = transition(collection, action).is_some_and(|transition| transition.answers);
    if answers { ok(object) } else { ().into_response() }
}

/// 204.
pub(crate) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

impl Call<'_> {
    pub(crate) fn route(&self) -> &str {
        self.method.as_str()
    }

    /// Answers a list of what is kept.
    pub(crate) async fn list(&self, collection: &str) -> Result<Response, ApiError> {
        page::kept(self.core, collection, &self.parsed()?).await
    }

    /// Answers a list of what is made for it.
    pub(crate) fn list_of(&self, all: Vec<Value>) -> Result<Response, ApiError> {
        Ok(page::made(all, &self.parsed()?))
    }

    /// Answers an object of what is kept.
    pub(crate) fn one(&self, collection: &str, id: &str) -> Result<Response, ApiError> {
        let text = self.core.state().store.text(collection, id)?;
        let text = text.ok_or_else(ApiError::not_found)?;
        Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
    }

    /// Changes something on behalf of who calls.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut World<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.core.change(self.role, change)
    }

    /// Refuses whoever this is not for.
    pub(crate) fn only(&self, role: Role) -> Result<(), ApiError> {
        if self.role.is(role) { Ok(()) } else { Err(ApiError::forbidden()) }
    }

    /// Refuses a body that is neither an object nor absent.
    pub(crate) fn check_body(&self) -> Result<(), ApiError> {
        if self.body.is_object() || self.body.is_null() {
            return Ok(());
        }
        Err(ApiError::bad("VAL_001", "Invalid data. Expected a dictionary."))
    }

    /// A parameter of the query that is none of RQL's.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let mut all = url::form_urlencoded::parse(self.query.as_bytes());
        all.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    }

    /// The query as RQL.
    pub(crate) fn parsed(&self) -> Result<Query, ApiError> {
        Query::parse(self.query).map_err(|error| ApiError::bad("VAL_001", format!("The query is {error}.")))
    }
}
