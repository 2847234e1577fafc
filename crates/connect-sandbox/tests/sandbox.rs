//! The sandbox as a runner and a client see it: over HTTP and the WebSocket.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use std::{path::PathBuf, time::Duration};

use connect_model::wire::{ResultType, TaskOutput};
use connect_sandbox::{Activity, Sandbox, SandboxError, TaskStatus};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

const PATIENCE: Duration = Duration::from_secs(20);

fn purchase(id: &str) -> Value {
    json!({"id": id, "type": "purchase", "status": "pending", "asset": {"id": format!("AS-{id}"), "status": "processing",
        "product": {"id": "PRD-1"}, "params": [{"id": "domain", "value": "a.example", "value_error": ""}]}})
}

/// A client of REST.
struct Rest<'a>(&'a Sandbox);

impl Rest<'_> {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value, String) {
        let mut call = reqwest::Client::new().request(method, format!("{}/public/v1/{path}", self.0.url()));
        call = call.header("Authorization", self.0.api_key());
        if let Some(body) = body {
            call = call.json(&body);
        }
        let answer = call.send().await.unwrap();
        assert_eq!(answer.headers()["Connect-Version"], "37.0.0");
        let range = answer.headers().get("Content-Range").map(|range| range.to_str().unwrap().to_owned());
        (answer.status(), answer.json().await.unwrap_or_default(), range.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value, String) {
        self.call(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let (status, body, _) = self.call(Method::POST, path, Some(body)).await;
        (status, body)
    }
}

/// A runner that does what the test says.
struct Runner(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Runner {
    async fn connect(sandbox: &Sandbox, lane: &str) -> Self {
        let mut runner =
            Self(Self::open(sandbox, "ENV-0000-0001-01", lane, sandbox.api_key()).await.unwrap());
        runner
            .send(&json!({"version": 2, "message_type": "setup_request", "data": {
                "event_subscriptions": {"asset_purchase_request_processing": ["pending"], "product_action_execution": []},
                "variables": [{"name": "VENDOR_URL", "initial_value": "initial", "secure": false}]}}))
            .await;
        runner
    }

    async fn open(
        sandbox: &Sandbox,
        environment: &str,
        lane: &str,
        key: &str,
    ) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, Error> {
        let url = format!(
            "ws://{}/public/v1/devops/ws/{environment}/SIN-1?running_tasks=0&runner_type={lane}",
            sandbox.address()
        );
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("Authorization", key.parse().unwrap());
        connect_async(request).await.map(|(socket, _)| socket)
    }

    async fn send(&mut self, frame: &Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn receive(&mut self) -> Value {
        loop {
            let message = timeout(PATIENCE, self.0.next()).await.unwrap().unwrap().unwrap();
            if let Message::Text(text) = message {
                return serde_json::from_str(text.as_str()).unwrap();
            }
        }
    }

    /// The next task, the setup response left out.
    async fn task(&mut self) -> Value {
        loop {
            let frame = self.receive().await;
            if frame["message_type"] == "task" {
                return frame;
            }
        }
    }

    async fn answer(&mut self, mut task: Value, output: Value) {
        task["data"]["output"] = output;
        self.send(&task).await;
    }
}

#[tokio::test]
async fn a_purchase_goes_through() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).speed(10_000.0).variable("VENDOR_URL", "v");
    let sandbox = sandbox.start().await.unwrap();
    let mut activity = sandbox.subscribe();
    let mut runner = Runner::connect(&sandbox, "background").await;
    let setup = runner.receive().await;
    assert_eq!(setup["data"]["variables"], json!([{"name": "VENDOR_URL", "value": "v", "secure": false}]));
    assert_eq!(setup["data"]["logging"]["meta"]["service_id"], "SRVC-0000-0001");
    let definitions = setup["data"]["event_definitions"].as_array().unwrap();
    let purchases =
        definitions.iter().find(|one| one["event_type"] == "asset_purchase_request_processing").unwrap();
    assert_eq!(purchases["api_collection_filter"], "and(eq(id,${_object_id_}),in(status,${_statuses_}))");

    let first = runner.task().await;
    assert_eq!(first["data"]["input"]["object_id"], "PR-1");
    runner.answer(first.clone(), json!({"result": "reschedule", "countdown": 30})).await;
    let again = runner.task().await;
    assert_eq!(again["data"]["options"]["task_id"], first["data"]["options"]["task_id"]);
    let (status, approved) =
        Rest(&sandbox).post("requests/PR-1/approve", json!({"template_id": "TL-1"})).await;
    assert_eq!((status, &approved["status"]), (StatusCode::OK, &json!("approved")));
    runner.answer(again, json!({"result": "success"})).await;
    timeout(PATIENCE, sandbox.settled()).await.unwrap();
    assert_eq!(sandbox.asset("AS-PR-1").unwrap()["status"], "active");
    let tasks = sandbox.tasks();
    assert_eq!((tasks.len(), tasks[0].status, tasks[0].attempts.len()), (1, TaskStatus::Succeeded, 2));
    let mut changed = false;
    while let Ok(event) = activity.try_recv() {
        changed |= matches!(event, Activity::RequestChanged { status, .. } if status == "approved");
    }
    assert!(changed);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_lost_connection_gives_its_task_back_and_garbage_does_not_end_one() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let mut first = Runner::connect(&sandbox, "background").await;
    let task = first.task().await;
    drop(first);
    let mut second = Runner::connect(&sandbox, "background").await;
    for garbage in [json!(7), json!({"message_type": "task", "data": {}}), json!({"message_type": "what"})] {
        second.send(&garbage).await;
    }
    second.0.send(Message::text("not JSON")).await.unwrap();
    let again = second.task().await;
    assert_eq!(again["data"]["options"]["task_id"], task["data"]["options"]["task_id"]);
    second.answer(again, json!({"result": "fail", "message": "no stock"})).await;
    timeout(PATIENCE, sandbox.settled()).await.unwrap();
    assert_eq!(sandbox.tasks()[0].status, TaskStatus::Failed);
}

