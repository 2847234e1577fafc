//! Usage files, their records and chunks.

mod content;

use axum::{
    extract::{Path, Query, Request, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use connect_model::rql::{Operand, R, Rql};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console, Problem,
    act::Refused,
    api, conversations,
    form::Form,
    layout::{self, Here},
    parts::{chip, errors, first, link, text, time_of},
    requests::pages,
    timeline::timeline,
};
use crate::{
    api_error::ApiError,
    transitions::{self, USAGE_CHUNKS, USAGE_FILES, USAGE_RECORDS},
};

const PAGE: usize = 50;
const STATUSES: [&str; 10] = [
    "draft",
    "uploading",
    "processing",
    "invalid",
    "ready",
    "pending",
    "rejected",
    "accepted",
    "closed",
    "deleted",
];

pub(super) async fn all(
    State(console): State<Console>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Html<String>, Problem> {
    page(&console, &Form::from(query), None, &[]).await
}

/// Makes a usage file, as a vendor would by REST.
pub(super) async fn make(State(console): State<Console>, sent: Form) -> Result<Response, Problem> {
    let mut body = json!({"name": sent.get("name"), "product": {"id": sent.get("product")},
        "contract": {"id": sent.get("contract")}, "description": sent.get("description")});
    let date = |name: &str| Some(sent.get(name)).filter(|date| !date.is_empty());
    if date("from").or(date("to")).is_some() {
        body["period"] = json!({"from": date("from"), "to": date("to")});
    }
    match api::post(&console.core, USAGE_FILES, &body).await {
        Ok(file) => {
            console.core.setup.recorder.touch();
            Ok(Redirect::to(&format!("/usage/{}", api::segment(text(&file, "/id")))).into_response())
        }
        Err(problem) => {
            let page = page(&console, &Form::default(), Some(&sent), &problem.texts).await?;
            Ok((problem.status, page).into_response())
        }
    }
}

async fn page(
    console: &Console,
    query: &Form,
    sent: Option<&Form>,
    texts: &[String],
) -> Result<Html<String>, Problem> {
    let page = query.page();
    let status = match query.get("status") {
        "" => Rql::Empty,
        status => R::field("status").eq(Operand::text(status)),
    };
    let window = format!("ordering(-events.created.at,-id)&limit={PAGE}&offset={}", (page - 1) * PAGE);
    let found = api::list(&console.core, USAGE_FILES, &status, &window).await?;
    let products = super::products(&console.core).await?;
    let contracts = api::list(&console.core, "contracts", &Rql::Empty, "limit=1000").await?;
    let content = html! {
        div.head { h1 { "Usage" } p.count #count data-live { (found.total) } }
        (errors(texts))
        div.actions #actions data-live { (form(&products, &contracts.items, sent)) }
        form.filters role="search" method="get" action="/usage" data-auto {
            label {
                span { "Status" }
                select name="status" {
                    option value="" { "All" }
                    @for status in STATUSES { option value=(status) selected[query.get("status") == status] { (status) } }
                }
            }
            button { "Filter" }
        }
        div #list data-live {
            @if found.items.is_empty() { div.empty { p { "No usage file " (if query.is_empty() { "is here yet." } else { "matches." }) } } }
            @else { (table(&found.items)) }
            (pages("/usage", PAGE, page, found.total, query))
        }
    };
    Ok(layout::page("Usage", Here::Usage, &content))
}

fn form(products: &[(String, String)], contracts: &[Value], sent: Option<&Form>) -> Markup {
    let typed = |name: &str| sent.map_or("", |sent| sent.get(name));
    html! {
        details.action data-key="new-usage-file" open[sent.is_some()] {
            summary { "New usage file" }
            form method="post" action="/usage" novalidate {
                label { span { "Name" } input name="name" value=(typed("name")) autocomplete="off"; }
                div.parts {
                    label { span { "Product" }
                        select name="product" {
                            @for (id, name) in products { option value=(id) selected[typed("product") == id] { (name) } }
                        }
                    }
                    label { span { "Contract" }
                        select name="contract" {
                            @for contract in contracts {
                                @let id = text(contract, "/id");
                                option value=(id) selected[typed("contract") == id] { (first([text(contract, "/name"), id])) }
                            }
                        }
                    }
                    label { span { "From" } input type="date" name="from" value=(typed("from")); }
                    label { span { "To" } input type="date" name="to" value=(typed("to")); }
                }
                label { span { "Description" } input name="description" value=(typed("description")) autocomplete="off"; }
                button.primary { "Make it" }
            }
        }
    }
}

fn table(files: &[Value]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { th scope="col" { "File" } th scope="col" { "Name" } th scope="col" { "Status" } th scope="col" { "Product" }
                    th scope="col" { "Marketplace" } th.number scope="col" { "Records" } th.number scope="col" { "Created" } } }
                tbody {
                    @for file in files {
                        tr data-row {
                            td { (link("/usage/", text(file, "/id"))) }
                            td { (text(file, "/name")) }
                            td { (chip(text(file, "/status"))) }
                            td { (first([text(file, "/product/name"), text(file, "/product/id")])) }
                            td.quiet { (first([text(file, "/marketplace/name"), text(file, "/marketplace/id")])) }
                            td.number { (file["stats"]["uploaded"].as_u64().unwrap_or_default()) }
                            td.number.quiet { (time_of(text(file, "/events/created/at"))) }
                        }
                    }
                }
            }
        }
    }
}

