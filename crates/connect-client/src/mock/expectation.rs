use std::{fmt, ops::RangeInclusive, sync::Arc};

use bytes::Bytes;
use connect_model::rql::Rql;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::{MockCall, Script};
use crate::path;

/// A call that a test expects, until it is given its reply.
///
/// Query and, where given, body and headers have to be those of the call; of a query, `limit` and `offset` don't count.
#[must_use = "an expectation counts once it is given its reply"]
pub struct Expectation {
    script: Arc<Script>,
    pub(crate) expected: Expected,
}

/// What is compared, and what is answered.
pub(crate) struct Expected {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Parts of the query, decoded. `None` for any.
    pub(crate) query: Option<Vec<String>>,
    pub(crate) filter: Option<Rql>,
    pub(crate) body: Option<Value>,
    pub(crate) headers: Vec<(String, String)>,
    times: Option<RangeInclusive<usize>>,
    pub(crate) came: usize,
    pub(crate) answer: Answer,
    status: Option<StatusCode>,
    reply_headers: HeaderMap,
}

type Replying = dyn Fn(&MockCall) -> MockReply + Send + Sync;

pub(crate) enum Answer {
    With(Box<Replying>),
    /// No connection.
    Unreachable,
}

/// What a mock answers.
#[derive(Clone, Debug)]
pub struct MockReply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl MockReply {
    /// A status without a body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// A status with a body of JSON.
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { body: body.into(), ..Self::status(status) }.header("content-type", "application/json")
    }

    /// An error as Connect writes it.
    #[must_use]
    pub fn error(status: u16, error_code: &str, errors: &[&str]) -> Self {
        Self::json(status, &json!({"error_code": error_code, "errors": errors}))
    }

    /// A page of a listing, as the call asks for it.
    #[must_use]
    pub fn page(call: &MockCall, objects: &[Value]) -> Self {
        let offset = call.paging("offset").unwrap_or(0);
        let limit = call.paging("limit").unwrap_or(100);
        let page: Vec<&Value> = objects.iter().skip(offset).take(limit).collect();
        let (first, last) = match page.len() {
            _ if objects.is_empty() || limit == 0 => (0, 0),
            0 => (offset, offset),
            length => (offset, offset + length - 1),
        };
        let range = format!("items {first}-{last}/{}", objects.len());
        Self::json(200, &page).header("content-range", &range)
    }

    /// The same with a further header; one that can't be sent is left out.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            self.headers.insert(name, value);
        }
        self
    }
}

