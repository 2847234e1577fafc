//! The client against a server on loopback that answers what each test tells it to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    collections::VecDeque,
    future::IntoFuture,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::Response,
};
use connect_client::{Client, ErrorKind, R, RetryPolicy, TraceContext};
use futures_util::TryStreamExt;
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
    endpoint: Arc<Mutex<String>>,
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
    let server = Server { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Server::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/public/v1/", listener.local_addr().unwrap());
    server.endpoint.lock().unwrap().clone_from(&endpoint);
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
        "the answer is not a page: its Content-Range is \"items nonsense\", not \"items FIRST-LAST/TOTAL\""
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
async fn what_connect_answered_is_kept_but_not_shown() {
    let (_, client) = start([
        (
            418,
            vec![("X-Request-Id", "r-1")],
            json!({"error_code": "E", "errors": ["a"], "message": "custom"}),
        ),
        (200, vec![], json!({"id": 5})),
        (204, vec![], Value::Null),
    ])
    .await;
    let error = client.get("x").await.unwrap_err();
    assert_eq!(error.to_string(), "custom: E - a");
    assert_eq!((error.error_code(), error.api().unwrap().correlation_id()), (Some("E"), Some("r-1")));
    let error = client.get("x").json::<Vec<u8>>().await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Decode, 200));
    assert_eq!(error.body().unwrap(), r#"{"id":5}"#);
    let error = client.get("x").json::<u8>().await.unwrap_err();
    assert_eq!(error.to_string(), "the answer is not u8: it has no body");
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
    assert!(build("https://a.example/v1?x=1").contains("behind its path"));
    assert!(Client::builder(" ").build().unwrap_err().to_string().contains("API key is empty"));
    assert!(Client::builder("k").page_size(0).build().is_err());
    assert!(Client::builder("k").proxy("ftp://a.example").build().is_err());
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
    assert_send(client.collection("a").query().stream::<Value>());
    assert_send(client.get("a").download("a").into_future());
}

fn page(first: u64, last: u64, total: u64) -> Answer {
    let range: &'static str = format!("items {first}-{last}/{total}").leak();
    (200, vec![("Content-Range", range)], (first..=last).map(|id| json!({"id": id})).collect())
}

#[tokio::test]
async fn a_walk_looks_one_page_ahead_once_it_goes_on() {
    let (server, client) = start((0..10).map(|at| page(at * 10, at * 10 + 9, 100))).await;
    let query = client.collection("a").query().page_size(10);
    let mut stream = std::pin::pin!(query.stream::<Value>());
    let mut read = async |count: usize| {
        for _ in 0..count {
            stream.try_next().await.unwrap().unwrap();
        }
        // Whatever was begun meanwhile is done soon.
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            if server.seen().len() > 3 {
                break;
            }
        }
        server.seen().len()
    };
    assert_eq!(read(10).await, 1, "who reads the first page only costs one call");
    assert_eq!(read(5).await, 2);
    assert_eq!(read(1).await, 3, "in the second half of the second page the third is fetched");
    assert_eq!(read(4).await, 3, "and no further one");
    assert_eq!(read(6).await, 4);
}

