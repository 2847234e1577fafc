//! The recorded cases of the original client, played with this one: what was asked for, and what came of it.
//!
//! Cases marked `must` hold as they were recorded. Of those marked `differ` the better behaviour holds, which the case
//! describes, or [`different`] says for this test. Cases marked `info` are facts about the original.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

mod compare;
mod expression;
mod program;
mod server;

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use server::Server;

/// Cases marked `info` that don't hold here, and why.
const LEFT_OUT: [(&str, &str); 11] = [
    ("auth-12", "status and headers come with the answer, not from the client"),
    ("nav-08", "ids and names of other types don't compile"),
    ("verb-04", "a payload is whatever can be written as JSON"),
    ("verb-08", "bulk calls take slices, others don't compile"),
    ("verb-37", "there is no cookie store"),
    ("rql-07", "nullness has methods of its own, without an argument"),
    ("rql-20", "values of other kinds don't compile"),
    ("query-06", "filters of other types don't compile"),
    ("page-30", "a range of positions has no step and no negative ends"),
    ("error-17", "the error has the answer's headers"),
    ("page-33", "a position is not negative"),
];

/// What better behaviour is where the case only says it in words.
fn different(case: &str) -> Option<Value> {
    let two = json!([{"id": 0}, {"id": 1}]);
    Some(match case {
        // Each walk asks anew.
        "page-16" => json!({
            "program": [{}, {"expect": {"value": [{"id": 0}, {"id": 1}, {"id": 2}]}},
                {"expect": {"value": [{"id": 0}, {"id": 1}, {"id": 2}]}}, {"expect": {"value": 3}}],
            "responses": [page(&two, "0-1/3"), page(&json!([{"id": 2}]), "2-2/3"),
                page(&two, "0-1/3"), page(&json!([{"id": 2}]), "2-2/3"), page(&json!([]), "0-0/3")],
            "requests": [{"query": ["limit=2", "offset=0"]}, {"query": ["limit=2", "offset=2"]},
                {"query": ["limit=2", "offset=0"]}, {"query": ["limit=2", "offset=2"]},
                {"query": ["limit=0", "offset=0"]}],
        }),
        "page-17" => json!({
            "program": [{}, {"expect": {"value": [{"id": 0}]}},
                {"expect": {"value": [{"id": 0}, {"id": 1}, {"id": 2}, {"id": 3}]}}],
            "responses": [page(&two, "0-1/4"), page(&two, "0-1/4"), page(&json!([{"id": 2}, {"id": 3}]), "2-3/4")],
            "requests": [{"query": ["limit=2", "offset=0"]}, {"query": ["limit=2", "offset=0"]},
                {"query": ["limit=2", "offset=2"]}],
        }),
        "page-18" => json!({
            "program": [{}, {"expect": {"error": {"kind": "api", "status_code": 400}}},
                {"expect": {"value": [{"id": 0}, {"id": 1}, {"id": 2}]}}],
            "responses": [page(&two, "0-1/3"), {"status": 400, "json": {}},
                page(&two, "0-1/3"), page(&json!([{"id": 2}]), "2-2/3")],
            "requests": [{"query": ["limit=2", "offset=0"]}, {"query": ["limit=2", "offset=2"]},
                {"query": ["limit=2", "offset=0"]}, {"query": ["limit=2", "offset=2"]}],
        }),
        "page-19" => json!({
            "program": [{}, {"expect": {"value": [{"id": 0}, {"id": 1}, {"id": 2}]}},
                {"expect": {"value": [{"id": 0}, {"id": 1}, {"id": 2}]}}],
            "responses": [page(&two, "0-1/3"), page(&json!([{"id": 2}]), "2-2/3"),
                page(&two, "0-1/3"), page(&json!([{"id": 2}]), "2-2/3")],
            "requests": [{}, {}, {}, {}],
        }),
        // No more is asked for than the slice has.
        "page-35" => json!({
            "program": [{"expect": {"value": [{"id": 0}, {"id": 1}, {"id": 2}]}}],
            "requests": [{"query": ["limit=3", "offset=0"]}],
        }),
        // A slice counts its own objects; the total is the page's range.
        "page-36" => {
            json!({"program": [{"expect": {"value": 10}}], "requests": [{"query": ["limit=0", "offset=0"]}]})
        }
        // What is picked is picked by each reader of its own.
        "page-38" => json!({
            "program": [{}, {"expect": {"value": [{"id": 1}]}}, {"expect": {"value": [{"id": 1}]}},
                {"expect": {"value": {"id": 1}}}],
            "responses": [page(&json!([{"id": 1, "n": 3}]), "0-0/1"), page(&json!([{"id": 1, "n": 3}]), "0-0/1"),
                page(&json!([{"id": 1, "n": 3}]), "0-0/1")],
            "requests": [{}, {}, {"query": ["limit=1", "offset=0"]}],
        }),
        "page-39" => json!({
            "responses": [page(&json!([{"id": 0}]), "0-0/2")],
            "requests": [{"query": ["limit=1", "offset=0"]}],
        }),
        // A POST may have had its effect, so it is sent once.
        "retry-09" => json!({
            "program": [{"expect": {"error": {"kind": "api", "status_code": 500}}}],
            "requests": [{}],
        }),
        "retry-07" => {
            json!({"program": [{"expect": {"error": {"kind": "api", "status_code": 502}}}], "requests": [{}]})
        }
        "retry-05" => {
            json!({"program": [{"expect": {"value": {"id": "X"}}}], "requests": [{}, {}], "min_wait_ms": 990})
        }
        _ => return None,
    })
}

