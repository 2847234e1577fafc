//! What happened to an object: what it went through, and each attempt at each of its tasks.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::Value;
use tokio::time::Instant;
use tracing::Level;

use super::{
    Console,
    parts::{chip, duration, json, link, system_time, title},
};
use crate::{
    AttemptRecord, TaskRecord, TaskStatus,
    recorder::{Body, CallRecord, Entry, What},
};

/// How many tasks of an object are shown.
const SHOWN: usize = 100;

/// Something in the life of an object.
enum Moment<'a> {
    Event { name: &'a str, by: &'a str },
    Attempt { task: &'a TaskRecord, number: usize },
}

/// The timeline of an object; its own events too, where it tells them.
pub(super) fn timeline(console: &Console, object_id: &str, object: &Value) -> Markup {
    let (tasks, waits) = {
        let state = console.core.state();
        let tasks = state.dispatcher.newest_of(object_id, SHOWN);
        let now = Instant::now();
        let waits: Vec<Option<Duration>> =
            tasks.iter().map(|task| state.dispatcher.waits(&task.id, now)).collect();
        (tasks, waits)
    };
    of_tasks(console, &tasks, &waits, object)
}

/// The timeline of one task alone.
pub(super) fn of_task(console: &Console, task: &TaskRecord) -> Markup {
    let wait = console.core.state().dispatcher.waits(&task.id, Instant::now());
    of_tasks(console, std::slice::from_ref(task), &[wait], &Value::Null)
}

