use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::wire::{ResultType, TaskOutput};

/// A text that goes with a response, or none.
///
/// `BackgroundResponse::fail("no stock")`, `BackgroundResponse::skip(None)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output(Option<String>);

impl From<&str> for Output {
    fn from(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self(Some(text))
    }
}

impl From<Option<String>> for Output {
    fn from(text: Option<String>) -> Self {
        Self(text)
    }
}

/// What a handler answers: one type per category of events.
///
/// ```
/// use connect_model::{BackgroundResponse, Response, wire::ResultType};
///
/// let output = BackgroundResponse::done().into_output();
/// assert_eq!(output.result, ResultType::Success);
/// ```
pub trait Response: Send + 'static {
    /// The answer as it goes to Connect; the runner adds the time it took.
    fn into_output(self) -> TaskOutput;
}

/// The shortest delay Connect takes for a reschedule.
const RESCHEDULE_FLOOR: Duration = Duration::from_secs(30);
/// The shortest delay Connect takes for the reschedule of a slow process.
const SLOW_PROCESS_FLOOR: Duration = Duration::from_secs(300);

/// Whole seconds, rounded up: a task must not come back before its time.
fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0))
}

/// The answer to a background event.
///
/// ```
/// use std::time::Duration;
/// use connect_model::BackgroundResponse;
///
/// let later = BackgroundResponse::reschedule(Duration::from_secs(5));
/// assert_eq!(later.countdown(), Some(Duration::from_secs(30)), "raised to Connect's minimum");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a response does nothing until the handler returns it"]
pub struct BackgroundResponse {
    result: ResultType,
    output: Option<String>,
    countdown: u64,
}

impl BackgroundResponse {
    fn new(result: ResultType, output: Output) -> Self {
        Self { result, output: output.0, countdown: 0 }
    }

    /// All is done: Connect sends no task for this event again.
    pub fn done() -> Self {
        Self::new(ResultType::Success, Output(None))
    }

    /// A final failure, with the reason that Connect shows.
    pub fn fail(output: impl Into<Output>) -> Self {
        Self::new(ResultType::Fail, output.into())
    }

    /// Nothing to do for this extension, with the reason that Connect shows.
    pub fn skip(output: impl Into<Output>) -> Self {
        Self::new(ResultType::Skip, output.into())
    }

    /// Send the task again after this delay; at least 30 s, which Connect demands.
    pub fn reschedule(delay: Duration) -> Self {
        Self {
            countdown: whole_seconds(delay.max(RESCHEDULE_FLOOR)),
            ..Self::new(ResultType::Reschedule, Output(None))
        }
    }

    /// Send the task again after this delay, for work that takes long; at least 300 s, which Connect demands.
    pub fn slow_process_reschedule(delay: Duration) -> Self {
        Self {
            countdown: whole_seconds(delay.max(SLOW_PROCESS_FLOOR)),
            ..Self::new(ResultType::Reschedule, Output(None))
        }
    }

    /// What kind of answer it is.
    #[must_use]
    pub fn result(&self) -> &ResultType {
        &self.result
    }

    /// The text that goes with it.
    #[must_use]
    pub fn output(&self) -> Option<&str> {
        self.output.as_deref()
    }

    /// The delay of a reschedule.
    #[must_use]
    pub fn countdown(&self) -> Option<Duration> {
        (self.result == ResultType::Reschedule).then(|| Duration::from_secs(self.countdown))
    }
}

impl Response for BackgroundResponse {
    fn into_output(self) -> TaskOutput {
        TaskOutput { message: self.output, countdown: self.countdown, ..TaskOutput::new(self.result) }
    }
}

/// The answer to a scheduled event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a response does nothing until the handler returns it"]
pub struct ScheduledExecutionResponse(BackgroundResponse);

impl ScheduledExecutionResponse {
    /// All is done.
    pub fn done() -> Self {
        Self(BackgroundResponse::done())
    }

    /// A final failure, with the reason that Connect shows.
    pub fn fail(output: impl Into<Output>) -> Self {
        Self(BackgroundResponse::fail(output))
    }

    /// Run again after this delay; at least 30 s.
    pub fn reschedule(delay: Duration) -> Self {
        Self(BackgroundResponse::reschedule(delay))
    }

    /// Run again after this delay, for work that takes long; at least 300 s.
    pub fn slow_process_reschedule(delay: Duration) -> Self {
        Self(BackgroundResponse::slow_process_reschedule(delay))
    }

    /// What kind of answer it is.
    #[must_use]
    pub fn result(&self) -> &ResultType {
        self.0.result()
    }

    /// The text that goes with it.
    #[must_use]
    pub fn output(&self) -> Option<&str> {
        self.0.output()
    }
}

impl Response for ScheduledExecutionResponse {
    fn into_output(self) -> TaskOutput {
        self.0.into_output()
    }
}

/// The HTTP answer that Connect passes on for an interactive event.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct HttpAnswer {
    http_status: u16,
    headers: Option<Map<String, Value>>,
    body: Value,
}

