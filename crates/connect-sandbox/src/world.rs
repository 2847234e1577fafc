//! What a change may see and do: everything, under one lock, whole or not at all.

use std::borrow::Borrow;

use connect_model::rql::Rql;
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    api_error::ApiError,
    conversations,
    core::State,
    role::Role,
    store::{Condition, Scan, StoreError, id_of, status_member},
};

/// An object that a change has put somewhere.
#[derive(Clone, Debug)]
pub(crate) struct Changed {
    pub(crate) collection: String,
    pub(crate) id: String,
    pub(crate) status: String,
    /// It has entered that status.
    pub(crate) entered: bool,
}

#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(super) state: &'a mut State,
    role: Role,
    pub(super) changed: Vec<Changed>,
}

/// A time as Connect writes it: seconds, with the offset.
pub(crate) fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

impl<'a> World<'a> {
    pub(super) fn new(state: &'a mut State, role: Role) -> Self {
        Self { state, role, changed: Vec::new() }
    }

    /// Who does it.
    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// Refuses whoever this is not for.
    pub(crate) fn only(&self, role: Role) -> Result<(), ApiError> {
        if self.role.is(role) { Ok(()) } else { Err(ApiError::forbidden()) }
    }

    /// The sandbox's own time.
    pub(crate) fn time(&self) -> Timestamp {
        self.state.clock.now()
    }

    /// The sandbox's own time, as Connect writes it.
    pub(crate) fn now(&self) -> String {
        written(self.time())
    }

    /// Where the customer answers an inquiry; the code tells that it is who the request was given to.
    pub(crate) fn form_url(&self, request: &str) -> String {
        let code: String = std::iter::repeat_with(fastrand::alphanumeric).take(16).collect();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("request_id", request)
            .append_pair("code", &code)
            .finish();
        format!("{}/form?{query}", self.state.url)
    }

    pub(crate) fn find(&self, collection: &str, id: &str) -> Result<Option<Value>, ApiError> {
        Ok(self.state.store.get(collection, id)?)
    }

    /// An object that has to be there.
    pub(crate) fn get(&self, collection: &str, id: &str) -> Result<Value, ApiError> {
        self.find(collection, id)?.ok_or_else(ApiError::not_found)
    }

    /// All of a collection, by id.
    pub(crate) fn list(&self, collection: &str) -> Result<Vec<Value>, ApiError> {
        Ok(self.state.store.list(collection)?)
    }

    /// What of a collection matches, by id.
    pub(crate) fn matching(&self, collection: &str, filter: &Rql) -> Result<Vec<Value>, ApiError> {
        Ok(self.state.store.matching(collection, filter)?)
    }

    /// The newest of a collection, the newest first.
    pub(crate) fn newest(&self, collection: &str, most: usize) -> Result<Vec<Value>, ApiError> {
        let all = Condition::of(collection, &Rql::Empty);
        let texts = self.state.store.texts(collection, &all, Scan::Newest, most, 0)?;
        let values: Result<Vec<Value>, _> = texts.iter().map(|text| serde_json::from_str(text)).collect();
        Ok(values.map_err(StoreError::from)?)
    }

    /// Adds an object, or puts another in its place.
    pub(crate) fn put(&mut self, collection: &str, object: impl Borrow<Value>) -> Result<(), ApiError> {
        let object = object.borrow();
        let Some(id) = id_of(object) else {
            return Err(ApiError::bad("VAL_001", "id: Not a valid string."));
        };
        let entered = self.state.store.put(collection, object)?;
        let status = object[status_member(collection)].as_str().unwrap_or_default();
        self.changed.push(Changed {
            collection: collection.to_owned(),
            id: id.to_owned(),
            status: status.to_owned(),
            entered,
        });
        if entered { conversations::tell(self, collection, id, status) } else { Ok(()) }
    }

    /// Changes an object that has to be there.
    pub(crate) fn update(
        &mut self,
        collection: &str,
        id: &str,
        change: impl FnOnce(&mut Value) -> Result<(), ApiError>,
    ) -> Result<Value, ApiError> {
        let mut object = self.get(collection, id)?;
        change(&mut object)?;
        self.put(collection, &object)?;
        Ok(object)
    }

    pub(crate) fn remove(&mut self, collection: &str, id: &str) -> Result<bool, ApiError> {
        Ok(self.state.store.remove(collection, id)?)
    }

    /// A number that no other object made here has.
    pub(crate) fn number(&mut self) -> Result<u64, ApiError> {
        Ok(self.state.store.number()?)
    }
}
