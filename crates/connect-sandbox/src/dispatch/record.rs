use std::time::SystemTime;

use connect_model::wire::{Task, TaskCategory, TaskInput, TaskOptions, TaskOutput};
use serde_json::Value;

/// Where a task stands, in Connect's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub(crate) retries: u32,
    pub(crate) data: Option<Value>,
    /// The object entered a status again while the task ran.
    pub(crate) again: bool,
}

/// One attempt at a task.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptRecord {
    /// The instance that got it.
    pub instance: String,
    /// When it was sent.
    pub started: SystemTime,
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

    /// What a runner gets.
    pub(crate) fn message(&self) -> Task {
        Task {
            options: TaskOptions {
                task_id: self.id.clone(),
                task_category: self.category.clone(),
                correlation_id: Some(format!("{}-{}", self.id, self.attempts.len())),
                reply_to: Some("sandbox".to_owned()),
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
