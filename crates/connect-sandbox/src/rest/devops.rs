//! The extension's own service and environment.

use axum::response::Response;

use super::{Call, created, no_content, ok};
use crate::{api_error::ApiError, events};

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    if call.route() != "GET" {
        call.check_body()?;
    }
    match (call.route(), path) {
        ("GET", ["devops", "event-definitions"]) => call.list_of(events::rest()),
        (_, ["devops", "services", service, rest @ ..]) if *service == call.core.setup.service_id() => {
            of_service(call, rest).await
        }
        _ => Err(ApiError::not_found()),
    }
}

async fn of_service(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("GET", ["installations"]) => call.list("installations").await,
        ("GET", ["installations", id]) => call.one("installations", id),
        (_, ["environments", environment, "schedules", rest @ ..])
            if *environment == call.core.setup.environment_id =>
        {
            schedules(call, rest).await
        }
        _ => Err(ApiError::not_found()),
    }
}

async fn schedules(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("GET", []) => call.list("schedules").await,
        ("GET", [id]) => call.one("schedules", id),
        ("POST", []) => Ok(created(&call.core.put_schedule(call.body.clone())?)),
        ("POST", [id, "trigger"]) => {
            // Nobody waits for its end here.
            call.core.trigger(id)?;
            Ok(ok(&call.core.read(|world| world.get("schedules", id))?))
        }
        ("DELETE", [id]) if call.core.remove_schedule(id)? => Ok(no_content()),
        _ => Err(ApiError::not_found()),
    }
}
