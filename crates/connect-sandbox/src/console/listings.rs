//! Listings, and the requests by which they are made, changed and removed.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use connect_model::rql::Rql;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console, Problem,
    act::{Panels, Refused},
    api, conversations,
    form::Form,
    layout::{self, Here},
    parts::{chip, errors, first, json as shown, link, named, nothing, row, text, time_of, title},
    timeline::timeline,
};
use crate::transitions::LISTING_REQUESTS;

/// How many of each are on the page.
const SHOWN: &str = "ordering(-created,-id)&limit=200";

pub(super) async fn all(State(console): State<Console>) -> Result<Html<String>, Problem> {
    page(&console, None, &[]).await
}

/// Makes a request, as a vendor would by REST.
pub(super) async fn make(State(console): State<Console>, sent: Form) -> Result<Response, Problem> {
    let mut body = json!({"type": sent.get("type"), "note": sent.get("note")});
    let members: &[&str] =
        if sent.get("type") == "new" { &["product_id", "contract_id"] } else { &["listing_id"] };
    for member in members {
        body[*member] = sent.get(member).into();
    }
    match api::post(&console.core, LISTING_REQUESTS, &body).await {
        Ok(request) => {
            console.core.setup.recorder.touch();
            Ok(Redirect::to(&format!("/listing-requests/{}", api::segment(text(&request, "/id"))))
                .into_response())
        }
        Err(problem) => {
            let page = page(&console, Some(&sent), &problem.texts).await?;
            Ok((problem.status, page).into_response())
        }
    }
}

async fn page(console: &Console, sent: Option<&Form>, texts: &[String]) -> Result<Html<String>, Problem> {
    let core = &console.core;
    let requests = api::list(core, LISTING_REQUESTS, &Rql::Empty, SHOWN).await?;
    let found = api::list(core, "listings", &Rql::Empty, SHOWN).await?;
    let products = super::products(core).await?;
    let contracts = api::list(core, "contracts", &Rql::Empty, "limit=1000").await?;
    let content = html! {
        div.head { h1 { "Listings" } p.count #count data-live { (found.total) } }
        (errors(texts))
        div.actions #actions data-live { (form(&products, &contracts.items, &found.items, sent)) }
        div.stack #list data-live {
            section { h2 { "Requests" } (table(&requests.items)) }
            section { h2 { "Listings" } (listings(&found.items)) }
        }
    };
    Ok(layout::page("Listings", Here::Listings, &content))
}

fn form(
    products: &[(String, String)],
    contracts: &[Value],
    listings: &[Value],
    sent: Option<&Form>,
) -> Markup {
    let typed = |name: &str| sent.map_or("", |sent| sent.get(name));
    let kinds =
        [("new", "Lists a product"), ("update", "Changes a listing"), ("remove", "Removes a listing")];
    html! {
        details.action data-key="new-listing-request" open[sent.is_some()] {
            summary { "New request" }
            form method="post" action="/listings" novalidate {
                label {
                    span { "What it does" }
                    select name="type" {
                        @for (kind, words) in kinds { option value=(kind) selected[typed("type") == kind] { (words) } }
                    }
                }
                div.parts {
                    label {
                        span { "Product, for a new listing" }
                        select name="product_id" {
                            @for (id, name) in products { option value=(id) selected[typed("product_id") == id] { (name) } }
                        }
                    }
                    label {
                        span { "Contract, for a new listing" }
                        select name="contract_id" {
                            @for contract in contracts {
                                @let id = text(contract, "/id");
                                option value=(id) selected[typed("contract_id") == id] { (first([text(contract, "/name"), id])) }
                            }
                        }
                    }
                }
                label {
                    span { "Listing, to change or remove" }
                    select name="listing_id" {
                        @for listing in listings.iter().filter(|listing| listing["status"] == "listed") {
                            @let id = text(listing, "/id");
                            option value=(id) selected[typed("listing_id") == id] { (about(listing)) " (" (id) ")" }
                        }
                    }
                }
                label { span { "Note" } input name="note" value=(typed("note")) autocomplete="off"; }
                button.primary { "Make it" }
            }
        }
    }
}

/// What a listing is about, in words.
fn about(listing: &Value) -> String {
    let product = first([text(listing, "/product/name"), text(listing, "/product/id")]);
    let marketplace =
        [text(listing, "/contract/marketplace/name"), text(listing, "/contract/marketplace/id")];
    match first(marketplace) {
        "" => product.to_owned(),
        marketplace => format!("{product} on {marketplace}"),
    }
}

