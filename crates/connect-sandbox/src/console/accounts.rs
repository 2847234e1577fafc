//! Tier accounts, and the requests by which vendors learn of their changes.

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
    api,
    form::Form,
    layout::{self, Here},
    parts::{chip, errors, first, json as shown, link, named, row, text, time_of},
    requests::pages,
};

const PAGE: usize = 50;
const ACCOUNTS: &str = "tier/accounts";
const REQUESTS: &str = "tier/account-requests";

/// What can be edited of an account: where it is, and its label.
const FIELDS: [(&str, &str); 16] = [
    ("/name", "Name"),
    ("/external_id", "External id"),
    ("/tax_id", "Tax id"),
    ("/contact_info/address_line1", "Address"),
    ("/contact_info/address_line2", "Address, second line"),
    ("/contact_info/city", "City"),
    ("/contact_info/state", "State"),
    ("/contact_info/postal_code", "Postal code"),
    ("/contact_info/country", "Country"),
    ("/contact_info/contact/first_name", "First name"),
    ("/contact_info/contact/last_name", "Last name"),
    ("/contact_info/contact/email", "Email"),
    ("/contact_info/contact/phone_number/country_code", "Phone, country code"),
    ("/contact_info/contact/phone_number/area_code", "Phone, area code"),
    ("/contact_info/contact/phone_number/phone_number", "Phone, number"),
    ("/contact_info/contact/phone_number/extension", "Phone, extension"),
];

pub(super) async fn all(
    State(console): State<Console>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Html<String>, Problem> {
    let query = Form::from(query);
    let page = query.page();
    let filter = match query.get("text").trim() {
        "" => Rql::Empty,
        wanted => Rql::any(
            ["id", "name", "external_id", "contact_info.contact.email"]
                .map(|field| R::field(field).icontains(wanted)),
        ),
    };
    let window = format!("ordering(-events.created.at,-id)&limit={PAGE}&offset={}", (page - 1) * PAGE);
    let found = api::list(&console.core, ACCOUNTS, &filter, &window).await?;
    let newest = "ordering(-events.created.at,-id)&limit=20";
    let told = api::list(&console.core, REQUESTS, &Rql::Empty, newest).await?;
    let content = html! {
        div.head { h1 { "Tier accounts" } p.count #count data-live { (found.total) } }
        form.filters role="search" method="get" action="/tier-accounts" data-auto {
            label.grow {
                span { "Text" }
                input type="search" name="text" value=(query.get("text")) placeholder="Id, name, external id, email"
                    aria-keyshortcuts="/" data-search;
            }
            button { "Filter" }
        }
        div.stack #list data-live {
            @if found.items.is_empty() {
                div.empty {
                    p { "No account " (if query.is_empty() { "is here yet." } else { "matches." }) }
                    p.quiet { "Those of purchases come by themselves." }
                }
            } @else { (table(&found.items)) }
            (pages("/tier-accounts", PAGE, page, found.total, &query))
            @if !told.items.is_empty() { section { h2 { "Newest requests" } (requests(&told.items, false)) } }
        }
    };
    Ok(layout::page("Tier accounts", Here::Accounts, &content))
}

fn table(accounts: &[Value]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { th scope="col" { "Account" } th scope="col" { "Name" } th scope="col" { "Type" }
                    th scope="col" { "Used as" } th scope="col" { "External id" } th.number scope="col" { "Version" } } }
                tbody {
                    @for account in accounts {
                        tr data-row {
                            td { (link("/tier-accounts/", text(account, "/id"))) }
                            td { (text(account, "/name")) }
                            td { (text(account, "/type")) }
                            td.quiet { (scopes(account)) }
                            td.quiet { (text(account, "/external_id")) }
                            td.number { (account["version"]) }
                        }
                    }
                }
            }
        }
    }
}

