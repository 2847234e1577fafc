//! The state that REST, sockets and the library share, and who is told of its changes.

mod state;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use connect_model::{
    event::SCHEDULED_EXECUTION,
    wire::{Message, Secret, SetupRequest, Task, TaskCategory, TaskOutput},
};
use serde_json::Value;
use tokio::{
    sync::{Notify, broadcast, mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::{
    Activity,
    api_error::ApiError,
    chaos::Chaos,
    devops::{environments, schedules, services, variables},
    dispatch::{ConnectionId, Dispatcher, Enqueued, Lane, Resubmitted},
    fulfillment::{self, Action},
    role::Role,
    schedule,
    setup::Setup,
    store::{REQUESTS, Store, StoreError},
    world::{Changed, World, written},
};
pub(crate) use state::{State, Timer};

/// How long changes are gathered before they are kept: what a killed sandbox may forget.
const GATHER: Duration = Duration::from_millis(100);
/// How many activities a slow subscriber may be behind before it misses some.
const ACTIVITIES: usize = 4_096;

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) setup: Setup,
    pub(crate) chaos: Chaos,
    state: Mutex<State>,
    /// Something may be due: tasks to give out.
    due: Notify,
    /// Something changed: for who waits for an end.
    changed: Notify,
    /// Changes are gathered that are not kept yet.
    unkept: Notify,
    activity: broadcast::Sender<Activity>,
}

/// A connection of a runner.
#[derive(Clone, Debug)]
pub(crate) struct Connected {
    pub(crate) instance: String,
    /// None: both lanes.
    pub(crate) lane: Option<Lane>,
    pub(crate) since: SystemTime,
    pub(crate) declared: Arc<SetupRequest>,
}

