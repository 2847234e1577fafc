use connect_container::{Config, Scope};
use connect_model::wire::Secret;

use super::Rejection;
use crate::TaskScope;

/// A secret, or the name of the variable that holds it. Its `Debug` shows no secret.
///
/// ```
/// use connect_runner::interactive::Credential;
///
/// let from_connect = Credential::variable("EVENTS_KEY");
/// let of_a_test = Credential::value("canary");
/// assert!(!format!("{of_a_test:?}").contains("canary"));
/// ```
#[derive(Clone, Debug)]
pub struct Credential(Source);

#[derive(Clone, Debug)]
enum Source {
    Value(Secret),
    Variable(String),
}

impl Credential {
    /// What the variable of this name holds when a call comes. It has to be declared; while it is empty, calls are refused
    /// with the status 500.
    #[must_use]
    pub fn variable(name: impl Into<String>) -> Self {
        Self(Source::Variable(name.into()))
    }

    /// This text; an empty one refuses all calls.
    #[must_use]
    pub fn value(secret: impl Into<String>) -> Self {
        Self(Source::Value(Secret::new(secret)))
    }

    /// The variable that holds it.
    pub(crate) fn variable_name(&self) -> Option<&str> {
        match &self.0 {
            Source::Variable(name) => Some(name),
            Source::Value(_) => None,
        }
    }

    /// The secret; never an empty one.
    pub(crate) fn expose<'a>(&'a self, config: &'a Config) -> Result<&'a str, Rejection> {
        match &self.0 {
            Source::Value(secret) if secret.expose().is_empty() => {
                Err(Rejection::Misconfigured("a secret is empty".to_owned()))
            }
            Source::Value(secret) => Ok(secret.expose()),
            Source::Variable(name) => {
                config.require(name).map_err(|error| Rejection::Misconfigured(error.to_string()))
            }
        }
    }
}

/// The variables as they are now.
pub(crate) fn config(scope: &Scope) -> Result<Config, Rejection> {
    scope.config().map_err(|error| Rejection::Misconfigured(error.to_string()))
}

/// The secrets of products, by which Connect signs the tokens of product actions.
///
/// ```
/// use connect_runner::interactive::{Credential, JwtSecrets};
///
/// let one_product = JwtSecrets::variable("PRODUCT_JWT_SECRET");
/// // The secret that a token was signed with says whose action it is.
/// let two_products = JwtSecrets::new()
///     .product("PRD-000-000-001", Credential::variable("FIRST_JWT_SECRET"))
///     .product("PRD-000-000-002", Credential::variable("SECOND_JWT_SECRET"));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct JwtSecrets(Vec<(Option<String>, Credential)>);

impl JwtSecrets {
    /// None: every call is refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// The secret of the one product that the extension is for, from a variable.
    pub fn variable(name: impl Into<String>) -> Self {
        Self::new().or(Credential::variable(name))
    }

    /// The secret of a product (`PRD-…`). Two of one product, while it is renewed, both hold.
    pub fn product(mut self, product_id: impl Into<String>, secret: Credential) -> Self {
        self.0.push((Some(product_id.into()), secret));
        self
    }

    /// A further secret, of no product that is to be known.
    pub fn or(mut self, secret: Credential) -> Self {
        self.0.push((None, secret));
        self
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Option<&str>, &Credential)> {
        self.0.iter().map(|(product, secret)| (product.as_deref(), secret))
    }
}
