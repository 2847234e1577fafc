//! REST: what is below `/public/v1`. Paths, bodies and answers are those of Connect's Open API.

mod actions;
mod assets;
mod call;
mod catalogue;
mod contracts;
mod conversations;
mod devops;
mod helpdesk;
mod listings;
mod page;
mod requests;
mod subscriptions;
mod tier;
mod usage;
mod webhooks;

use std::sync::Arc;

use axum::{body::to_bytes, extract::Request, http::header::CONTENT_TYPE, response::Response};
use serde_json::Value;

use crate::{api_error::ApiError, core::Core, role::Role};
pub(crate) use call::{Call, acted, created, no_content, ok};
pub(crate) use usage::{MEDIA, media};

/// The largest body of a request, in bytes.
const BODY_LIMIT: usize = 1 << 20;

/// Answers a call whose key is right. The path is what is below `/public/v1`.
pub(crate) async fn answer(
    core: &Arc<Core>,
    role: Role,
    path: &str,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let limit = if usage::is_upload(path) { core.setup.upload_limit } else { BODY_LIMIT };
    let bytes = to_bytes(body, limit).await.map_err(|_| ApiError::too_large(limit))?;
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = kind.is_empty() || kind == "application/json" || kind.ends_with("+json");
    let body = if bytes.is_empty() || !is_json {
        Value::Null
    } else {
        serde_json::from_slice(&bytes)
            .map_err(|error| ApiError::bad("VAL_001", format!("The body is not JSON: {error}.")))?
    };
    let segments: Vec<String> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let query = parts.uri.query().unwrap_or_default();
    let call = Call { core, role, method: &parts.method, query, headers: &parts.headers, bytes, body };
    if let ["products", _, "actions", _, "actionLink"] = segments.as_slice() {
        return actions::answer(&call, &segments);
    }
    match segments.first().copied().unwrap_or_default() {
        "requests" => requests::answer(&call, &segments).await,
        "assets" => assets::answer(&call, &segments).await,
        "accounts" | "auth" | "products" | "marketplaces" | "hubs" | "categories" | "settings"
        | "templates" => catalogue::answer(&call, &segments).await,
        "devops" => devops::answer(&call, &segments).await,
        "tier" => tier::answer(&call, &segments).await,
        "contracts" => contracts::answer(&call, &segments).await,
        "conversations" => conversations::answer(&call, &segments).await,
        "helpdesk" => helpdesk::answer(&call, &segments).await,
        "listings" | "listing-requests" => listings::answer(&call, &segments).await,
        "notifications" => webhooks::answer(&call, &segments).await,
        "subscriptions" => subscriptions::answer(&call, &segments).await,
        "usage" => usage::answer(&call, &segments).await,
        _ => Err(ApiError::not_found()),
    }
}
