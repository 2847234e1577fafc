//! One request: what it is, what happened to it, and what can be done with it.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console, Problem,
    act::{Panels, Refused},
    api, conversations,
    form::Form,
    layout::{self, Here},
    params,
    parts::{self, chip, errors, first, json as shown, link, list, named, row, text, time_of, title},
    tier,
    timeline::timeline,
};

pub(super) async fn show(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let request = api::get(&console.core, &format!("requests/{}", api::segment(&id))).await?;
    Ok(page(&console, &request, &Refused::default()).await?.into_response())
}

/// Does what a button says. What the sandbox refuses is told on the page.
pub(super) async fn act(
    State(console): State<Console>,
    Path((id, action)): Path<(String, String)>,
    sent: Form,
) -> Result<Response, Problem> {
    let path = format!("requests/{}", api::segment(&id));
    let request = api::get(&console.core, &path).await?;
    let mut refused = Refused::new(action, sent);
    let end = run(&console, &path, &request, &mut refused).await;
    console.core.setup.recorder.touch();
    match end {
        Ok(()) if refused.is_empty() => {
            Ok(Redirect::to(&format!("/requests/{}", api::segment(&id))).into_response())
        }
        end => {
            let mut status = StatusCode::BAD_REQUEST;
            if let Err(problem) = end {
                status = problem.status;
                refused.fields.extend(params::told(list(&request, "/asset/params"), &problem.texts));
                refused.texts.extend(problem.texts);
            }
            let page = page(&console, &request, &refused).await?;
            Ok((status, page).into_response())
        }
    }
}

async fn run(console: &Console, path: &str, request: &Value, refused: &mut Refused) -> Result<(), Problem> {
    let (core, sent) = (&console.core, refused.sent.clone());
    let action = refused.action.clone();
    let post = async |body: Value| api::post(core, &format!("{path}/{action}"), &body).await.map(drop);
    match action.as_str() {
        "approve" => post(json!({"template_id": sent.get("template")})).await,
        "fail" | "revoke" => post(json!({"reason": sent.get("reason")})).await,
        "inquire" => {
            let wrong = refused.wrong();
            if !wrong.is_empty() {
                api::put(core, path, &json!({"asset": {"params": wrong}})).await?;
            }
            match sent.get("template") {
                "" => post(json!({})).await,
                template => post(json!({"template_id": template})).await,
            }
        }
        "schedule" => {
            let date = sent.get("planned_date").trim();
            // What the field of a browser gives is without an offset; it is UTC.
            let date = if date.is_empty() { Value::Null } else { date.into() };
            post(json!({"planned_date": date})).await
        }
        "params" | "pend" | "validate" => {
            let definitions = definitions(console, request).await?;
            let Some(changes) = refused.changes(&joined(request, &definitions)) else { return Ok(()) };
            let mut body = json!({"asset": {"params": changes}});
            if action != "params" {
                return post(body).await;
            }
            if let Some(note) = sent.find("note").filter(|note| *note != text(request, "/note")) {
                body["note"] = note.into();
            }
            api::put(core, path, &body).await.map(drop)
        }
        "rerun" => {
            if !core.rerun(crate::store::REQUESTS, text(request, "/id"))? {
                let (kind, status) = (text(request, "/type"), text(request, "/status"));
                refused.texts.push(format!("No runner handles a {kind} request that is {status}."));
            }
            Ok(())
        }
        "purchase" | "submit" | "confirm" => post(json!({})).await,
        _ => Err(crate::api_error::ApiError::not_found().into()),
    }
}

/// What the product of a request says about its parameters.
async fn definitions(console: &Console, request: &Value) -> Result<Vec<Value>, Problem> {
    let path = format!("products/{}/parameters", api::segment(text(request, "/asset/product/id")));
    Ok(api::list(&console.core, &path, &connect_model::rql::Rql::Empty, "limit=1000").await?.items)
}

