//! The sandbox as a client of the Open API sees it.

use std::path::PathBuf;

use connect_sandbox::{Sandbox, SandboxError};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Rest, Runner, purchase, settled};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let requests = (1..=5).map(|number| purchase(&format!("PR-{number}")));
    let sandbox = Sandbox::builder().requests(requests).start().await.unwrap();
    let rest = Rest(&sandbox);
    let (_, list, range) =
        rest.get("requests/?in(status,(pending,approved))&ordering(-id)&limit=2&offset=1").await;
    assert_eq!((ids(&list), range.as_str()), (vec!["PR-4", "PR-3"], "items 1-2/5"));
    for (query, count) in [
        ("and(eq(id,PR-1),in(status,(approved)))&limit=0&offset=0", 0),
        ("and(eq(id,PR-1),in(status,(pending)))&limit=0&offset=0", 1),
        ("like(asset.product.id,PRD*)&limit=0", 5),
        ("or(eq(id,PR-1),asset__id=AS-PR-2)&limit=0", 2),
        ("eq(asset.params.value,a.example)&limit=0&search=x", 5),
    ] {
        let (_, list, range) = rest.get(&format!("requests?{query}")).await;
        assert_eq!((list, range), (json!([]), format!("items 0-0/{count}")), "{query}");
    }
    let (_, list, range) = rest.get("requests?select(-asset)&limit=1").await;
    assert_eq!(
        (&list[0], range.as_str()),
        (&json!({"id": "PR-1", "type": "purchase", "status": "pending"}), "items 0-0/5")
    );
    assert_eq!(rest.get("requests?offset=99").await.2, "items 0-0/5");
    for query in ["near(id,1)", "eq(id", "and(eq(id,PR-1))"] {
        let (status, error, _) = rest.get(&format!("requests?{query}")).await;
        assert_eq!((status, &error["error_code"]), (StatusCode::BAD_REQUEST, &json!("VAL_001")), "{query}");
    }
    assert_eq!(ids(&rest.get("assets?eq(id,AS-PR-2)").await.1), ["AS-PR-2"]);
    assert_eq!(rest.get("assets?limit=0").await.2, "items 0-0/5");
    assert_eq!(ids(&rest.get("assets/AS-PR-2/requests").await.1), ["PR-2"]);
    assert_eq!(rest.get("assets/AS-9/requests").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_has_a_hundred_entries() {
    let requests = (0..150).map(|number| purchase(&format!("PR-{number:03}")));
    let sandbox = Sandbox::builder().requests(requests).start().await.unwrap();
    let rest = Rest(&sandbox);
    let (_, list, range) = rest.get("requests").await;
    assert_eq!((list.as_array().unwrap().len(), range.as_str()), (100, "items 0-99/150"));
    assert_eq!(rest.get("requests?limit=100&offset=100").await.2, "items 100-149/150");
}

/// Every wrong transition, with the words clients match on.
#[tokio::test]
async fn the_status_machine_refuses_in_connects_words() {
    const APPROVE: &str = "Only pending and inquiring requests can be approved.";
    const FAIL: &str = "Only pending requests can be failed.";
    const INQUIRE: &str = "Only pending requests can be moved to inquiring status.";
    const PUT: &str =
        "Only pending, draft or inquiring Fulfillments with enabled validation capability can be updated.";
    const INVALID: &str =
        "For marking request to inquiring status at least one parameter should be marked as invalid.";
    const ALL: [&str; 9] = [
        "draft",
        "tiers_setup",
        "pending",
        "inquiring",
        "approved",
        "failed",
        "scheduled",
        "revoking",
        "revoked",
    ];
    let requests = ALL.map(|status| {
        let mut request = purchase(&format!("PR-{status}"));
        request["status"] = status.into();
        request
    });
    let sandbox = Sandbox::builder().requests(requests).start().await.unwrap();
    let rest = Rest(&sandbox);
    let refused = |text: &str| (StatusCode::BAD_REQUEST, json!({"error_code": "REQ_003", "errors": [text]}));
    for status in ALL {
        let body = json!({"template_id": "TL-1", "reason": "r", "note": "n"});
        let path = |action: &str| format!("requests/PR-{status}/{action}");
        if !["pending", "inquiring"].contains(&status) {
            assert_eq!(rest.post(&path("approve"), body.clone()).await, refused(APPROVE), "{status}");
        }
        if status != "pending" {
            assert_eq!(rest.post(&path("fail"), body.clone()).await, refused(FAIL), "{status}");
            assert_eq!(rest.post(&path("inquire"), body.clone()).await, refused(INQUIRE), "{status}");
        }
        if !["pending", "draft", "inquiring"].contains(&status) {
            assert_eq!(
                rest.put(&format!("requests/PR-{status}"), body.clone()).await,
                refused(PUT),
                "{status}"
            );
        }
        if !["inquiring", "scheduled"].contains(&status) {
            assert_eq!(rest.post(&path("pend"), body).await.1["error_code"], "REQ_003", "{status}");
        }
    }
    assert_eq!(rest.post("requests/PR-pending/inquire", json!({})).await, refused(INVALID));
    let missing = json!({"error_code": "REQ_005", "errors": ["Missed fields: reason."]});
    for body in [json!({}), json!(null), json!({"reason": null}), json!({"reason": ""})] {
        let answer = rest.post("requests/PR-pending/fail", body).await;
        assert_eq!(answer, (StatusCode::BAD_REQUEST, missing.clone()));
    }
    let dated = json!({"template_id": "TL-1", "effective_date": "soon"});
    let (status, error) = rest.post("requests/PR-pending/approve", dated).await;
    assert_eq!((status, &error["error_code"]), (StatusCode::BAD_REQUEST, &json!("VAL_001")));
    assert_eq!(
        error["errors"][0],
        "effective_date: Datetime has wrong format. Use one of these formats instead: \
         YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
    );
    let untouched = ALL.map(|status| sandbox.request(&format!("PR-{status}")).unwrap()["status"] == status);
    assert_eq!(untouched, [true; 9]);
}

#[tokio::test]
async fn an_action_answers_the_request_and_changes_the_asset() {
    let sandbox = Sandbox::builder()
        .requests(["PR-1", "PR-2"].map(purchase))
        .templates("PRD-1", [json!({"id": "TL-1", "name": "Ready", "scope": "asset"})])
        .start()
        .await
        .unwrap();
    let rest = Rest(&sandbox);
    assert_eq!(ids(&rest.get("products/PRD-1/templates?eq(scope,asset)").await.1), ["TL-1"]);
    assert_eq!(rest.get("products/PRD-2/templates").await.0, StatusCode::NOT_FOUND);
    let changes = json!({"note": "n", "status": "approved",
        "asset": {"params": [{"id": "domain", "value": "b.example"}]}});
    let (_, updated) = rest.put("requests/PR-1", changes).await;
    assert_eq!((&updated["note"], &updated["status"]), (&json!("n"), &json!("pending")));
    let params = json!([{"id": "domain", "value": "b.example", "value_error": ""}]);
    assert_eq!(updated["asset"]["params"], params);
    let body = json!({"template_id": "TL-1", "effective_date": "2026-01-02T03:04:05+00:00", "activation_tile": null});
    let (status, approved) = rest.post("requests/PR-1/approve/", body).await;
    assert_eq!((status, &approved["status"]), (StatusCode::OK, &json!("approved")));
    assert_eq!(approved["template"], json!({"id": "TL-1", "name": "Ready"}));
    assert_eq!(approved["effective_date"], "2026-01-02T03:04:05+00:00");
    assert!(approved["events"]["approved"]["at"].as_str().unwrap().ends_with("+00:00"));
    let (_, asset, _) = rest.get("assets/AS-PR-1").await;
    assert_eq!((&asset["status"], &asset["template"]["id"]), (&json!("active"), &json!("TL-1")));
    assert_eq!(asset["params"][0]["value"], "b.example");

    let (_, failed) = rest.post("requests/PR-2/fail", json!({"reason": "no stock"})).await;
    assert_eq!((&failed["status"], &failed["reason"]), (&json!("failed"), &json!("no stock")));
    assert_eq!(sandbox.asset("AS-PR-2").unwrap()["status"], "terminated");
    // Each request is at its end: no runner is needed for that.
    settled(&sandbox).await;
}

#[tokio::test]
async fn what_is_wrong_is_told_as_connect_does() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let rest = Rest(&sandbox);
    let not_found = json!({"error_code": "CNCT_001", "errors": ["Not found."]});
    let installation = "devops/services/SRVC-9/installations/EIN-1";
    for path in ["requests/PR-2", "nothing", "", "requests/PR-1/dance", installation, "%FF/%00"] {
        let (status, error, _) = rest.get(path).await;
        assert_eq!((status, error), (StatusCode::NOT_FOUND, not_found.clone()), "{path}");
    }
    for method in [Method::DELETE, Method::PATCH] {
        assert_eq!(rest.call(method, "requests/PR-1", None).await.0, StatusCode::NOT_FOUND);
    }
    let large = json!({"note": "x".repeat(2 << 20)});
    let (status, error) = rest.put("requests/PR-1", large).await;
    assert_eq!((status, &error["error_code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("VAL_001")));
    let unknown = json!({"asset": {"params": [{"id": "x"}]}});
    for body in [json!([]), json!("text"), json!({"asset": {"params": 7}}), unknown] {
        let (status, error) = rest.put("requests/PR-1", body.clone()).await;
        assert_eq!((status, &error["error_code"]), (StatusCode::BAD_REQUEST, &json!("VAL_001")), "{body}");
    }
    let client = reqwest::Client::new();
    let url = format!("{}/public/v1/requests/PR-1", sandbox.url());
    let broken = client.put(&url).header("Authorization", sandbox.api_key()).body("{").send().await.unwrap();
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    for key in [None, Some("ApiKey wrong"), Some(""), Some("Bearer x")] {
        let mut call = client.get(&url);
        if let Some(key) = key {
            call = call.header("Authorization", key);
        }
        let answer = call.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers()["Connect-Version"], "37.0.1");
        let error: Value = answer.json().await.unwrap();
        assert_eq!(error, json!({"error_code": "AUTH_001", "errors": ["API request is unauthorized."]}));
    }
    for (body, status) in [
        (json!({"type": "change", "asset": {}}), StatusCode::BAD_REQUEST),
        (json!({"type": "purchase"}), StatusCode::BAD_REQUEST),
        (json!({"id": 7}), StatusCode::BAD_REQUEST),
        (purchase("PR-1"), StatusCode::CONFLICT),
    ] {
        assert_eq!(rest.order("requests", body.clone()).await.0, status, "{body}");
    }
    let (status, error) = rest.post("requests", purchase("PR-2")).await;
    assert_eq!(
        (status, &error["error_code"]),
        (StatusCode::FORBIDDEN, &json!("AUTH_002")),
        "a vendor does not buy"
    );
    let (status, _) = rest.order("requests/PR-1/approve", json!({"template_id": "TL-1"})).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "a distributor does not approve");
}

#[tokio::test]
async fn the_platform_tells_about_itself() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    sandbox.add_installation(json!({"id": "EIN-1", "status": "installed"})).unwrap();
    let rest = Rest(&sandbox);
    let (_, accounts, range) = rest.get("accounts?limit=1&offset=0").await;
    assert_eq!((ids(&accounts), range.as_str()), (vec!["VA-000-000"], "items 0-0/1"));
    assert_eq!(rest.get("accounts/VA-000-000").await.1["role"], "vendor");
    assert_eq!(rest.get("auth/context").await.1["account"]["id"], "VA-000-000");
    let event = "devops/event-definitions?eq(type,tier_config_change_request_processing)";
    assert_eq!(rest.get(event).await.1[0]["category"], "background");
    let installations = "devops/services/SRVC-0000-0001/installations";
    assert_eq!(ids(&rest.get(installations).await.1), ["EIN-1"]);
    assert_eq!(rest.get(&format!("{installations}/EIN-1")).await.1["status"], "installed");
}

