//! Product actions and custom events, as browsers and third parties call them.

use connect_sandbox::{Sandbox, SandboxError};
use reqwest::{Client, Method, StatusCode, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    console::Browser,
    support::{ENVIRONMENT, Rest, Runner, purchase},
};

const PRODUCT: &str = "PRD-000-100-001";
const ACTION: &str = "ACT-000-100-001-001";

/// A sandbox with an asset of a product that has actions.
async fn sandbox() -> Sandbox {
    let mut request = purchase("PR-1");
    request["asset"]["id"] = "AS-1".into();
    request["asset"]["product"]["id"] = PRODUCT.into();
    let config =
        json!({"id": "TC-1", "status": "active", "tier_level": 1, "product": {"id": "PRD-000-100-002"}});
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    Sandbox::builder().request(request).import(folder.path()).start().await.unwrap()
}

fn events() -> String {
    format!("devops/services/SRVC-0000-0001/environments/{ENVIRONMENT}/custom-events")
}

fn link_of(action: &str, target: &str) -> String {
    format!("products/{PRODUCT}/actions/{action}/actionLink?{target}")
}

/// A call of somebody who has no key.
async fn call(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, String, HeaderMap) {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut call = client.request(method, url).body(body.to_owned());
    for (name, value) in headers {
        call = call.header(*name, *value);
    }
    let answer = call.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, answer.text().await.unwrap(), headers)
}

/// Answers the next task so; the task's input is the answer.
async fn answer(runner: &mut Runner, data: Value) -> Value {
    let task = runner.task().await;
    let input = task["data"]["input"].clone();
    runner.answer(task, json!({"result": "success", "data": data})).await;
    input
}

