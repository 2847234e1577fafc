//! What happens to a task between its frame and its result.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use connect_client::{Client, TraceContext};
use connect_container::{Cancellation, Logger, Scope};
use connect_model::{
    HandlerError, Installation, Panicked, Schedule,
    rql::Rql,
    wire::{Message, ResultType, SetupResponse, Task, TaskCategory, TaskOutput},
};
use futures_util::{FutureExt, future::BoxFuture};
use serde_json::json;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, debug, error, warn};

use crate::{
    Environment, Extension, InstallationClient, TaskContext, TaskCounts, TaskReport,
    handler::{ErasedHandler, RawObject},
    hooks::{Hook, Start, Startup},
    log_fields::{record_account, record_request, task_span},
    order::{Attempts, Turns},
    outbox::{Outbox, is_final},
    settings::Settings,
};

/// How many calls interactive tasks may have under way at once, beside those of the others.
const INTERACTIVE_CALLS: usize = 32;

/// One of the two connections, and the kinds of tasks that come over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Background and scheduled tasks.
    Background,
    /// Interactive tasks: a backlog of background tasks never delays them.
    Interactive,
}

impl Lane {
    pub(crate) const ALL: [Self; 2] = [Self::Background, Self::Interactive];

    /// Connect's word for it: the `runner_type` of the connection.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::Interactive => "interactive",
        }
    }
}

/// How many tasks of a category run, and how many may.
#[derive(Debug)]
struct Gauge {
    running: AtomicUsize,
    permits: Semaphore,
}

impl Gauge {
    fn new(most: usize) -> Self {
        Self { running: AtomicUsize::new(0), permits: Semaphore::new(most.min(Semaphore::MAX_PERMITS)) }
    }
}

/// Who is told how each task ended.
pub(crate) type Observer = Box<dyn Fn(&TaskReport) + Send + Sync>;

/// Who is told what Connect says in each setup response.
pub(crate) type SetupObserver = Box<dyn Fn(&SetupResponse) + Send + Sync>;

/// Runs tasks. They are spawned, never children of a connection: a reconnect cancels nothing.
pub(crate) struct Tasks {
    extension: Arc<Extension>,
    settings: ArcSwap<Settings>,
    setting_up: Mutex<()>,
    /// Speaks for the extension, without any task's headers.
    client: Client,
    /// The same for interactive tasks: its calls don't wait for those of background tasks.
    interactive_client: Client,
    startup: Startup,
    turns: Turns,
    attempts: Attempts,
    environment: Environment,
    outboxes: [Outbox; 2],
    background: Gauge,
    interactive: Gauge,
    scheduled: Gauge,
    /// The tasks that run, by id: a second delivery of one joins it. The value counts deliveries beyond the first.
    running: Mutex<HashMap<String, u32>>,
    tracker: TaskTracker,
    observers: Vec<Observer>,
    on_setup: Vec<SetupObserver>,
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tasks").field("running", &self.tracker.len()).finish_non_exhaustive()
    }
}

impl Tasks {
    pub(crate) fn new(
        extension: Arc<Extension>,
        settings: Settings,
        client: Client,
        environment: Environment,
        observers: Vec<Observer>,
        on_setup: Vec<SetupObserver>,
        outboxes: [Outbox; 2],
    ) -> Self {
        let most = environment.max_concurrent_tasks;
        let interactive_client = client.with_max_concurrent_calls(INTERACTIVE_CALLS);
        Self {
            extension,
            settings: ArcSwap::from_pointee(settings),
            setting_up: Mutex::new(()),
            client,
            interactive_client,
            startup: Startup::new(),
            turns: Turns::default(),
            attempts: Attempts::default(),
            environment,
            outboxes,
            background: Gauge::new(most),
            interactive: Gauge::new(most),
            scheduled: Gauge::new(most),
            running: Mutex::default(),
            tracker: TaskTracker::new(),
            observers,
            on_setup,
        }
    }

    pub(crate) fn settings(&self) -> &ArcSwap<Settings> {
        &self.settings
    }

