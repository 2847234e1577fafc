//! What extensions do with requests, against a mock.

#![cfg(feature = "mock")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use connect_client::{
    Approval, AssetRequests, ErrorKind, NewSchedule, R, Schedules, TemplateChoice, TierConfigRequests,
    Trigger,
    mock::{ClientMock, MockReply},
};
use connect_model::{Asset, AssetRequest, RequestStatus, TierConfigRequest};
use serde_json::{Value, json};

fn request() -> AssetRequest {
    serde_json::from_value(json!({
        "id": "PR-1", "type": "purchase", "status": "pending",
        "asset": {
            "id": "AS-1", "status": "processing", "product": {"id": "PRD-1"}, "connection": {"id": "CT-1"},
            "tiers": {"customer": {"id": "TA-1"}, "tier1": {"id": "TA-2"}},
            "params": [{"id": "domain", "value": "old", "title": "Domain"}, {"id": "seats", "value": "5"}],
        },
    }))
    .unwrap()
}

fn as_status(status: &str) -> Value {
    json!({"id": "PR-1", "type": "purchase", "status": status, "asset": {"id": "AS-1", "status": "active"}})
}

fn tier_request() -> TierConfigRequest {
    serde_json::from_value(json!({
        "id": "TCR-1", "type": "setup", "status": "pending", "params": [{"id": "key", "value": "a"}],
        "configuration": {"id": "TC-1", "status": "processing", "product": {"id": "PRD-1"}, "tier_level": 1},
    }))
    .unwrap()
}

#[tokio::test]
async fn requests_are_approved_failed_and_scheduled() {
    let mock = ClientMock::new();
    let requests = AssetRequests::new(mock.client());
    mock.post("requests/PR-1/approve").body(json!({"template_id": "TL-1"})).reply(as_status("approved"));
    let approved = requests.approve(&request(), "TL-1").await.unwrap();
    assert_eq!((approved.status, approved.asset.status.as_str()), (RequestStatus::Approved, "active"));

    let body = json!({"activation_tile": "Hi", "effective_date": "2026-12-01"});
    mock.post("requests/PR-1/approve").body(body).reply(as_status("approved"));
    requests.approve(&request(), Approval::tile("Hi").effective_date("2026-12-01")).await.unwrap();

    mock.post("requests/PR-1/fail").body(json!({"reason": "sold out"})).reply(as_status("failed"));
    assert_eq!(requests.fail(&request(), "sold out").await.unwrap().status, RequestStatus::Failed);
    mock.post("requests/PR-1/schedule")
        .body(json!({"planned_date": "2027-01-01"}))
        .reply(as_status("scheduled"));
    requests.schedule(&request(), "2027-01-01").await.unwrap();
    mock.post("requests/PR-1/confirm").reply(as_status("revoked"));
    requests.confirm(&request()).await.unwrap();
}

#[tokio::test]
async fn moving_a_request_to_where_it_stands_is_no_error() {
    let mock = ClientMock::new();
    let requests = AssetRequests::new(mock.client());
    let refused = &["Only pending and inquiring requests can be approved."];
    mock.post("requests/PR-1/approve").reply_error(400, "REQ_003", refused);
    mock.get("requests/PR-1").reply(as_status("approved"));
    assert_eq!(requests.approve(&request(), "TL-1").await.unwrap().status, RequestStatus::Approved);

    mock.post("requests/PR-1/approve").reply_error(400, "REQ_003", refused);
    mock.get("requests/PR-1").reply(as_status("failed"));
    let error = requests.approve(&request(), "TL-1").await.unwrap_err();
    assert_eq!(error.error_code(), Some("REQ_003"), "{error}");

    mock.post("requests/PR-1/fail").reply_error(400, "REQ_005", &["Missed fields: reason."]);
    assert_eq!(requests.fail(&request(), "").await.unwrap_err().error_code(), Some("REQ_005"));
}

#[tokio::test]
async fn a_lost_answer_is_found_again() {
    let mock = ClientMock::new();
    mock.post("requests/PR-1/approve").reply_error(502, "", &[]);
    mock.post("requests/PR-1/approve").reply_error(400, "REQ_003", &["Only pending …"]);
    mock.get("requests/PR-1").reply(as_status("approved"));
    let approved = AssetRequests::new(mock.client()).approve(&request(), "TL-1").await.unwrap();
    assert_eq!(approved.status, RequestStatus::Approved);
}

