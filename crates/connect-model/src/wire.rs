//! The messages of the devops WebSocket, version 2.
//!
//! Source of the wire: `connect-eaas-core` (`proto.py`) and frames recorded from `connect-extension-runner`. Members
//! that this version does not know are kept where they have to go back (the options and input of a task).

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::macros::open_enum;

/// The protocol version of every message.
pub const VERSION: u64 = 2;

/// A text that no log, error or panic shows.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// One message, either way.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// Runner to Connect: what the extension handles.
    SetupRequest(Box<SetupRequest>),
    /// Connect to runner: variables, log levels, event definitions; again whenever they changed.
    SetupResponse(Box<SetupResponse>),
    /// Connect to runner: a task; runner to Connect: the same task with its output.
    Task(Box<Task>),
    /// Either way: no more tasks, finish what runs.
    Shutdown,
    /// A message of a type that this version does not know, by that type.
    Other(String),
}

/// Why a frame is no message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The frame is not JSON, or no object with a `message_type`.
    #[error("not a message: {0}")]
    NotAMessage(String),
    /// The message is of a known type, yet its data is not what that type needs.
    #[error("a malformed {message_type} message: {reason}")]
    Malformed {
        /// The type of the message.
        message_type: String,
        /// What is wrong with it.
        reason: String,
        /// For a task: what of it could be read, if that is enough to answer it.
        task: Option<Box<Task>>,
    },
}

#[derive(Deserialize)]
struct Envelope {
    message_type: String,
    #[serde(default)]
    data: Value,
}

impl Message {
    /// Reads a frame.
    pub fn parse(frame: &str) -> Result<Self, MessageError> {
        let Envelope { message_type, data } =
            serde_json::from_str(frame).map_err(|error| MessageError::NotAMessage(error.to_string()))?;
        Ok(match message_type.as_str() {
            "setup_request" => Self::SetupRequest(typed(message_type, &data)?),
            "setup_response" => Self::SetupResponse(typed(message_type, &data)?),
            "task" => Self::Task(typed(message_type, &data)?),
            "shutdown" => Self::Shutdown,
            _ => Self::Other(message_type),
        })
    }

    /// Writes the frame.
    #[must_use]
    pub fn to_frame(&self) -> String {
        match self {
            Self::SetupRequest(data) => envelope("setup_request", data),
            Self::SetupResponse(data) => envelope("setup_response", data),
            Self::Task(data) => envelope("task", data),
            Self::Shutdown => envelope("shutdown", &()),
            Self::Other(message_type) => envelope(message_type, &()),
        }
        .to_string()
    }
}

fn typed<T: DeserializeOwned>(message_type: String, data: &Value) -> Result<Box<T>, MessageError> {
    T::deserialize(data).map(Box::new).map_err(|error| MessageError::Malformed {
        reason: error.to_string(),
        task: (message_type == "task").then(|| Task::salvage(data)).flatten().map(Box::new),
        message_type,
    })
}

fn envelope(message_type: &str, data: &impl Serialize) -> Value {
    let mut data = json!(data);
    if let Value::Object(members) = &mut data {
        members.insert("model_type".to_owned(), message_type.into());
    }
    json!({"version": VERSION, "message_type": message_type, "data": data})
}

/// What an extension tells Connect when it connects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SetupRequest {
    /// Event types with the statuses of their objects; no statuses for interactive events.
    #[serde(default)]
    pub event_subscriptions: Option<BTreeMap<String, Vec<String>>>,
    /// Web applications only.
    #[serde(default)]
    pub ui_modules: Option<Value>,
    /// Web applications only.
    #[serde(default)]
    pub icon: Option<String>,
    /// The variables the extension wants.
    #[serde(default)]
    pub variables: Option<Vec<DeclaredVariable>>,
    /// The methods that a schedule may name.
    #[serde(default)]
    pub schedulables: Option<Vec<Schedulable>>,
    /// Anvil applications only.
    #[serde(default)]
    pub anvil_callables: Option<Vec<Value>>,
    /// Transformation applications only.
    #[serde(default)]
    pub transformations: Option<Vec<Value>>,
    /// Who may install the extension: vendor, distributor, reseller.
    #[serde(default)]
    pub audience: Option<Vec<String>>,
    /// Where its texts are.
    #[serde(default)]
    pub repository: Option<Repository>,
    /// The version of the runner.
    #[serde(default)]
    pub runner_version: Option<String>,
    /// Web applications only.
    #[serde(default)]
    pub proxied_connect_api: Option<Value>,
}

