//! Extensions tested as their authors would: against a sandbox in the same process.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "a test")]

#[path = "support/secrets.rs"]
mod secrets;

use connect_fulfillment::{
    Descriptor,
    prelude::*,
    sandbox::{Activity, DispatchPolicy, Fault, Sandbox},
};
use serde_json::json;

#[derive(Inject)]
struct CreateTenant {
    requests: AssetRequests,
}

impl BackgroundTransaction for CreateTenant {
    fn name(&self) -> &str {
        "Create tenant"
    }

    fn should_execute(&self, request: &AssetRequest) -> bool {
        request.param("tenant_id").is_some_and(Parameter::is_empty)
    }

    async fn execute(&self, request: &mut AssetRequest) -> Result<BackgroundResponse> {
        let domain = request.try_param("domain")?.text()?.to_owned();
        request.set_param("tenant_id", format!("tenant of {domain}"));
        self.requests.update_changed(request).await?;
        Ok(BackgroundResponse::reschedule(Duration::from_secs(3_600)))
    }
}

#[derive(Inject)]
struct Approve {
    requests: AssetRequests,
}

impl BackgroundTransaction for Approve {
    fn name(&self) -> &str {
        "Approve"
    }

    fn should_execute(&self, _: &AssetRequest) -> bool {
        true
    }

    async fn execute(&self, request: &mut AssetRequest) -> Result<BackgroundResponse> {
        self.requests.approve(request, "TL-000-000-001").await?;
        Ok(BackgroundResponse::done())
    }
}

struct PurchaseSaga;

impl Saga for PurchaseSaga {
    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().then::<CreateTenant>().then::<Approve>()
    }
}

struct ApproveSaga;

impl Saga for ApproveSaga {
    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().then::<Approve>()
    }
}

fn extension() -> Extension {
    secrets::search();
    Extension::new(Descriptor::default())
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], PurchaseSaga)
        .background(event::ASSET_CHANGE_REQUEST_PROCESSING, ["pending"], ApproveSaga)
        .background(event::ASSET_CANCEL_REQUEST_PROCESSING, ["pending"], ApproveSaga)
}

#[tokio::test]
async fn a_saga_in_ten_lines() {
    let sandbox = Sandbox::start().await.unwrap();
    let running = extension().run_in(&sandbox).await.unwrap();
    let id = sandbox
        .purchase("PRD-1")
        .param("domain", "a.example")
        .param("tenant_id", "")
        .item("MPN-A", 5)
        .send()
        .unwrap();
    // The vendor takes an hour, which goes by at once.
    sandbox.answered(&id, 1).await;
    sandbox.assert_request(&id, json!({"status": "pending", "asset": {"params": [{"id": "tenant_id", "value": "tenant of a.example"}]}}));
    sandbox.step(Duration::from_secs(3_600));
    sandbox.settled().await;
    sandbox.assert_request(&id, json!({"status": "approved", "asset": {"status": "active", "items": [{"mpn": "MPN-A", "quantity": "5"}]}}));
    assert_eq!(running.stop().await.unwrap().unfinished, 0);
}

#[tokio::test]
async fn what_follows_for_an_asset() {
    let sandbox = Sandbox::start().await.unwrap();
    let _running = extension().run_in(&sandbox).await.unwrap();
    let id = sandbox.purchase("PRD-1").item("MPN-A", 5).send().unwrap();
    sandbox.settled().await;
    let asset = sandbox.request(&id).unwrap()["asset"]["id"].as_str().unwrap().to_owned();
    let change = sandbox.order("change", &asset).item("MPN-A", 9).send().unwrap();
    sandbox.settled().await;
    sandbox.assert_request(
        &change,
        json!({"status": "approved", "asset": {"items": [{"quantity": "9", "old_quantity": "5"}]}}),
    );
    sandbox.assert_asset(&asset, json!({"status": "active", "items": [{"mpn": "MPN-A", "quantity": "9"}]}));
    let error = sandbox.order("resume", &asset).send().unwrap_err().to_string();
    assert!(error.contains("Request type resume is not allowed when asset state is active"), "{error}");
    sandbox.order("cancel", &asset).send().unwrap();
    sandbox.settled().await;
    sandbox.assert_asset(&asset, json!({"status": "terminated"}));
}

#[tokio::test]
async fn a_draft_waits_until_it_is_ordered() {
    let sandbox = Sandbox::start().await.unwrap();
    let _running = extension().run_in(&sandbox).await.unwrap();
    let id = sandbox.purchase("PRD-1").with(json!({"note": "soon"})).draft().send().unwrap();
    sandbox.assert_request(&id, json!({"status": "draft", "note": "soon"}));
    assert!(sandbox.tasks().is_empty());
    sandbox.act(&id, "purchase", json!({})).unwrap();
    sandbox.settled().await;
    sandbox.assert_request(&id, json!({"status": "approved"}));
    let error = sandbox.act(&id, "fail", json!({"reason": "too late"})).unwrap_err();
    assert_eq!(error.to_string(), "REQ_003: Only pending requests can be failed.");
}

