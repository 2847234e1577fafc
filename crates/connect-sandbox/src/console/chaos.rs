//! What goes wrong on purpose: faults, maintenance, cut connections.

use std::time::Duration;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::html;

use super::{
    Console, Problem,
    form::Form,
    layout::{self, Here},
    parts::errors,
};
use crate::{Fault, api_error::ApiError};

pub(super) async fn show(State(console): State<Console>) -> Html<String> {
    page(&console, &[])
}

pub(super) async fn act(
    State(console): State<Console>,
    Path(action): Path<String>,
    sent: Form,
) -> Result<Response, Problem> {
    let chaos = &console.core.chaos;
    let refused = match action.as_str() {
        "maintenance" => {
            console.core.set_maintenance(sent.get("on") == "true");
            None
        }
        "cut" => {
            console.core.cut();
            None
        }
        "clear" => {
            chaos.faults().clear();
            None
        }
        "call" => call(&sent).and_then(|fault| inject(&console, fault)).err(),
        "delivery" => delivery(&sent).and_then(|fault| inject(&console, fault)).err(),
        _ => return Err(ApiError::not_found().into()),
    };
    Ok(match refused {
        None => Redirect::to("/chaos").into_response(),
        Some(text) => (StatusCode::BAD_REQUEST, page(&console, &[text])).into_response(),
    })
}

fn inject(console: &Console, fault: Fault) -> Result<(), String> {
    console.core.chaos.inject(fault).map_err(|error| error.to_string())?;
    console.core.setup.recorder.touch();
    Ok(())
}

/// The number in a field, or none where it is empty.
fn number<T: std::str::FromStr>(sent: &Form, name: &str) -> Result<Option<T>, String> {
    let text = sent.get(name).trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| format!("{name}: \"{text}\" is not a number that fits."))
}

fn common(mut fault: Fault, sent: &Form) -> Result<Fault, String> {
    if let Some(times) = number(sent, "times")? {
        fault = fault.times(times);
    }
    if let Some(percent) = number::<f64>(sent, "percent")? {
        fault = fault.chance(percent / 100.0);
    }
    Ok(fault)
}

fn call(sent: &Form) -> Result<Fault, String> {
    let mut fault = Fault::call(sent.get("path").trim().trim_start_matches("/public/v1"));
    if !sent.get("method").is_empty() {
        fault = fault.method(sent.get("method"));
    }
    if let Some(status) = number(sent, "status")? {
        fault = fault.status(status);
    }
    if let Some(milliseconds) = number(sent, "latency")? {
        fault = fault.latency(Duration::from_millis(milliseconds));
    }
    if sent.get("done") == "true" {
        fault = fault.done();
    }
    common(fault, sent)
}

fn delivery(sent: &Form) -> Result<Fault, String> {
    let mut fault = match sent.get("delivery") {
        "lost" => Fault::delivery_lost(),
        "twice" => Fault::delivered_twice(),
        _ => return Err("delivery: lost or twice.".to_owned()),
    };
    if !sent.get("event").trim().is_empty() {
        fault = fault.event(sent.get("event").trim());
    }
    common(fault, sent)
}

fn page(console: &Console, texts: &[String]) -> Html<String> {
    let (faults, maintenance) = (console.core.chaos.faults().clone(), console.core.chaos.maintenance());
    let shown = |fault: &Fault| serde_json::to_string(fault).unwrap_or_default();
    let times = html! {
        label { span { "How often" } input name="times" inputmode="numeric" placeholder="always" autocomplete="off"; }
        label { span { "In % of cases" } input name="percent" inputmode="decimal" placeholder="100" autocomplete="off"; }
    };
    let content = html! {
        div.head {
            h1 { "Chaos" }
            p.sub { "What goes wrong on purpose, to see what the extension makes of it." }
        }
        (errors(texts))
        div.order {
            section.panel #faults data-live {
                h2 { "Now" }
                @if maintenance { p { strong { "Maintenance: everything is answered with 502." } } }
                @if faults.is_empty() { p.quiet { "Nothing else goes wrong." } }
                @for fault in &faults { p.message { code { (shown(fault)) } } }
                div.actions {
                    form.inline method="post" action="/chaos/maintenance" {
                        @if maintenance {
                            button name="on" value="false" { "End the maintenance" }
                        } @else {
                            button name="on" value="true" { "Begin a maintenance" }
                        }
                    }
                    form.inline method="post" action="/chaos/cut" { button { "Cut the connections" } }
                    form.inline method="post" action="/chaos/clear" { button { "Clear the faults" } }
                }
            }
            section.panel {
                h2 { "Calls" }
                form #call.stack method="post" action="/chaos/call" {
                    label { span { "Path, below /public/v1; * is one segment, ** all that follow" }
                        input name="path" value="requests/*/approve" required autocomplete="off"; }
                    label { span { "Method" }
                        select name="method" {
                            option value="" { "Any" }
                            @for method in ["GET", "POST", "PUT", "DELETE"] { option { (method) } }
                        }
                    }
                    label { span { "Status of the answer" } input name="status" inputmode="numeric" placeholder="as ever" value="503" autocomplete="off"; }
                    label { span { "Milliseconds it takes longer" } input name="latency" inputmode="numeric" placeholder="0" autocomplete="off"; }
                    label.check { input type="checkbox" name="done" value="true"; span { "It is done all the same: only the answer is lost" } }
                    (times)
                    button.primary { "Let them fail" }
                }
            }
            section.panel {
                h2 { "Deliveries of tasks" }
                form.stack method="post" action="/chaos/delivery" {
                    label { span { "What happens" }
                        select name="delivery" {
                            option value="lost" { "They are lost" }
                            option value="twice" { "They come twice" }
                        }
                    }
                    label { span { "Event" } input name="event" placeholder="any" autocomplete="off"; }
                    (times)
                    button.primary { "Let them fail" }
                }
            }
        }
    };
    layout::page("Chaos", Here::Chaos, &content)
}
