//! How a request begins: with what is missing of it, and with what is shown to the customer meanwhile.

use serde_json::Value;

use super::{enter, offer::Offer, set, status, template};
use crate::{api_error::ApiError, world::World};

/// Lets an order of a product in the catalogue be inquiring where values are missing that the buyer has to give, and puts
/// the product's template in. A draft is left as it is.
pub(super) fn begin(world: &World<'_>, offer: &Offer, request: &mut Value) -> Result<(), ApiError> {
    if status(request) != "pending" {
        return Ok(());
    }
    let asks = matches!(request["type"].as_str(), Some("purchase" | "change" | "renew" | "transfer"));
    let params = request.pointer_mut("/asset/params").and_then(Value::as_array_mut);
    let is_missing = asks && params.is_some_and(|params| offer.parameters().mark_missing(params, "ordering"));
    if is_missing {
        enter(request, "inquiring", "inquired", &world.now());
        open_form(world, request);
    }
    show(world, request, if is_missing { "inquire" } else { "pending" })
}

/// Lets a request go on whose tiers are set up: it is pending, or inquiring where values are missing.
pub(crate) fn go_on(world: &World<'_>, request: &mut Value) -> Result<(), ApiError> {
    set(request, "status", "pending");
    if let Some(offer) = Offer::of(world, request)? {
        begin(world, &offer, request)?;
    }
    if status(request) == "pending" {
        enter(request, "pending", "pended", &world.now());
    }
    Ok(())
}

/// Opens the form by which the customer answers.
pub(super) fn open_form(world: &World<'_>, request: &mut Value) {
    let url = world.form_url(request["id"].as_str().unwrap_or_default());
    set(request, "params_form_url", url);
}

/// Puts the first template of a type in, where the product has one.
pub(super) fn show(world: &World<'_>, request: &mut Value, kind: &str) -> Result<(), ApiError> {
    let product = request["asset"]["product"]["id"].as_str().unwrap_or_default();
    if let Some(template) = template::first(world, product, kind, "asset")? {
        let shown = template::shown(&template, request);
        set(request, "template", shown);
    }
    Ok(())
}