#[tokio::test]
async fn an_inquiry_is_one_step() {
    let mock = ClientMock::new();
    let requests = AssetRequests::new(mock.client());
    let marked = json!({"asset": {"params": [{"id": "domain", "value_error": "taken"}]}});
    mock.put("requests/PR-1").body(marked.clone()).reply(as_status("pending"));
    mock.post("requests/PR-1/inquire").body(json!({"template_id": "TL-2"})).reply(as_status("inquiring"));
    let inquired =
        requests.inquire_for(&request(), [("domain", "taken")], TemplateChoice::from("TL-2")).await;
    assert_eq!(inquired.unwrap().status, RequestStatus::Inquiring);

    // The second time it is inquiring already.
    mock.put("requests/PR-1").body(marked).reply_error(400, "REQ_003", &["Only pending, draft or …"]);
    mock.get("requests/PR-1").reply(as_status("inquiring"));
    requests.inquire_for(&request(), [("domain", "taken")], None).await.unwrap();
}

#[tokio::test]
async fn only_what_changed_is_written() {
    let mock = ClientMock::new();
    let requests = AssetRequests::new(mock.client());
    let mut after = request();
    assert_eq!(requests.update_changed(&after).await.unwrap(), after, "nothing is sent");
    after.set_param("domain", "new");
    after.set_param("user", "U-1");
    let params = json!([{"id": "domain", "value": "new"}, {"id": "user", "value": "U-1"}]);
    mock.put("requests/PR-1").body(json!({"asset": {"params": params}})).reply(as_status("pending"));
    requests.update_changed(&after).await.unwrap();

    let tiers = TierConfigRequests::new(mock.client());
    let mut after = tier_request();
    after.params[0].value_error = Some("unknown".to_owned());
    let params = json!([{"id": "key", "value_error": "unknown"}]);
    mock.put("tier/config-requests/TCR-1").body(json!({"params": params})).reply(json!({"id": "TCR-1"}));
    tiers.update_changed(&after).await.unwrap();
}

#[tokio::test]
async fn templates_are_looked_up_once() {
    let mock = ClientMock::new();
    let client = mock.client();
    let requests = AssetRequests::new(client.clone());
    let template = |id: &str, name: &str, scope: &str, kind: &str| json!({"id": id, "name": name, "title": name, "scope": scope, "type": kind});
    mock.get("products/PRD-1/templates").times(1).reply_list([
        template("TL-1", "Welcome", "tier1", "fulfillment"),
        template("TL-2", "Ask", "asset", "inquire"),
        template("TL-3", "Hello", "asset", "fulfillment"),
        template("TL-4", "Welcome", "asset", "fulfillment"),
    ]);
    let approve = |id: &str| {
        let answer = as_status("approved");
        mock.post("requests/PR-1/approve").body(json!({"template_id": id})).reply(answer);
    };
    approve("TL-4");
    requests.approve(&request(), TemplateChoice::named("Welcome")).await.unwrap();
    approve("TL-3");
    requests.approve(&request(), TemplateChoice::from_variable(Some(" "))).await.unwrap();
    mock.post("requests/PR-1/inquire").body(json!({"template_id": "TL-2"})).reply(as_status("inquiring"));
    requests.inquire(&request(), TemplateChoice::first()).await.unwrap();
    let error = requests.approve(&request(), TemplateChoice::named("Bye")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        error.to_string(),
        "the product PRD-1 has no template named \"Bye\" of scope asset and type fulfillment"
    );

    let path = "tier/config-requests/TCR-1";
    mock.post(format!("{path}/approve"))
        .body(json!({"template": {"id": "TL-1"}}))
        .reply(json!({"template": {}}));
    mock.get(path).reply(json!({"id": "TCR-1", "status": "approved"}));
    let approved = TierConfigRequests::new(client.with_header("X-A", "1"))
        .approve(&tier_request(), TemplateChoice::first())
        .await;
    assert_eq!(approved.unwrap().status, RequestStatus::Approved);
}

