use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use connect_client::{AssetRequests, Client, Schedules, TierConfigRequests};
use connect_container::{Config, Container, ContainerBuilder, Logger, Scope, ServiceProvider};
use connect_model::{
    BackgroundResponse, HandlerError, Schedule, ScheduledExecutionResponse,
    event::{Background, Event, InteractiveCategory, Object},
    wire::{DeclaredVariable, Repository, Schedulable, Secret, SetupRequest},
};
use serde_json::json;

use crate::{
    Context, Descriptor, DescriptorResult, Error, ErrorKind, Handler, SerializeBy,
    handler::{ErasedHandler, erase},
    hooks::Hook,
    scope::TaskContext,
    settings::Settings,
};

/// A variable of an extension: set by people in Connect, sent to the extension when it connects.
///
/// ```
/// use connect_runner::Variable;
///
/// let template = Variable::new("ACTIVATION_TEMPLATE").initial_value("TL-000-000-000");
/// let password = Variable::new("VENDOR_PASSWORD").secure();
/// # let _ = (template, password);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Variable {
    name: String,
    initial_value: Secret,
    secure: bool,
}

impl Variable {
    /// A variable whose initial value is an empty text. Its name has to be a letter and then letters, digits, `_`,
    /// `-` or `.`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), initial_value: Secret::default(), secure: false }
    }

    /// The value it has where nobody set one.
    pub fn initial_value(mut self, value: impl Into<String>) -> Self {
        self.initial_value = Secret::new(value);
        self
    }

    /// Has Connect hide its value.
    pub fn secure(mut self) -> Self {
        self.secure = true;
        self
    }
}

/// Names a service provider fills: a provider in a slot can be replaced whole.
type Slot = (Option<String>, Arc<dyn ServiceProvider>);

/// An extension: what it handles, by which services, with which variables.
///
/// ```
/// use connect_container::Scope;
/// use connect_model::{AssetRequest, BackgroundResponse, HandlerError, event};
/// use connect_runner::{Descriptor, Extension, Variable};
///
/// async fn handle_purchase(_: AssetRequest, _: Scope) -> Result<BackgroundResponse, HandlerError> {
///     Ok(BackgroundResponse::skip("not yet"))
/// }
///
/// let extension = Extension::new(Descriptor::default())
///     .variable(Variable::new("VENDOR_URL").initial_value("https://api.vendor.example"))
///     .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], handle_purchase);
/// ```
#[must_use = "an extension does nothing until it runs"]
pub struct Extension {
    descriptor: DescriptorResult,
    pub(crate) variables: Vec<Variable>,
    providers: Vec<Slot>,
    fallbacks: Vec<Arc<dyn ServiceProvider>>,
    pub(crate) background: BTreeMap<String, BackgroundEvent>,
    pub(crate) interactive: BTreeMap<String, InteractiveEvent>,
    pub(crate) scheduled: BTreeMap<String, ScheduledMethod>,
    pub(crate) serialize_by: SerializeBy,
    pub(crate) time_limits: BTreeMap<String, Duration>,
    pub(crate) on_startup: Vec<Hook>,
    pub(crate) on_shutdown: Vec<Hook>,
    problems: Vec<String>,
}

pub(crate) struct BackgroundEvent {
    pub(crate) statuses: Vec<String>,
    pub(crate) handler: Arc<dyn ErasedHandler>,
}

pub(crate) struct InteractiveEvent {
    pub(crate) answers_http: bool,
    pub(crate) handler: Arc<dyn ErasedHandler>,
}

pub(crate) struct ScheduledMethod {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) handler: Arc<dyn ErasedHandler>,
}

