//! Tasks, as Connect's REST tells them.

use std::time::SystemTime;

use connect_model::wire::ResultType;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{AttemptRecord, TaskRecord};

/// How much of an output Connect keeps, in characters.
const LONGEST_OUTPUT: usize = 4_000;

/// What all tasks of an environment say of it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) environment: Value,
    pub(crate) owner: Value,
}

/// A task; `installation` is the one it was made for.
pub(crate) fn task(record: &TaskRecord, place: &Place, installation: Option<&Value>) -> Value {
    let answered = || record.attempts.iter().filter_map(|attempt| attempt.output.as_ref());
    let runtimes = || answered().map(|output| output.runtime).filter(|runtime| runtime.is_finite());
    let last = record.attempts.last();
    let output = last.and_then(|attempt| attempt.output.as_ref()?.message.as_deref());
    let rescheduled =
        |attempt: &&AttemptRecord| {
            attempt.output.as_ref().is_some_and(|output| output.result == ResultType::Reschedule)
        };
    let mut events = json!({"created": at(record.created), "updated": at(record.updated)});
    let told = [
        ("assigned", last.map(|attempt| attempt.started)),
        ("completed", record.status.is_over().then_some(record.updated)),
        ("rescheduled", record.attempts.iter().rev().find(rescheduled).and_then(|attempt| attempt.ended)),
    ];
    if let Some(members) = events.as_object_mut() {
        for (name, time) in told {
            members.extend(time.map(|time| (name.to_owned(), at(time))));
        }
    }
    let processing = record.attempts.iter().filter_map(|own| own.ended?.duration_since(own.started).ok());
    let mut task = json!({
        "id": record.id,
        "object": {"id": record.object_id, "type": record.event_type, "category": record.category},
        "status": record.status.as_str(),
        "assignee": last.map(|attempt| &attempt.instance),
        "output": output.map(|text| text.chars().take(LONGEST_OUTPUT).collect::<String>()),
        "environment": place.environment,
        "owner": place.owner,
        "retry_count": record.retries,
        "rescheduled_count": record.attempts.iter().filter(rescheduled).count(),
        "runtime_total": runtimes().reduce(|sum, runtime| sum + runtime),
        "runtime_min": runtimes().reduce(f64::min),
        "runtime_max": runtimes().reduce(f64::max),
        "processing_total": processing.sum::<std::time::Duration>().as_secs_f64().to_string(),
        "events": events,
    });
    if let (Some(installation), Some(members)) = (installation, task.as_object_mut()) {
        let reference = json!({"id": installation["id"], "owner": installation["owner"], "status": installation["status"]});
        members.insert("installation".to_owned(), reference);
    }
    task
}

fn at(time: SystemTime) -> Value {
    let time = Timestamp::try_from(time).map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
    json!({"at": time.unwrap_or_default()})
}
