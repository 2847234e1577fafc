//! Assets, and what is ordered for them.

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use connect_model::rql::{Operand, R, Rql};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console, Problem, api,
    form::Form,
    layout::{self, Here},
    params,
    parts::{self, chip, errors, first, json as shown, link, list, named, row, text, time_of, title},
    request, requests,
};

const PAGE: usize = 50;

pub(super) async fn all(
    State(console): State<Console>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Html<String>, Problem> {
    let query = Form::from(query);
    let page = query.page();
    let filter = match query.get("text").trim() {
        "" => Rql::Empty,
        wanted => Rql::any(
            ["id", "external_id", "product.name", "tiers.customer.name"]
                .map(|field| R::field(field).icontains(wanted)),
        ),
    };
    let status = match query.get("status") {
        "" => Rql::Empty,
        status => R::field("status").eq(Operand::text(status)),
    };
    let window = format!("ordering(-events.created.at,-id)&limit={PAGE}&offset={}", (page - 1) * PAGE);
    let found = api::list(&console.core, "assets", &Rql::all([status, filter]), &window).await?;
    let content = html! {
        div.head {
            h1 { "Assets" }
            p.count #count data-live { (found.total) " " (if found.total == 1 { "asset" } else { "assets" }) }
        }
        form.filters role="search" method="get" action="/assets" data-auto {
            label {
                span { "Status" }
                select name="status" {
                    option value="" { "All" }
                    @for status in ["draft", "processing", "active", "suspended", "terminating", "terminated"] {
                        option value=(status) selected[query.get("status") == status] { (status) }
                    }
                }
            }
            label.grow {
                span { "Text" }
                input type="search" name="text" value=(query.get("text")) placeholder="Id, customer, external id"
                    aria-keyshortcuts="/" data-search;
            }
            button { "Filter" }
        }
        div #list data-live {
            @if found.items.is_empty() { div.empty { p { "No asset " (if query.is_empty() { "is here yet." } else { "matches." }) } } }
            @else {
                div.scroll {
                    table {
                        thead { tr { th scope="col" { "Asset" } th scope="col" { "Status" } th scope="col" { "Product" }
                            th scope="col" { "Customer" } th scope="col" { "External id" } th scope="col" { "Items" } } }
                        tbody {
                            @for asset in &found.items {
                                tr data-row {
                                    td { (link("/assets/", text(asset, "/id"))) }
                                    td { (chip(text(asset, "/status"))) }
                                    td { (first([text(asset, "/product/name"), text(asset, "/product/id")])) }
                                    td { (first([text(asset, "/tiers/customer/name"), text(asset, "/tiers/customer/id")])) }
                                    td.quiet { (text(asset, "/external_id")) }
                                    td.quiet { (requests::items(asset)) }
                                }
                            }
                        }
                    }
                }
            }
            (requests::pages("/assets", PAGE, page, found.total, &query))
        }
    };
    Ok(layout::page("Assets", Here::Assets, &content))
}

pub(super) async fn show(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(page(&console, &id, "", &Form::default(), &[]).await?.into_response())
}

/// Orders something for an asset: what the sandbox refuses is told on the page.
pub(super) async fn act(
    State(console): State<Console>,
    Path((id, kind)): Path<(String, String)>,
    sent: Form,
) -> Result<Response, Problem> {
    let asset = api::get(&console.core, &format!("assets/{}", api::segment(&id))).await?;
    let mut body = json!({"type": kind, "asset": {"id": id}});
    if kind == "change" {
        let items: Vec<Value> = list(&asset, "/items")
            .iter()
            .filter_map(|item| {
                let quantity = sent.find(&format!("i:{}", text(item, "/id")))?.trim();
                Some(json!({"id": text(item, "/id"), "quantity": quantity}))
            })
            .collect();
        body["asset"]["items"] = items.into();
    }
    if matches!(kind.as_str(), "change" | "adjustment") {
        let mut changes = Vec::new();
        for param in list(&asset, "/params") {
            match params::change(param, &sent) {
                Ok(change) => changes.extend(change),
                Err(error) => {
                    let texts = [format!("{}: {error}", text(param, "/id"))];
                    let page = page(&console, &id, &kind, &sent, &texts).await?;
                    return Ok((StatusCode::BAD_REQUEST, page).into_response());
                }
            }
        }
        if !changes.is_empty() || kind == "adjustment" {
            body["asset"]["params"] = changes.into();
        }
    }
    match api::post(&console.core, "requests", &body).await {
        Ok(request) => {
            Ok(Redirect::to(&format!("/requests/{}", api::segment(text(&request, "/id")))).into_response())
        }
        Err(problem) => {
            let page = page(&console, &id, &kind, &sent, &problem.texts).await?;
            Ok((problem.status, page).into_response())
        }
    }
}

