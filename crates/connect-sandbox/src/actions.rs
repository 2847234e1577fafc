//! Product actions and custom events: calls by HTTP that an extension answers by an interactive task.

mod answer;
mod call;
mod token;

use std::sync::Arc;

use axum::{http::Method, response::Response};
use connect_model::{
    event::{PRODUCT_ACTION_EXECUTION, PRODUCT_CUSTOM_EVENT_PROCESSING},
    wire::TaskOutput,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api_error::ApiError, catalogue::edit, core::Core, devops::environments, fulfillment::set, role::Role,
    store::ASSETS, who::wrong, world::World,
};
pub(crate) use call::HttpCall;
pub(crate) use token::sign;

/// Where links of product actions lead, on the sandbox itself.
pub(crate) const PATH: &str = "/product-actions/";
/// For how long a link can be used, in seconds.
const LIFE: i64 = 600;

/// Whose button is pressed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    Asset(&'a str),
    TierConfig(&'a str),
}

impl<'a> Target<'a> {
    /// An asset or a tier configuration, by its id.
    pub(crate) fn of(id: &'a str) -> Self {
        if id.starts_with("TC-") { Self::TierConfig(id) } else { Self::Asset(id) }
    }

    /// What a query of `actionLink` names.
    pub(crate) fn named(asset: Option<&'a str>, config: Option<&'a str>) -> Result<Self, ApiError> {
        match (asset, config) {
            (Some(id), None) => Ok(Self::Asset(id)),
            (None, Some(id)) => Ok(Self::TierConfig(id)),
            _ => Err(ApiError::bad("VAL_001", "One of asset_id and tier_config_id is required.")),
        }
    }
}

fn actions(product: &str) -> String {
    format!("products/{product}/actions")
}

/// The secret by which links of a product's actions are signed.
fn secret(world: &World<'_>, product: &str) -> Result<Option<String>, ApiError> {
    let product = world.get("products", product)?;
    let secret = product["customer_ui_settings"]["action"]["jwt_secret"].as_str();
    Ok(secret.filter(|secret| !secret.is_empty()).map(str::to_owned))
}

/// A token for a product's action: what it says, and how it is signed.
fn issue(
    world: &mut World<'_>,
    product: &str,
    action: &str,
    target: Target<'_>,
    base: &str,
) -> Result<(Value, String), ApiError> {
    let action = world.get(&actions(product), action)?;
    let (member, object, own, scopes) = match target {
        Target::Asset(id) => ("asset_id", world.find(ASSETS, id)?, id, &["asset"][..]),
        Target::TierConfig(id) => {
            ("configuration_id", world.find("tier/configs", id)?, id, &["tier1", "tier2"][..])
        }
    };
    let object = object.filter(|object| object["product"]["id"] == product);
    if object.is_none() {
        return Err(wrong(member, &format!("There is no {own} of {product}.")));
    }
    if let Some(scope) = action["scope"].as_str().filter(|scope| !scopes.contains(scope)) {
        return Err(wrong(member, &format!("The action is one of the scope {scope}.")));
    }
    // The clock of whoever checks it goes as it goes.
    let exp = Timestamp::now().as_second() + LIFE;
    let mut payload =
        json!({"exp": exp, "action_id": action["action"], "api_url": format!("{base}/public/v1")});
    set(&mut payload, member, own);
    let none =
        || wrong("jwt_secret", "The product has none: its vendor makes one by actions/regeneratesecret.");
    if secret(world, product)?.is_none() && world.role().is(Role::Vendor) {
        edit::regenerate_secret(world, product)?;
    }
    let secret = secret(world, product)?.ok_or_else(none)?;
    let token = token::sign(&secret, &payload)?;
    Ok((payload, token))
}

/// The link behind a button: whoever has it presses it, for a while.
pub(crate) fn link(
    world: &mut World<'_>,
    product: &str,
    action: &str,
    target: Target<'_>,
    base: &str,
) -> Result<String, ApiError> {
    let (_, token) = issue(world, product, action, target, base)?;
    let mut url = url::Url::parse(base)
        .map_err(|_| ApiError::bad("VAL_001", format!("Host: \"{base}\" is no address.")))?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().extend([PATH.trim_matches('/'), product, action]);
    }
    url.query_pairs_mut().append_pair("jwt", &token);
    Ok(url.into())
}

