//! The client against a server on loopback that answers what each test tells it to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::Response,
};
use connect_client::{Client, ErrorKind, R, RetryPolicy};
use serde_json::{Value, json};

#[derive(Clone, Debug)]
struct Seen {
    method: String,
    /// Path and query, decoded.
    target: String,
    raw: String,
    headers: axum::http::HeaderMap,
    body: Value,
}

type Answer = (u16, Vec<(&'static str, &'static str)>, Value);

#[derive(Clone, Default)]
struct Server {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

async fn answer(State(server): State<Server>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let raw = parts.uri.path_and_query().unwrap().to_string();
    let target = percent_encoding::percent_decode_str(&raw).decode_utf8().unwrap().into_owned();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    server.seen.lock().unwrap().push(Seen {
        method: parts.method.to_string(),
        target,
        raw,
        headers: parts.headers,
        body,
    });
    let (status, headers, body) =
        server.answers.lock().unwrap().pop_front().unwrap_or((200, vec![], json!({})));
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) }).unwrap()
}

/// A server with these answers, in turn, and a client for it that waits but a moment between tries.
async fn start(answers: impl IntoIterator<Item = Answer>) -> (Server, Client) {
    let server =
        Server { answers: Arc::new(Mutex::new(answers.into_iter().collect())), seen: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/public/v1/", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (server, client(&endpoint))
}

fn client(endpoint: &str) -> Client {
    let retry = RetryPolicy::default().first_wait(Duration::from_millis(2));
    Client::builder("ApiKey SU-000:canary").endpoint(endpoint).retry(retry).build().unwrap()
}

impl Server {
    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn targets(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect()
    }
}

fn error(status: u16) -> Answer {
    (status, vec![], json!({"error_code": "SYS", "errors": ["oops"]}))
}

#[tokio::test]
async fn paths_lead_anywhere_and_nothing_leaves_its_segment() {
    let (server, client) = start([]).await;
    let environments =
        client.ns("devops").collection("services").resource("SRVC-1").collection("environments");
    environments.resource("ENV/1?a=b#c%41").get().await.unwrap();
    client
        .path("/tier/config-requests/")
        .resource(7_u64)
        .action("approve")
        .post(&json!({"a": 1}))
        .await
        .unwrap();
    client.get("requests/PR-1").param("a b", "c&d=é+").await.unwrap();
    let raw: Vec<String> = server.seen().into_iter().map(|seen| seen.raw).collect();
    assert_eq!(
        raw,
        [
            "/public/v1/devops/services/SRVC-1/environments/ENV%2F1%3Fa=b%23c%2541",
            "/public/v1/tier/config-requests/7/approve",
            "/public/v1/requests/PR-1?a%20b=c%26d%3D%C3%A9%2B",
        ]
    );
    assert_eq!(server.seen()[1].body, json!({"a": 1}));
    assert_eq!(server.seen()[1].headers["content-type"], "application/json");
    for id in ["", "  ", ".", ".."] {
        let error = client.collection("requests").resource(id).get().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{id:?}");
    }
    assert_eq!(server.seen().len(), 3, "nothing was sent");
}

#[tokio::test]
async fn headers_are_the_clients_then_the_calls_and_the_key_is_fixed() {
    let (server, client) = start([]).await;
    let client = client.with_header("EAAS_TASK_ID", "TQ-1").with_header("X-A", "client");
    client.get("accounts").header("x-a", "call").await.unwrap();
    let other = client.with_api_key("ApiKey SU-111:other");
    other.get("accounts").await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].headers["authorization"], "ApiKey SU-000:canary");
    assert_eq!(
        (&seen[0].headers["eaas_task_id"], &seen[0].headers["x-a"]),
        (&"TQ-1".parse().unwrap(), &"call".parse().unwrap())
    );
    assert!(seen[0].headers["user-agent"].to_str().unwrap().starts_with("connect-client/"));
    assert_eq!(seen[1].headers["authorization"], "ApiKey SU-111:other");
    let refused = client.with_header("Authorization", "x").get("accounts").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Usage);
    assert!(!format!("{client:?} {refused} {refused:?}").contains("canary"));
}

#[tokio::test]
async fn queries_are_rql() {
    let range = |text| (200, vec![("Content-Range", text)], json!([{"id": 1}]));
    let (server, client) = start([
        range("items 0-0/7"),
        range("items 0-0/7"),
        range("items nonsense"),
        (200, vec![], json!([])),
    ])
    .await;
    let query = client.collection("requests").query();
    let filter = R::field("id").eq("PR-1") & R::field("status").is_in(["pending", "approved"]);
    assert_eq!(query.clone().filter(filter).count().await.unwrap(), 7);
    let page =
        query.clone().filter(R::field("name").eq("a&b=c")).order_by(["-created"]).select(["-asset.params"]);
    let page = page.search("red car").page::<Value>(10, 20).await.unwrap();
    assert_eq!((page.items.len(), page.range.unwrap().total), (1, 7));
    assert_eq!(
        query.clone().count().await.unwrap_err().to_string(),
        "the answer is not a range: Content-Range is \"items nonsense\""
    );
    assert_eq!(query.count().await.unwrap_err().kind(), ErrorKind::Decode);
    let targets = server.targets();
    assert_eq!(
        targets[0],
        "GET /public/v1/requests?and(eq(id,PR-1),in(status,(pending,approved)))&limit=0&offset=0"
    );
    assert_eq!(
        targets[1],
        "GET /public/v1/requests?select(-asset.params)&eq(name,\"a&b=c\")&ordering(-created)&limit=10&offset=20&search=red car"
    );
    assert!(
        server.seen()[1].raw.contains("%22a%26b=c%22"),
        "a value can't end its part: {}",
        server.seen()[1].raw
    );
}

