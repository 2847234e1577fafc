//! A task: what it is about, each attempt at it, and another begin.

use axum::{
    extract::{Path, State},
    response::{Html, Redirect},
};
use maud::{Markup, html};
use serde_json::Value;

use super::{
    Console, Problem, activity, api,
    layout::{self, Here},
    parts::{chip, json as shown, row, text, time_of},
    timeline,
};
use crate::api_error::ApiError;

pub(super) async fn show(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let path = format!("{}/tasks/{}", console.environment(), api::segment(&id));
    let task = api::get(&console.core, &path).await?;
    let record = console.core.state().dispatcher.task(&id).cloned().ok_or_else(ApiError::not_found)?;
    let content = html! {
        p.crumbs { a href="/tasks" { "Tasks" } }
        div.head #head data-live {
            h1 { "Task " code { (id) } }
            (chip(text(&task, "/status")))
            p.sub { code { (text(&task, "/object/type")) } " · " (activity::object(&record.object_id)) }
        }
        div.actions #actions data-live {
            @if text(&task, "/status") == "failed" {
                form.inline method="post" action={ "/tasks/" (api::segment(&id)) "/resubmit" } {
                    button.primary { "Resubmit" }
                }
            }
        }
        div.columns {
            section { h2 { "Timeline" } div #timeline data-live { (timeline::of_task(&console, &record)) } }
            div.facts-column #facts data-live {
                section { h2 { "Details" } (facts(&task)) }
                @if let Some(data) = &record.data {
                    section { h2 { "Data" } (shown(data.clone())) }
                }
                section { details data-key="json" { summary { "JSON" } (shown(task.clone())) } }
            }
        }
    };
    Ok(layout::page(&format!("Task {id}"), Here::Tasks, &content))
}

fn facts(task: &Value) -> Markup {
    let number = |member: &str| html! { (task[member].as_f64().unwrap_or_default()) };
    html! {
        dl.facts {
            (row("Category", &html! { (text(task, "/object/category")) }))
            (row("Instance", &html! { (text(task, "/assignee")) }))
            (row("Installation", &html! { (text(task, "/installation/id")) }))
            (row("Retries", &number("retry_count")))
            (row("Reschedules", &number("rescheduled_count")))
            (row("Handler, in s", &number("runtime_total")))
            (row("Created", &time_of(text(task, "/events/created/at"))))
            (row("Completed", &time_of(text(task, "/events/completed/at"))))
        }
    }
}

/// Lets a task that failed begin again.
pub(super) async fn resubmit(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let id = api::segment(&id);
    let path = format!("{}/tasks/{id}/resubmit", console.environment());
    api::post(&console.core, &path, &Value::Null).await?;
    Ok(Redirect::to(&format!("/tasks/{id}")))
}
