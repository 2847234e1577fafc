use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use connect_client::machinery::{Failure, is_transient, retry_after};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// Shared, since one failure may be that of many who waited for the same token.
type Source = Arc<dyn StdError + Send + Sync>;

/// How much of a body a text shows, in characters.
const EXCERPT: usize = 300;

/// Why a call of the vendor's API failed.
///
/// Its text names the status and what the vendor says of it (the members `message`, `detail`, `error_description`, `error` or
/// `title` of a body of JSON), not the whole body, and none of the client's secrets:
/// `the vendor answered 409 Conflict: the name is taken`.
#[derive(Debug)]
pub struct VendorError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: VendorErrorKind,
    message: String,
    status: Option<StatusCode>,
    headers: HeaderMap,
    body: Bytes,
    source: Option<Source>,
    nothing_sent: bool,
    permanent: bool,
}

/// What kind of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VendorErrorKind {
    /// The call or the client was not made right; nothing was sent.
    Usage,
    /// The vendor could not be reached, or the connection broke.
    Connection,
    /// The time was over.
    Timeout,
    /// The vendor answered with a status that is no success.
    Status,
    /// No token could be had for the call, so it was not sent.
    Token,
    /// The vendor's answer can't be read as what was expected.
    Decode,
}

impl VendorError {
    pub(crate) fn new(kind: VendorErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            status: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            source: None,
            nothing_sent: matches!(kind, VendorErrorKind::Usage | VendorErrorKind::Token),
            permanent: false,
        }))
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(VendorErrorKind::Usage, message)
    }

    /// An answer that is no success; `secrets` are left out of the text.
    pub(crate) fn status_of(
        name: &str,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        secrets: &[&str],
    ) -> Self {
        let reason = status.canonical_reason().unwrap_or_default();
        let mut message = format!("{name} answered {} {reason}", status.as_u16());
        message.truncate(message.trim_end().len());
        if let Some(said) = said(&body) {
            message = format!("{message}: {}", masked(&said, secrets));
        }
        let mut error = Self::new(VendorErrorKind::Status, message);
        error.0.status = Some(status);
        error.0.headers = headers;
        error.0.body = body;
        error
    }

    pub(crate) fn transport(name: &str, error: reqwest::Error) -> Self {
        // The URL may hold a key, so it does not go into the text.
        let error = error.without_url();
        let failure = Failure::of(&error);
        let (kind, what) = match failure {
            Failure::Timeout => (VendorErrorKind::Timeout, "did not answer in time"),
            Failure::Unsendable => (VendorErrorKind::Usage, "can't be called like this"),
            Failure::Untrusted => (VendorErrorKind::Connection, "has a certificate that is not trusted"),
            Failure::Unreachable => (VendorErrorKind::Connection, "is not reachable"),
            Failure::Redirects => (VendorErrorKind::Connection, "redirects without end"),
            Failure::Broken => (VendorErrorKind::Connection, "broke the connection"),
        };
        let mut made = Self::new(kind, format!("{name} {what}"));
        made.0.nothing_sent |= error.is_connect();
        made.0.permanent = failure.is_permanent();
        made.0.source = Some(Arc::new(error));
        made
    }

    pub(crate) fn timeout(name: &str, limit: Duration) -> Self {
        Self::new(VendorErrorKind::Timeout, format!("{name} was not done within {limit:?}"))
    }

    pub(crate) fn decode(what: impl Into<String>, status: StatusCode, body: Bytes) -> Self {
        let mut error = Self::new(VendorErrorKind::Decode, what);
        error.0.status = Some(status);
        error.0.body = body;
        error
    }

    /// Why there is no token, as the reason why there is no call.
    pub(crate) fn without_token(name: &str, cause: Self) -> Self {
        let mut error = Self::new(VendorErrorKind::Token, format!("no token for {name}"));
        error.0.status = cause.status();
        error.0.permanent = !cause.is_retryable();
        error.0.headers.clone_from(&cause.0.headers);
        error.0.source = Some(Arc::new(cause));
        error
    }

    pub(crate) fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// The same error, for another who waited for the same.
    pub(crate) fn shared(&self) -> Self {
        Self(self.0.clone())
    }

    pub(crate) fn is_nothing_sent(&self) -> bool {
        self.0.nothing_sent
    }

    /// What kind of reason it is.
    #[must_use]
    pub fn kind(&self) -> VendorErrorKind {
        self.0.kind
    }

    /// The HTTP status, if the vendor answered; for a missing token that of the token's call.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The headers of the answer.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The answer as it came. Anything may stand in it, so it belongs in no log.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// A member of the answer, where it is JSON: `error.member("/error/code")` by a JSON pointer.
    #[must_use]
    pub fn member(&self, pointer: &str) -> Option<Value> {
        serde_json::from_slice::<Value>(&self.0.body).ok()?.pointer(pointer).cloned()
    }

    /// Whether the vendor answered 404.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.kind == VendorErrorKind::Status && self.0.status == Some(StatusCode::NOT_FOUND)
    }

    /// Whether another try may do better: no connection, no answer in time, 408, 429, 5xx, also for the call that gets the
    /// token. An untrusted certificate stays one.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            VendorErrorKind::Connection | VendorErrorKind::Timeout | VendorErrorKind::Token => {
                !self.0.permanent
            }
            VendorErrorKind::Status => self.0.status.is_some_and(is_transient),
            VendorErrorKind::Usage | VendorErrorKind::Decode => false,
        }
    }

    /// How long the vendor asks to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.0.headers)
    }
}

