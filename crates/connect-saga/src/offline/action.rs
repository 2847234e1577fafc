use std::{fmt, sync::Arc};

use connect_model::{AssetRequest, BackgroundResponse};
use futures_util::future::BoxFuture;
use tracing::info;

use crate::{Execution, Result};

/// What is done with a request that is offline: a service, so that a provider can bind another one.
///
/// ```
/// use connect_model::{AssetRequest, BackgroundResponse};
/// use connect_saga::{Result, offline::OnMatch};
///
/// async fn note(request: &mut AssetRequest) -> Result<BackgroundResponse> {
///     Ok(BackgroundResponse::skip(format!("{} is handled by hand", request.asset.id)))
/// }
///
/// let on_match = OnMatch::new(note);
/// # let _ = on_match;
/// ```
pub struct OnMatch<R = AssetRequest>(Arc<dyn DynAction<R>>);

/// An action whose future is boxed, so that any fits.
trait DynAction<R>: Send + Sync {
    fn run<'a>(&'a self, request: &'a mut R) -> BoxFuture<'a, Result<BackgroundResponse>>;
}

struct Function<F>(F);

impl<R: Send + 'static, F: for<'a> Execution<'a, R>> DynAction<R> for Function<F> {
    fn run<'a>(&'a self, request: &'a mut R) -> BoxFuture<'a, Result<BackgroundResponse>> {
        Box::pin(self.0.call(request))
    }
}

struct Answer(BackgroundResponse);

impl<R: Send + 'static> DynAction<R> for Answer {
    fn run<'a>(&'a self, _: &'a mut R) -> BoxFuture<'a, Result<BackgroundResponse>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

struct Skip;

impl DynAction<AssetRequest> for Skip {
    fn run<'a>(&'a self, request: &'a mut AssetRequest) -> BoxFuture<'a, Result<BackgroundResponse>> {
        let text = format!("The subscription {} is in offline mode.", request.asset.id);
        Box::pin(std::future::ready(Ok(BackgroundResponse::skip(text))))
    }
}

struct ApproveWith<A> {
    template_id: String,
    approve: A,
}

impl<A: Approve> DynAction<AssetRequest> for ApproveWith<A> {
    fn run<'a>(&'a self, request: &'a mut AssetRequest) -> BoxFuture<'a, Result<BackgroundResponse>> {
        Box::pin(async move {
            info!("The subscription {} is in offline mode.", request.asset.id);
            self.approve.approve(request, &self.template_id).await?;
            Ok(BackgroundResponse::done())
        })
    }
}

/// Approves a request in Connect: what a client does, which this crate does not know.
///
/// ```
/// use connect_model::AssetRequest;
/// use connect_saga::{Result, offline::Approve};
///
/// struct ByClient; // holds the client
///
/// impl Approve for ByClient {
///     async fn approve(&self, request: &mut AssetRequest, template_id: &str) -> Result<()> {
///         // POST requests/{id}/approve {"template_id": …}, and take over what Connect answers
///         request.status = "approved".into();
///         # let _ = template_id;
///         Ok(())
///     }
/// }
/// ```
pub trait Approve: Send + Sync + 'static {
    /// Approves it with this template, and takes over what Connect answers.
    fn approve(
        &self,
        request: &mut AssetRequest,
        template_id: &str,
    ) -> impl Future<Output = Result<()>> + Send;
}

impl<R: Send + 'static> OnMatch<R> {
    /// Does what a function does: `async fn(&mut Request) -> Result<BackgroundResponse>`.
    pub fn new(action: impl for<'a> Execution<'a, R>) -> Self {
        Self(Arc::new(Function(action)))
    }

    /// Answers this.
    #[must_use]
    pub fn answer(response: BackgroundResponse) -> Self {
        Self(Arc::new(Answer(response)))
    }

    /// Does it.
    pub async fn run(&self, request: &mut R) -> Result<BackgroundResponse> {
        self.0.run(request).await
    }
}

impl OnMatch {
    /// Skips the task and says why: "The subscription AS-… is in offline mode."
    #[must_use]
    pub fn skip() -> Self {
        Self(Arc::new(Skip))
    }

    /// Logs "The subscription AS-… is in offline mode.", approves the request with this template, and is done.
    ///
    /// The Python original has it as `DefaultOnMatchTransaction`. Bound `transient` it sees the client of the task:
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use connect_container::{Bindings, ServiceProvider};
    /// # use connect_model::AssetRequest;
    /// # use connect_saga::{Result, offline::{Approve, OnMatch}};
    /// # #[derive(Clone)]
    /// # struct Client;
    /// # struct ByClient(Client);
    /// # impl Approve for ByClient {
    /// #     async fn approve(&self, _: &mut AssetRequest, _: &str) -> Result<()> { Ok(()) }
    /// # }
    /// struct ApproveWhenOffline;
    ///
    /// impl ServiceProvider for ApproveWhenOffline {
    ///     fn register(&self, bind: &mut Bindings) {
    ///         bind.transient(|r| {
    ///             Ok::<_, connect_container::Error>(OnMatch::approve("TL-000-000-000", ByClient(r.get::<Client>()?)))
    ///         });
    ///     }
    /// }
    /// ```
    pub fn approve(template_id: impl Into<String>, approve: impl Approve) -> Self {
        Self(Arc::new(ApproveWith { template_id: template_id.into(), approve }))
    }
}

impl Default for OnMatch {
    /// Skips.
    fn default() -> Self {
        Self::skip()
    }
}

impl<R> Clone for OnMatch<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R> fmt::Debug for OnMatch<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnMatch").finish_non_exhaustive()
    }
}