#[tokio::test]
async fn tier_config_requests_answer_with_little() {
    let mock = ClientMock::new();
    let requests = TierConfigRequests::new(mock.client());
    let path = "tier/config-requests/TCR-1";
    let now = |status: &str| json!({"id": "TCR-1", "type": "setup", "status": status, "params": []});
    mock.post(format!("{path}/fail")).body(json!({"reason": "no"})).reply_empty();
    mock.get(path).reply(now("failed"));
    assert_eq!(requests.fail(&tier_request(), "no").await.unwrap().status, RequestStatus::Failed);

    let body = json!({"template": {"id": "TL-1", "effective_date": "2026-12-01"}});
    mock.post(format!("{path}/approve")).body(body).reply(json!({"template": {"id": "TL-1"}}));
    mock.get(path).reply(now("approved"));
    requests.approve(&tier_request(), Approval::from("TL-1").effective_date("2026-12-01")).await.unwrap();

    mock.post(format!("{path}/inquire")).reply_error(400, "TC_006", &["… is not allowed."]);
    mock.get(path).reply(now("inquiring"));
    assert_eq!(requests.inquire(&tier_request()).await.unwrap().status, RequestStatus::Inquiring);
    assert!(requests.approve(&tier_request(), Approval::tile("x")).await.is_err());
}

#[tokio::test]
async fn around_a_request() {
    let mock = ClientMock::new();
    let requests = AssetRequests::new(mock.client());
    let filter = R::field("account.id").eq("TA-2")
        & R::field("product.id").eq("PRD-1")
        & R::field("tier_level").eq(1)
        & R::field("connection.id").eq("CT-1");
    mock.get("tier/configs").filter(filter).reply_list([json!({"id": "TC-1", "status": "active"})]);
    let asset = request().asset;
    assert_eq!(requests.tier_configuration(&asset, 1).await.unwrap().unwrap().id, "TC-1");
    assert!(requests.tier_configuration(&asset, 2).await.unwrap().is_none(), "it has no tier 2");

    let filter = R::field("tiers.customer.id").eq("TA-1") & R::field("id").ne("AS-1");
    mock.get("assets").filter(filter).reply_list([json!({"id": "AS-2", "status": "active"})]);
    let others: Vec<Value> = requests.other_assets(&asset).all().await.unwrap();
    assert_eq!(others[0]["id"], "AS-2");
    assert!(requests.other_assets(&Asset::default()).all::<Value>().await.unwrap().is_empty());

    mock.get("conversations").filter(R::field("instance_id").eq("PR-1")).reply_list([json!({"id": "CO-1"})]);
    mock.post("conversations/CO-1/messages").body(json!({"text": "Done."})).reply(json!({"id": "ME-1"}));
    requests.note(&request(), "Done.").await.unwrap();
    mock.get("conversations").filter(R::field("instance_id").eq("PR-1")).reply_list([]);
    let error = requests.note(&request(), "Done.").await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("PR-1"), "{error}");
}

#[tokio::test]
async fn a_schedule_is_not_doubled() {
    let mock = ClientMock::new();
    let schedules = Schedules::new(&mock.client(), "SRVC-1", "ENV-1");
    let path = "devops/services/SRVC-1/environments/ENV-1/schedules";
    let schedule =
        NewSchedule::new("report", "send_report", Trigger::every(7, "days", "2026-12-01T06:00:00+00:00"))
            .parameter("installation_id", "EIN-1");
    let same = R::field("name").eq("report") & R::field("method").eq("send_report");
    mock.get(path).filter(same.clone()).reply_list([]);
    let body = json!({
        "name": "report", "method": "send_report", "parameter": {"installation_id": "EIN-1"},
        "trigger": {"type": "recurring", "unit": "days", "amount": 7, "start": "2026-12-01T06:00:00+00:00"},
    });
    mock.post(path).body(body).reply(json!({"id": "EFS-1", "method": "send_report"}));
    assert_eq!(schedules.ensure(&schedule).await.unwrap().id, "EFS-1");
    mock.get(path).filter(same).reply_list([json!({"id": "EFS-1", "method": "send_report"})]);
    schedules.ensure(&schedule).await.unwrap();
    mock.delete(format!("{path}/EFS-1")).reply_with(|_| MockReply::error(404, "CNCT_001", &["Not found."]));
    schedules.delete("EFS-1").await.unwrap();
}