/// Whoever has the link of an action calls it: its token says for what.
pub(crate) async fn press(
    core: &Arc<Core>,
    product: &str,
    action: &str,
    call: &HttpCall<'_>,
) -> Result<Response, ApiError> {
    let token = call.token().ok_or_else(ApiError::unauthorized)?;
    let payload = core.read(|world| {
        let known = world.get(&actions(product), action)?;
        let secret = secret(world, product)?.ok_or_else(ApiError::unauthorized)?;
        let payload = token::verify(&secret, &token)?;
        // One of another action of the product.
        if payload["action_id"] == known["action"] { Ok(payload) } else { Err(ApiError::unauthorized()) }
    })?;
    answer::response(
        &ask(core, PRODUCT_ACTION_EXECUTION.name(), action, call.product_action(&payload)).await?,
    )
}

/// Presses a button without a browser.
pub(crate) async fn press_for(
    core: &Arc<Core>,
    product: &str,
    action: &str,
    target: Target<'_>,
) -> Result<TaskOutput, ApiError> {
    let (payload, token) =
        core.change(Role::Platform, |world| issue(world, product, action, target, &core.setup.url))?;
    let data =
        json!({"method": "GET", "querystring": {"jwt": [token]}, "headers": {}, "jwt_payload": payload});
    ask(core, PRODUCT_ACTION_EXECUTION.name(), action, data).await
}

async fn ask(core: &Arc<Core>, event: &str, object: &str, data: Value) -> Result<TaskOutput, ApiError> {
    core.ask(event, object, data).await.map_err(|_| answer::nobody())
}

/// Whether a path below `/public/v1` is that of custom events.
pub(crate) fn is_custom_event(core: &Core, path: &str) -> bool {
    let (service, environment) = (core.setup.service_id(), &core.setup.environment_id);
    path.trim_end_matches('/')
        == format!("devops/services/{service}/environments/{environment}/custom-events")
}

/// Whether somebody without a key may send custom events: who has a token that is signed by the secret of the environment,
/// and everybody where it has none.
pub(crate) fn may_send(core: &Core, call: &HttpCall<'_>) -> Result<(), ApiError> {
    let Some(secret) = event_secret(core)? else { return Ok(()) };
    let token = call.authorization("Bearer").ok_or_else(ApiError::unauthorized)?;
    token::verify(&secret, token).map(drop)
}

/// The secret by which the tokens of custom events are signed.
fn event_secret(core: &Core) -> Result<Option<String>, ApiError> {
    let environment = core.read(environments::own)?;
    Ok(environment["jwt_secret"].as_str().filter(|secret| !secret.is_empty()).map(str::to_owned))
}

/// Passes the call of a third party on.
pub(crate) async fn custom_event(core: &Arc<Core>, call: &HttpCall<'_>) -> Result<Response, ApiError> {
    answer::response(&send(core, call.custom_event()?).await?)
}

/// A token by which custom events may be sent; none where the environment has no secret.
pub(crate) fn custom_event_token(core: &Core) -> Result<Option<String>, ApiError> {
    let secret = event_secret(core)?;
    let claims = json!({"exp": Timestamp::now().as_second() + LIFE});
    secret.map(|secret| token::sign(&secret, &claims)).transpose()
}

/// Sends a custom event without HTTP, signed by the secret of the environment.
pub(crate) async fn custom_event_of(core: &Arc<Core>, body: Value) -> Result<TaskOutput, ApiError> {
    let mut headers = json!({"Content-Type": "application/json"});
    if let Some(token) = custom_event_token(core)? {
        set(&mut headers, "Authorization", format!("Bearer {token}"));
    }
    let data = json!({"method": Method::POST.as_str(), "headers": headers, "querystring": {}, "body": body});
    send(core, data).await
}

async fn send(core: &Arc<Core>, data: Value) -> Result<TaskOutput, ApiError> {
    ask(core, PRODUCT_CUSTOM_EVENT_PROCESSING.name(), &core.setup.environment_id, data).await
}
