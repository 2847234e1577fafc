use std::{error::Error as StdError, fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a call failed.
///
/// Its text is the one of Connect's own clients: `400 Bad Request: VAL_001 - asset.params: unknown`. Neither text nor
/// `Debug` shows a key, a header, or what stood in a body.
#[derive(Debug)]
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    /// What Connect answered, where it did.
    status: Option<StatusCode>,
    body: Option<Bytes>,
    api: Option<ApiError>,
    source: Option<BoxError>,
    /// Whether Connect can't have acted on the call.
    nothing_sent: bool,
    /// Whether a further try would end the same.
    permanent: bool,
}

/// What kind of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call or the client was not made right; nothing was sent.
    Usage,
    /// The API description that the client was given has no such path; nothing was sent.
    Description,
    /// Connect could not be reached, or the connection broke.
    Connection,
    /// The time was over.
    Timeout,
    /// Connect answered with an error, a 404 among them.
    Api,
    /// A file of yours could not be read, or written.
    File,
    /// What was looked for by its properties is not in Connect: a template, a conversation.
    NotFound,
    /// Connect's answer can't be read as what was expected.
    Decode,
}

/// An error that Connect answered. Its `Debug` leaves out body and headers, in which anything may stand.
#[derive(Clone)]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// Connect's code, such as `REQ_003`.
    pub error_code: Option<String>,
    /// What is wrong; mostly texts, yet anything may stand here.
    pub errors: Vec<Value>,
    /// A text that stands for the status, where Connect gives one.
    pub message: Option<String>,
    /// What the error is about, such as the status of the request.
    pub params: Option<Value>,
    /// Further members of the answer.
    pub extra: Map<String, Value>,
    /// The answer as it came.
    pub body: Bytes,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The method of the call.
    pub method: Method,
    /// The path of the call, below the endpoint.
    pub path: String,
}

/// Headers in which servers name a call, so that its traces can be found.
const CORRELATION: [&str; 3] = ["connect-correlation-id", "x-correlation-id", "x-request-id"];

impl ApiError {
    pub(crate) fn new(
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        method: Method,
        path: String,
    ) -> Self {
        let mut error = Self {
            status,
            error_code: None,
            errors: Vec::new(),
            message: None,
            params: None,
            extra: Map::new(),
            body,
            headers,
            method,
            path,
        };
        // Whatever its content type says: so the original reads it.
        let Ok(Value::Object(mut members)) = serde_json::from_slice(&error.body) else { return error };
        // Both or nothing: so the original tells Connect's errors from those of something in between.
        if let (Some(code), Some(errors)) = (members.remove("error_code"), members.remove("errors")) {
            error.error_code = Some(text(&code));
            error.errors = match errors {
                Value::Array(list) => list,
                single => vec![single],
            };
            error.message = members.remove("message").as_ref().map(text);
            error.params = members.remove("params");
            error.extra = members;
        }
        error
    }

    /// How long Connect asks to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = httpdate::parse_http_date(text).ok()?;
        Some(date.duration_since(std::time::SystemTime::now()).unwrap_or_default())
    }

    /// The id under which Connect's support can find the call, where the answer names one.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        CORRELATION.iter().find_map(|name| self.headers.get(*name)?.to_str().ok())
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) if !message.is_empty() => f.write_str(message)?,
            _ => {
                write!(f, "{}", self.status.as_u16())?;
                if let Some(name) = self.status.canonical_reason() {
                    write!(f, " {name}")?;
                }
            }
        }
        if let Some(code) = self.error_code.as_ref().filter(|_| !self.errors.is_empty()) {
            let errors: Vec<String> = self.errors.iter().map(text).collect();
            write!(f, ": {code} - {}", errors.join(","))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("status", &self.status)
            .field("error_code", &self.error_code)
            .field("errors", &self.errors)
            .field("correlation_id", &self.correlation_id())
            .finish_non_exhaustive()
    }
}