pub(super) async fn show(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Html<String>, Problem> {
    of_file(&console, &id, &Form::from(query), &Refused::default()).await
}

/// Does what a button says. What the sandbox refuses is told on the page.
pub(super) async fn act(
    State(console): State<Console>,
    Path((id, action)): Path<(String, String)>,
    sent: Form,
) -> Result<Response, Problem> {
    if transitions::transition(USAGE_FILES, &action).is_none() {
        return Err(ApiError::not_found().into());
    }
    let path = format!("{USAGE_FILES}/{}/{action}", api::segment(&id));
    let note = sent.get("note");
    let end = match action.as_str() {
        "accept" => api::post(&console.core, &path, &json!({"acceptance_note": note})).await,
        "reject" => api::post(&console.core, &path, &json!({"rejection_note": note})).await,
        "approve-all" => api::put(&console.core, &path, &Value::Null).await,
        _ => api::post(&console.core, &path, &Value::Null).await,
    };
    ended(&console, &id, end.map(drop), Refused::new(action, sent)).await
}

/// Passes on the file that the form of the page holds.
pub(super) async fn upload(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: Request,
) -> Result<Response, Problem> {
    let path = format!("{USAGE_FILES}/{}/upload", api::segment(&id));
    let end = api::forward(&console.core, &path, sent).await;
    ended(&console, &id, end.map(drop), Refused::new("upload".to_owned(), Form::default())).await
}

pub(super) async fn act_on_record(
    State(console): State<Console>,
    Path((id, action)): Path<(String, String)>,
    sent: Form,
) -> Result<Response, Problem> {
    let path = format!("{USAGE_RECORDS}/{}", api::segment(&id));
    let record = api::get(&console.core, &path).await?;
    let end = match action.as_str() {
        "approved" | "rejected" => api::put(&console.core, &path, &json!({"status": action})).await,
        "close" => api::post(&console.core, &format!("{path}/close"), &bill(&sent)).await,
        _ => return Err(ApiError::not_found().into()),
    };
    ended(&console, text(&record, "/usagefile/id"), end.map(drop), Refused::new(action, sent)).await
}

pub(super) async fn act_on_chunk(
    State(console): State<Console>,
    Path((id, action)): Path<(String, String)>,
    sent: Form,
) -> Result<Response, Problem> {
    let path = format!("{USAGE_CHUNKS}/{}", api::segment(&id));
    let chunk = api::get(&console.core, &path).await?;
    let end = match action.as_str() {
        "close" => api::post(&console.core, &format!("{path}/close"), &bill(&sent)).await,
        "regenerate" => api::post(&console.core, &format!("{path}/regenerate"), &Value::Null).await,
        _ => return Err(ApiError::not_found().into()),
    };
    ended(&console, text(&chunk, "/usagefile/id"), end.map(drop), Refused::new(action, sent)).await
}

/// What a distributor bills something by.
fn bill(sent: &Form) -> Value {
    json!({"external_billing_id": sent.get("bill"), "external_billing_note": sent.get("note")})
}

/// A chunk's workbook.
pub(super) async fn download(
    State(console): State<Console>,
    Path((id, action)): Path<(String, String)>,
    sent: Request,
) -> Result<Response, Problem> {
    if action != "download" {
        return Err(ApiError::not_found().into());
    }
    api::forward(&console.core, &format!("{USAGE_CHUNKS}/{}/download", api::segment(&id)), sent).await
}

/// The page of the file again: with what was refused, if something was.
async fn ended(
    console: &Console,
    id: &str,
    end: Result<(), Problem>,
    mut refused: Refused,
) -> Result<Response, Problem> {
    console.core.setup.recorder.touch();
    match end {
        Ok(()) => Ok(Redirect::to(&format!("/usage/{}", api::segment(id))).into_response()),
        Err(problem) if problem.status == StatusCode::NOT_FOUND => Err(problem),
        Err(problem) => {
            refused.texts = problem.texts;
            let page = of_file(console, id, &Form::default(), &refused).await?;
            Ok((problem.status, page).into_response())
        }
    }
}

async fn of_file(
    console: &Console,
    id: &str,
    query: &Form,
    refused: &Refused,
) -> Result<Html<String>, Problem> {
    let file = api::get(&console.core, &format!("{USAGE_FILES}/{}", api::segment(id))).await?;
    let page = query.page();
    let of_file = R::field("usagefile.id").eq(Operand::text(id));
    let window = format!("limit={PAGE}&offset={}", (page - 1) * PAGE);
    let records = api::list(&console.core, USAGE_RECORDS, &of_file, &window).await?;
    let chunks = api::list(&console.core, USAGE_CHUNKS, &of_file, "limit=1000").await?;
    let path = format!("/usage/{}", api::segment(id));
    let shown = content::Shown {
        file: &file,
        records: &records.items,
        pages: pages(&path, PAGE, page, records.total, query),
        chunks: &chunks.items,
        steps: timeline(console, id, &file),
        said: conversations::panel(console, id)?,
    };
    Ok(layout::page(&format!("Usage file {id}"), Here::Usage, &shown.content(refused)))
}
