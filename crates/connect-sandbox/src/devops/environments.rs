//! Environments: what is set there, and of the one that runners connect as, what they said.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use connect_model::wire::{Logging, LoggingMeta, SetupRequest, SetupResponse};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{choice, definitions, note_by, secret, service_of, services, take_texts, variables};
use crate::{Recorder, api_error::ApiError, events, fulfillment::set, who::wrong, world::World};

/// What is set in each environment; the rest of it is made when it is asked for.
const ENVIRONMENTS: &str = "devops/environments";
/// The environments that each service has: the end of the id, the type, and what host names end with.
const KINDS: [(&str, &str, &str); 3] =
    [("01", "development", "dev"), ("02", "test", "tst"), ("03", "production", "prd")];
pub(crate) const LEVELS: [&str; 4] = ["DEBUG", "INFO", "WARNING", "ERROR"];
const RUNTIMES: [&str; 2] = ["local", "cloud"];
const DOMAIN: &str = "ext.sandbox.localhost";
/// How many log lines are told.
const LINES: usize = 1_000;

fn ids(service: &str) -> impl Iterator<Item = (String, &'static str, &'static str)> {
    let digits = service.trim_start_matches("SRVC-").to_owned();
    KINDS.into_iter().map(move |(end, kind, host)| (format!("ENV-{digits}-{end}"), kind, host))
}

/// Makes the environments of a service.
pub(super) fn seed(world: &mut World<'_>, service: &str) -> Result<(), ApiError> {
    let now = world.now();
    for (id, kind, host) in ids(service) {
        let random = secret();
        let mut environment = json!({
            "id": id, "type": kind, "runtime": "local", "service": service,
            "external_id": format!("{}-{}-4{}-8{}-{}", &random[..8], &random[8..12], &random[13..16], &random[17..20], &random[20..]),
            "hostname": format!("{}-{host}", service.to_lowercase()), "domain": DOMAIN,
            "jwt_secret": secret(), "log_level": "INFO", "git": null, "resources": {"cpu": 1, "memory": 1},
            "error_output": null,
        });
        note_by(&mut environment, "created", &now, world.role());
        world.put(ENVIRONMENTS, &environment)?;
    }
    Ok(())
}

pub(super) fn drop_all(world: &mut World<'_>, service: &str) -> Result<(), ApiError> {
    for (id, ..) in ids(service) {
        world.remove(ENVIRONMENTS, &id)?;
        for variable in world.list(&variables::of(world, &id))? {
            let name = variable["id"].as_str().unwrap_or_default();
            world.remove(&variables::of(world, &id), name)?;
        }
    }
    Ok(())
}

/// What is set in an environment of a service.
pub(crate) fn settings(world: &World<'_>, service: &str, id: &str) -> Result<Value, ApiError> {
    let environment = world.get(ENVIRONMENTS, id)?;
    if environment["service"] == service { Ok(environment) } else { Err(ApiError::not_found()) }
}

/// What is set in the environment that runners connect as.
pub(crate) fn own(world: &World<'_>) -> Result<Value, ApiError> {
    world.get(ENVIRONMENTS, &world.state.devops.environment)
}

/// The environments of a service, as REST tells them.
pub(crate) fn list(world: &World<'_>, service: &str) -> Result<Vec<Value>, ApiError> {
    ids(service).map(|(id, ..)| view(world, service, &id)).collect()
}

/// What is said of an environment where another object names it.
pub(crate) fn reference(world: &World<'_>, id: &str) -> Result<Value, ApiError> {
    let environment = world.get(ENVIRONMENTS, id)?;
    referred(world, &environment)
}

fn referred(world: &World<'_>, environment: &Value) -> Result<Value, ApiError> {
    Ok(json!({
        "id": environment["id"], "type": environment["type"], "icon": null, "extension": extension(world, environment)?,
        "hostname": environment["hostname"], "domain": environment["domain"],
        "git": git(environment), "runtime": environment["runtime"],
    }))
}

fn extension(world: &World<'_>, environment: &Value) -> Result<Value, ApiError> {
    let service = world.get(services::SERVICES, environment["service"].as_str().unwrap_or_default())?;
    Ok(
        json!({"id": service["id"], "name": service["name"], "owner": service["owner"], "icon": service["icon"],
        "extension_id": service["extension_id"]}),
    )
}

