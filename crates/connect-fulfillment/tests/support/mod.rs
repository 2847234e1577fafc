//! A stand-in for Connect that plays what a test tells it to and writes down what it sees.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "shared by several files of tests"
)]

pub mod secrets;
pub mod wire;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{FromRequestParts, Query, Request, State, WebSocketUpgrade, ws},
    http::{HeaderMap, Response, StatusCode},
    response::IntoResponse,
};
use connect_fulfillment::{Environment, client::RetryPolicy, model::rql};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc},
    time::timeout,
};

/// As in the recorded cases.
pub const KEY: &str = "ApiKey SU-000:xxxxxxxxxxxx";
/// How long a test waits for something that should happen at once.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A call of REST.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    /// Path and query, decoded.
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: Value,
}

/// A connection, once its setup request is there.
#[derive(Clone, Debug)]
pub struct Connected {
    pub query: HashMap<String, String>,
    pub authorization: String,
    pub setup: Value,
    to: mpsc::UnboundedSender<ws::Message>,
}

impl Connected {
    pub fn send(&self, frame: impl Into<String>) {
        let _ = self.to.send(ws::Message::Text(frame.into().into()));
    }

    pub fn close(&self) {
        let _ = self.to.send(ws::Message::Close(None));
    }
}

#[derive(Default)]
struct Seen {
    calls: Vec<Call>,
    connections: Vec<Connected>,
    frames: Vec<Value>,
    /// How often each task was answered.
    answers: HashMap<String, usize>,
}

pub struct Platform {
    pub address: std::net::SocketAddr,
    /// What REST holds, by path below `/public/v1`.
    pub objects: Mutex<HashMap<String, Value>>,
    pub failures: Mutex<HashMap<String, VecDeque<(u16, String)>>>,
    /// What the setup response says.
    pub setup_response: Mutex<Value>,
    /// Answers of the upgrade that are given before connections are taken.
    pub refusals: Mutex<VecDeque<u16>>,
    /// Tasks that come over every background connection until they are answered.
    pub due: Mutex<Vec<Value>>,
    seen: Mutex<Seen>,
    changed: Notify,
}

impl Platform {
    pub async fn start() -> Arc<Self> {
        secrets::search();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let platform = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            objects: Mutex::default(),
            failures: Mutex::default(),
            setup_response: Mutex::new(setup_response()),
            refusals: Mutex::default(),
            due: Mutex::default(),
            seen: Mutex::default(),
            changed: Notify::new(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&platform));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        platform
    }

    pub fn put(&self, path: &str, object: Value) {
        self.objects.lock().unwrap().insert(path.to_owned(), object);
    }

    /// The environment of a runner for this platform, whose waits are short.
    pub fn environment(&self, further: &[(&str, &str)]) -> Environment {
        let mut vars = vec![
            ("API_KEY".to_owned(), KEY.to_owned()),
            ("ENVIRONMENT_ID".to_owned(), "ENV-0001-0002-01".to_owned()),
            ("INSTANCE_ID".to_owned(), "SIN-0001".to_owned()),
            ("SERVER_ADDRESS".to_owned(), self.address.to_string()),
            ("API_ADDRESS".to_owned(), format!("http://{}", self.address)),
        ];
        vars.extend(further.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut environment = Environment::from_vars(vars, true).unwrap();
        environment.retry = Some(RetryPolicy::default().first_wait(Duration::from_millis(1)));
        environment.backoff.base = Duration::from_millis(10);
        environment
    }

    /// Waits until what is seen satisfies the test.
    async fn until<T>(&self, what: &str, found: impl Fn(&Seen) -> Option<T>) -> T {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if let Some(found) = found(&self.seen.lock().unwrap()) {
                    return found;
                }
                changed.await;
            }
        };
        let end = timeout(PATIENCE, wait).await;
        end.unwrap_or_else(|_| {
            let frames = self.frames();
            let last = frames.iter().rev().take(20).collect::<Vec<_>>();
            panic!("{what} did not happen; {} frames so far, the last: {last:#?}", frames.len())
        })
    }

    /// The newest connection of a lane, once so many were made.
    pub async fn connection(&self, lane: &str, number: usize) -> Connected {
        self.until("a connection", |seen| {
            let mut of_lane =
                seen.connections.iter().filter(|connection| connection.query["runner_type"] == lane);
            of_lane.nth(number - 1).cloned()
        })
        .await
    }

    /// The first frames that came back, once there are so many.
    pub async fn frames_until(&self, count: usize) -> Vec<Value> {
        self.until("that many frames", |seen| (seen.frames.len() >= count).then(|| seen.frames.clone())).await
    }

    pub fn frames(&self) -> Vec<Value> {
        self.seen.lock().unwrap().frames.clone()
    }

    /// How often each task was answered.
    pub fn answers(&self) -> HashMap<String, usize> {
        self.seen.lock().unwrap().answers.clone()
    }

    /// Waits until so many tasks were answered.
    pub async fn answered(&self, tasks: usize) {
        self.until("that many answers", |seen| (seen.answers.len() >= tasks).then_some(())).await;
    }

    pub fn calls(&self) -> Vec<Call> {
        self.seen.lock().unwrap().calls.clone()
    }

    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().unwrap());
        self.changed.notify_waiters();
    }
}