    /// Tells what Connect says.
    pub(crate) fn told(&self, response: &SetupResponse) {
        for observer in &self.on_setup {
            observer(response);
        }
    }

    /// Held while settings are replaced.
    pub(crate) fn setting_up(&self) -> MutexGuard<'_, ()> {
        self.setting_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn extension(&self) -> &Extension {
        &self.extension
    }

    pub(crate) fn outbox(&self, lane: Lane) -> &Outbox {
        match lane {
            Lane::Background => &self.outboxes[0],
            Lane::Interactive => &self.outboxes[1],
        }
    }

    /// Tasks that run now, those that wait for a permit included: background or interactive, and scheduled.
    pub(crate) fn running(&self, lane: Lane) -> (usize, usize) {
        match lane {
            Lane::Background => (
                self.background.running.load(Ordering::Relaxed),
                self.scheduled.running.load(Ordering::Relaxed),
            ),
            Lane::Interactive => (self.interactive.running.load(Ordering::Relaxed), 0),
        }
    }

    /// Begins with the work: what is to be done first is done once, when Connect has answered for the first time.
    pub(crate) fn start(self: &Arc<Self>) {
        if !self.startup.begin() {
            return;
        }
        if self.extension.on_startup.is_empty() {
            return self.startup.end(Start::Done);
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let end = match this.run_hooks(&this.extension.on_startup).await {
                Ok(()) => Start::Done,
                Err(error) => {
                    error!(error = %error.report(), "the extension could not start");
                    Start::Failed
                }
            };
            this.startup.end(end);
        });
    }

    async fn run_hooks(&self, hooks: &[Hook]) -> Result<(), HandlerError> {
        for hook in hooks {
            let scope = self.settings.load_full().container.scope().instance(Logger::current()).build()?;
            let run = AssertUnwindSafe(hook.run(scope)).catch_unwind().await;
            run.unwrap_or_else(|payload| Err(Panicked::new(&*payload).into()))?;
        }
        Ok(())
    }

    /// What is to be done last.
    pub(crate) async fn shut_down(&self, limit: Duration) {
        if self.startup.now() == Start::Waiting || self.extension.on_shutdown.is_empty() {
            return;
        }
        match timeout(limit, self.run_hooks(&self.extension.on_shutdown)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(error = %error.report(), "what was to be done at the end failed"),
            Err(_) => error!("what was to be done at the end took more than {limit:?}"),
        }
    }

    /// Waits until the start has failed; for ever where it does not.
    pub(crate) async fn failed_to_start(&self) {
        if self.startup.is_done().await {
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn start_failed(&self) -> bool {
        self.startup.now() == Start::Failed
    }

    pub(crate) fn has_started(&self) -> bool {
        self.startup.now() == Start::Done
    }

    /// How many tasks of each category run, and how many of them wait for others to end.
    pub(crate) fn counts(&self) -> [TaskCounts; 3] {
        let most = self.environment.max_concurrent_tasks.min(Semaphore::MAX_PERMITS);
        let of = |category, gauge: &Gauge| {
            let handled = most - gauge.permits.available_permits().min(most);
            let taken = gauge.running.load(Ordering::Relaxed);
            TaskCounts { category, running: handled, waiting: taken.saturating_sub(handled) }
        };
        [
            of("background", &self.background),
            of("interactive", &self.interactive),
            of("scheduled", &self.scheduled),
        ]
    }

    /// Waits until no task runs any more.
    pub(crate) async fn finished(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    pub(crate) fn count(&self) -> usize {
        self.tracker.len()
    }

    /// Takes a task on, unless it runs already.
    pub(crate) fn accept(self: &Arc<Self>, task: Task, lane: Lane) {
        let id = task.options.task_id.clone();
        {
            let mut running = self.in_hand();
            if self.outbox(lane).answers(&id) {
                warn!(task = %id, "the task was delivered again while its answer is on the way or just arrived: it is not run again");
                return;
            }
            if let Some(deliveries) = running.get_mut(&id) {
                *deliveries += 1;
                warn!(task = %id, "the task was delivered again while it runs: it will be answered once");
                return;
            }
            running.insert(id.clone(), 0);
        }
        let span = task_span(&task);
        let this = Arc::clone(self);
        self.tracker.spawn(async move { this.run(task, lane).await }.instrument(span));
    }

    /// Answers a task that could not be read whole.
    pub(crate) fn refuse(&self, mut task: Task, reason: &str, lane: Lane) {
        let result = match task.options.task_category {
            TaskCategory::Interactive => ResultType::Fail,
            _ => ResultType::Retry,
        };
        task.output = Some(TaskOutput::new(result).with_message(reason));
        let (frame, is_final) = self.report(&task, None, Duration::ZERO);
        self.outbox(lane).put(&task.options.task_id, frame, is_final);
    }

    async fn run(self: Arc<Self>, mut task: Task, lane: Lane) {
        let received = Instant::now();
        let mut attempt = Attempt { tasks: &self, task: &task, scope: None, started: received };
        let end = AssertUnwindSafe(attempt.run()).catch_unwind().await;
        let end = end.unwrap_or_else(|payload| Err(Panicked::new(&*payload).into()));
        let (scope, started) = (attempt.scope.take(), attempt.started);
        let (event, object) = (&task.input.event_type, &task.input.object_id);
        let mut output = end.unwrap_or_else(|error| self.failure(&task, scope.as_ref(), &error));
        output.runtime = started.elapsed().as_secs_f64();
        output.cut_message();
        if !matches!(output.result, ResultType::Reschedule | ResultType::Retry) {
            self.attempts.end(event, object);
        }
        task.output = Some(output);
        let (frame, is_final) = self.report(&task, scope.as_ref(), received.elapsed());
        // One that comes again meanwhile finds either the task or its answer.
        let mut running = self.in_hand();
        self.outbox(lane).put(&task.options.task_id, frame, is_final);
        running.remove(&task.options.task_id);
    }

    fn in_hand(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever watches; the answer's frame, and whether it is final, are the answer.
    fn report(&self, task: &Task, scope: Option<&Scope>, elapsed: Duration) -> (String, bool) {
        let report = TaskReport::new(task, scope, elapsed);
        #[cfg(feature = "telemetry")]
        crate::telemetry::set_result(&Span::current(), &report);
        debug!(result = %report.result, transaction = report.transaction, elapsed = ?report.elapsed, "answered");
        for observer in &self.observers {
            observer(&report);
        }
        (Message::Task(Box::new(task.clone())).to_frame(), is_final(&report.result))
    }

    /// The answer to a task that broke; it has a scope where its handler began.
    fn failure(&self, task: &Task, scope: Option<&Scope>, failure: &HandlerError) -> TaskOutput {
        let report = failure.report();
        if task.options.task_category != TaskCategory::Interactive {
            if let Some(scope) = scope.filter(|_| failure.downcast_ref::<Undeliverable>().is_none()) {
                return self.failure_by_policy(task, scope, failure);
            }
            error!(error = %report, "the task broke, Connect will send it again");
            return TaskOutput::new(ResultType::Retry).with_message(report);
        }
        error!(error = %report, "the task failed");
        let mut output = TaskOutput::new(ResultType::Fail).with_message(report);
        let event = self.extension.interactive.get(&task.input.event_type);
        if event.is_none_or(|event| event.answers_http) {
            // Only the reason goes to the caller's browser; what is behind it is in the log, under this id.
            let body = format!("{failure} (reference: {})", task.options.task_id);
            output.data = Some(json!({"http_status": 400, "headers": null, "body": body}));
        }
        output
    }

    /// The answer to a task whose handler returned an error.
    fn failure_by_policy(&self, task: &Task, scope: &Scope, failure: &HandlerError) -> TaskOutput {
        let is_scheduled = task.options.task_category == TaskCategory::Scheduled;
        let schedule: Option<Arc<Schedule>> = if is_scheduled { scope.get().ok() } else { None };
        let key = schedule.as_ref().map_or(&task.input.event_type, |schedule| &schedule.method);
        let attempt = scope.get::<TaskContext>().map_or(1, |context| context.attempt);
        let output = self.extension.policy_of(key).answer(failure, attempt, is_scheduled);
        let (result, countdown, error) = (&output.result, output.countdown, failure.report());
        match output.result {
            ResultType::Retry => error!(%error, "the task broke, Connect will send it again"),
            ResultType::Reschedule => warn!(%error, countdown, attempt, "the task broke, it is rescheduled"),
            _ => error!(%error, %result, attempt, "the task broke, and is not tried again"),
        }
        output
    }
}

/// Counts a running task for as long as it lives.
struct Running<'a>(&'a AtomicUsize);

impl<'a> Running<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a task could not even reach its handler.
#[derive(Debug, thiserror::Error)]
enum Undeliverable {
    #[error("no handler for the event \"{0}\"")]
    NoHandler(String),
    #[error("no handler for the category \"{0}\"")]
    UnknownCategory(String),
    #[error(
        "the schedule names the method \"{method}\", which the extension does not offer (it offers: {offered})"
    )]
    UnknownMethod { method: String, offered: String },
    #[error("Connect sent no event definition for \"{0}\", so its object can't be fetched")]
    NoDefinition(String),
    #[error("the task has no data")]
    NoData,
    #[error("the task took more time than its limit of {0:?}")]
    TimeLimit(Duration),
    #[error("the extension could not start")]
    NotStarted,
}

