//! What can be found out about an extension before it runs.

mod connect;
mod descriptor;
mod finding;

use connect_client::Client;

pub use finding::{Finding, FindingLevel};
pub(crate) use finding::{Findings, Place};

use crate::{Environment, Error, ErrorKind, Extension, settings::Settings};

impl Extension {
    /// Checks the declaration, the descriptor and the container's graph, without connecting to anything.
    ///
    /// Variables have their initial values, since Connect has not said others yet.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.declaration_findings();
        findings.extend(descriptor::findings(&self.descriptor()));
        findings.extend(self.schedule_findings());
        findings.extend(self.container_findings());
        findings
    }

    /// Checks the declaration against Connect, by REST: whether the key is taken, whether the events exist, and whether
    /// their objects have the statuses.
    ///
    /// Where Connect can't be asked, that is a finding of its own, a [warning](FindingLevel::Warning): an extension
    /// connects, and connects again, whatever state Connect is in when it starts.
    pub async fn findings_by_connect(&self, environment: &Environment) -> Vec<Finding> {
        match environment.client() {
            Ok(client) => connect::findings(self, &client).await,
            Err(error) => vec![Finding::error("connect", error.to_string())],
        }
    }

    /// What an extension that can run may still have wrong.
    pub(crate) async fn further_findings(&self, client: &Client) -> Vec<Finding> {
        let mut findings = descriptor::findings(&self.descriptor());
        findings.extend(self.schedule_findings());
        findings.extend(connect::findings(self, client).await);
        findings
    }

    fn schedule_findings(&self) -> Vec<Finding> {
        let unnamed = self.scheduled.iter().filter(|(_, method)| method.name.trim().is_empty());
        let finding = |name: &String| {
            Finding::error(
                "schedules",
                format!("the method \"{name}\" has no name for people to choose it by"),
            )
            .at(self.place_of(name))
        };
        unnamed.map(|(name, _)| finding(name)).collect()
    }

    fn container_findings(&self) -> Vec<Finding> {
        let unusable = |error: Error| vec![Finding::error("container", error.to_string())];
        let sample = match sample_client() {
            Ok(client) => client,
            Err(error) => return unusable(error),
        };
        match Settings::unchecked(self, &sample, "ENV-0000-0000-01") {
            Ok(settings) => self.graph_findings(&settings.container),
            Err(error) => unusable(error),
        }
    }
}

/// Never sends anything: nothing is called.
pub(crate) fn sample_client() -> Result<Client, Error> {
    Client::builder("ApiKey SU-000-000-000:none")
        .build()
        .map_err(|error| Error::because(ErrorKind::Client, "no client for Connect's API can be made", error))
}