fn page(items: &Value, range: &str) -> Value {
    json!({"status": 200, "json": items, "headers": {"Content-Range": format!("items {range}")}})
}

fn cases() -> Vec<Value> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/openapi-client-cases.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var_os("CI").is_none(), "{} is missing", path.display());
        return Vec::new();
    };
    let mut file: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(file["cases"].take()).unwrap()
}

async fn play(case: &Value) -> Result<(), String> {
    let id = case["id"].as_str().unwrap();
    let better = different(id).or_else(|| case.get("better").cloned()).unwrap_or_default();
    let exchanges = case["exchanges"].as_array().unwrap();
    let responses: Vec<Value> = match better["responses"].as_array() {
        Some(responses) => responses.clone(),
        None => exchanges.iter().map(|exchange| exchange["response"].clone()).collect(),
    };
    let server = Server::start(responses).await;
    let started = Instant::now();
    program::run(case, &better["program"], &server.endpoint()).await?;
    let waited = started.elapsed().as_millis();
    if let Some(least) = better["min_wait_ms"].as_u64() {
        compare::check(waited >= u128::from(least), || format!("it took {waited} ms, not {least}"))?;
    }
    let recorded: Vec<Value> = exchanges
        .iter()
        .filter(|exchange| exchange.get("request").is_some())
        .map(|exchange| exchange["request"].clone())
        .collect();
    let is_changed = better["requests"].is_array();
    let requests = better["requests"].as_array().unwrap_or(&recorded);
    let seen = server.seen();
    compare::check(seen.len() == requests.len(), || {
        format!("{} requests instead of {}: {seen:#?}", seen.len(), requests.len())
    })?;
    for (index, (seen, wanted)) in seen.iter().zip(requests).enumerate() {
        // Of a better request only some members are named; the rest is as it was recorded.
        let mut whole = recorded.get(index).cloned().unwrap_or_default();
        for (name, value) in wanted.as_object().unwrap() {
            whole[name] = value.clone();
        }
        let compared = if is_changed { wanted } else { &whole };
        compare::request(seen, compared).map_err(|error| format!("request {index}: {error}\n{seen:#?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn every_recorded_case_is_played() {
    let cases = cases();
    let mut failures = BTreeMap::new();
    let mut played = 0;
    let is_left_out = |case: &&Value| LEFT_OUT.iter().any(|(left_out, _)| case["id"] == *left_out);
    for case in cases.iter().filter(is_left_out) {
        assert_eq!(case["conformance"], "info", "{}: only facts are left out", case["id"]);
    }
    let plays = cases.iter().filter(|case| !is_left_out(case)).map(async |case| (case, play(case).await));
    let mut plays = stream::iter(plays).buffer_unordered(16);
    while let Some((case, outcome)) = plays.next().await {
        played += 1;
        if let Err(error) = outcome {
            failures.insert(case["id"].to_string(), error);
        }
    }
    for (id, error) in &failures {
        eprintln!("{id}: {error}\n");
    }
    assert!(failures.is_empty(), "{} of {played} cases: {:?}", failures.len(), failures.keys());
    assert_eq!(played + LEFT_OUT.len() * usize::from(!cases.is_empty()), cases.len());
}
