//! What can be ordered of a product: from the catalogue, or else from the requests that are here.

use std::{collections::BTreeMap, sync::Arc};

use connect_model::rql::{Operand, R, Rql};
use serde_json::{Value, json};

use super::{
    Problem, api,
    parts::{first, list, text},
};
use crate::core::Core;

/// How many requests are looked through for what the catalogue does not have.
const LOOKED_AT: usize = 2_000;

#[derive(Debug, Default)]
pub(super) struct Offer {
    pub(super) product: Value,
    /// As requests have them: by the id that a value has.
    pub(super) params: Vec<Value>,
    pub(super) items: Vec<Value>,
    pub(super) marketplaces: Vec<Value>,
    pub(super) connections: Vec<Value>,
    /// Accounts that can be customers and tiers.
    pub(super) accounts: Vec<Value>,
    /// Whether the sandbox knows the product, and so fills in what an order leaves out.
    pub(super) is_in_catalogue: bool,
}

type Known = BTreeMap<String, Value>;

fn note(known: &mut Known, object: &Value) {
    let id = text(object, "/id");
    if !id.is_empty() {
        known.entry(id.to_owned()).or_insert_with(|| object.clone());
    }
}

/// The listings of a product.
pub(super) fn listings(core: &Core, product: &str) -> Result<Vec<Value>, Problem> {
    let of_product = R::field("product.id").eq(Operand::text(product));
    Ok(core.read(|world| world.matching("listings", &of_product))?)
}

impl Offer {
    pub(super) async fn of(core: &Arc<Core>, product: &str) -> Result<Self, Problem> {
        let path = format!("products/{}", api::segment(product));
        let all = async |path: &str| api::list(core, path, &Rql::Empty, "limit=1000").await;
        let in_catalogue = api::get(core, &path).await.ok();
        let (mut params, mut items, mut marketplaces, mut connections, mut accounts) =
            (Vec::new(), Vec::new(), Known::new(), Known::new(), Known::new());
        if in_catalogue.is_some() {
            let by_position = "ordering(position)&limit=1000";
            let below =
                async |list: &str| api::list(core, &format!("{path}/{list}"), &Rql::Empty, by_position).await;
            params = below("parameters").await?.items.iter().map(as_value).collect();
            items = below("items").await?.items;
            items.retain(|item| matches!(text(item, "/status"), "" | "published"));
            let listings = listings(core, product)?;
            let is_sold = |marketplace: &&Value| {
                let mut listed = listings.iter().filter(|listing| text(listing, "/status") == "listed");
                listings.is_empty()
                    || listed.any(|listing| listing["contract"]["marketplace"]["id"] == marketplace["id"])
            };
            let known = all("marketplaces").await?.items;
            known.iter().filter(is_sold).for_each(|one| note(&mut marketplaces, one));
            all(&format!("{path}/connections"))
                .await?
                .items
                .iter()
                .for_each(|one| note(&mut connections, one));
            let known = core.read(|world| world.list("tier/accounts"))?;
            for account in &known {
                note(&mut accounts, account);
            }
        }
        let mut seen = Self::default();
        let requests = super::recent(core, LOOKED_AT)?;
        for request in requests.iter().filter(|request| text(request, "/asset/product/id") == product) {
            seen.look_at(request, &mut connections);
            note(&mut marketplaces, &request["marketplace"]);
            for tier in ["customer", "tier1", "tier2"] {
                note(&mut accounts, &request["asset"]["tiers"][tier]);
            }
        }
        let is_in_catalogue = in_catalogue.is_some();
        let product = in_catalogue.unwrap_or(seen.product);
        if product.is_null() {
            return Err(crate::api_error::ApiError::not_found().into());
        }
        Ok(Self {
            product,
            params: if is_in_catalogue { params } else { seen.params },
            items: if is_in_catalogue { items } else { seen.items },
            marketplaces: marketplaces.into_values().collect(),
            connections: connections.into_values().collect(),
            accounts: accounts.into_values().collect(),
            is_in_catalogue,
        })
    }

    /// Takes over what a request says of its product.
    fn look_at(&mut self, request: &Value, connections: &mut Known) {
        let asset = &request["asset"];
        if self.product.is_null() {
            self.product = asset["product"].clone();
        }
        note(connections, &asset["connection"]);
        for param in list(asset, "/params") {
            if !self.params.iter().any(|known| known["id"] == param["id"]) {
                let mut param = param.clone();
                if let Some(members) = param.as_object_mut() {
                    members.insert("value".to_owned(), "".into());
                    members.remove("structured_value");
                    members.insert("value_error".to_owned(), "".into());
                }
                self.params.push(param);
            }
        }
        for item in list(asset, "/items") {
            if !self.items.iter().any(|known| known["id"] == item["id"]) {
                self.items.push(item.clone());
            }
        }
    }

    /// How much of an item a form begins with.
    pub(super) fn usual(item: &Value, index: usize) -> &'static str {
        match text(item, "/type") {
            kind if kind.eq_ignore_ascii_case("ppu") => "unlimited",
            _ if index == 0 => "1",
            _ => "0",
        }
    }

    /// The accounts that can be in a tier.
    pub(super) fn accounts_of<'a>(&'a self, tier: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        let other = if tier == "customer" { "reseller" } else { "customer" };
        self.accounts.iter().filter(move |account| text(account, "/type") != other)
    }

    /// Whether nobody can order it without saying who sells it.
    pub(super) fn needs_reseller(&self) -> bool {
        self.product["configurations"]["requires_reseller_information"] == true
    }

    /// The id by which an order names an item.
    pub(super) fn item_id(item: &Value) -> &str {
        first([text(item, "/local_id"), text(item, "/id")])
    }

    /// An item in an order; where the sandbox does not know the product, with all there is to say of it.
    pub(super) fn item(&self, item: &Value, quantity: &str) -> Value {
        if self.is_in_catalogue {
            return json!({"id": Self::item_id(item), "quantity": quantity});
        }
        let mut ordered = item.clone();
        ordered["quantity"] = quantity.into();
        ordered["old_quantity"] = "0".into();
        ordered
    }
}

/// A definition of a parameter as a request has it: its `name` there is the `id` here.
fn as_value(definition: &Value) -> Value {
    let mut param = definition.clone();
    if let Some(members) = param.as_object_mut() {
        let name =
            members.get("name").filter(|name| name.as_str().is_some_and(|name| !name.is_empty())).cloned();
        if let Some(name) = name {
            members.insert("id".to_owned(), name);
        }
        let choices = list(definition, "/constraints/choices");
        if text(definition, "/type") == "checkbox" {
            let ticked = choices
                .iter()
                .map(|choice| (text(choice, "/value").to_owned(), (choice["default"] == true).into()));
            members.insert("structured_value".to_owned(), Value::Object(ticked.collect()));
        }
        // One of those domains is no value yet.
        let is_value =
            |choice: &&Value| choice["default"] == true && text(definition, "/type") != "subdomain";
        let chosen = choices.iter().find(is_value);
        let default = definition.get("default").or_else(|| chosen.map(|choice| &choice["value"]));
        members.insert(
            "value".to_owned(),
            default.filter(|value| value.is_string()).cloned().unwrap_or("".into()),
        );
    }
    param
}
