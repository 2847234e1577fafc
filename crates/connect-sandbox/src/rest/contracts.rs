//! Contracts, which are signed and terminated.

use axum::response::Response;
use serde_json::Value;

use super::{Call, acted};
use crate::{
    api_error::ApiError,
    transitions::{self, CONTRACTS},
};

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("GET", ["contracts"]) => call.list(CONTRACTS).await,
        ("GET", ["contracts", id]) => call.one(CONTRACTS, id),
        ("POST", ["contracts", id, action]) => {
            call.check_body()?;
            let contract =
                call.change(|world| transitions::act(world, CONTRACTS, id, action, &Value::Null))?;
            Ok(acted(CONTRACTS, action, &contract))
        }
        _ => Err(ApiError::not_found()),
    }
}
