//! Schedules: what is there, a new one, a run now.

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
    parts::{chip, errors, first, json as shown, link, text, time_of},
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
            let page = page(&console, Some(&sent), &texts).await?;
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

fn form(console: &Console, sent: Option<&Form>) -> Markup {
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

async fn page(console: &Console, sent: Option<&Form>, texts: &[String]) -> Result<Html<String>, Problem> {
    let found = api::list(&console.core, &console.schedules(), &Rql::Empty, "limit=1000").await?;
    let content = html! {
        div.head { h1 { "Schedules" } p.count #count data-live { (found.total) } }
        (errors(texts))
        div.actions #actions data-live { (form(console, sent)) }
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

pub(super) async fn show(
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
                @if !schedule["parameter"].is_null() { h3 { "Parameter" } (shown(schedule["parameter"].clone())) }
                details data-key="json" { summary { "JSON" } (shown(schedule.clone())) }
            }
        }
    };
    Ok(layout::page(&format!("Schedule {id}"), Here::Schedules, &content))
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
