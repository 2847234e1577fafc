//! What happens: the newest tasks, and the newest calls.

use axum::{
    extract::{Query, State},
    response::Html,
};
use maud::{Markup, html};
use percent_encoding::percent_decode_str;

use super::{
    Console,
    form::Form,
    layout::{self, Here},
    parts::{chip, duration, link, system_time},
    timeline,
};
use crate::{
    TaskRecord,
    recorder::{CallRecord, What},
};

/// How many are shown.
const SHOWN: usize = 200;

pub(super) async fn tasks(
    State(console): State<Console>,
    Query(query): Query<Vec<(String, String)>>,
) -> Html<String> {
    let query = Form::from(query);
    let wanted = |task: &TaskRecord| {
        let (status, text) = (query.get("status"), query.get("text").trim());
        (status.is_empty() || task.status.as_str() == status)
            && [&task.id, &task.object_id, &task.event_type].into_iter().any(|own| own.contains(text))
    };
    // A filter looks at more of them.
    let looked_at = if query.is_empty() { SHOWN } else { SHOWN * 50 };
    let mut tasks = console.core.state().dispatcher.newest(looked_at);
    tasks.retain(wanted);
    tasks.truncate(SHOWN);
    let statuses = ["scheduled", "processing", "rescheduled", "retrying", "succeeded", "failed", "skipped"];
    let content = html! {
        div.head { h1 { "Tasks" } p.count { "the newest" } }
        form.filters role="search" method="get" action="/tasks" data-auto {
            label {
                span { "Status" }
                select name="status" {
                    option value="" { "All" }
                    @for status in statuses { option value=(status) selected[query.get("status") == status] { (status) } }
                }
            }
            (search(&query, "Id, object, event"))
        }
        div #list data-live {
            @if tasks.is_empty() { div.empty { p { "No task " (if query.is_empty() { "was made yet." } else { "matches." }) } } }
            @else {
                div.scroll {
                    table {
                        thead { tr { th scope="col" { "Task" } th scope="col" { "Status" } th scope="col" { "Event" }
                            th scope="col" { "Object" } th.number scope="col" { "Attempts" } th.number scope="col" { "Last" } } }
                        tbody { @for task in &tasks { (row(task)) } }
                    }
                }
            }
        }
    };
    layout::page("Tasks", Here::Tasks, &content)
}

/// What a task is about, with a link where it has a page.
pub(super) fn object(id: &str) -> Markup {
    match id.split('-').next() {
        Some("PR") => link("/requests/", id),
        Some("EFS") => link("/schedules/", id),
        Some("TCR") => link("/tier-config-requests/", id),
        _ => html! { code { (id) } },
    }
}

fn row(task: &TaskRecord) -> Markup {
    let message = task.attempts.last().and_then(|attempt| attempt.output.as_ref()?.message.as_deref());
    html! {
        tr data-row tabindex="-1" {
            td { (link("/tasks/", &task.id)) }
            td { (chip(task.status.as_str())) @if let Some(message) = message { p.quiet.small.cut { (message) } } }
            td { code { (task.event_type) } }
            td { (object(&task.object_id)) }
            td.number { (task.attempts.len()) }
            td.number.quiet { @if let Some(attempt) = task.attempts.last() { (system_time(attempt.started)) } }
        }
    }
}

pub(super) async fn calls(
    State(console): State<Console>,
    Query(query): Query<Vec<(String, String)>>,
) -> Html<String> {
    let query = Form::from(query);
    let text = query.get("text").trim();
    let wanted = |call: &CallRecord| {
        let of_kind = match query.get("status") {
            "failed" => call.status >= 400,
            "changes" => call.method != "GET",
            _ => true,
        };
        of_kind && (text.is_empty() || percent_decode_str(&call.path).decode_utf8_lossy().contains(text))
    };
    let calls = console.core.setup.recorder.calls(SHOWN, wanted);
    let kinds = [("changes", "What changes something"), ("failed", "What was refused")];
    let content = html! {
        div.head { h1 { "Calls of REST" } p.count { "the newest" } }
        form.filters role="search" method="get" action="/calls" data-auto {
            label {
                span { "Which" }
                select name="status" {
                    option value="" { "All" }
                    @for (kind, shown) in kinds { option value=(kind) selected[query.get("status") == kind] { (shown) } }
                }
            }
            (search(&query, "Path"))
        }
        div #list data-live {
            @if calls.is_empty() { div.empty { p { "No call " (if query.is_empty() { "was made yet." } else { "matches." }) } } }
            @else {
                ol.card.entries.calls {
                    @for (number, entry) in &calls {
                        @if let What::Call(call) = &entry.what {
                            li data-row {
                                span.offset { (system_time(entry.at)) }
                                div.text {
                                    (timeline::call(call, &format!("call-{number}")))
                                }
                                span.quiet.small { @if let Some(task) = &entry.task { "task " (link("/tasks/", task)) } @else { (duration(call.took)) } }
                            }
                        }
                    }
                }
            }
        }
    };
    layout::page("Calls", Here::Calls, &content)
}

fn search(query: &Form, placeholder: &str) -> Markup {
    html! {
        label.grow {
            span { "Text" }
            input type="search" name="text" value=(query.get("text")) placeholder=(placeholder) aria-keyshortcuts="/" data-search;
        }
        button { "Filter" }
    }
}
