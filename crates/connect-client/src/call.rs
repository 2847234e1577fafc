use std::{future::IntoFuture, pin::Pin, time::Duration};

use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::Instant;
use tracing::{Instrument, debug, debug_span, field};
use url::Url;

use crate::{ApiError, Client, Error, RetryPolicy, retry::is_transient};

/// A piece of a path.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// One segment, whatever stands in it.
    Segment(String),
    /// Segments, with slashes between them.
    Path(String),
}

/// What may stand nowhere in a URL, or would be decoded on the way.
const EVERYWHERE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// And what would end a segment of a path.
const SEGMENT: &AsciiSet = &EVERYWHERE.add(b'/').add(b'?');

/// And what would end a part of a query; the signs of RQL's structure stay.
const QUERY: &AsciiSet = &EVERYWHERE.add(b'&').add(b'\'');

/// The same in a parameter, where the signs of RQL mean nothing.
const PARAMETER: &AsciiSet = &QUERY.add(b'=').add(b'+').add(b'(').add(b')').add(b',').add(b';');

fn segments(path: &[Part]) -> impl Iterator<Item = &str> {
    path.iter().flat_map(|part| match part {
        Part::Segment(segment) => vec![segment.as_str()],
        Part::Path(path) => path.trim_matches('/').split('/').collect(),
    })
}

pub(crate) fn path_text(path: &[Part]) -> String {
    let encoded: Vec<String> =
        segments(path).map(|segment| utf8_percent_encode(segment, SEGMENT).to_string()).collect();
    encoded.join("/")
}

/// A boxed future, so that a call can be awaited by itself.
type Sending<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// One call of the API, sent when it is awaited.
///
/// Awaited by itself it gives a [`Value`]; [`json`](Self::json), [`opt`](Self::opt), [`bytes`](Self::bytes) and
/// [`empty`](Self::empty) give other things.
#[derive(Clone, Debug)]
#[must_use = "a call is sent when it is awaited"]
pub struct Call {
    client: Client,
    method: Method,
    path: Vec<Part>,
    query: Vec<String>,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
    timeout: Option<Duration>,
    retry: Option<RetryPolicy>,
    problem: Option<String>,
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

impl Call {
    pub(crate) fn new(client: Client, method: Method, path: Vec<Part>) -> Self {
        Self {
            client,
            method,
            path,
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            timeout: None,
            retry: None,
            problem: None,
        }
    }

    /// Adds a query parameter.
    pub fn param(self, name: &str, value: impl std::fmt::Display) -> Self {
        let encode = |text: &str| utf8_percent_encode(text, PARAMETER).to_string();
        self.encoded(format!("{}={}", encode(name), encode(&value.to_string())))
    }

    /// Adds a part of the query that is RQL, encoded as a URL needs it.
    pub(crate) fn rql(self, text: impl AsRef<str>) -> Self {
        let encoded = utf8_percent_encode(text.as_ref(), QUERY).to_string();
        self.encoded(encoded)
    }

    fn encoded(mut self, part: String) -> Self {
        self.query.push(part);
        self
    }

    /// Adds a header; it wins over the client's of that name. `Authorization` is refused.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends a JSON body.
    pub fn payload(mut self, payload: &impl Serialize) -> Self {
        match serde_json::to_vec(payload) {
            Ok(body) => self.body = Some(body.into()),
            Err(error) => self.problem = Some(format!("the payload can't be written as JSON: {error}")),
        }
        self
    }

    /// How long the call may take in all, further tries included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How often and how late it is made again.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = Some(retry);
        self
    }

