//! What belongs to the extension: its runners, what it handles, its variables, its schedules.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use connect_model::{rql::Rql, wire::Secret};
use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console, Problem, api,
    form::Form,
    layout::{self, Here},
    parts::{COVERED, chip, errors, first, json as shown_json, link, row, system_time, text, time_of},
    timeline::timeline,
};
use crate::{TaskStatus, core::Connected, dispatch::Lane, events};

impl Console {
    fn runners(&self) -> Vec<Connected> {
        self.core.state().runners.values().cloned().collect()
    }

    fn schedules(&self) -> String {
        let setup = &self.core.setup;
        format!("devops/services/{}/environments/{}/schedules", setup.service_id(), setup.environment_id)
    }
}

/// The runners that are connected, by instance.
pub(super) async fn runners(State(console): State<Console>) -> Html<String> {
    let mut instances: BTreeMap<String, Vec<Connected>> = BTreeMap::new();
    for runner in console.runners() {
        instances.entry(runner.instance.clone()).or_default().push(runner);
    }
    let held = console.core.state().dispatcher.held();
    let content = html! {
        div.head { h1 { "Runners" } p.count #count data-live { (instances.len()) " connected" } }
        div.stack #runners data-live {
            @if instances.is_empty() {
                div.empty {
                    p { "No runner is connected." }
                    p.quiet { "Start your extension with the environment variables that the sandbox printed." }
                }
            }
            @for (instance, connections) in &instances {
                @let declared = &connections[0].declared;
                section.card {
                    header { h2 { code { (instance) } } (chip("connected"))
                        span.right.quiet { "since " (system_time(connections[0].since)) } }
                    dl.facts.flat {
                        (row("Connections", &html! { (connections.iter().map(|own| lane(own.lane)).collect::<Vec<_>>().join(", ")) }))
                        (row("Running tasks", &html! { (held.get(instance).copied().unwrap_or_default()) }))
                        (row("Runner version", &html! { (declared.runner_version.as_deref().unwrap_or_default()) }))
                        (row("Audience", &html! { (declared.audience.iter().flatten().cloned().collect::<Vec<_>>().join(", ")) }))
                        (row("Events", &html! { (declared.event_subscriptions.iter().flatten().count()) }))
                        (row("Schedulables", &html! { (declared.schedulables.iter().flatten().count()) }))
                        (row("Variables", &html! { (declared.variables.iter().flatten().count()) }))
                        (row("Features", &html! { (features(connections)) }))
                    }
                }
            }
        }
    };
    layout::page("Runners", Here::Runners, &content)
}

fn lane(lane: Option<Lane>) -> &'static str {
    match lane {
        None => "all tasks",
        Some(Lane::Background) => "background and scheduled tasks",
        Some(Lane::Interactive) => "interactive tasks",
    }
}

/// The kinds of things that an extension offers, in Connect's words for the features of an environment.
fn features(connections: &[Connected]) -> String {
    let has = |declared: fn(&Connected) -> bool| connections.iter().any(declared);
    let mut features = Vec::new();
    if has(|own| own.declared.event_subscriptions.iter().flatten().next().is_some()) {
        features.push("event processing");
    }
    if has(|own| {
        own.declared
            .ui_modules
            .as_ref()
            .is_some_and(|modules| !modules.is_null() && *modules != serde_json::json!({}))
    }) {
        features.push("web application");
    }
    if has(|own| own.declared.anvil_callables.iter().flatten().next().is_some()) {
        features.push("Anvil application");
    }
    if has(|own| own.declared.transformations.iter().flatten().next().is_some()) {
        features.push("transformations");
    }
    features.join(", ")
}

