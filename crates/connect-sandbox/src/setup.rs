//! What the sandbox is set up with, and what it tells a runner about it.

use std::collections::BTreeMap;

use connect_model::wire::{Logging, LoggingMeta, Secret, SetupRequest, SetupResponse, Variable};

use crate::{DispatchPolicy, events};

#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) api_key: Secret,
    pub(crate) environment_id: String,
    /// In place of the initial values that the extension declares.
    pub(crate) variables: BTreeMap<String, Secret>,
    pub(crate) policy: DispatchPolicy,
    pub(crate) speed: f64,
}

impl Setup {
    /// `SRVC-` and the middle of the environment's id: runners make paths of it.
    pub(crate) fn service_id(&self) -> String {
        let rest = self.environment_id.strip_prefix("ENV-").unwrap_or(&self.environment_id);
        let middle = rest.rsplit_once('-').map_or(rest, |(middle, _)| middle);
        format!("SRVC-{middle}")
    }

    /// The answer to what an extension declares.
    pub(crate) fn response(&self, request: &SetupRequest) -> SetupResponse {
        let declared = request.variables.iter().flatten();
        let mut variables: BTreeMap<String, (Secret, bool)> = declared
            .map(|variable| (variable.name.clone(), (variable.initial_value.clone(), variable.secure)))
            .collect();
        for (name, value) in &self.variables {
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
