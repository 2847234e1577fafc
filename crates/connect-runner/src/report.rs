use std::time::Duration;

use connect_model::wire::{ResultType, Task, TaskCategory};

/// How a task ended, for whoever watches the runner.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskReport {
    /// The task (`TQ-…`).
    pub task_id: String,
    /// How it was handled.
    pub category: TaskCategory,
    /// Its event.
    pub event_type: String,
    /// What it was about.
    pub object_id: String,
    /// The transaction that ran, where a saga selected one.
    pub transaction: Option<String>,
    /// The error that the transaction's compensation answered for.
    pub compensated: Option<String>,
    /// How it ended.
    pub result: ResultType,
    /// The text that went with it.
    pub message: Option<String>,
    /// The delay of a reschedule.
    pub countdown: Duration,
    /// How long it took, fetching its object included.
    pub elapsed: Duration,
}

impl TaskReport {
    pub(crate) fn new(task: &Task, scope: Option<&connect_container::Scope>, elapsed: Duration) -> Self {
        let output = task.output.as_ref();
        let annotation = |key| scope.and_then(|scope| scope.annotation(key));
        Self {
            task_id: task.options.task_id.clone(),
            category: task.options.task_category.clone(),
            event_type: task.input.event_type.clone(),
            object_id: task.input.object_id.clone(),
            transaction: annotation("transaction"),
            compensated: annotation("compensated"),
            result: output.map_or(ResultType::Retry, |output| output.result.clone()),
            message: output.and_then(|output| output.message.clone()),
            countdown: Duration::from_secs(output.map_or(0, |output| output.countdown)),
            elapsed,
        }
    }
}
