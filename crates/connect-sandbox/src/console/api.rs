//! Calls of the sandbox's own REST.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{Method, Uri},
    response::Response,
};
use connect_model::rql::Rql;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde_json::Value;

use super::Problem;
use crate::{api_error::ApiError, core::Core, rest, role::Role};

/// What has to be encoded in a query; the signs of RQL's grammar may stand.
const QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'(').remove(b')').remove(b',').remove(b'.').remove(b'_').remove(b'-');
/// What has to be encoded in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');
/// The largest answer that a page is made of.
const LARGEST: usize = 64 << 20;

/// A page of a list.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) items: Vec<Value>,
    pub(super) total: usize,
}

pub(super) async fn get(core: &Arc<Core>, path: &str) -> Result<Value, Problem> {
    Ok(call(core, Role::Platform, Method::GET, path, "", None).await?.0)
}

pub(super) async fn post(core: &Arc<Core>, path: &str, body: &Value) -> Result<Value, Problem> {
    post_as(core, Role::Platform, path, body).await
}

/// Does something on behalf of one of the accounts.
pub(super) async fn post_as(
    core: &Arc<Core>,
    role: Role,
    path: &str,
    body: &Value,
) -> Result<Value, Problem> {
    Ok(call(core, role, Method::POST, path, "", Some(body)).await?.0)
}

/// A call with a query, which is encoded already.
pub(super) async fn post_with(
    core: &Arc<Core>,
    path: &str,
    query: &str,
    body: &Value,
) -> Result<Value, Problem> {
    Ok(call(core, Role::Platform, Method::POST, path, query, Some(body)).await?.0)
}

pub(super) async fn put(core: &Arc<Core>, path: &str, body: &Value) -> Result<Value, Problem> {
    Ok(call(core, Role::Platform, Method::PUT, path, "", Some(body)).await?.0)
}

/// Passes on what came to the console as it is: a form with a file, or a call whose answer is one.
pub(super) async fn forward(core: &Arc<Core>, path: &str, request: Request) -> Result<Response, Problem> {
    Ok(rest::answer(core, Role::Platform, path, request).await?)
}

pub(super) async fn delete(core: &Arc<Core>, path: &str) -> Result<(), Problem> {
    call(core, Role::Platform, Method::DELETE, path, "", None).await.map(drop)
}

/// What of a list matches, in an order. A list that the sandbox does not have is empty.
pub(super) async fn list(core: &Arc<Core>, path: &str, filter: &Rql, rest: &str) -> Result<Found, Problem> {
    let filter = percent_encoding::utf8_percent_encode(&filter.to_string(), QUERY).to_string();
    let query = if filter.is_empty() { rest.to_owned() } else { format!("{filter}&{rest}") };
    match call(core, Role::Platform, Method::GET, path, &query, None).await {
        Ok((Value::Array(items), total)) => Ok(Found { total: total.unwrap_or(items.len()), items }),
        Ok(_) => Ok(Found::default()),
        Err(problem) if problem.status == axum::http::StatusCode::NOT_FOUND => Ok(Found::default()),
        Err(problem) => Err(problem),
    }
}

/// A text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, SEGMENT).to_string()
}

async fn call(
    core: &Arc<Core>,
    role: Role,
    method: Method,
    path: &str,
    query: &str,
    body: Option<&Value>,
) -> Result<(Value, Option<usize>), Problem> {
    let uri = Uri::builder().path_and_query(format!("/{path}?{query}")).build();
    let uri = uri.map_err(|error| ApiError::bad("VAL_001", format!("The query is no URL: {error}.")))?;
    let mut request = Request::new(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    let response = rest::answer(core, role, path, request).await?;
    let range = response.headers().get("Content-Range").and_then(|range| range.to_str().ok());
    let total = range.and_then(|range| range.rsplit_once('/')).and_then(|(_, total)| total.parse().ok());
    let bytes = to_bytes(response.into_body(), LARGEST).await;
    let bytes = bytes.map_err(|_| ApiError::too_large(LARGEST))?;
    let value = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes) };
    let value =
        value.map_err(|error| ApiError::bad("VAL_001", format!("The answer is not JSON: {error}.")))?;
    Ok((value, total))
}
