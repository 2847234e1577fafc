use std::{fmt, future::ready, marker::PhantomData, sync::Arc};

use connect_container::{Error as ContainerError, Scope};
use connect_model::{HandlerError, Response, event::Object, wire::TaskOutput};
use futures_util::{FutureExt, future::BoxFuture};
use serde_json::Value;

/// What answers the tasks of an event: a function of the event's object and the task's [`Scope`].
///
/// `async fn(Object, Scope) -> Result<Response, HandlerError>` is one, whatever its name. Other things can be handlers
/// by implementing this trait.
///
/// ```
/// use connect_container::Scope;
/// use connect_model::{AssetRequest, BackgroundResponse, HandlerError};
/// use connect_runner::{Handler, TaskScope};
///
/// async fn handle_purchase(request: AssetRequest, scope: Scope) -> Result<BackgroundResponse, HandlerError> {
///     scope.client()?.collection("requests").resource(&request.id).get().await?;
///     Ok(BackgroundResponse::done())
/// }
///
/// fn is_a_handler(_: impl Handler<AssetRequest, BackgroundResponse>) {}
/// is_a_handler(handle_purchase);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle this event: it has to be an `async fn({T}, Scope) -> Result<{A}, Error>`",
    label = "takes another object, or answers in another way"
)]
pub trait Handler<T, A>: Send + Sync + 'static {
    /// Answers a task.
    fn handle(&self, object: T, scope: Scope) -> impl Future<Output = Result<A, HandlerError>> + Send;

    /// Whether it looks at its scope's [`Cancellation`](connect_container::Cancellation): when the task's time is over,
    /// it is given some more to end by itself, instead of being stopped at once. A saga does, to compensate.
    fn compensates(&self) -> bool {
        false
    }

    /// What it would miss in the container, found without handling anything; the sample stands for the event's object.
    fn verify(&self, sample: &T, scope: &Scope) -> Vec<ContainerError> {
        let _ = (sample, scope);
        Vec::new()
    }
}

#[diagnostic::do_not_recommend]
impl<T, A, F, Fut> Handler<T, A> for F
where
    F: Fn(T, Scope) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<A, HandlerError>> + Send,
{
    fn handle(&self, object: T, scope: Scope) -> impl Future<Output = Result<A, HandlerError>> + Send {
        self(object, scope)
    }
}

/// The object of a task, as it came.
#[derive(Clone, Debug)]
pub(crate) enum RawObject {
    /// The body of an answer of the API.
    Text(Arc<[u8]>),
    /// The data of an interactive task.
    Value(Value),
}

impl RawObject {
    /// Copied, and the body given up: it is a part of the connection's read buffer, which it would keep as a whole for
    /// as long as the task runs.
    pub(crate) fn copied(body: impl AsRef<[u8]>) -> Self {
        Self::Text(body.as_ref().into())
    }

    fn read<T: Object>(&self) -> Result<T, UnreadableObject> {
        match self {
            Self::Text(text) => serde_json::from_slice(text),
            Self::Value(value) => T::deserialize(value),
        }
        .map_err(|error| UnreadableObject { expected: short_name::<T>(), error })
    }
}

/// The object of a task is not what its event is about.
#[derive(Debug, thiserror::Error)]
#[error("the object of the task can't be read as {expected}: {error}")]
struct UnreadableObject {
    expected: &'static str,
    error: serde_json::Error,
}

fn short_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}

/// A handler whose object and answer have been forgotten, so that all fit into one table.
pub(crate) trait ErasedHandler: Send + Sync {
    /// Binds the object for whoever wants it, and answers.
    fn handle(&self, object: RawObject, scope: Scope)
    -> BoxFuture<'static, Result<TaskOutput, HandlerError>>;

    /// Adds what makes the object available in the scope, as `Arc<T>`.
    fn bind(&self, object: &RawObject, bind: &mut connect_container::Bindings);

    fn compensates(&self) -> bool;

    fn verify(&self, sample: &Value, scope: &Scope) -> Vec<ContainerError>;
}

pub(crate) fn erase<T: Object, A: Response>(handler: impl Handler<T, A>) -> Arc<dyn ErasedHandler> {
    Arc::new(Erased { handler: Arc::new(handler), of: PhantomData })
}

struct Erased<H, T, A> {
    handler: Arc<H>,
    of: PhantomData<fn(T) -> A>,
}

impl<H: Handler<T, A>, T: Object, A: Response> ErasedHandler for Erased<H, T, A> {
    fn handle(
        &self,
        object: RawObject,
        scope: Scope,
    ) -> BoxFuture<'static, Result<TaskOutput, HandlerError>> {
        let object = match object.read::<T>() {
            Ok(object) => object,
            Err(error) => return ready(Err(error.into())).boxed(),
        };
        let handler = Arc::clone(&self.handler);
        async move { Ok(handler.handle(object, scope).await?.into_output()) }.boxed()
    }

    fn bind(&self, object: &RawObject, bind: &mut connect_container::Bindings) {
        // Read again only if somebody asks for it: most handlers have it in their hands.
        let object = object.clone();
        bind.shared(move |_| object.read::<T>().map(Arc::new));
    }

    fn compensates(&self) -> bool {
        self.handler.compensates()
    }

    fn verify(&self, sample: &Value, scope: &Scope) -> Vec<ContainerError> {
        T::deserialize(sample).map_or_else(|_| Vec::new(), |sample| self.handler.verify(&sample, scope))
    }
}

impl fmt::Debug for dyn ErasedHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a handler")
    }
}