#[tokio::test]
async fn a_sandbox_that_can_not_start_says_why() {
    let text = |end: Result<Sandbox, SandboxError>| end.unwrap_err().to_string();
    let builder = Sandbox::builder;
    assert!(text(builder().address("nowhere").start().await).starts_with("nowhere can't be listened on"));
    for speed in [0.0, -1.0, f64::NAN, f64::INFINITY, 2e6] {
        let refused = text(builder().speed(speed).start().await);
        assert!(refused.ends_with("is not above zero and at most a million"), "{refused}");
    }
    assert_eq!(text(builder().request(json!({})).start().await), "a request without an id");
    assert_eq!(text(builder().templates("PRD-1", [json!(7)]).start().await), "a template without an id");
    for key in ["", "ApiKey schlüssel", " ApiKey x", "a\nb"] {
        assert!(text(builder().api_key(key).start().await).starts_with("the key is empty"), "{key}");
    }
    let missing = builder().load_requests("/nowhere.json").start().await;
    assert!(text(missing).contains("/nowhere.json can't be read"));
    let sandbox = builder().start().await.unwrap();
    assert!(sandbox.address().ip().is_loopback());
    let taken = builder().address(sandbox.address().to_string()).start().await;
    assert!(text(taken).contains("can't be listened on"));
    assert!(!format!("{sandbox:?}").contains(sandbox.api_key()));
    assert!(!format!("{:?}", builder().api_key("canary").variable("A", "canary")).contains("canary"));
    let names: Vec<String> = sandbox.environment().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["API_KEY", "ENVIRONMENT_ID", "SERVER_ADDRESS", "API_ADDRESS"]);
}

