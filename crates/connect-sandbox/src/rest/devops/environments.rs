use axum::response::Response;
use serde_json::{Value, json};

use super::{Call, created, no_content, ok, tasks};
use crate::{
    actions::{self, HttpCall},
    api_error::ApiError,
    devops::{
        environments,
        schedules::{self, SCHEDULES},
        variables,
    },
    fulfillment::set,
};

pub(super) async fn answer(call: &Call<'_>, service: &str, path: &[&str]) -> Result<Response, ApiError> {
    let [id, rest @ ..] = path else {
        if call.route() != "GET" {
            return Err(ApiError::not_found());
        }
        return call.list_of(call.core.read(|world| environments::list(world, service))?);
    };
    let view = || call.core.read(|world| environments::view(world, service, id));
    call.core.read(|world| environments::settings(world, service, id))?;
    let is_own = call.core.setup.environment_id == *id;
    if is_own && rest == ["custom-events"] {
        let call_of =
            HttpCall { method: call.method, query: call.query, headers: call.headers, body: &call.bytes };
        return actions::custom_event(call.core, &call_of).await;
    }
    match (call.route(), rest) {
        ("GET", []) => Ok(ok(&view()?)),
        ("PUT", []) | ("POST", ["update"]) => {
            let environment = call.change(|world| environments::update(world, service, id, &call.body))?;
            set_up_again(call, is_own)?;
            Ok(ok(&environment))
        }
        ("POST", ["update-config" | "start"]) => {
            set_up_again(call, is_own)?;
            Ok(ok(&view()?))
        }
        ("POST", ["stop"]) => {
            if is_own {
                call.core.shut_down();
            }
            Ok(ok(&view()?))
        }
        ("GET", ["logs"]) => Ok(ok(&environments::logs(&view()?, &call.core.setup.recorder))),
        ("POST", ["logs", "set-level", level]) => {
            let environment = call.change(|world| environments::set_level(world, service, id, level))?;
            set_up_again(call, is_own)?;
            Ok(ok(&environment))
        }
        ("GET", ["event-subscriptions"]) => {
            let mut environment = view()?;
            let subscribed = call.core.read(|world| Ok(environments::subscribed(world)))?;
            set(&mut environment, "event_subscriptions", if is_own { json!(subscribed) } else { json!({}) });
            Ok(ok(&environment))
        }
        (_, ["variables", rest @ ..]) => variables(call, id, rest),
        (_, _) if !is_own => Err(ApiError::not_found()),
        ("GET", ["events"]) => call.list_of(call.core.state().devops.events().cloned().collect()),
        ("GET", ["events", event]) => {
            let found = call.core.state().devops.events().find(|own| own["id"] == *event).cloned();
            found.map(|event| ok(&event)).ok_or_else(ApiError::not_found)
        }
        ("PUT", ["instances", instance]) => set_error(call, instance),
        (_, ["schedules", rest @ ..]) => schedules(call, rest).await,
        (_, ["tasks", rest @ ..]) => tasks::of_environment(call, rest).await,
        _ => Err(ApiError::not_found()),
    }
}

fn set_up_again(call: &Call<'_>, is_own: bool) -> Result<(), ApiError> {
    if is_own { call.core.set_up_again() } else { Ok(()) }
}

fn set_error(call: &Call<'_>, instance: &str) -> Result<Response, ApiError> {
    let output = &call.body["error_output"];
    if !output.is_null() && !output.is_string() {
        return Err(ApiError::bad("VAL_001", "error_output: Not a valid string."));
    }
    let known = call.change(|world| {
        let now = world.now();
        Ok(world.state.devops.set_error(instance, output, &now))
    })?;
    if known { Ok(ok(&json!({"id": instance, "error_output": output}))) } else { Err(ApiError::not_found()) }
}

fn variables(call: &Call<'_>, environment: &str, path: &[&str]) -> Result<Response, ApiError> {
    let is_own = call.core.setup.environment_id == environment;
    match (call.route(), path) {
        ("GET", []) => {
            let all = call.core.read(|world| variables::all(world, environment))?;
            call.list_of(all.iter().map(variables::view).collect())
        }
        ("GET", [id]) => {
            let all = call.core.read(|world| variables::all(world, environment))?;
            let found = all.iter().find(|variable| variable["id"] == *id);
            found.map(|variable| ok(&variables::view(variable))).ok_or_else(ApiError::not_found)
        }
        ("POST", []) => {
            let made = call.change(|world| variables::create(world, environment, &call.body))?;
            set_up_again(call, is_own)?;
            Ok(created(&variables::view(&made)))
        }
        ("PUT", [id]) => {
            let changed = call.change(|world| variables::update(world, environment, id, &call.body))?;
            set_up_again(call, is_own)?;
            Ok(ok(&variables::view(&changed)))
        }
        ("DELETE", [id]) => {
            call.change(|world| variables::delete(world, environment, id))?;
            set_up_again(call, is_own)?;
            Ok(no_content())
        }
        _ => Err(ApiError::not_found()),
    }
}

async fn schedules(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    let answer = |schedule: Value| Ok(ok(&schedule));
    match (call.route(), path) {
        ("GET", []) => call.list(SCHEDULES).await,
        ("GET", [id]) => call.one(SCHEDULES, id),
        ("POST", []) => Ok(created(&call.change(|world| schedules::create(world, &call.body))?)),
        ("PUT", [id]) => answer(call.change(|world| schedules::update(world, id, &call.body))?),
        ("POST", [id, "enable"]) => answer(call.change(|world| schedules::set_enabled(world, id, true))?),
        ("POST", [id, "disable"]) => answer(call.change(|world| schedules::set_enabled(world, id, false))?),
        ("POST", [id, "trigger"]) => {
            // Nobody waits for its end here.
            call.core.trigger(id)?;
            call.one(SCHEDULES, id)
        }
        ("DELETE", [id]) => {
            call.change(|world| schedules::delete(world, id))?;
            Ok(no_content())
        }
        _ => Err(ApiError::not_found()),
    }
}
