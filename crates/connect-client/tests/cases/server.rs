//! A server on loopback that answers what a case tells it to, and remembers what it was asked.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

#[derive(Clone)]
pub(crate) struct Server {
    state: Arc<State>,
    port: u16,
}

struct State {
    answers: Mutex<VecDeque<Value>>,
    seen: Mutex<Vec<Seen>>,
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, String> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes().to_vec();
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    state.seen.lock().unwrap().push(Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body,
    });
    let answer = state.answers.lock().unwrap().pop_front();
    let answer = answer.ok_or("the script ran out")?;
    if let Some(delay) = answer["delay_ms"].as_u64() {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    if answer["drop"] == true {
        return Err("the connection is dropped".to_owned());
    }
    let mut response = Response::builder().status(u16::try_from(answer["status"].as_u64().unwrap()).unwrap());
    let (body, kind) = match (&answer["json"], &answer["text"], &answer["hex"]) {
        (_, Value::String(text), _) => (text.clone().into_bytes(), Some("text/plain")),
        (_, _, Value::String(hex)) => (bytes(hex), Some("application/octet-stream")),
        _ if answer.get("json").is_some() => {
            (answer["json"].to_string().into_bytes(), Some("application/json"))
        }
        _ => (Vec::new(), None),
    };
    let headers = answer["headers"].as_object().cloned().unwrap_or_default();
    if let Some(kind) = kind.filter(|_| !headers.contains_key("Content-Type")) {
        response = response.header("Content-Type", kind);
    }
    for (name, value) in headers {
        response = response.header(name, value.as_str().unwrap());
    }
    Ok(response.body(Full::new(body.into())).unwrap())
}

impl Server {
    pub(crate) async fn start(answers: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State { answers: Mutex::new(answers.into()), seen: Mutex::default() });
        let server = Self { state: Arc::clone(&state), port };
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                let service = service_fn(move |request| answer(Arc::clone(&state), request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service),
                );
            }
        });
        server
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }
}
