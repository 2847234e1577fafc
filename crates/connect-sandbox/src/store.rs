//! What the sandbox knows: in memory.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::fulfillment;

/// A request, and how often it has entered a status.
#[derive(Clone, Debug)]
pub(crate) struct StoredRequest {
    pub(crate) value: Arc<Value>,
    pub(crate) entered: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    requests: BTreeMap<String, StoredRequest>,
    /// Collections that are only read: schedules, installations, templates, …
    others: BTreeMap<String, BTreeMap<String, Arc<Value>>>,
}

impl Store {
    pub(crate) fn put_request(&mut self, request: Value) -> Option<String> {
        let id = request["id"].as_str().filter(|id| !id.is_empty())?.to_owned();
        let entered = self.requests.get(&id).map_or(0, |stored| stored.entered) + 1;
        self.requests.insert(id.clone(), StoredRequest { value: Arc::new(request), entered });
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
        let before = stored.value["status"].clone();
        let mut value = (*stored.value).clone();
        if let Err(error) = change(&mut value) {
            return Some(Err(error));
        }
        let changed = value["status"] != before;
        stored.entered += u64::from(changed);
        stored.value = Arc::new(value);
        Some(Ok(changed))
    }

    /// The asset as the newest of its requests left it.
    pub(crate) fn asset(&self, id: &str) -> Option<Value> {
        self.assets().into_iter().find(|asset| asset["id"] == id)
    }

    pub(crate) fn assets(&self) -> Vec<Value> {
        let mut assets: BTreeMap<String, Value> = BTreeMap::new();
        for stored in self.requests.values() {
            if let Some(asset) = fulfillment::asset_of(&stored.value) {
                let id = asset["id"].as_str().unwrap_or_default().to_owned();
                assets.insert(id, Value::Object(asset));
            }
        }
        assets.into_values().collect()
    }

    pub(crate) fn put(&mut self, collection: &str, object: Value) -> Option<String> {
        let id = object["id"].as_str().filter(|id| !id.is_empty())?.to_owned();
        self.others.entry(collection.to_owned()).or_default().insert(id.clone(), Arc::new(object));
        Some(id)
    }

    pub(crate) fn get(&self, collection: &str, id: &str) -> Option<Arc<Value>> {
        self.others.get(collection)?.get(id).cloned()
    }

    pub(crate) fn list(&self, collection: &str) -> Vec<Arc<Value>> {
        self.others.get(collection).map(|objects| objects.values().cloned().collect()).unwrap_or_default()
    }
}
