use std::{
    any::{Any, type_name},
    borrow::Cow,
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock},
};

use crate::{
    BoxError, Error, Resolver,
    key::{Key, short},
};

/// A value that a container gives out: it is cloned, so costly ones stand in an `Arc`.
///
/// ```
/// fn is_a_service<T: connect_container::Service>() {}
/// is_a_service::<String>();
/// is_a_service::<std::sync::Arc<dyn Send + Sync>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be injected: services are cloned out of the container and used from many threads",
    label = "is not `Clone + Send + Sync + 'static`",
    note = "wrap it in `Arc`"
)]
pub trait Service: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Service for T {}

/// A group of bindings that belong together.
///
/// ```
/// use connect_container::{Bindings, Container, ServiceProvider};
///
/// struct VendorServiceProvider;
///
/// impl ServiceProvider for VendorServiceProvider {
///     fn register(&self, bind: &mut Bindings) {
///         bind.named("api_url", "https://api.vendor.example".to_owned());
///     }
/// }
///
/// let container = Container::builder().provider(VendorServiceProvider).build()?;
/// assert_eq!(container.get_named::<String>("api_url")?, "https://api.vendor.example");
/// # Ok::<(), connect_container::Error>(())
/// ```
pub trait ServiceProvider: Send + Sync + 'static {
    /// Binds.
    fn register(&self, bind: &mut Bindings);

    /// Its name in error texts; by default that of its type.
    fn name(&self) -> String {
        short(type_name::<Self>())
    }
}

impl<P: ServiceProvider + ?Sized> ServiceProvider for Arc<P> {
    fn register(&self, bind: &mut Bindings) {
        (**self).register(bind);
    }

    fn name(&self) -> String {
        (**self).name()
    }
}

pub(crate) type AnyService = Box<dyn Any + Send + Sync>;
type Factory = Box<dyn Fn(&Resolver<'_>) -> Result<AnyService, Error> + Send + Sync>;

pub(crate) enum Kind {
    Instance(AnyService),
    /// Built at first use, outside any lock; of several that build at once the first wins.
    Shared(Factory, OnceLock<AnyService>),
    Transient(Factory),
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Instance(_) => "instance",
            Self::Shared(..) => "shared",
            Self::Transient(_) => "transient",
        }
    }
}

pub(crate) struct Binding {
    pub(crate) key: Key,
    pub(crate) kind: Kind,
    provider: Arc<str>,
    replaces: bool,
}

/// What a service provider writes into.
///
/// Three kinds of binding, each by type or by name: `instance` is a value; `shared` is built once per container, at
/// first use; `transient` is built new for each who asks. Binding the same twice is an error; [`replace`](Self::replace)
/// binds anew on purpose.
pub struct Bindings {
    list: Vec<Binding>,
    provider: Arc<str>,
    replacing: bool,
}

impl Bindings {
    pub(crate) fn new(provider: &str) -> Self {
        Self { list: Vec::new(), provider: provider.into(), replacing: false }
    }

    fn push(&mut self, key: Key, kind: Kind) -> &mut Self {
        let replaces = std::mem::take(&mut self.replacing);
        self.list.push(Binding { key, kind, provider: Arc::clone(&self.provider), replaces });
        self
    }

