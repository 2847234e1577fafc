//! Interactive events by hand: a validation, a product action, a custom event.

use std::collections::BTreeSet;

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use connect_model::wire::TaskOutput;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console,
    form::Form,
    layout::{self, Here},
    parts::{chip, duration, errors, first, json as shown},
};
use crate::{events, store::REQUESTS};

pub(super) async fn show(
    State(console): State<Console>,
    Query(query): Query<Vec<(String, String)>>,
) -> Html<String> {
    page(&console, &Form::from(query), &[], None)
}

/// Sends it, and shows the answer.
pub(super) async fn send(State(console): State<Console>, sent: Form) -> Response {
    let data = match serde_json::from_str::<Value>(sent.get("data")) {
        Ok(data @ Value::Object(_)) => data,
        Ok(_) => return refused(&console, &sent, "data: It has to be a JSON object."),
        Err(error) => return refused(&console, &sent, &format!("data: It is not JSON: {error}.")),
    };
    let object = first([sent.get("object").trim(), "console"]);
    match console.core.ask(sent.get("event"), object, data).await {
        Ok(output) => page(&console, &sent, &[], Some(&output)).into_response(),
        Err(_) => refused(
            &console,
            &sent,
            "Nobody answered: no runner takes interactive tasks, or it took too long.",
        ),
    }
}

fn refused(console: &Console, sent: &Form, text: &str) -> Response {
    (StatusCode::BAD_REQUEST, page(console, sent, &[text.to_owned()], None)).into_response()
}

/// The interactive events that runners handle.
fn handled(console: &Console) -> BTreeSet<String> {
    let state = console.core.state();
    let subscribed = state.runners.values().flat_map(|own| own.declared.event_subscriptions.iter().flatten());
    subscribed
        .map(|(event, _)| event.clone())
        .filter(|event| events::category(event) == "interactive")
        .collect()
}

/// What such an event carries: of a validation the whole request, of the others the call of whom it came from.
fn sample(console: &Console, event: &str, object: &str) -> Value {
    if event.ends_with("_validation") {
        let request = console.core.read(|world| world.find(REQUESTS, object));
        return request.ok().flatten().unwrap_or_else(|| json!({}));
    }
    match event {
        "product_action_execution" => json!({"method": "GET", "querystring": {"jwt": [""]}, "headers": {},
            "jwt_payload": {"action_id": "action", "asset_id": object, "api_url": "", "exp": 0}}),
        _ => json!({"method": "POST", "headers": {}, "querystring": {}, "body": {}}),
    }
}

fn page(console: &Console, sent: &Form, texts: &[String], output: Option<&TaskOutput>) -> Html<String> {
    let handled = handled(console);
    let event = first([sent.get("event"), handled.first().map_or("", String::as_str)]);
    let data = sent
        .find("data")
        .map_or_else(|| format!("{:#}", sample(console, event, sent.get("object"))), str::to_owned);
    let content = html! {
        p.crumbs { a href="/extension" { "Extension" } }
        div.head { h1 { "Send an interactive event" } }
        (errors(texts))
        @if handled.is_empty() {
            div.empty { p { "No runner that is connected handles one." } }
        } @else {
            div.order {
                div.stack {
                    form.panel method="get" action="/send" data-auto {
                        h2 { "Event" }
                        label { span { "Event" }
                            select name="event" { @for own in &handled { option value=(own) selected[own == event] { (own) } } }
                        }
                        label { span { "Object" } input name="object" value=(sent.get("object")) placeholder="PR-…, AS-…" autocomplete="off"; }
                        p.hint { "Of a validation, the request with this id is filled in as data." }
                        button { "Fill in" }
                    }
                    form.panel method="post" action="/send" {
                        h2 { "Data" }
                        input type="hidden" name="event" value=(event);
                        input type="hidden" name="object" value=(sent.get("object"));
                        label { span { "The task's data (JSON)" } textarea name="data" rows="16" spellcheck="false" { (data) } }
                        div { button.primary { "Send" } }
                    }
                }
                section.panel { h2 { "Answer" } (answer(output)) }
            }
        }
    };
    layout::page("Send an event", Here::Extension, &content)
}

fn answer(output: Option<&TaskOutput>) -> Markup {
    let Some(output) = output else { return html! { p.quiet { "It is shown here." } } };
    let took = std::time::Duration::try_from_secs_f64(output.runtime).unwrap_or_default();
    html! {
        p { (chip(&output.result.to_string())) " " span.quiet { (duration(took)) } }
        @if let Some(message) = &output.message { p.message { (message) } }
        @if let Some(data) = &output.data { (shown(data.clone())) }
    }
}
