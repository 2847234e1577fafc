//! Product actions and custom events, as they come from Connect.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "a test")]

#[path = "support/secrets.rs"]
mod secrets;

use std::time::{SystemTime, UNIX_EPOCH};

use connect_fulfillment::{
    Descriptor, Environment, Runner,
    interactive::{
        ActionCall, Actions, Credential, CustomEvents, EventCall, JwtSecrets,
        auth::{ApiKey, Authenticate as _, Jwt},
    },
    prelude::*,
    sandbox::{DispatchPolicy, Sandbox},
};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

const ACTION: &str = "product_action_execution";
const EVENT: &str = "product_custom_event_processing";
const SECRET: &str = "canary-of-the-product";

async fn sign_in(call: ActionCall, _: Scope) -> Result<InteractiveResponse> {
    let asset_id = call.asset_id().ok_or("only subscriptions have a panel")?;
    Ok(InteractiveResponse::redirect(format!("https://panel.vendor.example/{asset_id}")))
}

async fn broken(_: ActionCall, _: Scope) -> Result<InteractiveResponse> {
    Err("no such user".into())
}

#[derive(Inject)]
struct Greet {
    #[inject(name = "greeting")]
    greeting: String,
}

impl InteractiveTransaction<EventCall> for Greet {
    fn name(&self) -> &str {
        "Greet"
    }

    async fn execute(&self, call: &mut EventCall) -> Result<InteractiveResponse> {
        Ok(InteractiveResponse::json(json!({"text": format!("{} {}", self.greeting, call.caller.id)})))
    }
}

fn extension() -> Extension {
    extension_with(
        Actions::new(JwtSecrets::variable("PRODUCT_JWT_SECRET")).on("sso", sign_in).on("broken", broken),
    )
}

fn extension_with(actions: Actions) -> Extension {
    let guard = Jwt::new(Credential::variable("EVENTS_SECRET"))
        .or(ApiKey::header("X-Api-Key", Credential::variable("EVENTS_KEY")));
    Extension::new(Descriptor::default())
        .variable(Variable::new("PRODUCT_JWT_SECRET").secure())
        .variable(Variable::new("EVENTS_SECRET").secure())
        .variable(Variable::new("EVENTS_KEY").secure())
        .variable(Variable::new("GREETING").initial_value("hello"))
        .product_actions(actions)
        .custom_events(CustomEvents::new(guard).on("greet", inject::<Greet>()))
}

/// A sandbox with the extension connected to it.
async fn lab() -> Sandbox {
    secrets::search();
    let mut policy = DispatchPolicy::default();
    policy.interactive_wait = Duration::from_secs(20);
    let sandbox = Sandbox::builder()
        .policy(policy)
        .variable("PRODUCT_JWT_SECRET", SECRET)
        .variable("EVENTS_SECRET", SECRET)
        .variable("EVENTS_KEY", "canary-of-the-events");
    let sandbox = sandbox.start().await.unwrap();
    let environment = Environment::from_vars(sandbox.environment(), true).unwrap();
    let runner = Runner::new(extension().into(), environment).unwrap();
    tokio::spawn(runner.run_until(std::future::pending(), std::future::pending()));
    sandbox
}