#[tokio::test]
async fn what_is_not_as_expected_is_shown_with_its_tasks() {
    let sandbox = Sandbox::start().await.unwrap();
    let _running = extension().run_in(&sandbox).await.unwrap();
    let id = sandbox.purchase("PRD-1").param("tenant_id", "").send().unwrap();
    sandbox.answered(&id, 1).await;
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        sandbox.assert_request(&id, json!({"status": "approved"}));
    }));
    let told = told.unwrap_err().downcast::<String>().unwrap();
    // There is no parameter `domain`.
    for part in ["status: expected \"approved\", is \"pending\"", "attempt 1: retry", "domain"] {
        assert!(told.contains(part), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once() {
    let tests = (0..200).map(|number| {
        tokio::spawn(async move {
            let sandbox = Sandbox::start().await.unwrap();
            let running = extension().run_in(&sandbox).await.unwrap();
            let id = sandbox.purchase("PRD-1").item("MPN-A", number).send().unwrap();
            sandbox.settled().await;
            sandbox.assert_request(
                &id,
                json!({"status": "approved", "asset": {"items": [{"quantity": number.to_string()}]}}),
            );
            running.stop().await.unwrap();
            sandbox.stop().await;
        })
    });
    for test in tests.collect::<Vec<_>>() {
        test.await.unwrap();
    }
}

/// What goes wrong on purpose costs no order.
#[tokio::test]
async fn an_extension_survives_what_goes_wrong() {
    let mut policy = DispatchPolicy::default();
    policy.background_limit = Duration::from_secs(2);
    policy.answer_grace = Duration::from_millis(50);
    let builder = Sandbox::builder().policy(policy).speed(1_000.0);
    let sandbox =
        builder.fault(Fault::call("requests/*").method("GET").status(502).times(1)).start().await.unwrap();
    let _running = extension().run_in(&sandbox).await.unwrap();
    for (what, fault) in [
        ("approvals fail", Some(Fault::call("requests/*/approve").status(503).times(5))),
        (
            "an approval is done, its answer lost",
            Some(Fault::call("requests/*/approve").status(504).done().times(1)),
        ),
        ("counts take longer", Some(Fault::call("requests").latency(Duration::from_millis(20)).times(1))),
        ("a delivery is lost", Some(Fault::delivery_lost().times(1))),
        (
            "a delivery comes twice",
            Some(Fault::delivered_twice().event("asset_purchase_request_processing").times(1)),
        ),
        ("nothing", None),
    ] {
        if let Some(fault) = fault {
            sandbox.inject(fault).unwrap();
        }
        let id = sandbox.purchase("PRD-1").item("MPN-A", 1).send().unwrap();
        sandbox.settled().await;
        let request = sandbox.request(&id).unwrap();
        assert_eq!(request["status"], "approved", "{what}: {:#?}", sandbox.tasks());
        assert!(sandbox.faults().is_empty(), "{what}");
    }

    sandbox.set_maintenance(true);
    let id = sandbox.purchase("PRD-1").send().unwrap();
    assert_eq!(sandbox.request(&id).unwrap()["status"], "pending");
    let mut activity = sandbox.subscribe();
    sandbox.clear_faults();
    while !matches!(activity.recv().await.unwrap(), Activity::RunnerConnected { .. }) {}
    sandbox.cut_connections();
    sandbox.settled().await;
    sandbox.assert_request(&id, json!({"status": "approved"}));
}

#[derive(Inject)]
struct NeedsMore {
    #[inject(name = "nobody_declares_it")]
    _url: String,
}

impl BackgroundTransaction for NeedsMore {
    fn name(&self) -> &str {
        "Needs more"
    }

    fn should_execute(&self, _: &AssetRequest) -> bool {
        true
    }

    async fn execute(&self, _: &mut AssetRequest) -> Result<BackgroundResponse> {
        Ok(BackgroundResponse::done())
    }
}

struct NeedsMoreSaga;

impl Saga for NeedsMoreSaga {
    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().then::<NeedsMore>()
    }
}

#[tokio::test]
async fn an_extension_that_can_not_run_says_why() {
    let sandbox = Sandbox::start().await.unwrap();
    let broken = Extension::new(Descriptor::default()).background(
        event::ASSET_PURCHASE_REQUEST_PROCESSING,
        ["pending"],
        NeedsMoreSaga,
    );
    let error = broken.run_in(&sandbox).await.unwrap_err().to_string();
    assert!(error.contains("nobody_declares_it") && error.contains("NeedsMore"), "{error}");
}

#[tokio::test]
async fn a_start_that_fails_is_told_at_the_end() {
    let sandbox = Sandbox::start().await.unwrap();
    let extension = extension().on_startup(async |_: Scope| Err("no licence".into()));
    let mut activity = sandbox.subscribe();
    // It is connected first: the start has Connect's variables.
    let running = extension.run_in(&sandbox).await.unwrap();
    while !matches!(activity.recv().await.unwrap(), Activity::RunnerDisconnected { .. }) {}
    assert!(running.stop().await.unwrap().start_failed);
}