/// The parameters of a request, with what its product says about them.
fn joined(request: &Value, definitions: &[Value]) -> Vec<Value> {
    list(request, "/asset/params").iter().map(|param| params::joined(param, definitions)).collect()
}

async fn page(
    console: &Console,
    request: &Value,
    refused: &Refused,
) -> Result<axum::response::Html<String>, Problem> {
    let id = text(request, "/id");
    let kind = title(first([text(request, "/type"), "request"]));
    let definitions = definitions(console, request).await?;
    let joined = joined(request, &definitions);
    let product = api::segment(text(request, "/asset/product/id"));
    let nothing = connect_model::rql::Rql::Empty;
    let templates =
        api::list(&console.core, &format!("products/{product}/templates"), &nothing, "limit=1000").await?;
    let said = conversations::panel(console, id)?;
    let waits = tier::waited_for(console, request).await?;
    let content = html! {
        p.crumbs { a href="/" { "Requests" } }
        div.head #head data-live {
            h1 { (kind) " " code { (id) } }
            (chip(text(request, "/status")))
            p.sub {
                (first([text(request, "/asset/product/name"), text(request, "/asset/product/id")]))
                @if !text(request, "/asset/tiers/customer/name").is_empty() { " for " (text(request, "/asset/tiers/customer/name")) }
                " · asset " (link("/assets/", text(request, "/asset/id")))
            }
            @if !text(request, "/reason").is_empty() { p.message { (text(request, "/reason")) } }
            (waits)
        }
        (errors(&refused.texts))
        div.actions #actions data-live { (actions(request, &joined, &templates.items, refused)) }
        div.columns {
            div.facts-column {
                section aria-labelledby="timeline-title" {
                    h2 #timeline-title { "Timeline" }
                    div #timeline data-live { (timeline(console, id, request)) }
                }
                (said)
            }
            div.facts-column #facts data-live { (facts(request, &joined)) }
        }
    };
    Ok(layout::page(&format!("{kind} {id}"), Here::Requests, &content))
}

/// The buttons for the status a request is in, with the fields they need.
fn actions(request: &Value, params: &[Value], templates: &[Value], refused: &Refused) -> Markup {
    let status = text(request, "/status");
    let path = format!("/requests/{}", api::segment(text(request, "/id")));
    let panels = Panels { path, params, templates, scope: "asset", refused };
    let note = html! {
        label { span { "Note" } input name="note" value=(panels.typed("params", "note", text(request, "/note"))); }
    };
    let answer =
        html! { p.hint { "As the customer's activation form would." } (panels.values("pend", true)) };
    html! {
        @if matches!(status, "pending" | "inquiring") {
            (panels.panel("approve", "Approve", "good", &panels.template("approve", "fulfillment")))
        }
        @if status == "pending" {
            (panels.panel("fail", "Fail", "bad", &panels.reason("fail")))
            (panels.panel("inquire", "Inquire", "plain", &html! { (panels.inquiry()) (panels.template("inquire", "inquire")) }))
        }
        @if status == "inquiring" { (panels.panel("pend", "Answer the inquiry", "plain", &answer)) }
        @if matches!(status, "draft" | "pending" | "inquiring") {
            (panels.panel("params", "Edit parameters", "plain", &html! { (panels.values("params", false)) (note) }))
        }
        @if status == "draft" {
            (panels.panel("validate", "Validate", "plain", &panels.values("validate", true)))
            @if text(request, "/type") == "purchase" { (panels.button("purchase", "Purchase")) }
            @else { (panels.button("submit", "Submit")) }
        }
        @if status == "pending" {
            (panels.panel("schedule", "Schedule", "plain", &html! {
                label {
                    span { "Planned date (UTC)" }
                    input type="datetime-local" name="planned_date" value=(panels.typed("schedule", "planned_date", ""));
                }
            }))
        }
        @if status == "scheduled" {
            (panels.button("pend", "Make pending"))
            (panels.panel("revoke", "Revoke", "bad", &panels.reason("revoke")))
        }
        @if status == "revoking" { (panels.button("confirm", "Confirm the revocation")) }
        (panels.button("rerun", "Run again"))
    }
}

