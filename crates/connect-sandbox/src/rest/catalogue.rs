//! The catalogue: accounts, products and what is below them, and what they are sold by.

use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use connect_model::rql::{R, Rql};
use serde_json::{Value, json};

use super::{Call, created, no_content, ok, page};
use crate::{
    api_error::ApiError,
    catalogue::{DISTRIBUTOR, VENDOR, edit},
    fulfillment::template,
    rendering,
    role::Role,
    store::REQUESTS,
};

const PRODUCTS: &str = "products";

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    if call.route() != "GET" {
        call.check_body()?;
    }
    match path {
        ["accounts", rest @ ..] => accounts(call, rest),
        ["auth", "context"] => context(call),
        ["products", rest @ ..] => products(call, rest).await,
        ["marketplaces", rest @ ..] => marketplaces(call, rest).await,
        ["hubs", rest @ ..] => hubs(call, rest).await,
        ["categories", rest @ ..] => read_only(call, "categories", rest).await,
        ["settings", "units", rest @ ..] => read_only(call, "settings/units", rest).await,
        ["templates", id, "render"] if call.route() == "GET" => old_render(call, id),
        _ => Err(ApiError::not_found()),
    }
}

async fn read_only(call: &Call<'_>, collection: &str, path: &[&str]) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("GET", []) => call.list(collection).await,
        ("GET", [id]) => call.one(collection, id),
        _ => Err(ApiError::not_found()),
    }
}

/// The account of who calls. There is one even where the catalogue has none.
fn own_account(call: &Call<'_>) -> Result<Value, ApiError> {
    let (id, kind, role) = match call.role {
        Role::Distributor => (DISTRIBUTOR, "provider", "distributor"),
        Role::Vendor | Role::Platform => (VENDOR, "vendor", "vendor"),
    };
    let known = call.core.read(|world| world.find("accounts", id))?;
    Ok(known.unwrap_or_else(|| json!({"id": id, "name": "Sandbox", "type": kind, "role": role})))
}

/// A key lists its own account, and reads those of its partners.
fn accounts(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    let own = own_account(call)?;
    match (call.route(), path) {
        ("GET", []) => call.list_of(vec![own]),
        ("GET", [id]) if own["id"] == *id => Ok(ok(&own)),
        ("GET", [id]) => call.one("accounts", id),
        _ => Err(ApiError::not_found()),
    }
}

fn context(call: &Call<'_>) -> Result<Response, ApiError> {
    let account = own_account(call)?;
    let user = match call.role {
        Role::Distributor => json!({"id": "SU-000-000-001", "name": "Distributor's token"}),
        Role::Vendor | Role::Platform => json!({"id": "SU-000-000-000", "name": "Vendor's token"}),
    };
    if call.route() != "GET" {
        return Err(ApiError::not_found());
    }
    Ok(ok(&json!({"account": account, "user": user})))
}

async fn products(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    let body = &call.body;
    match (call.route(), path) {
        ("GET", []) => {
            let mut query = call.parsed()?;
            if call.role == Role::Distributor {
                // What is a draft is its vendor's.
                query.filter = Rql::all([R::field("status").ne("draft"), query.filter]);
            }
            page::kept(call.core, PRODUCTS, &query).await
        }
        ("GET", [id]) => call.one(PRODUCTS, id),
        ("POST", []) => Ok(created(&call.change(|world| edit::create_product(world, body))?)),
        ("PUT", [id]) => Ok(ok(&call.change(|world| edit::change_product(world, id, body))?)),
        ("DELETE", [id]) => {
            call.change(|world| edit::remove_product(world, id))?;
            Ok(no_content())
        }
        ("POST", [id, "endsale"]) => Ok(ok(&call.change(|world| edit::end_product(world, id, body))?)),
        ("POST", [id, "resumesale"]) => Ok(ok(&call.change(|world| edit::resume_product(world, id))?)),
        ("POST", [id, "versions"]) => Ok(created(&call.change(|world| edit::publish(world, id))?)),
        ("GET", [id, "versions"]) => {
            let product = call.core.read(|world| world.get(PRODUCTS, id))?;
            call.list_of(if product["version"].is_null() { Vec::new() } else { vec![product] })
        }
        ("POST", [id, "actions", "regeneratesecret"]) => {
            Ok(ok(&call.change(|world| edit::regenerate_secret(world, id))?))
        }
        (_, [id, "configurations", rest @ ..]) => configurations(call, id, rest),
        ("GET", [id, "templates", template, "preview" | "render"]) => preview(call, id, template),
        (_, [id, list @ ("parameters" | "items" | "templates" | "actions" | "connections"), rest @ ..]) => {
            below(call, id, list, rest).await
        }
        _ => Err(ApiError::not_found()),
    }
}

