//! Tier configs and their requests.

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
    params,
    parts::{chip, errors, first, json as shown, link, list, named, nothing, row, text, time_of, title},
    requests::pages,
    timeline::timeline,
};

const PAGE: usize = 50;
const CONFIGS: &str = "tier/configs";
const REQUESTS: &str = "tier/config-requests";

pub(super) async fn all(
    State(console): State<Console>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Html<String>, Problem> {
    let query = Form::from(query);
    let page = query.page();
    let filter = match query.get("text").trim() {
        "" => Rql::Empty,
        wanted => Rql::any(
            ["id", "configuration.id", "configuration.account.name", "configuration.product.name"]
                .map(|field| R::field(field).icontains(wanted)),
        ),
    };
    let window = format!("ordering(-events.created.at,-id)&limit={PAGE}&offset={}", (page - 1) * PAGE);
    let found = api::list(&console.core, REQUESTS, &filter, &window).await?;
    let configs = api::list(&console.core, CONFIGS, &Rql::Empty, "limit=200").await?;
    let content = html! {
        div.head { h1 { "Tier configs" } p.count #count data-live { (configs.total) } }
        div.stack #list data-live {
            @if configs.items.is_empty() && found.items.is_empty() {
                div.empty {
                    p { "There is no tier config." }
                    p.quiet { "A purchase of a product with parameters of a tier asks for one." }
                }
            } @else {
                section { h2 { "Requests" } (requests(&found.items, false)) (pages("/tier-configs", PAGE, page, found.total, &query)) }
                section { h2 { "Configs" } (table(&configs.items)) }
            }
        }
    };
    Ok(layout::page("Tier configs", Here::Tiers, &content))
}

/// A list of requests; on the page of their configuration nobody needs to be told of whom they are.
fn requests(requests: &[Value], of_one: bool) -> Markup {
    html! {
        @if requests.is_empty() { p.quiet { "None." } } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Request" } th scope="col" { "Type" } th scope="col" { "Status" }
                        @if !of_one { th scope="col" { "Account" } th.number scope="col" { "Tier" } th scope="col" { "Product" } }
                        th.number scope="col" { "Created" } } }
                    tbody {
                        @for request in requests {
                            tr data-row {
                                td { (link("/tier-config-requests/", text(request, "/id"))) }
                                td { (text(request, "/type")) }
                                td { (chip(text(request, "/status"))) }
                                @if !of_one {
                                    td { (account(&request["configuration"])) }
                                    td.number { (level(&request["configuration"])) }
                                    td { (product(&request["configuration"])) }
                                }
                                td.number.quiet { (time_of(text(request, "/events/created/at"))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn table(configs: &[Value]) -> Markup {
    html! {
        @if configs.is_empty() { p.quiet { "None." } } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Config" } th scope="col" { "Status" } th scope="col" { "Account" }
                        th.number scope="col" { "Tier" } th scope="col" { "Product" } } }
                    tbody {
                        @for config in configs {
                            tr data-row {
                                td { (link("/tier-configs/", text(config, "/id"))) }
                                td { (chip(text(config, "/status"))) }
                                td { (account(config)) }
                                td.number { (level(config)) }
                                td { (product(config)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The requests that an order waits for until its tiers are set up.
pub(super) async fn waited_for(console: &Console, order: &Value) -> Result<Markup, Problem> {
    if text(order, "/status") != "tiers_setup" {
        return Ok(nothing());
    }
    let accounts = ["/asset/tiers/tier1/id", "/asset/tiers/tier2/id"].map(|place| text(order, place));
    let accounts = accounts.into_iter().filter(|id| !id.is_empty()).map(Operand::text);
    let filter = Rql::all([
        R::field("status").is_in(["draft", "tiers_setup", "pending", "inquiring"]),
        R::field("configuration.product.id").eq(Operand::text(text(order, "/asset/product/id"))),
        R::field("configuration.account.id").is_in(accounts),
    ]);
    let found = api::list(&console.core, REQUESTS, &filter, "limit=10").await?;
    Ok(html! {
        p.sub {
            "Waits for its tiers"
            @for request in &found.items {
                " · " (link("/tier-config-requests/", text(request, "/id"))) " " (chip(text(request, "/status")))
            }
        }
    })
}

fn account(config: &Value) -> &str {
    first([text(config, "/account/name"), text(config, "/account/id")])
}

fn product(config: &Value) -> &str {
    first([text(config, "/product/name"), text(config, "/product/id")])
}

fn level(config: &Value) -> String {
    config["tier_level"].as_u64().map_or_else(String::new, |level| level.to_string())
}

pub(super) async fn config(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    config_page(&console, &id, &Refused::default()).await
}

/// Asks for other values of a configuration. What the sandbox refuses is told on the page.
pub(super) async fn order(
    State(console): State<Console>,
    Path((id, kind)): Path<(String, String)>,
    sent: Form,
) -> Result<Response, Problem> {
    let config = api::get(&console.core, &format!("{CONFIGS}/{}", api::segment(&id))).await?;
    let mut refused = Refused::new(kind, sent);
    let mut status = StatusCode::BAD_REQUEST;
    if let Some(changes) = refused.changes(list(&config, "/params")) {
        let body = json!({"type": refused.action, "configuration": {"id": id}, "params": changes});
        match api::post(&console.core, REQUESTS, &body).await {
            Ok(made) => {
                let made = api::segment(text(&made, "/id"));
                return Ok(Redirect::to(&format!("/tier-config-requests/{made}")).into_response());
            }
            Err(problem) => {
                status = problem.status;
                refused.fields.extend(params::told(list(&config, "/params"), &problem.texts));
                refused.texts = problem.texts;
            }
        }
    }
    Ok((status, config_page(&console, &id, &refused).await?).into_response())
}

async fn config_page(console: &Console, id: &str, refused: &Refused) -> Result<Html<String>, Problem> {
    let config = api::get(&console.core, &format!("{CONFIGS}/{}", api::segment(id))).await?;
    let of_config = R::field("configuration.id").eq(Operand::text(id));
    let found =
        api::list(&console.core, REQUESTS, &of_config, "ordering(-events.created.at,-id)&limit=200").await?;
    let scope = format!("tier{}", level(&config));
    let buttons = console.buttons(text(&config, "/product/id"), id, &[&scope]).await?;
    Ok(layout::page(
        &format!("Tier config {id}"),
        Here::Tiers,
        &config_content(&config, &found.items, &buttons, refused),
    ))
}

fn config_content(config: &Value, asked: &[Value], buttons: &Markup, refused: &Refused) -> Markup {
    let id = text(config, "/id");
    let path = format!("/tier-configs/{}", api::segment(id));
    let panels = Panels { path, params: list(config, "/params"), templates: &[], scope: "", refused };
    html! {
        p.crumbs { a href="/tier-configs" { "Tier configs" } }
        div.head #head data-live {
            h1 { "Tier config " code { (id) } }
            (chip(text(config, "/status")))
            p.sub { "Tier " (level(config)) " of " (product(config)) " for " (account(config)) }
        }
        (errors(&refused.texts))
        div.actions #actions data-live {
            @if text(config, "/status") == "active" {
                (panels.panel("update", "Update", "plain", &panels.values("update", true)))
                (panels.panel("adjustment", "Adjustment", "plain", &panels.values("adjustment", false)))
            } @else if text(config, "/open_request/id").is_empty() { (panels.button("setup", "Set up again")) }
        }
        div.columns {
            section #requests data-live { h2 { "Requests" } @if asked.is_empty() { p.quiet { "None." } } @else { (requests(asked, true)) } }
            div.facts-column #facts data-live { (buttons) (facts(config, list(config, "/params"))) }
        }
    }
}

pub(super) async fn request(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let request = api::get(&console.core, &format!("{REQUESTS}/{}", api::segment(&id))).await?;
    page(&console, &request, &Refused::default()).await
}

/// Does what a button says. What the sandbox refuses is told on the page.
pub(super) async fn act(
    State(console): State<Console>,
    Path((id, action)): Path<(String, String)>,
    sent: Form,
) -> Result<Response, Problem> {
    let path = format!("{REQUESTS}/{}", api::segment(&id));
    let request = api::get(&console.core, &path).await?;
    let mut refused = Refused::new(action, sent);
    let end = run(&console, &path, &request, &mut refused).await;
    console.core.setup.recorder.touch();
    let mut status = StatusCode::BAD_REQUEST;
    if let Err(problem) = end {
        status = problem.status;
        refused.fields.extend(params::told(list(&request, "/params"), &problem.texts));
        refused.texts.extend(problem.texts);
    }
    if refused.is_empty() {
        return Ok(Redirect::to(&format!("/tier-config-requests/{}", api::segment(&id))).into_response());
    }
    Ok((status, page(&console, &request, &refused).await?).into_response())
}

async fn run(console: &Console, path: &str, request: &Value, refused: &mut Refused) -> Result<(), Problem> {
    let core = &console.core;
    let action = refused.action.clone();
    let post = async |body: Value| api::post(core, &format!("{path}/{action}"), &body).await.map(drop);
    match action.as_str() {
        "approve" => post(json!({"template": {"id": refused.sent.get("template")}})).await,
        "fail" => post(json!({"reason": refused.sent.get("reason")})).await,
        "inquire" => {
            let wrong = refused.wrong();
            if !wrong.is_empty() {
                api::put(core, path, &json!({"params": wrong})).await?;
            }
            post(json!({})).await
        }
        "params" | "pend" => {
            let Some(changes) = refused.changes(list(request, "/params")) else { return Ok(()) };
            let body = json!({"params": changes});
            if action == "pend" { post(body).await } else { api::put(core, path, &body).await.map(drop) }
        }
        "rerun" => {
            if !core.rerun(REQUESTS, text(request, "/id"))? {
                let (kind, status) = (text(request, "/type"), text(request, "/status"));
                refused.texts.push(format!("No runner handles a {kind} request that is {status}."));
            }
            Ok(())
        }
        "submit" | "validate" => post(json!({})).await,
        _ => Err(crate::api_error::ApiError::not_found().into()),
    }
}

async fn page(console: &Console, request: &Value, refused: &Refused) -> Result<Html<String>, Problem> {
    let id = text(request, "/id");
    let product = api::segment(text(request, "/configuration/product/id"));
    let templates =
        api::list(&console.core, &format!("products/{product}/templates"), &Rql::Empty, "limit=1000").await?;
    let happened = html! {
        section aria-labelledby="timeline-title" {
            h2 #timeline-title { "Timeline" }
            div #timeline data-live { (timeline(console, id, request)) }
        }
        (conversations::panel(console, id)?)
    };
    Ok(layout::page(
        &format!("Tier config request {id}"),
        Here::Tiers,
        &content(request, &templates.items, &happened, refused),
    ))
}

fn content(request: &Value, templates: &[Value], happened: &Markup, refused: &Refused) -> Markup {
    let (id, config) = (text(request, "/id"), &request["configuration"]);
    html! {
        p.crumbs { a href="/tier-configs" { "Tier configs" } }
        div.head #head data-live {
            h1 { (title(first([text(request, "/type"), "request"]))) " " code { (id) } }
            (chip(text(request, "/status")))
            p.sub {
                "Tier " (level(config)) " of " (product(config)) " for " (account(config))
                " · config " (link("/tier-configs/", text(config, "/id")))
            }
            @if !text(request, "/reason").is_empty() { p.message { (text(request, "/reason")) } }
        }
        (errors(&refused.texts))
        div.actions #actions data-live { (actions(request, templates, refused)) }
        div.columns {
            div.facts-column { (happened) }
            div.facts-column #facts data-live { (facts(request, list(request, "/params"))) }
        }
    }
}

/// The buttons for the status a request is in, with the fields they need.
fn actions(request: &Value, templates: &[Value], refused: &Refused) -> Markup {
    let status = text(request, "/status");
    let path = format!("/tier-config-requests/{}", api::segment(text(request, "/id")));
    let scope = if request["configuration"]["tier_level"] == 2 { "tier2" } else { "tier1" };
    let panels = Panels { path, params: list(request, "/params"), templates, scope, refused };
    html! {
        @if status == "pending" {
            (panels.panel("approve", "Approve", "good", &panels.template("approve", "fulfillment")))
            (panels.panel("inquire", "Inquire", "plain", &panels.inquiry()))
        }
        @if matches!(status, "pending" | "inquiring" | "tiers_setup") {
            (panels.panel("fail", "Fail", "bad", &panels.reason("fail")))
        }
        @if status == "inquiring" {
            (panels.panel("pend", "Answer the inquiry", "plain", &panels.values("pend", true)))
        }
        @if matches!(status, "draft" | "pending" | "inquiring") {
            (panels.panel("params", "Edit parameters", "plain", &panels.values("params", false)))
        }
        @if matches!(status, "draft" | "inquiring") { (panels.button("validate", "Validate")) }
        @if status == "draft" { (panels.button("submit", "Submit")) }
        (panels.button("rerun", "Run again"))
    }
}

/// The form of an inquiry, where it is the sandbox's own: an imported request may say anything.
fn form(request: &Value) -> Option<String> {
    let link = url::Url::parse(text(request, "/activation/link")).ok()?;
    let is_open = text(request, "/status") == "inquiring" && link.path() == "/form";
    is_open.then(|| format!("/form?{}", link.query().unwrap_or_default()))
}

/// What a config, or a request for one, is about.
fn facts(object: &Value, params: &[Value]) -> Markup {
    // A config has a configuration too: the product's.
    let config = if object["configuration"]["id"].is_string() { &object["configuration"] } else { object };
    let of = |pointer: &str| {
        let object = config.pointer(pointer).unwrap_or(&Value::Null);
        let (name, id) = (text(object, "/name"), text(object, "/id"));
        if id.is_empty() && name.is_empty() { nothing() } else { named(name, id) }
    };
    let linked = |path: &str, object: &Value| {
        let (name, id) = (text(object, "/name"), text(object, "/id"));
        html! { @if !id.is_empty() { @if !name.is_empty() { (name) " " } (link(path, id)) } }
    };
    let form = form(object);
    let representation = text(object, "/template/representation");
    html! {
        section {
            h2 { "Parameters" }
            @if params.is_empty() { p.quiet { "None." } } @else { (params::table(params)) }
        }
        @if !representation.is_empty() {
            section { h2 { "Shown to the reseller" } p.message { (representation) } }
        }
        section {
            h2 { "Details" }
            dl.facts {
                (row("Account", &linked("/tier-accounts/", &config["account"])))
                (row("Config above", &linked("/tier-configs/", &object["parent_configuration"])))
                (row("Form", &html! { @if let Some(form) = form { a href=(form) { "As the reseller sees it" } } }))
                (row("Notes", &html! { (text(object, "/notes")) }))
                (row("Assignee", &html! { (first([text(object, "/assignee/name"), text(object, "/assignee/email")])) }))
                (row("Effective date", &time_of(text(object, "/effective_date"))))
                (row("Product", &of("/product")))
                (row("Marketplace", &of("/marketplace")))
                (row("Connection", &of("/connection")))
                (row("Hub", &of("/connection/hub")))
                (row("Template", &of("/template")))
                (row("Created", &time_of(text(object, "/events/created/at"))))
                (row("Updated", &time_of(text(object, "/events/updated/at"))))
            }
            details data-key="json" { summary { "JSON" } (shown(object.clone())) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert(1)</script>";

    fn shown_as(status: &str) -> String {
        let request = json!({"id": HOSTILE, "type": HOSTILE, "status": status, "reason": HOSTILE,
            "configuration": {"id": HOSTILE, "tier_level": 1, "account": {"id": HOSTILE, "name": HOSTILE},
                "product": {"id": HOSTILE, "name": HOSTILE}, "connection": {"id": HOSTILE, "hub": {"name": HOSTILE}}},
            "params": [{"id": HOSTILE, "title": HOSTILE, "value": HOSTILE, "value_error": HOSTILE}], "notes": HOSTILE,
            "parent_configuration": {"id": HOSTILE, "name": HOSTILE}, "assignee": {"name": HOSTILE},
            "template": {"id": HOSTILE, "name": HOSTILE, "representation": HOSTILE},
            "activation": {"link": "javascript:alert(1)"}});
        let templates = [
            json!({"id": "TL-1", "name": "Of the asset", "scope": "asset"}),
            json!({"id": "TL-2", "name": HOSTILE, "scope": "tier1"}),
        ];
        let mut refused =
            Refused::new("fail".to_owned(), vec![("reason".to_owned(), HOSTILE.to_owned())].into());
        refused.texts.push(HOSTILE.to_owned());
        let page = content(&request, &templates, &nothing(), &refused).0;
        let lists = format!(
            "{}{}",
            requests(std::slice::from_ref(&request), false).0,
            table(std::slice::from_ref(&request)).0
        );
        assert!(!page.contains("<script") && !lists.contains("<script"), "{page} {lists}");
        assert!(!page.contains("href=\"javascript"), "{page}");
        let config =
            config_content(&request["configuration"], std::slice::from_ref(&request), &nothing(), &refused).0;
        assert!(!config.contains("<script"), "{config}");
        page
    }

    #[test]
    fn a_request_has_the_buttons_of_its_status() {
        for (status, buttons) in [
            ("draft", &["params", "validate", "submit", "rerun"] as &[_]),
            ("tiers_setup", &["fail", "rerun"]),
            ("pending", &["approve", "inquire", "fail", "params", "rerun"]),
            ("inquiring", &["fail", "pend", "params", "validate", "rerun"]),
            ("approved", &["rerun"]),
        ] {
            let page = shown_as(status);
            let found: Vec<&str> = page
                .split("action=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next()?.rsplit_once('/').map(|(_, action)| action))
                .collect();
            assert_eq!(found, buttons, "{status}");
        }
        assert!(!shown_as("pending").contains("Of the asset"), "that template is for something else");
    }

    #[test]
    fn only_the_sandboxs_own_form_is_linked() {
        let of = |status: &str, link: &str| form(&json!({"status": status, "activation": {"link": link}}));
        let own = "http://127.0.0.1:9/form?request_id=TCR-1&code=x";
        assert_eq!(of("inquiring", own).as_deref(), Some("/form?request_id=TCR-1&code=x"));
        assert_eq!(of("pending", own), None);
        assert_eq!(of("inquiring", "https://other.example/elsewhere"), None);
        assert_eq!(of("inquiring", ""), None);
    }
}
