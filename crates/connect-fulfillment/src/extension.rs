use std::time::Duration;

use connect_cache::CacheServiceProvider;
use connect_container::{Scope, ServiceProvider};
use connect_model::{
    BackgroundResponse, Schedule, ScheduledExecutionResponse,
    event::{Background, Event, InteractiveCategory, Object},
};
use connect_runner::{Declaration, DescriptorResult, SerializeBy, Variable};

use crate::{IntoHandler, Result};

/// An extension: what it handles, by which services, with which variables.
///
/// ```
/// use connect_fulfillment::{Descriptor, prelude::*};
///
/// async fn handle_purchase(request: AssetRequest, _: Scope) -> Result<BackgroundResponse> {
///     info!("obtained request with id {}", request.id);
///     Ok(BackgroundResponse::done())
/// }
///
/// struct CancelSaga;
///
/// impl Saga for CancelSaga {
///     fn transactions(&self, _: &AssetRequest) -> Transactions {
///         Transactions::new().otherwise(BackgroundResponse::skip("nothing to cancel"))
///     }
/// }
///
/// let extension = Extension::new(Descriptor::default())
///     .variable(Variable::new("ACTIVATION_TEMPLATE").initial_value("TL-000-000-000"))
///     .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], handle_purchase)
///     .background(event::ASSET_CANCEL_REQUEST_PROCESSING, ["pending"], CancelSaga);
/// extension.check()?;
/// # Ok::<(), connect_fulfillment::runner::Error>(())
/// ```
///
/// `Arc<dyn Cache>` is bound from the start, to the driver that the variable `CACHE_DRIVER` names; a provider that binds
/// another wins.
#[derive(Debug)]
#[must_use = "an extension does nothing until it runs"]
pub struct Extension(connect_runner::Extension);

impl Extension {
    /// An extension that handles nothing yet: `Extension::new(descriptor!())`.
    pub fn new(descriptor: impl Into<DescriptorResult>) -> Self {
        Self(connect_runner::Extension::new(descriptor).fallback(CacheServiceProvider))
    }

    /// Declares a variable.
    pub fn variable(self, variable: Variable) -> Self {
        Self(self.0.variable(variable))
    }

    /// Adds a service provider.
    pub fn provider(self, provider: impl ServiceProvider) -> Self {
        Self(self.0.provider(provider))
    }

    /// Adds a service provider under a name, by which it can be replaced whole; one of that name is replaced.
    pub fn slot(self, name: impl Into<String>, provider: impl ServiceProvider) -> Self {
        Self(self.0.slot(name, provider))
    }

    /// Adds a service provider whose bindings hold only where no other provider binds the same.
    pub fn fallback(self, provider: impl ServiceProvider) -> Self {
        Self(self.0.fallback(provider))
    }

    /// Handles a background event while the object is in one of the statuses.
    pub fn background<T: Object, M>(
        self,
        event: Event<Background, T>,
        statuses: impl IntoIterator<Item = impl Into<String>>,
        handler: impl IntoHandler<T, BackgroundResponse, M>,
    ) -> Self {
        Self(self.0.background(event, statuses, handler.into_handler()))
    }

    /// Handles an interactive event: a validation, a product action, a custom event.
    pub fn interactive<C: InteractiveCategory, T: Object, M>(
        self,
        event: Event<C, T>,
        handler: impl IntoHandler<T, C::Response, M>,
    ) -> Self {
        Self(self.0.interactive(event, handler.into_handler()))
    }

    /// Offers a method to schedules: its key, its name for people, what it does.
    pub fn scheduled<M>(
        self,
        method: impl Into<String>,
        name: impl Into<String>,
        description: impl Into<String>,
        handler: impl IntoHandler<Schedule, ScheduledExecutionResponse, M>,
    ) -> Self {
        Self(self.0.scheduled(method, name, description, handler.into_handler()))
    }

    /// Which background and scheduled tasks run one after another; by default those of one object.
    pub fn serialize_by(self, serialize_by: SerializeBy) -> Self {
        Self(self.0.serialize_by(serialize_by))
    }

    /// How long the handler of an event, or a scheduled method, may take, in place of the limit of its category.
    pub fn time_limit(self, event_or_method: impl Into<String>, limit: Duration) -> Self {
        Self(self.0.time_limit(event_or_method, limit))
    }

    /// Calls a function once, when Connect has answered for the first time and before any task is handled. Where it
    /// fails, the process stops.
    pub fn on_startup<F, Fut>(self, hook: F) -> Self
    where
        F: Fn(Scope) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        Self(self.0.on_startup(hook))
    }

    /// Calls a function once, when all tasks have ended and before the process does. It has ten seconds.
    pub fn on_shutdown<F, Fut>(self, hook: F) -> Self
    where
        F: Fn(Scope) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        Self(self.0.on_shutdown(hook))
    }

    /// Checks the declaration and the container's graph, without connecting to anything.
    pub fn check(&self) -> std::result::Result<(), connect_runner::Error> {
        self.0.check()
    }

    /// What it handles, to show it.
    #[must_use]
    pub fn declaration(&self) -> Declaration {
        self.0.declaration()
    }
}

impl From<Extension> for connect_runner::Extension {
    fn from(extension: Extension) -> Self {
        extension.0
    }
}
