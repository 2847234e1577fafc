use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Bindings, Container, Error, Inject, Resolver, Service, bindings::Layer};

/// The services of one task: its own, and all of its container's.
///
/// What is bound here hides what the container binds under the same key, for this task alone. Clones are the same
/// scope.
///
/// ```
/// use connect_container::Container;
///
/// let container = Container::builder().bind(|bind| { bind.named("url", "root".to_owned()); }).build()?;
/// let scope = container.scope().named("url", "task".to_owned()).build()?;
/// assert_eq!(scope.get_named::<String>("url")?, "task");
/// assert_eq!(container.get_named::<String>("url")?, "root");
/// # Ok::<(), connect_container::Error>(())
/// ```
#[derive(Clone)]
pub struct Scope(Arc<Child>);

struct Child {
    container: Container,
    layer: Layer,
    annotations: Mutex<Vec<(&'static str, String)>>,
}

impl Scope {
    /// The container it belongs to.
    #[must_use]
    pub fn container(&self) -> &Container {
        &self.0.container
    }

    pub(crate) fn layer(&self) -> &Layer {
        &self.0.layer
    }

    fn resolver(&self) -> Resolver<'_> {
        Resolver::new(&self.0.container, Some(self))
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

    /// Checks that a struct could be built, without building it; the error holds all that it misses.
    pub fn verify_inject<T: Inject>(&self) -> Result<(), Error> {
        self.resolver().verify::<T>()
    }

    /// Leaves a note for whoever runs the scope, such as which transaction was selected; one of that key is replaced.
    pub fn annotate(&self, key: &'static str, value: impl Into<String>) {
        let mut annotations = self.0.annotations.lock().unwrap_or_else(PoisonError::into_inner);
        annotations.retain(|(other, _)| *other != key);
        annotations.push((key, value.into()));
    }

    /// The note of that key.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<String> {
        let annotations = self.0.annotations.lock().unwrap_or_else(PoisonError::into_inner);
        annotations.iter().find(|(other, _)| *other == key).map(|(_, value)| value.clone())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("bindings", &self.0.layer).finish_non_exhaustive()
    }
}

/// Gathers the services of one task and makes a [`Scope`] of them.
#[must_use]
pub struct ScopeBuilder {
    container: Container,
    bindings: Bindings,
}

impl ScopeBuilder {
    pub(crate) fn new(container: Container) -> Self {
        Self { container, bindings: Bindings::new("the scope") }
    }

    /// A value, by its type.
    pub fn instance<T: Service>(mut self, value: T) -> Self {
        self.bindings.instance(value);
        self
    }

    /// A value, by a name and its type.
    pub fn named<T: Service>(mut self, name: impl Into<Cow<'static, str>>, value: T) -> Self {
        self.bindings.named(name, value);
        self
    }

    /// Any bindings; what is shared is built once for this scope.
    pub fn bind(mut self, bind: impl FnOnce(&mut Bindings)) -> Self {
        bind(&mut self.bindings);
        self
    }

    /// Makes the scope; what is bound twice is the error.
    pub fn build(self) -> Result<Scope, Error> {
        let mut problems = Vec::new();
        let layer = Layer::new(vec![self.bindings], Vec::new(), &mut problems);
        Error::all(problems)?;
        Ok(Scope(Arc::new(Child { container: self.container, layer, annotations: Mutex::default() })))
    }
}

impl fmt::Debug for ScopeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeBuilder").field("bindings", &self.bindings).finish_non_exhaustive()
    }
}
