//! Helpdesk cases.

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use connect_model::rql::{Operand, R, Rql};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console, Problem,
    act::{Panels, Refused},
    api, conversations,
    form::Form,
    layout::{self, Here},
    parts::{chip, errors, first, json as shown, link, named, nothing, row, text, time_of},
    requests::pages,
    timeline::timeline,
};
use crate::{
    role::Role,
    transitions::{self, CASES},
    who,
};

const PAGE: usize = 50;
const STATES: [&str; 4] = ["pending", "inquiring", "resolved", "closed"];

pub(super) async fn all(
    State(console): State<Console>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Html<String>, Problem> {
    page(&console, &Form::from(query), None, &[]).await
}

/// Makes a case, as one of the accounts would by REST.
pub(super) async fn make(State(console): State<Console>, sent: Form) -> Result<Response, Problem> {
    let (own, other) = match sent.get("from") {
        "vendor" => (Role::Vendor, Role::Distributor),
        _ => (Role::Distributor, Role::Vendor),
    };
    let receiver = console.core.read(|world| who::account(world, other))?;
    let mut body = json!({"subject": sent.get("subject"), "description": sent.get("description"),
        "type": sent.get("type"), "priority": sent.get("priority"), "receiver": {"account": receiver}});
    if !sent.get("product").is_empty() {
        body["product"] = json!({"id": sent.get("product")});
    }
    match api::post_as(&console.core, own, CASES, &body).await {
        Ok(case) => {
            console.core.setup.recorder.touch();
            Ok(Redirect::to(&format!("/cases/{}", api::segment(text(&case, "/id")))).into_response())
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
    let state = match query.get("state") {
        "" => Rql::Empty,
        state => R::field("state").eq(Operand::text(state)),
    };
    let window = format!("ordering(-events.created.at,-id)&limit={PAGE}&offset={}", (page - 1) * PAGE);
    let found = api::list(&console.core, CASES, &state, &window).await?;
    let products = super::products(&console.core).await?;
    let content = html! {
        div.head { h1 { "Cases" } p.count #count data-live { (found.total) } }
        (errors(texts))
        div.actions #actions data-live { (form(&products, sent)) }
        form.filters role="search" method="get" action="/cases" data-auto {
            label {
                span { "State" }
                select name="state" {
                    option value="" { "All" }
                    @for state in STATES { option value=(state) selected[query.get("state") == state] { (state) } }
                }
            }
            button { "Filter" }
        }
        div #list data-live {
            @if found.items.is_empty() { div.empty { p { "No case " (if query.is_empty() { "is here yet." } else { "matches." }) } } }
            @else { (table(&found.items)) }
            (pages("/cases", PAGE, page, found.total, query))
        }
    };
    Ok(layout::page("Cases", Here::Cases, &content))
}

fn form(products: &[(String, String)], sent: Option<&Form>) -> Markup {
    let typed = |name: &str| sent.map_or("", |sent| sent.get(name));
    let option = |name: &str, value: &str, words: &str| {
        html! {
            option value=(value) selected[typed(name) == value] { (words) }
        }
    };
    html! {
        details.action data-key="new-case" open[sent.is_some()] {
            summary { "New case" }
            form method="post" action="/cases" novalidate {
                label { span { "Subject" } input name="subject" value=(typed("subject")) autocomplete="off"; }
                label { span { "Description" } textarea name="description" rows="4" { (typed("description")) } }
                div.parts {
                    label { span { "From" } select name="from" {
                        (option("from", "distributor", "Distributor")) (option("from", "vendor", "Vendor"))
                    } }
                    label { span { "Type" } select name="type" {
                        (option("type", "technical", "Technical")) (option("type", "business", "Business"))
                    } }
                    label { span { "Priority" } select name="priority" {
                        (option("priority", "0", "Low")) (option("priority", "1", "Medium"))
                        (option("priority", "2", "High")) (option("priority", "3", "Urgent"))
                    } }
                    label { span { "Product" } select name="product" {
                        option value="" { "None" }
                        @for (id, name) in products { (option("product", id, name)) }
                    } }
                }
                button.primary { "Make it" }
            }
        }
    }
}

fn table(cases: &[Value]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { th scope="col" { "Case" } th scope="col" { "State" } th scope="col" { "Subject" }
                    th scope="col" { "From" } th scope="col" { "For" } th.number scope="col" { "Priority" } th.number scope="col" { "Created" } } }
                tbody {
                    @for case in cases {
                        tr data-row {
                            td { (link("/cases/", text(case, "/id"))) }
                            td { (chip(text(case, "/state"))) }
                            td { (text(case, "/subject")) }
                            td { (first([text(case, "/issuer/account/name"), text(case, "/issuer/account/id")])) }
                            td { (first([text(case, "/receiver/account/name"), text(case, "/receiver/account/id")])) }
                            td.number { (case["priority"].as_u64().unwrap_or_default()) }
                            td.number.quiet { (time_of(text(case, "/events/created/at"))) }
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
    let case = api::get(&console.core, &format!("{CASES}/{}", api::segment(&id))).await?;
    of_case(&console, &case, &Refused::default())
}

/// Does what a button says. What the sandbox refuses is told on the page.
pub(super) async fn act(
    State(console): State<Console>,
    Path((id, action)): Path<(String, String)>,
    sent: Form,
) -> Result<Response, Problem> {
    let path = format!("{CASES}/{}", api::segment(&id));
    let case = api::get(&console.core, &path).await?;
    if transitions::transition(CASES, &action).is_none() {
        return Err(crate::api_error::ApiError::not_found().into());
    }
    let mut body = json!({});
    for member in ["rating", "feedback"] {
        if !sent.get(member).is_empty() {
            body[member] = sent.get(member).into();
        }
    }
    let end = api::post(&console.core, &format!("{path}/{action}"), &body).await;
    console.core.setup.recorder.touch();
    match end {
        Ok(_) => Ok(Redirect::to(&format!("/cases/{}", api::segment(&id))).into_response()),
        Err(problem) => {
            let mut refused = Refused::new(action, sent);
            refused.texts = problem.texts;
            Ok((StatusCode::BAD_REQUEST, of_case(&console, &case, &refused)?).into_response())
        }
    }
}

fn of_case(console: &Console, case: &Value, refused: &Refused) -> Result<Html<String>, Problem> {
    let id = text(case, "/id");
    let (steps, said) = (timeline(console, id, case), conversations::panel(console, id)?);
    Ok(layout::page(&format!("Case {id}"), Here::Cases, &content(case, &steps, &said, refused)))
}

fn content(case: &Value, steps: &Markup, said: &Markup, refused: &Refused) -> Markup {
    let (id, state) = (text(case, "/id"), text(case, "/state"));
    let path = format!("/cases/{}", api::segment(id));
    let panels = Panels { path, params: &[], templates: &[], scope: "", refused };
    let closing = html! {
        label {
            span { "Rating" }
            select name="rating" {
                option value="" { "None" }
                @for rating in ["1", "2", "3", "4", "5"] {
                    option value=(rating) selected[panels.typed("close", "rating", "") == rating] { (rating) }
                }
            }
        }
        (panels.text("close", "feedback", "Feedback"))
    };
    let of = |pointer: &str| {
        let object = case.pointer(pointer).unwrap_or(&Value::Null);
        let (name, id) = (text(object, "/name"), text(object, "/id"));
        if id.is_empty() && name.is_empty() { nothing() } else { named(name, id) }
    };
    html! {
        p.crumbs { a href="/cases" { "Cases" } }
        div.head #head data-live {
            h1 { (text(case, "/subject")) " " code { (id) } }
            (chip(state))
            p.message { (text(case, "/description")) }
        }
        (errors(&refused.texts))
        div.actions #actions data-live {
            (panels.transitions(CASES, state, |action| if action == "close" { closing.clone() } else { nothing() }))
        }
        div.columns {
            div.facts-column {
                (said)
                section aria-labelledby="timeline-title" {
                    h2 #timeline-title { "Timeline" }
                    div #timeline data-live { (steps) }
                }
            }
            section #facts data-live {
                h2 { "Details" }
                dl.facts {
                    (row("Type", &html! { (text(case, "/type")) }))
                    (row("Priority", &html! { (case["priority"].as_u64().unwrap_or_default()) }))
                    (row("From", &of("/issuer/account")))
                    (row("Agent", &of("/issuer/agent")))
                    (row("For", &of("/receiver/account")))
                    (row("Product", &of("/product")))
                    (row("Rating", &html! { @if let Some(rating) = case["rating"].as_u64() { (rating) } }))
                    (row("Feedback", &html! { (text(case, "/feedback")) }))
                }
                details data-key="json" { summary { "JSON" } (shown(case.clone())) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert(1)</script>";

    #[test]
    fn nothing_is_rendered_unescaped() {
        let account = json!({"id": HOSTILE, "name": HOSTILE});
        let case = json!({"id": HOSTILE, "state": "resolved", "subject": HOSTILE, "description": HOSTILE,
            "type": HOSTILE, "issuer": {"account": account, "agent": account}, "receiver": {"account": account},
            "product": account, "feedback": HOSTILE, "events": {"created": {"at": HOSTILE}}});
        let sent: Form = ["subject", "description", "feedback"]
            .map(|name| (name.to_owned(), HOSTILE.to_owned()))
            .to_vec()
            .into();
        let mut refused = Refused::new("close".to_owned(), sent.clone());
        refused.texts.push(HOSTILE.to_owned());
        let page = content(&case, &nothing(), &nothing(), &refused).0;
        assert!(page.contains("/pend\"") && page.contains("/close\""), "{page}");
        for page in [page, table(&[case]).0, form(&[(HOSTILE.to_owned(), HOSTILE.to_owned())], Some(&sent)).0]
        {
            assert!(!page.contains("<script"), "{page}");
        }
    }
}
