//! The sandbox's time: how fast it goes, and jumps ahead.

use std::time::Duration;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::html;
use tokio::time::Instant;

use super::{
    Console, Problem,
    form::Form,
    layout::{self, Here},
    parts::{duration, errors, link, row},
};
use crate::{api_error::ApiError, builder::check_speed, core::Timer, dispatch::scaled};

/// The jumps that have a button, in seconds.
const STEPS: &[(u64, &str)] =
    &[(60, "1 minute"), (3_600, "1 hour"), (86_400, "1 day"), (30 * 86_400, "30 days")];
/// The longest jump, in seconds: ten years.
const LONGEST: u64 = 10 * 365 * 86_400;
const SPEEDS: &[u32] = &[1, 60, 1_000];

pub(super) async fn show(State(console): State<Console>) -> Html<String> {
    page(&console, &[])
}

pub(super) async fn act(
    State(console): State<Console>,
    Path(action): Path<String>,
    sent: Form,
) -> Result<Response, Problem> {
    let refused = match action.as_str() {
        "speed" => match sent.get("speed").trim().parse::<f64>() {
            Ok(speed) => match check_speed(speed) {
                Ok(()) => {
                    console.core.set_speed(speed);
                    None
                }
                Err(error) => Some(error.to_string()),
            },
            Err(_) => Some("The speed is not a number.".to_owned()),
        },
        "step" => match sent.get("seconds").trim().parse::<u64>() {
            Ok(seconds @ 1..=LONGEST) => {
                console.core.step(Duration::from_secs(seconds));
                None
            }
            _ => Some(format!("A jump takes from 1 to {LONGEST} seconds.")),
        },
        _ => return Err(ApiError::not_found().into()),
    };
    Ok(match refused {
        None => Redirect::to("/clock").into_response(),
        Some(text) => (StatusCode::BAD_REQUEST, page(&console, &[text])).into_response(),
    })
}

fn page(console: &Console, texts: &[String]) -> Html<String> {
    let (now, speed, (waiting, next), timers) = {
        let state = console.core.state();
        let timers: Vec<(Timer, jiff::Timestamp)> =
            state.timers().map(|(timer, at)| (timer.clone(), at)).collect();
        (state.clock.now(), state.clock.speed(), state.dispatcher.waiting(Instant::now()), timers)
    };
    // In the sandbox's own time, as the countdown said it.
    let own = |real: Duration| duration(scaled(real, 1.0 / speed));
    let content = html! {
        div.head {
            h1 { "Clock" }
            p.sub { "Countdowns, the waits between retries, and schedules follow it. Handlers take as long as they take." }
        }
        (errors(texts))
        div.order {
            section.panel #now data-live {
                h2 { "Now" }
                dl.facts.flat {
                    (row("Time", &html! { time.exact datetime=(now) { (now.strftime("%Y-%m-%d %H:%M:%S UTC")) } }))
                    (row("Speed", &html! { (speed) " times as fast" }))
                    (row("Waiting tasks", &html! { (waiting) }))
                    (row("The next comes in", &html! { @if let Some(next) = next { (own(next)) " (" (duration(next)) " of yours)" } }))
                }
            }
            section.panel {
                h2 { "Speed" }
                form.line method="post" action="/clock/speed" {
                    label { span { "Times as fast" } input name="speed" inputmode="decimal" value=(speed) autocomplete="off"; }
                    button.primary { "Set" }
                }
                div.actions {
                    @for speed in SPEEDS {
                        form.inline method="post" action="/clock/speed" {
                            button name="speed" value=(speed) { (speed) " ×" }
                        }
                    }
                }
            }
            section.panel {
                h2 { "Jump ahead" }
                div.actions {
                    @for (seconds, name) in STEPS {
                        form.inline method="post" action="/clock/step" { button name="seconds" value=(seconds) { (name) } }
                    }
                }
                form.line method="post" action="/clock/step" {
                    label { span { "Seconds" } input name="seconds" inputmode="numeric" autocomplete="off"; }
                    button { "Jump" }
                }
            }
            section.panel #schedules data-live {
                h2 { "Schedules that fire, and scheduled requests" }
                @if timers.is_empty() { p.quiet { "None." } }
                dl.facts.flat {
                    @for (timer, at) in &timers {
                        div {
                            dt { @match timer {
                                Timer::Schedule(id) => (link("/schedules/", id)),
                                Timer::Request(id) => (link("/requests/", id)),
                            } }
                            dd { (at.strftime("%Y-%m-%d %H:%M:%S UTC")) }
                        }
                    }
                }
            }
        }
    };
    layout::page("Clock", Here::Clock, &content)
}
