use std::{error::Error as StdError, fmt};

use crate::{BoxError, key::Key};

/// Why a service can't be had.
///
/// The text holds the whole chain: `no binding for "api_url": String (required by CreateUser → VendorApi)`.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    /// Who asked, the outermost first.
    required_by: Vec<String>,
    hint: Option<String>,
    source: Option<BoxError>,
    problems: Vec<Error>,
}

/// What kind of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nothing is bound for the type, or for the name.
    Missing,
    /// The name is bound to another type.
    WrongType,
    /// A service needs itself, perhaps through others.
    Cycle,
    /// Two providers bind the same.
    Duplicate,
    /// A factory failed; its error is the source.
    Factory,
    /// Several problems at once, see [`Error::problems`].
    Several,
}

impl Error {
    fn new(kind: ErrorKind, message: String, required_by: Vec<String>) -> Self {
        Self { kind, message, required_by, hint: None, source: None, problems: Vec::new() }
    }

    pub(crate) fn missing(key: &Key, required_by: Vec<String>, hint: Option<String>) -> Self {
        Self { hint, ..Self::new(ErrorKind::Missing, format!("no binding for {key}"), required_by) }
    }

    pub(crate) fn wrong_type(key: &Key, bound: &str, required_by: Vec<String>) -> Self {
        let message = format!("no binding for {key}, the name is bound to {bound}");
        Self::new(ErrorKind::WrongType, message, required_by)
    }

    pub(crate) fn cycle(names: &[String]) -> Self {
        Self::new(ErrorKind::Cycle, format!("cyclic dependency: {}", names.join(" → ")), Vec::new())
    }

    pub(crate) fn duplicate(key: &Key, first: &str, second: &str) -> Self {
        let by =
            if first == second { format!("twice by {first}") } else { format!("by {first} and by {second}") };
        let message = format!("{key} is bound {by}: use `replace` to bind it anew");
        Self::new(ErrorKind::Duplicate, message, Vec::new())
    }

    pub(crate) fn nothing_to_replace(key: &Key, provider: &str) -> Self {
        Self::new(ErrorKind::Missing, format!("{provider} replaces {key}, which nobody binds"), Vec::new())
    }

    pub(crate) fn duplicate_slot(slot: &str) -> Self {
        let message = format!("the slot \"{slot}\" is filled twice: use `replace_slot` to fill it anew");
        Self::new(ErrorKind::Duplicate, message, Vec::new())
    }

    /// A factory's failure; an error of the container that came through it stays what it is.
    pub(crate) fn factory(key: &Key, required_by: Vec<String>, source: BoxError) -> Self {
        match source.downcast::<Self>() {
            Ok(own) => *own,
            Err(source) => Self {
                source: Some(source),
                ..Self::new(ErrorKind::Factory, format!("cannot build {key}"), required_by)
            },
        }
    }

    /// One error of all problems; none of none.
    pub(crate) fn all(mut problems: Vec<Self>) -> Result<(), Self> {
        match problems.len() {
            0 => Ok(()),
            1 => Err(problems.remove(0)),
            count => Err(Self {
                problems,
                ..Self::new(ErrorKind::Several, format!("{count} problems"), Vec::new())
            }),
        }
    }

    /// What kind of reason it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Who asked for what is not there, the outermost first.
    #[must_use]
    pub fn required_by(&self) -> &[String] {
        &self.required_by
    }

    /// The single problems of an error that holds several; itself otherwise.
    pub fn problems(&self) -> impl Iterator<Item = &Self> {
        let own = self.problems.is_empty().then_some(self);
        own.into_iter().chain(&self.problems)
    }

    /// Whether the graph of bindings is wrong, rather than a factory having failed.
    #[must_use]
    pub fn is_graph(&self) -> bool {
        self.problems().all(|problem| problem.kind != ErrorKind::Factory)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        if !self.required_by.is_empty() {
            write!(f, " (required by {})", self.required_by.join(" → "))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
