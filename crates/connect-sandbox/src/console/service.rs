//! The extension's service and environment, and who has installed it.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use connect_model::rql::Rql;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console, Problem, api,
    form::Form,
    layout::{self, Here},
    parts::{chip, errors, first, json as shown, list, named, row, text, time_of, title},
    products,
};
use crate::devops::environments::LEVELS;

const INSTALLATIONS: &str = "devops/installations";
/// How many events are shown.
const EVENTS: &str = "limit=50";

/// What was sent and refused.
struct Refused<'a> {
    /// The form: of the service, the environment, a new installation, or the one with this id.
    form: &'a str,
    sent: &'a Form,
    texts: &'a [String],
}

impl Refused<'_> {
    fn sent<'a>(refused: Option<&'a Self>, form: &str) -> Option<&'a Form> {
        refused.filter(|refused| refused.form == form).map(|refused| refused.sent)
    }
}

impl Console {
    fn service(&self) -> String {
        format!("devops/services/{}", self.core.setup.service_id())
    }
}

pub(super) async fn show(State(console): State<Console>) -> Result<Html<String>, Problem> {
    page(&console, None).await
}

/// Changes the service: its name, and the products that it is for.
pub(super) async fn set(State(console): State<Console>, sent: Form) -> Result<Response, Problem> {
    let products: Vec<Value> = sent.all("product").map(|id| json!({"id": id})).collect();
    let body = json!({"name": sent.get("name").trim(), "description": sent.get("description"), "products": products});
    let end = api::put(&console.core, &console.service(), &body).await;
    answer(&console, end.map(drop), "service", &sent).await
}

/// Changes what is set in the environment.
pub(super) async fn set_environment(State(console): State<Console>, sent: Form) -> Result<Response, Problem> {
    let mut body = json!({"runtime": sent.get("runtime"), "log_level": sent.get("log_level")});
    if sent.find("open").is_some() {
        body["jwt_secret"] = Value::Null;
    } else if let Some(secret) = Some(sent.get("jwt_secret").trim()).filter(|secret| !secret.is_empty()) {
        body["jwt_secret"] = secret.into();
    }
    let end = api::put(&console.core, &console.environment(), &body).await;
    answer(&console, end.map(drop), "environment", &sent).await
}

/// Starts nothing and stops the runners: `stop`, and `update-config`, which tells them all anew.
pub(super) async fn act(
    State(console): State<Console>,
    Path(action): Path<String>,
) -> Result<Redirect, Problem> {
    let path = format!("{}/{}", console.environment(), api::segment(&action));
    api::post(&console.core, &path, &Value::Null).await?;
    Ok(Redirect::to("/service"))
}

pub(super) async fn install(State(console): State<Console>, sent: Form) -> Result<Response, Problem> {
    let body = settings(&sent).map(|settings| {
        let owner = sent.get("owner");
        let (id, name) = owner.split_once(' ').unwrap_or((owner, owner));
        let role = if id.starts_with("PA-") { "distributor" } else { "vendor" };
        json!({"environment": {"id": console.core.setup.environment_id}, "settings": settings,
            "owner": {"id": id, "name": name, "role": role}})
    });
    let end = match body {
        Ok(body) => api::post(&console.core, INSTALLATIONS, &body).await.map(drop),
        Err(problem) => Err(problem),
    };
    answer(&console, end, "new", &sent).await
}

/// Changes the settings of an installation.
pub(super) async fn set_installation(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: Form,
) -> Result<Response, Problem> {
    let path = format!("{INSTALLATIONS}/{}", api::segment(&id));
    let end = match settings(&sent) {
        Ok(settings) => api::put(&console.core, &path, &json!({"settings": settings})).await.map(drop),
        Err(problem) => Err(problem),
    };
    answer(&console, end, &id, &sent).await
}

pub(super) async fn uninstall(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let path = format!("{INSTALLATIONS}/{}/uninstall", api::segment(&id));
    api::post(&console.core, &path, &json!({})).await?;
    Ok(Redirect::to("/service"))
}

/// The settings that were typed.
fn settings(sent: &Form) -> Result<Value, Problem> {
    let wrong =
        |text: String| Problem { status: StatusCode::BAD_REQUEST, texts: vec![format!("settings: {text}")] };
    match sent.get("settings").trim() {
        "" => Ok(json!({})),
        typed => match serde_json::from_str(typed) {
            Ok(settings @ Value::Object(_)) => Ok(settings),
            Ok(_) => Err(wrong("It has to be a JSON object.".to_owned())),
            Err(error) => Err(wrong(format!("It is not JSON: {error}."))),
        },
    }
}

