use std::{marker::PhantomData, panic::AssertUnwindSafe};

use connect_container::{Error as ContainerError, Inject, Scope};
use connect_model::{
    BackgroundResponse, InteractiveResponse, Schedule, ScheduledExecutionResponse, ValidationResponse,
};
use connect_runner::Handler;
use connect_saga::{
    Injected, InteractiveTransaction, Saga, ScheduledTransaction, TRANSACTION, ValidationTransaction,
};

use crate::Result;

/// What can handle an event: an `async fn(Object, Scope) -> Result<Response>`, a saga, or a transaction that the
/// container builds ([`inject`](crate::inject)).
///
/// `M` only tells the compiler which of these it is; it is never written.
///
/// ```
/// use connect_fulfillment::{IntoHandler, prelude::*};
///
/// async fn handle_purchase(_: AssetRequest, _: Scope) -> Result<BackgroundResponse> {
///     Ok(BackgroundResponse::done())
/// }
///
/// fn handles_purchases<M>(_: impl IntoHandler<AssetRequest, BackgroundResponse, M>) {}
/// handles_purchases(handle_purchase);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle this event: write an `async fn({T}, Scope) -> Result<{A}>`, or for a \
               background event a `Saga`",
    label = "takes another object than `{T}`, or answers in another way than `{A}`"
)]
pub trait IntoHandler<T, A, M> {
    /// Makes it one.
    fn into_handler(self) -> impl Handler<T, A>;
}

/// By a function, or a [`Handler`] of one's own.
#[derive(Debug)]
pub enum ByHandler {}

/// By a saga.
#[derive(Debug)]
pub enum BySaga {}

/// By a transaction that the container builds.
#[derive(Debug)]
pub enum ByTransaction {}

#[diagnostic::do_not_recommend]
impl<T, A, H: Handler<T, A>> IntoHandler<T, A, ByHandler> for H {
    fn into_handler(self) -> impl Handler<T, A> {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<R: Send + 'static, S: Saga<R>> IntoHandler<R, BackgroundResponse, BySaga> for S {
    fn into_handler(self) -> impl Handler<R, BackgroundResponse> {
        SagaHandler(self)
    }
}

struct SagaHandler<S>(S);

impl<R: Send + 'static, S: Saga<R>> Handler<R, BackgroundResponse> for SagaHandler<S> {
    fn handle(&self, request: R, scope: Scope) -> impl Future<Output = Result<BackgroundResponse>> + Send {
        self.0.resolve(request, scope)
    }

    fn compensates(&self) -> bool {
        true
    }

    fn verify(&self, sample: &R, scope: &Scope) -> Vec<ContainerError> {
        // A sample has little in it: a saga that does not expect that is not checked, which is no reason not to start.
        let checked = std::panic::catch_unwind(AssertUnwindSafe(|| self.0.verify(sample, scope)));
        checked.unwrap_or_else(|_| {
            tracing::warn!(
                "a saga could not be checked: listing its transactions panics for a request without data"
            );
            Vec::new()
        })
    }
}

struct TransactionHandler<T>(PhantomData<fn() -> T>);

fn problems<T: Inject>(scope: &Scope) -> Vec<ContainerError> {
    scope.verify_inject::<T>().err().into_iter().collect()
}

macro_rules! transaction_handler {
    ($transaction:ident<$request:ident>, $response:ident) => {
        #[diagnostic::do_not_recommend]
        impl<$request: Send + Sync + 'static, T: $transaction<$request> + Inject>
            IntoHandler<$request, $response, ByTransaction> for Injected<T>
        {
            fn into_handler(self) -> impl Handler<$request, $response> {
                TransactionHandler::<T>(PhantomData)
            }
        }

        impl<$request: Send + Sync + 'static, T: $transaction<$request> + Inject> Handler<$request, $response>
            for TransactionHandler<T>
        {
            async fn handle(&self, mut request: $request, scope: Scope) -> Result<$response> {
                let transaction: T = scope.inject()?;
                scope.annotate(TRANSACTION, transaction.name());
                transaction.execute(&mut request).await
            }

            fn verify(&self, _: &$request, scope: &Scope) -> Vec<ContainerError> {
                problems::<T>(scope)
            }
        }
    };
}

transaction_handler!(InteractiveTransaction<R>, InteractiveResponse);
transaction_handler!(ValidationTransaction<R>, ValidationResponse);

#[diagnostic::do_not_recommend]
impl<T: ScheduledTransaction + Inject> IntoHandler<Schedule, ScheduledExecutionResponse, ByTransaction>
    for Injected<T>
{
    fn into_handler(self) -> impl Handler<Schedule, ScheduledExecutionResponse> {
        TransactionHandler::<T>(PhantomData)
    }
}

impl<T: ScheduledTransaction + Inject> Handler<Schedule, ScheduledExecutionResponse>
    for TransactionHandler<T>
{
    async fn handle(&self, mut schedule: Schedule, scope: Scope) -> Result<ScheduledExecutionResponse> {
        let transaction: T = scope.inject()?;
        scope.annotate(TRANSACTION, transaction.name());
        transaction.execute(&mut schedule).await
    }

    fn verify(&self, _: &Schedule, scope: &Scope) -> Vec<ContainerError> {
        problems::<T>(scope)
    }
}
