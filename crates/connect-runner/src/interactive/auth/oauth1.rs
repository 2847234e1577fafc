use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use connect_cache::Cache;
use connect_container::{Config, Scope};
use connect_model::{CustomEvent, HandlerError};
use futures_util::future::BoxFuture;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use super::{
    Authenticate, Caller, Rejection, fields,
    replay::{Nonce, Seen},
    schemes::same,
};
use crate::interactive::{Credential, credential::config};

const CHALLENGE: &str = "OAuth";

/// Section 3.6 of RFC 5849.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A consumer of [`OAuth1`]: its key, and the secrets it signs with.
#[derive(Clone, Debug)]
#[must_use]
pub struct Consumer {
    key: String,
    secret: Credential,
    token: Option<String>,
    token_secret: Option<Credential>,
}

impl Consumer {
    /// A consumer by its key; the key is its name, and no secret.
    pub fn new(key: impl Into<String>, secret: Credential) -> Self {
        Self { key: key.into(), secret, token: None, token_secret: None }
    }

    /// The secret of its token, also where it sends none: the original's `resource_owner_secret`.
    pub fn token_secret(mut self, secret: Credential) -> Self {
        self.token_secret = Some(secret);
        self
    }

    /// The token (`oauth_token`) that it has to send.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Section 3.4.2 of RFC 5849: both secrets, the second of which may be missing.
    fn signing_key(&self, config: &Config) -> Result<String, Rejection> {
        let token_secret = match &self.token_secret {
            Some(secret) => secret.expose(config)?,
            None => "",
        };
        Ok(format!("{}&{}", encoded(self.secret.expose(config)?), encoded(token_secret)))
    }
}

/// Lets in who signs calls as of OAuth 1.0a ([RFC 5849](https://www.rfc-editor.org/rfc/rfc5849)), with HMAC-SHA1 or
/// HMAC-SHA256.
///
/// A call holds once, and within five minutes of its time stamp: nonces are remembered by this process, and in the
/// extension's cache (`Arc<dyn Cache>`), where one is bound, for all that share it.
///
/// Connect does not say which address was called, so the guard has to be told what callers sign.
///
/// ```
/// use connect_runner::interactive::{Credential, CustomEvents, auth::{Consumer, OAuth1}};
///
/// let guard = OAuth1::new("https://events.vendor.example/hook")
///     .consumer(Consumer::new("shop", Credential::variable("SHOP_SECRET")));
/// let events = CustomEvents::new(guard);
/// ```
#[derive(Debug)]
#[must_use]
pub struct OAuth1 {
    url: Address,
    consumers: Vec<Consumer>,
    lookup: Option<Lookup>,
    trusts_forwarded: bool,
    sha256_only: bool,
    window: Duration,
    seen: Seen,
}

type Find = dyn Fn(String, Scope) -> BoxFuture<'static, Result<Option<Consumer>, HandlerError>> + Send + Sync;

/// Who knows further consumers.
struct Lookup(Box<Find>);

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

#[derive(Clone, Debug)]
enum Address {
    Text(String),
    Variable(String),
}

impl OAuth1 {
    /// For calls of this address, without a query, as callers see it.
    pub fn new(url: impl Into<String>) -> Self {
        Self::of(Address::Text(url.into()))
    }

    /// For calls of the address that a variable holds.
    pub fn at_variable(name: impl Into<String>) -> Self {
        Self::of(Address::Variable(name.into()))
    }

    fn of(url: Address) -> Self {
        Self {
            url,
            consumers: Vec::new(),
            lookup: None,
            trusts_forwarded: false,
            sha256_only: false,
            window: Duration::from_secs(300),
            seen: Seen::default(),
        }
    }

    /// Who may call.
    pub fn consumer(mut self, consumer: Consumer) -> Self {
        self.consumers.push(consumer);
        self
    }

    /// Asks for consumers that were not named, by their key: where there are many, or they change. `None` refuses the call.
    ///
    /// ```
    /// use connect_runner::interactive::{Credential, auth::{Consumer, OAuth1}};
    ///
    /// let guard = OAuth1::new("https://events.vendor.example/hook").lookup(async |key, _| {
    ///     // … from a database …
    ///     Ok((key == "shop").then(|| Consumer::new(key, Credential::value("secret"))))
    /// });
    /// ```
    pub fn lookup<F, Fut>(mut self, find: F) -> Self
    where
        F: Fn(String, Scope) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Consumer>, HandlerError>> + Send + 'static,
    {
        self.lookup = Some(Lookup(Box::new(move |key, scope| Box::pin(find(key, scope)))));
        self
    }