/// The setup response of the recorded cases.
pub fn setup_response() -> Value {
    let definition = |event: &str, collection: &str, filter: &str| {
        json!({"event_type": event, "api_collection_endpoint": collection,
            "api_resource_endpoint": format!("{collection}/{{pk}}"), "api_collection_filter": filter})
    };
    let in_status = "and(eq(id,${_object_id_}),in(status,${_statuses_}))";
    json!({"version": 2, "message_type": "setup_response", "data": {
        "variables": [{"name": "CACHE_DRIVER", "value": "none", "secure": false},
            {"name": "SECRET", "value": "canary-of-a-variable", "secure": true}],
        "environment_type": "development",
        "logging": {"logging_api_key": null, "log_level": "INFO", "runner_log_level": "INFO",
            "meta": {"service_id": "SRVC-0001-0002", "account_id": "VA-0001", "account_name": "Vendor"}},
        "event_definitions": [
            definition("asset_purchase_request_processing", "requests", in_status),
            definition("asset_change_request_processing", "requests", in_status),
            definition("asset_cancel_request_processing", "requests", in_status),
            definition("tier_config_setup_request_processing", "tier/config-requests", in_status),
            definition("asset_purchase_request_validation", "requests", "eq(id,${_object_id_})"),
            definition("product_action_execution", "requests", "eq(id,${_object_id_})"),
        ],
        "model_type": "setup_response"}})
}

/// A task as Connect sends it.
pub fn task(id: &str, category: &str, event: &str, object: &str, data: &Value) -> Value {
    json!({"version": 2, "message_type": "task", "data": {
        "options": {"task_id": id, "task_category": category, "correlation_id": format!("corr-{id}"),
            "reply_to": "reply-queue", "api_key": null, "installation_id": null, "connect_correlation_id": null},
        "input": {"event_type": event, "object_id": object, "data": data},
        "output": null, "model_type": "task"}})
}

fn headers_of(headers: &HeaderMap) -> HashMap<String, String> {
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

async fn answer(State(platform): State<Arc<Platform>>, request: Request) -> Response<Body> {
    if request.uri().path().starts_with("/public/v1/devops/ws/") {
        return upgrade(platform, request).await;
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let target = parts.uri.path_and_query().unwrap().as_str();
    let path = percent_encoding::percent_decode_str(target).decode_utf8().unwrap().into_owned();
    let call = Call {
        method: parts.method.to_string(),
        path,
        headers: headers_of(&parts.headers),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let missing_key = !call.headers.contains_key("authorization");
    platform.note(|seen| seen.calls.push(call));
    if missing_key {
        return (StatusCode::UNAUTHORIZED, "no key").into_response();
    }
    let key = parts.uri.path().trim_start_matches("/public/v1/").to_owned();
    if let Some((status, body)) =
        platform.failures.lock().unwrap().get_mut(&key).and_then(VecDeque::pop_front)
    {
        return (StatusCode::from_u16(status).unwrap(), body).into_response();
    }
    if parts.method != "GET" {
        let id = key.split('/').nth(1).unwrap_or_default();
        return axum::Json(json!({"id": id})).into_response();
    }
    let objects = platform.objects.lock().unwrap();
    if let Some(object) = objects.get(&key) {
        return axum::Json(object).into_response();
    }
    if let Some(query) = parts.uri.query() {
        let filter = rql::Query::parse(query).unwrap().filter;
        let of_collection =
            objects.iter().filter(|(path, _)| path.rsplit_once('/').is_some_and(|(own, _)| own == key));
        let count = of_collection.filter(|(_, object)| filter.matches(object)).count();
        return ([("Content-Range", format!("items 0-0/{count}"))], axum::Json(json!([]))).into_response();
    }
    let error = json!({"error_code": "NF_000", "errors": ["Object not found."]});
    (StatusCode::NOT_FOUND, axum::Json(error)).into_response()
}

async fn upgrade(platform: Arc<Platform>, request: Request) -> Response<Body> {
    if let Some(status) = platform.refusals.lock().unwrap().pop_front() {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let (mut parts, _) = request.into_parts();
    assert_eq!(parts.uri.path(), "/public/v1/devops/ws/ENV-0001-0002-01/SIN-0001");
    let query = Query::<HashMap<String, String>>::try_from_uri(&parts.uri).unwrap().0;
    let authorization = headers_of(&parts.headers)["authorization"].clone();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.unwrap();
    upgrade.on_upgrade(move |socket| serve(platform, socket, query, authorization)).into_response()
}

async fn serve(
    platform: Arc<Platform>,
    mut socket: ws::WebSocket,
    query: HashMap<String, String>,
    authorization: String,
) {
    let setup = loop {
        match socket.recv().await {
            Some(Ok(ws::Message::Text(text))) => break serde_json::from_str(text.as_str()).unwrap(),
            Some(Ok(_)) => {}
            _ => return,
        }
    };
    let (to, mut outgoing) = mpsc::unbounded_channel();
    let response = platform.setup_response.lock().unwrap().to_string();
    let _ = to.send(ws::Message::Text(response.into()));
    if query["runner_type"] == "background" {
        let answered = platform.answers();
        for task in platform.due.lock().unwrap().iter() {
            if !answered.contains_key(task["data"]["options"]["task_id"].as_str().unwrap()) {
                let _ = to.send(ws::Message::Text(task.to_string().into()));
            }
        }
    }
    platform.note(|seen| seen.connections.push(Connected { query, authorization, setup, to }));
    let (mut sink, mut stream) = socket.split();
    tokio::spawn(async move {
        while let Some(message) = outgoing.recv().await {
            if sink.send(message).await.is_err() {
                return;
            }
        }
    });
    while let Some(Ok(message)) = stream.next().await {
        if let ws::Message::Text(text) = message {
            let frame: Value = serde_json::from_str(text.as_str()).unwrap();
            platform.note(|seen| {
                if let Some(id) = frame["data"]["options"]["task_id"].as_str() {
                    *seen.answers.entry(id.to_owned()).or_default() += 1;
                }
                seen.frames.push(frame);
            });
        }
    }
}
