//! Calls of a vendor's API, against one that does what a test says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, StatusCode, Uri},
    response::IntoResponse,
};
use connect_cache::{Cache, MemoryCache};
use connect_vendor::{
    Auth, OAuth2, RetryPolicy, VendorClient, VendorClientBuilder, VendorError, VendorErrorKind,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What was called: method is left out, since paths tell.
#[derive(Clone, Debug)]
struct Call {
    path: String,
    headers: HeaderMap,
    body: String,
}

#[derive(Default)]
struct Vendor {
    address: String,
    calls: Mutex<Vec<Call>>,
    /// What is answered first, by path.
    first: Mutex<HashMap<String, Vec<Response<Body>>>>,
    tokens: AtomicUsize,
    /// The tokens that are taken; all while empty.
    taken: Mutex<Vec<String>>,
    life: Mutex<Value>,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

impl Vendor {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let vendor = Arc::new(Self { address, life: Mutex::new(json!(3600)), ..Self::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&vendor));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        vendor
    }

    fn builder(&self) -> VendorClientBuilder {
        VendorClient::builder(format!("{}/v1", self.address))
            .no_proxy()
            .retry(RetryPolicy::default().first_wait(Duration::from_millis(1)))
    }

    fn client(&self) -> VendorClient {
        self.builder().build().unwrap()
    }

    fn oauth2(&self) -> OAuth2 {
        OAuth2::new(format!("{}/token", self.address), "the client", "s3cr3t&more").scope("tenants")
    }

    fn with_tokens(&self) -> VendorClient {
        self.builder().auth(Auth::oauth2(self.oauth2())).build().unwrap()
    }

    fn first(&self, path: &str, answers: impl IntoIterator<Item = impl IntoResponse>) {
        let answers = answers.into_iter().map(IntoResponse::into_response).collect();
        self.first.lock().unwrap().insert(path.to_owned(), answers);
    }

    fn calls(&self, path: &str) -> Vec<Call> {
        self.calls.lock().unwrap().iter().filter(|call| call.path == path).cloned().collect()
    }
}

async fn answer(
    State(vendor): State<Arc<Vendor>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let under_way = vendor.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    vendor.most_under_way.fetch_max(under_way, Ordering::SeqCst);
    let path = uri.path().to_owned();
    let body = String::from_utf8_lossy(&body).into_owned();
    vendor.calls.lock().unwrap().push(Call { path: path.clone(), headers: headers.clone(), body });
    tokio::time::sleep(Duration::from_millis(5)).await;
    vendor.under_way.fetch_sub(1, Ordering::SeqCst);
    let first =
        vendor.first.lock().unwrap().get_mut(&path).filter(|all| !all.is_empty()).map(|all| all.remove(0));
    if let Some(first) = first {
        return first;
    }
    if path == "/token" {
        let number = vendor.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        let life = vendor.life.lock().unwrap().clone();
        return Json(
            json!({"access_token": format!("canary-{number}"), "token_type": "bearer", "expires_in": life}),
        )
        .into_response();
    }
    let shown = headers.get("authorization").map_or("", |value| value.to_str().unwrap());
    let taken = vendor.taken.lock().unwrap().clone();
    if !taken.is_empty() && !taken.iter().any(|token| shown == format!("Bearer {token}")) {
        let said = format!("the token {} is unknown", shown.trim_start_matches("Bearer "));
        return (StatusCode::UNAUTHORIZED, Json(json!({"message": said}))).into_response();
    }
    Json(json!({"id": "T-1", "seats": 3})).into_response()
}

fn refused<T: Debug>(end: Result<T, VendorError>) -> (VendorErrorKind, Option<u16>, String) {
    let error = end.unwrap_err();
    (error.kind(), error.status().map(|status| status.as_u16()), error.to_string())
}

#[tokio::test]
async fn calls_that_change_nothing_twice_are_made_again() {
    let vendor = Vendor::start().await;
    let client = vendor.client();
    let busy = || [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS];
    vendor.first("/v1/tenants", busy());
    assert_eq!(client.get("tenants").await.unwrap()["id"], "T-1");
    assert_eq!(vendor.calls("/v1/tenants").len(), 3);
    vendor.first("/v1/tenants", busy());
    let end = refused(client.post("tenants").payload(&json!({"name": "Acme"})).await);
    assert_eq!(
        end,
        (VendorErrorKind::Status, Some(503), "the vendor answered 503 Service Unavailable".into())
    );
    assert_eq!(vendor.calls("/v1/tenants").len(), 4);
    vendor.first("/v1/tenants", busy());
    client.post("tenants").idempotency_key("PR-1").payload(&json!({"name": "Acme"})).empty().await.unwrap();
    let calls = vendor.calls("/v1/tenants");
    assert_eq!(calls.len(), 7);
    assert_eq!(
        (&calls[6].headers["idempotency-key"], calls[6].body.as_str()),
        (&"PR-1".parse().unwrap(), r#"{"name":"Acme"}"#)
    );
    assert_eq!(calls[6].headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_vendor_that_asks_to_wait_for_long_is_not_waited_for() {
    let vendor = Vendor::start().await;
    let busy = (StatusCode::TOO_MANY_REQUESTS, [("Retry-After", "600")]);
    vendor.first("/v1/tenants", [busy]);
    let error = vendor.client().get("tenants").await.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(600)));
    assert_eq!(vendor.calls("/v1/tenants").len(), 1);
}

#[tokio::test]
async fn answers_are_read_as_types_and_errors_show_no_values() {
    #[derive(Debug, serde::Deserialize, PartialEq)]
    struct Tenant {
        id: String,
        seats: u32,
    }
    let vendor = Vendor::start().await;
    let client = vendor.client();
    let tenant: Tenant = client.get(["tenants", "T/1"]).param("a b", "c&d").json().await.unwrap();
    assert_eq!(tenant, Tenant { id: "T-1".into(), seats: 3 });
    assert_eq!(vendor.calls("/v1/tenants/T%2F1").len(), 1);
    vendor.first("/v1/tenants", [(StatusCode::OK, Json(json!({"id": "canary", "seats": "canary"})))]);
    let end = refused(client.get("tenants").json::<Tenant>().await);
    let text = "the answer of the vendor is not Tenant, at seats".to_owned();
    assert_eq!(end, (VendorErrorKind::Decode, Some(200), text));
    vendor.first("/v1/tenants", [StatusCode::NOT_FOUND, StatusCode::NO_CONTENT, StatusCode::FORBIDDEN]);
    assert_eq!(client.get("tenants").opt::<Tenant>().await.unwrap(), None);
    assert_eq!(client.delete("tenants").json::<Option<Tenant>>().await.unwrap(), None);
    assert!(client.get("tenants").opt::<Tenant>().await.is_err());
}

#[tokio::test]
async fn limits_hold() {
    let vendor = Vendor::start().await;
    let client = vendor.builder().largest_answer(8).build().unwrap();
    let (kind, _, text) = refused(client.get("tenants").await);
    assert_eq!(
        (kind, text.as_str()),
        (VendorErrorKind::Decode, "the answer of the vendor has more than 8 bytes")
    );
    let (kind, _, text) = refused(vendor.client().get("tenants").timeout(Duration::from_millis(1)).await);
    assert_eq!(
        (kind, text.as_str()),
        (VendorErrorKind::Timeout, "the call of the vendor was not done within 1ms")
    );
    let vendor = Vendor::start().await;
    let client = vendor.builder().max_concurrent_calls(3).build().unwrap();
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(client.get("tenants").empty())).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(vendor.most_under_way.load(Ordering::SeqCst), 3);
    let gone =
        VendorClient::builder("http://127.0.0.1:9").no_proxy().retry(RetryPolicy::none()).build().unwrap();
    let error = gone.post("x").await.unwrap_err();
    assert!(error.kind() == VendorErrorKind::Connection && error.is_retryable(), "{error:?}");
    assert!(error.to_string().starts_with("the vendor is not reachable: "), "{error}");
}

#[tokio::test]
async fn one_call_gets_a_token_however_many_wait() {
    let vendor = Vendor::start().await;
    let client = vendor.with_tokens();
    let calls: Vec<_> = (0..50).map(|_| tokio::spawn(client.get("tenants").empty())).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let tokens = vendor.calls("/token");
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].body, "grant_type=client_credentials&scope=tenants");
    // "the+client:s3cr3t%26more", as RFC 6749, section 2.3.1 has it.
    assert_eq!(tokens[0].headers["authorization"], "Basic dGhlK2NsaWVudDpzM2NyM3QlMjZtb3Jl");
    let calls = vendor.calls("/v1/tenants");
    assert!(calls.len() == 50 && calls.iter().all(|call| call.headers["authorization"] == "Bearer canary-1"));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let vendor = Vendor::start().await;
    let client = vendor.with_tokens();
    for (passed, tokens) in [(0, 1), (3539, 1), (1, 2), (3600, 3)] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(passed)).await;
        tokio::time::resume();
        client.get("tenants").empty().await.unwrap();
        assert_eq!(vendor.tokens.load(Ordering::SeqCst), tokens, "{passed}");
    }
    // Vendors write it in other ways, too.
    for (life, used_for) in [(json!("600"), 540), (json!(20.0), 10), (json!(null), 240)] {
        *vendor.life.lock().unwrap() = life;
        let before = vendor.tokens.load(Ordering::SeqCst);
        let client = vendor.with_tokens();
        for (passed, further) in [(0, 1), (used_for - 1, 1), (1, 2)] {
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(passed)).await;
            tokio::time::resume();
            client.get("tenants").empty().await.unwrap();
            assert_eq!(vendor.tokens.load(Ordering::SeqCst) - before, further);
        }
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let vendor = Vendor::start().await;
    let client = vendor.with_tokens();
    client.get("tenants").empty().await.unwrap();
    *vendor.taken.lock().unwrap() = vec!["canary-2".into()];
    // Also where it is no call that is made again otherwise: nobody has acted on it.
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(client.post("tenants").empty())).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(vendor.tokens.load(Ordering::SeqCst), 2);
    *vendor.taken.lock().unwrap() = vec!["none".into()];
    let end = refused(client.get("tenants").await);
    let text = "the vendor answered 401 Unauthorized: the token ********** is unknown".to_owned();
    assert_eq!(end, (VendorErrorKind::Status, Some(401), text));
    assert_eq!(vendor.tokens.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_token_is_kept_in_the_cache() {
    let vendor = Vendor::start().await;
    let cache: Arc<dyn Cache> = Arc::new(MemoryCache::with_size(65_536));
    let client = |scope: &str| {
        let oauth2 = vendor.oauth2().scope(scope).cache(Arc::clone(&cache));
        vendor.builder().auth(Auth::oauth2(oauth2)).build().unwrap()
    };
    for _ in 0..3 {
        client("tenants").get("tenants").empty().await.unwrap();
    }
    assert_eq!(vendor.tokens.load(Ordering::SeqCst), 1);
    client("orders").get("tenants").empty().await.unwrap();
    assert_eq!(vendor.tokens.load(Ordering::SeqCst), 2, "it is for something else");
    *vendor.taken.lock().unwrap() = vec!["canary-3".into()];
    client("tenants").get("tenants").empty().await.unwrap();
    client("tenants").get("tenants").empty().await.unwrap();
    assert_eq!(vendor.tokens.load(Ordering::SeqCst), 3, "a refused one is not taken from it again");
}

#[tokio::test]
async fn where_no_token_can_be_had_the_reason_is_told() {
    let vendor = Vendor::start().await;
    let client = vendor.with_tokens();
    let invalid = || (StatusCode::UNAUTHORIZED, Json(json!({"error": "s3cr3t&more is no secret"})));
    vendor.first("/token", [invalid()]);
    let error = client.get("tenants").await.unwrap_err();
    let text = "no token for the vendor: the vendor answered 401 Unauthorized: ********** is no secret";
    assert_eq!((error.kind(), error.to_string().as_str()), (VendorErrorKind::Token, text));
    assert!(!error.is_retryable() && !format!("{error:?}").contains("s3cr3t"));
    vendor.first("/token", [StatusCode::BAD_GATEWAY; 8]);
    let before = vendor.calls("/token").len();
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(client.get("tenants").empty())).collect();
    for call in calls {
        assert!(call.await.unwrap().unwrap_err().is_retryable());
    }
    assert_eq!(vendor.calls("/token").len() - before, 4, "all share the tries of one");
    assert!(vendor.calls("/v1/tenants").is_empty());
}