async fn below(call: &Call<'_>, product: &str, list: &str, path: &[&str]) -> Result<Response, ApiError> {
    let (body, collection) = (&call.body, format!("{PRODUCTS}/{product}/{list}"));
    match (call.route(), path) {
        ("GET", []) => {
            check_product(call, product, &collection)?;
            call.list(&collection).await
        }
        ("GET", [id]) => call.one(&collection, id),
        ("POST", []) => Ok(created(&call.change(|world| edit::create(world, product, list, body))?)),
        ("PUT", [id]) => Ok(ok(&call.change(|world| edit::update(world, product, list, id, body))?)),
        ("DELETE", [id]) => {
            call.change(|world| edit::remove(world, product, list, id))?;
            Ok(no_content())
        }
        ("POST", [id, "endsale"]) if list == "items" => {
            Ok(ok(&call.change(|world| edit::end_sale(world, product, id, body))?))
        }
        ("POST", [id, "resumesale"]) if list == "items" => {
            Ok(ok(&call.change(|world| edit::resume_sale(world, product, id))?))
        }
        _ => Err(ApiError::not_found()),
    }
}

/// A product that the catalogue does not have may still have lists: templates that a test gave, or what was imported.
fn check_product(call: &Call<'_>, product: &str, collection: &str) -> Result<(), ApiError> {
    let is_there = |world: &crate::world::World<'_>| {
        Ok(world.find(PRODUCTS, product)?.is_some() || !world.list(collection)?.is_empty())
    };
    if call.core.read(is_there)? { Ok(()) } else { Err(ApiError::not_found()) }
}

/// Configured values have ids here alone: Connect gives them none.
fn configurations(call: &Call<'_>, product: &str, path: &[&str]) -> Result<Response, ApiError> {
    let without_id = |mut value: Value| {
        if let Some(members) = value.as_object_mut() {
            members.remove("id");
        }
        value
    };
    match (call.route(), path) {
        ("GET", []) => {
            let collection = format!("{PRODUCTS}/{product}/configurations");
            check_product(call, product, &collection)?;
            let all = call.core.read(|world| world.list(&collection))?;
            call.list_of(all.into_iter().map(without_id).collect())
        }
        ("POST", []) => {
            let configured = call.change(|world| edit::configure(world, product, &call.body))?;
            Ok(created(&without_id(configured)))
        }
        _ => Err(ApiError::not_found()),
    }
}

/// A template with examples in place of values.
fn preview(call: &Call<'_>, product: &str, template: &str) -> Result<Response, ApiError> {
    let below = |list: &str| format!("{PRODUCTS}/{product}/{list}");
    let (template, definitions) = call
        .core
        .read(|world| Ok((world.get(&below("templates"), template)?, world.list(&below("parameters"))?)))?;
    let examples: Vec<Value> = definitions
        .iter()
        .map(|definition| {
            let example = [&definition["placeholder"], &definition["title"], &definition["name"]];
            let example = example.into_iter().find(|own| own.as_str().is_some_and(|own| !own.is_empty()));
            json!({"id": definition["name"], "value": example})
        })
        .collect();
    let url = call.core.setup.url.as_str();
    let object = json!({"params": examples, "params_form_url": url});
    let body = template["body"].as_str().unwrap_or_default();
    Ok(ok(&rendering::render(body, &object).into()))
}

/// A text in Markdown.
pub(super) fn markdown(text: String) -> Response {
    ([(CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response()
}

/// As old clients ask for it: a template for a request.
fn old_render(call: &Call<'_>, id: &str) -> Result<Response, ApiError> {
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(call.query.as_bytes()).into_owned().collect();
    let request = query.iter().find(|(name, _)| name == "request_id").map(|(_, value)| value.as_str());
    let request = request.ok_or_else(|| ApiError::bad("VAL_001", "request_id: This field is required."))?;
    let text = call.core.read(|world| {
        let request = world.get(REQUESTS, request)?;
        let product = request["asset"]["product"]["id"].as_str().unwrap_or_default();
        template::rendered(world, product, id, &request)
    })?;
    Ok(markdown(text))
}

async fn marketplaces(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    let body = &call.body;
    match (call.route(), path) {
        ("POST", []) => Ok(created(&call.change(|world| edit::create_marketplace(world, body))?)),
        ("PUT", [id]) => Ok(ok(&call.change(|world| edit::change_marketplace(world, id, body))?)),
        ("DELETE", [id]) => {
            call.change(|world| edit::remove_marketplace(world, id))?;
            Ok(no_content())
        }
        _ => read_only(call, "marketplaces", path).await,
    }
}

async fn hubs(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    let body = &call.body;
    match (call.route(), path) {
        ("POST", []) => Ok(created(&call.change(|world| edit::create_hub(world, body))?)),
        ("PUT", [id]) => Ok(ok(&call.change(|world| edit::change_hub(world, id, body))?)),
        ("DELETE", [id]) => {
            call.change(|world| edit::remove_hub(world, id))?;
            Ok(no_content())
        }
        ("GET", [id, list @ ("connections" | "marketplaces")]) => {
            let all = call.core.read(|world| {
                world.get("hubs", id)?;
                if *list == "connections" {
                    edit::connections_of(world, id)
                } else {
                    edit::marketplaces_of(world, id)
                }
            })?;
            call.list_of(all)
        }
        _ => read_only(call, "hubs", path).await,
    }
}
