//! A client of the sandbox's REST, and a runner that does what a test says.

use std::time::Duration;

use connect_sandbox::Sandbox;
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

/// How long a test waits for something that should happen at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const ENVIRONMENT: &str = "ENV-0000-0001-01";
pub(crate) const PURCHASE: &str = "asset_purchase_request_processing";

pub(crate) fn purchase(id: &str) -> Value {
    json!({"id": id, "type": "purchase", "status": "pending", "asset": {"id": format!("AS-{id}"), "status": "processing",
        "product": {"id": "PRD-1"}, "params": [{"id": "domain", "value": "a.example", "value_error": ""}]}})
}

/// A client of REST, with the vendor's key.
pub(crate) struct Rest<'a>(pub(crate) &'a Sandbox);

impl Rest<'_> {
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value, String) {
        self.call_as(self.0.api_key(), method, path, body).await
    }

    /// Posts with the distributor's key.
    pub(crate) async fn order(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let (status, body, _) = self.call_as(self.0.distributor_key(), Method::POST, path, Some(body)).await;
        (status, body)
    }

    pub(crate) async fn call_as(
        &self,
        key: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value, String) {
        let mut call = reqwest::Client::new().request(method, format!("{}/public/v1/{path}", self.0.url()));
        call = call.header("Authorization", key);
        if let Some(body) = body {
            call = call.json(&body);
        }
        let answer = call.send().await.unwrap();
        assert_eq!(answer.headers()["Connect-Version"], "37.0.1");
        let range = answer.headers().get("Content-Range").map(|range| range.to_str().unwrap().to_owned());
        (answer.status(), answer.json().await.unwrap_or_default(), range.unwrap_or_default())
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value, String) {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let (status, body, _) = self.call(Method::POST, path, Some(body)).await;
        (status, body)
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let (status, body, _) = self.call(Method::PUT, path, Some(body)).await;
        (status, body)
    }
}

/// A runner that does what the test says.
pub(crate) struct Runner(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Runner {
    /// Connects as an instance, and says what most tests handle.
    pub(crate) async fn connect(sandbox: &Sandbox, instance: &str, lane: &str) -> Self {
        let path = format!("{ENVIRONMENT}/{instance}");
        let mut runner = Self(Self::open(sandbox, &path, lane, sandbox.api_key()).await.unwrap());
        runner
            .send(&json!({"version": 2, "message_type": "setup_request", "data": {
                "event_subscriptions": {"asset_purchase_request_processing": ["pending"], "product_action_execution": []},
                "schedulables": [{"method": "refresh", "name": "Refresh", "description": "Refreshes"}],
                "variables": [{"name": "VENDOR_URL", "initial_value": "initial", "secure": false}]}}))
            .await;
        runner
    }

    /// Opens the socket alone; an empty lane is none.
    pub(crate) async fn open(
        sandbox: &Sandbox,
        path: &str,
        lane: &str,
        key: &str,
    ) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, Error> {
        let lane = if lane.is_empty() { String::new() } else { format!("&runner_type={lane}") };
        let url = format!(
            "ws://{}/public/v1/devops/ws/{path}?running_tasks=0&running_scheduled_tasks=0{lane}",
            sandbox.address()
        );
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("Authorization", key.parse().unwrap());
        connect_async(request).await.map(|(socket, _)| socket)
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub(crate) async fn receive(&mut self) -> Value {
        loop {
            let message = timeout(PATIENCE, self.0.next()).await.unwrap().unwrap().unwrap();
            if let Message::Text(text) = message {
                return serde_json::from_str(text.as_str()).unwrap();
            }
        }
    }

    /// A ping and its pong, whatever comes in between.
    pub(crate) async fn ping(&mut self) {
        self.0.send(Message::Ping("still there?".into())).await.unwrap();
        loop {
            match timeout(PATIENCE, self.0.next()).await.unwrap().unwrap().unwrap() {
                Message::Pong(payload) => return assert_eq!(payload.as_ref(), b"still there?"),
                Message::Text(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next task, the setup response left out.
    pub(crate) async fn task(&mut self) -> Value {
        loop {
            let frame = self.receive().await;
            if frame["message_type"] == "task" {
                return frame;
            }
        }
    }

    pub(crate) async fn answer(&mut self, mut task: Value, output: Value) {
        task["data"]["output"] = output;
        self.send(&task).await;
    }
}

pub(crate) fn task_id(task: &Value) -> &str {
    task["data"]["options"]["task_id"].as_str().unwrap()
}

pub(crate) async fn settled(sandbox: &Sandbox) {
    timeout(PATIENCE, sandbox.settled()).await.unwrap();
}
