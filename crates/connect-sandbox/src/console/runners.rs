//! The runners that are connected, and what the extension handles.

use std::collections::{BTreeMap, BTreeSet};

use axum::{extract::State, response::Html};
use maud::html;

use super::{
    Console,
    layout::{self, Here},
    parts::{chip, row, system_time},
};
use crate::{TaskStatus, core::Connected, dispatch::Lane, events};

impl Console {
    pub(super) fn runners(&self) -> Vec<Connected> {
        self.core.state().runners.values().cloned().collect()
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
            p.actions {
                a.button href="/send" { "Send an interactive event" } " "
                @if subscribed.contains_key("product_custom_event_processing") { a.button href="/custom-event" { "Send a custom event" } }
            }
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
