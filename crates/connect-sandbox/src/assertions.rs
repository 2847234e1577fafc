//! What a test expects, and what it is told where that is not so.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{Sandbox, TaskRecord};

impl Sandbox {
    /// Asserts that a request, for an asset, a tier configuration or a tier account, has these members. Members that are not named may be anything, at any depth; the elements of
    /// a list are found by their `id`, or else by their other members, and there may be more of them; `null` is what is
    /// absent as well.
    ///
    /// # Panics
    ///
    /// Where it has not, with each difference and with what became of the request's tasks.
    #[track_caller]
    pub fn assert_request(&self, id: &str, expected: impl Into<Value>) {
        self.expect(id, "request", self.request(id), &expected.into());
    }

    /// Asserts the same of an asset, with the values that are in force.
    ///
    /// # Panics
    ///
    /// Where it is otherwise.
    #[track_caller]
    pub fn assert_asset(&self, id: &str, expected: impl Into<Value>) {
        self.expect(id, "asset", self.asset(id), &expected.into());
    }

    /// Asserts the same of a tier configuration.
    ///
    /// # Panics
    ///
    /// Where it is otherwise.
    #[track_caller]
    pub fn assert_tier_config(&self, id: &str, expected: impl Into<Value>) {
        self.expect(id, "tier configuration", self.tier_config(id), &expected.into());
    }

    #[allow(clippy::panic, reason = "an assertion")]
    #[track_caller]
    fn expect(&self, id: &str, what: &str, is: Option<Value>, expected: &Value) {
        let Some(is) = is else { panic!("there is no {what} {id}") };
        let mut differences = String::new();
        compare(expected, &is, "", &mut differences);
        if differences.is_empty() {
            return;
        }
        let mut text = format!("the {what} {id} is not as expected:\n{differences}");
        for task in &self.core.state().dispatcher.tasks_of(id) {
            history(task, &mut text);
        }
        panic!("{text}");
    }
}

fn compare(expected: &Value, is: &Value, path: &str, out: &mut String) {
    match (expected, is) {
        (Value::Object(members), Value::Object(_)) => {
            for (key, value) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(value, &is[key], &path, out);
            }
        }
        (Value::Array(elements), Value::Array(found))
            if !elements.is_empty() && elements.iter().all(Value::is_object) =>
        {
            for (at, element) in elements.iter().enumerate() {
                let fits = |candidate: &&Value| {
                    if let Some(id) = element.get("id") {
                        return candidate["id"] == *id;
                    }
                    let mut differences = String::new();
                    compare(element, candidate, "", &mut differences);
                    differences.is_empty()
                };
                let name =
                    element.get("id").and_then(Value::as_str).map_or_else(|| at.to_string(), str::to_owned);
                match found.iter().find(fits) {
                    Some(found) => compare(element, found, &format!("{path}[{name}]"), out),
                    None => drop(writeln!(
                        out,
                        "  {path}[{name}]: expected {element}, is in none of {}",
                        found.len()
                    )),
                }
            }
        }
        _ if expected == is => {}
        _ => drop(writeln!(out, "  {path}: expected {expected}, is {is}")),
    }
}

fn history(task: &TaskRecord, out: &mut String) {
    let _ = writeln!(out, "task {} ({}) is {}:", task.id, task.event_type, task.status.as_str());
    for (number, attempt) in task.attempts.iter().enumerate() {
        let end = match &attempt.output {
            Some(output) => {
                let message = output.message.as_deref().unwrap_or_default();
                let countdown = match output.countdown {
                    0 => String::new(),
                    seconds => format!(" in {seconds} s"),
                };
                format!("{}{countdown} {message}", output.result)
            }
            None if attempt.ended.is_some() => "no answer".to_owned(),
            None => "runs".to_owned(),
        };
        let _ = writeln!(out, "  attempt {}: {}", number + 1, end.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(expected: &Value, is: &Value) -> String {
        let mut out = String::new();
        compare(expected, is, "", &mut out);
        out
    }

    #[test]
    fn what_is_not_named_may_be_anything() {
        let is = json!({"status": "approved", "asset": {"params": [{"id": "a", "value": "1"}, {"id": "b", "value": "2"}],
            "items": [{"mpn": "X", "quantity": "1"}], "tags": ["x", "y"]}});
        for expected in [
            json!({}),
            json!({"status": "approved", "reason": null}),
            json!({"asset": {"params": [{"id": "b", "value": "2"}]}}),
            json!({"asset": {"items": [{"mpn": "X"}], "tags": ["x", "y"]}}),
        ] {
            assert_eq!(differences(&expected, &is), "", "{expected}");
        }
    }

    #[test]
    fn each_difference_says_where() {
        let is = json!({"status": "failed", "asset": {"params": [{"id": "a", "value": "1"}], "tags": ["x"]}});
        let expected = json!({"status": "approved",
            "asset": {"params": [{"id": "a", "value": "2"}, {"id": "b"}], "tags": []}});
        let told = differences(&expected, &is);
        for line in [
            "  status: expected \"approved\", is \"failed\"\n",
            "  asset.params[a].value: expected \"2\", is \"1\"\n",
            "  asset.params[b]: expected {\"id\":\"b\"}, is in none of 1\n",
            "  asset.tags: expected [], is [\"x\"]\n",
        ] {
            assert!(told.contains(line), "{told}");
        }
    }
}