#[tokio::test]
async fn a_request_that_comes_back_makes_another_task() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "background").await;
    let first = runner.task().await;
    let rest = Rest(&sandbox);
    let wrong = json!({"asset": {"params": [{"id": "domain", "value_error": "is taken"}]}});
    assert_eq!(rest.call(Method::PUT, "requests/PR-1", Some(wrong)).await.0, StatusCode::OK);
    assert_eq!(rest.post("requests/PR-1/inquire", json!({})).await.0, StatusCode::OK);
    runner.answer(first, json!({"result": "success"})).await;
    timeout(PATIENCE, sandbox.settled()).await.unwrap();
    let right = json!({"asset": {"params": [{"id": "domain", "value": "b.example"}]}});
    assert_eq!(rest.post("requests/PR-1/pend", right).await.0, StatusCode::OK);
    let second = runner.task().await;
    runner.answer(second, json!({"result": "skip"})).await;
    timeout(PATIENCE, sandbox.settled()).await.unwrap();
    assert_eq!(sandbox.tasks().len(), 2);
}

#[tokio::test]
async fn interactive_and_scheduled_tasks_are_answered_to_who_asked() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    sandbox.add_schedule(json!({"id": "EFS-1", "method": "refresh"})).unwrap();
    let mut interactive = Runner::connect(&sandbox, "interactive").await;
    let mut background = Runner::connect(&sandbox, "background").await;
    let ask = sandbox.send_interactive("product_action_execution", "ACT-1", json!({"id": 1}));
    let answer = async {
        let task = interactive.task().await;
        assert_eq!(task["data"]["input"]["data"], json!({"id": 1}));
        interactive.answer(task, json!({"result": "success", "data": {"http_status": 302}})).await;
    };
    let (output, ()): (Result<TaskOutput, SandboxError>, ()) = tokio::join!(ask, answer);
    assert_eq!(output.unwrap().data, Some(json!({"http_status": 302})));

    let run = sandbox.trigger_schedule("EFS-1");
    let answer = async {
        let task = background.task().await;
        assert_eq!(task["data"]["options"]["task_category"], "scheduled");
        background.answer(task, json!({"result": "success"})).await;
    };
    let (output, ()) = tokio::join!(run, answer);
    assert_eq!(output.unwrap().result, ResultType::Success);
    assert!(matches!(sandbox.trigger_schedule("EFS-2").await, Err(SandboxError::NotFound(_))));
    let (status, schedule, _) = Rest(&sandbox)
        .get("devops/services/SRVC-0000-0001/environments/ENV-0000-0001-01/schedules/EFS-1")
        .await;
    assert_eq!((status, &schedule["method"]), (StatusCode::OK, &json!("refresh")));
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let requests = (1..=5).map(|number| purchase(&format!("PR-{number}")));
    let sandbox = Sandbox::builder().requests(requests).start().await.unwrap();
    let rest = Rest(&sandbox);
    let ids = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let (_, list, range) =
        rest.get("requests/?in(status,(pending,approved))&ordering(-id)&limit=2&offset=1").await;
    assert_eq!((ids(&list), range.as_str()), (vec!["PR-4".to_owned(), "PR-3".to_owned()], "items 1-2/5"));
    let (_, list, range) = rest.get("requests?and(eq(id,PR-1),in(status,(approved)))&limit=0&offset=0").await;
    assert_eq!((list, range.as_str()), (json!([]), "items 0-0/0"));
    let (_, list, range) = rest.get("requests?like(asset.product.id,PRD*)&select(-asset)&limit=1").await;
    assert_eq!(
        (&list[0], range.as_str()),
        (&json!({"id": "PR-1", "type": "purchase", "status": "pending"}), "items 0-0/5")
    );
    let (status, error, _) = rest.get("requests?near(id,1)").await;
    assert_eq!((status, &error["error_code"]), (StatusCode::BAD_REQUEST, &json!("VAL_001")));
    assert_eq!(ids(&rest.get("assets?eq(id,AS-PR-2)").await.1), ["AS-PR-2"]);
    assert_eq!(ids(&rest.get("assets/AS-PR-2/requests").await.1), ["PR-2"]);
}