/// A variable that an extension declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredVariable {
    /// Its name.
    pub name: String,
    /// The value it gets where nobody set one.
    pub initial_value: Secret,
    /// Whether Connect hides its value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secure: bool,
}

/// A method that a schedule may name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedulable {
    /// The key by which a schedule names it.
    pub method: String,
    /// Its name for people.
    pub name: String,
    /// What it does.
    pub description: String,
}

/// Where the texts of an extension are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The address of its readme.
    #[serde(default)]
    pub readme_url: Option<String>,
    /// The address of its changelog.
    #[serde(default)]
    pub changelog_url: Option<String>,
}

/// What Connect tells an extension: at the handshake, and again whenever something changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SetupResponse {
    /// The variables with their values.
    #[serde(default)]
    pub variables: Option<Vec<Variable>>,
    /// development, test or production.
    #[serde(default)]
    pub environment_type: Option<String>,
    /// How to log.
    #[serde(default)]
    pub logging: Option<Logging>,
    /// Where the objects of the subscribed events are.
    #[serde(default)]
    pub event_definitions: Option<Vec<EventDefinition>>,
    /// local or cloud.
    #[serde(default)]
    pub environment_runtime: Option<String>,
    /// Web applications only.
    #[serde(default)]
    pub environment_hostname: Option<String>,
    /// Web applications only.
    #[serde(default)]
    pub environment_domain: Option<String>,
}

/// A variable with its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value; hidden from logs whether secure or not.
    #[serde(default)]
    pub value: Option<Secret>,
    /// Whether Connect hides its value.
    #[serde(default)]
    pub secure: Option<bool>,
}

/// How to log, and what to say about the extension.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Logging {
    /// The key of the log collector.
    #[serde(default)]
    pub logging_api_key: Option<Secret>,
    /// The level of the extension's own messages.
    #[serde(default)]
    pub log_level: Option<String>,
    /// The level of the runner's messages.
    #[serde(default)]
    pub runner_log_level: Option<String>,
    /// Fields for every log line.
    #[serde(default)]
    pub meta: Option<LoggingMeta>,
}

/// Who and what the extension is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggingMeta {
    /// The release that runs.
    #[serde(default)]
    pub repository_tag: Option<String>,
    /// The account that owns the extension.
    #[serde(default)]
    pub account_id: Option<String>,
    /// Its name.
    #[serde(default)]
    pub account_name: Option<String>,
    /// The extension (`SRVC-…`); paths below `devops/services` are made of it.
    #[serde(default)]
    pub service_id: Option<String>,
    /// The products it is for.
    #[serde(default)]
    pub products: Option<Vec<String>>,
    /// The hub it is for.
    #[serde(default)]
    pub hub_id: Option<String>,
}

/// Where the objects of an event are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDefinition {
    /// The event type.
    pub event_type: String,
    /// The path of one object, `{pk}` standing for its id.
    #[serde(default)]
    pub api_resource_endpoint: Option<String>,
    /// The path of the collection.
    #[serde(default)]
    pub api_collection_endpoint: Option<String>,
    /// An RQL filter, `${_object_id_}` standing for the object's id and `${_statuses_}` for the subscribed statuses.
    #[serde(default)]
    pub api_collection_filter: Option<String>,
}