/// What a request is about.
fn facts(request: &Value, params: &[Value]) -> Markup {
    let asset = &request["asset"];
    let tier = |name: &str, title: &str| {
        let tier = &asset["tiers"][name];
        let contact = &tier["contact_info"]["contact"];
        let person = [text(contact, "/first_name"), text(contact, "/last_name")].join(" ");
        let place = [text(tier, "/contact_info/city"), text(tier, "/contact_info/country")];
        let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
        html! {
            @if !text(tier, "/id").is_empty() || !text(tier, "/name").is_empty() {
                div {
                    dt { (title) }
                    dd {
                        (named(text(tier, "/name"), text(tier, "/id")))
                        @if !person.trim().is_empty() || !text(contact, "/email").is_empty() {
                            p.quiet { (person.trim()) " " (text(contact, "/email")) }
                        }
                        @if !place.is_empty() { p.quiet { (place.join(", ")) } }
                    }
                }
            }
        }
    };
    let of = |pointer: &str| {
        let object = request.pointer(pointer).unwrap_or(&Value::Null);
        let (name, id) = (text(object, "/name"), text(object, "/id"));
        if id.is_empty() && name.is_empty() { parts::nothing() } else { named(name, id) }
    };
    let plain = |pointer: &str| html! { (text(request, pointer)) };
    html! {
        section {
            h2 { "Parameters" }
            @if params.is_empty() { p.quiet { "None." } } @else { (params::table(params)) }
        }
        section {
            h2 { "Items" }
            (items(list(asset, "/items")))
        }
        section {
            h2 { "Tiers" }
            dl.facts { (tier("customer", "Customer")) (tier("tier1", "Tier 1")) (tier("tier2", "Tier 2")) }
        }
        section {
            h2 { "Details" }
            dl.facts {
                (row("Product", &of("/asset/product")))
                (row("Marketplace", &of("/marketplace")))
                (row("Contract", &of("/contract")))
                (row("Connection", &of("/asset/connection")))
                (row("Hub", &of("/asset/connection/hub")))
                (row("External id", &plain("/asset/external_id")))
                (row("Template", &of("/template")))
                (row("Form", &form(text(request, "/params_form_url"))))
                (row("Note", &plain("/note")))
                (row("Planned date", &time_of(text(request, "/planned_date"))))
                (row("Effective date", &time_of(text(request, "/effective_date"))))
                (row("Created", &time_of(text(request, "/created"))))
                (row("Updated", &time_of(text(request, "/updated"))))
            }
            details data-key="json" { summary { "JSON" } (shown(request.clone())) }
        }
    }
}

/// Where the customer answers. What a payload says is followed only where it leads to a page.
fn form(url: &str) -> Markup {
    let is_page = ["http://", "https://"].into_iter().any(|scheme| url.starts_with(scheme));
    html! { @if is_page { a href=(url) rel="noreferrer" { "What the customer sees" } } @else { (url) } }
}

/// The items of an asset, with how many there were and are to be.
pub(super) fn items(items: &[Value]) -> Markup {
    html! {
        @if items.is_empty() { p.quiet { "None." } } @else {
            div.scroll {
                table.facts {
                    thead {
                        tr {
                            th scope="col" { "Item" }
                            th scope="col" { "MPN" }
                            th scope="col" { "Period" }
                            th.number scope="col" { "Was" }
                            th.number scope="col" { "Quantity" }
                        }
                    }
                    tbody {
                        @for item in items {
                            tr {
                                th scope="row" { (first([text(item, "/display_name"), text(item, "/name"), text(item, "/id")])) }
                                td { code { (text(item, "/mpn")) } }
                                td.quiet { (text(item, "/period")) }
                                td.number.quiet { (parts::quantity(&item["old_quantity"])) }
                                td.number { (parts::quantity(&item["quantity"])) }
                            }
                        }
                    }
                }
            }
        }
    }
}