impl StdError for ApiError {}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            status: None,
            body: None,
            api: None,
            source: None,
            nothing_sent: matches!(kind, ErrorKind::Usage | ErrorKind::Description),
            permanent: false,
        }))
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    pub(crate) fn missing(what: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::NotFound, what);
        error.0.nothing_sent = true;
        error
    }

    pub(crate) fn description(path: &str) -> Self {
        Self::new(ErrorKind::Description, format!("The path `{path}` does not exist."))
    }

    pub(crate) fn from_api(api: ApiError) -> Self {
        let mut error = Self::new(ErrorKind::Api, api.to_string());
        error.0.status = Some(api.status);
        error.0.api = Some(api);
        error
    }

    pub(crate) fn decode(what: &str, source: impl Into<BoxError>) -> Self {
        let mut error = Self::new(ErrorKind::Decode, format!("the answer is not {what}"));
        error.0.source = Some(source.into());
        error
    }

    /// The same error, with the answer that was not understood.
    pub(crate) fn answered(mut self, status: StatusCode, body: &Bytes) -> Self {
        self.0.status = Some(status);
        self.0.body = Some(body.clone());
        self
    }

    pub(crate) fn transport(error: reqwest::Error) -> Self {
        // The URL may hold values of the user's customers, so it does not go into the text.
        let error = error.without_url();
        let untrusted = is_untrusted(&error);
        let (kind, message) = if error.is_timeout() {
            (ErrorKind::Timeout, "Connect did not answer in time")
        } else if error.is_builder() {
            (ErrorKind::Usage, "the call can't be made")
        } else if untrusted {
            (ErrorKind::Connection, "Connect's certificate is not trusted")
        } else if error.is_connect() {
            (ErrorKind::Connection, "Connect is not reachable")
        } else if error.is_redirect() {
            (ErrorKind::Connection, "Connect redirects without end")
        } else {
            (ErrorKind::Connection, "the connection to Connect broke")
        };
        let mut made = Self::new(kind, message);
        made.0.nothing_sent |= error.is_connect();
        made.0.permanent = untrusted || error.is_redirect();
        made.0.source = Some(error.into());
        made
    }

    /// As if there were no server.
    #[cfg(feature = "mock")]
    pub(crate) fn unreachable(reason: &str) -> Self {
        let mut error = Self::new(ErrorKind::Connection, format!("Connect is not reachable: {reason}"));
        error.0.nothing_sent = true;
        error
    }

    /// A file of the user's that can't be `read` or `written`.
    pub(crate) fn file(path: &std::path::Path, done: &str, error: std::io::Error) -> Self {
        let mut made = Self::new(ErrorKind::File, format!("the file {} can't be {done}", path.display()));
        made.0.source = Some(error.into());
        made
    }

    pub(crate) fn timeout(limit: Duration) -> Self {
        Self::new(ErrorKind::Timeout, format!("the call was not done within {limit:?}"))
    }

    pub(crate) fn is_nothing_sent(&self) -> bool {
        self.0.nothing_sent
    }

    /// What kind of reason it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The error that Connect answered, if it answered one.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        self.0.api.as_ref()
    }

    /// The HTTP status, if Connect answered; a success where its answer could not be read.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// What Connect answered, where it was an error or could not be read. Anything may stand in it, so it belongs in no
    /// log.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.0.body.as_ref().or(self.api().map(|api| &api.body))
    }

    /// Connect's code, such as `REQ_003`, if it answered one.
    #[must_use]
    pub fn error_code(&self) -> Option<&str> {
        self.api()?.error_code.as_deref()
    }

    /// Whether Connect has no such object: it answered 404, or nothing was found.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
            || self.api().is_some_and(|api| api.status == StatusCode::NOT_FOUND)
    }

    /// Whether another try may do better: no connection, no answer in time, 408, 429, 5xx. An untrusted certificate
    /// stays one.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::Connection | ErrorKind::Timeout => !self.0.permanent,
            ErrorKind::Api => self.status().is_some_and(crate::retry::is_transient),
            _ => false,
        }
    }

    /// How long Connect asks to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.api().and_then(ApiError::retry_after)
    }
}

/// Whether the reason is that the server's certificate was not accepted.
fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut source: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(error) = source {
        if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        // An I/O error hides what it wraps from `source`.
        source = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Inner");
        shown.field("kind", &self.kind).field("message", &self.message).field("status", &self.status);
        if let Some(api) = &self.api {
            shown.field("api", api);
        }
        shown.field("source", &self.source).finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        // The innermost cause is what people need: "connection refused".
        let mut source = self.0.source.as_deref().map(|source| source as &dyn StdError);
        while let Some(inner) = source.and_then(StdError::source) {
            source = Some(inner);
        }
        source.map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.api {
            Some(_) => None,
            None => self.0.source.as_deref().map(|source| source as _),
        }
    }
}
