//! The templates that requests say of: what is shown to the customer.

use serde_json::{Value, json};

use super::set;
use crate::{api_error::ApiError, rendering::render, world::World};

/// What a request says of a template that somebody names. Of a product in the catalogue it has to be one of its own.
pub(crate) fn named(world: &World<'_>, request: &Value, id: &str) -> Result<Value, ApiError> {
    let product = request["asset"]["product"]["id"].as_str().unwrap_or_default();
    match world.find(&format!("products/{product}/templates"), id)? {
        Some(template) => Ok(shown(&template, request)),
        None if world.find("products", product)?.is_none() => Ok(json!({"id": id})),
        None => Err(ApiError::bad(
            "VAL_001",
            format!("template_id: \"{id}\" is no template of product {product}."),
        )),
    }
}

/// The first template of a product that is of a type and for a scope; what tiers have lacks a type.
pub(crate) fn first(
    world: &World<'_>,
    product: &str,
    kind: &str,
    scope: &str,
) -> Result<Option<Value>, ApiError> {
    let mut templates = world.list(&format!("products/{product}/templates"))?;
    templates.retain(|own| {
        own["scope"] == scope && (own["type"] == kind || own["type"].is_null() && kind == "fulfillment")
    });
    templates.sort_by_key(|own| own["position"].as_u64());
    Ok(templates.into_iter().next())
}

/// A template as requests hold it, rendered where it has a text.
pub(crate) fn shown(template: &Value, request: &Value) -> Value {
    let mut shown = json!({"id": template["id"]});
    let name = template.get("name").or(template.get("title"));
    if let Some(name) = name.filter(|name| !name.is_null()) {
        set(&mut shown, "name", name.clone());
    }
    if let Some(body) = template["body"].as_str() {
        set(&mut shown, "message", render(body, request));
    }
    shown
}

/// The text of a product's template for a request, an asset or a tier config.
pub(crate) fn rendered(
    world: &World<'_>,
    product: &str,
    template: &str,
    object: &Value,
) -> Result<String, ApiError> {
    let template = world.get(&format!("products/{product}/templates"), template)?;
    Ok(render(template["body"].as_str().unwrap_or_default(), object))
}

/// The same as assets hold it.
pub(crate) fn reference(template: &Value) -> Value {
    let mut reference = template.clone();
    if let Some(members) = reference.as_object_mut() {
        members.remove("message");
    }
    reference
}
