//! Transactions made of functions: `(name, should_execute, execute)`, or with a compensation as a fourth.

use connect_model::BackgroundResponse;

use crate::{BackgroundTransaction, HandlerError, Result};

/// A function that does what a transaction does: `async fn(&mut Request) -> Result<BackgroundResponse>`.
///
/// ```
/// use connect_model::{AssetRequest, BackgroundResponse};
/// use connect_saga::{Execution, Result};
///
/// async fn approve(request: &mut AssetRequest) -> Result<BackgroundResponse> { Ok(BackgroundResponse::done()) }
///
/// fn is_an_execution(_: impl for<'a> Execution<'a, AssetRequest>) {}
/// is_an_execution(approve);
/// ```
pub trait Execution<'a, R: 'a>: Send + Sync + 'static {
    /// What calling it gives.
    type Future: Future<Output = Result<BackgroundResponse>> + Send + 'a;

    /// Calls it.
    fn call(&self, request: &'a mut R) -> Self::Future;
}

impl<'a, R, F, Fut> Execution<'a, R> for F
where
    R: 'a,
    F: Fn(&'a mut R) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<BackgroundResponse>> + Send + 'a,
{
    type Future = Fut;

    fn call(&self, request: &'a mut R) -> Fut {
        self(request)
    }
}

/// A function that answers after a failure: `async fn(&mut Request, Error) -> Result<BackgroundResponse>`.
///
/// ```
/// use connect_model::{AssetRequest, BackgroundResponse, HandlerError};
/// use connect_saga::{Compensation, Result};
///
/// async fn give_up(_: &mut AssetRequest, error: HandlerError) -> Result<BackgroundResponse> {
///     Ok(BackgroundResponse::fail(error.to_string()))
/// }
///
/// fn is_a_compensation(_: impl for<'a> Compensation<'a, AssetRequest>) {}
/// is_a_compensation(give_up);
/// ```
pub trait Compensation<'a, R: 'a>: Send + Sync + 'static {
    /// What calling it gives.
    type Future: Future<Output = Result<BackgroundResponse>> + Send + 'a;

    /// Calls it.
    fn call(&self, request: &'a mut R, error: HandlerError) -> Self::Future;
}

impl<'a, R, F, Fut> Compensation<'a, R> for F
where
    R: 'a,
    F: Fn(&'a mut R, HandlerError) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<BackgroundResponse>> + Send + 'a,
{
    type Future = Fut;

    fn call(&self, request: &'a mut R, error: HandlerError) -> Fut {
        self(request, error)
    }
}

impl<R, P, E> BackgroundTransaction<R> for (&'static str, P, E)
where
    R: Send + 'static,
    P: Fn(&R) -> bool + Send + Sync + 'static,
    E: for<'a> Execution<'a, R>,
{
    fn name(&self) -> &str {
        self.0
    }

    fn should_execute(&self, request: &R) -> bool {
        self.1(request)
    }

    fn execute(&self, request: &mut R) -> impl Future<Output = Result<BackgroundResponse>> + Send {
        self.2.call(request)
    }
}

impl<R, P, E, C> BackgroundTransaction<R> for (&'static str, P, E, C)
where
    R: Send + 'static,
    P: Fn(&R) -> bool + Send + Sync + 'static,
    E: for<'a> Execution<'a, R>,
    C: for<'a> Compensation<'a, R>,
{
    fn name(&self) -> &str {
        self.0
    }

    fn should_execute(&self, request: &R) -> bool {
        self.1(request)
    }

    fn execute(&self, request: &mut R) -> impl Future<Output = Result<BackgroundResponse>> + Send {
        self.2.call(request)
    }

    fn compensate(
        &self,
        request: &mut R,
        error: HandlerError,
    ) -> impl Future<Output = Result<BackgroundResponse>> + Send {
        self.3.call(request, error)
    }
}
