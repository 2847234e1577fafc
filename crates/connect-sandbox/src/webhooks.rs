//! Webhooks: kept, and called when somebody triggers one. The sandbox calls nobody but this machine.
//!
//! Source: Connect's Open API, and its page "Webhooks" for the token. What the token says is in no source.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    http::{
        HeaderName, HeaderValue, Method, Request,
        header::{AUTHORIZATION, CONTENT_TYPE, HOST},
    },
};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use url::{Host, Url};

use crate::{
    actions,
    api_error::ApiError,
    fulfillment::set,
    role::Role,
    who::{self, choice, needed, referred, text, wrong},
    world::World,
};

pub(crate) const WEBHOOKS: &str = "notifications/webhooks";
/// How long a webhook's answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of an answer is kept, in bytes.
const ANSWER: usize = 64 << 10;
/// How long a token holds, in seconds.
const TOKEN: i64 = 300;
const CLASSES: [&str; 6] = [
    "fulfillment_request",
    "tier_config_request",
    "tier_account_request",
    "listing_request",
    "billing_request",
    "usage_file",
];
const TYPES: [&str; 17] = [
    "event",
    "validator",
    "inquiring_validator",
    "change_validator",
    "change_inquiring_validator",
    "renew_validator",
    "renew_inquiring_validator",
    "transfer_validator",
    "transfer_inquiring_validator",
    "draft_tcr_t1_val",
    "draft_tcr_t2_val",
    "tcr_setup_t1_inq_val",
    "tcr_setup_t2_inq_val",
    "tcr_update_t1_validator",
    "tcr_update_t2_validator",
    "tcr_update_t1_inq_val",
    "tcr_update_t2_inq_val",
];

/// Creates a webhook of the account that asks.
pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    for member in ["label", "external_url", "jwt_secret"] {
        needed(body, &format!("/{member}"))?;
    }
    choice(body, "object_class", &CLASSES)?;
    let (now, by) = (world.now(), who::user(world.role()));
    let mut webhook = json!({"id": who::new_id(world, WEBHOOKS, "WB", &[3, 3, 3])?, "type": "event", "active": true,
        "http_method": "POST", "data": {}, "headers": {}, "description": "", "created_at": now, "created_by": by,
        "modified_at": null, "account": who::account(world, world.role())?,
        "stats": {"events": 0, "triggers": 0, "success_triggers": 0, "failure_triggers": 0, "failure_since_last_success": 0}});
    fill(world, &mut webhook, body)?;
    world.put(WEBHOOKS, &webhook)?;
    Ok(webhook)
}

/// Changes what a body names of a webhook.
pub(crate) fn change(world: &mut World<'_>, own: &str, body: &Value) -> Result<Value, ApiError> {
    let mut webhook = get(world, own)?;
    fill(world, &mut webhook, body)?;
    let now = world.now();
    set(&mut webhook, "modified_at", now);
    set(&mut webhook, "modified_by", who::user(world.role()));
    world.put(WEBHOOKS, &webhook)?;
    Ok(webhook)
}

/// A webhook of the account that asks.
pub(crate) fn get(world: &World<'_>, own: &str) -> Result<Value, ApiError> {
    let webhook = world.get(WEBHOOKS, own)?;
    let account = who::account(world, world.role())?;
    if world.role() == Role::Platform || webhook["account"]["id"] == account["id"] {
        return Ok(webhook);
    }
    Err(ApiError::not_found())
}

pub(crate) fn remove(world: &mut World<'_>, own: &str) -> Result<(), ApiError> {
    get(world, own)?;
    world.remove(WEBHOOKS, own).map(drop)
}

fn fill(world: &World<'_>, webhook: &mut Value, body: &Value) -> Result<(), ApiError> {
    for (member, longest) in [("label", 100), ("jwt_secret", 100), ("external_url", 4_096)] {
        if body.get(member).is_some() {
            needed(body, &format!("/{member}"))?;
            set(webhook, member, text(body, member, longest)?);
        }
    }
    if let Some(url) = body["external_url"].as_str() {
        let is_one =
            Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !is_one {
            return Err(wrong("external_url", "Enter a valid URL."));
        }
    }
    if body.get("description").is_some() {
        set(webhook, "description", text(body, "description", 10_000)?);
    }
    for (member, choices) in
        [("object_class", &CLASSES as &[_]), ("type", &TYPES), ("http_method", &["GET", "POST"])]
    {
        if body.get(member).is_some() {
            set(webhook, member, choice(body, member, choices)?);
        }
    }
    match &body["active"] {
        Value::Null => {}
        active @ Value::Bool(_) => set(webhook, "active", active.clone()),
        _ => return Err(wrong("active", "Must be a valid boolean.")),
    }
    for member in ["data", "headers"] {
        match &body[member] {
            Value::Null => {}
            members @ Value::Object(_) => set(webhook, member, members.clone()),
            _ => return Err(wrong(member, "Invalid data. Expected a dictionary.")),
        }
    }
    if body.get("headers").is_some() {
        headers(&body["headers"])?;
    }
    for pointer in ["/product_id", "/product/id"] {
        if body.pointer(pointer).is_some() {
            let product = referred(world, "products", body, pointer)?;
            set(webhook, "product", who::reference(&product));
        }
    }
    Ok(())
}