/// The answer to an interactive event: what Connect returns to the caller over HTTP.
///
/// ```
/// use connect_model::InteractiveResponse;
///
/// let to_the_panel = InteractiveResponse::redirect("https://panel.example.com");
/// let as_json = InteractiveResponse::json(serde_json::json!({"seats": 3}));
/// # let _ = (to_the_panel, as_json);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a response does nothing until the handler returns it"]
pub struct InteractiveResponse {
    result: ResultType,
    answer: HttpAnswer,
    output: Option<String>,
}

impl InteractiveResponse {
    fn new(result: ResultType, http_status: u16, output: Output) -> Self {
        Self {
            result,
            answer: HttpAnswer { http_status, headers: None, body: Value::Null },
            output: output.0,
        }
    }

    /// A success: status 200, no headers, no body.
    pub fn done() -> Self {
        Self::new(ResultType::Success, 200, Output(None))
    }

    /// A failure: status 400, no headers, no body; the output is what Connect shows for the task.
    pub fn fail(output: impl Into<Output>) -> Self {
        Self::new(ResultType::Fail, 400, output.into())
    }

    /// Sends the caller's browser to another address: status 302.
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::done().status(302).header("Location", location)
    }

    /// A success with a body of JSON: status 200, `Content-Type: application/json`.
    pub fn json(body: impl Into<Value>) -> Self {
        Self::done().header("Content-Type", "application/json").body(body)
    }

    /// Sets the HTTP status.
    pub fn status(mut self, status: u16) -> Self {
        self.answer.http_status = status;
        self
    }

    /// Adds a header; a header of that name is replaced.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.answer.headers.get_or_insert_default().insert(name.into(), Value::String(value.into()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Value>) -> Self {
        self.answer.body = body.into();
        self
    }

    /// What kind of answer it is.
    #[must_use]
    pub fn result(&self) -> &ResultType {
        &self.result
    }
}

impl Response for InteractiveResponse {
    fn into_output(self) -> TaskOutput {
        let HttpAnswer { http_status, headers, body } = self.answer;
        let data = [
            ("http_status", Value::from(http_status)),
            ("headers", headers.map_or(Value::Null, Value::Object)),
            ("body", body),
        ];
        let data = data.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        TaskOutput { data: Some(Value::Object(data)), message: self.output, ..TaskOutput::new(self.result) }
    }
}

/// The answer to a validation event: the object, with `value_error` set on each parameter that is not right.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a response does nothing until the handler returns it"]
pub struct ValidationResponse(InteractiveResponse);

impl ValidationResponse {
    /// The object was validated; errors in its values are part of it.
    pub fn done(object: impl Into<Value>) -> Self {
        Self(InteractiveResponse::done().body(object))
    }

    /// The object could not be validated; status 400, with the object as it came.
    pub fn fail(object: impl Into<Value>, output: impl Into<Output>) -> Self {
        Self(InteractiveResponse::fail(output).body(object))
    }

    /// What kind of answer it is.
    #[must_use]
    pub fn result(&self) -> &ResultType {
        self.0.result()
    }
}

impl Response for ValidationResponse {
    fn into_output(self) -> TaskOutput {
        self.0.into_output()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn delays_are_raised_to_connects_minimum_and_rounded_up() {
        let seconds = |response: BackgroundResponse| response.into_output().countdown;
        assert_eq!(seconds(BackgroundResponse::reschedule(Duration::ZERO)), 30);
        assert_eq!(seconds(BackgroundResponse::reschedule(Duration::from_secs(45))), 45);
        assert_eq!(seconds(BackgroundResponse::reschedule(Duration::from_millis(45_001))), 46);
        assert_eq!(seconds(BackgroundResponse::slow_process_reschedule(Duration::from_secs(10))), 300);
        assert_eq!(seconds(BackgroundResponse::slow_process_reschedule(Duration::from_secs(900))), 900);
        assert_eq!(
            ScheduledExecutionResponse::reschedule(Duration::from_secs(60)).into_output().countdown,
            60
        );
        assert_eq!(BackgroundResponse::reschedule(Duration::MAX).into_output().countdown, u64::MAX);
    }

    #[test]
    fn output_is_the_message() {
        assert_eq!(BackgroundResponse::fail("no stock").into_output().message.as_deref(), Some("no stock"));
        assert_eq!(BackgroundResponse::skip(None).into_output().message, None);
    }

    #[test]
    fn an_interactive_answer_is_an_http_answer() {
        let output = InteractiveResponse::redirect("https://example.com").into_output();
        assert_eq!(
            output.data,
            Some(json!({"http_status": 302, "headers": {"Location": "https://example.com"}, "body": null}))
        );
        let output = ValidationResponse::fail(json!({"id": "PR-1"}), "bad domain").into_output();
        assert_eq!(output.data, Some(json!({"http_status": 400, "headers": null, "body": {"id": "PR-1"}})));
        assert_eq!(output.message.as_deref(), Some("bad domain"));
    }
}
