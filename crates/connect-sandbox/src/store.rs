//! What the sandbox knows: in memory. The only place that does, so that a database can take over.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use crate::fulfillment;

/// A request, and how often it has entered a status.
#[derive(Clone, Debug)]
pub(crate) struct StoredRequest {
    pub(crate) value: Arc<Value>,
    pub(crate) entered: u64,
}

#[derive(Debug)]
struct StoredAsset {
    value: Arc<Value>,
    /// Whether its values came from a request that is in force, and from which.
    from: (bool, String),
    /// All its requests.
    requests: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    requests: BTreeMap<String, StoredRequest>,
    assets: BTreeMap<String, StoredAsset>,
    /// Collections without a life of their own: schedules, installations, templates.
    others: BTreeMap<String, BTreeMap<String, Arc<Value>>>,
    /// For the ids of what is created here.
    created: u64,
}

fn id_of(object: &Value) -> Option<String> {
    object["id"].as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

impl Store {
    /// Adds a request, or puts another in its place. `None` where it has no id.
    pub(crate) fn put_request(&mut self, request: Value) -> Option<String> {
        let id = id_of(&request)?;
        let before = self.requests.get(&id);
        let entered = before.map_or(0, |stored| stored.entered) + 1;
        if let Some(before) = before.and_then(|stored| id_of(&stored.value["asset"]))
            && let Some(asset) = self.assets.get_mut(&before)
        {
            asset.requests.remove(&id);
            if asset.requests.is_empty() {
                self.assets.remove(&before);
            }
        }
        self.requests.insert(id.clone(), StoredRequest { value: Arc::new(request), entered });
        self.follow(&id);
        Some(id)
    }

    pub(crate) fn request(&self, id: &str) -> Option<&StoredRequest> {
        self.requests.get(id)
    }

    pub(crate) fn requests(&self) -> impl Iterator<Item = (&String, &StoredRequest)> {
        self.requests.iter()
    }

    /// Changes a request, all or nothing; says whether its status changed.
    pub(crate) fn change<E>(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Value) -> Result<(), E>,
    ) -> Option<Result<bool, E>> {
        let stored = self.requests.get_mut(id)?;
        let mut value = (*stored.value).clone();
        if let Err(error) = change(&mut value) {
            return Some(Err(error));
        }
        let changed = value["status"] != stored.value["status"];
        stored.entered += u64::from(changed);
        stored.value = Arc::new(value);
        self.follow(id);
        Some(Ok(changed))
    }

    /// Brings the asset of a request to where the request has brought it.
    fn follow(&mut self, id: &str) {
        let Some(stored) = self.requests.get(id) else { return };
        let Some(asset) = fulfillment::asset_of(&stored.value) else { return };
        let Some(asset_id) = id_of(&asset) else { return };
        let from = (fulfillment::is_in_force(&stored.value), id.to_owned());
        let ended = fulfillment::status(&stored.value) == "failed";
        let Some(known) = self.assets.get_mut(&asset_id) else {
            let requests = BTreeSet::from([id.to_owned()]);
            self.assets.insert(asset_id, StoredAsset { value: Arc::new(asset), from, requests });
            return;
        };
        let newest = known.requests.last().is_none_or(|newest| newest.as_str() <= id);
        known.requests.insert(id.to_owned());
        if from >= known.from || from.1 == known.from.1 {
            known.value = Arc::new(asset);
            known.from = from;
        } else if ended
            && newest
            && let Some(members) = Arc::make_mut(&mut known.value).as_object_mut()
        {
            // Its values never came into force, yet the asset is what it was before.
            members.insert("status".to_owned(), asset["status"].clone());
        }
    }

    /// An asset with the values that are in force.
    pub(crate) fn asset(&self, id: &str) -> Option<Arc<Value>> {
        self.assets.get(id).map(|asset| Arc::clone(&asset.value))
    }

    pub(crate) fn assets(&self) -> Vec<Arc<Value>> {
        self.assets.values().map(|asset| Arc::clone(&asset.value)).collect()
    }

    /// The requests of an asset; `None` where there is no such asset.
    pub(crate) fn requests_of(&self, asset: &str) -> Option<Vec<Arc<Value>>> {
        let ids = &self.assets.get(asset)?.requests;
        Some(
            ids.iter()
                .filter_map(|id| self.requests.get(id))
                .map(|stored| Arc::clone(&stored.value))
                .collect(),
        )
    }

    /// A number that no other object created here has.
    pub(crate) fn number(&mut self) -> u64 {
        self.created += 1;
        self.created
    }

    pub(crate) fn put(&mut self, collection: &str, object: Value) -> Option<String> {
        let id = id_of(&object)?;
        self.others.entry(collection.to_owned()).or_default().insert(id.clone(), Arc::new(object));
        Some(id)
    }

    pub(crate) fn remove(&mut self, collection: &str, id: &str) -> bool {
        self.others.get_mut(collection).is_some_and(|objects| objects.remove(id).is_some())
    }

    pub(crate) fn get(&self, collection: &str, id: &str) -> Option<Arc<Value>> {
        self.others.get(collection)?.get(id).cloned()
    }

    /// The objects of a collection; `None` where it never had one.
    pub(crate) fn list(&self, collection: &str) -> Option<Vec<Arc<Value>>> {
        self.others.get(collection).map(|objects| objects.values().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(id: &str, kind: &str, status: &str, quantity: u32, asset_status: &str) -> Value {
        json!({"id": id, "type": kind, "status": status, "marketplace": {"id": "MP-1"},
            "asset": {"id": "AS-1", "status": asset_status, "items": [{"id": "a", "quantity": quantity}]}})
    }

    fn asset(store: &Store) -> (Value, Value) {
        let asset = store.asset("AS-1").unwrap();
        (asset["status"].clone(), asset["items"][0]["quantity"].clone())
    }

    fn set(store: &mut Store, id: &str, status: &str, asset_status: &str) {
        let change = |value: &mut Value| {
            value["status"] = status.into();
            value["asset"]["status"] = asset_status.into();
            Ok::<(), ()>(())
        };
        assert_eq!(store.change(id, change), Some(Ok(true)));
    }

    #[test]
    fn a_change_is_in_force_once_it_is_approved() {
        let mut store = Store::default();
        // The order of loading is that of file names, so it says nothing.
        store.put_request(request("PR-2", "change", "pending", 5, "active")).unwrap();
        store.put_request(request("PR-1", "purchase", "approved", 1, "active")).unwrap();
        assert_eq!(asset(&store), (json!("active"), json!(1)));
        assert_eq!(store.asset("AS-1").unwrap()["marketplace"]["id"], "MP-1");
        set(&mut store, "PR-2", "approved", "active");
        assert_eq!(asset(&store), (json!("active"), json!(5)));
        let ids: Vec<Value> =
            store.requests_of("AS-1").unwrap().iter().map(|request| request["id"].clone()).collect();
        assert_eq!(ids, ["PR-1", "PR-2"]);
        assert_eq!(store.requests_of("AS-2"), None);
    }

    #[test]
    fn a_change_that_failed_changed_nothing() {
        let mut store = Store::default();
        store.put_request(request("PR-1", "purchase", "approved", 1, "terminating")).unwrap();
        store.put_request(request("PR-2", "cancel", "pending", 9, "terminating")).unwrap();
        set(&mut store, "PR-2", "failed", "active");
        assert_eq!(asset(&store), (json!("active"), json!(1)));
    }

    #[test]
    fn a_request_in_place_of_another_takes_its_asset_along() {
        let mut store = Store::default();
        store.put_request(request("PR-1", "purchase", "pending", 1, "processing")).unwrap();
        let mut other = request("PR-1", "purchase", "pending", 1, "processing");
        other["asset"]["id"] = "AS-2".into();
        store.put_request(other).unwrap();
        assert!(store.asset("AS-1").is_none() && store.asset("AS-2").is_some());
        assert_eq!(store.request("PR-1").unwrap().entered, 2);
        assert_eq!(store.put_request(json!({"id": ""})), None);
    }
}
