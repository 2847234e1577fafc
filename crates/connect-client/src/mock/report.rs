//! What a test that failed is told.

use std::fmt::Write as _;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::{MockCall, expectation::Expected};

/// In the order of the names, which says nothing in JSON: else equal objects would differ.
fn pretty(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

fn body(call: &MockCall) -> String {
    match call.json() {
        Some(body) => pretty(&body),
        None if call.parts.is_empty() => String::from_utf8_lossy(&call.body).into_owned(),
        None => call
            .parts
            .iter()
            .map(|part| part.name.as_str())
            .fold("parts:".to_owned(), |all, name| all + " " + name),
    }
}

/// Lines that only the first has begin with `-`, lines that only the second has with `+`.
fn diff(expected: &str, came: &str) -> String {
    let diff = TextDiff::from_lines(expected, came);
    diff.iter_all_changes().fold(String::new(), |mut text, change| {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        let _ = writeln!(text, "      {sign} {}", change.value().trim_end_matches('\n'));
        text
    })
}

/// A call that nobody expected, beside the expectation that is nearest to it.
pub(super) fn unexpected(call: &MockCall, expected: &[Expected]) -> String {
    let mut text = format!("the mock did not expect {} {}", call.method, call.path);
    let query = call.asked().collect::<Vec<_>>().join("&");
    if !query.is_empty() {
        let _ = write!(text, "?{query}");
    }
    let Some(nearest) = expected.iter().min_by_key(|expected| expected.distance(call)) else {
        return text + "; it expects nothing at all";
    };
    let _ = write!(text, "\n    nearest: {} {}", nearest.method, nearest.path);
    if !nearest.query_text().is_empty() {
        let _ = write!(text, "?{}", nearest.query_text());
    }
    if nearest.matches(call) {
        let _ = write!(text, ", which came {} times already", nearest.came);
    }
    for (name, value) in &nearest.headers {
        let own = call.headers.get(name).map(|own| String::from_utf8_lossy(own.as_bytes()));
        match own {
            Some(own) if own == value.as_str() => {}
            Some(own) => {
                let _ = write!(text, "\n    header {name}: expected {value:?}, came {own:?}");
            }
            None => {
                let _ = write!(text, "\n    header {name}: expected {value:?}, came none");
            }
        }
    }
    if let Some(wanted) = &nearest.body
        && call.json().as_ref() != Some(wanted)
    {
        let _ = write!(text, "\n    body (- expected, + came):\n{}", diff(&pretty(wanted), &body(call)));
    }
    text.trim_end().to_owned()
}

/// All that went wrong, if anything did.
pub(super) fn whole(unexpected: &[String], expected: &[Expected]) -> Option<String> {
    let mut problems: Vec<String> = unexpected.to_vec();
    for expected in expected.iter().filter(|expected| !expected.is_met()) {
        let mut call = format!("{} {}", expected.method, expected.path);
        if !expected.query_text().is_empty() {
            let _ = write!(call, "?{}", expected.query_text());
        }
        let times = match expected.times().start() {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        problems.push(format!("{call} was expected {times}, and came {} times", expected.came));
    }
    (!problems.is_empty()).then(|| format!("ClientMock:\n  {}", problems.join("\n  ")))
}
