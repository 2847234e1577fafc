//! What is logged of calls. A process of its own: what is logged is decided for a whole process at times.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use connect_vendor::{Auth, OAuth2, RetryPolicy, VendorClient};
use serde_json::json;
use tokio::net::TcpListener;

/// What is logged, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn answer(uri: Uri) -> Response {
    static CALLED: AtomicBool = AtomicBool::new(false);
    if uri.path() == "/token" {
        return Json(json!({"access_token": "canary", "expires_in": 3600})).into_response();
    }
    if !CALLED.swap(true, Ordering::SeqCst) {
        return (StatusCode::BAD_GATEWAY, [("Set-Cookie", "canary")]).into_response();
    }
    Json(json!({"id": "T-1"})).into_response()
}

#[tokio::test]
async fn calls_are_logged_without_secrets() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    let retry = RetryPolicy::default().first_wait(Duration::from_millis(1));
    let builder = || VendorClient::builder(format!("{address}/v1")).no_proxy().retry(retry.clone());
    let oauth2 = OAuth2::new(format!("{address}/token"), "the client", "s3cr3t");
    let oauth2 = builder().log_bodies(true).auth(Auth::oauth2(oauth2)).build().unwrap();
    oauth2.get("tenants").param("key", "canary").empty().await.unwrap();
    let key = builder().auth(Auth::api_key("X-Vendor", "canary")).build().unwrap();
    key.get("tenants").header("X-Reason", "nightly").payload("canary in a body").empty().await.unwrap();
    let basic = builder().auth(Auth::basic("ann", "canary")).build().unwrap();
    basic.get("tenants").empty().await.unwrap();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let ours: Vec<_> = text.lines().filter(|line| line.contains("connect_vendor")).collect();
    let ours = ours.join("\n");
    for expected in ["x-reason: nightly", "status=502", "again_in=Some", "path=\"/v1/tenants\"", "T-1"] {
        assert!(ours.contains(expected), "{expected} is missing in {ours}");
    }
    for secret in ["canary", "s3cr3t", "Y2FuYXJ5"] {
        assert!(!ours.contains(secret), "{secret} is in {ours}");
    }
}
