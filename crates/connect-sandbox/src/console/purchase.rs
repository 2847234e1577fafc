//! A new purchase, from a form that the product's parameters and items make.

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console, Problem, api,
    form::Form,
    layout::{self, Here},
    offer::Offer,
    params,
    parts::{errors, first, text},
};

pub(super) async fn show(
    State(console): State<Console>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Html<String>, Problem> {
    let query = Form::from(query);
    let products = super::products(&console.core).await?;
    let only = if let [(id, _)] = products.as_slice() { id.as_str() } else { "" };
    match first([query.get("product"), only]) {
        "" => Ok(layout::page("New purchase", Here::Purchase, &choice(&products))),
        product => {
            let offer = Offer::of(&console.core, product).await?;
            Ok(form(&offer, &products, None, &[], &[]))
        }
    }
}

pub(super) async fn order(State(console): State<Console>, sent: Form) -> Result<Response, Problem> {
    let offer = Offer::of(&console.core, sent.get("product")).await?;
    let mut wrong = Vec::new();
    let texts = match body(&offer, &sent, &mut wrong) {
        Some(body) => match api::post(&console.core, "requests", &body).await {
            Ok(request) => {
                let path = format!("/requests/{}", api::segment(text(&request, "/id")));
                return Ok(Redirect::to(&path).into_response());
            }
            Err(problem) => {
                wrong.extend(params::told(&offer.params, &problem.texts));
                problem.texts
            }
        },
        None => Vec::new(),
    };
    let products = super::products(&console.core).await?;
    Ok((StatusCode::BAD_REQUEST, form(&offer, &products, Some(&sent), &texts, &wrong)).into_response())
}

/// The order; none where something that was typed can't be read.
fn body(offer: &Offer, sent: &Form, wrong: &mut Vec<(String, String)>) -> Option<Value> {
    let mut values = Vec::new();
    for param in &offer.params {
        let given = match params::change(&params::unfilled(param), sent) {
            Ok(given) => given,
            Err(error) => {
                wrong.push((text(param, "/id").to_owned(), error));
                continue;
            }
        };
        // Who fills in nothing for the sandbox needs the parameters that the vendor fills in later, too.
        if offer.is_in_catalogue {
            values.extend(given);
        } else {
            let mut value = param.clone();
            for (name, member) in given.as_ref().and_then(Value::as_object).into_iter().flatten() {
                value[name] = member.clone();
            }
            values.push(value);
        }
    }
    if !wrong.is_empty() {
        return None;
    }
    let ordered =
        |item: &&Value| !matches!(sent.get(&format!("i:{}", Offer::item_id(item))).trim(), "" | "0");
    let items: Vec<Value> = offer
        .items
        .iter()
        .filter(ordered)
        .map(|item| offer.item(item, sent.get(&format!("i:{}", Offer::item_id(item))).trim()))
        .collect();
    let known = |list: &[Value], id: &str| list.iter().find(|own| text(own, "/id") == id).cloned();
    let tier = |name: &str| match sent.get(name) {
        "" => None,
        // A new one: its name, and where to write to.
        "new" => Some(newcomer(sent, name)),
        id if offer.is_in_catalogue => Some(json!({"id": id})),
        id => known(&offer.accounts, id),
    };
    let tiers: serde_json::Map<String, Value> = ["customer", "tier1", "tier2"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), tier(name)?)))
        .collect();
    let mut product = json!({"id": text(&offer.product, "/id")});
    if !text(&offer.product, "/name").is_empty() {
        product["name"] = offer.product["name"].clone();
    }
    let mut body = json!({"type": "purchase", "asset": {"product": product, "items": items, "params": values, "tiers": tiers,
        "external_id": first([sent.get("external_id"), &made_up()]), "external_uid": uid()}});
    if let Some(marketplace) = known(&offer.marketplaces, sent.get("marketplace")) {
        body["marketplace"] =
            if offer.is_in_catalogue { json!({"id": marketplace["id"]}) } else { marketplace };
    }
    if let Some(connection) = known(&offer.connections, sent.get("connection")) {
        body["asset"]["connection"] =
            if offer.is_in_catalogue { json!({"id": connection["id"]}) } else { connection };
    }
    if sent.find("draft").is_some() {
        body["status"] = "draft".into();
    }
    Some(body)
}

/// An account as a form has it.
fn newcomer(sent: &Form, tier: &str) -> Value {
    let part = |name: &str| sent.get(&format!("{tier}:{name}"));
    json!({"name": part("name"), "contact_info": {
        "address_line1": part("address_line1"), "city": part("city"), "postal_code": part("postal_code"),
        "country": part("country"), "contact": {"email": part("email"), "first_name": part("first_name"),
            "last_name": part("last_name")}}})
}

fn made_up() -> String {
    format!("EXT-{:06}", fastrand::u32(..1_000_000))
}

