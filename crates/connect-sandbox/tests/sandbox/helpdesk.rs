//! Helpdesk cases, webhooks, and subscriptions as they are billed.

use axum::{Router, body::Bytes, http::HeaderMap, routing::any};
use connect_sandbox::Sandbox;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

use crate::support::{ENVIRONMENT, PATIENCE, Rest, Runner, purchase};

fn case() -> Value {
    json!({"subject": "It takes long", "description": "Since yesterday.", "type": "technical", "priority": 3,
        "state": "pending", "product": {"id": "PRD-000-100-001"}, "issuer": {"recipients": [{"id": "UR-630-250-903"}]},
        "receiver": {"account": {"id": "PA-000-000"}}})
}

#[tokio::test]
async fn a_case_is_answered_solved_and_closed() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut runner = Runner(
        Runner::open(&sandbox, &format!("{ENVIRONMENT}/SIN-1"), "background", sandbox.api_key())
            .await
            .unwrap(),
    );
    runner
        .send(&json!({"version": 2, "message_type": "setup_request", "data": {"event_subscriptions": {
            "helpdesk_case_processing": ["inquiring", "closed"]}}}))
        .await;
    let rest = Rest(&sandbox);
    let (status, made) = rest.post("helpdesk/cases", case()).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(
        (&made["state"], &made["priority"], &made["product"]["name"], &made["issuer"]["account"]["id"]),
        (&json!("pending"), &json!(3), &json!("Nimbus Workspace"), &json!("VA-000-000"))
    );
    assert_eq!(made["issuer"]["recipients"][0]["id"], "UR-630-250-903");
    let id = made["id"].as_str().unwrap().to_owned();
    let path = |action: &str| format!("helpdesk/cases/{id}/{action}");
    let (_, changed) =
        rest.put(&format!("helpdesk/cases/{id}"), json!({"priority": "1", "state": "closed"})).await;
    assert_eq!((&changed["priority"], &changed["state"]), (&json!(1), &json!("pending")));
    // From each state, each action: either it leads on, or it is refused in words.
    for (state, action, expected) in [
        ("pending", "pend", Err("Only inquiring and resolved cases can be moved to pending status.")),
        ("pending", "close", Err("Only resolved cases can be closed.")),
        ("pending", "inquire", Ok("inquiring")),
        ("inquiring", "inquire", Err("Only pending cases can be moved to inquiring status.")),
        ("inquiring", "resolve", Err("Only pending cases can be resolved.")),
        ("inquiring", "close", Err("Only resolved cases can be closed.")),
        ("inquiring", "pend", Ok("pending")),
        ("pending", "resolve", Ok("resolved")),
        ("resolved", "inquire", Err("Only pending cases can be moved to inquiring status.")),
        ("resolved", "resolve", Err("Only pending cases can be resolved.")),
        ("resolved", "pend", Ok("pending")),
        ("pending", "resolve", Ok("resolved")),
    ] {
        let (status, answer) = rest.order(&path(action), json!(null)).await;
        match expected {
            Ok(next) => {
                assert_eq!((status, &answer["state"]), (StatusCode::OK, &json!(next)), "{state} {action}");
            }
            Err(text) => assert_eq!(answer["errors"][0], text, "{state} {action}"),
        }
    }
    assert_eq!(runner.task().await["data"]["input"]["object_id"], id.as_str());
    let refused = rest.post(&path("close"), json!({"rating": 6})).await.1;
    assert_eq!(refused["errors"][0], "rating: It is 1, 2, 3, 4 or 5.");
    let (_, closed) = rest.post(&path("close"), json!({"rating": "4", "feedback": "Fine"})).await;
    assert_eq!(
        (&closed["state"], &closed["rating"], &closed["feedback"]),
        (&json!("closed"), &json!(4), &json!("Fine"))
    );
    for action in ["inquire", "pend", "resolve", "close"] {
        assert_eq!(rest.post(&path(action), json!(null)).await.0, StatusCode::BAD_REQUEST, "{action}");
    }
    let refused = rest.put(&format!("helpdesk/cases/{id}"), json!({"subject": "Again"})).await.1;
    assert_eq!(refused["errors"][0], "Only pending, inquiring and resolved cases can be updated.");
}

