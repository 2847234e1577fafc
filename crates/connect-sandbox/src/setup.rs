//! What the sandbox is set up with.

use connect_model::wire::Secret;

use crate::{DispatchPolicy, Recorder, devops, role::Role};

#[derive(Debug)]
pub(crate) struct Setup {
    /// Where the sandbox is reached, without a path.
    pub(crate) url: String,
    /// The vendor's, which the extension has.
    pub(crate) api_key: Secret,
    pub(crate) distributor_key: Secret,
    pub(crate) environment_id: String,
    pub(crate) policy: DispatchPolicy,
    pub(crate) speed: f64,
    pub(crate) recorder: Recorder,
    /// The largest body of a call that uploads a file, in bytes.
    pub(crate) upload_limit: usize,
    /// What addresses hold that can be fetched without a key.
    pub(crate) media_token: Secret,
}

impl Setup {
    /// Whose key this is.
    pub(crate) fn role_of(&self, key: &str) -> Option<Role> {
        [(&self.api_key, Role::Vendor), (&self.distributor_key, Role::Distributor)]
            .into_iter()
            .find(|(own, _)| own.expose() == key)
            .map(|(_, role)| role)
    }

    /// The extension's id: runners make paths of it.
    pub(crate) fn service_id(&self) -> String {
        devops::service_of(&self.environment_id)
    }
}
