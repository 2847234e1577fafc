use axum::response::Response;
use connect_model::{
    event::SCHEDULED_EXECUTION,
    rql::{Comparison, Query, Rql},
    wire::TaskCategory,
};
use serde_json::Value;

use super::{Call, created, ok};
use crate::{
    TaskRecord,
    api_error::ApiError,
    devops::{
        installations::INSTALLATIONS,
        schedules::SCHEDULES,
        tasks::{self, Place},
    },
    rest::page::Best,
    store::id_of,
    who::{needed, wrong},
};

/// How many tasks are looked at at once, between which others get their turn.
const STRETCH: usize = 500;

pub(super) async fn of_environment(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("POST", []) => make(call),
        _ => answer(call, path, |_| true).await,
    }
}

/// The tasks that were made for an installation.
pub(super) async fn of_installation(call: &Call<'_>, id: &str, path: &[&str]) -> Result<Response, ApiError> {
    answer(call, path, |task| task.installation.as_ref().is_some_and(|own| own.id == id)).await
}

async fn answer(
    call: &Call<'_>,
    path: &[&str],
    wanted: impl Fn(&TaskRecord) -> bool,
) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("GET", []) => list(call, wanted).await,
        ("GET", [id]) => Ok(ok(&one(call, id, wanted)?)),
        ("POST", [id, "resubmit"]) => {
            one(call, id, &wanted)?;
            call.core.resubmit(id)?;
            Ok(ok(&one(call, id, wanted)?))
        }
        _ => Err(ApiError::not_found()),
    }
}

fn one(call: &Call<'_>, id: &str, wanted: impl Fn(&TaskRecord) -> bool) -> Result<Value, ApiError> {
    call.core.read(|world| {
        let record =
            world.state.dispatcher.task(id).filter(|task| wanted(task)).ok_or_else(ApiError::not_found)?;
        tasks::view(world, &Place::of(world)?, record)
    })
}

async fn list(call: &Call<'_>, wanted: impl Fn(&TaskRecord) -> bool) -> Result<Response, ApiError> {
    let query = call.parsed()?;
    let mut best = Best::new(&query);
    let place = call.core.read(Place::of)?;
    // One that is named, or those of an object that is, are found without looking at the others.
    let few = call.core.read(|world| {
        let dispatcher = &world.state.dispatcher;
        let found = match (named(&query, "id"), named(&query, "object.id")) {
            (Some(id), _) => dispatcher.task(id).into_iter().cloned().collect(),
            (_, Some(object)) => dispatcher.tasks_of(object),
            _ => return Ok(None),
        };
        let views = found.iter().filter(|task| wanted(task)).map(|task| tasks::view(world, &place, task));
        views.collect::<Result<Vec<Value>, _>>().map(Some)
    })?;
    if let Some(few) = few {
        for task in few {
            best.look_at(task);
        }
        return Ok(best.into_response());
    }
    let mut after = String::new();
    loop {
        let (looked_at, views) = call.core.read(|world| {
            let stretch: Vec<&TaskRecord> = world.state.dispatcher.after(&after, STRETCH).collect();
            after = stretch.last().map(|task| task.id.clone()).unwrap_or_default();
            let views =
                stretch.iter().filter(|task| wanted(task)).map(|task| tasks::view(world, &place, task));
            Ok((stretch.len(), views.collect::<Result<Vec<Value>, _>>()?))
        })?;
        for task in views {
            best.look_at(task);
        }
        if looked_at < STRETCH {
            return Ok(best.into_response());
        }
        tokio::task::yield_now().await;
    }
}

/// What a member has to be in every match.
fn named<'a>(query: &'a Query, member: &str) -> Option<&'a str> {
    fn of<'a>(filter: &'a Rql, member: &str) -> Option<&'a str> {
        match filter {
            Rql::Compare(Comparison::Eq, field, text) if field.replace("__", ".") == member => text.as_text(),
            Rql::And(members) => members.iter().find_map(|own| of(own, member)),
            _ => None,
        }
    }
    of(&query.filter, member)
}

/// Makes a task by hand. An interactive one would need somebody who waits for its answer.
fn make(call: &Call<'_>) -> Result<Response, ApiError> {
    let (id, kind) = (needed(&call.body, "/object/id")?, needed(&call.body, "/object/type")?);
    let category = match needed(&call.body, "/object/category")? {
        "background" => TaskCategory::Background,
        "scheduled" => TaskCategory::Scheduled,
        other => {
            let text = format!("\"{other}\" is not a valid choice: background, scheduled.");
            return Err(wrong("object.category", &text));
        }
    };
    if category == TaskCategory::Scheduled {
        if kind != SCHEDULED_EXECUTION {
            return Err(wrong("object.type", &format!("A scheduled task is of type {SCHEDULED_EXECUTION}.")));
        }
        call.core.read(|world| world.get(SCHEDULES, id))?;
    }
    let installation = id_of(&call.body["installation"]);
    if let Some(installation) = installation {
        call.core.read(|world| world.get(INSTALLATIONS, installation))?;
    }
    let task = call.core.make_task(kind, category, id, installation)?;
    Ok(created(&one(call, &task, |_| true)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_match_has_is_found() {
        let of = |query: &str| named(&Query::parse(query).unwrap(), "object.id").map(str::to_owned);
        assert_eq!(of("and(eq(object.id,PR-1),in(status,(failed)))&limit=0"), Some("PR-1".to_owned()));
        assert_eq!(of("eq(object__id,PR-1)"), Some("PR-1".to_owned()));
        assert_eq!(of("or(eq(object.id,PR-1),eq(object.id,PR-2))"), None);
        assert_eq!(of("not(eq(object.id,PR-1))"), None);
        assert_eq!(of(""), None);
    }
}
