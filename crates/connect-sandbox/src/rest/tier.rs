//! Tier configurations, tier accounts, and the requests for them.

use axum::response::Response;
use serde_json::{Value, json};

use super::{Call, catalogue::markdown, created, no_content, ok};
use crate::{
    api_error::ApiError,
    role::Role,
    tiers::{
        self, ACCOUNT_REQUESTS, ACCOUNTS, CONFIGS, REQUESTS,
        accounts::{self, requests as account_requests},
        requests::{self, Action},
    },
};

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    if call.route() != "GET" {
        call.check_body()?;
    }
    match path {
        ["tier", "configs", rest @ ..] => configs(call, rest).await,
        ["tier", "config-requests", rest @ ..] => config_requests(call, rest).await,
        ["tier", "accounts", rest @ ..] => tier_accounts(call, rest).await,
        ["tier", "account-requests", rest @ ..] => tier_account_requests(call, rest).await,
        _ => Err(ApiError::not_found()),
    }
}

async fn configs(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("GET", []) => call.list(CONFIGS).await,
        ("GET", [id]) => call.one(CONFIGS, id),
        ("GET", [id, "render"]) => {
            Ok(markdown(call.core.read(|world| requests::rendered(world, CONFIGS, id))?))
        }
        _ => Err(ApiError::not_found()),
    }
}

async fn config_requests(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    let body = &call.body;
    match (call.route(), path) {
        ("GET", []) => call.list(REQUESTS).await,
        ("GET", [id]) => call.one(REQUESTS, id),
        ("GET", [id, "render"]) => {
            Ok(markdown(call.core.read(|world| requests::rendered(world, REQUESTS, id))?))
        }
        ("POST", []) => Ok(created(&call.change(|world| tiers::create(world, body))?)),
        ("PUT", [id]) => Ok(ok(&call.change(|world| requests::update(world, id, body))?)),
        ("POST", [id, "validate"]) => {
            call.only(Role::Distributor)?;
            Ok(ok(&tiers::validate(call.core, call.role, id, body).await?))
        }
        ("POST", [id, "pend"]) => {
            let code = call.parameter("code");
            tiers::pend(call.core, call.role, id, body, code.as_deref()).await?;
            Ok(no_content())
        }
        ("POST", [id, action]) => {
            let action = Action::named(action).ok_or_else(ApiError::not_found)?;
            let request = call.change(|world| requests::act(world, id, action, body))?;
            Ok(answered(action, &request))
        }
        _ => Err(ApiError::not_found()),
    }
}

/// What an action answers: a part of the request, all of it, or nothing.
fn answered(action: Action, request: &Value) -> Response {
    match action {
        Action::Approve => {
            let template = &request["template"];
            ok(&json!({
                "template": {"id": template["id"], "representation": template["representation"]},
                "effective_date": request["effective_date"],
            }))
        }
        Action::Submit => ok(request),
        _ => no_content(),
    }
}

async fn tier_accounts(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    let body = &call.body;
    match (call.route(), path) {
        ("GET", []) => call.list(ACCOUNTS).await,
        ("GET", [id]) => call.one(ACCOUNTS, id),
        ("POST", []) => Ok(created(&call.change(|world| accounts::create(world, body))?)),
        ("PUT", [id]) => Ok(ok(&call.change(|world| accounts::update(world, id, body))?)),
        ("DELETE", [id]) => {
            call.change(|world| accounts::decommission(world, id))?;
            Ok(no_content())
        }
        ("GET", [id, "versions"]) => call.list_of(call.core.read(|world| accounts::versions(world, id))?),
        ("GET", [id, "versions", version]) => {
            let version = version.parse().map_err(|_| ApiError::not_found())?;
            Ok(ok(&call.core.read(|world| accounts::version(world, id, version))?))
        }
        _ => Err(ApiError::not_found()),
    }
}

async fn tier_account_requests(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    let body = &call.body;
    match (call.route(), path) {
        ("GET", []) => call.list(ACCOUNT_REQUESTS).await,
        ("GET", [id]) => call.one(ACCOUNT_REQUESTS, id),
        ("POST", []) => {
            let requests = call.change(|world| account_requests::create(world, body))?;
            Ok(created(&requests.into()))
        }
        ("POST", [id, "accept"]) => Ok(ok(&call.change(|world| account_requests::accept(world, id))?)),
        ("POST", [id, "ignore"]) => Ok(ok(&call.change(|world| account_requests::ignore(world, id, body))?)),
        _ => Err(ApiError::not_found()),
    }
}
