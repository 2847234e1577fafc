use crate::{Error, Resolver, key::Key};

/// A struct that the container builds: each field is a service. Made by `#[derive(Inject)]`.
///
/// ```
/// use std::sync::Arc;
/// use connect_container::{Container, Inject};
///
/// #[derive(Inject)]
/// struct CreateUser {
///     clock: Arc<str>,                  // by type
///     #[inject(name = "api_url")]
///     api_url: String,                  // by name
///     retries: Option<u8>,              // may be absent
///     #[inject(default)]
///     calls: u64,                       // not a service
/// }
///
/// let container = Container::builder()
///     .bind(|bind| {
///         bind.instance::<Arc<str>>("a clock".into()).named("api_url", "https://api.example".to_owned());
///     })
///     .build()?;
/// let create_user: CreateUser = container.inject()?;
/// assert_eq!(create_user.api_url, "https://api.example");
/// assert_eq!(create_user.retries, None);
/// # assert_eq!((&*create_user.clock, create_user.calls), ("a clock", 0));
/// # Ok::<(), connect_container::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "the container does not know how to build `{Self}`",
    note = "add `#[derive(Inject)]` to it"
)]
pub trait Inject: Sized + Send + Sync + 'static {
    /// Builds it.
    fn inject(resolver: &Resolver<'_>) -> Result<Self, Error>;

    /// What it needs, known without building it.
    fn dependencies() -> Vec<Dependency>;
}

/// One thing that a struct needs.
#[derive(Clone, Debug)]
pub struct Dependency {
    pub(crate) key: Key,
    pub(crate) optional: bool,
}

impl Dependency {
    /// A service found by its type, or by this name and its type.
    #[must_use]
    pub fn of<T: 'static>(name: Option<&'static str>) -> Self {
        Self { key: Key::of::<T>(name.map(Into::into)), optional: false }
    }

    /// The same, which may be absent.
    #[must_use]
    pub fn optional<T: 'static>(name: Option<&'static str>) -> Self {
        Self { optional: true, ..Self::of::<T>(name) }
    }
}
