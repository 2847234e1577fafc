//! Errors as Connect words them. Clients match on code and text, so both are Connect's.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::store::StoreError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) errors: Vec<String>,
    /// What programs can read of it.
    pub(crate) params: Option<Value>,
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let text = format!("The sandbox can't read or keep its data: {error}.");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "STORE_001", text)
    }
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, error: impl Into<String>) -> Self {
        Self { status, code, errors: vec![error.into()], params: None }
    }

    pub(crate) fn bad(code: &'static str, error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, error)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "CNCT_001", "Not found.")
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "AUTH_001", "API request is unauthorized.")
    }

    /// The key is right, but what is asked for is another account's to do.
    pub(crate) fn forbidden() -> Self {
        let text = "You do not have permission to perform this action.";
        Self::new(StatusCode::FORBIDDEN, "AUTH_002", text)
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let text = format!("The body is larger than {limit} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "VAL_001", text)
    }

    /// What goes wrong on purpose.
    pub(crate) fn injected(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, "CHAOS_001", "The sandbox was told to fail here.")
    }

    /// The extension, or the lack of one, is why a call can't be answered.
    pub(crate) fn gateway(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, ..Self::bad("EAAS_001", error) }
    }

    pub(crate) fn conflict(error: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "VAL_001", error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({"error_code": self.code, "errors": self.errors});
        if let (Some(params), Some(members)) = (self.params, body.as_object_mut()) {
            members.insert("params".to_owned(), params);
        }
        (self.status, Json(body)).into_response()
    }
}
