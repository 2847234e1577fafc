use std::{fmt, sync::Arc, time::Duration};

use connect_client::{
    RetryPolicy,
    machinery::{Connecting, Proxy},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header::USER_AGENT};
use reqwest::redirect::Policy;
use secrecy::SecretString;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use url::Url;

use crate::{Auth, IntoPath, OAuth2, VendorCall, VendorError, auth::Kind};

/// A client of the vendor's API. Clones share its connections, its limits and its token.
///
/// ```no_run
/// # async fn run() -> Result<(), connect_vendor::VendorError> {
/// use connect_vendor::{Auth, VendorClient};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize)]
/// struct NewTenant<'a> {
///     name: &'a str,
/// }
///
/// #[derive(Deserialize)]
/// struct Tenant {
///     id: String,
/// }
///
/// let vendor = VendorClient::builder("https://api.vendor.example/v1").auth(Auth::bearer("token")).build()?;
/// let tenant: Tenant = vendor.post("tenants").payload(&NewTenant { name: "Acme" }).json().await?;
/// let found: Option<Tenant> = vendor.get(["tenants", &tenant.id]).opt().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct VendorClient(Arc<Shared>);

struct Shared {
    name: String,
    base_url: Url,
    auth: Auth,
    headers: HeaderMap,
    retry: RetryPolicy,
    timeout: Option<Duration>,
    largest_answer: usize,
    log_bodies: bool,
    connecting: Connecting,
    /// Made at the first call: one that is never used needs no certificates.
    http: OnceCell<reqwest::Client>,
    calls: Semaphore,
}

impl VendorClient {
    /// Starts to make a client for the API at this address; paths are below of it.
    pub fn builder(base_url: impl Into<String>) -> VendorClientBuilder {
        VendorClientBuilder::new(base_url.into())
    }

    /// GET.
    pub fn get(&self, path: impl IntoPath) -> VendorCall {
        self.request(Method::GET, path)
    }

    /// POST.
    pub fn post(&self, path: impl IntoPath) -> VendorCall {
        self.request(Method::POST, path)
    }

    /// PUT.
    pub fn put(&self, path: impl IntoPath) -> VendorCall {
        self.request(Method::PUT, path)
    }

    /// PATCH.
    pub fn patch(&self, path: impl IntoPath) -> VendorCall {
        self.request(Method::PATCH, path)
    }

    /// DELETE.
    pub fn delete(&self, path: impl IntoPath) -> VendorCall {
        self.request(Method::DELETE, path)
    }

    /// Any method.
    pub fn request(&self, method: Method, path: impl IntoPath) -> VendorCall {
        VendorCall::new(self.clone(), method, path.into_path())
    }

    /// The address that paths are below of.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.0.base_url
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.0.auth
    }

    pub(crate) fn oauth2(&self) -> Option<&OAuth2> {
        match &self.0.auth.0 {
            Kind::OAuth2(oauth2) => Some(oauth2),
            _ => None,
        }
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    pub(crate) fn retry_policy(&self) -> &RetryPolicy {
        &self.0.retry
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.0.timeout
    }

    pub(crate) fn largest_answer(&self) -> usize {
        self.0.largest_answer
    }

    pub(crate) fn logs_bodies(&self) -> bool {
        self.0.log_bodies
    }

    pub(crate) async fn permit(&self) -> Result<SemaphorePermit<'_>, VendorError> {
        self.0.calls.acquire().await.map_err(|_| VendorError::usage("the client is closed"))
    }

    pub(crate) async fn http(&self) -> Result<&reqwest::Client, VendorError> {
        // Elsewhere nobody should get to know how we authenticate; not every way of it is a header that is left out.
        let same_server = Policy::custom(|attempt| {
            let first = attempt.previous().first().map(Url::origin);
            if first.is_none_or(|first| first != attempt.url().origin()) {
                attempt.stop()
            } else if attempt.previous().len() > 10 {
                attempt.error("more than ten redirects")
            } else {
                attempt.follow()
            }
        });
        let make = || async { self.0.connecting.make_http(&self.0.base_url, same_server) };
        let http = self.0.http.get_or_try_init(make).await;
        http.map_err(|error| VendorError::usage("no HTTP client can be made").caused_by(error))
    }
}

impl fmt::Debug for VendorClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorClient")
            .field("base_url", &self.0.base_url.as_str())
            .field("auth", &self.0.auth)
            .finish_non_exhaustive()
    }
}