/// The headers that a webhook is called with.
fn headers(named: &Value) -> Result<Vec<(HeaderName, HeaderValue)>, ApiError> {
    let named = named.as_object().into_iter().flatten();
    named
        .map(|(name, value)| {
            let read = || Some((name.parse().ok()?, value.as_str()?.parse().ok()?));
            read().ok_or_else(|| wrong("headers", &format!("\"{name}\" can't be a header.")))
        })
        .collect()
}

/// Where a webhook is called: on this machine, or not at all.
fn target(url: &str) -> Result<(Url, Vec<SocketAddr>), ApiError> {
    let refused = |text: &str| wrong("external_url", text);
    let url = Url::parse(url).map_err(|_| refused("Enter a valid URL."))?;
    if url.scheme() != "http" {
        return Err(refused(
            "The sandbox calls http:// alone: an https:// handler on this machine it can't.",
        ));
    }
    let port = url.port_or_known_default().unwrap_or(80);
    let addresses: Vec<IpAddr> = match url.host() {
        // A name is not looked up: whatever it leads to.
        Some(Host::Domain("localhost")) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        Some(Host::Ipv4(ip)) if ip.is_loopback() => vec![ip.into()],
        Some(Host::Ipv6(ip)) if ip.is_loopback() => vec![ip.into()],
        _ => {
            return Err(refused(
                "The sandbox calls no other machine: a webhook's handler has to be on localhost, 127.0.0.1 or [::1].",
            ));
        }
    };
    Ok((url, addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()))
}

/// A call that is to be made.
#[derive(Debug)]
pub(crate) struct Trigger {
    url: Url,
    addresses: Vec<SocketAddr>,
    request: Request<Body>,
}

/// How a webhook's call ended.
#[derive(Debug)]
pub(crate) struct Ended {
    status: Option<u16>,
    answer: Value,
    error: String,
    took: Duration,
}