/// What a token says, without a look at its signature.
fn claims(token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_button_leads_where_the_extension_says() {
    let sandbox = sandbox().await;
    let mut runner = Runner::connect(&sandbox, "SIN-1", "interactive").await;
    let (status, body, _) = Rest(&sandbox).get(&link_of(ACTION, "asset_id=AS-1")).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let link = body["link"].as_str().unwrap();
    assert!(
        link.starts_with(&format!("{}/product-actions/{PRODUCT}/{ACTION}?jwt=", sandbox.url())),
        "{link}"
    );
    let redirect = json!({"http_status": 302, "headers": {"Location": "https://panel.example/AS-1", "Connection": "close"}, "body": null});
    let ((status, _, headers), input) =
        tokio::join!(call(Method::GET, link, &[("X-Own", "1")], ""), answer(&mut runner, redirect));
    assert_eq!(
        (status, &headers["location"]),
        (StatusCode::FOUND, &"https://panel.example/AS-1".parse().unwrap())
    );
    assert!(headers.contains_key("connect-version"));
    assert_eq!(
        (&input["event_type"], &input["object_id"]),
        (&json!("product_action_execution"), &json!(ACTION))
    );
    let data = &input["data"];
    assert_eq!((&data["method"], &data["headers"]["X-Own"]), (&json!("GET"), &json!("1")));
    let token = data["querystring"]["jwt"][0].as_str().unwrap();
    assert_eq!(claims(token), data["jwt_payload"]);
    let payload = &data["jwt_payload"];
    assert_eq!((&payload["action_id"], &payload["asset_id"]), (&json!("sign_in"), &json!("AS-1")));
    assert_eq!(payload["api_url"], format!("{}/public/v1", sandbox.url()));
    assert!(payload["exp"].is_i64());

    // As a portal may send it.
    let (address, query) = link.split_once('?').unwrap();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let page =
        json!({"http_status": 200, "headers": {"Content-Type": "text/html"}, "body": "<h1>Panel</h1>"});
    let ((status, text, headers), input) =
        tokio::join!(call(Method::POST, address, &form, query), answer(&mut runner, page));
    assert_eq!((status, text.as_str()), (StatusCode::OK, "<h1>Panel</h1>"));
    assert!(
        headers["content-security-policy"].to_str().unwrap().starts_with("sandbox"),
        "it can't use the console"
    );
    assert_eq!(
        (&input["data"]["form_data"]["jwt"][0], &input["data"]["method"]),
        (&json!(token), &json!("POST"))
    );
}

#[tokio::test]
async fn a_link_without_its_token_is_nothing() {
    let sandbox = sandbox().await;
    let rest = Rest(&sandbox);
    let link = rest.get(&link_of(ACTION, "asset_id=AS-1")).await.1["link"].as_str().unwrap().to_owned();
    let other = link.replace(ACTION, "ACT-000-100-001-002");
    let (address, _) = link.split_once('?').unwrap();
    let get = async |url: &str| call(Method::GET, url, &[], "").await.0;
    assert_eq!(get(address).await, StatusCode::UNAUTHORIZED);
    assert_eq!(get(&format!("{address}?jwt=a.b.c")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(get(&other).await, StatusCode::UNAUTHORIZED, "it is another action's");
    assert_eq!(get(&link.replace(PRODUCT, "PRD-9")).await, StatusCode::NOT_FOUND);
    assert_eq!(get(&format!("{}/product-actions/", sandbox.url())).await, StatusCode::NOT_FOUND);
    assert_eq!(call(Method::DELETE, &link, &[], "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(&link).await, StatusCode::SERVICE_UNAVAILABLE, "no runner is there");
    let (status, _) = rest.post(&format!("products/{PRODUCT}/actions/regeneratesecret"), json!({})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(get(&link).await, StatusCode::UNAUTHORIZED, "it was signed by the old secret");
    let queries = [
        ("", "One of asset_id and tier_config_id is required."),
        ("asset_id=AS-1&tier_config_id=TC-1", "One of asset_id and tier_config_id is required."),
        ("asset_id=AS-9", "asset_id: There is no AS-9 of PRD-000-100-001."),
        ("tier_config_id=TC-1", "configuration_id: There is no TC-1 of PRD-000-100-001."),
    ];
    for (query, error) in queries {
        let (status, told, _) = rest.get(&link_of(ACTION, query)).await;
        assert_eq!((status, &told["errors"][0]), (StatusCode::BAD_REQUEST, &json!(error)));
    }
    assert_eq!(rest.get(&link_of("ACT-9", "asset_id=AS-1")).await.0, StatusCode::NOT_FOUND);
    let scoped = "products/PRD-000-100-002/actions/ACT-000-100-002-002/actionLink?tier_config_id=TC-1";
    let (status, _, _) = rest.get(scoped).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_answer_does_not_get_through() {
    let sandbox = sandbox().await;
    let mut runner = Runner::connect(&sandbox, "SIN-1", "interactive").await;
    let link =
        Rest(&sandbox).get(&link_of(ACTION, "asset_id=AS-1")).await.1["link"].as_str().unwrap().to_owned();
    let odd = json!({"http_status": 42, "headers": null, "body": "x"});
    let ((status, text, _), _) = tokio::join!(call(Method::GET, &link, &[], ""), answer(&mut runner, odd));
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(text.contains("The extension's answer has no HTTP status: 42."), "{text}");
}

#[tokio::test]
async fn custom_events_come_with_a_token_or_the_key() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let mut runner = Runner::connect(&sandbox, "SIN-1", "interactive").await;
    let environment = format!("devops/services/SRVC-0000-0001/environments/{ENVIRONMENT}");
    let url = format!("{}/public/v1/{}?source=shop", sandbox.url(), events());
    let json_body = r#"{"controller": "sync", "seats": 3}"#;
    let kind = ("content-type", "application/json");
    let done = json!({"http_status": 201, "headers": {"X-Own": "yes"}, "body": {"done": true}});

    for authorization in [sandbox.api_key().to_owned(), sandbox.distributor_key().to_owned()] {
        let headers = [kind, ("authorization", authorization.as_str()), ("x-signature", "abc")];
        let ((status, text, headers), input) =
            tokio::join!(call(Method::POST, &url, &headers, json_body), answer(&mut runner, done.clone()));
        if authorization == sandbox.api_key() {
            assert_eq!((status, text.as_str()), (StatusCode::CREATED, r#"{"done":true}"#));
            assert_eq!(headers["x-own"], "yes");
            assert_eq!(input["event_type"], "product_custom_event_processing");
            let data = &input["data"];
            assert_eq!(data["body"], json!({"controller": "sync", "seats": 3}));
            assert_eq!(
                (&data["querystring"], &data["headers"]["X-Signature"]),
                (&json!({"source": ["shop"]}), &json!("abc"))
            );
            assert!(!data.to_string().contains(&authorization), "the key is not the extension's to see");
            break;
        }
    }
    let refused = async |headers: &[(&str, &str)]| call(Method::POST, &url, headers, json_body).await.0;
    assert_eq!(refused(&[kind]).await, StatusCode::UNAUTHORIZED);
    assert_eq!(refused(&[kind, ("authorization", "Bearer a.b.c")]).await, StatusCode::UNAUTHORIZED);
    let keyless = [("authorization", "Bearer a.b.c")];
    let other = format!("{}/public/v1/{environment}", sandbox.url());
    assert_eq!(
        call(Method::GET, &other, &keyless, "").await.0,
        StatusCode::UNAUTHORIZED,
        "it opens nothing else"
    );

    // Without a secret, the extension alone says who may.
    rest.put(&environment, json!({"jwt_secret": null})).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let ((status, ..), input) = tokio::join!(
        call(Method::POST, &url, &form, "controller=sync&a=1&a=2"),
        answer(&mut runner, done.clone())
    );
    assert_eq!(
        (status, &input["data"]["body"]),
        (StatusCode::CREATED, &json!({"controller": "sync", "a": ["1", "2"]}))
    );
    let text = [("content-type", "text/plain")];
    let ((status, ..), input) =
        tokio::join!(call(Method::PUT, &url, &text, "hello"), answer(&mut runner, done.clone()));
    assert_eq!(
        (status, &input["data"]["method"], &input["data"]["body"]),
        (StatusCode::CREATED, &json!("PUT"), &json!("hello"))
    );
    let (status, told, _) = call(Method::POST, &url, &[kind], "{").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
    let long = "x".repeat((1 << 20) + 1);
    assert_eq!(call(Method::POST, &url, &text, &long).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    drop(runner);
    let mut activity = sandbox.subscribe();
    while rest.get(&environment).await.1["status"] != "disconnected" {
        activity.recv().await.unwrap();
    }
    let (status, told, _) = call(Method::POST, &url, &text, "x").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(told.contains("EAAS_001"), "{told}");
}

#[tokio::test]
async fn tests_press_buttons_and_send_events() {
    let sandbox = sandbox().await;
    let mut runner = Runner::connect(&sandbox, "SIN-1", "interactive").await;
    let done = json!({"http_status": 204, "headers": null, "body": null});
    let (output, input) =
        tokio::join!(sandbox.action(PRODUCT, ACTION, "AS-1"), answer(&mut runner, done.clone()));
    assert_eq!(output.unwrap().data.unwrap(), done);
    assert_eq!(input["data"]["jwt_payload"]["asset_id"], "AS-1");
    let pressed = sandbox.action("PRD-000-100-002", "ACT-000-100-002-001", "TC-1");
    let (_, input) = tokio::join!(pressed, answer(&mut runner, done.clone()));
    assert_eq!(input["data"]["jwt_payload"]["configuration_id"], "TC-1");
    let sent = sandbox.custom_event(json!({"controller": "sync"}));
    let (output, input) = tokio::join!(sent, answer(&mut runner, done.clone()));
    assert_eq!(output.unwrap().data.unwrap(), done);
    assert_eq!(input["data"]["body"]["controller"], "sync");
    assert!(input["data"]["headers"]["Authorization"].as_str().unwrap().starts_with("Bearer "));
    let error = sandbox.action(PRODUCT, ACTION, "AS-9").await.unwrap_err();
    assert!(error.to_string().contains("There is no AS-9"), "{error}");
    drop(runner);
    let alone = Sandbox::start().await.unwrap();
    assert!(matches!(alone.custom_event(json!({})).await, Err(SandboxError::NotAnswered)));
}

#[tokio::test]
async fn buttons_are_on_the_pages_of_their_objects() {
    let sandbox = sandbox().await;
    let browser = Browser(&sandbox);
    let page = browser.get("/assets/AS-1").await.1;
    let path = format!("/press/{PRODUCT}/{ACTION}/AS-1");
    assert!(page.contains(&format!("href=\"{path}\"")) && page.contains("Sign in"), "{page}");
    let page = browser.get("/tier-configs/TC-1").await.1;
    assert!(page.contains("Open the portal") && !page.contains("Open the partner desk"), "{page}");
    let press = async |headers: &[(&str, &str)]| browser.send(Method::GET, &path, &[], headers).await;
    let (status, _, headers) = press(&[("Sec-Fetch-Site", "same-origin")]).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let link = headers["location"].to_str().unwrap();
    assert!(link.starts_with(&format!("{}/product-actions/", sandbox.url())), "{link}");
    assert_eq!(press(&[]).await.0, StatusCode::FORBIDDEN, "nobody knows who leads here");
    assert_eq!(press(&[("Sec-Fetch-Site", "cross-site")]).await.0, StatusCode::FORBIDDEN);
    let (status, page, _) = browser
        .send(
            Method::GET,
            &format!("/press/{PRODUCT}/{ACTION}/AS-9"),
            &[],
            &[("Sec-Fetch-Site", "same-origin")],
        )
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("There is no AS-9"), "{page}");
}