    /// The answer as a type.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        Ok(self.response().await?.body)
    }

    /// The answer as a type, with status and headers.
    pub async fn response<T: DeserializeOwned>(self) -> Result<Reply<T>, Error> {
        let Reply { status, headers, body } = self.send().await?;
        Ok(Reply { status, headers, body: decode(&body)? })
    }

    /// The answer, or `None` where there is no such object (404).
    pub async fn opt(self) -> Result<Option<Value>, Error> {
        match self.await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The answer as it came.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        Ok(self.send().await?.body)
    }

    /// Leaves the answer's body out.
    pub async fn empty(self) -> Result<(), Error> {
        self.send().await.map(|_| ())
    }

    fn url(&self) -> Result<Url, Error> {
        if let Some(problem) = &self.problem {
            return Err(Error::usage(problem.as_str()));
        }
        for segment in segments(&self.path) {
            // URL parsers drop segments of dots, even encoded ones: the call would go somewhere else.
            if segment.trim().is_empty() || segment.trim_matches('.').is_empty() {
                return Err(Error::usage(format!("\"{segment}\" is neither a name nor an id")));
            }
        }
        let mut url = self.client.endpoint().clone();
        url.set_path(&format!("{}/{}", url.path().trim_end_matches('/'), path_text(&self.path)));
        if !self.query.is_empty() {
            url.set_query(Some(&self.query.join("&")));
        }
        Ok(url)
    }

    fn all_headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = self.client.headers()?;
        for (name, value) in &self.headers {
            let unusable = || Error::usage(format!("the header {name} can't be sent"));
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
            if name == reqwest::header::AUTHORIZATION {
                return Err(Error::usage(
                    "the Authorization header is made from the API key, and from nothing else",
                ));
            }
            headers.insert(name.clone(), HeaderValue::from_str(value).map_err(|_| unusable())?);
        }
        if self.body.is_some() {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        Ok(headers)
    }

    /// Sends, and sends again as the policy says.
    async fn send(self) -> Result<Reply<Bytes>, Error> {
        let span = debug_span!(
            "call",
            method = %self.method,
            path = path_text(&self.path),
            status = field::Empty,
            tries = field::Empty,
        );
        let limit = self.timeout.or(self.client.timeout());
        // Boxed, so that a task that waits for something else later does not carry the room for a call around.
        let tries = Box::pin(self.tries().instrument(span));
        match limit {
            Some(limit) => {
                tokio::time::timeout(limit, tries).await.unwrap_or_else(|_| Err(Error::timeout(limit)))
            }
            None => tries.await,
        }
    }

    async fn tries(self) -> Result<Reply<Bytes>, Error> {
        let (url, headers) = (self.url()?, self.all_headers()?);
        let http = self.client.http().await?;
        let policy = self.retry.as_ref().unwrap_or(self.client.retry_policy());
        let mut tries = 0;
        loop {
            let permit = self.client.permit().await?;
            let started = Instant::now();
            let attempt = self.attempt(http, url.clone(), headers.clone()).await;
            drop(permit);
            let (error, nothing_sent) = match attempt {
                Ok(reply) => {
                    let span = tracing::Span::current();
                    span.record("status", reply.status.as_u16()).record("tries", tries + 1);
                    debug!(status = reply.status.as_u16(), elapsed = ?started.elapsed(), "answered");
                    return Ok(reply);
                }
                Err(failed) => failed,
            };
            debug!(elapsed = ?started.elapsed(), "failed: {error}");
            let worth_it = error.is_retryable() && (nothing_sent || policy.may_repeat(&self.method));
            let wait = policy.wait(tries, error.retry_after()).filter(|_| worth_it);
            let Some(wait) = wait else { return Err(error) };
            tries += 1;
            tokio::time::sleep(wait).await;
        }
    }

    /// One try; an error says whether nothing was sent.
    async fn attempt(
        &self,
        http: &reqwest::Client,
        url: Url,
        headers: HeaderMap,
    ) -> Result<Reply<Bytes>, (Error, bool)> {
        let mut request = http.request(self.method.clone(), url).headers(headers);
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        let failed = |error: reqwest::Error| {
            let nothing_sent = error.is_connect();
            (Error::transport(error), nothing_sent)
        };
        let answer = request.send().await.map_err(failed)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(failed)?;
        if status.is_client_error() || is_transient(status) || status.as_u16() >= 600 {
            let api = ApiError::new(status, headers, body, self.method.clone(), path_text(&self.path));
            return Err((Error::api_error(api), false));
        }
        Ok(Reply { status, headers, body })
    }
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    // A success without a body (204) is `null`.
    let body = if body.is_empty() { b"null" } else { body };
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let reason = without_values(&error.into_inner().to_string());
        let place = if path == "." { String::new() } else { format!("{path}: ") };
        Error::decode(short_name::<T>(), format!("{place}{reason}"))
    })
}

/// What is wrong with an answer, without the values in it: they may be anybody's secrets.
fn without_values(reason: &str) -> String {
    let kind = reason.split(':').next().unwrap_or_default();
    match reason.split_once(", expected ") {
        Some((_, expected)) => format!("{kind}, expected {expected}"),
        // Names of members come from our own types.
        None if reason.starts_with("missing field") => reason.to_owned(),
        None => kind.to_owned(),
    }
}

fn short_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let outer = name.split('<').next().unwrap_or(name);
    outer.rsplit("::").next().unwrap_or(outer)
}

impl IntoFuture for Call {
    type Output = Result<Value, Error>;
    type IntoFuture = Sending<Value>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.json())
    }
}