impl Extension {
    /// An extension that handles nothing yet: `Extension::new(descriptor!())`.
    pub fn new(descriptor: impl Into<DescriptorResult>) -> Self {
        Self {
            descriptor: descriptor.into(),
            variables: Vec::new(),
            providers: Vec::new(),
            fallbacks: Vec::new(),
            background: BTreeMap::new(),
            interactive: BTreeMap::new(),
            scheduled: BTreeMap::new(),
            serialize_by: SerializeBy::default(),
            time_limits: BTreeMap::new(),
            on_startup: Vec::new(),
            on_shutdown: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Declares a variable.
    pub fn variable(mut self, variable: Variable) -> Self {
        self.variables.push(variable);
        self
    }

    /// Adds a service provider.
    pub fn provider(mut self, provider: impl ServiceProvider) -> Self {
        self.providers.push((None, Arc::new(provider)));
        self
    }

    /// Adds a service provider under a name, by which it can be replaced whole; one of that name is replaced.
    pub fn slot(mut self, name: impl Into<String>, provider: impl ServiceProvider) -> Self {
        let name = Some(name.into());
        let provider: Arc<dyn ServiceProvider> = Arc::new(provider);
        match self.providers.iter_mut().find(|(slot, _)| *slot == name) {
            Some((_, replaced)) => *replaced = provider,
            None => self.providers.push((name, provider)),
        }
        self
    }

    /// Adds a service provider whose bindings hold only where no other provider binds the same.
    pub fn fallback(mut self, provider: impl ServiceProvider) -> Self {
        self.fallbacks.push(Arc::new(provider));
        self
    }

    /// Handles a background event while the object is in one of the statuses.
    #[allow(clippy::needless_pass_by_value, reason = "an event is a constant, written as one")]
    pub fn background<T: Object>(
        mut self,
        event: Event<Background, T>,
        statuses: impl IntoIterator<Item = impl Into<String>>,
        handler: impl Handler<T, BackgroundResponse>,
    ) -> Self {
        let statuses = statuses.into_iter().map(Into::into).collect();
        self.claim(event.name());
        self.background
            .insert(event.name().to_owned(), BackgroundEvent { statuses, handler: erase(handler) });
        self
    }

    /// Handles an interactive event: a validation, a product action, a custom event.
    #[allow(clippy::needless_pass_by_value, reason = "an event is a constant, written as one")]
    pub fn interactive<C: InteractiveCategory, T: Object>(
        mut self,
        event: Event<C, T>,
        handler: impl Handler<T, C::Response>,
    ) -> Self {
        self.claim(event.name());
        let handler = erase(handler);
        self.interactive
            .insert(event.name().to_owned(), InteractiveEvent { answers_http: C::ANSWERS_HTTP, handler });
        self
    }

    /// Offers a method to schedules: its key, its name for people, what it does.
    pub fn scheduled(
        mut self,
        method: impl Into<String>,
        name: impl Into<String>,
        description: impl Into<String>,
        handler: impl Handler<Schedule, ScheduledExecutionResponse>,
    ) -> Self {
        let method = method.into();
        if self.scheduled.contains_key(&method) {
            self.problems.push(format!("the method \"{method}\" is scheduled twice"));
        }
        let (name, description) = (name.into(), description.into());
        self.scheduled.insert(method, ScheduledMethod { name, description, handler: erase(handler) });
        self
    }

    /// Which background and scheduled tasks run one after another; by default those of one object.
    pub fn serialize_by(mut self, serialize_by: SerializeBy) -> Self {
        self.serialize_by = serialize_by;
        self
    }

    /// How long the handler of an event, or a scheduled method, may take, in place of the limit of its category.
    pub fn time_limit(mut self, event_or_method: impl Into<String>, limit: Duration) -> Self {
        self.time_limits.insert(event_or_method.into(), limit);
        self
    }

    /// Calls a function once, when Connect has answered for the first time and before any task is handled. Where it
    /// fails, the process stops.
    pub fn on_startup<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn(Scope) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.on_startup.push(Hook::new(hook));
        self
    }

    /// Calls a function once, when all tasks have ended and before the process does. It has ten seconds.
    pub fn on_shutdown<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn(Scope) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.on_shutdown.push(Hook::new(hook));
        self
    }

