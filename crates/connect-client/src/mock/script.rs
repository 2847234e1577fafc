use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use connect_model::rql;
use http::{Method, StatusCode, Version};
use serde_json::Value;

use super::{
    MockCall, MockReply,
    expectation::{Answer, Expected},
    report,
};
use crate::{
    Error,
    transport::{Incoming, IncomingBody, Outgoing},
};

/// What a test expects, and what came.
#[derive(Debug, Default)]
pub(crate) struct Script(Mutex<Played>);

#[derive(Debug, Default)]
struct Played {
    expected: Vec<Expected>,
    served: Vec<(String, Vec<Value>)>,
    calls: Vec<MockCall>,
    unexpected: Vec<String>,
}

impl Script {
    fn played(&self) -> MutexGuard<'_, Played> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, expected: Expected) {
        self.played().expected.push(expected);
    }

    pub(crate) fn serve(&self, path: &str, objects: Vec<Value>) {
        self.played().served.push((path.trim_matches('/').to_owned(), objects));
    }

    pub(crate) fn calls(&self) -> Vec<MockCall> {
        self.played().calls.clone()
    }

    pub(crate) fn answer(&self, outgoing: &Outgoing<'_>) -> Result<Incoming, Error> {
        let call = MockCall::new(outgoing).map_err(Error::usage)?;
        let mut played = self.played();
        played.calls.push(call.clone());
        if let Some(expected) = chosen(&mut played.expected, &call) {
            expected.came += 1;
            return match &expected.answer {
                Answer::With(reply) => Ok(reply(&call).into()),
                Answer::Unreachable => Err(Error::unreachable("the mock was told not to be there")),
            };
        }
        if let Some(reply) = played.served.iter().find_map(|(path, objects)| served(path, objects, &call)) {
            return Ok(reply.into());
        }
        let report = report::unexpected(&call, &played.expected);
        played.unexpected.push(report.clone());
        Err(Error::usage(report))
    }

    /// What a test has to be told, if anything.
    pub(crate) fn report(&self) -> Option<String> {
        let played = self.played();
        report::whole(&played.unexpected, &played.expected)
    }
}

/// The expectation that a call meets: the first that waits for it, else the last that takes one more. A further page
/// of a listing stays with the expectation that gave the page before.
fn chosen<'a>(expected: &'a mut [Expected], call: &MockCall) -> Option<&'a mut Expected> {
    let fits = |expected: &Expected| expected.is_open() && expected.matches(call);
    let is_further_page = call.paging("offset").is_some_and(|offset| offset > 0);
    let waits = |expected: &Expected| fits(expected) && !expected.is_met();
    let came = |expected: &Expected| fits(expected) && expected.came > 0;
    let at = is_further_page
        .then(|| expected.iter().rposition(came))
        .flatten()
        .or_else(|| expected.iter().position(waits))
        .or_else(|| expected.iter().rposition(fits))?;
    expected.get_mut(at)
}

/// What a served collection answers, if the call is for it.
fn served(path: &str, objects: &[Value], call: &MockCall) -> Option<MockReply> {
    let rest = call.path.strip_prefix(path)?;
    if call.method != Method::GET {
        return None;
    }
    if let Some(id) = rest.strip_prefix('/') {
        let found = objects.iter().find(|object| object["id"] == id);
        let missing = || MockReply::error(404, "CNCT_001", &["Not found."]);
        return (!id.contains('/'))
            .then(|| found.map_or_else(missing, |object| MockReply::json(200, object)));
    }
    if !rest.is_empty() {
        return None;
    }
    let query = match rql::Query::parse(&crate::path::joined(&call.query)) {
        Ok(query) => query,
        Err(error) => return Some(MockReply::error(400, "VAL_001", &[&error.to_string()])),
    };
    let is_asked = |object: &&Value| query.filter.matches(object);
    let mut found: Vec<Value> = objects.iter().filter(is_asked).cloned().collect();
    query.sort(&mut found);
    Some(MockReply::page(call, &found))
}

impl From<MockReply> for Incoming {
    fn from(reply: MockReply) -> Self {
        let MockReply { status, headers, body } = reply;
        let body = if status == StatusCode::NO_CONTENT { Bytes::new() } else { body };
        let body = IncomingBody::Whole(Some(body));
        Self { status, headers, version: Version::HTTP_11, body }
    }
}
