use std::any::Any;

use crate::{
    Config, Container, Error, ErrorKind, Inject, Scope, Service,
    bindings::{AnyService, Binding, Kind},
    key::{Key, short},
};

/// What a factory asks for services, and what `#[derive(Inject)]` fills fields from.
///
/// It knows who asked for whom, so that errors tell the whole chain.
#[derive(Clone, Copy, Debug)]
pub struct Resolver<'a> {
    container: &'a Container,
    /// None where a shared service of the root is being built: it never sees a scope.
    scope: Option<&'a Scope>,
    path: Option<&'a Step<'a>>,
}

/// One who asks, and who asked for it: a list on the stack.
#[derive(Debug)]
struct Step<'a> {
    label: Label<'a>,
    outer: Option<&'a Step<'a>>,
}

#[derive(Debug)]
enum Label<'a> {
    /// A binding of the root, or of the scope.
    Binding(&'a Key, bool),
    /// A struct that is being injected.
    Struct(&'static str),
}

impl Label<'_> {
    fn text(&self) -> String {
        match self {
            Self::Binding(key, _) => key.to_string(),
            Self::Struct(type_name) => short(type_name),
        }
    }
}

/// A service where it is kept, or just built.
enum Found<'a> {
    Kept(&'a (dyn Any + Send + Sync)),
    Built(AnyService),
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(container: &'a Container, scope: Option<&'a Scope>) -> Self {
        Self { container, scope, path: None }
    }

    /// A service by its type.
    pub fn get<T: Service>(&self) -> Result<T, Error> {
        self.resolve(&Key::of::<T>(None))
    }

    /// A service by its name and type.
    pub fn get_named<T: Service>(&self, name: &str) -> Result<T, Error> {
        self.resolve(&Key::of::<T>(Some(name.to_owned().into())))
    }

    /// A service by its type, if there is one.
    pub fn find<T: Service>(&self) -> Result<Option<T>, Error> {
        self.resolve_optional(&Key::of::<T>(None))
    }

    /// A service by its name and type, if there is one.
    pub fn find_named<T: Service>(&self, name: &str) -> Result<Option<T>, Error> {
        self.resolve_optional(&Key::of::<T>(Some(name.to_owned().into())))
    }

    /// A struct, its fields filled with services. To bind it as a service itself: `bind.shared(VendorApi::inject)`.
    pub fn inject<T: Inject>(&self) -> Result<T, Error> {
        let step = Step { label: Label::Struct(std::any::type_name::<T>()), outer: self.path };
        T::inject(&Resolver { path: Some(&step), ..*self })
    }

    /// What of a struct's needs is not there; shared services it needs are built for the check.
    pub(crate) fn verify<T: Inject>(&self) -> Result<(), Error> {
        let step = Step { label: Label::Struct(std::any::type_name::<T>()), outer: self.path };
        let resolver = Resolver { path: Some(&step), ..*self };
        let needed = T::dependencies();
        let problems = needed.iter().filter_map(|dependency| {
            let error = resolver.check(&dependency.key).err()?;
            let absent = error.kind() == ErrorKind::Missing && !resolver.is_bound(&dependency.key);
            (!dependency.optional || !absent).then_some(error)
        });
        Error::all(problems.filter(Error::is_graph).collect())
    }

    /// Whether a key can be had, without building what is new for each who asks.
    fn check(&self, key: &Key) -> Result<(), Error> {
        match self.lookup(key) {
            Some((binding, in_scope)) if !matches!(binding.kind, Kind::Transient(_)) => {
                self.service(binding, in_scope).map(|_| ())
            }
            Some(_) => Ok(()),
            None if self.variable(key).is_some() => Ok(()),
            None => Err(self.not_bound(key)),
        }
    }

    /// Builds one binding and forgets it.
    pub(crate) fn try_binding(&self, binding: &'a Binding, in_scope: bool) -> Result<(), Error> {
        self.service(binding, in_scope).map(|_| ())
    }

    fn lookup(&self, key: &Key) -> Option<(&'a Binding, bool)> {
        let in_scope = self.scope.and_then(|scope| scope.layer().get(key)).map(|binding| (binding, true));
        in_scope.or_else(|| self.container.layer().get(key).map(|binding| (binding, false)))
    }

    fn is_bound(&self, key: &Key) -> bool {
        self.lookup(key).is_some() || self.variable(key).is_some()
    }

    fn config(&self) -> &'a Config {
        self.container.config()
    }

    /// A variable by its lower-cased name; explicit bindings come first, so an operator can't break an extension by
    /// adding one.
    fn variable(&self, key: &Key) -> Option<&'a str> {
        let text = key.type_id == std::any::TypeId::of::<String>();
        key.name.as_deref().filter(|_| text).and_then(|name| self.config().by_lower_name(name))
    }

    fn resolve<T: Service>(&self, key: &Key) -> Result<T, Error> {
        let Some((binding, in_scope)) = self.lookup(key) else {
            let variable = self.variable(key).map(str::to_owned);
            let found = variable.and_then(|value| (&value as &dyn Any).downcast_ref::<T>().cloned());
            return found.ok_or_else(|| self.not_bound(key));
        };
        let found = self.service(binding, in_scope)?;
        let value = match &found {
            Found::Kept(service) => service.downcast_ref::<T>(),
            Found::Built(service) => service.downcast_ref::<T>(),
        };
        // The type is part of the key, so this always finds it.
        value.cloned().ok_or_else(|| self.not_bound(key))
    }

    fn resolve_optional<T: Service>(&self, key: &Key) -> Result<Option<T>, Error> {
        if self.is_bound(key) {
            return self.resolve(key).map(Some);
        }
        match self.not_bound(key) {
            error if error.kind() == ErrorKind::WrongType => Err(error),
            _ => Ok(None),
        }
    }

    fn service(&self, binding: &'a Binding, in_scope: bool) -> Result<Found<'a>, Error> {
        let (factory, cell) = match &binding.kind {
            Kind::Instance(value) => return Ok(Found::Kept(&**value)),
            Kind::Shared(factory, cell) => match cell.get() {
                Some(value) => return Ok(Found::Kept(&**value)),
                None => (factory, Some(cell)),
            },
            Kind::Transient(factory) => (factory, None),
        };
        self.check_cycle(&binding.key, in_scope)?;
        let step = Step { label: Label::Binding(&binding.key, in_scope), outer: self.path };
        let scope = if cell.is_some() && !in_scope { None } else { self.scope };
        let built = factory(&Resolver { container: self.container, scope, path: Some(&step) })?;
        Ok(match cell {
            Some(cell) => Found::Kept(&**cell.get_or_init(|| built)),
            None => Found::Built(built),
        })
    }

    fn check_cycle(&self, key: &Key, in_scope: bool) -> Result<(), Error> {
        let mut steps = std::iter::successors(self.path, |step| step.outer);
        let repeats = |step: &&Step<'_>| match step.label {
            Label::Binding(other, other_in_scope) => other == key && other_in_scope == in_scope,
            Label::Struct(_) => false,
        };
        let Some(length) = steps.position(|step| repeats(&step)) else { return Ok(()) };
        let steps = std::iter::successors(self.path, |step| step.outer).take(length + 1);
        let mut names: Vec<String> = steps.map(|step| step.label.text()).collect();
        names.reverse();
        names.push(key.to_string());
        names.dedup();
        // A service that needs itself directly.
        if names.len() == 1 {
            names.push(key.to_string());
        }
        Err(Error::cycle(&names))
    }

    /// Who asks, the outermost first; `skip` leaves out the innermost.
    pub(crate) fn required_by(&self, skip: usize) -> Vec<String> {
        let steps = std::iter::successors(self.path, |step| step.outer);
        let mut names: Vec<String> = steps.skip(skip).map(|step| step.label.text()).collect();
        names.reverse();
        // A binding whose factory injects a struct of the same name.
        names.dedup();
        names
    }

    fn not_bound(&self, key: &Key) -> Error {
        let required_by = self.required_by(0);
        let Some(name) = key.name.as_deref() else { return Error::missing(key, required_by, None) };
        let layers = self.scope.map(Scope::layer).into_iter().chain([self.container.layer()]);
        let bound: Vec<&Key> =
            layers.flat_map(crate::bindings::Layer::iter).map(|binding| &binding.key).collect();
        // The table has no order; the text shall be the same each time.
        let same_name = bound.iter().filter(|other| other.name.as_deref() == Some(name));
        if let Some(other) = same_name.map(|other| other.type_text()).min() {
            return Error::wrong_type(key, &other, required_by);
        }
        if self.config().by_lower_name(name).is_some() {
            return Error::wrong_type(key, "String", required_by);
        }
        let names = bound.iter().filter_map(|key| key.name.as_deref()).chain(self.config().lower_names());
        let near = names.map(|other| (distance(name, other), other)).min();
        let hint = near
            .filter(|(distance, _)| *distance <= 2)
            .map(|(_, other)| format!("did you mean \"{other}\"?"));
        Error::missing(key, required_by, hint)
    }
}

/// How many letters have to change to make one name of another (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, left) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, right) in right.iter().enumerate() {
            let changed = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_near() {
        assert_eq!(distance("api_url", "api_uri"), 1);
        assert_eq!(distance("api_url", "api_url"), 0);
        assert_eq!(distance("", "abc"), 3);
    }
}
