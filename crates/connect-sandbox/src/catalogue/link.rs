//! What no purchase can be made without: accounts, a hub, a marketplace, listings and connections, where there is none.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Catalogue, DISTRIBUTOR, VENDOR,
    complete::{distributor, vendor},
    id_of, text,
};

const HUB: &str = "HB-0000-0001";
const MARKETPLACE: &str = "MP-00001";

/// Whether an account is one of those that are always there.
pub(super) fn is_own(account: &str) -> bool {
    account == VENDOR || account == DISTRIBUTOR
}

pub(super) fn link(catalogue: &mut Catalogue) {
    for (id, name, kind, role) in
        [(VENDOR, "Vendor", "vendor", "vendor"), (DISTRIBUTOR, "Distributor", "provider", "distributor")]
    {
        if catalogue.get("accounts", id).is_none() {
            catalogue.put("accounts", id, json!({"id": id, "name": name, "type": kind, "role": role}));
        }
    }
    let products: Vec<String> = catalogue
        .list("products")
        .filter(|product| matches!(text(product, "status"), "" | "published"))
        .filter_map(|product| id_of(product).map(str::to_owned))
        .collect();
    if products.is_empty() {
        return;
    }
    if catalogue.is_empty("hubs") {
        let hub = json!({"id": HUB, "name": "Hub", "description": "", "company": distributor(catalogue),
            "instance": {"id": "1", "type": "API"}});
        catalogue.put("hubs", HUB, hub);
    }
    if catalogue.is_empty("marketplaces") {
        let hubs: Vec<Value> = catalogue
            .list("hubs")
            .zip(1..)
            .map(|(hub, number)| json!({"hub": {"id": hub["id"], "name": hub["name"]}, "external_id": number.to_string()}))
            .collect();
        let marketplace = json!({"id": MARKETPLACE, "name": "Marketplace", "description": "", "owner": distributor(catalogue),
            "hubs": hubs, "countries": [], "currency": "USD", "active_contracts": 1});
        catalogue.put("marketplaces", MARKETPLACE, marketplace);
    }
    let listed: BTreeSet<String> =
        catalogue.list("listings").map(|listing| text(&listing["product"], "id").to_owned()).collect();
    for product in products {
        if !listed.contains(&product) {
            list(catalogue, &product);
        }
        connect(catalogue, &product);
    }
}

/// The first id of that form that is free.
fn free(catalogue: &Catalogue, collection: &str, form: impl Fn(usize) -> String) -> String {
    // One more than there are, so one of them is free.
    let most = catalogue.list(collection).count() + 1;
    (1..=most).map(form).find(|id| catalogue.get(collection, id).is_none()).unwrap_or_default()
}

/// Nine digits as Connect's ids have them.
fn digits(number: usize) -> String {
    let digits = format!("{number:09}");
    format!("{}-{}-{}", &digits[..3], &digits[3..6], &digits[6..9])
}

/// Lists a product on each marketplace.
fn list(catalogue: &mut Catalogue, product: &str) {
    let marketplaces: Vec<String> =
        catalogue.list("marketplaces").filter_map(|own| id_of(own).map(str::to_owned)).collect();
    for marketplace in marketplaces {
        let contract = contract(catalogue, &marketplace);
        let mut contract = catalogue.reference("contracts", &contract, &["name", "type"]);
        if let Some(members) = contract.as_object_mut() {
            let marketplace = catalogue.reference("marketplaces", &marketplace, &["name", "icon"]);
            members.insert("marketplace".to_owned(), marketplace);
        }
        let id = free(catalogue, "listings", |number| format!("LST-{}", digits(number)));
        let listing = json!({"id": id, "status": "listed", "contract": contract, "vendor": vendor(catalogue),
            "provider": distributor(catalogue),
            "product": catalogue.reference("products", product, &["name", "icon", "status"])});
        catalogue.put("listings", &id, listing);
    }
}

/// The contract of a marketplace; one is made where there is none.
fn contract(catalogue: &mut Catalogue, marketplace: &str) -> String {
    let known = catalogue.list("contracts").find(|own| text(&own["marketplace"], "id") == marketplace);
    if let Some(id) = known.and_then(id_of) {
        return id.to_owned();
    }
    let id = free(catalogue, "contracts", |number| format!("CRD-00000-00000-{number:05}"));
    let whole = catalogue.reference("marketplaces", marketplace, &["name", "icon"]);
    let contract = json!({"id": id, "name": format!("Contract of {}", text(&whole, "name")), "type": "distribution",
        "version": 1, "status": "active", "owner": vendor(catalogue), "issuer": distributor(catalogue), "latest": true,
        "marketplace": whole});
    catalogue.put("contracts", &id, contract);
    id
}

/// Connects a product that has no connection yet to each hub.
fn connect(catalogue: &mut Catalogue, product: &str) {
    let collection = format!("products/{product}/connections");
    if !catalogue.is_empty(&collection) {
        return;
    }
    let taken: BTreeSet<String> = catalogue
        .0
        .iter()
        .filter(|(name, _)| name.ends_with("/connections"))
        .flat_map(|(_, connections)| connections.keys().cloned())
        .collect();
    let hubs: Vec<Value> = catalogue.list("hubs").cloned().collect();
    let numbers = 1..=taken.len() + hubs.len();
    let all = numbers.map(|number| format!("CT-{:04}-{:04}", number / 10_000, number % 10_000));
    for (hub, id) in hubs.into_iter().zip(all.filter(|id| !taken.contains(id))) {
        let connection = json!({"id": id, "type": "production", "status": "approved", "provider": distributor(catalogue),
            "vendor": vendor(catalogue), "product_version_type": "public",
            "hub": {"id": hub["id"], "name": hub["name"], "instance": hub["instance"]}});
        catalogue.put(&collection, &id, connection);
    }
}
