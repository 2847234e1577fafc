//! What the catalogue says of a product that is ordered.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{items, set};
use crate::{
    api_error::ApiError,
    parameters::{Errors, Parameters},
    world::World,
};

/// The connection of what is only looked at, which no hub has.
const PREVIEW: &str = "CT-0000-0000-0000";

/// A product of the catalogue, with what is below it.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) product: Value,
    definitions: Vec<Value>,
    items: Vec<Value>,
    configurations: Vec<Value>,
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// An answer to a body with wrong fields.
pub(crate) fn wrong(errors: Errors) -> ApiError {
    let mut error = ApiError::bad("VAL_001", "");
    error.errors = errors;
    error
}

impl Offer {
    /// What the catalogue has of a product; a product that it does not have can be ordered all the same.
    pub(crate) fn find(world: &World<'_>, product: &str) -> Result<Option<Self>, ApiError> {
        let Some(found) = world.find("products", product)? else { return Ok(None) };
        let below = |list: &str| world.list(&format!("products/{product}/{list}"));
        Ok(Some(Self {
            product: found,
            definitions: below("parameters")?,
            items: below("items")?,
            configurations: below("configurations")?,
        }))
    }

    /// What the catalogue has of the product that a request or an asset is of.
    pub(super) fn of(world: &World<'_>, request: &Value) -> Result<Option<Self>, ApiError> {
        Self::find(world, request["asset"]["product"]["id"].as_str().unwrap_or_default())
    }

    pub(crate) fn id(&self) -> &str {
        text(&self.product, "id")
    }

    /// Whether the product can do something, by the path of its capability.
    pub(super) fn can(&self, capability: &str) -> bool {
        self.product.pointer(&format!("/capabilities/{capability}")) == Some(&Value::Bool(true))
    }

    /// Whether suspending and resuming are known to it; old payloads have the capability elsewhere.
    pub(super) fn can_hold(&self) -> bool {
        self.can("subscription/hold") || self.can("hold")
    }