fn of_tasks(console: &Console, tasks: &[TaskRecord], waits: &[Option<Duration>], object: &Value) -> Markup {
    let ids: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
    let entries = console.core.setup.recorder.of_tasks(&ids);
    let nothing = Vec::new();
    let mut moments: Vec<(SystemTime, Moment<'_>)> = Vec::new();
    for (name, event) in object["events"].as_object().into_iter().flatten() {
        let Some(at) = event["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok()) else { continue };
        if name == "updated" {
            continue;
        }
        // Connect's times have no fractions: of the same second, all but the creation came of an attempt.
        let rest = Duration::from_millis(if name == "created" { 0 } else { 999 });
        let by = event["by"]["name"].as_str().unwrap_or_default();
        // Objects tell the sandbox's own time, attempts and calls the real one.
        let at = console.core.state().clock.real(at.checked_add(rest).unwrap_or(at));
        moments.push((at, Moment::Event { name, by }));
    }
    for task in tasks {
        for (index, attempt) in task.attempts.iter().enumerate() {
            moments.push((attempt.started, Moment::Attempt { task, number: index + 1 }));
        }
    }
    moments.sort_by_key(|(at, _)| *at);
    html! {
        ol.timeline {
            @for (at, moment) in &moments {
                @match moment {
                    Moment::Event { name, by } => li.event {
                        span.dot aria-hidden="true" {}
                        p { strong { (title(name)) } @if !by.is_empty() { " by " (by) } " " span.quiet { (system_time(*at)) } }
                    },
                    Moment::Attempt { task, number } => {
                        @let next = task.attempts.get(*number).map(|next| next.started);
                        @let entries = during(entries.get(task.id.as_str()).unwrap_or(&nothing), *at, next);
                        (attempt(task, *number, &task.attempts[*number - 1], entries))
                    }
                }
            }
            @for (task, wait) in tasks.iter().zip(waits).filter(|(task, _)| task.is_queued()) {
                li.event.waiting {
                    span.dot aria-hidden="true" {}
                    p {
                        strong { "Task " (link("/tasks/", &task.id)) " " (waiting(task, *wait)) }
                    }
                }
            }
        }
        @if tasks.is_empty() { p.quiet { "No task was made for it yet." } }
        @if tasks.len() == SHOWN { p.quiet { "Of its tasks, the newest " (SHOWN) " are shown." } }
    }
}

fn waiting(task: &TaskRecord, wait: Option<Duration>) -> String {
    match wait {
        Some(wait) => format!("comes again in {}", duration(wait)),
        None if task.attempts.is_empty() => "waits for a runner".to_owned(),
        None => "waits for a runner to come again".to_owned(),
    }
}

/// What happened in one attempt: from its start to that of the next.
fn during(entries: &[Entry], from: SystemTime, to: Option<SystemTime>) -> &[Entry] {
    let first = entries.partition_point(|entry| entry.at < from);
    let last = to.map_or(entries.len(), |to| entries.partition_point(|entry| entry.at < to));
    &entries[first..last.max(first)]
}

fn attempt(task: &TaskRecord, number: usize, attempt: &AttemptRecord, entries: &[Entry]) -> Markup {
    let transactions: Vec<&str> = entries
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Step(step) if step.is_transaction => Some(step.name.as_str()),
            _ => None,
        })
        .collect();
    let count = |wanted: fn(&What) -> bool| entries.iter().filter(|entry| wanted(&entry.what)).count();
    let counts = [
        (count(|what| matches!(what, What::Call(_))), "call", "calls"),
        (count(|what| matches!(what, What::Line(_))), "log line", "log lines"),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    let took = attempt.ended.and_then(|ended| ended.duration_since(attempt.started).ok());
    let output = attempt.output.as_ref();
    let result = match output {
        Some(output) => output.result.to_string(),
        None if number == task.attempts.len() && task.status == TaskStatus::Processing => {
            "running".to_owned()
        }
        None => "lost".to_owned(),
    };
    let key = format!("{}-{number}", task.id);
    html! {
        li.attempt data-row tabindex="-1" id=(key) {
            span.dot aria-hidden="true" {}
            div.card {
                header {
                    h3 {
                        @if transactions.is_empty() { "Attempt " (number) } @else { (transactions.join(", then ")) }
                    }
                    (chip(&result))
                    @if let Some(output) = output.filter(|output| output.countdown > 0) {
                        span.quiet { "for " (duration(Duration::from_secs(output.countdown))) }
                    }
                    span.right.quiet {
                        @if let Some(took) = took { span title="From sent to answered" { (duration(took)) } " · " }
                        (system_time(attempt.started))
                    }
                }
                @if let Some(message) = output.and_then(|output| output.message.as_deref()) {
                    p.message { (message) }
                }
                @if output.is_none() && result == "lost" {
                    p.message { "No answer came: the connection was lost, or the time was over." }
                }
                p.quiet.small {
                    @if !transactions.is_empty() { "Attempt " (number) " · " }
                    code { (task.event_type) } " · task " (link("/tasks/", &task.id)) " · on " code { (attempt.instance) }
                    @if let Some(output) = output { " · handler " (duration(seconds(output.runtime))) }
                }
                @if !entries.is_empty() {
                    details data-key=(key) {
                        summary { (if counts.is_empty() { "Steps".to_owned() } else { counts.join(", ") }) }
                        ol.entries {
                            @for (index, entry) in entries.iter().enumerate() {
                                li { (self::entry(entry, attempt.started, &format!("{key}-{index}"))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A runner may say whatever it likes.
fn seconds(runtime: f64) -> Duration {
    Duration::try_from_secs_f64(runtime).unwrap_or_default()
}

fn entry(entry: &Entry, started: SystemTime, key: &str) -> Markup {
    let offset = entry.at.duration_since(started).unwrap_or_default();
    html! {
        span.offset { "+" (duration(offset)) }
        @match &entry.what {
            What::Line(line) => {
                span.level.(level(line.level)) { (line.level) }
                span.text { (line.text) " " span.quiet { (line.target) } }
            }
            What::Step(step) => {
                span.level.step { (if step.is_transaction { "SAGA" } else { "SPAN" }) }
                span.text {
                    @if step.is_transaction { "Transaction " } strong { (step.name) }
                    " " span.quiet { (step.took.map_or_else(|| "runs".to_owned(), duration)) }
                }
            }
            What::Call(record) => { span.level.call { "REST" } div.text { (call(record, key)) } }
        }
    }
}

/// A call with its bodies.
pub(super) fn call(call: &CallRecord, key: &str) -> Markup {
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let query = percent_encoding::percent_decode_str(query).decode_utf8_lossy();
    let kind = if call.status < 400 { "good" } else { "bad" };
    html! {
        details.call data-key=(key) {
            summary {
                code { strong { (call.method) } " " (path) @if !query.is_empty() { span.quiet { "?" (query) } } }
                " " span.chip.(kind) { (call.status) } " " span.quiet { (duration(call.took)) }
            }
            (body("Body", &call.body))
            (body("Answer", &call.answer))
        }
    }
}

fn body(name: &str, body: &Body) -> Markup {
    html! {
        @if !body.bytes.is_empty() {
            h4 { (name) @if !body.is_whole { " (its beginning)" } }
            @match serde_json::from_slice::<Value>(&body.bytes) {
                Ok(value) => (json(value)),
                // A beginning can't be read, so nothing in it can be covered.
                Err(_) if !body.is_whole => p.quiet { "It is too long to be shown." },
                Err(_) => pre tabindex="0" { code { (String::from_utf8_lossy(&body.bytes)) } },
            }
        } @else if !body.is_whole {
            h4 { (name) }
            p.quiet { "It is too long to be shown." }
        }
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "bad",
        Level::WARN => "wait",
        _ => "plain",
    }
}
