//! What becomes of tasks whose handlers return an error.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "a test")]

mod support;

use axum::{Router, http::StatusCode};
use connect_fulfillment::{
    Backoff, Descriptor, ErrorPolicy, OnError, Runner, prelude::*, vendor::VendorServiceProvider,
};
use serde_json::{Value, json};
use support::{Platform, task};

const PURCHASE: &str = "asset_purchase_request_processing";

#[derive(Debug)]
struct Busy;

impl std::fmt::Display for Busy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the vendor is busy")
    }
}

impl std::error::Error for Busy {}

/// Does what the note of the request says.
async fn purchase(request: AssetRequest, scope: Scope) -> Result<BackgroundResponse> {
    match request.note.as_deref() {
        Some("busy") => Err(Busy)?,
        Some("panic") => panic!("out of range"),
        Some("text") => Err("no such thing")?,
        Some("vendor") => scope.get::<VendorClient>()?.post("tenants").empty().await?,
        _ => scope.client()?.collection("products").resource("PRD-1").get().empty().await?,
    }
    Ok(BackgroundResponse::done())
}

async fn nightly(_: Schedule, scope: Scope) -> Result<ScheduledExecutionResponse> {
    scope.client()?.collection("products").resource("PRD-1").get().empty().await?;
    Ok(ScheduledExecutionResponse::done())
}

/// The outputs of tasks whose requests have these notes, one after another.
async fn outputs(extension: Extension, platform: &Platform, notes: &[&str]) -> Vec<Value> {
    let runner = Runner::new(extension.into(), platform.environment(&[])).unwrap();
    let running = tokio::spawn(runner.run_until(std::future::pending(), std::future::pending()));
    let connection = platform.connection("background", 1).await;
    for (index, note) in notes.iter().enumerate() {
        let (task_id, id) = (format!("TQ-{index}"), format!("PR-{note}"));
        let path = format!("requests/{id}");
        platform.put(&path, json!({"id": id, "type": "purchase", "status": "pending", "note": note}));
        if *note == "unreadable" {
            platform.failures.lock().unwrap().insert(path, vec![(500, String::new()); 4].into());
        }
        let task = match *note {
            "nightly" => task(&task_id, "scheduled", "scheduled_execution", "SCH-1", &Value::Null),
            _ => task(&task_id, "background", PURCHASE, &id, &Value::Null),
        };
        connection.send(task.to_string());
        platform.frames_until(index + 1).await;
    }
    running.abort();
    platform.frames().into_iter().map(|frame| frame["data"]["output"].clone()).collect()
}

/// A platform whose products answer with an error, and an extension that asks for one.
async fn lab(status: u16) -> (std::sync::Arc<Platform>, Extension) {
    let platform = Platform::start().await;
    let body = r#"{"error_code": "SYS", "errors": ["oops"]}"#.to_owned();
    platform.failures.lock().unwrap().insert("products/PRD-1".into(), vec![(status, body); 64].into());
    let schedules = "devops/services/SRVC-0001-0002/environments/ENV-0001-0002-01/schedules/SCH-1";
    platform.put(schedules, json!({"id": "SCH-1", "method": "nightly"}));
    let extension = Extension::new(Descriptor::default())
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], purchase)
        .scheduled("nightly", "Nightly", "Once a night", nightly);
    (platform, extension)
}

#[tokio::test]
async fn what_another_try_may_mend_is_rescheduled_and_all_else_is_retry() {
    let (platform, extension) = lab(503).await;
    let notes = ["call", "call", "nightly", "busy", "text", "panic", "unreadable"];
    let outputs = outputs(extension, &platform, &notes).await;
    let results: Vec<_> = outputs.iter().map(|output| output["result"].as_str().unwrap()).collect();
    assert_eq!(
        results,
        ["reschedule", "reschedule", "reschedule", "retry", "retry", "retry", "retry"],
        "{outputs:#?}"
    );
    for (output, longest) in outputs.iter().zip([60, 120, 60]) {
        let countdown = output["countdown"].as_u64().unwrap();
        assert!((longest / 2..=longest).contains(&countdown), "{output}");
        assert_eq!(output["message"], "503 Service Unavailable: SYS - oops");
    }
}