#[tokio::test]
async fn nobody_else_gets_to_know_the_key() {
    let (vendor, other) = (Vendor::start().await, Vendor::start().await);
    let client = vendor.builder().auth(Auth::api_key("X-Vendor", "canary")).build().unwrap();
    let location = |address: String| (StatusCode::FOUND, [("Location", address)]);
    vendor.first("/v1/a", [location(format!("{}/v1/b", other.address)), location("/v1/c".into())]);
    let (kind, status, _) = refused(client.get("a").await);
    assert_eq!((kind, status), (VendorErrorKind::Status, Some(302)));
    assert!(other.calls.lock().unwrap().is_empty());
    client.get("a").empty().await.unwrap();
    assert_eq!(vendor.calls("/v1/c")[0].headers["x-vendor"], "canary");
    let (kind, ..) = refused(client.get(format!("{}/v1/a", other.address)).await);
    assert_eq!(kind, VendorErrorKind::Usage);
}

#[test]
fn what_can_not_work_is_told_when_it_is_made() {
    let error = |builder: VendorClientBuilder| refused(builder.build()).2;
    let url = || VendorClient::builder("https://api.vendor.example");
    assert!(error(VendorClient::builder("api.vendor.example")).contains("is no address"));
    assert!(!error(VendorClient::builder("https://u:canary@api.vendor.example")).contains("canary"));
    for empty in [Auth::bearer(" "), Auth::bearer(""), Auth::api_key("X", "")] {
        assert!(error(url().auth(empty)).ends_with("is empty"));
    }
    assert_eq!(error(url().auth(Auth::bearer("a\ncanary"))), "the token has characters that can't be sent");
    assert!(
        error(url().auth(Auth::oauth2(OAuth2::new("login.example", "c", "s"))))
            .contains("address for tokens")
    );
    assert!(error(url().auth(Auth::oauth2(OAuth2::new("https://login.example", "c", "")))).contains("empty"));
    assert!(error(url().proxy("canary")).contains("the proxy is no address"));
    let client = url().default_header("X-A", "b").build().unwrap();
    assert_eq!(format!("{client:?}").matches("canary").count(), 0);
}
