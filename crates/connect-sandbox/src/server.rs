//! The HTTP server: who may, and where to.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    body::to_bytes,
    extract::{FromRequestParts, Query, Request, State, ws::WebSocketUpgrade},
    http::{HeaderValue, Method, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use tokio_util::sync::CancellationToken;

use crate::{
    actions::{self, HttpCall},
    api_error::ApiError,
    console,
    core::Core,
    dispatch::Lane,
    recorder, rest,
    role::Role,
    socket,
};

/// The version of Connect that the sandbox stands in for.
const CONNECT_VERSION: &str = "37.0.1";
/// The largest frame of a runner.
const FRAME_LIMIT: usize = 64 << 20;
/// The largest form that a product action is called with, in bytes.
const FORM_LIMIT: usize = 1 << 20;

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) core: Arc<Core>,
    pub(crate) stop: CancellationToken,
}

pub(crate) fn router(server: Server, console: bool) -> Router {
    let pages = if console { console::router(&server) } else { Router::new() };
    pages.fallback_service(Router::new().fallback(answer).with_state(server))
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let mut response = route(server, request).await.unwrap_or_else(IntoResponse::into_response);
    response.headers_mut().insert("Connect-Version", HeaderValue::from_static(CONNECT_VERSION));
    response
}

async fn route(server: Server, request: Request) -> Result<Response, ApiError> {
    if server.core.chaos.maintenance() {
        return Ok((StatusCode::BAD_GATEWAY, "maintenance").into_response());
    }
    let path = request.uri().path().to_owned();
    if let Some(path) = path.strip_prefix(rest::MEDIA) {
        return rest::media(&server.core, path).await;
    }
    if let Some(rest) = path.strip_prefix(actions::PATH) {
        return press(&server.core, rest, request).await;
    }
    let path = path.strip_prefix("/public/v1/").ok_or_else(ApiError::not_found)?;
    let key = request.headers().get(AUTHORIZATION).and_then(|key| key.to_str().ok()).unwrap_or_default();
    if let Some(rest) = path.strip_prefix("devops/ws/") {
        return match server.core.setup.role_of(key) {
            Some(Role::Vendor) => upgrade(server, rest.to_owned(), request).await,
            // The extension is the vendor's.
            Some(_) => Err(ApiError::forbidden()),
            None => Err(ApiError::unauthorized()),
        };
    }
    let role = match server.core.role_of(key) {
        Some(role) => role,
        // On behalf of the vendor, whose extension it is.
        None if actions::is_custom_event(&server.core, path) => {
            let (method, query) = (request.method(), request.uri().query().unwrap_or_default());
            let call = HttpCall { method, query, headers: request.headers(), body: &[] };
            actions::may_send(&server.core, &call)?;
            Role::Vendor
        }
        None => return Err(ApiError::unauthorized()),
    };
    recorder::recorded(&server.core, role, path, request).await
}

/// Somebody follows the link of a product action: no key, but a token.
async fn press(core: &Arc<Core>, path: &str, request: Request) -> Result<Response, ApiError> {
    let (product, action) = path.split_once('/').ok_or_else(ApiError::not_found)?;
    let [product, action] = [product, action].map(|id| percent_decode_str(id).decode_utf8_lossy());
    let (parts, body) = request.into_parts();
    if !matches!(parts.method, Method::GET | Method::POST) {
        return Err(ApiError::not_found());
    }
    let body = to_bytes(body, FORM_LIMIT).await.map_err(|_| ApiError::too_large(FORM_LIMIT))?;
    let query = parts.uri.query().unwrap_or_default();
    let call = HttpCall { method: &parts.method, query, headers: &parts.headers, body: &body };
    actions::press(core, &product, &action, &call).await
}

async fn upgrade(server: Server, path: String, request: Request) -> Result<Response, ApiError> {
    let Some((environment, instance)) = path.trim_end_matches('/').split_once('/') else {
        return Err(ApiError::not_found());
    };
    if environment != server.core.setup.environment_id || instance.is_empty() || instance.contains('/') {
        return Err(ApiError::not_found());
    }
    let instance = instance.to_owned();
    let (mut parts, _) = request.into_parts();
    let query = Query::<HashMap<String, String>>::try_from_uri(&parts.uri).unwrap_or_default();
    let lane = match query.get("runner_type").map(String::as_str) {
        None => None,
        Some("background") => Some(Lane::Background),
        Some("interactive") => Some(Lane::Interactive),
        Some(other) => {
            return Err(ApiError::bad("VAL_001", format!("runner_type: \"{other}\" is not a valid choice.")));
        }
    };
    match WebSocketUpgrade::from_request_parts(&mut parts, &server).await {
        Ok(upgrade) => Ok(upgrade
            .max_message_size(FRAME_LIMIT)
            .max_frame_size(FRAME_LIMIT)
            .on_upgrade(move |socket| socket::serve(server.core, socket, instance, lane, server.stop))),
        Err(rejection) => Ok((StatusCode::UPGRADE_REQUIRED, rejection.body_text()).into_response()),
    }
}
