//! Errors as Connect words them. Clients match on code and text, so both are Connect's.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) errors: Vec<String>,
}

impl ApiError {
    pub(crate) fn bad(code: &'static str, error: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, errors: vec![error.into()] }
    }

    pub(crate) fn not_found() -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "CNCT_001", errors: vec!["Not found.".to_owned()] }
    }

    pub(crate) fn unauthorized() -> Self {
        let errors = vec!["API request is unauthorized.".to_owned()];
        Self { status: StatusCode::UNAUTHORIZED, code: "AUTH_001", errors }
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let errors = vec![format!("The body is larger than {limit} bytes.")];
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, code: "VAL_001", errors }
    }

    /// What goes wrong on purpose.
    pub(crate) fn injected(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code: "CHAOS_001", errors: vec!["The sandbox was told to fail here.".to_owned()] }
    }

    pub(crate) fn conflict(error: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, code: "VAL_001", errors: vec![error.into()] }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"error_code": self.code, "errors": self.errors}))).into_response()
    }
}
