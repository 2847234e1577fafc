use std::sync::Mutex;

use connect_container::{Error as ContainerError, Scope};
use connect_model::{AssetRequest, BackgroundResponse};
use futures_util::future::BoxFuture;
use tracing::{Instrument, debug_span};

use crate::{Middlewares, Result, Transactions, middleware::End};

/// The transactions of a process, with the middlewares around them.
///
/// A request passes the middlewares; then the first transaction whose
/// [`should_execute`](crate::BackgroundTransaction::should_execute) holds is executed, one for each delivery of a
/// task. What it leaves in the request's parameters decides which one is next.
///
/// ```
/// use connect_container::{Container, Inject};
/// use connect_model::{AssetRequest, BackgroundResponse};
/// use connect_saga::{BackgroundTransaction, Result, Saga, Transactions};
///
/// #[derive(Inject)]
/// struct ApproveRequest;
///
/// impl BackgroundTransaction for ApproveRequest {
///     fn name(&self) -> &str { "Approve request" }
///     fn should_execute(&self, _: &AssetRequest) -> bool { true }
///     async fn execute(&self, _: &mut AssetRequest) -> Result<BackgroundResponse> { Ok(BackgroundResponse::done()) }
/// }
///
/// struct PurchaseSaga;
///
/// impl Saga for PurchaseSaga {
///     fn transactions(&self, _: &AssetRequest) -> Transactions { Transactions::new().then::<ApproveRequest>() }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let scope = Container::builder().build()?.scope().build()?;
/// let response = PurchaseSaga.resolve(AssetRequest::default(), scope).await?;
/// assert_eq!(response, BackgroundResponse::done());
/// # Ok::<(), connect_model::HandlerError>(())
/// # }).map_err(|error| error.into_std())?;
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub trait Saga<R: Send + 'static = AssetRequest>: Send + Sync + 'static {
    /// What stands around the transactions; by default nothing.
    fn middlewares(&self, request: &R) -> Middlewares<R> {
        let _ = request;
        Middlewares::new()
    }

    /// The transactions for this request.
    fn transactions(&self, request: &R) -> Transactions<R>;

    /// Resolves the request: middlewares, selection, execution, compensation.
    ///
    /// Where no transaction applies and none of [`Transactions::otherwise`] was given, the error is
    /// [`TransactionNotSelected`](crate::TransactionNotSelected).
    fn resolve(
        &self,
        mut request: R,
        scope: Scope,
    ) -> impl Future<Output = Result<BackgroundResponse>> + Send {
        let middlewares = self.middlewares(&request);
        let transactions = self.transactions(&request);
        let span = debug_span!("saga", otel.name = name_of::<Self>());
        async move {
            let end = Selection { transactions: Mutex::new(Some(transactions)), scope: &scope };
            middlewares.run(&mut request, &scope, &end).await
        }
        .instrument(span)
    }

    /// What the container could not build of this saga, for a request like this. No transaction and no middleware is
    /// built for it, only the shared services they need.
    fn verify(&self, request: &R, scope: &Scope) -> Vec<ContainerError> {
        let mut problems = self.middlewares(request).verify(scope);
        problems.extend(self.transactions(request).verify(scope));
        problems
    }
}

/// The name of a saga's type, without its path.
fn name_of<S: ?Sized>() -> &'static str {
    let name = std::any::type_name::<S>();
    let path = name.split('<').next().unwrap_or(name);
    path.rsplit("::").next().unwrap_or(path)
}

/// Behind the last middleware: the transactions, which are asked only now.
struct Selection<'a, R> {
    transactions: Mutex<Option<Transactions<R>>>,
    scope: &'a Scope,
}

impl<R: Send + 'static> End<R, BackgroundResponse> for Selection<'_, R> {
    fn run<'a>(&'a self, request: &'a mut R) -> BoxFuture<'a, Result<BackgroundResponse>> {
        // `Next` is used up by running it, so there is one taker.
        let transactions = self.transactions.lock().ok().and_then(|mut slot| slot.take()).unwrap_or_default();
        Box::pin(transactions.run(request, self.scope))
    }
}