impl Core {
    pub(crate) fn new(
        setup: Setup,
        store: Store,
        given: &BTreeMap<String, Secret>,
        chaos: Chaos,
    ) -> Result<Arc<Self>, ApiError> {
        let dispatcher = Dispatcher::new(setup.policy.clone(), setup.speed);
        let kept = store.setting("time")?;
        let reached = kept.as_ref().and_then(Value::as_str).and_then(schedule::time);
        let clock = schedule::Clock::new(setup.speed, reached);
        let mut state = State::new(setup.url.clone(), store, dispatcher, clock, &setup.environment_id);
        state.change(Role::Platform, |world| {
            services::seed(world)?;
            given.iter().try_for_each(|(name, value)| variables::set_value(world, name, value.expose()))
        })?;
        state.start_timers()?;
        Ok(Arc::new(Self {
            setup,
            chaos,
            state: Mutex::new(state),
            due: Notify::new(),
            changed: Notify::new(),
            unkept: Notify::new(),
            activity: broadcast::channel(ACTIVITIES).0,
        }))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // What holds the lock changes maps only; nothing is left half-way by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose key this is: of the vendor, of the distributor, or of one of them who has installed the extension.
    pub(crate) fn role_of(&self, key: &str) -> Option<Role> {
        let of_installation = || {
            let is_distributors = self.state().devops.is_distributors(key)?;
            Some(if is_distributors { Role::Distributor } else { Role::Vendor })
        };
        self.setup.role_of(key).or_else(of_installation)
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Activity> {
        self.activity.subscribe()
    }

    fn tell(&self, activity: Activity) {
        // Nobody may be listening.
        let _ = self.activity.send(activity);
        self.setup.recorder.touch();
        self.changed.notify_waiters();
    }

    /// Gives tasks out when they are due, until the sandbox stops.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let due = self.give_out();
            let wait = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.due.notified() => {}
                () = wait => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Gives out what is due, and says when something is next.
    fn give_out(&self) -> Option<Instant> {
        let mut told = Vec::new();
        let mut state = self.state();
        let now = Instant::now();
        let changed = state.fire(now);
        let given = state.dispatcher.assign(now);
        for (connection, task) in given.tasks {
            told.push(Activity::TaskSent {
                task_id: task.options.task_id.clone(),
                event_type: task.input.event_type.clone(),
                object_id: task.input.object_id.clone(),
            });
            // A connection that is just being lost gives its tasks back when it is.
            if let Some(sender) = state.senders.get(&connection) {
                for _ in 0..self.chaos.delivery(&task.input.event_type) {
                    let _ = sender.send(Message::Task(Box::new(task.clone())));
                }
            }
        }
        for outcome in given.expired {
            warn!(task = outcome.task_id, over = outcome.over, "a task was not answered in time");
            state.ended(&outcome, None, now);
            told.push(Activity::TaskExpired {
                task_id: outcome.task_id,
                event_type: outcome.event_type,
                object_id: outcome.object_id,
            });
        }
        let due = state.dispatcher.next_due().into_iter().chain(state.next_timer()).min();
        drop(state);
        self.tell_changes(changed);
        for activity in told {
            self.tell(activity);
        }
        due
    }

    /// A runner said what it handles: it gets its settings, and tasks for what it handles.
    pub(crate) fn set_up(
        &self,
        request: &SetupRequest,
        instance: &str,
        lane: Option<Lane>,
        sender: mpsc::UnboundedSender<Message>,
    ) -> ConnectionId {
        let mut state = self.state();
        let connection = state.dispatcher.connect(instance, lane);
        let response = state.change(Role::Platform, |world| {
            variables::declare(world, request)?;
            environments::setup_response(world, request)
        });
        match response {
            // The answer is the first frame, before any task.
            Ok((response, _)) => drop(sender.send(Message::SetupResponse(Box::new(response)))),
            Err(problem) => error!("a runner can't be set up: {}", problem.errors.join(" ")),
        }
        state.senders.insert(connection, sender);
        let now = written(state.clock.now());
        state.devops.connected(instance, &now);
        let declared = Arc::new(request.clone());
        let connected = Connected { instance: instance.to_owned(), lane, since: SystemTime::now(), declared };
        state.runners.insert(connection, connected);
        if lane != Some(Lane::Interactive) {
            let methods = request.schedulables.iter().flatten().map(|one| one.method.clone());
            state.schedulables = Some(methods.collect());
            let subscriptions = state.subscriptions.get_or_insert_default();
            for (event, statuses) in request.event_subscriptions.iter().flatten() {
                if !statuses.is_empty() {
                    subscriptions.insert(event.clone(), statuses.clone());
                }
            }
            if let Err(problem) = state.change(Role::Platform, schedules::review) {
                error!("the schedules can't be read: {}", problem.errors.join(" "));
            }
            if let Err(error) = state.announce_all() {
                error!("what waits for the runner can't be read: {error}");
            }
        }
        drop(state);
        self.tell(Activity::RunnerConnected { instance: instance.to_owned() });
        self.due.notify_one();
        connection
    }

    pub(crate) fn disconnected(&self, connection: ConnectionId, instance: &str) {
        {
            let mut state = self.state();
            state.senders.remove(&connection);
            state.runners.remove(&connection);
            let now = written(state.clock.now());
            state.devops.disconnected(instance, &now);
            state.dispatcher.disconnect(connection, Instant::now());
        }
        self.tell(Activity::RunnerDisconnected { instance: instance.to_owned() });
        self.due.notify_one();
    }

    /// Cuts the connections of runners; what they hold is given out again.
    pub(crate) fn cut(&self) {
        // Without its sender a connection ends.
        self.state().senders.clear();
    }

    /// Everything is answered with 502 until it ends, and no connection outlives its beginning.
    pub(crate) fn set_maintenance(&self, is_on: bool) {
        self.chaos.set_maintenance(is_on);
        if is_on {
            self.cut();
        }
        self.setup.recorder.touch();
    }

    /// A runner answered a task.
    pub(crate) fn answered(&self, connection: ConnectionId, task: Task) {
        let Some(output) = task.output else {
            warn!(task = task.options.task_id, "an answer without output was left out");
            return;
        };
        let id = task.options.task_id;
        let now = Instant::now();
        let mut state = self.state();
        let Some(outcome) = state.dispatcher.answer(connection, &id, output.clone(), now) else {
            drop(state);
            warn!(task = id, "an answer that nobody waits for was left out");
            return;
        };
        state.ended(&outcome, Some(&output), now);
        drop(state);
        self.unkept.notify_one();
        self.tell(Activity::TaskAnswered {
            task_id: id,
            event_type: outcome.event_type,
            object_id: outcome.object_id,
            output: Box::new(output),
        });
        self.due.notify_one();
    }

    /// Changes something, whole or not at all, and lets happen what follows from it.
    pub(crate) fn change<T>(
        &self,
        role: Role,
        change: impl FnOnce(&mut World<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut state = self.state();
        let (value, changed) = state.change(role, change)?;
        drop(state);
        self.tell_changes(changed);
        Ok(value)
    }

    fn tell_changes(&self, changed: Vec<Changed>) {
        if changed.is_empty() {
            return;
        }
        self.touched();
        for Changed { collection, id, status, .. } in changed.into_iter().filter(|changed| changed.entered) {
            self.tell(match collection.as_str() {
                REQUESTS => Activity::RequestChanged { id, status },
                _ => Activity::ObjectChanged { collection, id, status },
            });
        }
    }

    /// Looks at something.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&World<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        read(&World::new(&mut self.state(), Role::Platform))
    }

    /// Does something with a request.
    pub(crate) fn act(&self, role: Role, id: &str, action: Action, body: &Value) -> Result<Value, ApiError> {
        self.change(role, |world| fulfillment::act(world, id, action, body))
    }

    /// Keeps what was gathered, not at each change but a moment later, until the sandbox stops.
    pub(crate) async fn keep(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = self.unkept.notified() => {}
                () = stop.cancelled() => {}
            }
            if !stop.is_cancelled() {
                tokio::time::sleep(GATHER).await;
            }
            if let Err(error) = self.keep_now() {
                error!("the sandbox can't keep its data: {error}");
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    fn keep_now(&self) -> Result<(), StoreError> {
        let state = self.state();
        if state.store.has_gathered() {
            state.store.set_setting("time", &state.clock.now().to_string().into())?;
            state.store.keep()?;
        }
        Ok(())
    }

    /// Changes how fast time goes, for what waits already too.
    pub(crate) fn set_speed(&self, speed: f64) {
        let mut state = self.state();
        state.clock.set_speed(speed);
        state.dispatcher.set_speed(speed, Instant::now());
        state.set_timers();
        drop(state);
        self.setup.recorder.touch();
        self.due.notify_one();
    }

    /// Lets time jump ahead: what would have come by then comes now.
    pub(crate) fn step(&self, by: Duration) {
        let mut state = self.state();
        state.clock.step(by);
        state.dispatcher.step(by, Instant::now());
        state.set_timers();
        drop(state);
        self.setup.recorder.touch();
        self.due.notify_one();
    }

    /// Gives a variable another value, and tells the runners.
    pub(crate) fn set_variable(&self, name: &str, value: &Secret) -> Result<(), ApiError> {
        self.change(Role::Platform, |world| variables::set_value(world, name, value.expose()))?;
        self.set_up_again()
    }

    /// Tells the runners what they were told at the handshake, as it is now.
    pub(crate) fn set_up_again(&self) -> Result<(), ApiError> {
        let mut guard = self.state();
        let state = &mut *guard;
        let mut responses = Vec::new();
        for (connection, runner) in state.runners.clone() {
            let world = World::new(state, Role::Platform);
            responses.push((connection, environments::setup_response(&world, &runner.declared)?));
        }
        for (connection, response) in responses {
            if let Some(sender) = state.senders.get(&connection) {
                let _ = sender.send(Message::SetupResponse(Box::new(response)));
            }
        }
        drop(guard);
        self.touched();
        Ok(())
    }

    /// Tells the runners to stop: they get no more tasks, end those that they have, and go.
    pub(crate) fn shut_down(&self) {
        let mut guard = self.state();
        let state = &mut *guard;
        for (connection, sender) in &state.senders {
            state.dispatcher.retire(*connection);
            let _ = sender.send(Message::Shutdown);
        }
        drop(guard);
        self.setup.recorder.touch();
    }

    /// Lets a task that failed begin again.
    pub(crate) fn resubmit(&self, id: &str) -> Result<(), ApiError> {
        let end = self.state().dispatcher.resubmit(id, Instant::now());
        self.touched();
        match end {
            Resubmitted::Again => Ok(()),
            Resubmitted::Unknown => Err(ApiError::not_found()),
            Resubmitted::NotFailed => Err(ApiError::bad("VAL_001", "Only failed tasks can be resubmitted.")),
            Resubmitted::Open => Err(ApiError::bad(
                "VAL_001",
                "There is another task of this type for the object, which is not over.",
            )),
        }
    }

    /// Makes a task by hand; its id is the answer.
    pub(crate) fn make_task(
        &self,
        event_type: &str,
        category: TaskCategory,
        object_id: &str,
        installation: Option<&str>,
    ) -> Result<String, ApiError> {
        let mut state = self.state();
        let made = state.dispatcher.enqueue(event_type, category, object_id, None, Instant::now());
        let Enqueued::New(id) = made else {
            return Err(ApiError::bad(
                "VAL_001",
                "There is a task of this type for the object, which is not over.",
            ));
        };
        if let Some(installation) = installation {
            state.act_for(&id, installation);
        }
        drop(state);
        self.touched();
        Ok(id)
    }

    /// Sends an interactive task, for somebody who waits for its answer.
    pub(crate) fn ask(
        &self,
        event_type: &str,
        object_id: &str,
        data: Value,
    ) -> oneshot::Receiver<TaskOutput> {
        self.begin(event_type, TaskCategory::Interactive, object_id, Some(data))
    }

    /// Runs a schedule now, for somebody who waits for its end; a run that is open is joined.
    pub(crate) fn trigger(&self, id: &str) -> Result<oneshot::Receiver<TaskOutput>, ApiError> {
        self.change(Role::Platform, |world| schedules::fired(world, id))?;
        Ok(self.begin(SCHEDULED_EXECUTION, TaskCategory::Scheduled, id, None))
    }

    fn begin(
        &self,
        event_type: &str,
        category: TaskCategory,
        object_id: &str,
        data: Option<Value>,
    ) -> oneshot::Receiver<TaskOutput> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        let open = state.dispatcher.open_task(event_type, object_id).map(str::to_owned);
        let task = match open.filter(|_| category != TaskCategory::Interactive) {
            Some(open) => Some(open),
            None => match state.dispatcher.enqueue(event_type, category, object_id, data, Instant::now()) {
                Enqueued::New(id) => Some(id),
                Enqueued::Open => None,
            },
        };
        if let Some(task) = task {
            state.waiters.entry(task).or_default().push(sender);
        }
        drop(state);
        self.due.notify_one();
        receiver
    }

    /// Runs the task of an object again; `false` where no runner handles the status that it is in.
    pub(crate) fn rerun(&self, collection: &str, id: &str) -> Result<bool, ApiError> {
        let handled = self.state().rerun(collection, id)?;
        self.setup.recorder.touch();
        self.due.notify_one();
        Ok(handled)
    }

    /// Something is due at another time, and there is something to keep.
    fn touched(&self) {
        self.due.notify_one();
        self.unkept.notify_one();
        self.setup.recorder.touch();
    }

    pub(crate) async fn settled(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From before the look, so that nothing is missed in between.
            changed.as_mut().enable();
            match self.state().is_settled() {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) => error!("whether all is settled can't be read: {error}"),
            }
            changed.await;
        }
    }
}
