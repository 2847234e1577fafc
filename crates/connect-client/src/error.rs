use std::{error::Error as StdError, fmt, time::Duration};

use bytes::Bytes;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Map, Value};

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a call failed.
///
/// Its text is the one of Connect's own clients: `400 Bad Request: VAL_001 - asset.params: unknown`.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    api: Option<Box<ApiError>>,
    source: Option<BoxError>,
}

/// What kind of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call or the client was not made right; nothing was sent.
    Usage,
    /// Connect could not be reached, or the connection broke.
    Connection,
    /// The time was over.
    Timeout,
    /// Connect answered with an error.
    Api,
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
    /// Connect's texts; mostly texts, yet anything may stand here.
    pub errors: Vec<Value>,
    /// Connect's parameters of the error.
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
            params: None,
            extra: Map::new(),
            body,
            headers,
            method,
            path,
        };
        let Ok(Value::Object(mut members)) = serde_json::from_slice(&error.body) else { return error };
        // Both or nothing: so the original tells Connect's errors from those of something in between.
        if let (Some(code), Some(errors)) = (members.remove("error_code"), members.remove("errors")) {
            error.error_code = Some(text(&code));
            error.errors = match errors {
                Value::Array(list) => list,
                single => vec![single],
            };
            error.params = members.remove("params");
            error.extra = members;
        }
        error
    }

    /// How long Connect asks to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = httpdate::parse_http_date(text).ok()?;
        Some(date.duration_since(std::time::SystemTime::now()).unwrap_or_default())
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status.as_u16())?;
        if let Some(name) = self.status.canonical_reason() {
            write!(f, " {name}")?;
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
            .finish_non_exhaustive()
    }
}

impl StdError for ApiError {}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), api: None, source: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    pub(crate) fn api_error(api: ApiError) -> Self {
        let message = api.to_string();
        Self { api: Some(Box::new(api)), ..Self::new(ErrorKind::Api, message) }
    }

    pub(crate) fn decode(what: &str, source: impl Into<BoxError>) -> Self {
        let source = source.into();
        Self { source: Some(source), ..Self::new(ErrorKind::Decode, format!("the answer is not {what}")) }
    }

    pub(crate) fn transport(error: reqwest::Error) -> Self {
        // The URL may hold values of the user's customers, so it does not go into the text.
        let error = error.without_url();
        let (kind, message) = if error.is_timeout() {
            (ErrorKind::Timeout, "Connect did not answer in time")
        } else if error.is_builder() {
            (ErrorKind::Usage, "the call can't be made")
        } else if error.is_connect() {
            (ErrorKind::Connection, "Connect is not reachable")
        } else {
            (ErrorKind::Connection, "the connection to Connect broke")
        };
        Self { source: Some(error.into()), ..Self::new(kind, message) }
    }

    pub(crate) fn timeout(limit: Duration) -> Self {
        Self::new(ErrorKind::Timeout, format!("the call was not done within {limit:?}"))
    }

    /// What kind of reason it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The error that Connect answered, if it answered.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        self.api.as_deref()
    }

    /// The HTTP status, if Connect answered.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.api().map(|api| api.status)
    }

    /// Whether there is no such object.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// Whether another try may do better: no connection, no answer in time, 408, 429, 5xx.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ErrorKind::Connection | ErrorKind::Timeout => true,
            _ => self.status().is_some_and(crate::retry::is_transient),
        }
    }

    /// How long Connect asks to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.api().and_then(ApiError::retry_after)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        // The innermost cause is what people need: "connection refused".
        let mut source = self.source.as_deref().map(|source| source as &dyn StdError);
        while let Some(inner) = source.and_then(StdError::source) {
            source = Some(inner);
        }
        source.map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.api {
            Some(_) => None,
            None => self.source.as_deref().map(|source| source as _),
        }
    }
}
