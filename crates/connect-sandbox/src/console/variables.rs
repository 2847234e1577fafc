//! The variables of the extension.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    response::{Html, IntoResponse, Redirect, Response},
};
use connect_model::rql::{Operand, R, Rql};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console, Problem, api,
    form::Form,
    layout::{self, Here},
    parts::{COVERED, chip, errors, text},
};
use crate::api_error::ApiError;

impl Console {
    /// Where the parts of the environment are, for the calls of REST.
    pub(super) fn environment(&self) -> String {
        let setup = &self.core.setup;
        format!("devops/services/{}/environments/{}", setup.service_id(), setup.environment_id)
    }

    fn variables(&self) -> String {
        format!("{}/variables", self.environment())
    }
}

/// What was sent and refused, to be shown again.
struct Refused<'a> {
    /// The variable it is about; none: a new one.
    name: Option<&'a str>,
    sent: &'a Form,
    texts: &'a [String],
}

pub(super) async fn all(State(console): State<Console>) -> Result<Html<String>, Problem> {
    page(&console, None).await
}

pub(super) async fn make(State(console): State<Console>, sent: Form) -> Result<Response, Problem> {
    let body = json!({"name": sent.get("name").trim(), "value": sent.get("value"),
        "secure": sent.find("secure").is_some()});
    let end = api::post(&console.core, &console.variables(), &body).await;
    answer(&console, end, None, &sent).await
}

impl Console {
    /// Where a variable is, by its name.
    async fn variable(&self, name: &str) -> Result<String, Problem> {
        let named = R::field("name").eq(Operand::text(name));
        let found = api::list(&self.core, &self.variables(), &named, "limit=1").await?;
        let id = found.items.first().map(|variable| text(variable, "/id")).ok_or_else(ApiError::not_found)?;
        Ok(format!("{}/{}", self.variables(), api::segment(id)))
    }
}

/// Gives a variable another value: the runners are told at once.
pub(super) async fn set(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: Form,
) -> Result<Response, Problem> {
    let path = console.variable(&name).await?;
    let end = api::put(&console.core, &path, &json!({"value": sent.get("value")})).await;
    answer(&console, end, Some(&name), &sent).await
}

pub(super) async fn delete(
    State(console): State<Console>,
    Path(name): Path<String>,
) -> Result<Redirect, Problem> {
    api::delete(&console.core, &console.variable(&name).await?).await?;
    Ok(Redirect::to("/variables"))
}

async fn answer(
    console: &Console,
    end: Result<Value, Problem>,
    name: Option<&str>,
    sent: &Form,
) -> Result<Response, Problem> {
    match end {
        Ok(_) => Ok(Redirect::to("/variables").into_response()),
        Err(problem) if problem.status.is_client_error() && problem.status != 404 => {
            let page = page(console, Some(&Refused { name, sent, texts: &problem.texts })).await?;
            Ok((problem.status, page).into_response())
        }
        Err(problem) => Err(problem),
    }
}

async fn page(console: &Console, refused: Option<&Refused<'_>>) -> Result<Html<String>, Problem> {
    let found = api::list(&console.core, &console.variables(), &Rql::Empty, "limit=1000").await?;
    let mut declared: BTreeMap<String, String> = BTreeMap::new();
    for variable in console.runners().iter().flat_map(|runner| runner.declared.variables.iter().flatten()) {
        declared.insert(variable.name.clone(), variable.initial_value.expose().to_owned());
    }
    let texts = refused.map_or(&[] as &[String], |refused| refused.texts);
    let content = html! {
        div.head {
            h1 { "Variables" }
            p.sub { "A new value goes to the connected runners at once, as a new setup. Tasks that run keep the old one." }
        }
        (errors(texts))
        div.actions #actions data-live { (form(refused.filter(|refused| refused.name.is_none()).map(|refused| refused.sent))) }
        div.stack #variables data-live {
            @if found.items.is_empty() { div.empty { p { "No runner declared a variable." } } }
            @for variable in &found.items {
                @let open = refused.is_some_and(|refused| refused.name == Some(text(variable, "/name")));
                (card(variable, declared.get(text(variable, "/name")).map(String::as_str), open))
            }
        }
    };
    Ok(layout::page("Variables", Here::Variables, &content))
}

fn card(variable: &Value, initial: Option<&str>, open: bool) -> Markup {
    let name = text(variable, "/name");
    let secure = variable["secure"] == true;
    let value = if secure { COVERED } else { text(variable, "/value") };
    let path = format!("/variables/{}", api::segment(name));
    html! {
        section.card data-row {
            header {
                h2 { code { (name) } }
                @if secure { (chip("secure")) }
                @match initial {
                    None => span.right.quiet { "not declared by the extension" },
                    Some(initial) if !secure && initial == value => span.right.quiet { "initial value" },
                    Some(_) if secure => span.right.quiet { "declared" },
                    Some(_) => span.right.quiet { "changed" },
                }
            }
            p.message { code { (value) } }
            details.edit data-key={ "edit-" (name) } open[open] {
                summary { "Edit" }
                form.line method="post" action=(path) {
                    label { span { "New value" }
                        input id={ "v-" (name) } name="value" autocomplete="off" value=(if secure { "" } else { value })
                            type=(if secure { "password" } else { "text" });
                    }
                    button.primary { "Save" }
                }
                form.line method="post" action={ (path) "/delete" } {
                    button aria-label={ "Delete " (name) } { "Delete" }
                }
            }
        }
    }
}

fn form(sent: Option<&Form>) -> Markup {
    let typed = |name: &str| sent.map_or("", |sent| sent.get(name));
    html! {
        details.action data-key="new-variable" open[sent.is_some()] {
            summary { "New variable" }
            form method="post" action="/variables" {
                label { span { "Name" } input name="name" value=(typed("name")) autocomplete="off"; }
                label { span { "Value" } input name="value" value=(typed("value")) autocomplete="off"; }
                label.check { input type="checkbox" name="secure" value="yes" checked[sent.is_some_and(|sent| sent.find("secure").is_some())]; span { "It is a secret" } }
                button.primary { "Add it" }
            }
        }
    }
}