/// Makes ready the call of a webhook; `api` is where REST is.
pub(crate) fn prepare(world: &World<'_>, own: &str, api: &str) -> Result<Trigger, ApiError> {
    let webhook = get(world, own)?;
    if webhook["active"] != true {
        return Err(ApiError::bad("VAL_001", "Only active webhooks can be triggered."));
    }
    let (url, addresses) = target(webhook["external_url"].as_str().unwrap_or_default())?;
    let claims = json!({"webhook_id": own, "webhook_name": webhook["label"], "api_url": api,
        "account_id": webhook["account"]["id"], "exp": world.time().as_second() + TOKEN});
    let token = actions::sign(webhook["jwt_secret"].as_str().unwrap_or_default(), &claims)?;
    let is_post = webhook["http_method"] != "GET";
    let body = if is_post { Body::from(webhook["data"].to_string()) } else { Body::empty() };
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let request = Request::builder().method(if is_post { Method::POST } else { Method::GET }).uri(path);
    let mut request = request.header(HOST, authority).header(AUTHORIZATION, format!("Bearer {token}"));
    if is_post {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    for (name, value) in headers(&webhook["headers"])? {
        request = request.header(name, value);
    }
    let request = request
        .body(body)
        .map_err(|error| wrong("external_url", &format!("It can't be called: {error}.")))?;
    Ok(Trigger { url, addresses, request })
}

impl Trigger {
    pub(crate) async fn call(self) -> Ended {
        let started = Instant::now();
        let end = timeout(PATIENCE, send(&self.addresses, self.request)).await;
        let took = started.elapsed();
        match end {
            Ok(Ok((status, answer))) => {
                let error = if status < 400 { String::new() } else { format!("It answered {status}.") };
                Ended { status: Some(status), answer, error, took }
            }
            Ok(Err(error)) => Ended { status: None, answer: json!({}), error, took },
            Err(_) => {
                let error = format!("{} did not answer within {} s.", self.url, PATIENCE.as_secs());
                Ended { status: None, answer: json!({}), error, took }
            }
        }
    }
}

/// Notes how a call of a webhook ended, unless the webhook was removed meanwhile.
pub(crate) fn keep(world: &mut World<'_>, own: &str, ended: &Ended) -> Result<(), ApiError> {
    let Some(webhook) = world.find(WEBHOOKS, own)? else { return Ok(()) };
    let now = world.now();
    world.put(WEBHOOKS, noted(webhook, ended, &now))
}

/// A webhook after a call.
fn noted(mut webhook: Value, ended: &Ended, now: &str) -> Value {
    let succeeded = ended.error.is_empty();
    let told = json!({"time": now, "response": ended.answer, "duration": u64::try_from(ended.took.as_millis()).ok(),
        "status": if succeeded { "success" } else { "failure" }, "status_code": ended.status, "errors": ended.error});
    set(&mut webhook, if succeeded { "last_success" } else { "last_failure" }, told);
    set(&mut webhook, "last_event", now);
    if let Some(stats) = webhook.get_mut("stats") {
        let counters: &[&str] = if succeeded {
            &["triggers", "success_triggers"]
        } else {
            &["triggers", "failure_triggers", "failure_since_last_success"]
        };
        for counter in counters {
            let count = stats[*counter].as_u64().unwrap_or_default() + 1;
            set(stats, counter, count);
        }
        if succeeded {
            set(stats, "failure_since_last_success", 0);
        }
    }
    webhook
}

/// Sends a request to the first of some addresses that takes it. Redirects are not followed.
async fn send(addresses: &[SocketAddr], request: Request<Body>) -> Result<(u16, Value), String> {
    let stream =
        TcpStream::connect(addresses).await.map_err(|error| format!("It can't be reached: {error}."))?;
    let failed = |error: hyper::Error| format!("The call broke off: {error}.");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let driving = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(failed)?;
    let status = answer.status().as_u16();
    // A long answer is the handler's affair.
    let bytes = to_bytes(Body::new(answer.into_body()), ANSWER).await.unwrap_or_default();
    driving.abort();
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let answer = if answer.is_object() { answer } else { json!({"body": String::from_utf8_lossy(&bytes)}) };
    Ok((status, answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_alone_is_called() {
        for (url, expected) in [
            ("http://127.0.0.1:8000/x", "127.0.0.1:8000"),
            ("http://127.8.9.1/", "127.8.9.1:80"),
            ("http://[::1]:9/", "[::1]:9"),
            ("http://2130706433/", "127.0.0.1:80"),
        ] {
            let (_, addresses) = target(url).unwrap();
            assert_eq!(addresses, [expected.parse().unwrap()], "{url}");
        }
        assert_eq!(target("http://localhost:1/").unwrap().1.len(), 2);
        for url in [
            "http://example.com/",
            "http://10.0.0.1/",
            "http://0.0.0.0:80/",
            "http://[::ffff:10.0.0.1]/",
            "http://localhost.example.com/",
            "http://127.0.0.1@example.com/",
            "https://127.0.0.1/",
            "file:///etc/passwd",
            "nonsense",
        ] {
            let error = target(url).unwrap_err();
            assert!(error.errors[0].starts_with("external_url: "), "{url}: {error:?}");
        }
    }

    #[test]
    fn calls_are_counted() {
        let ended = |error: &str| Ended {
            status: error.is_empty().then_some(204),
            answer: json!({}),
            error: error.to_owned(),
            took: Duration::from_millis(7),
        };
        let webhook = noted(json!({"stats": {}}), &ended("no"), "then");
        let webhook = noted(webhook, &ended("no"), "later");
        assert_eq!(webhook["stats"]["failure_since_last_success"], 2);
        assert_eq!(webhook["last_failure"]["errors"], "no");
        let webhook = noted(webhook, &ended(""), "now");
        let stats = json!({"triggers": 3, "failure_triggers": 2, "success_triggers": 1, "failure_since_last_success": 0});
        assert_eq!(webhook["stats"], stats);
        assert_eq!(
            (&webhook["last_success"]["status_code"], &webhook["last_success"]["duration"]),
            (&json!(204), &json!(7))
        );
    }

    #[test]
    fn what_can_be_no_header_is_refused() {
        assert_eq!(headers(&json!({"X-Key": "a"})).unwrap().len(), 1);
        for wrong in [json!({"X Key": "a"}), json!({"X-Key": "a\r\nEvil: b"}), json!({"X-Key": 7})] {
            assert_eq!(headers(&wrong).unwrap_err().code, "VAL_001", "{wrong}");
        }
    }
}
