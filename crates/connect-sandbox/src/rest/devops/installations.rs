use axum::response::Response;
use serde_json::json;

use super::{Call, created, ok, tasks};
use crate::{
    api_error::ApiError,
    devops::{
        installations::{self, INSTALLATIONS},
        services::SERVICES,
    },
};

/// Those of whose call this is.
pub(super) async fn of_caller(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    let own = |id: &str| call.core.read(|world| installations::of_caller(world, call.role, id));
    match (call.route(), path) {
        ("GET", []) => {
            let mut all = call.core.read(|world| world.list(INSTALLATIONS))?;
            all.retain(|installation| installations::is_of(installation, call.role));
            call.list_of(all)
        }
        ("POST", []) => Ok(created(&call.change(|world| installations::create(world, &call.body))?)),
        ("GET", [id]) => Ok(ok(&own(id)?)),
        ("PUT", [id]) => {
            own(id)?;
            Ok(ok(&call.change(|world| installations::update(world, id, &call.body))?))
        }
        ("POST", [id, "uninstall"]) => {
            own(id)?;
            Ok(ok(&call.change(|world| installations::uninstall(world, id, &call.body))?))
        }
        (_, [id, "tasks", rest @ ..]) => {
            own(id)?;
            tasks::of_installation(call, id, rest).await
        }
        _ => Err(ApiError::not_found()),
    }
}

/// Those of the extension, for its own eyes.
pub(super) fn of_service(call: &Call<'_>, service: &str, path: &[&str]) -> Result<Response, ApiError> {
    let own = |id: &str| call.core.read(|world| installations::of_service(world, service, id));
    match (call.route(), path) {
        ("GET", []) => {
            let mut all = call.core.read(|world| {
                world.get(SERVICES, service)?;
                world.list(INSTALLATIONS)
            })?;
            all.retain(|installation| installations::is_of_service(installation, service));
            call.list_of(all)
        }
        ("GET", [id]) => Ok(ok(&own(id)?)),
        ("PUT", [id]) => {
            own(id)?;
            Ok(ok(&call.change(|world| installations::update(world, id, &call.body))?))
        }
        ("POST", [id, "impersonate"]) => {
            own(id)?;
            let key = call.change(|world| installations::key(world, id))?;
            Ok(ok(&json!({"installation_api_key": key.expose()})))
        }
        _ => Err(ApiError::not_found()),
    }
}
