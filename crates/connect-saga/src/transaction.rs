use std::panic::AssertUnwindSafe;

use connect_model::{
    AssetRequest, BackgroundResponse, InteractiveResponse, Panicked, Schedule, ScheduledExecutionResponse,
    ValidationResponse,
};
use futures_util::{FutureExt, future::BoxFuture};

use crate::{HandlerError, Result};

/// One step of a background process: when it applies, what it does, how its failure is compensated.
///
/// ```
/// use std::time::Duration;
/// use connect_model::{AssetRequest, BackgroundResponse, HandlerError, Parameter};
/// use connect_saga::{BackgroundTransaction, Result};
///
/// struct CreateUser;
///
/// impl BackgroundTransaction for CreateUser {
///     fn name(&self) -> &str { "Create user" }
///
///     fn should_execute(&self, request: &AssetRequest) -> bool {
///         request.param("user_id").is_none_or(Parameter::is_empty)
///     }
///
///     async fn execute(&self, request: &mut AssetRequest) -> Result<BackgroundResponse> {
///         request.set_param("user_id", "U-1");
///         Ok(BackgroundResponse::done())
///     }
///
///     async fn compensate(&self, _: &mut AssetRequest, error: HandlerError) -> Result<BackgroundResponse> {
///         Ok(BackgroundResponse::reschedule(Duration::from_secs(60)))
///     }
/// }
/// ```
pub trait BackgroundTransaction<R: Send + 'static = AssetRequest>: Send + Sync + 'static {
    /// What people call it: in logs, errors and the console.
    fn name(&self) -> &str;

    /// Whether it applies to the request as it stands. The first transaction of a saga that does is executed.
    fn should_execute(&self, request: &R) -> bool;

    /// Does it. An error, and a panic, goes to [`compensate`](Self::compensate).
    ///
    /// A task's time limit and the end of the process stop it at an `.await`, and the task comes again: what it does
    /// has to bear being done twice.
    fn execute(&self, request: &mut R) -> impl Future<Output = Result<BackgroundResponse>> + Send;

    /// Answers after a failure of [`execute`](Self::execute); by default the error goes on.
    fn compensate(
        &self,
        request: &mut R,
        error: HandlerError,
    ) -> impl Future<Output = Result<BackgroundResponse>> + Send {
        let _ = request;
        async move { Err(error) }
    }
}

/// The answer to an interactive event, as a transaction that the container builds.
///
/// ```
/// use connect_model::{InteractiveResponse, ProductAction};
/// use connect_saga::{InteractiveTransaction, Result};
///
/// struct OpenPanel;
///
/// impl InteractiveTransaction for OpenPanel {
///     fn name(&self) -> &str { "Open panel" }
///
///     async fn execute(&self, _: &mut ProductAction) -> Result<InteractiveResponse> {
///         Ok(InteractiveResponse::redirect("https://panel.example.com"))
///     }
/// }
/// ```
pub trait InteractiveTransaction<R: Send + 'static = connect_model::ProductAction>:
    Send + Sync + 'static
{
    /// What people call it.
    fn name(&self) -> &str;

    /// Answers.
    fn execute(&self, request: &mut R) -> impl Future<Output = Result<InteractiveResponse>> + Send;
}

/// The answer to a validation event, as a transaction that the container builds.
///
/// ```
/// use connect_model::{AssetRequest, ParamsExt, ValidationResponse};
/// use connect_saga::{Result, ValidationTransaction};
///
/// struct ValidateDomain;
///
/// impl ValidationTransaction for ValidateDomain {
///     fn name(&self) -> &str { "Validate domain" }
///
///     async fn execute(&self, request: &mut AssetRequest) -> Result<ValidationResponse> {
///         if let Some(domain) = request.asset.params.param_mut("domain") {
///             domain.value_error = Some("is taken".into());
///         }
///         Ok(ValidationResponse::done(&*request))
///     }
/// }
/// ```
pub trait ValidationTransaction<R: Send + 'static = AssetRequest>: Send + Sync + 'static {
    /// What people call it.
    fn name(&self) -> &str;

    /// Validates.
    fn execute(&self, request: &mut R) -> impl Future<Output = Result<ValidationResponse>> + Send;
}

/// What a schedule runs, as a transaction that the container builds.
///
/// The original calls the method `handle`; here all transactions have `execute`.
///
/// ```
/// use connect_model::{Schedule, ScheduledExecutionResponse};
/// use connect_saga::{Result, ScheduledTransaction};
///
/// struct RefreshToken;
///
/// impl ScheduledTransaction for RefreshToken {
///     fn name(&self) -> &str { "Refresh token" }
///
///     async fn execute(&self, _: &mut Schedule) -> Result<ScheduledExecutionResponse> {
///         Ok(ScheduledExecutionResponse::done())
///     }
/// }
/// ```
pub trait ScheduledTransaction: Send + Sync + 'static {
    /// What people call it.
    fn name(&self) -> &str;

    /// Runs.
    fn execute(
        &self,
        schedule: &mut Schedule,
    ) -> impl Future<Output = Result<ScheduledExecutionResponse>> + Send;
}

/// A background transaction whose futures are boxed, so that different ones fit into one list.
pub(crate) trait DynTransaction<R>: Send + Sync {
    fn name(&self) -> &str;
    fn should_execute(&self, request: &R) -> bool;
    fn execute<'a>(&'a self, request: &'a mut R) -> BoxFuture<'a, Result<BackgroundResponse>>;
    fn compensate<'a>(
        &'a self,
        request: &'a mut R,
        error: HandlerError,
    ) -> BoxFuture<'a, Result<BackgroundResponse>>;
}

impl<R: Send + 'static, T: BackgroundTransaction<R>> DynTransaction<R> for T {
    fn name(&self) -> &str {
        BackgroundTransaction::name(self)
    }

    fn should_execute(&self, request: &R) -> bool {
        BackgroundTransaction::should_execute(self, request)
    }

    fn execute<'a>(&'a self, request: &'a mut R) -> BoxFuture<'a, Result<BackgroundResponse>> {
        contain(async move { BackgroundTransaction::execute(self, request).await })
    }

    fn compensate<'a>(
        &'a self,
        request: &'a mut R,
        error: HandlerError,
    ) -> BoxFuture<'a, Result<BackgroundResponse>> {
        contain(async move { BackgroundTransaction::compensate(self, request, error).await })
    }
}

/// Turns a panic into an error, so that it is compensated like one.
///
/// The user's function is called inside the future: it may panic before it returns one of its own.
fn contain<'a, A: 'a>(future: impl Future<Output = Result<A>> + Send + 'a) -> BoxFuture<'a, Result<A>> {
    // What a panic leaves half done in the request is what an error would leave there too.
    AssertUnwindSafe(future)
        .catch_unwind()
        .map(|end| end.unwrap_or_else(|payload| Err(Panicked::new(&*payload).into())))
        .boxed()
}