fn token(secret: &str, mut claims: Value, seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    claims["exp"] = json!(i64::try_from(now).unwrap() + seconds);
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn action(secret: &str, name: &str, seconds: i64) -> Value {
    let claims = json!({"action_id": name, "asset_id": "AS-1", "api_url": "https://api.example"});
    json!({"method": "GET", "headers": {}, "jwt_payload": claims,
        "querystring": {"jwt": [token(secret, claims, seconds)]}})
}

#[tokio::test]
async fn an_action_runs_once_its_token_is_checked() {
    let sandbox = lab().await;
    let answer = sandbox.send_interactive(ACTION, "ACT-1", action(SECRET, "sso", 60)).await.unwrap();
    assert_eq!(answer.result.to_string(), "success");
    assert_eq!(
        answer.data,
        Some(
            json!({"http_status": 302, "headers": {"Location": "https://panel.vendor.example/AS-1"}, "body": null})
        )
    );
    for (data, status) in [
        (action("another secret", "sso", 60), 401),
        (action(SECRET, "sso", -60), 401),
        (json!({"method": "GET", "jwt_payload": {"action_id": "sso", "asset_id": "AS-1"}}), 401),
        (action(SECRET, "reset", 60), 404),
        (action(SECRET, "broken", 60), 400),
    ] {
        let answer = sandbox.send_interactive(ACTION, "ACT-1", data).await.unwrap();
        assert_eq!(answer.result.to_string(), "fail");
        assert_eq!(answer.data.unwrap()["http_status"], status);
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn a_custom_event_runs_once_its_caller_is_known() {
    let sandbox = lab().await;
    let event = |name: &str, header: &str, value: String| json!({"method": "POST", "querystring": {}, "headers": {header: value}, "body": {"controller": name}});
    let bearer = |secret| format!("Bearer {}", token(secret, json!({"sub": "ann"}), 60));
    for (data, status, body) in [
        (event("greet", "Authorization", bearer(SECRET)), 200, json!({"text": "hello ann"})),
        (event("greet", "x-api-key", "canary-of-the-events".into()), 200, json!({"text": "hello api key"})),
        (
            event("leave", "x-api-key", "canary-of-the-events".into()),
            404,
            json!({"error": "there is no such thing"}),
        ),
        (
            event("greet", "x-api-key", "key".into()),
            401,
            json!({"error": "Unauthenticated, an unknown API key."}),
        ),
        (
            event("greet", "Authorization", bearer("other")),
            401,
            json!({"error": "Unauthenticated, the token is not signed with the secret."}),
        ),
    ] {
        let answer = sandbox.send_interactive(EVENT, "ENV-1", data).await.unwrap().data.unwrap();
        assert_eq!((&answer["http_status"], &answer["body"]), (&json!(status), &body));
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn a_button_and_an_event_come_as_the_sandbox_sends_them() {
    secrets::search();
    let mut policy = DispatchPolicy::default();
    policy.interactive_wait = Duration::from_secs(20);
    let sandbox = Sandbox::builder()
        .policy(policy)
        // The one of the product in the default catalogue.
        .variable("PRODUCT_JWT_SECRET", "sandbox-workspace-secret")
        .variable("EVENTS_SECRET", SECRET)
        .variable("EVENTS_KEY", "canary-of-the-events")
        .event_secret(SECRET);
    let sandbox = sandbox.start().await.unwrap();
    let environment = Environment::from_vars(sandbox.environment(), true).unwrap();
    let actions = Actions::new(JwtSecrets::variable("PRODUCT_JWT_SECRET")).on("sign_in", sign_in);
    let runner = Runner::new(extension_with(actions).into(), environment).unwrap();
    tokio::spawn(runner.run_until(std::future::pending(), std::future::pending()));
    let product = "PRD-000-100-001";
    let request = sandbox.request(&sandbox.purchase(product).send().unwrap()).unwrap();
    let asset = request["asset"]["id"].as_str().unwrap();
    let answer = sandbox.action(product, "ACT-000-100-001-001", asset).await.unwrap();
    let location = format!("https://panel.vendor.example/{asset}");
    assert_eq!(
        answer.data,
        Some(json!({"http_status": 302, "headers": {"Location": location}, "body": null}))
    );
    let answer = sandbox.custom_event(json!({"controller": "greet"})).await.unwrap();
    assert_eq!(answer.data.unwrap()["body"], json!({"text": "hello "}));
    sandbox.stop().await;
}

#[test]
fn what_is_handled_is_shown() {
    let declaration = extension().declaration();
    let details: Vec<_> =
        declaration.events.iter().map(|event| (event.event.as_str(), event.detail.as_str())).collect();
    assert_eq!(details, [(ACTION, "broken, sso"), (EVENT, "greet")]);
}

#[test]
fn what_is_missing_or_doubled_is_told_before_anything_runs() {
    let actions = || Actions::new(JwtSecrets::variable("NOT_DECLARED")).on("sso", sign_in);
    let error = Extension::new(Descriptor::default()).product_actions(actions()).check().unwrap_err();
    assert!(error.to_string().contains("not_declared"), "{error}");
    let twice = Extension::new(Descriptor::default()).product_actions(actions().on("sso", broken));
    let error = twice.check().unwrap_err().to_string();
    assert!(error.contains("product_action_execution: \"sso\" is handled twice"), "{error}");
    let events =
        CustomEvents::new(ApiKey::header("X", Credential::value("k"))).on("greet", inject::<Greet>());
    let error = Extension::new(Descriptor::default()).custom_events(events).check().unwrap_err().to_string();
    assert!(error.contains("no binding for \"greeting\": String (required by Greet)"), "{error}");
}
