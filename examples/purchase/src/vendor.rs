//! A small fake of the vendor's API: customers and subscriptions, and a limit of what it sells.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{delete, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// More seats than this it does not sell.
const STOCK: u64 = 1_000;

/// The vendor does not do it, whenever one asks.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("the vendor refused: {reason}")]
pub(crate) struct Refused {
    pub(crate) reason: String,
}

/// What was made, by what it was made for.
#[derive(Clone, Default)]
struct Vendor {
    made: Arc<Mutex<HashMap<String, String>>>,
}

impl Vendor {
    /// The same key gives the same id: nothing is made twice.
    fn make(&self, kind: &str, headers: &HeaderMap) -> Json<Value> {
        let key = headers.get("Idempotency-Key").and_then(|key| key.to_str().ok()).unwrap_or_default();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let next = format!("{kind}-{:04}", made.len() + 1);
        Json(json!({"id": made.entry(format!("{kind} {key}")).or_insert(next)}))
    }
}

async fn create_customer(State(vendor): State<Vendor>, headers: HeaderMap) -> Json<Value> {
    vendor.make("CUS", &headers)
}

async fn create_subscription(
    State(vendor): State<Vendor>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let seats = body["seats"].as_u64().unwrap_or(0);
    if seats > STOCK {
        let reason = format!("{seats} seats are more than the {STOCK} in stock");
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(Refused { reason })).into_response();
    }
    vendor.make("SUB", &headers).into_response()
}

async fn delete_customer(State(vendor): State<Vendor>, Path(id): Path<String>) -> StatusCode {
    vendor.made.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, made| *made != id);
    StatusCode::NO_CONTENT
}

/// Serves the vendor's API on a free port of this machine; the answer is its address.
pub(crate) async fn serve() -> io::Result<String> {
    let router = Router::new()
        .route("/customers", post(create_customer))
        .route("/customers/{id}", delete(delete_customer))
        .route("/subscriptions", post(create_subscription))
        .with_state(Vendor::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}