#[tokio::test]
async fn what_is_no_case_is_told() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    for (member, value, text) in [
        ("subject", json!(""), "subject: This field is required."),
        ("subject", json!("x".repeat(301)), "subject: Ensure this field has no more than 300 characters."),
        ("description", json!(7), "description: This field is required."),
        ("type", json!("odd"), "type: \"odd\" is not a valid choice."),
        ("priority", json!(4), "priority: It is 0, 1, 2 or 3."),
        ("state", json!("closed"), "state: A new case is pending."),
        ("product", json!({"id": "PRD-9"}), "product.id: Invalid pk \"PRD-9\" - object does not exist."),
        ("receiver", json!({}), "receiver.account.id: This field is required."),
        (
            "receiver",
            json!({"account": {"id": "VA-000-000"}}),
            "receiver.account.id: A case is for another account.",
        ),
        ("issuer", json!({"recipients": {}}), "issuer.recipients: Invalid data."),
    ] {
        let mut body = case();
        body[member] = value;
        let (status, error) = rest.post("helpdesk/cases", body).await;
        assert_eq!((status, &error["errors"][0]), (StatusCode::BAD_REQUEST, &json!(text)));
    }
    assert_eq!(rest.get("helpdesk/cases").await.2, "items 0-0/0");
}

/// A handler of webhooks, which passes on what it is sent.
async fn handler() -> (String, mpsc::UnboundedReceiver<(HeaderMap, Value)>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let handle = any(move |headers: HeaderMap, body: Bytes| async move {
        let sent = serde_json::from_slice(&body).unwrap_or_default();
        let _ = sender.send((headers, sent));
        r#"{"seen": true}"#
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?x=1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", handle)).await });
    (url, receiver)
}

#[tokio::test]
async fn a_webhook_calls_this_machine_and_no_other() {
    let (url, mut calls) = handler().await;
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let body = json!({"label": "Mine", "object_class": "fulfillment_request", "product_id": "PRD-000-100-001",
        "description": "", "external_url": url, "jwt_secret": "secret", "active": true, "http_method": "POST",
        "data": {"from": "connect"}, "headers": {"X-Mine": "yes"}, "type": "event"});
    let (status, webhook) = rest.post("notifications/webhooks", body.clone()).await;
    assert_eq!(
        (status, &webhook["product"]["name"]),
        (StatusCode::CREATED, &json!("Nimbus Workspace")),
        "{webhook}"
    );
    let path = format!("notifications/webhooks/{}", webhook["id"].as_str().unwrap());
    assert_eq!(rest.post(&format!("{path}/trigger"), json!(null)).await, (StatusCode::OK, Value::Null));
    let (headers, sent) = timeout(PATIENCE, calls.recv()).await.unwrap().unwrap();
    assert_eq!((&sent, headers["x-mine"].to_str().unwrap()), (&json!({"from": "connect"}), "yes"));
    let token = headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    assert_eq!(token.split('.').count(), 3);
    let (_, after, _) = rest.get(&path).await;
    assert_eq!(
        (&after["stats"]["success_triggers"], &after["last_success"]["status_code"]),
        (&json!(1), &json!(200))
    );
    assert_eq!(after["last_success"]["response"], json!({"seen": true}));

    let elsewhere = json!({"external_url": "http://example.com/hook"});
    assert_eq!(rest.put(&path, elsewhere).await.0, StatusCode::OK, "it can be kept");
    let (status, error) = rest.post(&format!("{path}/trigger"), json!(null)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(error["errors"][0].as_str().unwrap().contains("no other machine"), "{error}");
    rest.put(&path, json!({"active": false})).await;
    let error = rest.post(&format!("{path}/trigger"), json!(null)).await.1;
    assert_eq!(error["errors"][0], "Only active webhooks can be triggered.");

    let (status, ..) = rest.call_as(sandbox.distributor_key(), Method::GET, &path, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "it is the vendor's");
    for (member, value, text) in [
        ("label", Value::Null, "label: This field is required."),
        ("external_url", json!("ftp://x/"), "external_url: Enter a valid URL."),
        ("object_class", json!("odd"), "object_class: \"odd\" is not a valid choice."),
        ("headers", json!({"X Y": "z"}), "headers: \"X Y\" can't be a header."),
        ("active", json!("yes"), "active: Must be a valid boolean."),
    ] {
        let mut wrong = body.clone();
        wrong[member] = value;
        assert_eq!(rest.post("notifications/webhooks", wrong).await.1["errors"][0], text);
    }
    assert_eq!(rest.call(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(rest.get("notifications/webhooks").await.2, "items 0-0/0");
}

#[tokio::test]
async fn a_webhook_whose_handler_is_gone_has_failed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let body =
        json!({"label": "Mine", "object_class": "usage_file", "external_url": url, "jwt_secret": "secret"});
    let (_, webhook) = rest.post("notifications/webhooks", body).await;
    let path = format!("notifications/webhooks/{}", webhook["id"].as_str().unwrap());
    assert_eq!(rest.post(&format!("{path}/trigger"), json!(null)).await.0, StatusCode::OK);
    let (_, after, _) = rest.get(&path).await;
    assert_eq!(after["stats"]["failure_since_last_success"], 1);
    assert!(after["last_failure"]["errors"].as_str().unwrap().starts_with("It can't be reached"), "{after}");
}

#[tokio::test]
async fn subscriptions_are_billed_by_both_sides() {
    let mut request = purchase("PR-1");
    request["status"] = json!("approved");
    request["asset"] = json!({"id": "AS-0000-0000-0001", "status": "active", "external_uid": "uid-1",
        "product": {"id": "PRD-000-100-001"}, "events": {"created": {"at": "2026-01-31T12:00:00+00:00"}},
        "items": [{"id": "PRD_000_100_001_0001", "mpn": "NW-SEAT-M", "period": "Monthly", "quantity": "5", "old_quantity": "0"}]});
    let sandbox = Sandbox::builder().request(request).start().await.unwrap();
    let rest = Rest(&sandbox);
    let order = |kind: &str| {
        json!({"asset_external_uid": "uid-1", "type": kind, "items": [{"mpn": "NW-SEAT-M"}], "attributes": {},
            "period_from": "2026-01-31T00:00:00+00:00", "period_to": "2026-02-28T00:00:00+00:00", "period_delta": 1.0,
            "period_uom": "monthly"})
    };
    let (status, billed) = rest.order("subscriptions/requests", order("provider")).await;
    assert_eq!((status, &billed["id"]), (StatusCode::CREATED, &json!("BRP-0000-0000-0001-0001")), "{billed}");
    assert_eq!(billed["items"][0]["quantity"], 5.0);
    assert_eq!(
        (&billed["asset"]["id"], &billed["asset"]["billing"]["period"]["uom"]),
        (&json!("AS-0000-0000-0001"), &json!("monthly"))
    );
    let (_, second) = rest.order("subscriptions/requests", order("provider")).await;
    assert_eq!(
        (&second["id"], &second["items"][0]["billing"]["cycle_number"]),
        (&json!("BRP-0000-0000-0001-0002"), &json!(2))
    );
    assert_eq!(rest.post("subscriptions/requests", order("provider")).await.0, StatusCode::FORBIDDEN);
    let (_, vendors) = rest.post("subscriptions/requests", order("vendor")).await;
    assert_eq!(vendors["id"], "BRV-0000-0000-0001-0001");

    let path = "subscriptions/requests/BRP-0000-0000-0001-0001/attributes";
    let (status, attributes) = rest.put(path, json!({"vendor": {"invoice": "I-1"}})).await;
    assert_eq!((status, attributes), (StatusCode::OK, json!({"vendor": {"invoice": "I-1"}})));
    assert_eq!(rest.put(path, json!({"provider": {}})).await.0, StatusCode::FORBIDDEN);

    let (_, asset, _) = rest.get("subscriptions/assets/AS-0000-0000-0001").await;
    assert_eq!(asset["billing"]["stats"]["provider"]["count"], 2);
    assert_eq!((&asset["billing"]["anniversary"], &asset["status"]), (&json!({"day": 31}), &json!("active")));
    assert_eq!(rest.get("subscriptions/assets?eq(external_uid,uid-1)").await.2, "items 0-0/1");
    for (member, value, text) in [
        ("asset_external_uid", json!("none"), "asset_external_uid: There is no such asset."),
        ("items", json!([]), "items: This list may not be empty."),
        ("period_uom", json!("weekly"), "period_uom: \"weekly\" is not a valid choice."),
        ("period_delta", json!(-1), "period_delta: A valid number is required."),
    ] {
        let mut wrong = order("vendor");
        wrong[member] = value;
        assert_eq!(rest.post("subscriptions/requests", wrong).await.1["errors"][0], text);
    }
}
