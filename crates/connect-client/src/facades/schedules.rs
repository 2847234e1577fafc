use connect_model::{Schedule, rql::R};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Client, Collection, Error};

/// The schedules of an extension's environment: when Connect runs which of its methods.
///
/// ```no_run
/// # async fn run(client: connect_client::Client) -> Result<(), connect_client::Error> {
/// use connect_client::{NewSchedule, Schedules, Trigger};
///
/// let schedules = Schedules::new(&client, "SRVC-0000-0000", "ENV-0000-0000-01");
/// let weekly = Trigger::every(7, "days", "2026-12-01T06:00:00+00:00");
/// schedules.ensure(&NewSchedule::new("report PA-065-102", "report", weekly)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Schedules {
    schedules: Collection,
}

/// A schedule to be made.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
pub struct NewSchedule {
    name: String,
    method: String,
    trigger: Trigger,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    parameter: Map<String, Value>,
}

/// When a schedule fires. Times are ISO 8601, with their offset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Trigger {
    /// Once.
    Onetime {
        /// When.
        date: String,
    },
    /// Again and again.
    Recurring {
        /// The first time.
        start: String,
        /// minutes, hours, days, weeks or months, as Connect knows them.
        unit: String,
        /// How many units lie between two times.
        amount: u32,
    },
    /// By a cron expression of five fields.
    Advanced {
        /// Not before.
        start: String,
        /// Such as `0 */2 * * *`.
        cron_expression: String,
    },
}

impl Trigger {
    /// Once.
    #[must_use]
    pub fn once(date: impl Into<String>) -> Self {
        Self::Onetime { date: date.into() }
    }

    /// Again and again: every 7 `days`.
    #[must_use]
    pub fn every(amount: u32, unit: impl Into<String>, start: impl Into<String>) -> Self {
        Self::Recurring { start: start.into(), unit: unit.into(), amount }
    }

    /// By a cron expression of five fields.
    #[must_use]
    pub fn cron(expression: impl Into<String>, start: impl Into<String>) -> Self {
        Self::Advanced { start: start.into(), cron_expression: expression.into() }
    }
}

impl NewSchedule {
    /// A schedule of a name of its own, for one of the extension's scheduled methods.
    pub fn new(name: impl Into<String>, method: impl Into<String>, trigger: Trigger) -> Self {
        let (name, method) = (name.into(), method.into());
        Self { name, method, trigger, description: None, parameter: Map::new() }
    }

    /// What people read about it.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Something the method wants to know, such as for which installation it runs.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameter.insert(name.into(), value.into());
        self
    }
}

impl Schedules {
    /// The schedules of an extension (`SRVC-…`) in an environment (`ENV-…`).
    #[must_use]
    pub fn new(client: &Client, extension_id: &str, environment_id: &str) -> Self {
        let environments =
            client.ns("devops").collection("services").resource(extension_id).collection("environments");
        Self { schedules: environments.resource(environment_id).collection("schedules") }
    }

    /// Creates a schedule, unless there is one of its name and method: then that one stays, as people may have changed
    /// it in Connect, and is given back.
    pub async fn ensure(&self, schedule: &NewSchedule) -> Result<Schedule, Error> {
        let same =
            R::field("name").eq(schedule.name.as_str()) & R::field("method").eq(schedule.method.as_str());
        match self.schedules.filter(same).first().await? {
            Some(found) => Ok(found),
            None => self.schedules.create(schedule).json().await,
        }
    }

    /// Asks for schedules.
    pub fn query(&self) -> crate::Query {
        self.schedules.query()
    }

    /// Deletes a schedule; one that is gone already is no error.
    pub async fn delete(&self, id: &str) -> Result<(), Error> {
        match self.schedules.resource(id).delete().empty().await {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }
}