/// One try at a task.
struct Attempt<'a> {
    tasks: &'a Tasks,
    task: &'a Task,
    scope: Option<Scope>,
    /// When the handler began; before that, when the task came.
    started: Instant,
}

impl Attempt<'_> {
    async fn run(&mut self) -> Result<TaskOutput, HandlerError> {
        let tasks = self.tasks;
        let limits = tasks.environment.limits;
        let (gauge, limit) = match &self.task.options.task_category {
            TaskCategory::Background => (&tasks.background, limits.background),
            TaskCategory::Interactive => (&tasks.interactive, limits.interactive),
            TaskCategory::Scheduled => (&tasks.scheduled, limits.scheduled),
            other => return Err(Undeliverable::UnknownCategory(other.to_string()).into()),
        };
        let _running = Running::new(&gauge.running);
        if !tasks.startup.is_done().await {
            return Err(Undeliverable::NotStarted.into());
        }
        // Before the permit: who waits for a predecessor takes nobody's place.
        let is_interactive = self.task.options.task_category == TaskCategory::Interactive;
        let context = self.context(1);
        let key = tasks.extension.serialize_by.of(&context).filter(|_| !is_interactive);
        let _turn = match key {
            Some(key) => Some(tasks.turns.take(key).await),
            None => None,
        };
        let _permit = gauge.permits.acquire().await?;
        let settings = tasks.settings.load_full();
        let limit = tasks.extension.time_limits.get(&self.task.input.event_type).copied().unwrap_or(limit);
        match &self.task.options.task_category {
            TaskCategory::Interactive => self.interactive(&settings, limit).await,
            TaskCategory::Scheduled => self.scheduled(&settings, limit).await,
            _ => self.background(&settings, limit).await,
        }
    }

    async fn background(&mut self, settings: &Settings, limit: Duration) -> Result<TaskOutput, HandlerError> {
        let (tasks, input) = (self.tasks, &self.task.input);
        let unhandled = || Undeliverable::NoHandler(input.event_type.clone());
        let event = tasks.extension.background.get(&input.event_type).ok_or_else(unhandled)?;
        let undefined = || Undeliverable::NoDefinition(input.event_type.clone());
        let definition = settings.event_definitions.get(&input.event_type).ok_or_else(undefined)?;
        let collection = definition.api_collection_endpoint.as_ref().ok_or_else(undefined)?;
        let resource = definition.api_resource_endpoint.as_ref().ok_or_else(undefined)?;
        let client = self.account_client();
        if let Some(filter) = definition.filter(&input.object_id, &event.statuses) {
            let found = client.path(collection).query().filter(Rql::raw(filter)).count().await?;
            if found == 0 {
                let statuses = event.statuses.join(",");
                let message =
                    format!("The request status does not match the supported statuses: {statuses}.");
                return Ok(TaskOutput::new(ResultType::Skip).with_message(message));
            }
        }
        let body = client.get(resource.replace("{pk}", &input.object_id)).bytes().await?;
        self.handle(settings, &event.handler, RawObject::copied(body), limit).await
    }

    async fn interactive(
        &mut self,
        settings: &Settings,
        limit: Duration,
    ) -> Result<TaskOutput, HandlerError> {
        let input = &self.task.input;
        let unhandled = || Undeliverable::NoHandler(input.event_type.clone());
        let event = self.tasks.extension.interactive.get(&input.event_type).ok_or_else(unhandled)?;
        let empty = |data: &serde_json::Value| {
            data.is_null() || data.as_object().is_some_and(serde_json::Map::is_empty)
        };
        let data = input.data.clone().filter(|data| !empty(data)).ok_or(Undeliverable::NoData)?;
        self.handle(settings, &event.handler, RawObject::Value(data), limit).await
    }

    async fn scheduled(&mut self, settings: &Settings, limit: Duration) -> Result<TaskOutput, HandlerError> {
        let schedules = self
            .tasks
            .client
            .ns("devops")
            .collection("services")
            .resource(settings.context.extension_id.as_str())
            .collection("environments")
            .resource(settings.context.environment_id.as_str())
            .collection("schedules");
        let body = schedules.resource(self.task.input.object_id.as_str()).get().bytes().await?;
        let schedule: Schedule = serde_json::from_slice(&body)?;
        let offered = &self.tasks.extension.scheduled;
        let unknown = || Undeliverable::UnknownMethod {
            method: schedule.method.clone(),
            offered: offered.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        };
        let method = offered.get(&schedule.method).ok_or_else(unknown)?;
        let limit = self.tasks.extension.time_limits.get(&schedule.method).copied().unwrap_or(limit);
        self.handle(settings, &method.handler, RawObject::copied(body), limit).await
    }

    /// The client for the account whose task it is.
    fn account_client(&self) -> Client {
        match &self.task.options.api_key {
            Some(key) if !key.expose().is_empty() => self.client().with_api_key(key.expose()),
            _ => self.client().clone(),
        }
    }

    /// The client that speaks for the extension.
    fn client(&self) -> &Client {
        match self.task.options.task_category {
            TaskCategory::Interactive => &self.tasks.interactive_client,
            _ => &self.tasks.client,
        }
    }

    fn context(&self, attempt: u32) -> TaskContext {
        let (options, input) = (&self.task.options, &self.task.input);
        TaskContext {
            task_id: options.task_id.clone(),
            category: options.task_category.clone(),
            event_type: input.event_type.clone(),
            object_id: input.object_id.clone(),
            attempt,
        }
    }

    async fn handle(
        &mut self,
        settings: &Settings,
        handler: &Arc<dyn ErasedHandler>,
        object: RawObject,
        limit: Duration,
    ) -> Result<TaskOutput, HandlerError> {
        if self.task.options.task_category != TaskCategory::Scheduled {
            record_request(&Span::current(), &object);
        }
        let cancellation = Cancellation::new();
        let scope = self.scope(settings, handler, &object, cancellation.clone()).await?;
        self.scope = Some(scope.clone());
        let handling = handler.handle(object, scope);
        self.limited(handling, limit, handler.compensates(), &cancellation).await
    }

    /// Waits for a handler until its time is over.
    async fn limited(
        &mut self,
        mut handling: BoxFuture<'static, Result<TaskOutput, HandlerError>>,
        limit: Duration,
        compensates: bool,
        cancellation: &Cancellation,
    ) -> Result<TaskOutput, HandlerError> {
        // The limit counts from here: neither waiting for a permit nor fetching the object uses it up.
        self.started = Instant::now();
        let warned_at = limit.mul_f64(0.8);
        if let Ok(end) = timeout(warned_at, &mut handling).await {
            return end;
        }
        warn!("the task has taken {warned_at:?} of its {limit:?}");
        if let Ok(end) = timeout(limit.saturating_sub(warned_at), &mut handling).await {
            return end;
        }
        cancellation.cancel();
        if compensates {
            let more = self.tasks.environment.limits.compensation;
            if let Ok(end) = timeout(more, handling).await {
                return end;
            }
        }
        Err(Undeliverable::TimeLimit(limit).into())
    }

    async fn scope(
        &self,
        settings: &Settings,
        handler: &Arc<dyn ErasedHandler>,
        object: &RawObject,
        cancellation: Cancellation,
    ) -> Result<Scope, HandlerError> {
        let options = &self.task.options;
        let attempt = self.tasks.attempts.begin(&self.task.input.event_type, &self.task.input.object_id);
        let context = &settings.context;
        let headers = TaskHeaders::new(self.task, &context.extension_id);
        let mut scope = settings
            .container
            .scope()
            .instance(Logger::new(Span::current()))
            .instance(cancellation)
            .instance(self.context(attempt))
            .bind(|bind| handler.bind(object, bind));
        if let Some(installation_id) = &options.installation_id {
            let installation: Installation = self
                .client()
                .ns("devops")
                .collection("services")
                .resource(context.extension_id.as_str())
                .collection("installations")
                .resource(installation_id.as_str())
                .get()
                .json()
                .await?;
            record_account(&Span::current(), context, Some(&installation));
            scope = scope.instance(installation);
        } else {
            record_account(&Span::current(), context, None);
        }
        // The handler's client speaks for the extension; the account's is beside it.
        if options.api_key.is_some() {
            scope = scope.instance(InstallationClient(headers.apply(&self.account_client())));
        }
        let client = headers.apply(self.client());
        Ok(scope.instance(client).build()?)
    }
}

