use std::{
    fmt,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use connect_container::Scope;
use connect_model::{HandlerError, Panicked};
use tokio::sync::Semaphore;
use tracing::Span;

use crate::Handler;

/// How many calls of one blocking handler run at once, unless it says otherwise.
const THREADS: usize = 64;

/// A handler that is no `async fn`: it runs on a thread of its own, so that it holds up nobody. See [`blocking`].
pub struct Blocking<T, A, F> {
    handler: Arc<F>,
    threads: Arc<Semaphore>,
    of: PhantomData<fn(T) -> A>,
}

/// Makes a handler of a function that blocks: one that calls a library without `async`, or computes for long.
///
/// At most 64 calls of it run at once; more wait. A call can't be stopped from outside: one that takes longer than the
/// time limit is answered for, and runs on until it looks at the scope's
/// [`Cancellation`](connect_container::Cancellation).
///
/// ```
/// use connect_container::Scope;
/// use connect_model::{AssetRequest, BackgroundResponse, HandlerError, event};
/// use connect_runner::{Descriptor, Extension, blocking};
///
/// fn handle_purchase(request: AssetRequest, _: Scope) -> Result<BackgroundResponse, HandlerError> {
///     std::thread::sleep(std::time::Duration::from_millis(1));
///     Ok(BackgroundResponse::done())
/// }
///
/// let extension = Extension::new(Descriptor::default()).background(
///     event::ASSET_PURCHASE_REQUEST_PROCESSING,
///     ["pending"],
///     blocking(handle_purchase).threads(8),
/// );
/// ```
pub fn blocking<T, A, F>(handler: F) -> Blocking<T, A, F>
where
    F: Fn(T, Scope) -> Result<A, HandlerError> + Send + Sync + 'static,
{
    Blocking { handler: Arc::new(handler), threads: Arc::new(Semaphore::new(THREADS)), of: PhantomData }
}

impl<T, A, F> Blocking<T, A, F> {
    /// At most so many calls of it run at once.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Arc::new(Semaphore::new(threads.clamp(1, Semaphore::MAX_PERMITS)));
        self
    }
}

impl<T, A, F> Handler<T, A> for Blocking<T, A, F>
where
    T: Send + 'static,
    A: Send + 'static,
    F: Fn(T, Scope) -> Result<A, HandlerError> + Send + Sync + 'static,
{
    async fn handle(&self, object: T, scope: Scope) -> Result<A, HandlerError> {
        // Kept until the call itself is over, also where nobody waits for it any more.
        let permit = Arc::clone(&self.threads).acquire_owned().await?;
        let (handler, span) = (Arc::clone(&self.handler), Span::current());
        let call = move || {
            let _permit = permit;
            let call = AssertUnwindSafe(|| span.in_scope(|| handler(object, scope)));
            catch_unwind(call).unwrap_or_else(|payload| Err(Panicked::new(&*payload).into()))
        };
        tokio::task::spawn_blocking(call).await?
    }
}

impl<T, A, F> fmt::Debug for Blocking<T, A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").field("threads", &self.threads.available_permits()).finish_non_exhaustive()
    }
}