    fn factory<T: Service, E: Into<BoxError>>(
        key: &Key,
        factory: impl Fn(&Resolver<'_>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Factory {
        let key = key.clone();
        Box::new(move |resolver| match factory(resolver) {
            Ok(value) => Ok(Box::new(value)),
            Err(error) => Err(Error::factory(&key, resolver.required_by(1), error.into())),
        })
    }

    /// A value, by its type.
    pub fn instance<T: Service>(&mut self, value: T) -> &mut Self {
        self.push(Key::of::<T>(None), Kind::Instance(Box::new(value)))
    }

    /// A value, by a name and its type.
    pub fn named<T: Service>(&mut self, name: impl Into<Cow<'static, str>>, value: T) -> &mut Self {
        self.push(Key::of::<T>(Some(name.into())), Kind::Instance(Box::new(value)))
    }

    /// Built once per container, at first use, by type. A factory of the root never sees what only a task's scope has.
    ///
    /// It is built outside any lock: where several ask at once it may be built several times, and all get the one that
    /// was ready first.
    pub fn shared<T: Service, E: Into<BoxError>>(
        &mut self,
        factory: impl Fn(&Resolver<'_>) -> Result<T, E> + Send + Sync + 'static,
    ) -> &mut Self {
        let key = Key::of::<T>(None);
        let factory = Self::factory(&key, factory);
        self.push(key, Kind::Shared(factory, OnceLock::new()))
    }

    /// As [`shared`](Self::shared), by a name and type.
    pub fn shared_named<T: Service, E: Into<BoxError>>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        factory: impl Fn(&Resolver<'_>) -> Result<T, E> + Send + Sync + 'static,
    ) -> &mut Self {
        let key = Key::of::<T>(Some(name.into()));
        let factory = Self::factory(&key, factory);
        self.push(key, Kind::Shared(factory, OnceLock::new()))
    }

    /// Built new for each who asks, by type; it sees what the one who asks sees.
    pub fn transient<T: Service, E: Into<BoxError>>(
        &mut self,
        factory: impl Fn(&Resolver<'_>) -> Result<T, E> + Send + Sync + 'static,
    ) -> &mut Self {
        let key = Key::of::<T>(None);
        let factory = Self::factory(&key, factory);
        self.push(key, Kind::Transient(factory))
    }

    /// As [`transient`](Self::transient), by a name and type.
    pub fn transient_named<T: Service, E: Into<BoxError>>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        factory: impl Fn(&Resolver<'_>) -> Result<T, E> + Send + Sync + 'static,
    ) -> &mut Self {
        let key = Key::of::<T>(Some(name.into()));
        let factory = Self::factory(&key, factory);
        self.push(key, Kind::Transient(factory))
    }

    /// Makes the next binding take the place of one that somebody else made: `bind.replace().instance(value)`.
    /// Replacing what nobody binds is an error.
    pub fn replace(&mut self) -> &mut Self {
        self.replacing = true;
        self
    }

    /// Registers another provider.
    #[allow(clippy::needless_pass_by_value, reason = "a provider is handed over, as in all verbs")]
    pub fn provider(&mut self, provider: impl ServiceProvider) -> &mut Self {
        let outer = std::mem::replace(&mut self.provider, provider.name().into());
        provider.register(self);
        self.provider = outer;
        self
    }
}

impl fmt::Debug for Bindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} by {}", self.kind.name(), self.key, self.provider)
    }
}

/// The bindings of a container or of a scope, by key.
#[derive(Default)]
pub(crate) struct Layer(HashMap<Key, Binding>);

impl Layer {
    /// All bindings in one table; a fallback holds only where nothing else is bound.
    pub(crate) fn new(bindings: Vec<Bindings>, fallbacks: Vec<Bindings>, problems: &mut Vec<Error>) -> Self {
        let mut layer = HashMap::new();
        let (replacing, plain): (Vec<_>, Vec<_>) =
            bindings.into_iter().flat_map(|bindings| bindings.list).partition(|binding| binding.replaces);
        insert(&mut layer, plain, problems);
        for binding in fallbacks.into_iter().flat_map(|bindings| bindings.list) {
            // What gives way to all others replaces nobody.
            layer.entry(binding.key.clone()).or_insert(Binding { replaces: false, ..binding });
        }
        for binding in replacing {
            match layer.get(&binding.key) {
                Some(first) if first.replaces => {
                    problems.push(Error::duplicate(&binding.key, &first.provider, &binding.provider));
                }
                Some(_) => drop(layer.insert(binding.key.clone(), binding)),
                None => problems.push(Error::nothing_to_replace(&binding.key, &binding.provider)),
            }
        }
        Self(layer)
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Binding> {
        self.0.get(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Binding> {
        self.0.values()
    }
}

fn insert(layer: &mut HashMap<Key, Binding>, list: Vec<Binding>, problems: &mut Vec<Error>) {
    for binding in list {
        if let Some(first) = layer.get(&binding.key) {
            problems.push(Error::duplicate(&binding.key, &first.provider, &binding.provider));
        } else {
            layer.insert(binding.key.clone(), binding);
        }
    }
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bindings: Vec<String> = self.iter().map(|binding| format!("{binding:?}")).collect();
        bindings.sort();
        f.debug_list().entries(bindings.iter().map(|text| format_args!("{text}").to_string())).finish()
    }
}
