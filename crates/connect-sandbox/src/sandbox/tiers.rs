//! Tier configurations and tier accounts in tests.

use serde_json::Value;

use super::{Sandbox, unread};
use crate::{
    SandboxError,
    api_error::ApiError,
    role::Role,
    store,
    tiers::{
        ACCOUNT_REQUESTS, ACCOUNTS, CONFIGS, REQUESTS,
        accounts::requests as account_requests,
        requests::{self, Action},
    },
    world::World,
};

/// Which requests one is among: its id begins as theirs do.
pub(super) fn requests_of(id: &str) -> &'static str {
    match id.split_once('-') {
        Some(("TCR", _)) => REQUESTS,
        Some(("TAR", _)) => ACCOUNT_REQUESTS,
        _ => store::REQUESTS,
    }
}

/// Does something with a request that is for no asset; `None` where that can't be done with any.
pub(super) fn act(
    world: &mut World<'_>,
    id: &str,
    action: &str,
    body: &Value,
) -> Option<Result<Value, ApiError>> {
    if requests_of(id) == REQUESTS {
        return Action::named(action).map(|action| requests::act(world, id, action, body));
    }
    match action {
        "accept" => Some(account_requests::accept(world, id)),
        "ignore" => Some(account_requests::ignore(world, id, body)),
        _ => None,
    }
}

impl Sandbox {
    /// A tier configuration (`TC-…`) with the values that are in force. What else is asked for is told by
    /// [`request`](Self::request) with the id of its open request.
    #[must_use]
    pub fn tier_config(&self, id: &str) -> Option<Value> {
        self.find(CONFIGS, id)
    }

    /// All tier configurations, by id.
    #[must_use]
    pub fn tier_configs(&self) -> Vec<Value> {
        self.all(CONFIGS)
    }

    /// All requests for tier configurations, by id.
    #[must_use]
    pub fn tier_config_requests(&self) -> Vec<Value> {
        self.all(REQUESTS)
    }

    /// A tier account (`TA-…`) in its newest version.
    #[must_use]
    pub fn tier_account(&self, id: &str) -> Option<Value> {
        self.find(ACCOUNTS, id)
    }

    /// A distributor changes a tier account; a request for the vendor of each product that was bought for it is the answer.
    ///
    /// Fails as Connect would: where nothing is changed, say.
    pub fn change_tier_account(
        &self,
        id: &str,
        changes: impl Into<Value>,
    ) -> Result<Vec<Value>, SandboxError> {
        let changes = changes.into();
        let change = |world: &mut World<'_>| account_requests::change(world, id, &changes);
        self.core.change(Role::Platform, change).map_err(|error| SandboxError::refused(&error))
    }

    pub(super) fn all(&self, collection: &str) -> Vec<Value> {
        self.core.read(|world| world.list(collection)).unwrap_or_else(|error| {
            unread(&error);
            Vec::new()
        })
    }
}