/// Where the code is; how to get in is nobody's to read.
fn git(environment: &Value) -> Value {
    let mut git = environment["git"].clone();
    if let Some(members) = git.as_object_mut() {
        members.remove("auth");
    }
    if git.is_object() { git } else { json!({}) }
}

/// What the connected runners declared.
fn declared<'a>(world: &'a World<'_>) -> impl Iterator<Item = &'a SetupRequest> {
    world.state.runners.values().map(|runner| &*runner.declared)
}

/// The events that the connected runners handle, with their statuses.
pub(crate) fn subscribed(world: &World<'_>) -> BTreeMap<String, Vec<String>> {
    let mut subscribed: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
    for (event, statuses) in declared(world).flat_map(|own| own.event_subscriptions.iter().flatten()) {
        subscribed.entry(event.clone()).or_default().extend(statuses);
    }
    subscribed.into_iter().map(|(event, statuses)| (event, statuses.into_iter().cloned().collect())).collect()
}

/// An environment as REST tells it.
pub(crate) fn view(world: &World<'_>, service: &str, id: &str) -> Result<Value, ApiError> {
    let mut environment = settings(world, service, id)?;
    let is_own = world.state.devops.environment == id;
    let runners: Vec<&SetupRequest> = if is_own { declared(world).collect() } else { Vec::new() };
    let subscribed = if is_own { subscribed(world) } else { BTreeMap::new() };
    let instances = if is_own { world.state.devops.instances(&environment["runtime"]) } else { Vec::new() };
    let is_connected = is_own && world.state.devops.is_connected();
    let status = match (is_own, environment["runtime"] == "cloud", is_connected) {
        (false, ..) => "uninitialized",
        (_, true, true) => "running",
        (_, true, false) => "stopped",
        (_, false, true) => "connected",
        (_, false, false) => "disconnected",
    };
    let mut schedulables = BTreeMap::new();
    for one in runners.iter().flat_map(|own| own.schedulables.iter().flatten()) {
        schedulables.insert(
            &one.method,
            json!({"name": one.name, "method": one.method, "description": one.description}),
        );
    }
    let repository = runners.iter().find_map(|own| own.repository.clone()).unwrap_or_default();
    let is_there = |value: Option<&Value>| value.is_some_and(|value| !value.is_null() && *value != json!({}));
    let ui_modules = runners.iter().find_map(|own| own.ui_modules.as_ref()).filter(|own| is_there(Some(own)));
    let any = |list: fn(&SetupRequest) -> Option<&Vec<Value>>| {
        runners.iter().any(|own| list(own).is_some_and(|list| !list.is_empty()))
    };
    let features = json!({
        "event_processing_available": !subscribed.is_empty(),
        "custom_api_available": subscribed.contains_key("product_custom_event_processing"),
        "web_app_available": ui_modules.is_some(),
        "anvil_app_available": any(|own| own.anvil_callables.as_ref()),
        "transformation_app_available": any(|own| own.transformations.as_ref()),
    });
    let configuration: Vec<Value> = variables::all(world, id)?
        .iter()
        .map(|variable| json!({"name": variable["name"], "value": variables::view(variable)["value"]}))
        .collect();
    let references = referred(world, &environment)?;
    for (member, value) in [
        ("git", git(&environment)),
        ("extension", references["extension"].clone()),
        ("icon", json!(runners.iter().find_map(|own| own.icon.as_ref()))),
        ("status", status.into()),
        ("readme_url", json!(repository.readme_url)),
        ("changelog_url", json!(repository.changelog_url)),
        ("schedulables", schedulables.into_values().collect()),
        ("anvil_callables", json!(runners.iter().find_map(|own| own.anvil_callables.as_ref()))),
        ("ui_modules", json!(ui_modules)),
        ("features", features),
        ("capabilities", definitions::capabilities(&subscribed).into()),
        ("configuration", configuration.into()),
        // Runners are told at once.
        ("configuration_changed", false.into()),
        ("instances", instances.into()),
    ] {
        set(&mut environment, member, value);
    }
    if let Some(members) = environment.as_object_mut() {
        members.remove("service");
    }
    Ok(environment)
}