/// What the extension handles, and how its tasks ended.
pub(super) async fn extension(State(console): State<Console>) -> Html<String> {
    let runners = console.runners();
    let mut subscribed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut schedulables: BTreeMap<String, (String, String)> = BTreeMap::new();
    for declared in runners.iter().map(|runner| &runner.declared) {
        for (event, statuses) in declared.event_subscriptions.iter().flatten() {
            subscribed.entry(event.clone()).or_default().extend(statuses.iter().cloned());
        }
        for one in declared.schedulables.iter().flatten() {
            schedulables.insert(one.method.clone(), (one.name.clone(), one.description.clone()));
        }
    }
    let mut counts: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    for ((event, status), count) in console.core.state().dispatcher.counts() {
        let index = match status {
            TaskStatus::Succeeded => 1,
            TaskStatus::Failed => 2,
            TaskStatus::Skipped => 3,
            _ => 0,
        };
        counts.entry(event.to_owned()).or_default()[index] += count;
    }
    let content = html! {
        div.head { h1 { "What the extension handles" } }
        @if subscribed.keys().any(|event| events::category(event) == "interactive") {
            p.actions { a.button href="/send" { "Send an interactive event" } }
        }
        div.stack #extension data-live {
            @if runners.is_empty() { div.empty { p { "No runner is connected, so nobody said yet what is handled." } } }
            @else {
                section {
                    h2 { "Events" }
                    @if subscribed.is_empty() { p.quiet { "None." } } @else {
                        div.scroll {
                            table {
                                thead { tr { th scope="col" { "Event" } th scope="col" { "Kind" } th scope="col" { "Statuses" }
                                    th.number scope="col" { "Open" } th.number scope="col" { "Succeeded" } th.number scope="col" { "Failed" } th.number scope="col" { "Skipped" } } }
                                tbody {
                                    @for (event, statuses) in &subscribed {
                                        @let count = counts.get(event).copied().unwrap_or_default();
                                        tr data-row {
                                            th scope="row" { code { (event) } }
                                            td.quiet { (events::category(event)) }
                                            td { @for status in statuses { (chip(status)) " " } }
                                            @for number in count { td.number { @if number > 0 { (number) } @else { span.quiet { "0" } } } }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                section {
                    h2 { "Methods for schedules" }
                    @if schedulables.is_empty() { p.quiet { "None." } } @else {
                        div.scroll {
                            table {
                                thead { tr { th scope="col" { "Method" } th scope="col" { "Name" } th scope="col" { "Description" } } }
                                tbody {
                                    @for (method, (name, description)) in &schedulables {
                                        tr { th scope="row" { code { (method) } } td { (name) } td.quiet { (description) } }
                                    }
                                }
                            }
                        }
                    }
                }
                @if let Some(repository) = runners.iter().find_map(|runner| runner.declared.repository.as_ref()) {
                    section {
                        h2 { "Documents" }
                        dl.facts {
                            (row("Readme", &html! { (repository.readme_url.as_deref().unwrap_or_default()) }))
                            (row("Changelog", &html! { (repository.changelog_url.as_deref().unwrap_or_default()) }))
                        }
                    }
                }
            }
        }
    };
    layout::page("Extension", Here::Extension, &content)
}

/// A variable as it is.
struct Variable {
    value: Secret,
    initial: Option<Secret>,
    secure: bool,
}

pub(super) async fn variables(State(console): State<Console>) -> Html<String> {
    variables_page(&console, "", &[])
}

/// Gives a variable another value: the runners are told at once.
pub(super) async fn set_variable(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: Form,
) -> Response {
    // The limit is Connect's.
    let value = sent.get("value");
    if value.is_empty() || value.chars().count() > 21_960 {
        let texts = [format!("{name}: a value has from 1 to 21960 characters.")];
        return (StatusCode::BAD_REQUEST, variables_page(&console, &name, &texts)).into_response();
    }
    if !known(&console).contains_key(&name) {
        return Problem::from(crate::api_error::ApiError::not_found()).into_response();
    }
    console.core.set_variable(&name, Secret::new(value));
    Redirect::to("/variables").into_response()
}

fn known(console: &Console) -> BTreeMap<String, Variable> {
    let state = console.core.state();
    let mut known: BTreeMap<String, Variable> = state
        .variables
        .iter()
        .map(|(name, value)| (name.clone(), Variable { value: value.clone(), initial: None, secure: false }))
        .collect();
    for declared in state.runners.values().flat_map(|runner| runner.declared.variables.iter().flatten()) {
        let initial = declared.initial_value.clone();
        let variable = known.entry(declared.name.clone()).or_insert_with(|| Variable {
            value: initial.clone(),
            initial: None,
            secure: false,
        });
        variable.secure |= declared.secure;
        variable.initial = Some(initial);
    }
    known
}

fn variables_page(console: &Console, open: &str, texts: &[String]) -> Html<String> {
    let known = known(console);
    let shown = |variable: &Variable| {
        if variable.secure { COVERED.to_owned() } else { variable.value.expose().to_owned() }
    };
    let content = html! {
        div.head {
            h1 { "Variables" }
            p.sub { "A new value goes to the connected runners at once, as a new setup. Tasks that run keep the old one." }
        }
        (errors(texts))
        div.stack #variables data-live {
            @if known.is_empty() { div.empty { p { "No runner declared a variable." } } }
            @for (name, variable) in &known {
                @let id = format!("v-{name}");
                section.card data-row {
                    header {
                        h2 { code { (name) } }
                        @if variable.secure { (chip("secure")) }
                        @match &variable.initial {
                            None => span.right.quiet { "not declared by the extension" },
                            Some(initial) if initial.expose() == variable.value.expose() => span.right.quiet { "initial value" },
                            Some(_) => span.right.quiet { "changed" },
                        }
                    }
                    p.message { code { (shown(variable)) } }
                    details.edit data-key={ "edit-" (name) } open[open == name] {
                        summary { "Edit" }
                        form.line method="post" action={ "/variables/" (api::segment(name)) } {
                            label { span { "New value" }
                                input id=(id) name="value" autocomplete="off" value=(if variable.secure { "" } else { variable.value.expose() })
                                    type=(if variable.secure { "password" } else { "text" });
                            }
                            button.primary { "Save" }
                        }
                    }
                }
            }
        }
    };
    layout::page("Variables", Here::Variables, &content)
}

pub(super) async fn schedules(State(console): State<Console>) -> Result<Html<String>, Problem> {
    schedules_page(&console, None, &[]).await
}

/// Makes a schedule, as an extension would by REST.
pub(super) async fn make_schedule(State(console): State<Console>, sent: Form) -> Result<Response, Problem> {
    let end = match order(&sent) {
        Ok(body) => {
            api::post(&console.core, &console.schedules(), &body).await.map_err(|problem| problem.texts)
        }
        Err(text) => Err(vec![text]),
    };
    console.core.setup.recorder.touch();
    match end {
        Ok(_) => Ok(Redirect::to("/schedules").into_response()),
        Err(texts) => {
            let page = schedules_page(&console, Some(&sent), &texts).await?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}

/// A schedule as Connect takes it, of what was typed.
fn order(sent: &Form) -> Result<Value, String> {
    let parameter = match sent.get("parameter").trim() {
        "" => json!({}),
        typed => {
            serde_json::from_str(typed).map_err(|error| format!("parameter: It is not JSON: {error}."))?
        }
    };
    // Without a zone it is UTC, as all times of schedules are.
    let time = |name: &str| match sent.get(name) {
        "" => Timestamp::now().to_string(),
        typed => format!("{typed}{}Z", if typed.len() == 16 { ":00" } else { "" }),
    };
    let trigger = match sent.get("trigger") {
        "onetime" => json!({"type": "onetime", "date": time("at")}),
        unit @ ("hours" | "days" | "weeks" | "months") => {
            let amount: i64 = sent.get("amount").trim().parse().unwrap_or_default();
            json!({"type": "recurring", "unit": unit, "amount": amount, "start": time("at")})
        }
        "advanced" => json!({"type": "advanced", "cron_expression": sent.get("cron"), "start": time("at")}),
        _ => Value::Null,
    };
    let mut body = json!({"name": sent.get("name"), "method": sent.get("method"), "parameter": parameter});
    if !trigger.is_null() {
        body["trigger"] = trigger;
    }
    Ok(body)
}

fn schedule_form(console: &Console, sent: Option<&Form>) -> Markup {
    let typed = |name: &str| sent.map_or("", |sent| sent.get(name));
    let mut methods = BTreeMap::new();
    for one in console.runners().iter().flat_map(|runner| runner.declared.schedulables.iter().flatten()) {
        methods.insert(one.method.clone(), one.name.clone());
    }
    let triggers = [
        ("", "By hand alone"),
        ("onetime", "Once"),
        ("hours", "Every … hours"),
        ("days", "Every … days"),
        ("weeks", "Every … weeks"),
        ("months", "Every … months"),
        ("advanced", "Cron expression"),
    ];
    html! {
        details.action data-key="new-schedule" open[sent.is_some()] {
            summary { "New schedule" }
            form method="post" action="/schedules" novalidate {
                label { span { "Name" } input name="name" value=(typed("name")) autocomplete="off"; }
                label { span { "Method" }
                    @if methods.is_empty() { input name="method" value=(typed("method")) autocomplete="off"; }
                    @else {
                        select name="method" {
                            @for (method, name) in &methods {
                                option value=(method) selected[typed("method") == method] { (name) " (" (method) ")" }
                            }
                        }
                    }
                }
                div.parts {
                    label { span { "Fires" }
                        select name="trigger" {
                            @for (value, shown) in triggers { option value=(value) selected[typed("trigger") == value] { (shown) } }
                        }
                    }
                    label { span { "How many of them" } input name="amount" inputmode="numeric" value=(first([typed("amount"), "1"])); }
                    label { span { "At, or from (UTC)" } input type="datetime-local" name="at" value=(typed("at")); }
                    label { span { "Cron expression" } input name="cron" value=(typed("cron")) placeholder="0 */2 * * *" autocomplete="off"; }
                }
                label { span { "Parameter (JSON)" } textarea name="parameter" rows="4" spellcheck="false" placeholder="{}" { (typed("parameter")) } }
                button.primary { "Make it" }
            }
        }
    }
}

async fn schedules_page(
    console: &Console,
    sent: Option<&Form>,
    texts: &[String],
) -> Result<Html<String>, Problem> {
    let found = api::list(&console.core, &console.schedules(), &Rql::Empty, "limit=1000").await?;
    let content = html! {
        div.head { h1 { "Schedules" } p.count #count data-live { (found.total) } }
        (errors(texts))
        div.actions #actions data-live { (schedule_form(console, sent)) }
        div #list data-live {
            @if found.items.is_empty() {
                div.empty { p { "There is no schedule." } }
            } @else {
                div.scroll {
                    table {
                        thead { tr { th scope="col" { "Schedule" } th scope="col" { "Name" } th scope="col" { "Method" }
                            th scope="col" { "Trigger" } th scope="col" { "Status" } th scope="col" { span.hidden { "Actions" } } } }
                        tbody {
                            @for schedule in &found.items {
                                tr data-row {
                                    td { (link("/schedules/", text(schedule, "/id"))) }
                                    td { (text(schedule, "/name")) }
                                    td { code { (text(schedule, "/method")) } }
                                    td.quiet { (trigger(schedule)) }
                                    td { (chip(first([text(schedule, "/status"), "enabled"]))) }
                                    td.number { (run(schedule)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(layout::page("Schedules", Here::Schedules, &content))
}

fn run(schedule: &Value) -> Markup {
    let id = text(schedule, "/id");
    html! {
        form.inline method="post" action={ "/schedules/" (api::segment(id)) "/run" } {
            button aria-label={ "Run " (id) " now" } { "Run now" }
        }
    }
}

/// When it fires, in words.
fn trigger(schedule: &Value) -> Markup {
    let trigger = &schedule["trigger"];
    match text(trigger, "/type") {
        "onetime" => html! { "once " (time_of(text(trigger, "/date"))) },
        "recurring" => {
            let amount = trigger["amount"].as_u64().unwrap_or(1);
            let unit = text(trigger, "/unit");
            let unit = if amount == 1 { unit.trim_end_matches('s') } else { unit };
            html! { "every " @if amount != 1 { (amount) " " } (unit) }
        }
        "advanced" => html! { code { (text(trigger, "/cron_expression")) } },
        _ => html! { "by hand" },
    }
}

pub(super) async fn schedule(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let schedule = api::get(&console.core, &format!("{}/{}", console.schedules(), api::segment(&id))).await?;
    let content = html! {
        p.crumbs { a href="/schedules" { "Schedules" } }
        div.head #head data-live {
            h1 { (first([text(&schedule, "/name"), "Schedule"])) " " code { (id) } }
            (chip(first([text(&schedule, "/status"), "enabled"])))
            p.sub { code { (text(&schedule, "/method")) } " · " (trigger(&schedule)) }
        }
        div.actions { (run(&schedule)) }
        div.columns {
            section { h2 { "Timeline" } div #timeline data-live { (timeline(&console, &id, &Value::Null)) } }
            section #facts data-live {
                h2 { "Details" }
                @if !schedule["parameter"].is_null() { h3 { "Parameter" } (shown_json(schedule["parameter"].clone())) }
                details data-key="json" { summary { "JSON" } (shown_json(schedule.clone())) }
            }
        }
    };
    Ok(layout::page(&format!("Schedule {id}"), Here::Schedules, &content))
}

/// Runs a schedule now. Nobody waits for its end.
pub(super) async fn run_schedule(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    console.core.trigger(&id).ok_or_else(crate::api_error::ApiError::not_found)?;
    console.core.setup.recorder.touch();
    Ok(Redirect::to(&format!("/schedules/{}", api::segment(&id))))
}
