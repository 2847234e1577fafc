use std::time::SystemTime;

use connect_model::wire::{Secret, Task, TaskCategory, TaskInput, TaskOptions, TaskOutput};
use serde_json::Value;
use tokio::time::Instant;

/// Where a task stands, in Connect's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskStatus {
    /// In the queue.
    Scheduled,
    /// With a runner.
    Processing,
    /// Back in the queue after its countdown.
    Rescheduled,
    /// Back in the queue after an attempt that broke or was lost.
    Retrying,
    /// Done.
    Succeeded,
    /// Failed for good.
    Failed,
    /// Not for the extension.
    Skipped,
}

impl TaskStatus {
    /// Connect's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Processing => "processing",
            Self::Rescheduled => "rescheduled",
            Self::Retrying => "retrying",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// Whether nothing more comes of the task.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped)
    }
}

/// A task with all its attempts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskRecord {
    /// Its id (`TQ-…`).
    pub id: String,
    /// Its event.
    pub event_type: String,
    /// How it is handled.
    pub category: TaskCategory,
    /// What it is about.
    pub object_id: String,
    /// Where it stands.
    pub status: TaskStatus,
    /// What was tried, the oldest first.
    pub attempts: Vec<AttemptRecord>,
    /// When it was made.
    pub created: SystemTime,
    pub(crate) updated: SystemTime,
    pub(crate) retries: u32,
    pub(crate) data: Option<Value>,
    /// The object entered a status again while the task ran.
    pub(crate) again: bool,
    /// On whose behalf it is.
    pub(crate) installation: Option<InstallationKey>,
    /// The number of the deadline that it has, if any.
    pub(super) deadline: u64,
    /// Its place among those that wait.
    pub(super) waits: Option<(Instant, u64)>,
}

/// An installation, and the key of the account that has it.
#[derive(Clone, Debug)]
pub(crate) struct InstallationKey {
    pub(crate) id: String,
    pub(crate) api_key: Secret,
}

/// One attempt at a task.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptRecord {
    /// The instance that got it.
    pub instance: String,
    /// When it was sent.
    pub started: SystemTime,
    /// When it ended: its answer came, its time was over, or its connection was lost. None while it runs.
    pub ended: Option<SystemTime>,
    /// How it ended: result, runtime, message, countdown. None while it runs, or where no answer came: the connection
    /// was lost, or the time was over.
    pub output: Option<TaskOutput>,
}

impl TaskRecord {
    /// Whether it is to be given out.
    pub(crate) fn is_queued(&self) -> bool {
        matches!(self.status, TaskStatus::Scheduled | TaskStatus::Rescheduled | TaskStatus::Retrying)
    }

    /// The instance that a next attempt rather avoids: the last one did not end there.
    pub(crate) fn avoids(&self) -> Option<&str> {
        let last = self.attempts.last().filter(|_| self.status == TaskStatus::Retrying);
        last.map(|attempt| attempt.instance.as_str())
    }

    /// Notes that the last attempt ended without an answer.
    pub(crate) fn lost(&mut self, at: SystemTime) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.ended.get_or_insert(at);
        }
    }

    /// What a runner gets.
    pub(crate) fn message(&self) -> Task {
        Task {
            options: TaskOptions {
                task_id: self.id.clone(),
                task_category: self.category.clone(),
                correlation_id: Some(format!("{}-{}", self.id, self.attempts.len())),
                reply_to: Some("sandbox".to_owned()),
                api_key: self.installation.as_ref().map(|own| own.api_key.clone()),
                installation_id: self.installation.as_ref().map(|own| own.id.clone()),
                ..TaskOptions::default()
            },
            input: TaskInput {
                event_type: self.event_type.clone(),
                object_id: self.object_id.clone(),
                data: self.data.clone(),
                ..TaskInput::default()
            },
            output: None,
        }
    }
}
