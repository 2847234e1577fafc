use std::{fmt, sync::Arc};

use crate::{
    Bindings, Config, Error, ErrorKind, Inject, Resolver, ScopeBuilder, Service, ServiceProvider,
    bindings::{Kind, Layer},
};

/// The root of all services: what is costly lives here, built once.
///
/// ```
/// use connect_container::Container;
///
/// let container = Container::builder()
///     .bind(|bind| {
///         bind.named("api_url", "https://api.example".to_owned());
///         bind.shared(|r| Ok::<_, connect_container::Error>(r.get_named::<String>("api_url")?.len()));
///     })
///     .build()?;
/// assert_eq!(container.get::<usize>()?, 19);
/// # Ok::<(), connect_container::Error>(())
/// ```
#[derive(Clone)]
pub struct Container(Arc<Root>);

struct Root {
    layer: Layer,
    config: Config,
}

impl Container {
    /// Starts to build one.
    pub fn builder() -> ContainerBuilder {
        ContainerBuilder::default()
    }

    pub(crate) fn layer(&self) -> &Layer {
        &self.0.layer
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    fn resolver(&self) -> Resolver<'_> {
        Resolver::new(self, None)
    }

    /// A service by its type.
    pub fn get<T: Service>(&self) -> Result<T, Error> {
        self.resolver().get()
    }

    /// A service by its name and type.
    pub fn get_named<T: Service>(&self, name: &str) -> Result<T, Error> {
        self.resolver().get_named(name)
    }

    /// A service by its type, if there is one.
    pub fn find<T: Service>(&self) -> Result<Option<T>, Error> {
        self.resolver().find()
    }

    /// A service by its name and type, if there is one.
    pub fn find_named<T: Service>(&self, name: &str) -> Result<Option<T>, Error> {
        self.resolver().find_named(name)
    }

    /// A struct, its fields filled with services.
    pub fn inject<T: Inject>(&self) -> Result<T, Error> {
        self.resolver().inject()
    }

    /// Starts to build a child scope, for one task.
    pub fn scope(&self) -> ScopeBuilder {
        ScopeBuilder::new(self.clone())
    }

    /// Checks the graph before anything runs, and builds every shared service once on the way.
    ///
    /// The error holds all that is missing or cyclic. What a factory failed at for reasons of its own (a database that
    /// is down) is not the graph's fault and comes back as warnings, and so does what a transient service misses here,
    /// since a task's scope may have it. Both are in the order of their texts, each once.
    pub fn verify(&self) -> Result<Vec<Error>, Error> {
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        for binding in self.layer().iter() {
            let Err(error) = self.resolver().try_binding(binding, false) else { continue };
            // A scope may bring what is missing; a cycle is wrong even where a scope would hide it.
            let may_come = matches!(binding.kind, Kind::Transient(_))
                && error.problems().all(|problem| problem.kind() != ErrorKind::Cycle);
            let list = if error.is_graph() && !may_come { &mut problems } else { &mut warnings };
            list.push(error);
        }
        // The table has no order; the texts shall have one.
        for list in [&mut problems, &mut warnings] {
            list.sort_by_cached_key(ToString::to_string);
            list.dedup_by_key(|problem| problem.to_string());
        }
        Error::all(problems).map(|()| warnings)
    }

    /// Checks that a struct could be built, without building it; the error holds all that it misses.
    pub fn verify_inject<T: Inject>(&self) -> Result<(), Error> {
        self.resolver().verify::<T>()
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container").field("bindings", &self.0.layer).field("config", &self.0.config).finish()
    }
}

/// Gathers service providers and makes a [`Container`] of them.
#[derive(Default)]
#[must_use]
pub struct ContainerBuilder {
    bindings: Vec<Bindings>,
    slots: Vec<(String, Arc<dyn ServiceProvider>)>,
    fallbacks: Vec<Bindings>,
    config: Config,
    problems: Vec<Error>,
}

impl ContainerBuilder {
    /// Adds a provider.
    #[allow(clippy::needless_pass_by_value, reason = "a provider is handed over, as in all verbs")]
    pub fn provider(mut self, provider: impl ServiceProvider) -> Self {
        self.bindings.push(registered(&provider));
        self
    }

    /// Adds a provider in a slot, by whose name it can be replaced whole. A slot filled twice is an error.
    pub fn slot(mut self, name: impl Into<String>, provider: impl ServiceProvider) -> Self {
        let name = name.into();
        if self.slots.iter().any(|(slot, _)| *slot == name) {
            self.problems.push(Error::duplicate_slot(&name));
        } else {
            self.slots.push((name, Arc::new(provider)));
        }
        self
    }

    /// Puts a provider into a slot in place of the one that is there, or as its first.
    pub fn replace_slot(mut self, name: impl Into<String>, provider: impl ServiceProvider) -> Self {
        let name = name.into();
        let provider: Arc<dyn ServiceProvider> = Arc::new(provider);
        match self.slots.iter_mut().find(|(slot, _)| *slot == name) {
            Some((_, replaced)) => *replaced = provider,
            None => self.slots.push((name, provider)),
        }
        self
    }

    /// Adds a provider whose bindings hold only where nobody else binds the same.
    #[allow(clippy::needless_pass_by_value, reason = "a provider is handed over, as in all verbs")]
    pub fn fallback(mut self, provider: impl ServiceProvider) -> Self {
        self.fallbacks.push(registered(&provider));
        self
    }

    /// Adds bindings without a provider.
    pub fn bind(mut self, bind: impl FnOnce(&mut Bindings)) -> Self {
        let mut bindings = Bindings::new("the builder");
        bind(&mut bindings);
        self.bindings.push(bindings);
        self
    }

    /// Binds a configuration: by its type, and each variable by its lower-cased name, where no provider binds that name.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Makes the container. Nothing is built yet; what is bound twice is the error.
    pub fn build(mut self) -> Result<Container, Error> {
        self.bindings.extend(self.slots.iter().map(|(_, provider)| registered(provider)));
        let mut own = Bindings::new("the configuration");
        own.instance(self.config.clone());
        self.fallbacks.push(own);
        let layer = Layer::new(self.bindings, self.fallbacks, &mut self.problems);
        Error::all(self.problems)?;
        Ok(Container(Arc::new(Root { layer, config: self.config })))
    }
}

fn registered(provider: &impl ServiceProvider) -> Bindings {
    let mut bindings = Bindings::new(&provider.name());
    provider.register(&mut bindings);
    bindings
}

impl fmt::Debug for ContainerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContainerBuilder").field("bindings", &self.bindings).finish_non_exhaustive()
    }
}