/// Changes what is set: the runtime, the secret of custom events, where the code is, and what a runner says that broke.
pub(crate) fn update(
    world: &mut World<'_>,
    service: &str,
    id: &str,
    body: &Value,
) -> Result<Value, ApiError> {
    let mut environment = settings(world, service, id)?;
    let now = world.now();
    if let Some(runtime) = choice(body, "runtime", &RUNTIMES)? {
        set(&mut environment, "runtime", runtime);
    }
    if let Some(level) = choice(body, "log_level", &LEVELS)? {
        set(&mut environment, "log_level", level);
    }
    take_texts(&mut environment, body, &[("jwt_secret", 512), ("error_output", 65_536)])?;
    for member in ["git", "resources"] {
        match body.get(member) {
            None => {}
            Some(value @ (Value::Object(_) | Value::Null)) => set(&mut environment, member, value.clone()),
            Some(_) => {
                return Err(wrong(member, "Invalid data. Expected a dictionary."));
            }
        }
    }
    note_by(&mut environment, "updated", &now, world.role());
    world.put(ENVIRONMENTS, &environment)?;
    if let Some(output) = body["error_output"].as_str().filter(|_| world.state.devops.environment == id) {
        world.state.devops.happen("error", "A runner reported an error.", output, &now);
    }
    view(world, service, id)
}

/// Changes the secret of custom events.
pub(crate) fn set_secret(world: &mut World<'_>, secret: &str) -> Result<(), ApiError> {
    let id = world.state.devops.environment.clone();
    update(world, &service_of(&id), &id, &json!({"jwt_secret": secret})).map(drop)
}

/// Changes how much an extension logs.
pub(crate) fn set_level(
    world: &mut World<'_>,
    service: &str,
    id: &str,
    level: &str,
) -> Result<Value, ApiError> {
    let view = update(world, service, id, &json!({"log_level": level.to_uppercase()}))?;
    let now = world.now();
    let message = format!("The log level is {} now.", view["log_level"].as_str().unwrap_or_default());
    world.state.devops.happen("info", &message, "", &now);
    Ok(view)
}

/// What the extension logged, where it runs in the same process; the newest first, as Connect tells it.
pub(crate) fn logs(environment: &Value, recorder: &Recorder) -> Value {
    let line =
        |(at, task, line): (std::time::SystemTime, Option<std::sync::Arc<str>>, crate::recorder::Line)| {
            let at = Timestamp::try_from(at).map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
            let level = match line.level {
                tracing::Level::ERROR => "ERROR",
                tracing::Level::WARN => "WARNING",
                tracing::Level::INFO => "INFO",
                _ => "DEBUG",
            };
            let mut message = line.text;
            if let Some(task) = task {
                // Writing to a text does not fail.
                let _ = write!(message, " - {task}");
            }
            json!({"timestamp": at.unwrap_or_default(), "log_level": level, "message": message})
        };
    let lines: Vec<Value> = recorder.lines(LINES).into_iter().map(line).collect();
    json!({"id": environment["id"], "type": environment["type"], "runtime": environment["runtime"], "logs": lines})
}

/// What a runner is told: at the handshake, and again whenever something changed.
pub(crate) fn setup_response(world: &World<'_>, request: &SetupRequest) -> Result<SetupResponse, ApiError> {
    let live = &world.state.devops;
    let environment = own(world)?;
    let service_id = service_of(&live.environment);
    let service = world.get(services::SERVICES, &service_id)?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let schedules = format!("devops/services/{service_id}/environments/{}/schedules", live.environment);
    let subscribed = request.event_subscriptions.iter().flatten();
    let products = services::products_of(world, &service_id)?;
    Ok(SetupResponse {
        variables: Some(variables::all(world, &live.environment)?.iter().map(variables::wire).collect()),
        environment_type: text(&environment["type"]),
        environment_runtime: text(&environment["runtime"]),
        environment_hostname: text(&environment["hostname"]),
        environment_domain: text(&environment["domain"]),
        logging: Some(Logging {
            log_level: text(&environment["log_level"]),
            runner_log_level: Some("INFO".to_owned()),
            meta: Some(LoggingMeta {
                repository_tag: text(&environment["git"]["tag"]),
                account_id: text(&service["owner"]["id"]),
                account_name: text(&service["owner"]["name"]),
                service_id: Some(service_id),
                products: Some(products.iter().filter_map(|product| text(&product["id"])).collect()),
                hub_id: text(&service["hub"]["id"]),
            }),
            ..Logging::default()
        }),
        event_definitions: Some(subscribed.map(|(event, _)| events::definition(event, &schedules)).collect()),
    })
}