impl EventDefinition {
    /// The filter that finds the object while it is still in one of the statuses.
    #[must_use]
    pub fn filter(&self, object_id: &str, statuses: &[String]) -> Option<String> {
        let template = self.api_collection_filter.as_ref()?;
        let statuses = format!("({})", statuses.join(","));
        Some(template.replace("${_object_id_}", object_id).replace("${_statuses_}", &statuses))
    }
}

open_enum! {
    /// How a task is to be handled.
    TaskCategory {
        /// Fetch the object, take the time it needs.
        Background = "background",
        /// Somebody waits; the data is in the task.
        Interactive = "interactive",
        /// A schedule fired.
        Scheduled = "scheduled",
    }

    /// How a task ended.
    ResultType {
        /// Done.
        Success = "success",
        /// Failed for good.
        Fail = "fail",
        /// Not for this extension, or no longer.
        Skip = "skip",
        /// To be sent again after the countdown.
        Reschedule = "reschedule",
        /// To be sent again when Connect sees fit: the attempt broke.
        Retry = "retry",
    }
}

/// A task: what to do, and once done, how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Whose task it is; goes back unchanged.
    pub options: TaskOptions,
    /// What it is about; goes back unchanged.
    pub input: TaskInput,
    /// How it ended; none while it is to be done.
    #[serde(default)]
    pub output: Option<TaskOutput>,
}

impl Task {
    /// Enough of a malformed task to answer it: its id.
    fn salvage(data: &Value) -> Option<Self> {
        let text = |path: &str| data.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let members = |key: &str, without: &[&str]| {
            let mut members = data.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
            members.retain(|name, _| !without.contains(&name.as_str()));
            members
        };
        Some(Self {
            options: TaskOptions {
                task_id: text("/options/task_id").filter(|id| !id.is_empty())?,
                task_category: text("/options/task_category").unwrap_or_default().as_str().into(),
                correlation_id: text("/options/correlation_id"),
                reply_to: text("/options/reply_to"),
                api_key: text("/options/api_key").map(Secret),
                installation_id: text("/options/installation_id"),
                connect_correlation_id: text("/options/connect_correlation_id"),
                extra: members("options", &TaskOptions::NAMES),
            },
            input: TaskInput {
                event_type: text("/input/event_type").unwrap_or_default(),
                object_id: text("/input/object_id").unwrap_or_default(),
                data: data.pointer("/input/data").cloned().filter(|data| !data.is_null()),
                extra: members("input", &TaskInput::NAMES),
            },
            output: None,
        })
    }
}

/// Whose task it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskOptions {
    /// The task (`TQ-…`).
    pub task_id: String,
    /// How it is to be handled.
    pub task_category: TaskCategory,
    /// Connect's own; goes back.
    #[serde(default)]
    pub correlation_id: Option<String>,
    /// Connect's own; goes back.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The key of the account that installed the extension, for multi-account extensions.
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// The installation the task is for, for multi-account extensions.
    #[serde(default)]
    pub installation_id: Option<String>,
    /// The W3C trace context of the event in Connect.
    #[serde(default)]
    pub connect_correlation_id: Option<String>,
    /// What this version does not know; goes back.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl TaskOptions {
    const NAMES: [&str; 7] = [
        "task_id",
        "task_category",
        "correlation_id",
        "reply_to",
        "api_key",
        "installation_id",
        "connect_correlation_id",
    ];
}

/// What a task is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskInput {
    /// The event type.
    pub event_type: String,
    /// The object the event is about.
    pub object_id: String,
    /// The data of an interactive event.
    #[serde(default)]
    pub data: Option<Value>,
    /// What this version does not know; goes back.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl TaskInput {
    const NAMES: [&str; 3] = ["event_type", "object_id", "data"];
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskOutput {
    /// The kind of end.
    pub result: ResultType,
    /// The HTTP answer of an interactive task.
    #[serde(default)]
    pub data: Option<Value>,
    /// The delay of a reschedule, in seconds; 0 otherwise.
    #[serde(default)]
    pub countdown: u64,
    /// How long the handler took, in seconds.
    #[serde(default)]
    pub runtime: f64,
    /// What Connect shows for the task; at most [`MESSAGE_LIMIT`] characters.
    #[serde(default)]
    pub message: Option<String>,
}

