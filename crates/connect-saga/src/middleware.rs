use std::{any::type_name, fmt};

use connect_container::{Error as ContainerError, Inject, Scope};
use connect_model::{AssetRequest, BackgroundResponse};
use futures_util::future::BoxFuture;

use crate::Result;

/// What stands around the transactions of a saga: it may look at the request, change it, answer without them, or do
/// something with their answer.
///
/// The first of a saga is the outermost. An error of its own is not compensated; it sees a transaction's error only
/// where the compensation passes it on.
///
/// ```
/// use connect_model::{AssetRequest, BackgroundResponse};
/// use connect_saga::{Middleware, Next, Result};
///
/// struct OnlyPreview;
///
/// impl Middleware for OnlyPreview {
///     async fn handle(&self, request: &mut AssetRequest, next: Next<'_>) -> Result<BackgroundResponse> {
///         if request.connection().is_some_and(|connection| connection.r#type != "preview") {
///             return Ok(BackgroundResponse::skip("only previews are processed"));
///         }
///         next.run(request).await
///     }
/// }
/// ```
pub trait Middleware<R: Send + 'static = AssetRequest, A: Send + 'static = BackgroundResponse>:
    Send + Sync + 'static
{
    /// Answers, with the help of what stands behind it or without.
    fn handle(&self, request: &mut R, next: Next<'_, R, A>) -> impl Future<Output = Result<A>> + Send;
}

/// A function that is a middleware: `async fn(&mut Request, Next<'_>) -> Result<BackgroundResponse>`.
///
/// ```
/// use connect_model::{AssetRequest, BackgroundResponse};
/// use connect_saga::{Middlewares, Next, Result};
///
/// async fn announce(request: &mut AssetRequest, next: Next<'_>) -> Result<BackgroundResponse> {
///     let response = next.run(request).await?;
///     Ok(response)
/// }
///
/// let middlewares: Middlewares = Middlewares::new().then_value(announce);
/// ```
pub trait MiddlewareFn<'a, R: 'a, A: 'a>: Send + Sync + 'static {
    /// What calling it gives.
    type Future: Future<Output = Result<A>> + Send + 'a;

    /// Calls it.
    fn call(&self, request: &'a mut R, next: Next<'a, R, A>) -> Self::Future;
}

impl<'a, R, A, F, Fut> MiddlewareFn<'a, R, A> for F
where
    R: 'a,
    A: 'a,
    F: Fn(&'a mut R, Next<'a, R, A>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<A>> + Send + 'a,
{
    type Future = Fut;

    fn call(&self, request: &'a mut R, next: Next<'a, R, A>) -> Fut {
        self(request, next)
    }
}

impl<R, A, F> Middleware<R, A> for F
where
    R: Send + 'static,
    A: Send + 'static,
    F: for<'a> MiddlewareFn<'a, R, A>,
{
    async fn handle(&self, request: &mut R, next: Next<'_, R, A>) -> Result<A> {
        self.call(request, next).await
    }
}

/// A middleware whose future is boxed, so that different ones fit into one list.
trait DynMiddleware<R, A>: Send + Sync {
    fn handle<'a>(&'a self, request: &'a mut R, next: Next<'a, R, A>) -> BoxFuture<'a, Result<A>>;
}

impl<R: Send + 'static, A: Send + 'static, M: Middleware<R, A>> DynMiddleware<R, A> for M {
    fn handle<'a>(&'a self, request: &'a mut R, next: Next<'a, R, A>) -> BoxFuture<'a, Result<A>> {
        Box::pin(Middleware::handle(self, request, next))
    }
}

/// What stands behind the last middleware.
pub(crate) trait End<R, A>: Send + Sync {
    fn run<'a>(&'a self, request: &'a mut R) -> BoxFuture<'a, Result<A>>;
}

/// What stands behind a middleware: the next one, and behind the last the saga's transactions.
///
/// It is used up by running it: a request passes once.
pub struct Next<'a, R = AssetRequest, A = BackgroundResponse> {
    rest: &'a [Box<dyn DynMiddleware<R, A>>],
    end: &'a dyn End<R, A>,
}

impl<R: Send + 'static, A: Send + 'static> Next<'_, R, A> {
    /// Goes on.
    pub async fn run(self, request: &mut R) -> Result<A> {
        match self.rest.split_first() {
            Some((first, rest)) => first.handle(request, Next { rest, end: self.end }).await,
            None => self.end.run(request).await,
        }
    }
}

impl<R, A> fmt::Debug for Next<'_, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("middlewares", &self.rest.len()).finish_non_exhaustive()
    }
}

type Build<R, A> = fn(&Scope) -> Result<Box<dyn DynMiddleware<R, A>>, ContainerError>;

enum Entry<R, A> {
    Built { type_name: &'static str, build: Build<R, A>, verify: fn(&Scope) -> Result<(), ContainerError> },
    Ready(Box<dyn DynMiddleware<R, A>>),
}

/// The middlewares of a saga, the outermost first.
pub struct Middlewares<R = AssetRequest, A = BackgroundResponse> {
    entries: Vec<Entry<R, A>>,
}

impl<R: Send + 'static, A: Send + 'static> Middlewares<R, A> {
    /// None at all.
    #[must_use]
    pub fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Adds a middleware that the container builds.
    #[must_use]
    pub fn then<M: Middleware<R, A> + Inject>(mut self) -> Self {
        self.entries.push(Entry::Built {
            type_name: type_name::<M>(),
            build: |scope| Ok(Box::new(scope.inject::<M>()?)),
            verify: Scope::verify_inject::<M>,
        });
        self
    }

    /// Adds a middleware that is made already: a value, or a function.
    #[must_use]
    pub fn then_value(mut self, middleware: impl Middleware<R, A>) -> Self {
        self.entries.push(Entry::Ready(Box::new(middleware)));
        self
    }

    /// Builds what the container builds, and passes the request through all of them to the end.
    pub(crate) async fn run(self, request: &mut R, scope: &Scope, end: &dyn End<R, A>) -> Result<A> {
        let mut middlewares = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            middlewares.push(match entry {
                Entry::Built { build, .. } => build(scope)?,
                Entry::Ready(middleware) => middleware,
            });
        }
        Next { rest: &middlewares, end }.run(request).await
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

impl<R: Send + 'static, A: Send + 'static> Default for Middlewares<R, A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R, A> fmt::Debug for Middlewares<R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.entries.iter().map(|entry| match entry {
                Entry::Built { type_name, .. } => type_name,
                Entry::Ready(_) => "a value",
            }))
            .finish()
    }
}