    fn claim(&mut self, event: &str) {
        if self.background.contains_key(event) || self.interactive.contains_key(event) {
            self.problems.push(format!("the event \"{event}\" is handled twice"));
        }
    }

    /// Checks the declaration and the container's graph, without connecting to anything: what is handled twice or named
    /// wrong, and what service providers and handlers miss. The error holds all that was found.
    ///
    /// Variables have their initial values, since Connect has not said others yet.
    pub fn check(&self) -> Result<(), Error> {
        self.check_declaration()?;
        let unusable =
            |error| Error::because(ErrorKind::Client, "no client for Connect's API can be made", error);
        // Never sent: nothing is called.
        let client = Client::builder("ApiKey SU-000-000-000:none").build().map_err(unusable)?;
        Settings::initial(self, &client, "ENV-0000-0000-01").map(|_| ())
    }

    /// What the declaration has wrong, all of it.
    pub(crate) fn check_declaration(&self) -> Result<(), Error> {
        let mut problems = self.problems.clone();
        if let Err(error) = &self.descriptor.0 {
            problems.push(error.to_string());
        }
        for (index, variable) in self.variables.iter().enumerate() {
            if !is_variable_name(&variable.name) {
                problems.push(format!(
                    "the variable \"{}\" is not named right: a letter, then letters, digits, \"_\", \"-\" or \".\"",
                    variable.name
                ));
            }
            if self.variables[..index].iter().any(|other| other.name == variable.name) {
                problems.push(format!("the variable \"{}\" is declared twice", variable.name));
            }
        }
        for (event, BackgroundEvent { statuses, .. }) in &self.background {
            if let Some(status) = statuses.iter().find(|status| !is_status(status)) {
                problems
                    .push(format!("the event \"{event}\" is handled in \"{status}\", which is no status"));
            }
        }
        for (name, limit) in &self.time_limits {
            let is_handled = self.background.contains_key(name)
                || self.interactive.contains_key(name)
                || self.scheduled.contains_key(name);
            if !is_handled {
                problems.push(format!("\"{name}\" has a time limit, and is not handled"));
            }
            if limit.is_zero() {
                problems.push(format!("the time limit of \"{name}\" is no time at all"));
            }
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Declaration,
            format!("the extension is not declared right:\n  {}", problems.join("\n  ")),
        ))
    }

    /// Its descriptor; an empty one where that is not right, which [[`check`](Self::check) tells.
    pub(crate) fn descriptor(&self) -> Descriptor {
        self.descriptor.0.as_ref().map_or_else(|_| Descriptor::default(), Clone::clone)
    }

    /// What it tells Connect when it connects.
    pub(crate) fn setup_request(&self) -> SetupRequest {
        let descriptor = self.descriptor();
        let background =
            self.background.iter().map(|(event, declared)| (event.clone(), declared.statuses.clone()));
        let interactive = self.interactive.keys().map(|event| (event.clone(), Vec::new()));
        let variables = self.variables.iter().map(|variable| DeclaredVariable {
            name: variable.name.clone(),
            initial_value: variable.initial_value.clone(),
            secure: variable.secure,
        });
        let schedulables = self.scheduled.iter().map(|(method, declared)| Schedulable {
            method: method.clone(),
            name: declared.name.clone(),
            description: declared.description.clone(),
        });
        SetupRequest {
            event_subscriptions: Some(background.chain(interactive).collect()),
            variables: Some(variables.collect()),
            schedulables: Some(schedulables.collect()),
            audience: Some(descriptor.audience),
            repository: Some(Repository {
                readme_url: descriptor.readme_url,
                changelog_url: descriptor.changelog_url,
            }),
            runner_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ..SetupRequest::default()
        }
    }

    /// The variables as declared, before Connect has said anything.
    pub(crate) fn initial_config(&self) -> Config {
        self.variables
            .iter()
            .map(|variable| (variable.name.clone(), variable.initial_value.expose().to_owned()))
            .collect()
    }

    /// The root container for a configuration.
    pub(crate) fn container(
        &self,
        config: Config,
        bind: impl FnOnce(&mut connect_container::Bindings),
    ) -> Result<Container, connect_container::Error> {
        let mut builder: ContainerBuilder = Container::builder().config(config).bind(bind);
        for (slot, provider) in &self.providers {
            let provider = Arc::clone(provider);
            builder = match slot {
                Some(slot) => builder.slot(slot.clone(), provider),
                None => builder.provider(provider),
            };
        }
        for provider in &self.fallbacks {
            builder = builder.fallback(Arc::clone(provider));
        }
        builder.build()
    }

    /// Checks the graph of a container for everything that is handled, without handling anything.
    pub(crate) fn verify(
        &self,
        container: &Container,
        scope: impl Fn() -> Result<Scope, connect_container::Error>,
    ) -> Result<(), Error> {
        let mut problems = Vec::new();
        match container.verify() {
            Ok(warnings) => {
                for warning in warnings {
                    tracing::warn!("with the initial values of the variables: {warning}");
                }
            }
            Err(error) => problems.push(error.to_string()),
        }
        let scope =
            scope().map_err(|error| Error::because(ErrorKind::Container, "no scope for a task", error))?;
        let background = self.background.iter().map(|(event, declared)| {
            let status = declared.statuses.first().map_or("pending", String::as_str);
            (event.as_str(), status, &declared.handler)
        });
        let interactive =
            self.interactive.iter().map(|(event, declared)| (event.as_str(), "draft", &declared.handler));
        let scheduled =
            self.scheduled.iter().map(|(method, declared)| (method.as_str(), "enabled", &declared.handler));
        for (name, status, handler) in background.chain(interactive).chain(scheduled) {
            let sample =
                json!({"id": "sample", "type": request_type(name), "status": status, "method": name});
            for error in handler.verify(&sample, &scope) {
                problems.push(format!("{error} [{name}]"));
            }
        }
        if problems.is_empty() {
            return Ok(());
        }
        let message = format!("the container lacks what the extension needs:\n  {}", problems.join("\n  "));
        Err(Error::new(ErrorKind::Container, message))
    }
}

