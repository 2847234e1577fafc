//! The links of product actions.

use axum::{http::header::HOST, response::Response};
use serde_json::json;

use super::{Call, ok};
use crate::{
    actions::{self, Target},
    api_error::ApiError,
};

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("GET", ["products", product, "actions", action, "actionLink"]) => {
            let query: Vec<(String, String)> =
                url::form_urlencoded::parse(call.query.as_bytes()).into_owned().collect();
            let named = |name: &str| {
                let found = query.iter().find(|(own, id)| own == name && !id.is_empty());
                found.map(|(_, id)| id.as_str())
            };
            let target = Target::named(named("asset_id"), named("tier_config_id"))?;
            // Who reached the sandbox by a name of its own reaches the link by it too.
            let host = call.headers.get(HOST).and_then(|host| host.to_str().ok());
            let base = host.map_or_else(|| call.core.setup.url.clone(), |host| format!("http://{host}"));
            let link = call.change(|world| actions::link(world, product, action, target, &base))?;
            Ok(ok(&json!({"link": link})))
        }
        _ => Err(ApiError::not_found()),
    }
}