    /// The consumer that a call names.
    async fn consumer_of(&self, shown: &Shown, scope: &Scope) -> Result<Cow<'_, Consumer>, Rejection> {
        let key = shown.get("oauth_consumer_key");
        let known = self.consumers.iter().find(|consumer| same(&consumer.key, key)).map(Cow::Borrowed);
        let found = match (known, &self.lookup) {
            (None, Some(Lookup(find))) => {
                let found = find(key.to_owned(), scope.clone()).await;
                let found = found.map_err(|error| Rejection::Misconfigured(error.to_string()))?;
                found.map(Cow::Owned)
            }
            (known, _) => known,
        };
        let token = shown.get("oauth_token");
        let fits = |consumer: &Cow<'_, Consumer>| {
            same(&consumer.key, key) && same(consumer.token.as_deref().unwrap_or_default(), token)
        };
        found.filter(fits).ok_or_else(|| refused("invalid client/consumer key"))
    }

    /// Takes scheme and host of the address from `X-Forwarded-Proto` and `X-Forwarded-Host`, where both are there. Only
    /// where nobody but a proxy of yours can set them: who can, chooses the address that a stolen signature fits.
    pub fn trust_forwarded(mut self) -> Self {
        self.trusts_forwarded = true;
        self
    }

    /// Refuses HMAC-SHA1.
    pub fn sha256_only(mut self) -> Self {
        self.sha256_only = true;
        self
    }

    /// How far the time stamp of a call may be from now; five minutes by default.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    fn url(&self, request: &CustomEvent, config: &Config) -> Result<Url, Rejection> {
        let text = match &self.url {
            Address::Text(text) => text.as_str(),
            Address::Variable(name) => {
                config.require(name).map_err(|error| Rejection::Misconfigured(error.to_string()))?
            }
        };
        let unusable = || Rejection::Misconfigured(format!("\"{text}\" is no address that can be signed"));
        let mut url = Url::parse(text).map_err(|_| unusable())?;
        if self.trusts_forwarded
            && let Some(scheme) = fields::header(request, "X-Forwarded-Proto")
            && let Some(host) = fields::header(request, "X-Forwarded-Host")
        {
            let forwarded = Url::parse(&format!("{scheme}://{host}{}", url.path()));
            url = forwarded.map_err(|_| refused("malformed oauth 1.0a signature"))?;
        }
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(unusable());
        }
        Ok(url)
    }

    async fn check(&self, request: &CustomEvent, scope: &Scope, now: Duration) -> Result<Caller, Rejection> {
        let header =
            fields::authorization(request, "OAuth").ok_or_else(|| refused("missing oauth 1.0a signature"))?;
        let shown = Shown::parse(header).ok_or_else(|| refused("malformed oauth 1.0a signature"))?;
        let consumer = self.consumer_of(&shown, scope).await?;
        let config = config(scope)?;
        let base = base_string(request, &self.url(request, &config)?, &shown);
        let algorithm = match shown.get("oauth_signature_method") {
            "HMAC-SHA256" => hmac::HMAC_SHA256,
            "HMAC-SHA1" if !self.sha256_only => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            _ => return Err(refused("the signature method is not supported")),
        };
        let key = hmac::Key::new(algorithm, consumer.signing_key(&config)?.as_bytes());
        let wrong = || refused("the provided signature is not valid");
        let signature = STANDARD.decode(shown.get("oauth_signature")).map_err(|_| wrong())?;
        // In constant time.
        hmac::verify(&key, base.as_bytes(), &signature).map_err(|_| wrong())?;
        self.check_freshness(&shown, now, scope).await?;
        Ok(Caller::new(&consumer.key))
    }

    /// After the signature: who can't sign fills nobody's memory.
    async fn check_freshness(&self, shown: &Shown, now: Duration, scope: &Scope) -> Result<(), Rejection> {
        let stamp = shown.get("oauth_timestamp");
        let at =
            stamp.parse().map(Duration::from_secs).map_err(|_| refused("malformed oauth 1.0a signature"))?;
        if now.abs_diff(at) > self.window {
            return Err(refused("the timestamp is too far from now"));
        }
        let parts = ["oauth_consumer_key", "oauth_token", "oauth_timestamp", "oauth_nonce"];
        let cache = scope.find::<Arc<dyn Cache>>().ok().flatten();
        // The stamp may be as far ahead as behind.
        match self.seen.first_time(&parts.map(|part| shown.get(part)), self.window * 2, cache).await {
            Nonce::New => Ok(()),
            Nonce::Used => Err(refused("the nonce was used before")),
            Nonce::TooMany => Err(Rejection::Misconfigured("too many calls at once to remember".to_owned())),
        }
    }
}