impl Expectation {
    pub(crate) fn new(script: Arc<Script>, method: Method, path: &str) -> Self {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, query.split('&').map(str::to_owned).collect()),
            None => (path, Vec::new()),
        };
        let expected = Expected {
            method,
            path: path.trim_matches('/').to_owned(),
            query: Some(query),
            filter: None,
            body: None,
            headers: Vec::new(),
            times: None,
            came: 0,
            answer: Answer::Unreachable,
            status: None,
            reply_headers: HeaderMap::new(),
        };
        Self { script, expected }
    }

    /// The call has this filter, however it is written.
    pub fn filter(mut self, filter: impl Into<Rql>) -> Self {
        self.expected.filter = Some(filter.into());
        self
    }

    /// The query has this part too, as it reads when it is decoded: `ordering(-created)`, `search=car`.
    pub fn query(mut self, part: impl Into<String>) -> Self {
        self.expected.query.get_or_insert_default().push(part.into());
        self
    }

    /// The query has this parameter too.
    pub fn param(self, name: &str, value: impl fmt::Display) -> Self {
        self.query(format!("{name}={value}"))
    }

    /// The query may be any.
    pub fn any_query(mut self) -> Self {
        self.expected.query = None;
        self
    }

    /// The call has this body of JSON. By default the body may be any.
    pub fn body(mut self, body: impl Into<Value>) -> Self {
        self.expected.body = Some(body.into());
        self
    }

    /// The call has this header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.expected.headers.push((name.into(), value.into()));
        self
    }

    /// It comes so many times; by default once.
    pub fn times(mut self, times: usize) -> Self {
        self.expected.times = Some(times..=times);
        self
    }

    /// It may come any number of times, or never.
    pub fn always(mut self) -> Self {
        self.expected.times = Some(0..=usize::MAX);
        self
    }

    /// The status to answer with; by default 201 for a POST to a collection (a path with an odd number of segments, as
    /// `requests`), else 200.
    pub fn status(mut self, status: u16) -> Self {
        self.expected.status = StatusCode::from_u16(status).ok();
        self
    }

    /// A header to answer with.
    pub fn reply_header(mut self, name: &str, value: &str) -> Self {
        let reply = MockReply::status(200).header(name, value);
        self.expected.reply_headers.extend(reply.headers);
        self
    }

    /// Answers with JSON.
    pub fn reply(self, body: impl Into<Value>) {
        let status = self.expected.status.map_or_else(|| self.default_status(), |status| status.as_u16());
        let reply = MockReply::json(status, &body.into());
        self.reply_with(move |_| reply.clone());
    }

    /// Answers without a body: 204, unless another status was given.
    pub fn reply_empty(self) {
        let reply = MockReply::status(self.expected.status.map_or(204, |status| status.as_u16()));
        self.reply_with(move |_| reply.clone());
    }

    /// Answers with bytes of some type.
    pub fn reply_bytes(self, body: impl Into<Bytes>, content_type: &str) {
        let status = self.expected.status.map_or(200, |status| status.as_u16());
        let reply =
            MockReply { body: body.into(), ..MockReply::status(status) }.header("content-type", content_type);
        self.reply_with(move |_| reply.clone());
    }

    /// Answers with an error as Connect writes it.
    pub fn reply_error(self, status: u16, error_code: &str, errors: &[&str]) {
        let reply = MockReply::error(status, error_code, errors);
        self.reply_with(move |_| reply.clone());
    }

    /// Answers with a listing, of which each call gets the page it asks for. By default it may come more than once.
    pub fn reply_list(mut self, objects: impl IntoIterator<Item = Value>) {
        let objects: Vec<Value> = objects.into_iter().collect();
        self.expected.times.get_or_insert(1..=usize::MAX);
        self.reply_with(move |call| MockReply::page(call, &objects));
    }

    /// Answers with what a function makes of the call.
    pub fn reply_with(mut self, reply: impl Fn(&MockCall) -> MockReply + Send + Sync + 'static) {
        let headers = std::mem::take(&mut self.expected.reply_headers);
        self.expected.answer = Answer::With(Box::new(move |call| {
            let mut reply = reply(call);
            reply.headers.extend(headers.clone());
            reply
        }));
        self.script.add(self.expected);
    }

    /// Fails as if Connect could not be reached, before anything was sent.
    pub fn unreachable(self) {
        self.script.add(self.expected);
    }

    fn default_status(&self) -> u16 {
        let segments = self.expected.path.split('/').count();
        if self.expected.method == Method::POST && segments == 1 { 201 } else { 200 }
    }
}

impl Expected {
    /// How often it comes.
    pub(crate) fn times(&self) -> RangeInclusive<usize> {
        self.times.clone().unwrap_or(1..=1)
    }

    /// Whether it may come once more.
    pub(crate) fn is_open(&self) -> bool {
        self.came < *self.times().end()
    }

    pub(crate) fn is_met(&self) -> bool {
        self.times().contains(&self.came)
    }

    pub(crate) fn matches(&self, call: &MockCall) -> bool {
        self.method == call.method
            && self.path == call.path
            && self.matches_query(call)
            && self.body.as_ref().is_none_or(|body| call.json().as_ref() == Some(body))
            && self.headers.iter().all(|(name, value)| {
                call.headers.get(name).is_some_and(|own| own.as_bytes() == value.as_bytes())
            })
    }

    fn matches_query(&self, call: &MockCall) -> bool {
        let mut asked: Vec<&str> = call.asked().collect();
        if let Some(filter) = &self.filter {
            let Some(at) = asked.iter().position(|part| Rql::parse(part).is_ok_and(|own| own == *filter))
            else {
                return false;
            };
            asked.remove(at);
        }
        let Some(query) = &self.query else { return true };
        let mut query: Vec<&str> =
            query.iter().map(String::as_str).filter(|part| !super::call::is_paging(part)).collect();
        asked.sort_unstable();
        query.sort_unstable();
        asked == query
    }

    /// How far it is from a call: the nearest is shown when a call was not expected.
    pub(crate) fn distance(&self, call: &MockCall) -> usize {
        let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let (own, other) = (segments(&self.path), segments(&call.path));
        let equal = own.iter().zip(&other).filter(|(own, other)| own == other).count();
        let path = own.len().max(other.len()) - equal;
        path * 4
            + usize::from(self.method != call.method) * 3
            + usize::from(!self.matches_query(call)) * 2
            + usize::from(!self.is_open())
    }

    /// The query as it is expected, for people.
    pub(crate) fn query_text(&self) -> String {
        let filter = self.filter.as_ref().map(Rql::to_string);
        match &self.query {
            Some(query) => filter.into_iter().chain(query.iter().cloned()).collect::<Vec<_>>().join("&"),
            None => filter.map_or_else(|| "anything".to_owned(), |filter| format!("{filter}&…")),
        }
    }
}

impl fmt::Debug for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expected.fmt(f)
    }
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, path::encoded(&[path::Part::Path(self.path.clone())]))
    }
}
