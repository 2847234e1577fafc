//! Helpdesk cases.

use axum::response::Response;

use super::{Call, acted, created, ok};
use crate::{api_error::ApiError, helpdesk, transitions::CASES};

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    if call.route() != "GET" {
        call.check_body()?;
    }
    match (call.route(), path) {
        ("GET", ["helpdesk", "cases"]) => call.list(CASES).await,
        ("GET", ["helpdesk", "cases", id]) => call.one(CASES, id),
        ("POST", ["helpdesk", "cases"]) => {
            Ok(created(&call.change(|world| helpdesk::create(world, &call.body))?))
        }
        ("PUT", ["helpdesk", "cases", id]) => {
            Ok(ok(&call.change(|world| helpdesk::change(world, id, &call.body))?))
        }
        ("POST", ["helpdesk", "cases", id, action]) => {
            let case = call.change(|world| helpdesk::act(world, id, action, &call.body))?;
            Ok(acted(CASES, action, &case))
        }
        _ => Err(ApiError::not_found()),
    }
}
