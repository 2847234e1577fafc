//! The extension: services, environments, installations.

mod environments;
mod installations;
mod tasks;

use axum::response::Response;

use super::{Call, created, no_content, ok};
use crate::{
    api_error::ApiError,
    devops::{
        definitions,
        services::{self, SERVICES},
    },
    role::Role,
};

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    if call.route() != "GET" && !path.ends_with(&["custom-events"]) {
        call.check_body()?;
    }
    let rest = path.get(1..).unwrap_or_default();
    match (call.route(), rest) {
        ("GET", ["event-definitions"]) => call.list_of(definitions::all()),
        ("GET", ["event-definitions", id]) => {
            let id: u64 = id.parse().map_err(|_| ApiError::not_found())?;
            let found = definitions::all().into_iter().find(|event| event["id"] == id);
            found.map(|event| ok(&event)).ok_or_else(ApiError::not_found)
        }
        (_, ["installations", rest @ ..]) => installations::of_caller(call, rest).await,
        (_, ["services", rest @ ..]) => {
            // The extension is the vendor's.
            call.only(Role::Vendor)?;
            services(call, rest).await
        }
        _ => Err(ApiError::not_found()),
    }
}

async fn services(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("GET", []) => call.list_of(call.core.read(|world| {
            let all = world.list(SERVICES)?;
            all.iter().map(|one| services::view(world, one["id"].as_str().unwrap_or_default())).collect()
        })?),
        ("POST", []) => Ok(created(&call.change(|world| services::create(world, &call.body))?)),
        ("GET", [id]) => Ok(ok(&call.core.read(|world| services::view(world, id))?)),
        ("PUT", [id]) => {
            let service = call.change(|world| services::update(world, id, &call.body))?;
            call.core.set_up_again()?;
            Ok(ok(&service))
        }
        ("DELETE", [id]) => {
            call.change(|world| services::delete(world, id))?;
            Ok(no_content())
        }
        ("GET", [id, "products"]) => call.list_of(call.core.read(|world| services::products_of(world, id))?),
        (_, [id, "installations", rest @ ..]) => installations::of_service(call, id, rest),
        (_, [id, "environments", rest @ ..]) => environments::answer(call, id, rest).await,
        _ => Err(ApiError::not_found()),
    }
}