#[tokio::test]
async fn what_is_wrong_is_told_in_connects_words() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let rest = Rest(&sandbox);
    for path in
        ["requests/PR-2", "nothing", "requests/PR-1/dance", "devops/services/SRVC-9/installations/EIN-1"]
    {
        let (status, error, _) = rest.get(path).await;
        assert_eq!(
            (status, error["errors"][0].as_str()),
            (StatusCode::NOT_FOUND, Some("Not found.")),
            "{path}"
        );
    }
    let (status, error) = rest.post("requests/PR-1/fail", json!({})).await;
    assert_eq!(
        (status, error),
        (StatusCode::BAD_REQUEST, json!({"error_code": "REQ_005", "errors": ["Missed fields: reason."]}))
    );
    let large = json!({"note": "x".repeat(2 << 20)});
    assert_eq!(rest.call(Method::PUT, "requests/PR-1", Some(large)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let answer = reqwest::get(format!("{}/public/v1/requests", sandbox.url())).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json::<Value>().await.unwrap()["errors"][0], "API request is unauthorized.");

    let refused =
        async |environment: &str, lane: &str, key: &str| match Runner::open(&sandbox, environment, lane, key)
            .await
        {
            Err(Error::Http(answer)) => answer.status().as_u16(),
            other => panic!("{other:?}"),
        };
    assert_eq!(refused("ENV-0000-0001-01", "background", "ApiKey wrong").await, 401);
    assert_eq!(refused("ENV-9999-0001-01", "background", sandbox.api_key()).await, 404);
    assert_eq!(refused("ENV-0000-0001-01", "sideways", sandbox.api_key()).await, 400);
}

#[tokio::test]
async fn a_sandbox_that_can_not_start_says_why() {
    let text = |end: Result<Sandbox, SandboxError>| end.unwrap_err().to_string();
    assert!(
        text(Sandbox::builder().address("nowhere").start().await).starts_with("nowhere can't be listened on")
    );
    assert_eq!(text(Sandbox::builder().speed(0.0).start().await), "the speed 0 is not above zero");
    assert_eq!(text(Sandbox::builder().request(json!({})).start().await), "a request without an id");
    let sandbox = Sandbox::builder().start().await.unwrap();
    assert!(sandbox.address().ip().is_loopback());
    let taken = Sandbox::builder().address(sandbox.address().to_string()).start().await;
    assert!(text(taken).contains("can't be listened on"));
    assert!(!format!("{sandbox:?}").contains(sandbox.api_key()));
}

#[tokio::test]
async fn real_requests_are_given_as_they_came() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !folder.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "the samples are missing: {}", folder.display());
        eprintln!("skipped: no samples at {}", folder.display());
        return;
    }
    let mut builder = Sandbox::builder();
    let mut wanted = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // A body that creates a request has no id yet.
        if !name.starts_with("asset-request") || name.contains("create-body") {
            continue;
        }
        let value: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let list = if let Value::Array(list) = value { list } else { vec![value] };
        wanted.extend(list.into_iter().map(|request| (request["id"].as_str().unwrap().to_owned(), request)));
        builder = builder.load_requests(path);
    }
    let sandbox = builder.start().await.unwrap();
    assert!(wanted.len() >= 15, "{}", wanted.len());
    for (id, request) in &wanted {
        // Several samples share an id; the last that is read is the one that stays.
        let (_, given, _) = Rest(&sandbox).get(&format!("requests/{id}")).await;
        assert_eq!(&given["id"], &request["id"]);
        assert_eq!(Some(given), sandbox.request(id));
    }
}
