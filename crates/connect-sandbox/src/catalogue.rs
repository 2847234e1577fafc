//! The catalogue: what a sandbox starts with, of which purchases are made.
//!
//! # The file
//!
//! One JSON object. Its members are lists, each of which may be left out:
//!
//! | member | holds |
//! | --- | --- |
//! | `accounts` | vendors (`VA-…`) and distributors (`PA-…`) |
//! | `hubs`, `marketplaces`, `contracts`, `listings`, `listing_requests` | what a product is sold by |
//! | `categories`, `units` | of products, and of items |
//! | `tier_accounts` | customers and resellers |
//! | `products` | each with lists of its own: `parameters`, `items`, `templates`, `actions`, `configurations`, `connections` |
//! | `requests`, `assets`, `tier_configs`, `tier_config_requests`, `tier_account_requests` | what was ordered already |
//!
//! The objects have the members that Connect's API gives them. What can be told from the rest may be left out: below a
//! product even the ids, which follow from the product's and the place in the list. So this is a whole catalogue:
//!
//! ```json
//! {"products": [{"id": "PRD-100-200-300", "name": "Mail",
//!     "parameters": [{"name": "domain", "type": "domain", "constraints": {"required": true}},
//!         {"name": "tenant", "phase": "fulfillment"}],
//!     "items": [{"mpn": "SEAT", "name": "Seat"}]}]}
//! ```
//!
//! A published product that no listing names is listed on each marketplace, and has a connection to each hub. Where there
//! is no vendor, distributor, hub or marketplace, there is one all the same.

mod complete;
pub(crate) mod edit;
mod file;
mod import;
mod link;
mod seed;

use std::{collections::BTreeMap, fmt, fs, path::Path};

use serde_json::Value;

use crate::SandboxError;
pub(crate) use complete::configuration_id;
use complete::{capabilities_of_none, configured};
pub(crate) use seed::Seed;

/// The vendor and the distributor whom the sandbox's keys are of.
pub(crate) const VENDOR: &str = "VA-000-000";
pub(crate) const DISTRIBUTOR: &str = "PA-000-000";

/// The lists of a catalogue's file, and the collections that their objects belong to.
const LISTS: [(&str, &str); 14] = [
    ("accounts", "accounts"),
    ("hubs", "hubs"),
    ("marketplaces", "marketplaces"),
    ("contracts", "contracts"),
    ("categories", "categories"),
    ("units", "settings/units"),
    ("tier_accounts", "tier/accounts"),
    ("listings", "listings"),
    ("listing_requests", "listing-requests"),
    ("requests", "requests"),
    ("assets", "assets"),
    ("tier_configs", "tier/configs"),
    ("tier_config_requests", "tier/config-requests"),
    ("tier_account_requests", "tier/account-requests"),
];

/// The lists that a product has.
const BELOW: [&str; 6] = ["parameters", "items", "templates", "actions", "configurations", "connections"];

/// Objects by their collections and ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Catalogue(BTreeMap<String, BTreeMap<String, Value>>);

/// What is wrong in a file, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    place: String,
    reason: String,
}

impl Wrong {
    fn at(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            return formatter.write_str(&self.reason);
        }
        write!(formatter, "{}: {}", self.place, self.reason)
    }
}

impl Catalogue {
    /// The default one.
    pub(crate) fn ready() -> Result<Self, SandboxError> {
        file::parse(include_str!("catalogue/default.json"))
            .map_err(|wrong| failed(Path::new("the default catalogue"), wrong.to_string()))
    }

    /// That of a file.
    pub(crate) fn load(path: &Path) -> Result<Self, SandboxError> {
        let text = fs::read_to_string(path).map_err(|error| failed(path, error.to_string()))?;
        file::parse(&text).map_err(|wrong| failed(path, wrong.to_string()))
    }

    /// Adds the objects that Connect's API gave, of a file or of the `.json` files of a folder and those below it.
    pub(crate) fn import(&mut self, path: &Path) -> Result<(), SandboxError> {
        import::import(self, path)
    }

    /// Adds what no purchase can be made without.
    pub(crate) fn link(&mut self) {
        link::link(self);
    }

    pub(crate) fn collections(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Value>)> {
        self.0.iter().map(|(collection, objects)| (collection.as_str(), objects))
    }

    /// Adds an object or puts it in another's place, which is the answer.
    fn put(&mut self, collection: &str, id: &str, object: Value) -> Option<Value> {
        self.0.entry(collection.to_owned()).or_default().insert(id.to_owned(), object)
    }

    fn get(&self, collection: &str, id: &str) -> Option<&Value> {
        self.0.get(collection)?.get(id)
    }

    fn list(&self, collection: &str) -> impl Iterator<Item = &Value> {
        self.0.get(collection).into_iter().flat_map(BTreeMap::values)
    }

    fn is_empty(&self, collection: &str) -> bool {
        self.0.get(collection).is_none_or(BTreeMap::is_empty)
    }

    /// What other objects say of one: those of its members that are named, and its id.
    fn reference(&self, collection: &str, id: &str, members: &[&str]) -> Value {
        let known = self.get(collection, id);
        let member =
            |name: &str| Some((name.to_owned(), known?.get(name).filter(|own| !own.is_null())?.clone()));
        let id = ("id".to_owned(), Value::from(id));
        Value::Object(std::iter::once(id).chain(members.iter().filter_map(|name| member(name))).collect())
    }
}

fn failed(path: &Path, reason: String) -> SandboxError {
    SandboxError::Catalogue { path: path.to_owned(), reason }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The id of an object, where it has one.
fn id_of(object: &Value) -> Option<&str> {
    object["id"].as_str().filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests;