/// What the vendor says in plain words.
fn said(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let members = ["message", "detail", "error_description", "error", "title"];
    let nested = ["/error/message", "/errors/0/message", "/errors/0/detail", "/errors/0"];
    let members = members.iter().filter_map(|name| body.get(name)?.as_str());
    let said = members.chain(nested.iter().filter_map(|pointer| body.pointer(pointer)?.as_str())).next()?;
    let mut shown: String = said.chars().filter(|char| !char.is_control()).take(EXCERPT).collect();
    if shown.len() < said.len() {
        shown.push('…');
    }
    Some(shown)
}

/// A text without secrets.
fn masked<'a>(text: &'a str, secrets: &[&str]) -> Cow<'a, str> {
    let found = secrets.iter().filter(|secret| !secret.is_empty() && text.contains(**secret));
    found.fold(Cow::Borrowed(text), |text, secret| Cow::Owned(text.replace(secret, "**********")))
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("status", &self.status)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for VendorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        // The innermost cause is what people need: "connection refused".
        let mut source = self.source();
        while let Some(inner) = source.and_then(StdError::source) {
            source = Some(inner);
        }
        source.map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

impl StdError for VendorError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> VendorError {
        let status = StatusCode::from_u16(status).unwrap();
        let body = Bytes::copy_from_slice(body.as_bytes());
        VendorError::status_of("the vendor", status, HeaderMap::new(), body, &["canary"])
    }

    #[test]
    fn the_text_says_what_the_vendor_says_and_no_secret() {
        for (body, text) in [
            (r#"{"message": "the name is taken"}"#, "the vendor answered 409 Conflict: the name is taken"),
            (r#"{"error": {"code": 7, "message": "taken"}}"#, "the vendor answered 409 Conflict: taken"),
            (r#"{"errors": ["taken"]}"#, "the vendor answered 409 Conflict: taken"),
            (
                r#"{"error": "key canary is unknown"}"#,
                "the vendor answered 409 Conflict: key ********** is unknown",
            ),
            (r#"{"password": "p4ss"}"#, "the vendor answered 409 Conflict"),
            ("<html>p4ss</html>", "the vendor answered 409 Conflict"),
            ("", "the vendor answered 409 Conflict"),
        ] {
            let error = error(409, body);
            assert_eq!(error.to_string(), text);
            let debug = format!("{error:?}");
            assert!(!debug.contains("canary") && !debug.contains("p4ss"), "{debug}");
        }
        let long = error(400, &format!(r#"{{"message": "{}"}}"#, "ä".repeat(1000)));
        assert_eq!(long.to_string().chars().filter(|char| *char == 'ä').count(), EXCERPT);
        assert_eq!(error(599, "").to_string(), "the vendor answered 599");
    }

    #[test]
    fn what_another_try_may_mend_is_known() {
        for (status, retryable) in
            [(400, false), (404, false), (408, true), (429, true), (500, true), (503, true)]
        {
            assert_eq!(error(status, "").is_retryable(), retryable, "{status}");
            let token = VendorError::without_token("the vendor", error(status, ""));
            assert_eq!(token.is_retryable(), retryable, "{status}");
        }
        assert!(error(404, "").is_not_found());
        assert_eq!(error(400, r#"{"error": {"code": 7}}"#).member("/error/code"), Some(7.into()));
    }
}
