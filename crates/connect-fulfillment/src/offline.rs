//! Offline mode: which requests are left alone, and what is done with them instead.
//!
//! A saga has it by its middleware:
//!
//! ```
//! use connect_fulfillment::{offline::ApproveWhenOffline, prelude::*};
//!
//! struct CancelSaga;
//!
//! impl Saga for CancelSaga {
//!     fn middlewares(&self, _: &AssetRequest) -> Middlewares {
//!         Middlewares::new().then::<OfflineMode>()
//!     }
//!
//!     fn transactions(&self, _: &AssetRequest) -> Transactions {
//!         Transactions::new().otherwise(BackgroundResponse::skip("nothing to cancel"))
//!     }
//! }
//!
//! let extension = Extension::new(connect_fulfillment::Descriptor::default())
//!     // Without this provider the task of a request that is offline is skipped.
//!     .provider(ApproveWhenOffline::with_template("TL-000-000-000"))
//!     .background(event::ASSET_CANCEL_REQUEST_PROCESSING, ["pending"], CancelSaga);
//! extension.check()?;
//! # Ok::<(), connect_fulfillment::runner::Error>(())
//! ```

use connect_client::AssetRequests;
use connect_container::{Bindings, Error as ContainerError, ServiceProvider};
use connect_model::AssetRequest;

#[doc(inline)]
pub use connect_saga::offline::*;

use crate::Result;

/// Approves requests that are offline with a template: the original's `DefaultOnMatchTransaction` as a service provider.
#[derive(Clone, Debug)]
pub struct ApproveWhenOffline {
    template_id: String,
}

impl ApproveWhenOffline {
    /// With this template (`TL-…`).
    pub fn with_template(template_id: impl Into<String>) -> Self {
        Self { template_id: template_id.into() }
    }
}

impl ServiceProvider for ApproveWhenOffline {
    fn register(&self, bind: &mut Bindings) {
        let template_id = self.template_id.clone();
        // Transient: it speaks by the client of the task.
        bind.transient(move |resolver| {
            Ok::<_, ContainerError>(OnMatch::approve(template_id.clone(), ByClient(resolver.get()?)))
        });
    }
}

struct ByClient(AssetRequests);

impl Approve for ByClient {
    async fn approve(&self, request: &mut AssetRequest, template_id: &str) -> Result<()> {
        *request = self.0.approve(request, template_id).await?;
        Ok(())
    }
}
