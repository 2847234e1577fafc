use std::io::Read;

use axum::{
    Router,
    body::Bytes,
    extract::RawQuery,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use connect_model::wire::{Logging, LoggingMeta};
use serde_json::json;
use tokio::{net::TcpListener, sync::mpsc};
use tracing::{debug, info, info_span, warn};
use tracing_subscriber::{Layer, filter::LevelFilter, layer::SubscriberExt};

use super::*;

const SHORT: &[Duration] = &[Duration::from_millis(1)];
const PATIENCE: Duration = Duration::from_secs(20);

/// Logz.io as far as it matters: what came with which key, answered as told.
async fn listener(answers: Vec<u16>) -> (Url, mpsc::UnboundedReceiver<(String, Vec<Value>)>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap()).parse().unwrap();
    let (came, heard) = mpsc::unbounded_channel();
    let answers = Arc::new(Mutex::new(answers.into_iter()));
    let take = move |RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes| async move {
        assert!(headers["content-type"] == "text/plain" && headers["content-encoding"] == "gzip");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        came.send((query.unwrap(), lines)).unwrap();
        StatusCode::from_u16(answers.lock().unwrap().next().unwrap_or(200)).unwrap()
    };
    tokio::spawn(async { axum::serve(socket, Router::new().route("/", post(take))).await.unwrap() });
    (url, heard)
}

fn setup(key: Option<&str>) -> SetupResponse {
    SetupResponse {
        environment_type: Some("test".to_owned()),
        logging: Some(Logging {
            logging_api_key: key.map(Secret::from),
            meta: Some(LoggingMeta {
                account_id: Some("VA-000".to_owned()),
                service_id: Some("SRVC-0001".to_owned()),
                ..LoggingMeta::default()
            }),
            ..Logging::default()
        }),
        ..SetupResponse::default()
    }
}

fn environment() -> Environment {
    let vars = [
        ("API_KEY", "ApiKey SU-000:key"),
        ("ENVIRONMENT_ID", "ENV-0001"),
        ("INSTANCE_ID", "one"),
        ("SERVER_ADDRESS", "api.example"),
    ];
    Environment::from_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned())), false).unwrap()
}

fn subscriber(logzio: &Logzio) -> impl tracing::Subscriber + use<> {
    let layer = LogzioLayer(logzio.clone()).with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(vec![layer.boxed()])
}

#[tokio::test]
async fn lines_go_with_what_is_known_about_their_task_and_their_extension() {
    let (url, mut heard) = listener(vec![]).await;
    let logzio = Logzio::new();
    logzio.start(url, SHORT);
    let _guard = tracing::subscriber::set_default(subscriber(&logzio));
    info!("before there is a key");
    logzio.follow(&setup(Some("canary-1")), &environment());
    let span = info_span!("task", task = "TQ-1", request_id = tracing::field::Empty);
    span.record("request_id", "PR-1");
    span.in_scope(|| warn!(target: "my_extension", user = "jane", tries = 2, "exists"));
    debug!("not at this level");
    info!(target: "hyper_util::client", "a line of what sends them");
    logzio.flush(PATIENCE).await;
    let (query, lines) = heard.recv().await.unwrap();
    assert_eq!(query, "token=canary-1");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let mut line = lines[0].clone();
    let taken = line.as_object_mut().unwrap();
    assert!(taken.remove("@timestamp").unwrap().as_str().unwrap().ends_with('Z'));
    assert!(taken.remove("line_number").is_some_and(|number| number.is_u64()));
    assert!(taken.remove("path_name").unwrap().as_str().unwrap().ends_with("tests.rs"));
    assert_eq!(
        line,
        json!({
            "message": "exists", "log_level": "WARNING", "type": "rust", "user": "jane", "tries": 2,
            "logger": "my_extension",
            "task_id": "TQ-1", "request_id": "PR-1",
            "api_address": "api.example", "service_id": "SRVC-0001", "environment_id": "ENV-0001",
            "environment_type": "test", "instance_id": "one", "account_id": "VA-000",
        })
    );

    // Another key, then none.
    logzio.follow(&setup(Some("canary-2")), &environment());
    info!(target: "my_extension", "with another key");
    logzio.flush(PATIENCE).await;
    let (query, lines) = heard.recv().await.unwrap();
    assert_eq!((query.as_str(), lines.len()), ("token=canary-2", 1));
    logzio.follow(&SetupResponse::default(), &environment());
    assert!(logzio.is_on(), "a response that says nothing about logs changes nothing");
    logzio.follow(&setup(None), &environment());
    info!(target: "my_extension", "for nobody");
    logzio.flush(PATIENCE).await;
    assert!(heard.try_recv().is_err());
    assert_eq!(logzio.dropped(), 0);
    assert!(!format!("{logzio:?}").contains("canary"));
}

#[tokio::test]
async fn a_bulk_that_is_not_taken_is_sent_again_and_a_refused_one_is_counted() {
    let (url, mut heard) = listener(vec![503, 200, 401]).await;
    let logzio = Logzio::new();
    logzio.start(url, SHORT);
    logzio.follow(&setup(Some("canary")), &environment());
    let _guard = tracing::subscriber::set_default(subscriber(&logzio));
    info!(target: "my_extension", "first");
    logzio.flush(PATIENCE).await;
    assert_eq!(heard.recv().await.unwrap(), heard.recv().await.unwrap());
    assert_eq!(logzio.dropped(), 0);
    info!(target: "my_extension", "second");
    info!(target: "my_extension", "third");
    logzio.flush(PATIENCE).await;
    assert_eq!((heard.recv().await.unwrap().1.len(), logzio.dropped()), (2, 2));
    assert!(heard.try_recv().is_err(), "a refused key is no reason to try again");
}

#[test]
fn what_can_not_be_sent_is_dropped_and_nobody_waits() {
    let logzio = Logzio::new();
    logzio.follow(&setup(Some("canary")), &environment());
    let _guard = tracing::subscriber::set_default(subscriber(&logzio));
    let long = "ä".repeat(400_000);
    info!(target: "my_extension", "{long}");
    for number in 0..MOST_LINES + 5 {
        info!(target: "my_extension", number, "a line");
    }
    assert_eq!(logzio.dropped(), 6);
    let mut receiver = logzio.0.receiver.lock().unwrap().take().unwrap();
    let Line::Text(line) = receiver.try_recv().unwrap() else { panic!("no line") };
    let line: Value = serde_json::from_str(&line).unwrap();
    let message = line["message"].as_str().unwrap();
    assert!(message.len() < 400_000 && message.ends_with("ä…") && line["service_id"] == "SRVC-0001");
}

#[test]
fn the_bytes_that_wait_are_bounded() {
    let logzio = Logzio::new();
    for _ in 0..20 {
        logzio.put("x".repeat(1 << 20));
    }
    assert_eq!(logzio.dropped(), 4);
}
