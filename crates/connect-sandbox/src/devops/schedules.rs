//! The schedules of the environment that runners connect as.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{environments, note, note_by, take_texts};
use crate::{
    api_error::ApiError,
    core::Timer,
    fulfillment::set,
    role::Role,
    schedule::next_trigger,
    store::{StoreError, id_of},
    who::wrong,
    world::{World, written},
};

pub(crate) const SCHEDULES: &str = "schedules";

const TEXTS: [(&str, usize); 3] = [("name", 256), ("description", 2_048), ("method", 256)];

const REQUIRED: &str = "This field is required.";

/// Makes a schedule, as REST does.
pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    if body["name"].as_str().is_none_or(str::is_empty) {
        return Err(wrong("name", REQUIRED));
    }
    // By hand alone is what the sandbox itself may want.
    if body["trigger"].is_null() && world.role() != Role::Platform {
        return Err(wrong("trigger", REQUIRED));
    }
    let mut schedule = json!({"description": null, "parameter": {}});
    take(world, &mut schedule, body)?;
    put(world, schedule)
}

/// Changes a schedule; what is not named stays.
pub(crate) fn update(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let mut schedule = world.get(SCHEDULES, id)?;
    take(world, &mut schedule, body)?;
    put(world, schedule)
}

fn take(world: &World<'_>, schedule: &mut Value, body: &Value) -> Result<(), ApiError> {
    take_texts(schedule, body, &TEXTS)?;
    match body.get("parameter") {
        None => {}
        Some(parameter @ (Value::Object(_) | Value::Null)) => set(schedule, "parameter", parameter.clone()),
        Some(_) => return Err(wrong("parameter", "Invalid data. Expected a dictionary.")),
    }
    if let Some(trigger) = body.get("trigger") {
        next_trigger_of(trigger, world.time())?;
        set(schedule, "trigger", trigger.clone());
    }
    Ok(())
}

/// When a trigger fires next; not at all where there is none, or it is over.
fn next_trigger_of(trigger: &Value, after: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    if trigger.is_null() {
        Ok(None)
    } else {
        next_trigger(trigger, after).map_err(|error| ApiError::bad("VAL_001", error))
    }
}

/// Adds a schedule, or puts another in its place, and sets its timer.
pub(crate) fn put(world: &mut World<'_>, mut schedule: Value) -> Result<Value, ApiError> {
    if !schedule.is_object() {
        return Err(ApiError::bad("VAL_001", "Invalid data. Expected a dictionary."));
    }
    let method = schedule["method"].as_str().filter(|method| !method.is_empty());
    let method = method.ok_or_else(|| wrong("method", REQUIRED))?;
    if world.state.schedulables.as_ref().is_some_and(|known| !known.iter().any(|known| known == method)) {
        return Err(wrong("method", &format!("\"{method}\" is no schedulable of the environment.")));
    }
    if schedule["id"].is_null() {
        let number = world.number()?;
        let id = format!("EFS-{}-{number:04}", world.state.devops.digits());
        set(&mut schedule, "id", id);
    }
    let id = id_of(&schedule).ok_or_else(|| wrong("id", "Not a valid string."))?.to_owned();
    let now = world.now();
    if schedule["environment"].is_null() {
        let own = world.state.devops.environment.clone();
        set(&mut schedule, "environment", environments::reference(world, &own)?);
    }
    if schedule["status"].is_null() {
        set(&mut schedule, "status", "enabled");
    }
    if schedule["events"]["created"].is_null() {
        note_by(&mut schedule, "created", &now, world.role());
    }
    note_by(&mut schedule, "updated", &now, world.role());
    let next = next_trigger_of(&schedule["trigger"], world.time())?.filter(|_| is_enabled(&schedule));
    note_next(&mut schedule, next);
    world.put(SCHEDULES, &schedule)?;
    world.state.set_timer(Timer::Schedule(id), next);
    Ok(schedule)
}