fn refused(detail: &str) -> Rejection {
    Rejection::unauthenticated(detail).challenge(CHALLENGE)
}

impl Authenticate for OAuth1 {
    async fn authenticate(&self, request: &CustomEvent, scope: &Scope) -> Result<Caller, Rejection> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.check(request, scope, now).await
    }

    fn variables(&self) -> Vec<String> {
        let credentials = self
            .consumers
            .iter()
            .flat_map(|consumer| std::iter::once(&consumer.secret).chain(&consumer.token_secret));
        let url = match &self.url {
            Address::Variable(name) => Some(name.clone()),
            Address::Text(_) => None,
        };
        credentials.filter_map(Credential::variable_name).map(str::to_owned).chain(url).collect()
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The parameters of the header, each at most once.
#[derive(Debug)]
struct Shown(HashMap<String, String>);

impl Shown {
    /// `None` where something is missing, doubled or not of version 1.0.
    fn parse(header: &str) -> Option<Self> {
        let mut shown = HashMap::new();
        for part in header.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
            let decoded = |text| percent_decode_str(text).decode_utf8().ok();
            let (name, value) = (decoded(name.trim())?, decoded(value)?);
            if shown.insert(name.into_owned(), value.into_owned()).is_some() {
                return None;
            }
        }
        let needed = [
            "oauth_consumer_key",
            "oauth_signature_method",
            "oauth_signature",
            "oauth_timestamp",
            "oauth_nonce",
        ];
        let is_complete = needed.iter().all(|name| shown.get(*name).is_some_and(|value| !value.is_empty()));
        let is_known = shown.get("oauth_version").is_none_or(|version| version == "1.0");
        (is_complete && is_known).then_some(Self(shown))
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// Section 3.4.1 of RFC 5849: method, address and all parameters.
fn base_string(request: &CustomEvent, url: &Url, shown: &Shown) -> String {
    let header = shown.0.iter().filter(|(name, _)| !matches!(name.as_str(), "realm" | "oauth_signature"));
    let header = header.map(|(name, value)| (name.clone(), value.clone()));
    let own_query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
    let mut all: Vec<(String, String)> = header
        .chain(own_query)
        .chain(fields::pairs(&request.querystring))
        .chain(form(request))
        .map(|(name, value)| (encoded(&name), encoded(&value)))
        .collect();
    all.sort();
    let all: Vec<String> = all.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    // The address without query and default port, as `Url` writes it.
    let mut address = url.clone();
    address.set_query(None);
    address.set_fragment(None);
    let method = request.method.as_deref().unwrap_or("POST").to_ascii_uppercase();
    format!("{}&{}&{}", encoded(&method), encoded(address.as_str()), encoded(&all.join("&")))
}

/// The fields of a body that is a form.
fn form(request: &CustomEvent) -> Vec<(String, String)> {
    if !fields::is_form(request) {
        return Vec::new();
    }
    match &request.body {
        Some(Value::String(text)) => url::form_urlencoded::parse(text.as_bytes()).into_owned().collect(),
        Some(Value::Object(form)) => fields::pairs(form).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
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
        request["headers"]["Authorization"] =
            json!(format!("OAuth {header}, oauth_signature=\"{signature}\""));
        request
    }

    #[tokio::test]
    async fn secrets_and_addresses_come_from_variables_and_forwarded_hosts_only_if_trusted() {
        let guard = || {
            OAuth1::at_variable("EVENTS_URL").consumer(
                Consumer::new("shop", Credential::variable("SECRET"))
                    .token_secret(Credential::value("owner &")),
            )
        };
        assert_eq!(guard().variables(), ["SECRET", "EVENTS_URL"]);
        let secrets = "j49sk3j29djd&owner%20%26";
        let request = json!({"method": "POST", "headers": {"X-Forwarded-Proto": "http", "x-forwarded-host": "inner:8080"}});
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
        assert_eq!(
            check(&guard(), &of("down"), 9000).await,
            Err("calls can't be checked: no database".into())
        );
    }

    #[tokio::test]
    async fn what_was_shown_to_another_process_does_not_hold() {
        let cache: Arc<dyn Cache> = Arc::new(super::super::replay::testing::MapCache::default());
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
}