fn scopes(account: &Value) -> String {
    let scopes = account["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    scopes.collect::<Vec<_>>().join(", ")
}

/// A list of requests; on the page of their account it need not be named.
fn requests(requests: &[Value], of_one: bool) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { th scope="col" { "Request" } th scope="col" { "Status" }
                    @if !of_one { th scope="col" { "Account" } }
                    th scope="col" { "Product" } th.number scope="col" { "Created" } } }
                tbody {
                    @for request in requests {
                        tr data-row {
                            td { (link("/tier-account-requests/", text(request, "/id"))) }
                            td { (chip(text(request, "/status"))) }
                            @if !of_one { td { (first([text(request, "/account/name"), text(request, "/account/id")])) } }
                            td { (first([text(request, "/product/name"), text(request, "/product/id")])) }
                            td.number.quiet { (time_of(text(request, "/events/created/at"))) }
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
    page(&console, &id, &Refused::default()).await
}

/// Does what a button says. What the sandbox refuses is told on the page.
pub(super) async fn act(
    State(console): State<Console>,
    Path((id, action)): Path<(String, String)>,
    sent: Form,
) -> Result<Response, Problem> {
    let path = format!("{ACCOUNTS}/{}", api::segment(&id));
    let mut refused = Refused::new(action, sent);
    let end = match refused.action.as_str() {
        "edit" => {
            let mut account = changes(&api::get(&console.core, &path).await?, &refused.sent);
            account["id"] = id.as_str().into();
            let body = json!({"type": "update", "account": account});
            api::post(&console.core, REQUESTS, &body)
                .await
                .map(|_| format!("/tier-accounts/{}", api::segment(&id)))
        }
        "decommission" => api::delete(&console.core, &path).await.map(|()| "/tier-accounts".to_owned()),
        _ => return Err(crate::api_error::ApiError::not_found().into()),
    };
    console.core.setup.recorder.touch();
    match end {
        Ok(next) => Ok(Redirect::to(&next).into_response()),
        Err(problem) => {
            refused.texts = problem.texts;
            Ok((problem.status, page(&console, &id, &refused).await?).into_response())
        }
    }
}

/// What was typed, as an account has it; what it never had stays away. Where somebody is, is said as a whole.
fn changes(account: &Value, sent: &Form) -> Value {
    let mut changed = json!({});
    if account["contact_info"].is_object() {
        changed["contact_info"] = account["contact_info"].clone();
    }
    for (place, _) in FIELDS {
        let Some(typed) = sent.find(place) else { continue };
        if typed.is_empty() && account.pointer(place).is_none_or(Value::is_null) {
            continue;
        }
        put(&mut changed, place, typed);
    }
    changed
}

/// Sets a text, however deep.
fn put(object: &mut Value, place: &str, typed: &str) {
    let mut inner = object;
    for part in place.split('/').skip(1) {
        if !inner.is_object() {
            *inner = json!({});
        }
        inner = &mut inner[part];
    }
    *inner = typed.into();
}

async fn page(console: &Console, id: &str, refused: &Refused) -> Result<Html<String>, Problem> {
    let path = format!("{ACCOUNTS}/{}", api::segment(id));
    let account = api::get(&console.core, &path).await?;
    let newest = "ordering(-events.created.at,-id)&limit=100";
    let mine = R::field("account.id").eq(Operand::text(id));
    let told = api::list(&console.core, REQUESTS, &mine, newest).await?;
    let versions = api::list(&console.core, &format!("{path}/versions"), &Rql::Empty, "limit=1000").await?;
    Ok(layout::page(
        &format!("Tier account {id}"),
        Here::Accounts,
        &content(&account, &told.items, &versions.items, refused),
    ))
}

fn content(account: &Value, told: &[Value], versions: &[Value], refused: &Refused) -> Markup {
    let id = text(account, "/id");
    let path = format!("/tier-accounts/{}", api::segment(id));
    let panels = Panels { path, params: &[], templates: &[], scope: "", refused };
    let fields = html! {
        p.hint { "A request goes to the vendor of each product that was bought for it." }
        @for (place, label) in FIELDS {
            label { span { (label) } input name=(place) value=(panels.typed("edit", place, text(account, place))) autocomplete="off"; }
        }
    };
    html! {
        p.crumbs { a href="/tier-accounts" { "Tier accounts" } }
        div.head #head data-live {
            h1 { (first([text(account, "/name"), "Tier account"])) " " code { (id) } }
            p.sub { (text(account, "/type")) " · version " (account["version"]) }
        }
        (errors(&refused.texts))
        div.actions #actions data-live {
            (panels.panel("edit", "Edit", "plain", &fields))
            (panels.button("decommission", "Decommission"))
        }
        div.columns {
            section #requests data-live {
                h2 { "Requests" }
                @if told.is_empty() { p.quiet { "None." } } @else { (requests(told, true)) }
            }
            div.facts-column #facts data-live {
                section {
                    h2 { "Details" }
                    dl.facts {
                        @for (place, label) in FIELDS.iter().skip(1) { (row(label, &html! { (text(account, place)) })) }
                        (row("External uid", &html! { (text(account, "/external_uid")) }))
                        (row("Used as", &html! { (scopes(account)) }))
                        (row("Parent", &of(&account["parent"])))
                        (row("Hub", &of(&account["hub"])))
                        (row("Environment", &html! { (text(account, "/environment")) }))
                        (row("Created", &time_of(text(account, "/events/created/at"))))
                        (row("Updated", &time_of(text(account, "/events/updated/at"))))
                    }
                    @for version in versions.iter().rev().skip(1) {
                        @let number = version["version"].to_string();
                        details data-key={ "version-" (number) } { summary { "Version " (number) } (shown(version.clone())) }
                    }
                    details data-key="json" { summary { "JSON" } (shown(account.clone())) }
                }
            }
        }
    }
}

fn of(object: &Value) -> Markup {
    let (name, id) = (text(object, "/name"), text(object, "/id"));
    html! { @if !id.is_empty() { (named(name, id)) } }
}