pub(crate) fn is_enabled(schedule: &Value) -> bool {
    !matches!(schedule["status"].as_str(), Some("disabled" | "obsolete"))
}

fn note_next(schedule: &mut Value, next: Option<Timestamp>) {
    match next {
        Some(next) => note(schedule, "next_trigger", &written(next)),
        None => {
            schedule
                .get_mut("events")
                .and_then(Value::as_object_mut)
                .and_then(|events| events.remove("next_trigger"));
        }
    }
}

pub(crate) fn set_enabled(world: &mut World<'_>, id: &str, enabled: bool) -> Result<Value, ApiError> {
    let mut schedule = world.get(SCHEDULES, id)?;
    if schedule["status"] == "obsolete" {
        return Err(wrong("status", "The schedule is obsolete: no runner has its method."));
    }
    set(&mut schedule, "status", if enabled { "enabled" } else { "disabled" });
    put(world, schedule)
}

pub(crate) fn delete(world: &mut World<'_>, id: &str) -> Result<(), ApiError> {
    if !world.remove(SCHEDULES, id)? {
        return Err(ApiError::not_found());
    }
    world.state.set_timer(Timer::Schedule(id.to_owned()), None);
    Ok(())
}

/// Notes that a schedule fired, by its trigger or by hand.
pub(crate) fn fired(world: &mut World<'_>, id: &str) -> Result<Value, ApiError> {
    let now = world.now();
    world.update(SCHEDULES, id, |schedule| {
        note(schedule, "last_triggered", &now);
        Ok(())
    })
}

/// Notes that a schedule fired by its trigger, and sets when it does next. What was missed meanwhile is not made up for.
pub(crate) fn fired_by_itself(world: &mut World<'_>, id: &str, at: Timestamp) -> Result<(), ApiError> {
    let mut schedule = fired(world, id)?;
    let next = next_trigger_of(&schedule["trigger"], at.max(world.time())).ok().flatten();
    if next.is_none() {
        set(&mut schedule, "status", "disabled");
    }
    note_next(&mut schedule, next);
    world.put(SCHEDULES, &schedule)?;
    world.state.set_timer(Timer::Schedule(id.to_owned()), next);
    Ok(())
}

/// Schedules whose methods the extension no longer has are obsolete; they stand again when it has them again.
pub(crate) fn review(world: &mut World<'_>) -> Result<(), ApiError> {
    let methods = world.state.schedulables.clone().unwrap_or_default();
    for mut schedule in world.list(SCHEDULES)? {
        let known = methods.iter().any(|method| schedule["method"] == method.as_str());
        let (status, reason) = match (known, schedule["status"].as_str()) {
            (false, Some("enabled" | "pending")) => {
                ("obsolete", Value::from("The extension has no such method any more."))
            }
            (true, Some("obsolete")) => ("enabled", Value::Null),
            _ => continue,
        };
        set(&mut schedule, "status", status);
        set(&mut schedule, "reason", reason);
        let next = next_trigger_of(&schedule["trigger"], world.time()).ok().flatten();
        let next = next.filter(|_| status == "enabled");
        note_next(&mut schedule, next);
        world.put(SCHEDULES, &schedule)?;
        let id = id_of(&schedule).unwrap_or_default().to_owned();
        world.state.set_timer(Timer::Schedule(id), next);
    }
    Ok(())
}

/// Sets the timers of all that is here: of a file that was opened.
pub(crate) fn start(world: &mut World<'_>) -> Result<(), StoreError> {
    let now = world.time();
    for schedule in world.state.store.list(SCHEDULES)? {
        let next =
            next_trigger_of(&schedule["trigger"], now).ok().flatten().filter(|_| is_enabled(&schedule));
        let id = id_of(&schedule).unwrap_or_default().to_owned();
        world.state.set_timer(Timer::Schedule(id), next);
    }
    Ok(())
}