async fn page(
    console: &Console,
    id: &str,
    refused: &str,
    sent: &Form,
    texts: &[String],
) -> Result<Html<String>, Problem> {
    let path = format!("assets/{}", api::segment(id));
    let asset = api::get(&console.core, &path).await?;
    let found = api::list(&console.core, &format!("{path}/requests"), &Rql::Empty, "limit=1000").await?;
    let mut history = found.items;
    let buttons = console.buttons(text(&asset, "/product/id"), id, &["asset"]).await?;
    history.sort_by(|left, right| text(right, "/created").cmp(text(left, "/created")));
    let content = html! {
        p.crumbs { a href="/assets" { "Assets" } }
        div.head #head data-live {
            h1 { "Asset " code { (id) } }
            (chip(text(&asset, "/status")))
            p.sub {
                (first([text(&asset, "/product/name"), text(&asset, "/product/id")]))
                @if !text(&asset, "/tiers/customer/name").is_empty() { " for " (text(&asset, "/tiers/customer/name")) }
            }
        }
        (errors(texts))
        div.actions #actions data-live { (actions(&asset, refused, sent)) }
        div.columns {
            section #requests data-live {
                h2 { "Requests" }
                (requests::table(&history, true))
            }
            div.facts-column #facts data-live {
                (buttons)
                section { h2 { "Items" } (request::items(list(&asset, "/items"))) }
                section {
                    h2 { "Parameters" }
                    @if list(&asset, "/params").is_empty() { p.quiet { "None." } } @else { (params::table(list(&asset, "/params"))) }
                }
                section {
                    h2 { "Details" }
                    dl.facts {
                        (row("External id", &html! { (text(&asset, "/external_id")) }))
                        (row("Marketplace", &of(&asset["marketplace"])))
                        (row("Contract", &of(&asset["contract"])))
                        (row("Connection", &of(&asset["connection"])))
                        (row("Template", &of(&asset["template"])))
                        (row("Created", &time_of(text(&asset, "/events/created/at"))))
                        (row("Updated", &time_of(text(&asset, "/events/updated/at"))))
                    }
                    details data-key="json" { summary { "JSON" } (shown(asset.clone())) }
                }
            }
        }
    };
    Ok(layout::page(&format!("Asset {id}"), Here::Assets, &content))
}

fn of(object: &Value) -> Markup {
    let (name, id) = (text(object, "/name"), text(object, "/id"));
    if id.is_empty() && name.is_empty() { parts::nothing() } else { named(name, id) }
}

/// What can be ordered for an asset in its status.
fn actions(asset: &Value, refused: &str, sent: &Form) -> Markup {
    let path = format!("/assets/{}", api::segment(text(asset, "/id")));
    let sent = |kind: &str| (refused == kind).then_some(sent);
    let button = |kind: &str| {
        html! { form.inline method="post" action={ (path) "/" (kind) } { button { (title(kind)) } } }
    };
    let values = |kind: &str| {
        html! { @for param in list(asset, "/params") { (params::field(param, kind, sent(kind), "")) } }
    };
    let quantities = html! {
        @for item in list(asset, "/items") {
            @let name = format!("i:{}", text(item, "/id"));
            @let current = parts::quantity(&item["quantity"]);
            div.item {
                label for=(name) { (first([text(item, "/display_name"), text(item, "/id")])) " " code.quiet { (text(item, "/mpn")) } }
                input id=(name) name=(name) inputmode="decimal" value=(sent("change").map_or(current.as_str(), |sent| sent.get(&name))) autocomplete="off";
            }
        }
    };
    let panel = |kind: &str, fields: &Markup| {
        html! {
            details.action name="action" data-key={ "action-" (kind) } open[refused == kind] {
                summary { (title(kind)) }
                form method="post" action={ (path) "/" (kind) } novalidate { (fields) button.primary { "Order the " (kind) } }
            }
        }
    };
    html! {
        @match text(asset, "/status") {
            "active" => {
                (panel("change", &html! { (quantities) (values("change")) }))
                (panel("adjustment", &values("adjustment")))
                (button("suspend")) (button("renew")) (button("cancel"))
            }
            "suspended" => { (button("resume")) (button("cancel")) }
            _ => {}
        }
    }
}
