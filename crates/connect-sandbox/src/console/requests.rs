//! The list of requests.

use axum::{
    extract::{Query, State},
    response::Html,
};
use connect_model::rql::{R, Rql};
use maud::{Markup, html};
use serde_json::Value;

use super::{
    Console, Problem, api,
    form::Form,
    layout::{self, Here},
    parts::{chip, first, link, list as members, text, time_of},
};

/// How many are on a page.
const PAGE: usize = 50;

const STATUSES: &[&str] = &[
    "draft",
    "tiers_setup",
    "pending",
    "inquiring",
    "approved",
    "failed",
    "scheduled",
    "revoking",
    "revoked",
];
const TYPES: &[&str] =
    &["purchase", "change", "suspend", "resume", "cancel", "adjustment", "renew", "transfer"];

pub(super) async fn list(
    State(console): State<Console>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Html<String>, Problem> {
    let query = Form::from(query);
    let page = query.page();
    let window = format!("ordering(-created,-id)&limit={PAGE}&offset={}", (page - 1) * PAGE);
    let found = api::list(&console.core, "requests", &filter(&query), &window).await?;
    let products = super::products(&console.core).await?;
    let content = html! {
        div.head {
            h1 { "Requests" }
            p.count #count data-live { (found.total) " " (if found.total == 1 { "request" } else { "requests" }) }
        }
        form.filters role="search" method="get" action="/" data-auto {
            label { span { "Status" } (choice("status", STATUSES.iter().map(|own| (*own, own.replace('_', " "))), &query)) }
            label { span { "Type" } (choice("type", TYPES.iter().map(|own| (*own, (*own).to_owned())), &query)) }
            label { span { "Product" } (choice("product", products.iter().map(|(id, name)| (id.as_str(), name.clone())), &query)) }
            label.grow {
                span { "Text" }
                input type="search" name="text" value=(query.get("text")) placeholder="Id, customer, external id"
                    aria-keyshortcuts="/" data-search;
            }
            button { "Filter" }
        }
        div #list data-live {
            @if found.items.is_empty() {
                div.empty {
                    p { "No request " (if query.is_empty() { "is here yet." } else { "matches." }) }
                    @if query.is_empty() { p { a.button.primary href="/purchase" { "Make a purchase" } } }
                }
            } @else { (table(&found.items, false)) }
            (pages("/", PAGE, page, found.total, &query))
        }
    };
    Ok(layout::page("Requests", Here::Requests, &content))
}

fn filter(query: &Form) -> Rql {
    let equals = |name: &str, field: &str| match query.get(name) {
        "" => Rql::Empty,
        value => R::field(field).eq(connect_model::rql::Operand::text(value)),
    };
    let wanted = query.get("text").trim();
    let found = match wanted {
        "" => Rql::Empty,
        wanted => Rql::any(
            ["id", "asset.id", "asset.external_id", "asset.product.name", "asset.tiers.customer.name"]
                .map(|field| R::field(field).icontains(wanted)),
        ),
    };
    Rql::all([
        equals("status", "status"),
        equals("type", "type"),
        equals("product", "asset.product.id"),
        found,
    ])
}

fn choice<'a>(name: &str, choices: impl Iterator<Item = (&'a str, String)>, query: &Form) -> Markup {
    html! {
        select name=(name) {
            option value="" { "All" }
            @for (value, shown) in choices {
                option value=(value) selected[query.get(name) == value] { (shown) }
            }
        }
    }
}

/// Requests as rows. Those of one asset need not say what it is.
pub(super) fn table(requests: &[Value], of_an_asset: bool) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { "Request" }
                        th scope="col" { "Type" }
                        th scope="col" { "Status" }
                        @if !of_an_asset { th scope="col" { "Product" } }
                        @if !of_an_asset { th scope="col" { "Customer" } }
                        th scope="col" { "Items" }
                        @if !of_an_asset { th.number scope="col" { "Created" } }
                        th.number scope="col" { "Updated" }
                    }
                }
                tbody {
                    @for request in requests {
                        tr data-row {
                            td { (link("/requests/", text(request, "/id"))) }
                            td { (text(request, "/type")) }
                            td { (chip(text(request, "/status"))) }
                            @if !of_an_asset { td { (first([text(request, "/asset/product/name"), text(request, "/asset/product/id")])) } }
                            @if !of_an_asset { td { (first([text(request, "/asset/tiers/customer/name"), text(request, "/asset/tiers/customer/id")])) } }
                            td.quiet { (items(&request["asset"])) }
                            @if !of_an_asset { td.number.quiet { (time_of(text(request, "/created"))) } }
                            td.number.quiet { (time_of(text(request, "/updated"))) }
                        }
                    }
                }
            }
        }
    }
}

/// The items in a few words: quantity and name of the first, and how many more.
pub(super) fn items(asset: &Value) -> String {
    let items = members(asset, "/items");
    let Some(item) = items.first() else { return String::new() };
    let quantity = super::parts::quantity(&item["quantity"]);
    let name = first([text(item, "/display_name"), text(item, "/mpn"), text(item, "/id")]);
    let more = if items.len() > 1 { format!(", {} more", items.len() - 1) } else { String::new() };
    format!("{quantity} × {name}{more}")
}

/// Links to the pages before and after one of a list.
pub(super) fn pages(path: &str, size: usize, page: usize, total: usize, query: &Form) -> Markup {
    let last = total.div_ceil(size).max(1);
    html! {
        @if last > 1 {
            nav.pages aria-label="Pages" {
                @if page > 1 { a href={ (path) "?" (query.with("page", &(page - 1).to_string())) } rel="prev" { "Newer" } }
                span { "Page " (page) " of " (last) }
                @if page < last { a href={ (path) "?" (query.with("page", &(page + 1).to_string())) } rel="next" { "Older" } }
            }
        }
    }
}