/// The headers by which Connect ties a call to a task.
struct TaskHeaders<'a> {
    extension_id: &'a str,
    task_id: &'a str,
    event_type: &'a str,
    trace: Option<String>,
}

impl<'a> TaskHeaders<'a> {
    fn new(task: &'a Task, extension_id: &'a str) -> Self {
        let correlation = task.options.connect_correlation_id.as_deref();
        Self {
            extension_id,
            task_id: &task.options.task_id,
            event_type: &task.input.event_type,
            trace: correlation.and_then(child_trace_context),
        }
    }

    fn apply(&self, client: &Client) -> Client {
        let own = [
            ("EAAS_EXT_ID", self.extension_id),
            ("EAAS_TASK_ID", self.task_id),
            ("EAAS_TASK_TYPE", self.event_type),
        ];
        let trace = self.trace.as_deref().map(|trace| ("ext-traceparent", trace));
        let client = client.with_headers(own.into_iter().chain(trace));
        // Beside Connect's own header, W3C's: so that anything on the way can read it too.
        match self.trace.as_deref().and_then(TraceContext::parse) {
            Some(trace) => client.with_trace(trace),
            None => client,
        }
    }
}

/// A W3C trace context of the same trace, with a span id of its own.
fn child_trace_context(parent: &str) -> Option<String> {
    let trace_id = parent.split('-').nth(1)?;
    if trace_id.len() != 32 || !trace_id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some(format!("00-{trace_id}-{:016x}-01", fastrand::u64(1..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_goes_on_with_a_span_of_its_own() {
        let parent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
        let child = child_trace_context(parent).unwrap();
        assert!(
            child.starts_with("00-0123456789abcdef0123456789abcdef-") && child.ends_with("-01"),
            "{child}"
        );
        assert_eq!(child.len(), 55);
        assert_ne!(child, parent);
        assert_eq!(child_trace_context("00-short-01"), None);
    }
}
