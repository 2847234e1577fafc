//! The extension says what it thinks of a draft, and of what is typed into an inquiry form.

use serde_json::Value;

use super::{
    REQUESTS, note, offer, params,
    requests::{self, Action, validated_by, wrong_status},
    text,
};
use crate::{api_error::ApiError, core::Core, parameters::Giver, role::Role, validation, world::World};

/// Lets the extension validate a request with what a body says of its parameters. Without its answer the request stays
/// as it was.
pub(crate) async fn validate(core: &Core, role: Role, id: &str, body: &Value) -> Result<Value, ApiError> {
    let (event, typed) = core.read(|world| {
        let mut request = world.get(REQUESTS, id)?;
        let event = validated_by(&request)?;
        params::answer(world, &mut request, &body["params"], Giver::Buyer)?;
        Ok((event, request))
    })?;
    let answer = validation::validate(core, event, id, &typed).await?;
    core.change(role, |world| {
        let mut request = world.get(REQUESTS, id)?;
        if request["status"] != typed["status"] {
            return Err(wrong_status());
        }
        params::answer(world, &mut request, &body["params"], Giver::Buyer)?;
        if let Some(params) = request.get_mut("params") {
            validation::take_over(params, &answer["params"]);
        }
        note(&mut request, "updated", &world.now());
        world.put(REQUESTS, &request)?;
        Ok(request)
    })
}

/// An inquiry is answered: where the product can, the extension validates what was typed first. The form
/// sends its code and what was typed.
pub(crate) async fn pend(
    core: &Core,
    role: Role,
    id: &str,
    body: &Value,
    form: Option<&str>,
) -> Result<Value, ApiError> {
    let is_validated = core.read(|world| {
        let request = world.get(REQUESTS, id)?;
        if let Some(code) = form {
            check_form(world, &request, body, code)?;
        }
        let product = world.find("products", text(&request["configuration"]["product"], "id"))?;
        let capability = match text(&request, "type") {
            "setup" => "tiers/configs/setup/inquiring_validation",
            "update" => "tiers/configs/update/inquiring_validation",
            _ => return Ok(false),
        };
        Ok(request["status"] == "inquiring"
            && product.is_some_and(|product| offer::is_able(&product, capability)))
    })?;
    // The vendor knows what the extension would say.
    if role == Role::Vendor || !is_validated {
        return core.change(role, |world| requests::act(world, id, Action::Pend, body));
    }
    let request = validate(core, role, id, body).await?;
    validation::refused("params", &request["params"])?;
    core.change(role, |world| requests::act(world, id, Action::Pend, &Value::Null))
}

/// By the form all that was asked for has to be given.
fn check_form(world: &World<'_>, request: &Value, body: &Value, code: &str) -> Result<(), ApiError> {
    validation::check_code(text(&request["activation"], "link"), code)?;
    if !body["params"].is_array() {
        return Err(ApiError::bad("VAL_001", "params: This field is required."));
    }
    let mut typed = request.clone();
    params::answer(world, &mut typed, &body["params"], Giver::Buyer)?;
    if params::mark_missing(world, &mut typed)? {
        validation::refused("params", &typed["params"])
    } else {
        Ok(())
    }
}