fn table(requests: &[Value]) -> Markup {
    html! {
        @if requests.is_empty() { p.quiet { "None." } } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Request" } th scope="col" { "Type" } th scope="col" { "State" }
                        th scope="col" { "About" } th scope="col" { "Assignee" } th.number scope="col" { "Created" } } }
                    tbody {
                        @for request in requests {
                            tr data-row {
                                td { (link("/listing-requests/", text(request, "/id"))) }
                                td { (text(request, "/type")) }
                                td { (chip(text(request, "/state"))) }
                                td { (about(&request["listing"])) }
                                td.quiet { (text(request, "/assignee/name")) }
                                td.number.quiet { (time_of(text(request, "/created"))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn listings(listings: &[Value]) -> Markup {
    html! {
        @if listings.is_empty() { p.quiet { "None." } } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Listing" } th scope="col" { "Status" } th scope="col" { "About" }
                        th scope="col" { "Contract" } th scope="col" { "Open request" } } }
                    tbody {
                        @for listing in listings {
                            @let open = text(listing, "/pending_request/id");
                            tr {
                                td { code { (text(listing, "/id")) } }
                                td { (chip(text(listing, "/status"))) }
                                td { (about(listing)) }
                                td.quiet { (first([text(listing, "/contract/name"), text(listing, "/contract/id")])) }
                                td { @if !open.is_empty() { (link("/listing-requests/", open)) } }
                            }
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
) -> Result<Html<String>, Problem> {
    let request = api::get(&console.core, &format!("{LISTING_REQUESTS}/{}", api::segment(&id))).await?;
    of_request(&console, &request, &Refused::default())
}

/// Does what a button says. What the sandbox refuses is told on the page.
pub(super) async fn act(
    State(console): State<Console>,
    Path((id, action)): Path<(String, String)>,
    sent: Form,
) -> Result<Response, Problem> {
    let path = format!("{LISTING_REQUESTS}/{}", api::segment(&id));
    let request = api::get(&console.core, &path).await?;
    let end = api::post(&console.core, &format!("{path}/{}", api::segment(&action)), &Value::Null).await;
    console.core.setup.recorder.touch();
    match end {
        Ok(_) => Ok(Redirect::to(&format!("/listing-requests/{}", api::segment(&id))).into_response()),
        Err(problem) if problem.status == StatusCode::NOT_FOUND => Err(problem),
        Err(problem) => {
            let mut refused = Refused::new(action, sent);
            refused.texts = problem.texts;
            Ok((problem.status, of_request(&console, &request, &refused)?).into_response())
        }
    }
}

fn of_request(console: &Console, request: &Value, refused: &Refused) -> Result<Html<String>, Problem> {
    let id = text(request, "/id");
    let (steps, said) = (timeline(console, id, request), conversations::panel(console, id)?);
    Ok(layout::page(
        &format!("Listing request {id}"),
        Here::Listings,
        &content(request, &steps, &said, refused),
    ))
}

fn content(request: &Value, steps: &Markup, said: &Markup, refused: &Refused) -> Markup {
    let (id, state) = (text(request, "/id"), text(request, "/state"));
    let path = format!("/listing-requests/{}", api::segment(id));
    let panels = Panels { path, params: &[], templates: &[], scope: "", refused };
    let is_open = matches!(state, "draft" | "reviewing" | "deploying");
    let of = |pointer: &str| {
        let object = request.pointer(pointer).unwrap_or(&Value::Null);
        let (name, id) = (text(object, "/name"), text(object, "/id"));
        if id.is_empty() && name.is_empty() { nothing() } else { named(name, id) }
    };
    html! {
        p.crumbs { a href="/listings" { "Listings" } }
        div.head #head data-live {
            h1 { (title(first([text(request, "/type"), "request"]))) " " code { (id) } }
            (chip(state))
            p.sub { (about(&request["listing"])) }
            @if !text(request, "/note").is_empty() { p.message { (text(request, "/note")) } }
        }
        (errors(&refused.texts))
        div.actions #actions data-live {
            (panels.transitions(LISTING_REQUESTS, state, |_| nothing()))
            @if is_open {
                @if request["assignee"].is_object() { (panels.button("unassign", "Unassign")) }
                @else { (panels.button("assign", "Assign")) }
            }
        }
        div.columns {
            div.facts-column {
                section aria-labelledby="timeline-title" {
                    h2 #timeline-title { "Timeline" }
                    div #timeline data-live { (steps) }
                }
                (said)
            }
            section #facts data-live {
                h2 { "Details" }
                dl.facts {
                    (row("Listing", &of("/listing")))
                    (row("Listing's status", &html! { (text(request, "/listing/status")) }))
                    (row("Product", &of("/listing/product")))
                    (row("Contract", &of("/listing/contract")))
                    (row("Marketplace", &of("/listing/contract/marketplace")))
                    (row("Vendor", &of("/listing/vendor")))
                    (row("Distributor", &of("/listing/provider")))
                    (row("Assignee", &of("/assignee")))
                    (row("Created", &time_of(text(request, "/created"))))
                    (row("Updated", &time_of(text(request, "/updated"))))
                }
                details data-key="json" { summary { "JSON" } (shown(request.clone())) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert(1)</script>";

    fn request(state: &str) -> Value {
        json!({"id": HOSTILE, "type": HOSTILE, "state": state, "note": HOSTILE, "assignee": {"name": HOSTILE},
            "created": HOSTILE, "listing": {"id": HOSTILE, "status": "listed", "product": {"id": HOSTILE},
                "contract": {"id": HOSTILE, "name": HOSTILE, "marketplace": {"name": HOSTILE}}}})
    }

    #[test]
    fn a_request_has_the_buttons_of_its_state() {
        for (state, buttons) in [
            ("draft", &["submit", "unassign"] as &[_]),
            ("reviewing", &["refine", "deploy", "cancel", "unassign"]),
            ("deploying", &["complete", "cancel", "unassign"]),
            ("completed", &[]),
        ] {
            let page = content(&request(state), &nothing(), &nothing(), &Refused::default()).0;
            let found: Vec<&str> = page
                .split("action=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next()?.rsplit_once('/').map(|(_, action)| action))
                .collect();
            assert_eq!(found, buttons, "{state}");
        }
    }

    #[test]
    fn nothing_is_rendered_unescaped() {
        let request = request("reviewing");
        let mut refused = Refused::default();
        refused.texts.push(HOSTILE.to_owned());
        let listing = std::slice::from_ref(&request["listing"]);
        let sent: Form = vec![("note".to_owned(), HOSTILE.to_owned())].into();
        let pages = [
            content(&request, &nothing(), &nothing(), &refused),
            table(std::slice::from_ref(&request)),
            listings(listing),
            form(&[(HOSTILE.to_owned(), HOSTILE.to_owned())], listing, listing, Some(&sent)),
        ];
        for page in pages {
            assert!(!page.0.contains("<script"), "{}", page.0);
        }
    }
}