/// What every root container has, beside what the service providers bind.
pub(crate) fn bind_root(bind: &mut connect_container::Bindings, client: Client, context: Context) {
    bind.instance(client).instance(context).instance(Logger::current());
    // Made for each who asks, so that a task's carry the headers of its client.
    bind.transient(|r| r.get().map(AssetRequests::new))
        .transient(|r| r.get().map(TierConfigRequests::new))
        .transient(|r| {
            let context: Context = r.get()?;
            let client: Client = r.get()?;
            Ok::<_, connect_container::Error>(Schedules::new(
                &client,
                &context.extension_id,
                &context.environment_id,
            ))
        });
}

/// What a task's scope has before there is a task, to verify against.
pub(crate) fn sample_scope(container: &Container) -> Result<Scope, connect_container::Error> {
    container.scope().instance(TaskContext::sample()).build()
}

/// purchase for `asset_purchase_request_processing`, setup for `tier_config_setup_request_processing`.
fn request_type(event: &str) -> &str {
    let rest = event.strip_prefix("asset_").or_else(|| event.strip_prefix("tier_config_"));
    rest.and_then(|rest| rest.split('_').next()).unwrap_or("purchase")
}

/// Connect's rule: `^[A-Za-z](?:[A-Za-z0-9_\-.]+)*$`.
fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|char| char.is_ascii_alphanumeric() || "_-.".contains(char))
}

/// Statuses go into a filter as they are.
fn is_status(status: &str) -> bool {
    !status.is_empty() && status.chars().all(|char| char.is_ascii_alphanumeric() || "_-".contains(char))
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extension")
            .field("name", &self.descriptor().name)
            .field("background", &self.background.keys())
            .field("interactive", &self.interactive.keys())
            .field("scheduled", &self.scheduled.keys())
            .finish_non_exhaustive()
    }
}
