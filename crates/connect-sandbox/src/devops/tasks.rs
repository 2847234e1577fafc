//! Tasks, as Connect's REST tells them.

use std::time::SystemTime;

use connect_model::wire::ResultType;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{environments, installations::INSTALLATIONS};
use crate::{AttemptRecord, TaskRecord, api_error::ApiError, fulfillment::set, world::World};

/// How much of an output Connect keeps, in characters.
const LONGEST_OUTPUT: usize = 4_000;

/// What all tasks of an environment say of it.
#[derive(Debug)]
pub(crate) struct Place {
    environment: Value,
    owner: Value,
}

impl Place {
    pub(crate) fn of(world: &World<'_>) -> Result<Self, ApiError> {
        let environment = environments::reference(world, &world.state.devops.environment)?;
        let owner = environment["extension"]["owner"].clone();
        Ok(Self { environment, owner })
    }
}

/// A task as REST tells it.
pub(crate) fn view(world: &World<'_>, place: &Place, record: &TaskRecord) -> Result<Value, ApiError> {
    let installation = match &record.installation {
        Some(own) => world.find(INSTALLATIONS, &own.id)?,
        None => None,
    };
    let (live, clock) = (&world.state.devops, &world.state.clock);
    let mut view = task(record, place, installation.as_ref(), |time| clock.own(time));
    if let Some(attempt) = record.attempts.last() {
        set(&mut view, "assignee", live.instance(&attempt.instance));
    }
    Ok(view)
}

/// A task; `installation` is the one it was made for.
fn task(
    record: &TaskRecord,
    place: &Place,
    installation: Option<&Value>,
    own_time: impl Fn(SystemTime) -> Timestamp,
) -> Value {
    let at = |time| json!({"at": own_time(time).strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()});
    let answered = || record.attempts.iter().filter_map(|attempt| attempt.output.as_ref());
    let runtimes = || answered().map(|output| output.runtime).filter(|runtime| runtime.is_finite());
    let last = record.attempts.last();
    let output = last.and_then(|attempt| attempt.output.as_ref()?.message.as_deref());
    let rescheduled = |attempt: &&AttemptRecord| {
        attempt.output.as_ref().is_some_and(|output| output.result == ResultType::Reschedule)
    };
    let mut events = json!({"created": at(record.created), "updated": at(record.updated)});
    let told = [
        ("assigned", last.map(|attempt| attempt.started)),
        ("completed", record.status.is_over().then_some(record.updated)),
        ("rescheduled", record.attempts.iter().rev().find(rescheduled).and_then(|attempt| attempt.ended)),
    ];
    for (name, time) in told.into_iter().filter_map(|(name, time)| Some((name, time?))) {
        set(&mut events, name, at(time));
    }
    let processing = record.attempts.iter().filter_map(|own| own.ended?.duration_since(own.started).ok());
    let mut task = json!({
        "id": record.id,
        "object": {"id": record.object_id, "type": record.event_type, "category": record.category},
        "status": record.status.as_str(),
        "assignee": null,
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
    if let Some(installation) = installation {
        let [id, owner, status] = ["id", "owner", "status"].map(|member| &installation[member]);
        set(&mut task, "installation", json!({"id": id, "owner": owner, "status": status}));
    }
    task
}
