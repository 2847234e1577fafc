use std::{collections::HashMap, sync::Arc};

use connect_client::Client;
use connect_container::{Config, Container};
use connect_model::wire::{EventDefinition, SetupResponse, Variable};
use tracing::{debug, info};

use crate::{
    Context, Error, ErrorKind, Extension,
    extension::{bind_root, sample_scope},
};

/// What Connect said last, and the root container built for it. Each task takes one snapshot.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) context: Context,
    pub(crate) event_definitions: HashMap<String, EventDefinition>,
    pub(crate) container: Container,
    variables: Vec<(String, String)>,
}

impl Settings {
    /// Before Connect has said anything: the declared variables with their initial values, and a graph that is checked.
    pub(crate) fn initial(
        extension: &Extension,
        client: &Client,
        environment_id: &str,
    ) -> Result<Self, Error> {
        let context = Context { environment_id: environment_id.to_owned(), ..Context::default() };
        let config = extension.initial_config();
        let variables = pairs(&config);
        let container = extension
            .container(config, |bind| bind_root(bind, client.clone(), context.clone()))
            .map_err(|error| {
                Error::because(ErrorKind::Container, "the service providers don't fit together", error)
            })?;
        extension.verify(&container, || sample_scope(&container))?;
        Ok(Self { context, event_definitions: HashMap::new(), container, variables })
    }

    /// After a setup response. The last one wins: a variable it does not name is gone. The container, and with it
    /// every shared service, is built anew only if a variable or the context changed.
    pub(crate) fn update(
        self: &Arc<Self>,
        response: SetupResponse,
        extension: &Extension,
        client: &Client,
    ) -> Result<Arc<Self>, Error> {
        let meta = response.logging.and_then(|logging| logging.meta).unwrap_or_default();
        let context = Context {
            extension_id: meta.service_id.unwrap_or_else(|| self.context.extension_id.clone()),
            environment_id: self.context.environment_id.clone(),
            environment_type: response
                .environment_type
                .unwrap_or_else(|| self.context.environment_type.clone()),
            account_id: meta.account_id.unwrap_or_else(|| self.context.account_id.clone()),
            account_name: meta.account_name.unwrap_or_else(|| self.context.account_name.clone()),
        };
        let event_definitions = match response.event_definitions {
            Some(definitions) => definitions
                .into_iter()
                .map(|definition| (definition.event_type.clone(), definition))
                .collect(),
            None => self.event_definitions.clone(),
        };
        let config = response.variables.map_or_else(|| self.variables.iter().cloned().collect(), values);
        let variables = pairs(&config);
        let container = if variables == self.variables && context == self.context {
            self.container.clone()
        } else {
            self.log_changes(&variables);
            extension.container(config, |bind| bind_root(bind, client.clone(), context.clone())).map_err(
                |error| Error::because(ErrorKind::Container, "the new variables can't be used", error),
            )?
        };
        Ok(Arc::new(Self { context, event_definitions, container, variables }))
    }

    /// Names what changed, never the values.
    fn log_changes(&self, variables: &[(String, String)]) {
        let changed: Vec<&str> = variables
            .iter()
            .filter(|variable| !self.variables.contains(variable))
            .chain(self.variables.iter().filter(|(name, _)| variables.iter().all(|(other, _)| other != name)))
            .map(|(name, _)| name.as_str())
            .collect();
        if changed.is_empty() {
            debug!("the extension's context changed");
        } else {
            info!("variables changed: {}", changed.join(", "));
        }
    }
}

fn values(variables: Vec<Variable>) -> Config {
    variables
        .into_iter()
        .map(|variable| (variable.name, variable.value.unwrap_or_default().expose().to_owned()))
        .collect()
}

fn pairs(config: &Config) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = config.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    pairs.sort();
    pairs
}