#[tokio::test]
async fn walks_end_when_nobody_knows_where_they_are() {
    let garbled = (200, vec![("Content-Range", "items */9")], json!([1, 2]));
    let (server, client) = start([garbled.clone(), garbled, page(0, 1, 6), page(0, 1, 6)]).await;
    let query = client.collection("a").query();
    assert_eq!(query.clone().all::<Value>().await.unwrap().len(), 2, "a page that is not full is the last");
    let query = query.page_size(2);
    let mut stream = std::pin::pin!(query.clone().stream::<Value>());
    assert!(stream.try_next().await.unwrap().is_some() && stream.try_next().await.unwrap().is_some());
    assert_eq!(stream.try_next().await.unwrap_err().kind(), ErrorKind::Decode);
    assert!(stream.try_next().await.unwrap().is_none(), "an error ends it");
    let error = query.all::<Value>().await.unwrap_err();
    assert!(error.to_string().contains("asked for objects from 2, it has those from 0"), "{error}");
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn ranges_lie_within_each_other() {
    let (server, client) = start([page(12, 13, 30), page(14, 14, 30), page(15, 15, 30)]).await;
    let query = client.collection("a").query().page_size(2).range(10..20);
    let ids: Vec<Value> = query.clone().range(2..5).all().await.unwrap();
    assert_eq!(ids.len(), 3);
    assert_eq!(query.clone().nth::<Value>(5).await.unwrap().unwrap()["id"], 15);
    assert!(query.clone().nth::<Value>(10).await.unwrap().is_none(), "it is outside");
    #[allow(clippy::reversed_empty_ranges, reason = "it is what is tested")]
    let reversed = query.range(5..3);
    assert!(reversed.all::<Value>().await.unwrap().is_empty());
    let targets = server.targets();
    let wanted = ["limit=2&offset=12", "limit=1&offset=14", "limit=1&offset=15"];
    assert_eq!(targets, wanted.map(|query| format!("GET /public/v1/a?{query}")));
}

#[tokio::test]
async fn pages_come_with_their_range() {
    let (_, client) = start([page(0, 1, 3), page(2, 2, 3)]).await;
    let pages: Vec<_> =
        client.collection("a").query().page_size(2).pages::<Value>().try_collect().await.unwrap();
    assert_eq!(
        pages.iter().map(|page| (page.items.len(), page.range.unwrap().first)).collect::<Vec<_>>(),
        [(2, 0), (1, 2)]
    );
}

#[tokio::test]
async fn two_walks_of_one_query_are_two() {
    let (server, client) = start([page(0, 1, 3), page(0, 1, 3), page(2, 2, 3), page(2, 2, 3)]).await;
    let query = client.collection("a").query().page_size(2);
    let mut first = std::pin::pin!(query.clone().stream::<Value>());
    let mut second = std::pin::pin!(query.stream::<Value>());
    for id in 0..3 {
        assert_eq!(first.try_next().await.unwrap().unwrap()["id"], id);
        assert_eq!(second.try_next().await.unwrap().unwrap()["id"], id);
    }
    assert!(first.try_next().await.unwrap().is_none() && second.try_next().await.unwrap().is_none());
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn calls_belong_to_their_trace() {
    let (server, client) = start([error(500)]).await;
    let trace = TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
    client.with_trace(trace).get("a").await.unwrap();
    let seen = server.seen();
    let of = |index: usize| seen[index].headers["traceparent"].to_str().unwrap().to_owned();
    assert_eq!(TraceContext::parse(&of(0)), Some(trace));
    assert!(of(0) != of(1), "each try has an id of its own");
}

/// What is logged while a call is made.
fn logged(level: tracing::Level, log_bodies: bool) -> String {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(move || writer.clone());
    tracing::subscriber::with_default(subscriber.finish(), || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let cookie =
                (201, vec![("Set-Cookie", "sid=canary"), ("X-Request-Id", "r-7")], json!({"body": 1}));
            let (server, _) = start([cookie]).await;
            let endpoint = server.endpoint.lock().unwrap().clone();
            let builder = Client::builder("ApiKey SU-000:canary").endpoint(endpoint).log_bodies(log_bodies);
            let client = builder.build().unwrap().with_header("X-Vendor-Token", "canary");
            client.collection("requests").create(&json!({"name": "body"})).param("q", "1").await.unwrap();
        });
    });
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn calls_are_logged_without_secrets() {
    let debug = logged(tracing::Level::DEBUG, false);
    assert!(
        debug.contains("call{") && debug.contains("method=POST") && debug.contains("path=\"requests\""),
        "{debug}"
    );
    assert!(debug.contains("authorization: ApiKey SU-000**********"), "{debug}");
    assert!(debug.contains("status=201") && debug.contains("x-request-id: r-7"), "{debug}");
    let trace = logged(tracing::Level::TRACE, false);
    assert!(!trace.contains("\"body\""), "bodies are logged by choice only: {trace}");
    let bodies = logged(tracing::Level::TRACE, true);
    assert!(bodies.contains(r#"{"name":"body"}"#) && bodies.contains(r#"{"body":1}"#), "{bodies}");
    for text in [debug, trace, bodies] {
        assert!(!text.contains("canary"), "{text}");
    }
}
