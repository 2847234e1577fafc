//! Accounts and products.

use axum::response::Response;
use serde_json::{Value, json};

use super::{Call, ok};
use crate::api_error::ApiError;

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("GET", ["accounts"]) => call.list_of(vec![account()]),
        ("GET", ["accounts", id]) if account()["id"] == *id => Ok(ok(&account())),
        ("GET", ["auth", "context"]) => {
            Ok(ok(&json!({"account": account(), "user": {"id": "SU-000-000-000", "name": "Sandbox"}})))
        }
        ("GET", ["products", product, "templates"]) => {
            let templates = format!("products/{product}/templates");
            if call.core.read(|world| world.list(&templates))?.is_empty() {
                return Err(ApiError::not_found());
            }
            call.list(&templates).await
        }
        ("GET", ["products", product, "templates", id]) => {
            call.one(&format!("products/{product}/templates"), id)
        }
        _ => Err(ApiError::not_found()),
    }
}

fn account() -> Value {
    json!({"id": "VA-000-000", "name": "Sandbox", "type": "vendor", "role": "vendor"})
}
