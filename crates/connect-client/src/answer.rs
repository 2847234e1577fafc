//! What Connect answers, and how it is read.

use std::path::PathBuf;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Version};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, progress::Progress};

/// An answer with what came around it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reply<T> {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The version of HTTP that was spoken.
    pub version: Version,
    /// The body, decoded.
    pub body: T,
}

impl<T> Reply<T> {
    pub(crate) fn try_map<U>(
        self,
        map: impl FnOnce(StatusCode, T) -> Result<U, Error>,
    ) -> Result<Reply<U>, Error> {
        let Self { status, headers, version, body } = self;
        Ok(Reply { status, headers, version, body: map(status, body)? })
    }
}

/// An answer as its content type says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// JSON: `application/json`, or a type that ends with `+json`.
    Json(Value),
    /// Anything else, as it came.
    Bytes(Bytes),
    /// Nothing: 204, or a body of JSON without a byte.
    Empty,
}

impl Content {
    pub(crate) fn read(status: StatusCode, kind: Option<&HeaderValue>, body: Bytes) -> Result<Self, Error> {
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let is_json =
            kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json");
        if status == StatusCode::NO_CONTENT || is_json && body.is_empty() {
            return Ok(Self::Empty);
        }
        if !is_json {
            return Ok(Self::Bytes(body));
        }
        decode(&body).map(Self::Json).map_err(|error| error.answered(status, &body))
    }
}

/// What is done with a successful answer's body.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It is kept.
    Memory,
    /// It goes to a file.
    File { path: PathBuf, on_progress: Option<Progress> },
}

/// A successful answer's body, or what became of it.
#[derive(Debug)]
pub(crate) enum Received {
    Memory(Bytes),
    File { bytes: u64 },
}

impl Received {
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Memory(bytes) => bytes,
            Self::File { .. } => Bytes::new(),
        }
    }
}

pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    if body.is_empty() {
        // A success without a body (204) is `null`.
        return serde_json::from_str("null").map_err(|_| Error::decode(short_name::<T>(), "it has no body"));
    }
    decode_as(short_name::<T>(), body)
}

/// A listing; none of them is an empty one.
pub(crate) fn decode_list<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<Vec<T>, Error> {
    if body.is_empty() { Ok(Vec::new()) } else { decode_as(&format!("a list of {what}"), body) }
}

fn decode_as<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let reason = without_values(&error.into_inner().to_string());
        let place = if path == "." { String::new() } else { format!("{path}: ") };
        Error::decode(what, format!("{place}{reason}"))
    })?;
    deserializer.end().map_err(|_| Error::decode(what, "something stands behind it"))?;
    Ok(read)
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

pub(crate) fn short_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let outer = name.split('<').next().unwrap_or(name);
    outer.rsplit("::").next().unwrap_or(outer)
}
