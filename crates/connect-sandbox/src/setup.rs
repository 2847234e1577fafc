//! What the sandbox is set up with, and what it tells a runner about it.

use std::collections::BTreeMap;

use connect_model::wire::{Logging, LoggingMeta, Secret, SetupRequest, SetupResponse, Variable};

use crate::{DispatchPolicy, Recorder, events, role::Role};

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

    /// `SRVC-` and the middle of the environment's id: runners make paths of it.
    pub(crate) fn service_id(&self) -> String {
        let rest = self.environment_id.strip_prefix("ENV-").unwrap_or(&self.environment_id);
        let middle = rest.rsplit_once('-').map_or(rest, |(middle, _)| middle);
        format!("SRVC-{middle}")
    }

    /// The answer to what an extension declares; the variables are in place of their initial values.
    pub(crate) fn response(
        &self,
        request: &SetupRequest,
        values: &BTreeMap<String, Secret>,
    ) -> SetupResponse {
        let declared = request.variables.iter().flatten();
        let mut variables: BTreeMap<String, (Secret, bool)> = declared
            .map(|variable| (variable.name.clone(), (variable.initial_value.clone(), variable.secure)))
            .collect();
        for (name, value) in values {
            let secure = variables.get(name).is_some_and(|(_, secure)| *secure);
            variables.insert(name.clone(), (value.clone(), secure));
        }
        let variables = variables.into_iter().map(|(name, (value, secure))| Variable {
            name,
            value: Some(value),
            secure: Some(secure),
        });
        let schedules =
            format!("devops/services/{}/environments/{}/schedules", self.service_id(), self.environment_id);
        let subscribed = request.event_subscriptions.iter().flatten();
        SetupResponse {
            variables: Some(variables.collect()),
            environment_type: Some("development".to_owned()),
            environment_runtime: Some("local".to_owned()),
            logging: Some(Logging {
                log_level: Some("INFO".to_owned()),
                runner_log_level: Some("INFO".to_owned()),
                meta: Some(LoggingMeta {
                    account_id: Some("VA-000-000".to_owned()),
                    account_name: Some("Sandbox".to_owned()),
                    service_id: Some(self.service_id()),
                    ..LoggingMeta::default()
                }),
                ..Logging::default()
            }),
            event_definitions: Some(
                subscribed.map(|(event, _)| events::definition(event, &schedules)).collect(),
            ),
            ..SetupResponse::default()
        }
    }
}
