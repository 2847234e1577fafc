use std::{fmt, future::Future, pin::Pin, time::Duration};

use bytes::Bytes;
use connect_client::RetryPolicy;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use crate::{VendorClient, VendorError, client::header, path::address};

/// A call of the vendor's API. It is sent when it is awaited, which gives the answer as a [`Value`]; [`json`](Self::json) and
/// others give other things.
///
/// ```no_run
/// # async fn run(vendor: connect_vendor::VendorClient) -> Result<(), connect_vendor::VendorError> {
/// // A call that creates something is repeated only where the vendor can tell that it is the same.
/// vendor.post("tenants").idempotency_key("PR-0000-0000-0000-001").param("dry_run", true).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call is sent when it is awaited"]
pub struct VendorCall {
    pub(crate) client: VendorClient,
    pub(crate) method: Method,
    target: Target,
    params: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    authorization: Option<HeaderValue>,
    pub(crate) body: Option<Bytes>,
    content_type: Option<HeaderValue>,
    timeout: Option<Duration>,
    retry: Option<RetryPolicy>,
    problem: Option<String>,
}

enum Target {
    Path(String),
    /// Where tokens are given: without the authentication that they are for.
    Token(Url),
}

/// An answer with what came around it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reply<T> {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decoded.
    pub body: T,
}

impl VendorCall {
    pub(crate) fn new(client: VendorClient, method: Method, path: String) -> Self {
        Self::to(client, method, Target::Path(path))
    }

    pub(crate) fn to_token_url(client: VendorClient, method: Method, url: Url) -> Self {
        Self::to(client, method, Target::Token(url))
    }

    fn to(client: VendorClient, method: Method, target: Target) -> Self {
        Self {
            client,
            method,
            target,
            params: Vec::new(),
            headers: Vec::new(),
            authorization: None,
            body: None,
            content_type: None,
            timeout: None,
            retry: None,
            problem: None,
        }
    }

    pub(crate) fn authorized(mut self, value: HeaderValue) -> Self {
        self.authorization = Some(value);
        self
    }

    /// Adds a query parameter.
    pub fn param(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.params.push((name.into(), value.to_string()));
        self
    }

    /// Adds a header; it wins over the client's of that name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends a body of JSON.
    pub fn payload(mut self, payload: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(payload) {
            Ok(body) => {
                self.body = Some(body.into());
                self.content_type = Some(HeaderValue::from_static("application/json"));
            }
            Err(error) => self.problem = Some(format!("the payload can't be written as JSON: {error}")),
        }
        self
    }

    /// Sends a form, as a web page would.
    pub fn form<K: AsRef<str>, V: AsRef<str>>(self, fields: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        self.body(body.finish(), "application/x-www-form-urlencoded")
    }

    /// Sends a body as it is.
    pub fn body(mut self, body: impl Into<Bytes>, content_type: &str) -> Self {
        match HeaderValue::from_str(content_type) {
            Ok(value) => self.content_type = Some(value),
            Err(_) => self.problem = Some(format!("{content_type:?} is no content type")),
        }
        self.body = Some(body.into());
        self
    }

    /// Names the call (`Idempotency-Key`), so that the vendor does once what comes twice, and makes it again like one that
    /// changes nothing twice. The request's id and the step are a good name.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        let retry = self.retry_policy().clone().all_methods();
        self.header("Idempotency-Key", key).retry(retry)
    }

    /// How long the call may take in all, in place of the client's limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How often and how late the call is made again, in place of the client's policy.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = Some(retry);
        self
    }

    /// The answer as a type.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, VendorError> {
        Ok(self.response().await?.body)
    }

    /// The answer as a type, with status and headers.
    pub async fn response<T: DeserializeOwned>(self) -> Result<Reply<T>, VendorError> {
        let name = self.client.name().to_owned();
        let Reply { status, headers, body } = self.send().await?;
        let body = decode(&name, status, body)?;
        Ok(Reply { status, headers, body })
    }

    /// The answer, or `None` where there is no such thing (404).
    pub async fn opt<T: DeserializeOwned>(self) -> Result<Option<T>, VendorError> {
        match self.json().await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The answer as it came.
    pub async fn bytes(self) -> Result<Bytes, VendorError> {
        Ok(self.send().await?.body)
    }

    /// Leaves the answer's body out.
    pub async fn empty(self) -> Result<(), VendorError> {
        self.send().await.map(drop)
    }

    pub(crate) fn is_for_token(&self) -> bool {
        matches!(self.target, Target::Token(_))
    }

    pub(crate) fn retry_policy(&self) -> &RetryPolicy {
        self.retry.as_ref().unwrap_or(self.client.retry_policy())
    }

    pub(crate) fn time_limit(&self) -> Option<Duration> {
        self.timeout.or(self.client.timeout())
    }

    pub(crate) fn url(&self) -> Result<Url, VendorError> {
        if let Some(problem) = &self.problem {
            return Err(VendorError::usage(problem.as_str()));
        }
        let mut url = match &self.target {
            Target::Path(path) => address(self.client.base_url(), path)?,
            Target::Token(url) => url.clone(),
        };
        if !self.params.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.params);
        }
        Ok(url)
    }

    pub(crate) fn all_headers(&self) -> Result<HeaderMap, VendorError> {
        let mut headers = self.client.headers().clone();
        if let Some(content_type) = &self.content_type {
            headers.insert(CONTENT_TYPE, content_type.clone());
        }
        for (name, value) in &self.headers {
            let (name, value) = header(name, value)?;
            headers.insert(name, value);
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        Ok(headers)
    }
}

fn decode<T: DeserializeOwned>(name: &str, status: StatusCode, body: Bytes) -> Result<T, VendorError> {
    let what = std::any::type_name::<T>().split('<').next().unwrap_or_default();
    let what = what.rsplit("::").next().unwrap_or(what);
    // A success without a body (204) is `null`.
    let text: &[u8] = if body.is_empty() { b"null" } else { &body };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| error.path().to_string());
    let read = read.and_then(|read| deserializer.end().map(|()| read).map_err(|_| ".".to_owned()));
    read.map_err(|path| {
        // Where, not what: the values may be anybody's secrets.
        let place = if path == "." { String::new() } else { format!(", at {path}") };
        VendorError::decode(format!("the answer of {name} is not {what}{place}"), status, body)
    })
}

impl IntoFuture for VendorCall {
    type Output = Result<Value, VendorError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.json())
    }
}

impl fmt::Debug for VendorCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorCall").field("method", &self.method).finish_non_exhaustive()
    }
}