async fn answer(
    console: &Console,
    end: Result<(), Problem>,
    form: &str,
    sent: &Form,
) -> Result<Response, Problem> {
    match end {
        Ok(()) => Ok(Redirect::to("/service").into_response()),
        Err(problem) if problem.status == StatusCode::BAD_REQUEST => {
            let page = page(console, Some(&Refused { form, sent, texts: &problem.texts })).await?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
        Err(problem) => Err(problem),
    }
}

async fn page(console: &Console, refused: Option<&Refused<'_>>) -> Result<Html<String>, Problem> {
    let core = &console.core;
    let service = api::get(core, &console.service()).await?;
    let environment = api::get(core, &console.environment()).await?;
    let installations = api::list(core, INSTALLATIONS, &Rql::Empty, "limit=1000").await?;
    let accounts = api::list(core, "accounts", &Rql::Empty, "limit=1000").await?;
    let events = api::list(core, &format!("{}/events", console.environment()), &Rql::Empty, EVENTS).await?;
    let products = products(core).await?;
    let texts = refused.map_or(&[] as &[String], |refused| refused.texts);
    let content = html! {
        div.head #head data-live {
            h1 { (text(&service, "/name")) " " code { (text(&service, "/id")) } }
            (chip(text(&environment, "/status")))
            p.sub { "What Connect knows of the extension, and who has installed it." }
        }
        (errors(texts))
        div.order {
            (service_form(&service, &products, Refused::sent(refused, "service")))
            (environment_form(&environment, Refused::sent(refused, "environment")))
        }
        div.stack {
            section {
                h2 { "Installations" }
                div.actions #actions data-live { (new_installation(&accounts.items, Refused::sent(refused, "new"))) }
                div.stack #installations data-live {
                    @if installations.items.is_empty() { div.empty { p { "Nobody has installed the extension." } } }
                    @for installation in &installations.items {
                        (card(installation, Refused::sent(refused, text(installation, "/id"))))
                    }
                }
            }
            section #instances data-live { h2 { "Instances" } (instances(list(&environment, "/instances"))) }
            section #events data-live { h2 { "What happened" } (happened(&events.items)) }
        }
    };
    Ok(layout::page("Service", Here::Service, &content))
}

fn service_form(service: &Value, products: &[(String, String)], sent: Option<&Form>) -> Markup {
    let typed = |name: &str| sent.map_or_else(|| text(service, &format!("/{name}")), |sent| sent.get(name));
    let chosen = |id: &str| match sent {
        Some(sent) => sent.all("product").any(|own| own == id),
        None => list(service, "/products").iter().any(|own| text(own, "/id") == id),
    };
    html! {
        form.panel method="post" action="/service" {
            h2 { "Service" }
            label { span { "Name" } input name="name" value=(typed("name")) autocomplete="off"; }
            label { span { "Description" } textarea name="description" rows="3" { (typed("description")) } }
            @if !products.is_empty() {
                fieldset {
                    legend { "Products that it is for; none chosen: all" }
                    @for (id, name) in products {
                        label.check {
                            input type="checkbox" name="product" value=(id) checked[chosen(id)];
                            span { (named(name, id)) }
                        }
                    }
                }
            }
            div { button.primary { "Save" } }
        }
    }
}

fn environment_form(environment: &Value, sent: Option<&Form>) -> Markup {
    let typed =
        |name: &str| sent.map_or_else(|| text(environment, &format!("/{name}")), |sent| sent.get(name));
    let choice = |name: &str, shown: &str, choices: &[&str]| {
        html! {
            label { span { (shown) }
                select name=(name) {
                    @for own in choices { option value=(own) selected[typed(name) == *own] { (own) } }
                }
            }
        }
    };
    html! {
        section.panel {
            h2 { "Environment " code { (text(environment, "/id")) } }
            form.stack method="post" action="/service/environment" {
                (choice("runtime", "Runtime that the extension is told", &["local", "cloud"]))
                (choice("log_level", "Log level", &LEVELS))
                label { span { "New secret of custom events; empty: it stays" }
                    input name="jwt_secret" autocomplete="off" spellcheck="false";
                }
                label.check {
                    input type="checkbox" name="open" value="yes" checked[environment["jwt_secret"].is_null()];
                    span { "Without a secret: anybody may send them" }
                }
                div { button.primary { "Save" } }
            }
            div.actions {
                form.inline method="post" action="/service/environment/update-config" { button { "Tell the runners anew" } }
                form.inline method="post" action="/service/environment/stop" { button { "Stop the runners" } }
                a.button href="/custom-event" { "Send a custom event" }
            }
        }
    }
}

