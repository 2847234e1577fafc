//! Drafts and inquiry forms that the extension validates, and requests that wait for their day.

use std::time::Duration;

use connect_sandbox::Sandbox;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{ENVIRONMENT, PURCHASE, Rest, Runner, purchase, settled};

/// A runner that validates purchases.
async fn validator(sandbox: &Sandbox) -> Runner {
    let path = format!("{ENVIRONMENT}/SIN-1");
    let mut runner = Runner(Runner::open(sandbox, &path, "interactive", sandbox.api_key()).await.unwrap());
    runner
        .send(&json!({"version": 2, "message_type": "setup_request", "data": {
            "event_subscriptions": {"asset_purchase_request_validation": ["draft", "inquiring"]}}}))
        .await;
    runner.receive().await;
    runner
}

/// The next validation, and its answer: the request, with this said of its first parameter.
async fn says(runner: &mut Runner, param: Value) -> Value {
    let task = runner.task().await;
    assert_eq!(task["data"]["input"]["event_type"], "asset_purchase_request_validation");
    let asked = task["data"]["input"]["data"].clone();
    let mut answer = asked.clone();
    answer["status"] = "approved".into();
    answer["asset"]["params"][0] = param;
    let output = json!({"result": "success", "runtime": 0.1, "data": {"http_status": 200, "headers": null, "body": answer}});
    runner.answer(task, output).await;
    asked
}

fn draft() -> Value {
    let mut draft = purchase("PR-1");
    draft["status"] = "draft".into();
    draft
}

