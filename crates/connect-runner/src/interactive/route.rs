//! Handlers by name.

use std::{collections::BTreeMap, fmt, sync::Arc};

use connect_container::{Error as ContainerError, Scope};
use connect_model::{HandlerError, InteractiveResponse};
use futures_util::future::BoxFuture;

use super::{Rejection, rejection::OnRejection};
use crate::Handler;

/// How much of a name that nobody handles is told, in characters.
const LONGEST_NAME: usize = 100;

type Answer = Result<InteractiveResponse, HandlerError>;

/// A handler whose type has been forgotten.
trait Route<T>: Send + Sync {
    fn handle(&self, call: T, scope: Scope) -> BoxFuture<'_, Answer>;

    fn verify(&self, sample: &T, scope: &Scope) -> Vec<ContainerError>;
}

struct Routed<H>(H);

impl<T: Send + 'static, H: Handler<T, InteractiveResponse>> Route<T> for Routed<H> {
    fn handle(&self, call: T, scope: Scope) -> BoxFuture<'_, Answer> {
        Box::pin(self.0.handle(call, scope))
    }

    fn verify(&self, sample: &T, scope: &Scope) -> Vec<ContainerError> {
        self.0.verify(sample, scope)
    }
}

/// Handlers by name, one for all other names, and how calls are refused.
pub(crate) struct Routes<T> {
    named: BTreeMap<String, Arc<dyn Route<T>>>,
    otherwise: Option<Arc<dyn Route<T>>>,
    pub(crate) on_rejection: OnRejection,
    problems: Vec<String>,
}

impl<T: Send + 'static> Routes<T> {
    pub(crate) fn new() -> Self {
        Self {
            named: BTreeMap::new(),
            otherwise: None,
            on_rejection: OnRejection::default(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn on(&mut self, name: String, handler: impl Handler<T, InteractiveResponse>) {
        if self.named.contains_key(&name) {
            self.problems.push(format!("\"{name}\" is handled twice"));
        }
        self.named.insert(name, Arc::new(Routed(handler)));
    }

    pub(crate) fn otherwise(&mut self, handler: impl Handler<T, InteractiveResponse>) {
        if self.otherwise.is_some() {
            self.problems.push("what has no handler of its own is handled twice".to_owned());
        }
        self.otherwise = Some(Arc::new(Routed(handler)));
    }

    /// What was declared wrong.
    pub(crate) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The names, to show them.
    pub(crate) fn names(&self) -> String {
        let otherwise = self.otherwise.as_ref().map(|_| "all others");
        self.named.keys().map(String::as_str).chain(otherwise).collect::<Vec<_>>().join(", ")
    }

    /// Calls the handler of a name; a rejection it returns is answered like our own.
    pub(crate) async fn call(&self, name: &str, call: Result<T, Rejection>, scope: Scope) -> Answer {
        let end = match (self.named.get(name).or(self.otherwise.as_ref()), call) {
            (_, Err(rejection)) => Err(rejection.into()),
            (Some(route), Ok(call)) => route.handle(call, scope).await,
            (None, Ok(_)) => Err(Rejection::Unknown(name.chars().take(LONGEST_NAME).collect()).into()),
        };
        end.or_else(|error: HandlerError| {
            let rejection = error.downcast::<Rejection>()?;
            Ok(self.on_rejection.answer(&rejection))
        })
    }

    pub(crate) fn verify(&self, sample: &T, scope: &Scope) -> Vec<ContainerError> {
        let all = self.named.values().chain(&self.otherwise);
        all.flat_map(|route| route.verify(sample, scope)).collect()
    }
}

impl<T> fmt::Debug for Routes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.named.keys()).finish()
    }
}

/// What the container lacks of these variables.
pub(crate) fn missing<'a>(
    variables: impl IntoIterator<Item = &'a str>,
    scope: &Scope,
) -> Vec<ContainerError> {
    // Variables are bound by their lower-cased names.
    let missing = |name: &str| scope.get_named::<String>(&name.to_lowercase()).err();
    variables.into_iter().filter_map(missing).collect()
}
