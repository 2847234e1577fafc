use std::{any::type_name, fmt, pin::pin};

use connect_container::{Cancellation, Error as ContainerError, Inject, Scope};
use connect_model::{AssetRequest, BackgroundResponse};
use futures_util::future::{self, Either};
use tracing::{Instrument, debug_span, warn};

use crate::{
    BackgroundTransaction, COMPENSATED, CompensationFailed, Result, TRANSACTION, TransactionNotSelected,
    TransactionStopped, transaction::DynTransaction,
};

type Boxed<R> = Box<dyn DynTransaction<R>>;

enum Entry<R> {
    Built {
        type_name: &'static str,
        build: fn(&Scope) -> Result<Boxed<R>, ContainerError>,
        verify: fn(&Scope) -> Result<(), ContainerError>,
    },
    Ready(Boxed<R>),
}

/// The transactions of a saga, in the order in which they are asked whether they apply.
///
/// ```
/// use connect_model::{AssetRequest, BackgroundResponse};
/// use connect_saga::{Result, Transactions};
///
/// fn is_pending(request: &AssetRequest) -> bool { request.status == "pending" }
///
/// async fn approve(_: &mut AssetRequest) -> Result<BackgroundResponse> { Ok(BackgroundResponse::done()) }
///
/// let transactions: Transactions = Transactions::new()
///     .then_value(("Approve", is_pending, approve))
///     .otherwise(BackgroundResponse::skip("nothing left to do"));
/// ```
pub struct Transactions<R = AssetRequest> {
    entries: Vec<Entry<R>>,
    otherwise: Option<BackgroundResponse>,
}

impl<R: Send + 'static> Transactions<R> {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self { entries: Vec::new(), otherwise: None }
    }

    /// Adds a transaction that the container builds when its turn comes.
    #[must_use]
    pub fn then<T: BackgroundTransaction<R> + Inject>(mut self) -> Self {
        self.entries.push(Entry::Built {
            type_name: type_name::<T>(),
            build: |scope| Ok(Box::new(scope.inject::<T>()?)),
            verify: Scope::verify_inject::<T>,
        });
        self
    }

    /// Adds a transaction that is made already: a value, or a tuple of functions.
    #[must_use]
    pub fn then_value(mut self, transaction: impl BackgroundTransaction<R>) -> Self {
        self.entries.push(Entry::Ready(Box::new(transaction)));
        self
    }

    /// The answer where no transaction applies; without it that is the error [`TransactionNotSelected`].
    #[must_use]
    pub fn otherwise(mut self, response: BackgroundResponse) -> Self {
        self.otherwise = Some(response);
        self
    }

    /// The first transaction that applies to the request; the ones behind it are not even built.
    pub fn select(self, request: &R, scope: &Scope) -> Result<Selected<R>> {
        let mut asked = Vec::new();
        for entry in self.entries {
            let transaction = match entry {
                Entry::Built { build, .. } => build(scope)?,
                Entry::Ready(transaction) => transaction,
            };
            if transaction.should_execute(request) {
                return Ok(Selected { transaction, scope: scope.clone() });
            }
            asked.push(transaction.name().to_owned());
        }
        Err(TransactionNotSelected::new(asked).into())
    }

    /// Selects and runs, or answers as [`otherwise`](Self::otherwise) says.
    pub(crate) async fn run(mut self, request: &mut R, scope: &Scope) -> Result<BackgroundResponse> {
        let otherwise = self.otherwise.take();
        match (self.select(request, scope), otherwise) {
            (Ok(selected), _) => selected.run(request).await,
            (Err(error), Some(response)) if error.downcast_ref::<TransactionNotSelected>().is_some() => {
                Ok(response)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// What the container could not build.
    pub(crate) fn verify(&self, scope: &Scope) -> Vec<ContainerError> {
        let verified = self.entries.iter().filter_map(|entry| match entry {
            Entry::Built { verify, .. } => verify(scope).err(),
            Entry::Ready(_) => None,
        });
        verified.collect()
    }
}

impl<R: Send + 'static> Default for Transactions<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> fmt::Debug for Transactions<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.entries.iter().map(|entry| match entry {
                Entry::Built { type_name, .. } => type_name,
                Entry::Ready(transaction) => transaction.name(),
            }))
            .finish()
    }
}

/// A transaction that applies, prepared to run: its failure is compensated.
pub struct Selected<R = AssetRequest> {
    transaction: Box<dyn DynTransaction<R>>,
    scope: Scope,
}

impl<R: Send + 'static> Selected<R> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.transaction.name()
    }

    /// Executes it; if that fails, its compensation answers. Where that fails too, the error is
    /// [`CompensationFailed`], which holds both, unless the compensation passed the error on.
    pub async fn run(&self, request: &mut R) -> Result<BackgroundResponse> {
        let name = self.transaction.name();
        self.scope.annotate(TRANSACTION, name);
        let span = debug_span!("transaction", name);
        async {
            let error = match self.execute(request).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let report = error.report();
            warn!(error = %report, "transaction \"{name}\" failed, compensating");
            match self.transaction.compensate(request, error).await {
                Ok(response) => {
                    self.scope.annotate(COMPENSATED, report);
                    Ok(response)
                }
                // Passed on, perhaps with more said around it.
                Err(error) if error.report().contains(&report) => Err(error),
                Err(compensation) => Err(CompensationFailed::new(report, compensation).into()),
            }
        }
        .instrument(span)
        .await
    }
}

impl<R: Send + 'static> Selected<R> {
    /// Executes it, unless the task's time is over first.
    async fn execute(&self, request: &mut R) -> Result<BackgroundResponse> {
        let execution = self.transaction.execute(request);
        let Some(cancellation) = self.scope.find::<Cancellation>()? else { return execution.await };
        match future::select(execution, pin!(cancellation.cancelled())).await {
            Either::Left((end, _)) => end,
            Either::Right(((), _)) => Err(TransactionStopped::new(self.transaction.name()).into()),
        }
    }
}

impl<R> fmt::Debug for Selected<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Selected").field(&self.transaction.name()).finish()
    }
}
