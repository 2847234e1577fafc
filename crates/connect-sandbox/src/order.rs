use connect_model::build::Generator;
use serde_json::{Map, Value, json};

use crate::{Sandbox, SandboxError, api_error::ApiError, fulfillment, role::Role, tiers, world::World};

/// What a customer orders, as a distributor's system would send it: made by [`Sandbox::purchase`] and
/// [`Sandbox::order`], and sent by [`send`](Self::send).
///
/// ```
/// use connect_sandbox::Sandbox;
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), connect_sandbox::SandboxError> {
/// let sandbox = Sandbox::start().await?;
/// let id = sandbox.purchase("PRD-100-200-300").param("domain", "example.com").item("MPN-A", 10).send()?;
/// sandbox.assert_request(&id, json!({
///     "status": "pending",
///     "asset": {"params": [{"id": "domain", "value": "example.com"}], "items": [{"mpn": "MPN-A", "quantity": "10"}]},
/// }));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is ordered until it is sent"]
pub struct Order<'a> {
    sandbox: &'a Sandbox,
    body: Value,
    params: Vec<Value>,
    items: Vec<Value>,
    /// What is ordered where nothing is named.
    usual: Vec<Value>,
}

impl<'a> Order<'a> {
    /// A purchase with a customer, a reseller, a connection and a marketplace that look real; of a product that the
    /// catalogue has, by one of its listings, and if no item is named, of its first one.
    pub(crate) fn purchase(sandbox: &'a Sandbox, product: &str) -> Self {
        // What a customer is called is of no matter where numbers can't be had; the order itself then fails.
        let seed = sandbox.core.change(Role::Platform, number).unwrap_or_default();
        let mut made = Value::from(&Generator::seeded(seed).purchase());
        let known = sandbox.core.read(|world| of_catalogue(world, product, &made)).unwrap_or_default();
        if let Some((body, usual)) = known {
            return Self { sandbox, body, params: Vec::new(), items: Vec::new(), usual };
        }
        if let Some(asset) = made["asset"].as_object_mut() {
            asset.insert("product".to_owned(), json!({"id": product, "name": product}));
            asset.remove("id");
            asset.insert("items".to_owned(), json!([]));
            asset.insert("params".to_owned(), json!([]));
        }
        let body = json!({"type": "purchase", "asset": made["asset"], "marketplace": made["marketplace"],
            "contract": made["contract"], "note": ""});
        Self { sandbox, body, params: Vec::new(), items: Vec::new(), usual: Vec::new() }
    }

    pub(crate) fn follow_up(sandbox: &'a Sandbox, kind: &str, id: &str) -> Self {
        let of = if id.starts_with("TC-") { "configuration" } else { "asset" };
        let body = json!({"type": kind, of: {"id": id}});
        Self { sandbox, body, params: Vec::new(), items: Vec::new(), usual: Vec::new() }
    }

    /// The value of a parameter: a text, or an object or list for one that is structured. A purchase of a product that the
    /// catalogue does not have has the parameters that are named here; those that the vendor fills in are named with an
    /// empty text.
    pub fn param(self, id: impl Into<String>, value: impl Into<Value>) -> Self {
        let (id, value) = (id.into(), value.into());
        let key = if value.is_object() || value.is_array() { "structured_value" } else { "value" };
        self.parameter(json!({"id": id, key: value}))
    }

    /// A parameter with more than a value, as Connect's API gives it: its type, say, or constraints.
    pub fn parameter(mut self, parameter: Value) -> Self {
        self.params.push(parameter);
        self
    }

    /// So much of an item, by its id or its part number (MPN).
    pub fn item(mut self, item: impl Into<String>, quantity: impl Into<Value>) -> Self {
        let quantity = match quantity.into() {
            Value::String(text) => text,
            other => other.to_string(),
        };
        self.items.push(json!({"id": item.into(), "quantity": quantity}));
        self
    }

    /// A tier account as Connect's API gives it, as `customer`, `tier1` or `tier2`.
    pub fn tier(self, tier: &str, account: impl Into<Value>) -> Self {
        self.with(json!({"asset": {"tiers": {tier: account.into()}}}))
    }

    /// Any other members of the request; what is there already stays where it is not named.
    pub fn with(mut self, members: Value) -> Self {
        merge(&mut self.body, members);
        self
    }

    /// Leaves it a draft: no task yet, until it is ordered by [`Sandbox::act`] with `purchase`.
    pub fn draft(self) -> Self {
        self.with(json!({"status": "draft"}))
    }

