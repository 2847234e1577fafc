//! Who calls: guards for custom events.
//!
//! | guard | what a caller shows |
//! |---|---|
//! | [`OAuth1`] | a signature as of OAuth 1.0a ([RFC 5849](https://www.rfc-editor.org/rfc/rfc5849)), HMAC-SHA1 or HMAC-SHA256 |
//! | [`Jwt`] | `Authorization: Bearer` with a token that is signed with HS256 |
//! | [`Bearer`] | `Authorization: Bearer` with a text that both know |
//! | [`Basic`] | `Authorization: Basic` with user and password |
//! | [`ApiKey`] | a header with a text that both know |
//! | [`Anyone`], [`Nobody`] | nothing: all are let in, or none |
//!
//! `a.or(b)` lets in whom either lets in. Secrets are compared in constant time, and never shown.

pub(crate) mod fields;
mod oauth1;
mod replay;
mod schemes;

use connect_container::Scope;
use connect_model::CustomEvent;
use futures_util::future::BoxFuture;
pub use oauth1::{Consumer, OAuth1};
pub use schemes::{Anyone, ApiKey, Basic, Bearer, Jwt, Nobody};
use serde_json::{Map, Value};

use super::Rejection;

/// Who calls.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Caller {
    /// Its name: the user, the consumer key, the subject of the token. Empty where [`Anyone`] may call.
    pub id: String,
    /// What its token says, where it showed one.
    pub claims: Map<String, Value>,
}

impl Caller {
    /// A caller of this name.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), claims: Map::new() }
    }
}

/// Says who calls, or refuses.
///
/// ```
/// use connect_container::Scope;
/// use connect_model::CustomEvent;
/// use connect_runner::interactive::{Rejection, auth::{Authenticate, Caller}};
///
/// /// Lets in calls that name a tenant.
/// struct ByTenant;
///
/// impl Authenticate for ByTenant {
///     async fn authenticate(&self, request: &CustomEvent, _: &Scope) -> Result<Caller, Rejection> {
///         let tenant = request.querystring.get("tenant").and_then(|tenant| tenant.as_str());
///         tenant.map(Caller::new).ok_or_else(|| Rejection::unauthenticated("no tenant"))
///     }
/// }
/// ```
pub trait Authenticate: Send + Sync + 'static {
    /// Who calls.
    fn authenticate(
        &self,
        request: &CustomEvent,
        scope: &Scope,
    ) -> impl Future<Output = Result<Caller, Rejection>> + Send;

    /// The variables it needs, so that one that is not declared is told at the start.
    fn variables(&self) -> Vec<String> {
        Vec::new()
    }

    /// A guard that also lets in whom another lets in. A refusal is told by the one that was shown something.
    fn or<A: Authenticate>(self, other: A) -> Or<Self, A>
    where
        Self: Sized,
    {
        Or(self, other)
    }
}

/// Two guards, of which one has to let a caller in: [`Authenticate::or`].
#[derive(Clone, Debug)]
pub struct Or<A, B>(A, B);

impl<A: Authenticate, B: Authenticate> Authenticate for Or<A, B> {
    async fn authenticate(&self, request: &CustomEvent, scope: &Scope) -> Result<Caller, Rejection> {
        match self.0.authenticate(request, scope).await {
            Ok(caller) => Ok(caller),
            Err(first) => self.1.authenticate(request, scope).await.map_err(|second| {
                // What is wrong with what was shown; and a caller without fault is not told to be one.
                let first_counts = !first.is_missing() && second.is_missing();
                if first_counts || matches!(first, Rejection::Misconfigured(_)) { first } else { second }
            }),
        }
    }

    fn variables(&self) -> Vec<String> {
        [self.0.variables(), self.1.variables()].concat()
    }
}

/// A guard whose type has been forgotten.
pub(crate) trait Authenticator: Send + Sync {
    fn authenticate<'a>(
        &'a self,
        request: &'a CustomEvent,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Caller, Rejection>>;

    fn variables(&self) -> Vec<String>;
}

impl<A: Authenticate> Authenticator for A {
    fn authenticate<'a>(
        &'a self,
        request: &'a CustomEvent,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Caller, Rejection>> {
        Box::pin(Authenticate::authenticate(self, request, scope))
    }

    fn variables(&self) -> Vec<String> {
        Authenticate::variables(self)
    }
}