/// Every sample, each file in a sandbox of its own: several of them share an id.
#[tokio::test]
async fn real_requests_are_given_as_they_came() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !folder.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "the samples are missing: {}", folder.display());
        eprintln!("skipped: no samples at {}", folder.display());
        return;
    }
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // A body that creates a request has no id yet.
        if !name.starts_with("asset-request") || name.contains("create-body") {
            continue;
        }
        let value: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let list = if let Value::Array(list) = value { list } else { vec![value] };
        let sandbox = Sandbox::builder().load_requests(path).start().await.unwrap();
        // Its tasks are sent, and reading stays what it was.
        let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
        runner.receive().await;
        assert_eq!(sandbox.requests().len(), list.len(), "{name}");
        for request in &list {
            let id = request["id"].as_str().unwrap();
            let (status, given, _) = Rest(&sandbox).get(&format!("requests/{id}")).await;
            assert_eq!((status, &given), (StatusCode::OK, request), "{name}");
            let (_, found, range) = Rest(&sandbox).get(&format!("requests?eq(id,{id})")).await;
            assert_eq!((&found[0], range.as_str()), (request, "items 0-0/1"), "{name}");
            let asset = request["asset"]["id"].as_str().unwrap();
            assert_eq!(sandbox.asset(asset).unwrap()["id"], asset, "{name}");
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen}");
}