fn uid() -> String {
    let digits = format!("{:032x}", fastrand::u128(..));
    format!("{}-{}-4{}-8{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
}

fn choice(products: &[(String, String)]) -> Markup {
    html! {
        div.head { h1 { "New purchase" } }
        @if products.is_empty() {
            div.empty {
                p { "There is no product." }
                p.quiet { "Start the sandbox with a catalogue, or with requests: then what they are for can be ordered." }
            }
        } @else {
            p.quiet { "Of which product?" }
            ul.choices {
                @for (id, name) in products {
                    li data-row { a.card href={ "/purchase?product=" (api::segment(id)) } { strong { (name) } " " code.quiet { (id) } } }
                }
            }
        }
    }
}

/// Who is in a tier: an account that is known, or a new one.
fn tier(offer: &Offer, sent: Option<&Form>, name: &str, title: &str, is_needed: bool) -> Markup {
    let typed = |name: &str| sent.map_or("", |sent| sent.get(name));
    let chosen = |id: &str, index: usize| match sent {
        Some(sent) => sent.get(name) == id,
        None => is_needed && index == 0,
    };
    let fields = [
        ("name", "Company"),
        ("first_name", "First name"),
        ("last_name", "Last name"),
        ("email", "E-mail"),
        ("address_line1", "Address"),
        ("postal_code", "Postal code"),
        ("city", "City"),
        ("country", "Country"),
    ];
    html! {
        div.field {
            label for=(name) { (title) }
            select id=(name) name=(name) data-new={ "new-" (name) } {
                @if !is_needed { option value="" { "None" } }
                @for (index, account) in offer.accounts_of(name).enumerate() {
                    @let id = text(account, "/id");
                    option value=(id) selected[chosen(id, index)] { (first([text(account, "/name"), id])) }
                }
                option value="new" selected[typed(name) == "new"] { "A new account…" }
            }
            fieldset.new id={ "new-" (name) } {
                legend { "New account" }
                div.parts {
                    @for (part, title) in fields {
                        @let own = format!("{name}:{part}");
                        label.part { span { (title) } input name=(own) value=(typed(&own)) autocomplete="off"; }
                    }
                }
            }
        }
    }
}

fn form(
    offer: &Offer,
    products: &[(String, String)],
    sent: Option<&Form>,
    texts: &[String],
    wrong: &[(String, String)],
) -> Html<String> {
    let typed = |name: &str| sent.map_or("", |sent| sent.get(name));
    let error = |param: &Value| {
        wrong.iter().find(|(id, _)| id == text(param, "/id")).map_or("", |(_, error)| error.as_str())
    };
    let ordering = |param: &&Value| {
        // What depends on others can be asked for; what is hidden in any case can't.
        let constraints = &param["constraints"];
        let is_hidden = constraints["hidden"] == true && constraints["dependency"].is_null();
        matches!(text(param, "/scope"), "" | "asset")
            && matches!(text(param, "/phase"), "" | "ordering")
            && !(offer.is_in_catalogue && is_hidden)
    };
    let product = text(&offer.product, "/id");
    let select = |name: &str, title: &str, list: &[Value]| {
        html! {
            @if !list.is_empty() {
                div.field {
                    label for=(name) { (title) }
                    select id=(name) name=(name) {
                        @for own in list {
                            @let id = text(own, "/id");
                            option value=(id) selected[typed(name) == id] {
                                (first([text(own, "/name"), text(own, "/hub/name"), text(own, "/provider/name"), id])) " (" (id) ")"
                            }
                        }
                    }
                }
            }
        }
    };
    let content = html! {
        p.crumbs { a href="/" { "Requests" } }
        div.head {
            h1 { "New purchase" }
            p.sub {
                (first([text(&offer.product, "/name"), product])) " " code { (product) }
                @if products.len() > 1 { " · " a href="/purchase" { "another product" } }
            }
        }
        (errors(texts))
        form.order method="post" action="/purchase" novalidate {
            input type="hidden" name="product" value=(product);
            div.stack {
            section.panel {
                h2 { "Items" }
                @if offer.items.is_empty() { p.quiet { "The product has none." } }
                @for (index, item) in offer.items.iter().enumerate() {
                    @let name = format!("i:{}", Offer::item_id(item));
                    div.item {
                        label for=(name) {
                            (first([text(item, "/display_name"), text(item, "/name"), Offer::item_id(item)]))
                            " " code.quiet { (text(item, "/mpn")) } " "
                            span.quiet { (first([text(item, "/period"), text(item, "/item_type")])) }
                        }
                        input id=(name) name=(name) inputmode="decimal" value=(sent.map_or(Offer::usual(item, index), |sent| sent.get(&name))) autocomplete="off";
                    }
                }
            }
            section.panel {
                h2 { "Customer and tiers" }
                (tier(offer, sent, "customer", "Customer", true))
                (tier(offer, sent, "tier1", "Tier 1", offer.needs_reseller()))
                (tier(offer, sent, "tier2", "Tier 2", false))
            }
            section.panel {
                h2 { "Order" }
                (select("marketplace", "Marketplace", &offer.marketplaces))
                (select("connection", "Connection", &offer.connections))
                div.field {
                    label for="external_id" { "External id" }
                    input #external_id name="external_id" value=(typed("external_id")) aria-describedby="hint-external" autocomplete="off";
                    p.hint #hint-external { "The distributor's own. One is made up where it is empty." }
                }
                label.check {
                    input type="checkbox" name="draft" value="1" checked[sent.is_some_and(|sent| sent.find("draft").is_some())];
                    " As a draft"
                }
            }
            }
            div.stack {
            section.panel {
                h2 { "Parameters" }
                @if !offer.params.iter().any(|param| ordering(&param)) { p.quiet { "None is asked for when it is ordered." } }
                @for param in offer.params.iter().filter(ordering) { (params::field(param, "", sent, error(param))) }
            }
            }
            div.submit { button.primary { "Purchase" } }
        }
    };
    layout::page("New purchase", Here::Purchase, &content)
}
