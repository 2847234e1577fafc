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
mod tests;
