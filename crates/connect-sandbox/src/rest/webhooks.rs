//! Webhooks.

use axum::{
    http::header::HOST,
    response::{IntoResponse, Response},
};
use connect_model::rql::{R, Rql};

use super::{Call, created, no_content, ok, page};
use crate::{
    api_error::ApiError,
    role::Role,
    webhooks::{self, WEBHOOKS},
    who,
};

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    if call.route() != "GET" {
        call.check_body()?;
    }
    match (call.route(), path) {
        ("GET", ["notifications", "webhooks"]) => {
            let mut query = call.parsed()?;
            if call.role != Role::Platform {
                let account = call.core.read(|world| who::account(world, call.role))?;
                let own = R::field("account.id").eq(account["id"].as_str().unwrap_or_default());
                query.filter = Rql::all([query.filter, own]);
            }
            page::kept(call.core, WEBHOOKS, &query).await
        }
        ("POST", ["notifications", "webhooks"]) => {
            Ok(created(&call.change(|world| webhooks::create(world, &call.body))?))
        }
        ("GET", ["notifications", "webhooks", id]) => Ok(ok(&call.change(|world| webhooks::get(world, id))?)),
        ("PUT", ["notifications", "webhooks", id]) => {
            Ok(ok(&call.change(|world| webhooks::change(world, id, &call.body))?))
        }
        ("DELETE", ["notifications", "webhooks", id]) => {
            call.change(|world| webhooks::remove(world, id))?;
            Ok(no_content())
        }
        ("POST", ["notifications", "webhooks", id, "trigger"]) => {
            let host = call.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
            let api = format!("http://{host}/public/v1");
            let ended = call.change(|world| webhooks::prepare(world, id, &api))?.call().await;
            call.change(|world| webhooks::keep(world, id, &ended))?;
            Ok(().into_response())
        }
        _ => Err(ApiError::not_found()),
    }
}