/// Makes a [`VendorClient`].
#[must_use]
pub struct VendorClientBuilder {
    name: String,
    base_url: String,
    auth: Auth,
    headers: Vec<(String, String)>,
    user_agent: String,
    retry: RetryPolicy,
    timeout: Option<Duration>,
    connecting: Connecting,
    max_concurrent_calls: usize,
    largest_answer: usize,
    log_bodies: bool,
}

impl VendorClientBuilder {
    fn new(base_url: String) -> Self {
        Self {
            name: "the vendor".to_owned(),
            base_url,
            auth: Auth::none(),
            headers: Vec::new(),
            user_agent: concat!("connect-vendor/", env!("CARGO_PKG_VERSION")).to_owned(),
            retry: RetryPolicy::default(),
            timeout: Some(Duration::from_secs(120)),
            connecting: Connecting::new(Duration::from_secs(15), Duration::from_secs(60)),
            max_concurrent_calls: 16,
            largest_answer: 32 * 1024 * 1024,
            log_bodies: false,
        }
    }

    /// What texts of errors call the vendor; `the vendor` by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// How calls say who makes them; by default they don't.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// A header on every call.
    pub fn default_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// What the client says it is.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// How often and how late calls are made again; by default three times, for calls that change nothing twice.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// How long a call may take in all, further tries and its token included; two minutes by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How long connecting may take; 15 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connecting.connect_timeout = timeout;
        self
    }

    /// How long the vendor may say nothing at all; 60 s by default.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.connecting.read_timeout = timeout;
        self
    }

    /// How many calls may be under way at once; 16 by default. More wait.
    pub fn max_concurrent_calls(mut self, calls: usize) -> Self {
        self.max_concurrent_calls = calls.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// How many bytes an answer may have; 32 MiB by default.
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.largest_answer = bytes;
        self
    }

    /// The proxy to go through: an address that begins with `http://`, `https://`, `socks5://` or `socks5h://`. By default
    /// the variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    pub fn proxy(mut self, address: impl Into<String>) -> Self {
        self.connecting.proxy = Proxy::Address(SecretString::from(address.into()));
        self
    }

    /// Goes through no proxy, whatever the variables say.
    pub fn no_proxy(mut self) -> Self {
        self.connecting.proxy = Proxy::None;
        self
    }

    /// Logs the bodies of requests and answers too, at the level `trace`. Anything may stand in them; by default they are
    /// left out, and those of calls for tokens always.
    pub fn log_bodies(mut self, log: bool) -> Self {
        self.log_bodies = log;
        self
    }

    /// Makes the client.
    pub fn build(self) -> Result<VendorClient, VendorError> {
        self.connecting.check().map_err(|error| VendorError::usage(error.to_string()))?;
        if let Kind::OAuth2(oauth2) = &self.auth.0 {
            oauth2.check()?;
        }
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &self.headers {
            let (name, value) = header(name, value)?;
            headers.insert(name, value);
        }
        let user_agent = HeaderValue::from_str(&self.user_agent)
            .map_err(|_| VendorError::usage("the user agent has characters that can't be sent"))?;
        headers.entry(USER_AGENT).or_insert(user_agent);
        // Last, so that nothing else takes its place.
        self.auth.add_to(&mut headers)?;
        Ok(VendorClient(Arc::new(Shared {
            name: self.name,
            base_url: base_url(&self.base_url)?,
            auth: self.auth,
            headers,
            retry: self.retry,
            timeout: self.timeout,
            largest_answer: self.largest_answer,
            log_bodies: self.log_bodies,
            connecting: self.connecting,
            http: OnceCell::new(),
            calls: Semaphore::new(self.max_concurrent_calls),
        })))
    }
}

fn base_url(text: &str) -> Result<Url, VendorError> {
    let secretive =
        || VendorError::usage("the base URL must not hold a user or a password: Auth::basic does");
    let url = Url::parse(text).map_err(|error| {
        // Not shown: it may hold a password.
        if text.contains('@') {
            return secretive();
        }
        VendorError::usage(format!("the base URL \"{text}\" is no address: {error}"))
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(secretive());
    }
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
        return Err(VendorError::usage(
            "the base URL has to be an address such as https://api.vendor.example/v1, with nothing behind its path",
        ));
    }
    Ok(url)
}

pub(crate) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), VendorError> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| VendorError::usage(format!("{name:?} is no name of a header")))?;
    let value = HeaderValue::from_str(value)
        .map_err(|_| VendorError::usage(format!("the header {name} has characters that can't be sent")))?;
    Ok((name, value))
}

impl fmt::Debug for VendorClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorClientBuilder").field("auth", &self.auth).finish_non_exhaustive()
    }
}
