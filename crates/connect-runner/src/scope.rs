use connect_client::{AssetRequests, Client, Schedules, TierConfigRequests};
use connect_container::{Config, Error, Logger, Scope};
use connect_model::{BackgroundResponse, HandlerError, Installation, wire::TaskCategory};
use serde_json::Value;

use crate::Backoff;

/// Which extension runs, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The extension (`SRVC-…`), once Connect said it.
    pub extension_id: String,
    /// The environment (`ENV-…`).
    pub environment_id: String,
    /// development, test or production, once Connect said it.
    pub environment_type: String,
}

/// Which task runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskContext {
    /// The task (`TQ-…`).
    pub task_id: String,
    /// How it is handled.
    pub category: TaskCategory,
    /// Its event.
    pub event_type: String,
    /// What it is about.
    pub object_id: String,
    /// Which try at this object's event it is, from 1, since one ended for good (done, failed or skipped). Counted by
    /// this process, for the last 100,000 objects.
    pub attempt: u32,
}

impl TaskContext {
    /// A task that stands for any, to check the container with.
    pub(crate) fn sample() -> Self {
        Self {
            task_id: "sample".to_owned(),
            category: TaskCategory::Background,
            event_type: "sample".to_owned(),
            object_id: "sample".to_owned(),
            attempt: 1,
        }
    }

    /// A reschedule whose delay grows with the attempts, as a backoff says.
    ///
    /// ```
    /// use std::time::Duration;
    /// use connect_container::Scope;
    /// use connect_model::{AssetRequest, BackgroundResponse, HandlerError};
    /// use connect_runner::{Backoff, TaskScope};
    ///
    /// async fn wait_for_vendor(_: AssetRequest, scope: Scope) -> Result<BackgroundResponse, HandlerError> {
    ///     // A minute, then two, then four, … up to an hour, each a random part of it less.
    ///     let backoff = Backoff::new(Duration::from_secs(60), Duration::from_secs(3600));
    ///     Ok(scope.task()?.reschedule_with(&backoff))
    /// }
    /// ```
    pub fn reschedule_with(&self, backoff: &Backoff) -> BackgroundResponse {
        BackgroundResponse::reschedule(backoff.delay(self.attempt, fastrand::f64()))
    }
}

/// A client that speaks for the account that installed the extension, for multi-account extensions.
#[derive(Clone, Debug)]
pub struct InstallationClient(pub(crate) Client);

impl InstallationClient {
    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0
    }
}

/// What every task's scope has, by name instead of by type.
///
/// ```
/// use connect_container::Scope;
/// use connect_model::HandlerError;
/// use connect_runner::TaskScope;
///
/// async fn product_name(id: &str, scope: &Scope) -> Result<String, HandlerError> {
///     let product = scope.client()?.collection("products").resource(id).get().await?;
///     Ok(product["name"].as_str().unwrap_or(id).to_owned())
/// }
/// ```
pub trait TaskScope {
    /// The client of Connect's API; its calls carry the task's headers.
    fn client(&self) -> Result<Client, Error>;

    /// What is done with asset requests, by the task's client.
    fn asset_requests(&self) -> Result<AssetRequests, Error>;

    /// What is done with tier config requests, by the task's client.
    fn tier_config_requests(&self) -> Result<TierConfigRequests, Error>;

    /// The schedules of this environment, by the task's client.
    fn schedules(&self) -> Result<Schedules, Error>;

    /// The logger of the task.
    fn logger(&self) -> Result<Logger, Error>;

    /// The variables of the extension, as they were when the task began.
    fn config(&self) -> Result<Config, Error>;

    /// Which extension runs, and where.
    fn context(&self) -> Result<Context, Error>;

    /// Which task runs.
    fn task(&self) -> Result<TaskContext, Error>;

    /// The installation the task is for, for multi-account extensions.
    fn installation(&self) -> Result<Option<Installation>, Error>;

    /// A client that speaks for the account of the installation, for multi-account extensions.
    fn installation_client(&self) -> Result<Option<Client>, Error>;

    /// A client that speaks for the account of any installation of the extension (`EIN-…`), by a key that Connect gives
    /// out for it; for multi-account extensions.
    fn impersonate(&self, installation_id: &str)
    -> impl Future<Output = Result<Client, HandlerError>> + Send;
}

impl TaskScope for Scope {
    fn client(&self) -> Result<Client, Error> {
        self.get()
    }

    fn asset_requests(&self) -> Result<AssetRequests, Error> {
        self.get()
    }

    fn tier_config_requests(&self) -> Result<TierConfigRequests, Error> {
        self.get()
    }

    fn schedules(&self) -> Result<Schedules, Error> {
        self.get()
    }

    fn logger(&self) -> Result<Logger, Error> {
        self.get()
    }

    fn config(&self) -> Result<Config, Error> {
        self.get()
    }

    fn context(&self) -> Result<Context, Error> {
        self.get()
    }

    fn task(&self) -> Result<TaskContext, Error> {
        self.get()
    }

    fn installation(&self) -> Result<Option<Installation>, Error> {
        self.find()
    }

    fn installation_client(&self) -> Result<Option<Client>, Error> {
        Ok(self.find::<InstallationClient>()?.map(|client| client.0))
    }

    async fn impersonate(&self, installation_id: &str) -> Result<Client, HandlerError> {
        let (client, context) = (self.client()?, self.context()?);
        let installations = client
            .ns("devops")
            .collection("services")
            .resource(context.extension_id)
            .collection("installations");
        let answer = installations.resource(installation_id).action("impersonate").post_empty().await?;
        match answer.get("installation_api_key").and_then(Value::as_str) {
            Some(key) if !key.is_empty() => Ok(client.with_api_key(key)),
            _ => Err(format!("Connect gave no key for the installation {installation_id}").into()),
        }
    }
}