    /// Orders it. The id of the request is the answer.
    ///
    /// Fails as Connect would: where the asset does not exist, is in a state that does not allow it, or has another open
    /// request; where an item or a parameter does not exist.
    pub fn send(mut self) -> Result<String, SandboxError> {
        if self.body["configuration"].is_object() {
            merge(&mut self.body, json!({"params": self.params}));
            return created(self.sandbox, &self.body, tiers::create);
        }
        let is_purchase = self.body["type"] == "purchase";
        let asset = self.body["asset"]["id"].as_str().and_then(|id| self.sandbox.asset(id));
        let mut items = Vec::new();
        for mut item in self.items {
            let known = asset.iter().filter_map(|asset| asset["items"].as_array()).flatten();
            let same = |key: &str, known: &Value| known[key] == item["id"];
            let id = known
                .clone()
                .find(|known| ["id", "mpn", "global_id"].into_iter().any(|key| same(key, known)));
            match id {
                Some(known) => item["id"] = known["id"].clone(),
                None if is_purchase => {
                    item["mpn"] = item["id"].clone();
                    item["old_quantity"] = "0".into();
                }
                None => {}
            }
            items.push(item);
        }
        if items.is_empty() {
            items = self.usual;
        }
        let mut given = Map::new();
        for (name, values) in [("items", items), ("params", self.params)] {
            if !values.is_empty() {
                given.insert(name.to_owned(), values.into());
            }
        }
        merge(&mut self.body, json!({"asset": given}));
        created(self.sandbox, &self.body, fulfillment::create)
    }
}

/// The id of what was made of a body.
fn created(
    sandbox: &Sandbox,
    body: &Value,
    create: impl FnOnce(&mut World<'_>, &Value) -> Result<Value, ApiError>,
) -> Result<String, SandboxError> {
    let created = sandbox.core.change(Role::Platform, |world| create(world, body));
    let created = created.map_err(|error| SandboxError::refused(&error))?;
    Ok(created["id"].as_str().unwrap_or_default().to_owned())
}

fn number(world: &mut World<'_>) -> Result<u64, ApiError> {
    world.number()
}

/// An order for a product of the catalogue, and the items that are ordered where none is named.
fn of_catalogue(
    world: &World<'_>,
    product: &str,
    made: &Value,
) -> Result<Option<(Value, Vec<Value>)>, ApiError> {
    if world.find("products", product)?.is_none() {
        return Ok(None);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_its = |listing: &&Value| listing["product"]["id"] == product && listing["status"] == "listed";
    let listings = world.list("listings")?;
    let marketplace = listings.iter().find(is_its).map(|listing| &listing["contract"]["marketplace"]["id"]);
    let items = world.list(&format!("products/{product}/items"))?;
    let on_sale = |item: &&Value| item["status"].as_str().is_none_or(|status| status == "published");
    let is_counted = |item: &&Value| on_sale(item) && !text(&item["type"]).eq_ignore_ascii_case("ppu");
    let usual = items.iter().find(is_counted).or(items.iter().find(on_sale));
    let usual = usual.map(|item| json!({"global_id": item["id"], "quantity": "1"}));
    let resellers: Vec<Value> =
        world.list("tier/accounts")?.into_iter().filter(|account| account["type"] == "reseller").collect();
    let above = |account: &Value| resellers.iter().find(|own| own["id"] == account["parent"]["id"]);
    let tier1 = resellers.iter().find(|account| above(account).is_some()).or(resellers.first());
    let reference =
        |account: Option<&Value>| account.map_or(json!({}), |account| json!({"id": account["id"]}));
    let asset = &made["asset"];
    let tier1_or_new =
        tier1.map_or_else(|| newcomer(&asset["tiers"]["tier1"]), |tier1| reference(Some(tier1)));
    let body = json!({"type": "purchase", "note": "", "marketplace": {"id": marketplace},
        "asset": {"product": {"id": product}, "external_id": asset["external_id"], "external_uid": asset["external_uid"],
            "items": [], "params": [], "tiers": {"customer": newcomer(&asset["tiers"]["customer"]), "tier1": tier1_or_new,
                "tier2": reference(tier1.and_then(above))}}});
    Ok(Some((body, usual.into_iter().collect())))
}

/// An account as one gives it who is not known yet.
fn newcomer(account: &Value) -> Value {
    let members = ["name", "external_id", "external_uid", "contact_info"];
    Value::Object(
        members.into_iter().filter_map(|name| Some((name.to_owned(), account.get(name)?.clone()))).collect(),
    )
}

/// Objects are merged, all else is put in place.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
