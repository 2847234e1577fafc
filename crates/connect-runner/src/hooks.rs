//! What is done once, when the process has begun and when it ends.

use std::{fmt, sync::Arc};

use connect_container::Scope;
use connect_model::HandlerError;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

type Run = dyn Fn(Scope) -> BoxFuture<'static, Result<(), HandlerError>> + Send + Sync;

/// A function to be called once.
#[derive(Clone)]
pub(crate) struct Hook(Arc<Run>);

impl Hook {
    pub(crate) fn new<F, Fut>(hook: F) -> Self
    where
        F: Fn(Scope) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        Self(Arc::new(move |scope| Box::pin(hook(scope))))
    }

    pub(crate) async fn run(&self, scope: Scope) -> Result<(), HandlerError> {
        (self.0)(scope).await
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hook")
    }
}

/// Where the start of the process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Connect has not answered a setup request yet.
    Waiting,
    /// The hooks run.
    Running,
    /// Tasks may run.
    Done,
    /// A hook failed: no task will run.
    Failed,
}

/// The start of the process, which happens once.
#[derive(Debug)]
pub(crate) struct Startup(watch::Sender<Start>);

impl Startup {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Start::Waiting))
    }

    /// Whether it is the caller who has to do it.
    pub(crate) fn begin(&self) -> bool {
        self.0.send_if_modified(|start| {
            let is_first = *start == Start::Waiting;
            if is_first {
                *start = Start::Running;
            }
            is_first
        })
    }

    pub(crate) fn end(&self, end: Start) {
        self.0.send_replace(end);
    }

    pub(crate) fn now(&self) -> Start {
        *self.0.borrow()
    }

    /// Waits for its end, and says whether it went well.
    pub(crate) async fn is_done(&self) -> bool {
        let mut start = self.0.subscribe();
        let end = start.wait_for(|start| matches!(start, Start::Done | Start::Failed)).await;
        end.is_ok_and(|end| *end == Start::Done)
    }
}
