//! Offline mode: which requests are left alone, and what is done with them instead.
//!
//! A subscription is offline while something outside Connect takes care of it: a migration, a hand. [`OfflineMode`] is a
//! middleware that asks [`OfflineCriteria`] and, where all their rules match, answers by [`OnMatch`] without going on.
//!
//! By default, as in the original, a subscription is offline if the parameter [`OFFLINE_MODE`] has its id as the value or
//! the configuration parameter [`OFFLINE_MODE_LIST`] lists it, and only cancellations and suspensions are left alone.
//!
//! ```
//! use connect_container::Container;
//! use connect_model::{AssetRequest, BackgroundResponse, RequestType};
//! use connect_saga::{Middlewares, Saga, Transactions, offline::OfflineMode};
//!
//! struct CancelSaga;
//!
//! impl Saga for CancelSaga {
//!     fn middlewares(&self, _: &AssetRequest) -> Middlewares { Middlewares::new().then::<OfflineMode>() }
//!
//!     fn transactions(&self, _: &AssetRequest) -> Transactions {
//!         Transactions::new().otherwise(BackgroundResponse::done())
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let request = AssetRequest::default()
//!     .with_type(RequestType::Cancel)
//!     .with_asset_id("AS-1")
//!     .with_param("offline_mode", "AS-1");
//! let response = CancelSaga.resolve(request, Container::builder().build()?.scope().build()?).await?;
//! assert_eq!(response, BackgroundResponse::skip("The subscription AS-1 is in offline mode."));
//! # Ok::<(), connect_model::HandlerError>(())
//! # }).map_err(|error| error.into_std())?;
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! ```

mod action;
mod rules;

use std::{fmt, sync::Arc};

use connect_container::{Bindings, Dependency, Error as ContainerError, Inject, Resolver, ServiceProvider};
use connect_model::{AssetRequest, BackgroundResponse, Request, TierConfigRequest};

pub use action::{Approve, OnMatch};
pub use rules::{
    OFFLINE_MODE, OFFLINE_MODE_LIST, Rule, all_of, any_of, asset_parameter,
    composited_match_offline_asset_and_marketplace_parameter, marketplace_parameter,
    match_offline_asset_parameter, match_offline_marketplace_parameter, match_request_type, request_type,
};

use crate::{Middleware, Next, Result};

/// The rules by which a request is left alone: all of them have to match. Without a rule none is.
///
/// ```
/// use connect_model::{AssetRequest, RequestType};
/// use connect_saga::offline::{OfflineCriteria, asset_parameter, request_type};
///
/// let criteria = OfflineCriteria::new()
///     .rule(request_type([RequestType::Cancel, RequestType::Change]))
///     .rule(asset_parameter("migrating"));
/// let request = AssetRequest::default().with_type("change").with_asset_id("AS-1");
/// assert!(!criteria.is_offline(&request));
/// assert!(criteria.is_offline(&request.with_param("migrating", "AS-1")));
/// ```
pub struct OfflineCriteria<R = AssetRequest>(Vec<Arc<dyn Rule<R>>>);

impl<R: 'static> OfflineCriteria<R> {
    /// No rule: nothing is offline.
    #[must_use]
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a rule that has to match too.
    #[must_use]
    pub fn rule(mut self, rule: impl Rule<R>) -> Self {
        self.0.push(Arc::new(rule));
        self
    }

    /// Whether the request is to be left alone.
    #[must_use]
    pub fn is_offline(&self, request: &R) -> bool {
        !self.0.is_empty() && self.0.iter().all(|rule| rule.matches(request))
    }
}

impl Default for OfflineCriteria {
    /// The rules of the original's provider: either parameter names the asset, and the request cancels or suspends.
    fn default() -> Self {
        Self::new().rule(composited_match_offline_asset_and_marketplace_parameter).rule(match_request_type)
    }
}

impl<R> Clone for OfflineCriteria<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R> fmt::Debug for OfflineCriteria<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfflineCriteria").field("rules", &self.0.len()).finish()
    }
}

/// The middleware that answers requests which are to be left alone.
///
/// The container builds it with the [`OfflineCriteria`] and the [`OnMatch`] that are bound, or with the default ones. For
/// other requests than those about assets, it is made by [`new`](Self::new).
#[derive(Debug)]
pub struct OfflineMode<R = AssetRequest> {
    criteria: OfflineCriteria<R>,
    on_match: OnMatch<R>,
}

impl<R> OfflineMode<R> {
    /// Of these rules and this answer.
    #[must_use]
    pub fn new(criteria: OfflineCriteria<R>, on_match: OnMatch<R>) -> Self {
        Self { criteria, on_match }
    }
}

impl Default for OfflineMode {
    /// Of the default rules, with the default answer.
    fn default() -> Self {
        Self::new(OfflineCriteria::default(), OnMatch::default())
    }
}

impl Inject for OfflineMode {
    fn inject(resolver: &Resolver<'_>) -> Result<Self, ContainerError> {
        Ok(Self {
            criteria: resolver.find()?.unwrap_or_default(),
            on_match: resolver.find()?.unwrap_or_default(),
        })
    }

    fn dependencies() -> Vec<Dependency> {
        vec![Dependency::optional::<OfflineCriteria>(None), Dependency::optional::<OnMatch>(None)]
    }
}

// Not for any `R`: the compiler would not see that this is no function, which is a middleware too.
macro_rules! middleware_of {
    ($($request:ty),*) => {$(
        impl Middleware<$request> for OfflineMode<$request> {
            async fn handle(
                &self,
                request: &mut $request,
                next: Next<'_, $request>,
            ) -> Result<BackgroundResponse> {
                if self.criteria.is_offline(request) {
                    self.on_match.run(request).await
                } else {
                    next.run(request).await
                }
            }
        }
    )*};
}

middleware_of!(AssetRequest, TierConfigRequest, Request);

/// Binds the default [`OfflineCriteria`] and [`OnMatch`]: slot `offline` of the original's saga.
///
/// [`OfflineMode`] does the same where nothing is bound; with this provider `bind.replace()` can say otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfflineServiceProvider;

impl ServiceProvider for OfflineServiceProvider {
    fn register(&self, bind: &mut Bindings) {
        bind.instance(OfflineCriteria::<AssetRequest>::default())
            .instance(OnMatch::<AssetRequest>::default());
    }
}