#[tokio::test]
async fn a_draft_is_validated_until_it_can_be_ordered() {
    let sandbox = Sandbox::builder().request(draft()).start().await.unwrap();
    let rest = Rest(&sandbox);
    let body = json!({"asset": {"params": [{"id": "domain", "value": "b.example"}]}});
    let mut runner = validator(&sandbox).await;
    let typed =
        json!({"id": "domain", "value": "b.example", "value_error": "It is taken.", "title": "Hacked"});
    let (refused, asked) =
        tokio::join!(rest.order("requests/PR-1/validate", body.clone()), says(&mut runner, typed));
    assert_eq!(asked["asset"]["params"][0]["value"], "b.example", "what was typed is what is validated");
    let (status, request) = refused;
    assert_eq!(
        (status, &request["status"]),
        (StatusCode::OK, &json!("draft")),
        "a validation changes no status"
    );
    let param = json!({"id": "domain", "value": "b.example", "value_error": "It is taken."});
    assert_eq!(request["asset"]["params"][0], param);
    let (status, error) = rest.order("requests/PR-1/purchase", json!({})).await;
    assert_eq!((status, &error["error_code"]), (StatusCode::BAD_REQUEST, &json!("VAL_001")));

    let free = json!({"id": "domain", "value": "c.example", "value_error": ""});
    let (valid, _) = tokio::join!(rest.order("requests/PR-1/validate", json!({})), says(&mut runner, free));
    assert_eq!(valid.1["asset"]["params"][0]["value"], "c.example");
    assert_eq!(rest.order("requests/PR-1/purchase", json!({})).await.1["status"], "pending");
    let (status, _) = rest.order("requests/PR-1/validate", json!({})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "it is no draft any more");
    assert_eq!(rest.post("requests/PR-1/validate", json!({})).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_draft_is_validated_without_rest() {
    let sandbox = Sandbox::builder().request(draft()).start().await.unwrap();
    let nobody = sandbox.validate("PR-1", json!({})).await.unwrap_err();
    assert!(nobody.to_string().contains("no runner handles asset_purchase_request_validation"), "{nobody}");
    let mut runner = validator(&sandbox).await;
    let taken = json!({"id": "domain", "value": "a.example", "value_error": "It is taken."});
    let (validated, _) = tokio::join!(sandbox.validate("PR-1", json!({})), says(&mut runner, taken.clone()));
    assert_eq!(validated.unwrap()["asset"]["params"][0], taken);
    assert!(sandbox.validate("PR-9", json!({})).await.is_err());
}

#[tokio::test]
async fn without_an_answer_a_draft_stays_as_it_was() {
    let sandbox = Sandbox::builder().request(draft()).start().await.unwrap();
    let rest = Rest(&sandbox);
    let body = json!({"asset": {"params": [{"id": "domain", "value": "b.example"}]}});
    let mut runner = validator(&sandbox).await;
    let fails = async {
        let task = runner.task().await;
        runner.answer(task, json!({"result": "fail", "runtime": 0.1, "message": "the vendor is down"})).await;
    };
    let ((status, error), ()) = tokio::join!(rest.order("requests/PR-1/validate", body), fails);
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(error["errors"], json!(["Not validated: the vendor is down."]));
    assert_eq!(sandbox.request("PR-1").unwrap(), draft());
}

#[tokio::test]
async fn a_form_is_validated_before_the_request_goes_on() {
    let product = json!({"id": "PRD-1", "name": "One", "status": "published",
        "capabilities": {"inquiring": {"validation": true}}});
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("product.json");
    std::fs::write(&file, product.to_string()).unwrap();
    let mut request = purchase("PR-1");
    request["status"] = "inquiring".into();
    request["params_form_url"] = "https://form.example/?request_id=PR-1&code=right".into();
    let sandbox = Sandbox::builder().import(&file).request(request).start().await.unwrap();
    let rest = Rest(&sandbox);
    let mut runner = validator(&sandbox).await;
    let body = json!({"asset": {"params": [{"id": "domain", "value": "b.example"}]}});
    let wrong = rest.order("requests/PR-1/pend?code=wrong", body.clone()).await;
    assert_eq!(wrong.1["errors"], json!(["code: The code is not that of the request's form."]));
    let taken = json!({"id": "domain", "value": "b.example", "value_error": "It is taken."});
    let (refused, _) =
        tokio::join!(rest.order("requests/PR-1/pend?code=right", body.clone()), says(&mut runner, taken));
    assert_eq!(refused.0, StatusCode::BAD_REQUEST);
    assert_eq!(refused.1["errors"], json!(["asset.params.domain: It is taken."]));
    assert_eq!(sandbox.request("PR-1").unwrap()["status"], "inquiring");
    let free = json!({"id": "domain", "value": "b.example", "value_error": ""});
    let (pended, _) =
        tokio::join!(rest.order("requests/PR-1/pend?code=right", body), says(&mut runner, free));
    assert_eq!((pended.0, &pended.1["status"]), (StatusCode::OK, &json!("pending")));
}

#[tokio::test]
async fn a_scheduled_request_is_pending_on_its_day_and_can_be_revoked_before() {
    let sandbox = Sandbox::builder().requests(["PR-1", "PR-2"].map(purchase)).start().await.unwrap();
    let rest = Rest(&sandbox);
    let now: jiff::Timestamp = jiff::Timestamp::now();
    let day = (now + Duration::from_secs(10 * 86_400)).to_string();
    for body in [json!({}), json!({"planned_date": "soon"})] {
        let (status, error) = rest.post("requests/PR-1/schedule", body).await;
        assert_eq!((status, &error["error_code"]), (StatusCode::BAD_REQUEST, &json!("VAL_001")));
    }
    for id in ["PR-1", "PR-2"] {
        let (_, request) = rest.post(&format!("requests/{id}/schedule"), json!({"planned_date": day})).await;
        assert_eq!((&request["status"], &request["planned_date"]), (&json!("scheduled"), &json!(day)));
    }
    let reason = json!({"reason": "changed my mind"});
    assert_eq!(rest.post("requests/PR-2/revoke", reason.clone()).await.0, StatusCode::FORBIDDEN);
    assert_eq!(rest.order("requests/PR-2/revoke", reason).await.1["status"], "revoking");
    assert_eq!(rest.post("requests/PR-2/confirm", json!({})).await.1["status"], "revoked");
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    runner.receive().await;
    sandbox.step(Duration::from_secs(9 * 86_400));
    settled(&sandbox).await;
    assert_eq!(sandbox.request("PR-1").unwrap()["status"], "scheduled");
    sandbox.step(Duration::from_secs(2 * 86_400));
    let task = runner.task().await;
    let input = &task["data"]["input"];
    assert_eq!((&input["event_type"], &input["object_id"]), (&json!(PURCHASE), &json!("PR-1")));
    assert_eq!(sandbox.request("PR-1").unwrap()["status"], "pending");
    assert_eq!(sandbox.request("PR-2").unwrap()["status"], "revoked");
}

#[tokio::test]
async fn a_request_is_assigned_and_left_again() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let rest = Rest(&sandbox);
    let (_, assigned) = rest.post("requests/PR-1/assign", json!({"email": "a@vendor.example"})).await;
    assert_eq!(assigned["assignee"], json!({"email": "a@vendor.example"}));
    assert_eq!(rest.post("requests/PR-1/assign", json!({})).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(rest.post("requests/PR-1/unassign", json!({})).await.1["assignee"], json!(null));
}