fn new_installation(accounts: &[Value], sent: Option<&Form>) -> Markup {
    let typed = |name: &str| sent.map_or("", |sent| sent.get(name));
    let value = |account: &Value| format!("{} {}", text(account, "/id"), text(account, "/name"));
    html! {
        details.action data-key="new-installation" open[sent.is_some()] {
            summary { "New installation" }
            form method="post" action="/installations" {
                label { span { "Account" }
                    @if accounts.is_empty() { input name="owner" value=(typed("owner")) placeholder="PA-000-000" autocomplete="off"; }
                    @else {
                        select name="owner" {
                            @for account in accounts {
                                option value=(value(account)) selected[typed("owner") == value(account)] {
                                    (text(account, "/name")) " (" (first([text(account, "/role"), text(account, "/type")])) ")"
                                }
                            }
                        }
                    }
                }
                label { span { "Settings (JSON)" } textarea name="settings" rows="4" spellcheck="false" placeholder="{}" { (typed("settings")) } }
                button.primary { "Install it" }
            }
        }
    }
}

fn card(installation: &Value, sent: Option<&Form>) -> Markup {
    let id = text(installation, "/id");
    let path = format!("/installations/{}", api::segment(id));
    let settings = sent.map_or_else(
        || format!("{:#}", installation.get("settings").unwrap_or(&Value::Null)),
        |sent| sent.get("settings").to_owned(),
    );
    html! {
        section.card data-row {
            header {
                h3 { (named(text(installation, "/owner/name"), text(installation, "/owner/id"))) }
                (chip(text(installation, "/status")))
                span.right.quiet { code { (id) } }
            }
            dl.facts.flat {
                (row("Installed", &time_of(text(installation, "/events/installed/at"))))
                (row("Uninstalled", &time_of(text(installation, "/events/uninstalled/at"))))
                (row("Comment", &html! { (text(installation, "/comment")) }))
            }
            (shown(installation["settings"].clone()))
            @if text(installation, "/status") == "installed" {
                details.edit data-key={ "edit-" (id) } open[sent.is_some()] {
                    summary { "Edit" }
                    form.stack method="post" action=(path) {
                        label { span { "Settings (JSON)" } textarea name="settings" rows="6" spellcheck="false" { (settings) } }
                        div { button.primary { "Save" } }
                    }
                    form.line method="post" action={ (path) "/uninstall" } {
                        button aria-label={ "Uninstall " (id) } { "Uninstall" }
                    }
                }
            }
        }
    }
}

fn instances(instances: &[Value]) -> Markup {
    html! {
        @if instances.is_empty() { p.quiet { "None connected yet." } } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Instance" } th scope="col" { "Status" } th scope="col" { "Connects as" }
                        th scope="col" { "Error" } th.number scope="col" { "Since" } } }
                    tbody {
                        @for instance in instances {
                            tr {
                                td { code { (text(instance, "/id")) } }
                                td { (chip(text(instance, "/status"))) }
                                td { code { (text(instance, "/container_id")) } }
                                td.value { (text(instance, "/error_output")) }
                                td.number.quiet { (time_of(text(instance, "/events/created/at"))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn happened(events: &[Value]) -> Markup {
    html! {
        @if events.is_empty() { p.quiet { "Nothing yet." } } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Severity" } th scope="col" { "What" } th.number scope="col" { "When" } } }
                    tbody {
                        @for event in events {
                            tr {
                                td { (title(text(event, "/severity"))) }
                                td.value {
                                    (text(event, "/message"))
                                    @if !text(event, "/details").is_empty() { pre tabindex="0" { code { (text(event, "/details")) } } }
                                }
                                td.number.quiet { (time_of(text(event, "/timestamp"))) }
                            }
                        }
                    }
                }
            }
        }
    }
}
