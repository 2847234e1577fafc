//! The variables of the extension.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use connect_model::wire::Secret;
use maud::html;

use super::{
    Console, Problem, api,
    form::Form,
    layout::{self, Here},
    parts::{COVERED, chip, errors},
};

/// A variable as it is.
struct Variable {
    value: Secret,
    initial: Option<Secret>,
    secure: bool,
}

impl Variable {
    /// Whether nobody should see it. What the extension has not declared may be a secret.
    fn is_covered(&self) -> bool {
        self.secure || self.initial.is_none()
    }
}

pub(super) async fn all(State(console): State<Console>) -> Html<String> {
    page(&console, "", &[])
}

/// Gives a variable another value: the runners are told at once.
pub(super) async fn set(State(console): State<Console>, Path(name): Path<String>, sent: Form) -> Response {
    // The limit is Connect's.
    let value = sent.get("value");
    if value.is_empty() || value.chars().count() > 21_960 {
        let texts = [format!("{name}: a value has from 1 to 21960 characters.")];
        return (StatusCode::BAD_REQUEST, page(&console, &name, &texts)).into_response();
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

fn page(console: &Console, open: &str, texts: &[String]) -> Html<String> {
    let known = known(console);
    let shown = |variable: &Variable| {
        if variable.is_covered() { COVERED.to_owned() } else { variable.value.expose().to_owned() }
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
                                input id=(id) name="value" autocomplete="off" value=(if variable.is_covered() { "" } else { variable.value.expose() })
                                    type=(if variable.is_covered() { "password" } else { "text" });
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
