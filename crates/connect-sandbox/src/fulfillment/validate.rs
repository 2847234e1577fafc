//! The extension says what it thinks of a draft, and of what a customer typed into an inquiry form.

use serde_json::Value;

use super::{
    Action, Values, act, change, changes,
    offer::{Offer, wrong},
    refused, status,
};
use crate::{
    api_error::ApiError, core::Core, parameters::Giver, role::Role, store::REQUESTS, validation, world::World,
};

/// The event by which a request is validated.
fn event(request: &Value) -> Result<&'static str, ApiError> {
    Ok(match request["type"].as_str() {
        Some("purchase") => "asset_purchase_request_validation",
        Some("change") => "asset_change_request_validation",
        Some("renew") => "asset_renew_request_validation",
        Some("transfer") => "asset_transfer_request_validation",
        _ => return Err(refused("Requests of this type are not validated.")),
    })
}

/// Lets the extension validate a request with what a body says of its parameters. Without its answer the request stays
/// as it was.
pub(crate) async fn validate(core: &Core, role: Role, id: &str, body: &Value) -> Result<Value, ApiError> {
    let typed = |world: &World<'_>| {
        let mut request = world.get(REQUESTS, id)?;
        if !matches!(status(&request), "draft" | "inquiring") {
            return Err(refused("Only draft and inquiring requests can be validated."));
        }
        let offer = Offer::of(world, &request)?;
        // Whoever asks, it is the buyer who typed.
        let values = Values { offer: offer.as_ref(), giver: Giver::Buyer };
        change(&mut request, body, values, &world.now())?;
        Ok(request)
    };
    let request = core.read(typed)?;
    let answer = validation::validate(core, event(&request)?, id, &request).await?;
    core.change(role, |world| {
        let mut request = typed(world)?;
        if let Some(params) = request.pointer_mut("/asset/params") {
            validation::take_over(params, &answer["asset"]["params"]);
        }
        world.put(REQUESTS, &request)?;
        Ok(request)
    })
}

/// A request that waits for its customer, or for its day, goes on. Where the product can, the extension validates what
/// the customer typed first; what it finds wrong is the error, and stays with the request. A code is that of the form,
/// which sends what was typed.
pub(crate) async fn pend(
    core: &Core,
    role: Role,
    id: &str,
    body: &Value,
    form_code: Option<&str>,
) -> Result<Value, ApiError> {
    let is_validated = core.read(|world| {
        let request = world.get(REQUESTS, id)?;
        if let Some(code) = form_code {
            check_form(world, &request, body, code)?;
        }
        let capability = match request["type"].as_str() {
            Some("purchase") => "/capabilities/inquiring/validation",
            Some("change") => "/capabilities/subscription/change/inquiring_validation",
            _ => return Ok(false),
        };
        let product =
            world.find("products", request["asset"]["product"]["id"].as_str().unwrap_or_default())?;
        let is_able = product.is_some_and(|product| product.pointer(capability) == Some(&Value::Bool(true)));
        Ok(is_able && status(&request) == "inquiring")
    })?;
    // The vendor knows what the extension would say.
    if role == Role::Vendor || !is_validated {
        return core.act(role, id, Action::Pend, body);
    }
    let request = validate(core, role, id, body).await?;
    validation::refused("asset.params", &request["asset"]["params"])?;
    core.change(role, |world| act(world, id, Action::Pend, &Value::Null))
}

/// By the form all that was asked for has to be given.
fn check_form(world: &World<'_>, request: &Value, body: &Value, code: &str) -> Result<(), ApiError> {
    validation::check_code(request["params_form_url"].as_str().unwrap_or_default(), code)?;
    if changes(body)?.is_empty() {
        return Err(ApiError::bad("VAL_001", "asset.params: This field is required."));
    }
    let Some(offer) = Offer::of(world, request)? else { return Ok(()) };
    let mut typed = request.clone();
    let values = Values { offer: Some(&offer), giver: Giver::Buyer };
    change(&mut typed, body, values, &world.now())?;
    let params = typed.pointer("/asset/params").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let missing = offer.parameters().missing(params, "ordering");
    if missing.is_empty() {
        return Ok(());
    }
    let text = |name: &&str| format!("asset.params.{name}: This field is required.");
    Err(wrong(missing.iter().map(text).collect()))
}
