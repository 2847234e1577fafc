use std::{fmt, path::PathBuf};

use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{body::Body, multipart::Content, transport::Outgoing};

/// A call that came to a mock.
#[derive(Clone)]
#[non_exhaustive]
pub struct MockCall {
    /// The method.
    pub method: Method,
    /// The path below the endpoint, decoded.
    pub path: String,
    /// The parts of the query, decoded, in the order they came.
    pub query: Vec<String>,
    /// The headers, the key's included.
    pub headers: HeaderMap,
    /// The body of a call that has one, unless it has parts.
    pub body: Bytes,
    /// The parts of a body that has some.
    pub parts: Vec<MockPart>,
}

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MockPart {
    /// The name of the field.
    pub name: String,
    /// The name of the file, of a file.
    pub file_name: Option<String>,
    /// Its type, if one was said.
    pub content_type: Option<String>,
    /// What is in it.
    pub content: Bytes,
}

fn read(path: &PathBuf) -> Result<Bytes, String> {
    std::fs::read(path).map(Bytes::from).map_err(|error| format!("{} can't be read: {error}", path.display()))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

impl MockCall {
    pub(crate) fn new(outgoing: &Outgoing<'_>) -> Result<Self, String> {
        let path = outgoing.url.path();
        let path = path.strip_prefix("/public/v1").unwrap_or(path).trim_matches('/');
        let query = outgoing.url.query().unwrap_or_default();
        let mut call = Self {
            method: outgoing.method.clone(),
            path: decoded(path),
            query: query.split('&').filter(|part| !part.is_empty()).map(decoded).collect(),
            headers: outgoing.headers.clone(),
            body: Bytes::new(),
            parts: Vec::new(),
        };
        match outgoing.body {
            Body::None => {}
            Body::Bytes(bytes) => call.body = bytes.clone(),
            Body::File(path) => call.body = read(path)?,
            Body::Multipart(form) => {
                for part in &form.parts {
                    call.parts.push(MockPart {
                        name: part.name.clone(),
                        file_name: part.file_name.clone(),
                        content_type: part.content_type.clone(),
                        content: match &part.content {
                            Content::Bytes(bytes) => bytes.clone(),
                            Content::File(path) => read(path)?,
                        },
                    });
                }
            }
        }
        Ok(call)
    }

    /// The body as JSON, if it is that.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The parts of the query but for the paging's own.
    pub(crate) fn asked(&self) -> impl Iterator<Item = &str> {
        self.query.iter().map(String::as_str).filter(|part| !is_paging(part))
    }

    /// The value of a paging parameter.
    pub(crate) fn paging(&self, name: &str) -> Option<usize> {
        self.query.iter().find_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    }
}

pub(crate) fn is_paging(part: &str) -> bool {
    part.starts_with("limit=") || part.starts_with("offset=")
}

impl fmt::Debug for MockCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockCall")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query)
            .field("body", &String::from_utf8_lossy(&self.body))
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}