pub(super) async fn request(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let request = api::get(&console.core, &format!("{REQUESTS}/{}", api::segment(&id))).await?;
    Ok(request_page(&console, &request, &Refused::default()))
}

/// The vendor follows a change, or does not.
pub(super) async fn answer(
    State(console): State<Console>,
    Path((id, action)): Path<(String, String)>,
    sent: Form,
) -> Result<Response, Problem> {
    let path = format!("{REQUESTS}/{}", api::segment(&id));
    let request = api::get(&console.core, &path).await?;
    let mut refused = Refused::new(action, sent);
    let body = match refused.action.as_str() {
        "accept" => json!({}),
        "ignore" => json!({"reason": refused.sent.get("reason")}),
        _ => return Err(crate::api_error::ApiError::not_found().into()),
    };
    let end = api::post(&console.core, &format!("{path}/{}", refused.action), &body).await;
    console.core.setup.recorder.touch();
    match end {
        Ok(_) => Ok(Redirect::to(&format!("/tier-account-requests/{}", api::segment(&id))).into_response()),
        Err(problem) => {
            refused.texts = problem.texts;
            Ok((StatusCode::BAD_REQUEST, request_page(&console, &request, &refused)).into_response())
        }
    }
}

fn request_page(console: &Console, request: &Value, refused: &Refused) -> Html<String> {
    let id = text(request, "/id");
    let steps = super::timeline::timeline(console, id, request);
    let content = request_content(request, &steps, refused);
    layout::page(&format!("Tier account request {id}"), Here::Accounts, &content)
}

fn request_content(request: &Value, steps: &Markup, refused: &Refused) -> Markup {
    let (id, account) = (text(request, "/id"), &request["account"]);
    let path = format!("/tier-account-requests/{}", api::segment(id));
    let panels = Panels { path, params: &[], templates: &[], scope: "", refused };
    html! {
        p.crumbs { a href="/tier-accounts" { "Tier accounts" } }
        div.head #head data-live {
            h1 { "Account update " code { (id) } }
            (chip(text(request, "/status")))
            p.sub {
                (first([text(account, "/name"), "Account"])) " " (link("/tier-accounts/", text(account, "/id")))
                " · version " (account["version"])
                " · for " (first([text(request, "/product/name"), text(request, "/product/id")]))
            }
            @if !text(request, "/reason").is_empty() { p.message { (text(request, "/reason")) } }
        }
        (errors(&refused.texts))
        div.actions #actions data-live {
            @if text(request, "/status") == "pending" {
                (panels.button("accept", "Accept"))
                (panels.panel("ignore", "Ignore", "bad", &panels.reason("ignore")))
            }
        }
        div.columns {
            section aria-labelledby="timeline-title" {
                h2 #timeline-title { "Timeline" }
                div #timeline data-live { (steps) }
            }
            div.facts-column #facts data-live {
                section {
                    h2 { "Account" }
                    dl.facts {
                        @for (place, label) in FIELDS { (row(label, &html! { (text(account, place)) })) }
                    }
                    details data-key="json" { summary { "JSON" } (shown(request.clone())) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert(1)</script>";

    #[test]
    fn what_was_typed_becomes_an_account() {
        let account = json!({"name": "N", "tax_id": null, "contact_info": {"city": "C", "state": "S"}});
        let sent: Vec<(String, String)> = [
            ("/name", "M"),
            ("/tax_id", ""),
            ("/contact_info/state", ""),
            ("/contact_info/contact/email", "e@example.com"),
            ("other", "x"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let expected = json!({"name": "M", "contact_info": {"city": "C", "state": "", "contact": {"email": "e@example.com"}}});
        assert_eq!(changes(&account, &sent.into()), expected);
    }

    #[test]
    fn nothing_is_rendered_unescaped() {
        let account = json!({"id": HOSTILE, "name": HOSTILE, "type": HOSTILE, "version": HOSTILE, "scopes": [HOSTILE],
            "external_id": HOSTILE, "parent": {"id": HOSTILE, "name": HOSTILE},
            "contact_info": {"city": HOSTILE, "contact": {"email": HOSTILE}}});
        let request = json!({"id": HOSTILE, "status": "pending", "reason": HOSTILE, "account": account,
            "product": {"name": HOSTILE}});
        let sent = vec![("reason".to_owned(), HOSTILE.to_owned()), ("/name".to_owned(), HOSTILE.to_owned())];
        let mut refused = Refused::new("ignore".to_owned(), sent.into());
        refused.texts.push(HOSTILE.to_owned());
        let one = std::slice::from_ref(&account);
        let all = std::slice::from_ref(&request);
        for shown in [
            content(&account, all, &[account.clone(), account.clone()], &refused),
            request_content(&request, &html! {}, &refused),
            table(one),
            requests(all, false),
        ] {
            assert!(!shown.0.contains("<script"), "{}", shown.0);
        }
    }
}