#[tokio::test]
async fn errors_say_what_connect_said() {
    let (_, client) = start([
        (
            400,
            vec![],
            json!({"error_code": "VAL_001", "errors": ["a: b", "c"], "params": {"x": 1}, "more": true}),
        ),
        (404, vec![], json!("gone")),
        (404, vec![], json!("gone")),
        (200, vec![], json!({"id": 5})),
        (204, vec![], Value::Null),
    ])
    .await;
    let error = client.get("requests/PR-1").await.unwrap_err();
    assert_eq!(error.to_string(), "400 Bad Request: VAL_001 - a: b,c");
    let api = error.api().unwrap();
    assert_eq!((api.params.clone(), api.extra["more"].clone()), (Some(json!({"x": 1})), json!(true)));
    assert_eq!((api.method.as_str(), api.path.as_str()), ("GET", "requests/PR-1"));
    assert!(!client.collection("requests").resource("PR-1").exists().await.unwrap());
    assert_eq!(client.get("x").await.unwrap_err().to_string(), "404 Not Found");
    let error = client.get("x").json::<connect_model::wire::EventDefinition>().await.unwrap_err();
    assert!(
        error.to_string().starts_with("the answer is not EventDefinition: missing field `event_type`"),
        "{error}"
    );
    assert_eq!(client.get("x").await.unwrap(), Value::Null);
}

#[tokio::test]
async fn calls_that_change_nothing_twice_are_made_again() {
    let (server, client) = start([error(500), error(503), error(429), (200, vec![], json!({"ok": 1}))]).await;
    assert_eq!(client.get("a").await.unwrap(), json!({"ok": 1}));
    assert_eq!(server.seen().len(), 4);

    let (server, client) = start(std::iter::repeat_n(error(500), 8)).await;
    assert_eq!(client.get("a").await.unwrap_err().to_string(), "500 Internal Server Error: SYS - oops");
    assert_eq!(server.seen().len(), 4);
    client.collection("a").create(&json!({})).await.unwrap_err();
    assert_eq!(server.seen().len(), 5, "a POST may have had its effect");
    client
        .collection("a")
        .create(&json!({}))
        .retry(RetryPolicy::default().retries(1).first_wait(Duration::ZERO).all_methods())
        .await
        .unwrap_err();
    assert_eq!(server.seen().len(), 7);
}

#[tokio::test]
async fn retry_after_is_honoured_unless_it_is_too_long() {
    let wait = |text| (429, vec![("Retry-After", text)], json!({}));
    let (server, client) = start([wait("0"), (200, vec![], json!({})), wait("3600")]).await;
    client.get("a").await.unwrap();
    let error = client.get("a").await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(server.seen().len(), 3, "an hour is not waited for");
}

#[tokio::test]
async fn an_unreachable_server_is_said_to_be_so() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = client(&endpoint);
    let error = client.collection("a").create(&json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().starts_with("Connect is not reachable: "), "{error}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn the_total_time_limit_holds_over_all_tries() {
    let (_, client) = start(std::iter::repeat_n(error(500), 8)).await;
    let policy = RetryPolicy::default().first_wait(Duration::from_secs(20));
    let error = client.get("a").retry(policy).timeout(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[test]
fn mistakes_are_told_when_the_client_is_made() {
    let build = |endpoint: &str| Client::builder("k").endpoint(endpoint).build().unwrap_err().to_string();
    assert!(build("nowhere").contains("is no address"));
    assert!(build("ftp://a.example").contains("https://"));
    assert!(Client::builder("k").default_header("authorization", "x").build().is_err());
}

#[tokio::test]
async fn what_could_change_a_query_is_refused_before_it_is_sent() {
    let (server, client) = start([]).await;
    let query = || client.collection("requests").query();
    for wrong in [
        query().filter(R::field("id,X)&ge(id").eq("1")),
        query().order_by(["id)&delete(x"]),
        query().select(["a", "b&c"]),
        query().search("it's \"it\""),
        query().filter(connect_client::Rql::any([])),
    ] {
        assert_eq!(wrong.count().await.unwrap_err().kind(), ErrorKind::Usage);
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn errors_show_no_values_of_an_answer() {
    let (_, client) = start([
        (200, vec![], json!({"event_type": 1, "x": "canary"})),
        (200, vec![], json!({"event_type": "e", "api_resource_endpoint": ["canary"]})),
        (400, vec![("X-A", "canary")], json!("canary")),
    ])
    .await;
    let read = async || client.get("a").json::<connect_model::wire::EventDefinition>().await.unwrap_err();
    let error = read().await;
    assert_eq!(
        error.to_string(),
        "the answer is not EventDefinition: event_type: invalid type, expected a string at line 1 column 15"
    );
    let (second, refused) = (read().await, client.get("a").await.unwrap_err());
    let shown = format!("{error:?} {second} {second:?} {refused} {refused:?}");
    assert!(!shown.contains("canary"), "{shown}");
    let endpoint = Client::builder("k").endpoint("http://user:canary@a.example").build().unwrap_err();
    assert!(!endpoint.to_string().contains("canary"));
}

#[test]
fn futures_are_send() {
    fn assert_send<T: Send>(_: T) {}
    let client = client("http://127.0.0.1:9");
    assert_send(client.get("a").json::<Value>());
    assert_send(client.collection("a").query().count());
    assert_send(client.collection("a").query().page::<Value>(1, 0));
}
