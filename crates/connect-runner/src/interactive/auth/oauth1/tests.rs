use connect_container::Container;
use serde_json::json;

use super::*;

fn scope() -> Scope {
    let config = [("SECRET", "j49sk3j29djd"), ("EVENTS_URL", "https://events.example/hook")];
    let config = config.into_iter().collect();
    Container::builder().config(config).build().unwrap().scope().build().unwrap()
}

async fn check(guard: &OAuth1, request: &Value, now: u64) -> Result<String, String> {
    let request: CustomEvent = serde_json::from_value(request.clone()).unwrap();
    let end = guard.check(&request, &scope(), Duration::from_secs(now)).await;
    end.map(|caller| caller.id).map_err(|rejection| rejection.to_string())
}

fn refusal(detail: &str) -> Result<String, String> {
    Err(format!("Unauthenticated, {detail}."))
}

/// The example of RFC 5849, section 1.2: a client asks for a token.
fn initiate() -> (OAuth1, Value) {
    let guard = OAuth1::new("https://photos.example.net/initiate")
        .consumer(Consumer::new("dpf43f3p2l4k3l03", Credential::value("kd94hf93k423kf44")));
    let header = r#"OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03",
        oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131200", oauth_nonce="wIjqoS",
        oauth_callback="http%3A%2F%2Fprinter.example.com%2Fready", oauth_signature="74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D""#;
    (guard, json!({"method": "POST", "headers": {"authorization": header}}))
}

#[tokio::test]
async fn the_examples_of_the_rfc_hold_once() {
    let (guard, request) = initiate();
    assert_eq!(check(&guard, &request, 137_131_200).await.as_deref(), Ok("dpf43f3p2l4k3l03"));
    assert_eq!(check(&guard, &request, 137_131_201).await, refusal("the nonce was used before"));

    let consumer = Consumer::new("dpf43f3p2l4k3l03", Credential::value("kd94hf93k423kf44"))
        .token("nnch734d00sl2jdk")
        .token_secret(Credential::value("pfkkdhi9sl3r4s00"));
    let guard = OAuth1::new("http://photos.example.net/photos").consumer(consumer);
    let header = r#"OAuth realm="Photos",oauth_consumer_key="dpf43f3p2l4k3l03",oauth_token="nnch734d00sl2jdk",
        oauth_signature_method="HMAC-SHA1",oauth_timestamp="137131202",oauth_nonce="chapoH",
        oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D""#;
    let query = json!({"file": ["vacation.jpg"], "size": "original"});
    let request = json!({"method": "get", "headers": {"Authorization": header}, "querystring": query});
    assert_eq!(check(&guard, &request, 137_131_202).await.as_deref(), Ok("dpf43f3p2l4k3l03"));
}

#[tokio::test]
async fn whatever_is_changed_does_not_hold() {
    let wrong = refusal("the provided signature is not valid");
    let change = |pointer: &str, value: Value| {
        let (guard, mut request) = initiate();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = if parent.is_empty() { &mut request } else { request.pointer_mut(parent).unwrap() };
        parent[name] = value;
        (guard, request)
    };
    for (pointer, value) in [
        ("/method", json!("PUT")),
        ("/querystring", json!({"a": "b"})),
        ("/headers/content-type", json!("x")),
    ] {
        let (guard, request) = change(pointer, value);
        let end = check(&guard, &request, 137_131_200).await;
        assert_eq!(end.is_ok(), pointer == "/headers/content-type", "{pointer} {end:?}");
    }
    let form = json!({"authorization": initiate().1["headers"]["authorization"],
        "content-type": "application/x-www-form-urlencoded; charset=utf-8"});
    let (guard, mut request) = change("/headers", form);
    request["body"] = json!("a=b");
    assert_eq!(check(&guard, &request, 137_131_200).await, wrong, "a form is signed too");
    let (_, request) = initiate();
    let other = OAuth1::new("https://photos.example.net/other")
        .consumer(Consumer::new("dpf43f3p2l4k3l03", Credential::value("kd94hf93k423kf44")));
    assert_eq!(check(&other, &request, 137_131_200).await, wrong);
}

#[tokio::test]
async fn what_is_old_early_or_unknown_is_refused() {
    let (guard, request) = initiate();
    let stale = refusal("the timestamp is too far from now");
    assert_eq!(check(&guard, &request, 137_131_501).await, stale);
    assert_eq!(check(&guard, &request, 137_130_899).await, stale);
    assert!(check(&guard, &request, 137_131_500).await.is_ok());
    let guard = guard.sha256_only();
    let unsupported = refusal("the signature method is not supported");
    assert_eq!(check(&guard, &request, 137_131_200).await, unsupported);
    let (_, request) = initiate();
    let none = OAuth1::new("https://photos.example.net/initiate");
    assert_eq!(check(&none, &request, 137_131_200).await, refusal("invalid client/consumer key"));
}