#[tokio::test]
async fn a_call_that_connect_refuses_is_retry() {
    let (platform, extension) = lab(403).await;
    let outputs = outputs(extension, &platform, &["call"]).await;
    assert_eq!((&outputs[0]["result"], &outputs[0]["countdown"]), (&json!("retry"), &json!(0)));
}

#[tokio::test]
async fn rules_say_what_becomes_of_the_users_errors() {
    let (platform, extension) = lab(503).await;
    let policy = ErrorPolicy::default()
        .on::<Busy>(|_| OnError::Reschedule)
        .on::<connect_fulfillment::model::Panicked>(|_| OnError::Fail)
        .otherwise(OnError::Skip)
        .backoff(Backoff::new(Duration::from_secs(1000), Duration::from_secs(1000)))
        .attempts(2);
    let nightly = ErrorPolicy::retry_all().otherwise(OnError::Skip);
    let extension = extension.error_policy(policy).error_policy_of("nightly", nightly);
    let outputs = outputs(extension, &platform, &["busy", "busy", "panic", "text", "nightly"]).await;
    let results: Vec<_> = outputs.iter().map(|output| output["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["reschedule", "fail", "fail", "skip", "success"], "{outputs:#?}");
    assert!(outputs[0]["countdown"].as_u64().unwrap() >= 500);
    assert_eq!(outputs[1]["message"], "the vendor is busy");
}

/// Both the transaction and its compensation ask Connect, which is down.
#[derive(Inject)]
struct NeverWorks {
    client: Client,
}

impl BackgroundTransaction for NeverWorks {
    fn name(&self) -> &str {
        "Never works"
    }

    fn should_execute(&self, _: &AssetRequest) -> bool {
        true
    }

    async fn execute(&self, _: &mut AssetRequest) -> Result<BackgroundResponse> {
        Err(Busy)?
    }

    async fn compensate(
        &self,
        _: &mut AssetRequest,
        _: connect_fulfillment::Error,
    ) -> Result<BackgroundResponse> {
        self.client.collection("products").resource("PRD-1").get().empty().await?;
        Ok(BackgroundResponse::done())
    }
}

struct PurchaseSaga;

impl Saga for PurchaseSaga {
    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().then::<NeverWorks>()
    }
}

#[tokio::test]
async fn where_the_compensation_fails_too_its_error_counts() {
    let (platform, _) = lab(503).await;
    let extension = Extension::new(Descriptor::default()).background(
        event::ASSET_PURCHASE_REQUEST_PROCESSING,
        ["pending"],
        PurchaseSaga,
    );
    let outputs = outputs(extension, &platform, &["saga"]).await;
    assert_eq!(outputs[0]["result"], "reschedule", "{outputs:?}");
    let message = "the vendor is busy; its compensation failed too: 503 Service Unavailable: SYS - oops";
    assert_eq!(outputs[0]["message"], message);
}

#[tokio::test]
async fn a_vendor_that_is_down_is_waited_for_as_it_asks() {
    let (platform, extension) = lab(503).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let down = async || (StatusCode::SERVICE_UNAVAILABLE, [("Retry-After", "7200")]);
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(down)).await.unwrap() });
    platform.setup_response.lock().unwrap()["data"]["variables"] =
        json!([{"name": "VENDOR_URL", "value": address, "secure": false}]);
    let extension = extension
        .variable(Variable::new("VENDOR_URL").initial_value("https://api.vendor.example"))
        .provider(VendorServiceProvider::new("VENDOR"));
    let outputs = outputs(extension, &platform, &["vendor"]).await;
    assert_eq!((&outputs[0]["result"], &outputs[0]["countdown"]), (&json!("reschedule"), &json!(7200)));
    assert_eq!(outputs[0]["message"], "the vendor answered 503 Service Unavailable");
}

#[test]
fn a_policy_for_what_is_not_handled_is_told() {
    let action = async |_: ProductAction, _: Scope| Ok(InteractiveResponse::done());
    let extension = Extension::new(Descriptor::default())
        .interactive(event::PRODUCT_ACTION_EXECUTION, action)
        .error_policy_of("nightly", ErrorPolicy::default())
        .error_policy_of("product_action_execution", ErrorPolicy::default());
    let error = extension.check().unwrap_err().to_string();
    assert!(error.contains("\"nightly\" has an error policy, and is not handled"), "{error}");
    assert!(error.contains("which interactive tasks can't have"), "{error}");
}
