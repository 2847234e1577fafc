//! Asset requests.

use axum::response::Response;

use super::{Call, catalogue::markdown, created, ok};
use crate::{
    api_error::ApiError,
    fulfillment::{self, Action, template},
    store::REQUESTS,
};

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    if call.route() != "GET" {
        call.check_body()?;
    }
    match (call.route(), path) {
        ("GET", ["requests"]) => call.list(REQUESTS).await,
        ("GET", ["requests", id]) => call.one(REQUESTS, id),
        ("GET", ["requests", id, "render"]) => {
            let text = call.core.read(|world| {
                let request = world.get(REQUESTS, id)?;
                let product = request["asset"]["product"]["id"].as_str().unwrap_or_default();
                match request["template"]["id"].as_str() {
                    Some(template) => template::rendered(world, product, template, &request),
                    None => Err(ApiError::not_found()),
                }
            })?;
            Ok(markdown(text))
        }
        ("POST", ["requests"]) => Ok(created(&call.change(|world| fulfillment::create(world, &call.body))?)),
        ("PUT", ["requests", id]) => {
            Ok(ok(&call.change(|world| fulfillment::update(world, id, &call.body))?))
        }
        ("POST", ["requests", id, "pend"]) => {
            let code = url::form_urlencoded::parse(call.query.as_bytes()).find(|(name, _)| name == "code");
            let request = call.change(|world| match code {
                Some((_, code)) => fulfillment::answer(world, id, &code, &call.body),
                None => fulfillment::act(world, id, Action::Pend, &call.body),
            })?;
            Ok(ok(&request))
        }
        ("POST", ["requests", id, action]) => {
            let action = Action::named(action).ok_or_else(ApiError::not_found)?;
            Ok(ok(&call.core.act(call.role, id, action, &call.body)?))
        }
        _ => Err(ApiError::not_found()),
    }
}