    /// The parameters of its assets.
    pub(crate) fn parameters(&self) -> Parameters<'_> {
        Parameters::new(&self.definitions, "asset", "asset.params")
    }

    /// Whether a name is that of a parameter of its assets.
    pub(super) fn has(&self, name: &Value) -> bool {
        name.as_str().is_some_and(|name| self.parameters().has(name))
    }

    /// Whether a name is that of a parameter of a reseller, whom the product wants to know.
    pub(super) fn is_of_a_tier(&self, name: &Value) -> bool {
        let named = |own: &&Value| own["name"] == *name && text(own, "phase") != "configuration";
        let scope = self.definitions.iter().find(named).map_or("", |own| text(own, "scope"));
        let level = &self.product["capabilities"]["tiers"]["configs"]["level"];
        let level = level.as_u64().or_else(|| level.as_str()?.parse().ok()).unwrap_or_default();
        let is_known = self.product["capabilities"]["tiers"].is_object();
        matches!((scope, level), ("tier1", 1..) | ("tier2", 2..))
            || !is_known && matches!(scope, "tier1" | "tier2")
    }

    pub(super) fn phase_of(&self, name: &str) -> &str {
        self.definitions.iter().find(|own| text(own, "name") == name).map_or("", |own| text(own, "phase"))
    }

    /// An item by what orders name it by: its local id, its own, or the vendor's number.
    pub(super) fn item(&self, order: &Value) -> Option<&Value> {
        let given: Vec<&str> = ["id", "global_id", "mpn"]
            .into_iter()
            .map(|name| text(order, name))
            .filter(|given| !given.is_empty())
            .collect();
        ["local_id", "id", "mpn"].into_iter().find_map(|name| {
            self.items.iter().find(|item| item[name].as_str().is_some_and(|own| given.contains(&own)))
        })
    }

    /// An item as an asset has it, with what is configured for it.
    pub(super) fn ordered(&self, item: &Value, quantity: &str, marketplace: &str) -> Value {
        let mut ordered = items::ordered(item, quantity);
        let params = self.configured(marketplace, |scope, configuration| {
            matches!(scope, "item" | "item_marketplace") && configuration["item"]["id"] == item["id"]
        });
        set(&mut ordered, "params", params);
        ordered
    }

    /// What is configured for a product's assets in a marketplace.
    pub(super) fn configuration(&self, marketplace: &str) -> Value {
        let params = self.configured(marketplace, |scope, configuration| {
            matches!(scope, "product" | "marketplace") && configuration["item"]["id"].is_null()
        });
        json!({"params": params})
    }

    fn configured(&self, marketplace: &str, is_wanted: impl Fn(&str, &Value) -> bool) -> Vec<Value> {
        let is_there = |configuration: &&Value| match configuration["marketplace"]["id"].as_str() {
            Some(own) => own == marketplace,
            None => true,
        };
        self.configurations
            .iter()
            .filter(is_there)
            .filter(|configuration| is_wanted(text(&configuration["parameter"], "scope"), configuration))
            .map(|configuration| {
                let mut param: Map<String, Value> =
                    configuration["parameter"].as_object().cloned().unwrap_or_default();
                for name in ["value", "structured_value", "events"] {
                    if let Some(member) = configuration.get(name).filter(|member| !member.is_null()) {
                        param.insert(name.to_owned(), member.clone());
                    }
                }
                param.entry("value").or_insert_with(|| "".into());
                Value::Object(param)
            })
            .collect()
    }

    /// What requests say of the product.
    pub(super) fn reference(&self) -> Value {
        let members = ["id", "name", "icon", "status"];
        let known =
            members.into_iter().filter_map(|name| Some((name.to_owned(), self.product.get(name)?.clone())));
        Value::Object(known.collect())
    }

    /// The listing by which it is sold in a marketplace.
    pub(super) fn listing(&self, world: &World<'_>, marketplace: &str) -> Result<Value, ApiError> {
        let is_it = |listing: &Value| {
            listing["product"]["id"] == self.product["id"]
                && listing["contract"]["marketplace"]["id"] == marketplace
                && text(listing, "status") == "listed"
        };
        let none = || ApiError::bad("VAL_001", "There is no Listing for specified Product and Marketplace.");
        let listing = world.list("listings")?.into_iter().find(is_it).ok_or_else(none)?;
        let id = listing["contract"]["id"].as_str().unwrap_or_default();
        let status = world.find("contracts", id)?.map(|contract| text(&contract, "status").to_owned());
        match status {
            Some(status) if !matches!(status.as_str(), "" | "active") => Err(ApiError::bad(
                "VAL_001",
                format!("The Contract {id} of the Listing is {status}, not active."),
            )),
            _ => Ok(listing),
        }
    }

    /// The connection that an order names, or else one to a hub of the marketplace.
    pub(super) fn connection(
        &self,
        world: &World<'_>,
        named: &Value,
        marketplace: &Value,
    ) -> Result<Value, ApiError> {
        let connections = world.list(&format!("products/{}/connections", self.id()))?;
        if let Some(id) = named["id"].as_str() {
            let known = connections.into_iter().find(|own| own["id"] == id);
            return match known {
                Some(known) => Ok(shown(&known)),
                None if id == PREVIEW => Ok(preview(&self.product["owner"], &marketplace["owner"])),
                None => Err(ApiError::bad(
                    "VAL_001",
                    format!("asset.connection.id: \"{id}\" is no connection of the product."),
                )),
            };
        }
        let hubs: Vec<&Value> =
            marketplace["hubs"].as_array().into_iter().flatten().map(|own| &own["hub"]["id"]).collect();
        let mut there: Vec<Value> =
            connections.into_iter().filter(|own| hubs.contains(&&own["hub"]["id"])).collect();
        let rank = |connection: &Value| {
            let hub = hubs.iter().position(|hub| **hub == connection["hub"]["id"]);
            (text(connection, "type") != "production", hub)
        };
        there.sort_by_key(rank);
        let none = || {
            let id = text(marketplace, "id");
            let text =
                format!("asset.connection: the product has no connection to a hub of marketplace {id}.");
            ApiError::bad("VAL_001", text)
        };
        there.first().map(shown).ok_or_else(none)
    }
}

/// A connection as assets have it.
fn shown(connection: &Value) -> Value {
    let mut shown = connection.clone();
    if let Some(members) = shown.as_object_mut() {
        members.remove("product_version_type");
        members.remove("events");
        members.remove("note");
    }
    if let Some(hub) = shown.get_mut("hub").and_then(Value::as_object_mut) {
        hub.remove("instance");
    }
    shown
}

fn preview(vendor: &Value, provider: &Value) -> Value {
    json!({"id": PREVIEW, "type": "preview", "provider": provider, "vendor": vendor,
        "hub": {"id": "HB-0000-0000", "name": "None"}})
}

/// A period as assets have it: lists of items write some of them small.
pub(super) fn period(period: &str) -> Cow<'_, str> {
    match period {
        "monthly" => "Monthly".into(),
        "yearly" => "Yearly".into(),
        "onetime" => "OneTime".into(),
        period => period.into(),
    }
}