/// The longest message of a task's output, in characters.
pub const MESSAGE_LIMIT: usize = 4_000;

impl TaskOutput {
    /// An end without data, countdown, runtime and message.
    #[must_use]
    pub fn new(result: ResultType) -> Self {
        Self { result, data: None, countdown: 0, runtime: 0.0, message: None }
    }

    /// Sets the message, cut to [`MESSAGE_LIMIT`] characters.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self.cut_message();
        self
    }

    /// Cuts the message to [`MESSAGE_LIMIT`] characters.
    pub fn cut_message(&mut self) {
        if let Some(message) = &mut self.message
            && let Some((end, _)) = message.char_indices().nth(MESSAGE_LIMIT)
        {
            message.truncate(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_goes_back_as_it_came() {
        let frame = json!({"version": 2, "message_type": "task", "data": {
            "options": {"task_id": "TQ-1", "task_category": "background", "correlation_id": "c", "reply_to": "q",
                "api_key": null, "installation_id": null, "connect_correlation_id": null, "priority": 7},
            "input": {"event_type": "asset_purchase_request_processing", "object_id": "PR-1", "data": null},
            "output": null, "model_type": "task"}});
        let message = Message::parse(&frame.to_string()).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&message.to_frame()).unwrap(), frame);
    }

    #[test]
    fn frames_that_are_no_messages_say_why() {
        let error = |frame: &str| Message::parse(frame).unwrap_err().to_string();
        assert!(error("hello").starts_with("not a message: expected value"), "{}", error("hello"));
        assert!(error("[]").starts_with("not a message"));
        assert!(error(r#"{"version": 2}"#).contains("message_type"));
        assert_eq!(
            Message::parse(r#"{"message_type": "web_task"}"#).unwrap(),
            Message::Other("web_task".into())
        );
    }

    #[test]
    fn a_malformed_task_with_an_id_can_be_answered() {
        let frame = r#"{"message_type": "task", "data": {"options": {"task_id": "TQ-1", "shard": 3},
            "input": {"event_type": "e", "object_id": "PR-1", "data": {"a": 1}}}}"#;
        let Err(MessageError::Malformed { task: Some(task), reason, .. }) = Message::parse(frame) else {
            panic!("the task should have been salvaged")
        };
        assert!(reason.contains("task_category"), "{reason}");
        assert_eq!(task.options.task_id, "TQ-1");
        assert_eq!(task.options.extra["shard"], 3);
        let without_id = r#"{"message_type": "task", "data": {"options": {}}}"#;
        assert!(matches!(Message::parse(without_id), Err(MessageError::Malformed { task: None, .. })));
    }

    #[test]
    fn no_secret_is_shown() {
        let response: SetupResponse = serde_json::from_value(json!({
            "variables": [{"name": "PASSWORD", "value": "canary", "secure": true}],
            "logging": {"logging_api_key": "canary"},
        }))
        .unwrap();
        let options = TaskOptions { api_key: Some("canary".into()), ..TaskOptions::default() };
        let declared = DeclaredVariable { name: "A".into(), initial_value: "canary".into(), secure: true };
        assert!(!format!("{response:?} {options:?} {declared:?}").contains("canary"));
    }

    #[test]
    fn messages_are_cut_between_characters() {
        let output = TaskOutput::new(ResultType::Fail).with_message("é".repeat(MESSAGE_LIMIT + 1));
        assert_eq!(output.message.unwrap().chars().count(), MESSAGE_LIMIT);
    }
}