#[tokio::test]
async fn headers_that_are_none_are_told() {
    let (guard, request) = initiate();
    let with = |header: String| json!({"method": "POST", "headers": {"Authorization": header}});
    let header = request["headers"]["authorization"].as_str().unwrap();
    assert_eq!(check(&guard, &json!({}), 0).await, refusal("missing oauth 1.0a signature"));
    for other in ["Bearer x", "OAuth "] {
        let end = check(&guard, &with(other.into()), 0).await;
        assert_eq!(end, refusal("missing oauth 1.0a signature"));
    }
    for malformed in [
        "OAuth x".to_owned(),
        header.replace("oauth_nonce=\"wIjqoS\",", ""),
        header.replace("\"wIjqoS\"", "wIjqoS"),
        format!("{header}, oauth_nonce=\"again\""),
        format!("{header}, oauth_version=\"2.0\""),
    ] {
        let end = check(&guard, &with(malformed.clone()), 137_131_200).await;
        assert_eq!(end, refusal("malformed oauth 1.0a signature"), "{malformed}");
    }
}

/// What a caller would send.
fn signed(url: &str, secrets: &str, mut request: Value, at: u64) -> Value {
    let header = format!(
        "oauth_consumer_key=\"shop\", oauth_signature_method=\"HMAC-SHA256\", oauth_timestamp=\"{at}\", \
         oauth_nonce=\"{at}\", oauth_version=\"1.0\""
    );
    let shown = Shown::parse(&format!("{header}, oauth_signature=\"-\"")).unwrap();
    let call: CustomEvent = serde_json::from_value(request.clone()).unwrap();
    let base = base_string(&call, &Url::parse(url).unwrap(), &shown);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secrets.as_bytes());
    let signature = encoded(&STANDARD.encode(hmac::sign(&key, base.as_bytes())));
    request["headers"]["Authorization"] = json!(format!("OAuth {header}, oauth_signature=\"{signature}\""));
    request
}

#[tokio::test]
async fn secrets_and_addresses_come_from_variables_and_forwarded_hosts_only_if_trusted() {
    let guard = || {
        OAuth1::at_variable("EVENTS_URL").consumer(
            Consumer::new("shop", Credential::variable("SECRET")).token_secret(Credential::value("owner &")),
        )
    };
    assert_eq!(guard().variables(), ["SECRET", "EVENTS_URL"]);
    let secrets = "j49sk3j29djd&owner%20%26";
    let request =
        json!({"method": "POST", "headers": {"X-Forwarded-Proto": "http", "x-forwarded-host": "inner:8080"}});
    let outer = signed("https://events.example/hook", secrets, request.clone(), 9000);
    let inner = signed("http://inner:8080/hook", secrets, request, 9000);
    let wrong = refusal("the provided signature is not valid");
    assert_eq!(check(&guard(), &outer, 9000).await.as_deref(), Ok("shop"));
    assert_eq!(check(&guard(), &inner, 9000).await, wrong);
    assert_eq!(check(&guard().trust_forwarded(), &inner, 9000).await.as_deref(), Ok("shop"));
    assert_eq!(check(&guard().trust_forwarded(), &outer, 9000).await, wrong);
}

#[tokio::test]
async fn consumers_can_be_looked_up() {
    let guard = || {
        OAuth1::new("https://events.example/hook").lookup(async |key, _| match key.as_str() {
            "shop" => Ok(Some(Consumer::new(key, Credential::value("s")))),
            "down" => Err("no database".into()),
            _ => Ok(None),
        })
    };
    let request = signed("https://events.example/hook", "s&", json!({"method": "POST"}), 9000);
    assert_eq!(check(&guard(), &request, 9000).await.as_deref(), Ok("shop"));
    let of = |key: &str| {
        let header = request["headers"]["Authorization"].as_str().unwrap();
        json!({"method": "POST", "headers": {"Authorization": header.replace("shop", key)}})
    };
    assert_eq!(check(&guard(), &of("other"), 9000).await, refusal("invalid client/consumer key"));
    assert_eq!(check(&guard(), &of("down"), 9000).await, Err("calls can't be checked: no database".into()));
}

#[tokio::test]
async fn what_was_shown_to_another_process_does_not_hold() {
    let cache: Arc<dyn Cache> = Arc::new(connect_cache::MemoryCache::with_size(65_536));
    let scope = Container::builder().bind(|bind| _ = bind.instance(cache)).build().unwrap();
    let scope = scope.scope().build().unwrap();
    let request = signed("https://events.example/hook", "s&", json!({"method": "POST"}), 9000);
    let request: CustomEvent = serde_json::from_value(request).unwrap();
    for holds in [true, false] {
        let guard = OAuth1::new("https://events.example/hook")
            .consumer(Consumer::new("shop", Credential::value("s")));
        assert_eq!(guard.check(&request, &scope, Duration::from_secs(9000)).await.is_ok(), holds);
    }
}

proptest::proptest! {
    #[test]
    fn no_header_is_too_much(header in "(OAuth )?[a-z_]{0,20}=\"?[ -~]{0,30}\"?,.{0,40}", body in ".{0,60}") {
        let request = json!({"headers": {"Authorization": header, "Content-Type": "application/x-www-form-urlencoded"},
            "body": body, "querystring": {"a": [body, null, {"b": 1}]}});
        let call: CustomEvent = serde_json::from_value(request).unwrap();
        let shown = Shown::parse(fields::authorization(&call, "OAuth").unwrap_or(&header));
        let shown = shown.unwrap_or_else(|| Shown(HashMap::new()));
        let base = base_string(&call, &Url::parse("https://events.example/hook").unwrap(), &shown);
        proptest::prop_assert!(base.is_ascii() && base.starts_with("POST&https%3A%2F%2Fevents.example%2Fhook&"));
    }
}
