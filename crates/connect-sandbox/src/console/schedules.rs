//! Schedules: what is there, a new one, another trigger, a run now.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use connect_model::rql::Rql;
use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console, Problem, api,
    form::Form,
    layout::{self, Here},
    parts::{chip, errors, first, json as shown, link, row, text, time_of},
    timeline::timeline,
};

impl Console {
    /// Where schedules are, for the calls of REST.
    fn schedules(&self) -> String {
        format!("{}/schedules", self.environment())
    }
}

pub(super) async fn all(State(console): State<Console>) -> Result<Html<String>, Problem> {
    page(&console, None, &[]).await
}

/// Makes a schedule, as an extension would by REST.
pub(super) async fn make(State(console): State<Console>, sent: Form) -> Result<Response, Problem> {
    let end = match order(&console, &sent) {
        Ok(body) => {
            api::post(&console.core, &console.schedules(), &body).await.map_err(|problem| problem.texts)
        }
        Err(text) => Err(vec![text]),
    };
    console.core.setup.recorder.touch();
    match end {
        Ok(_) => Ok(Redirect::to("/schedules").into_response()),
        Err(texts) => {
            let page = page(&console, Some(&sent), &texts).await?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}

/// A schedule as Connect takes it, of what was typed.
fn order(console: &Console, sent: &Form) -> Result<Value, String> {
    let parameter = match sent.get("parameter").trim() {
        "" => json!({}),
        typed => {
            serde_json::from_str(typed).map_err(|error| format!("parameter: It is not JSON: {error}."))?
        }
    };
    // Without a zone it is UTC, as all times of schedules are.
    let time = |name: &str| match sent.get(name) {
        "" => console.core.state().clock.now().to_string(),
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
    Ok(
        json!({"name": sent.get("name"), "method": sent.get("method"), "parameter": parameter, "trigger": trigger}),
    )
}

/// What would have to be typed for a schedule as it is.
fn typed_for(schedule: &Value) -> Form {
    let trigger = &schedule["trigger"];
    let kind = match text(trigger, "/type") {
        "recurring" => text(trigger, "/unit"),
        kind => kind,
    };
    let at = first([text(trigger, "/date"), text(trigger, "/start")]).parse::<Timestamp>();
    let at = at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S").to_string()).unwrap_or_default();
    let amount = trigger["amount"].as_i64().map(|amount| amount.to_string()).unwrap_or_default();
    let parameter = match &schedule["parameter"] {
        Value::Null => String::new(),
        parameter => format!("{parameter:#}"),
    };
    let fields = [
        ("name", text(schedule, "/name")),
        ("method", text(schedule, "/method")),
        ("trigger", kind),
        ("amount", &amount),
        ("at", &at),
        ("cron", text(trigger, "/cron_expression")),
        ("parameter", &parameter),
    ];
    Form::from(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
}

/// The fields of a schedule: a new one, or the one that is at this path.
fn form(console: &Console, path: &str, open: bool, sent: Option<&Form>) -> Markup {
    let is_new = path == "/schedules";
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
        details.action data-key="schedule" open[open] {
            summary { (if is_new { "New schedule" } else { "Edit" }) }
            form method="post" action=(path) novalidate {
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
                    label { span { "At, or from (UTC)" } input type="datetime-local" step="1" name="at" value=(typed("at")); }
                    label { span { "Cron expression" } input name="cron" value=(typed("cron")) placeholder="0 */2 * * *" autocomplete="off"; }
                }
                label { span { "Parameter (JSON)" } textarea name="parameter" rows="4" spellcheck="false" placeholder="{}" { (typed("parameter")) } }
                button.primary { (if is_new { "Make it" } else { "Save" }) }
            }
        }
    }
}

async fn page(console: &Console, sent: Option<&Form>, texts: &[String]) -> Result<Html<String>, Problem> {
    let found = api::list(&console.core, &console.schedules(), &Rql::Empty, "limit=1000").await?;
    let content = html! {
        div.head { h1 { "Schedules" } p.count #count data-live { (found.total) } }
        (errors(texts))
        div.actions #actions data-live { (form(console, "/schedules", sent.is_some(), sent)) }
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
                                    td.number { (toggle(schedule)) " " (run(schedule)) }
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

/// Switches it off or on.
fn toggle(schedule: &Value) -> Markup {
    let id = text(schedule, "/id");
    let (action, shown) = match text(schedule, "/status") {
        "disabled" => ("enable", "Enable"),
        // Nobody has its method.
        "obsolete" => return super::parts::nothing(),
        _ => ("disable", "Disable"),
    };
    html! {
        form.inline method="post" action={ "/schedules/" (api::segment(id)) "/" (action) } {
            button aria-label={ (shown) " " (id) } { (shown) }
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

pub(super) async fn show(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    one(&console, &id, None, &[]).await
}

async fn one(
    console: &Console,
    id: &str,
    sent: Option<&Form>,
    texts: &[String],
) -> Result<Html<String>, Problem> {
    let schedule = api::get(&console.core, &format!("{}/{}", console.schedules(), api::segment(id))).await?;
    let typed = typed_for(&schedule);
    let path = format!("/schedules/{}", api::segment(id));
    let content = html! {
        p.crumbs { a href="/schedules" { "Schedules" } }
        div.head #head data-live {
            h1 { (first([text(&schedule, "/name"), "Schedule"])) " " code { (id) } }
            (chip(first([text(&schedule, "/status"), "enabled"])))
            p.sub { code { (text(&schedule, "/method")) } " · " (trigger(&schedule)) }
            @if !text(&schedule, "/reason").is_empty() { p.message { (text(&schedule, "/reason")) } }
        }
        (errors(texts))
        div.actions #actions data-live {
            (run(&schedule)) (toggle(&schedule))
            (form(console, &path, sent.is_some(), Some(sent.unwrap_or(&typed))))
            form.inline method="post" action={ (path) "/delete" } { button { "Delete" } }
        }
        div.columns {
            section { h2 { "Timeline" } div #timeline data-live { (timeline(console, id, &Value::Null)) } }
            section #facts data-live {
                h2 { "Details" }
                dl.facts {
                    (row("Last fired", &time_of(text(&schedule, "/events/last_triggered/at"))))
                    (row("Fires next", &time_of(text(&schedule, "/events/next_trigger/at"))))
                }
                @if !schedule["parameter"].is_null() { h3 { "Parameter" } (shown(schedule["parameter"].clone())) }
                details data-key="json" { summary { "JSON" } (shown(schedule.clone())) }
            }
        }
    };
    Ok(layout::page(&format!("Schedule {id}"), Here::Schedules, &content))
}

/// Changes a schedule to what was typed.
pub(super) async fn edit(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: Form,
) -> Result<Response, Problem> {
    let path = format!("{}/{}", console.schedules(), api::segment(&id));
    let texts = match order(&console, &sent) {
        Ok(body) => match api::put(&console.core, &path, &body).await {
            Ok(_) => return Ok(Redirect::to(&format!("/schedules/{}", api::segment(&id))).into_response()),
            Err(problem) if problem.status == StatusCode::BAD_REQUEST => problem.texts,
            Err(problem) => return Err(problem),
        },
        Err(text) => vec![text],
    };
    let page = one(&console, &id, Some(&sent), &texts).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

/// Switches a schedule off or on, or takes it away.
pub(super) async fn act(
    State(console): State<Console>,
    Path((id, action)): Path<(String, String)>,
) -> Result<Redirect, Problem> {
    let path = format!("{}/{}", console.schedules(), api::segment(&id));
    if action == "delete" {
        api::delete(&console.core, &path).await?;
        return Ok(Redirect::to("/schedules"));
    }
    api::post(&console.core, &format!("{path}/{}", api::segment(&action)), &Value::Null).await?;
    Ok(Redirect::to(&format!("/schedules/{}", api::segment(&id))))
}

/// Runs a schedule now. Nobody waits for its end.
pub(super) async fn run_now(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    console.core.trigger(&id)?;
    console.core.setup.recorder.touch();
    Ok(Redirect::to(&format!("/schedules/{}", api::segment(&id))))
}
