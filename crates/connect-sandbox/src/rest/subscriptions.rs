//! Subscriptions as they are billed.

use axum::response::Response;

use super::{Call, created, ok};
use crate::{
    api_error::ApiError,
    billing::{self, BILLING_REQUESTS},
    store::ASSETS,
};

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    if call.route() != "GET" {
        call.check_body()?;
    }
    match (call.route(), path) {
        ("GET", ["subscriptions", "assets"]) => call.list(ASSETS).await,
        ("GET", ["subscriptions", "assets", id]) => {
            Ok(ok(&call.core.read(|world| billing::view(world, id))?))
        }
        ("GET", ["subscriptions", "requests"]) => call.list(BILLING_REQUESTS).await,
        ("GET", ["subscriptions", "requests", id]) => call.one(BILLING_REQUESTS, id),
        ("POST", ["subscriptions", "requests"]) => {
            Ok(created(&call.change(|world| billing::create(world, &call.body))?))
        }
        ("PUT", ["subscriptions", "requests", id, "attributes"]) => {
            Ok(ok(&call.change(|world| billing::change(world, id, &call.body))?))
        }
        _ => Err(ApiError::not_found()),
    }
}
