//! The state that REST, sockets and the library share, and what follows from its changes.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use connect_model::{
    event::SCHEDULED_EXECUTION,
    wire::{Message, Secret, SetupRequest, Task, TaskCategory, TaskOutput},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{
    sync::{Notify, broadcast, mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    Activity,
    api_error::ApiError,
    chaos::Chaos,
    dispatch::{ConnectionId, Dispatcher, Enqueued, Lane, Outcome},
    events,
    fulfillment::{self, Action},
    schedule,
    setup::Setup,
    store::Store,
};

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
    activity: broadcast::Sender<Activity>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) dispatcher: Dispatcher,
    /// The frames for each connection; few, since a connection holds few tasks.
    senders: HashMap<ConnectionId, mpsc::UnboundedSender<Message>>,
    /// The connections, and what each said that it handles.
    pub(crate) runners: BTreeMap<ConnectionId, Connected>,
    /// Values of variables, in place of the initial ones that the extension declares.
    pub(crate) variables: BTreeMap<String, Secret>,
    /// Background events with their statuses, as the runners declared them; none before the first runner.
    subscriptions: Option<BTreeMap<String, Vec<String>>>,
    /// The methods that schedules may name; none before the first runner.
    schedulables: Option<Vec<String>>,
    pub(crate) clock: schedule::Clock,
    /// When schedules fire next.
    timers: BTreeMap<(Instant, String), Timestamp>,
    /// For which entry into a status a task was made last.
    announced: HashMap<(String, String), u64>,
    waiters: HashMap<String, Vec<oneshot::Sender<TaskOutput>>>,
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
        variables: BTreeMap<String, Secret>,
        chaos: Chaos,
    ) -> Arc<Self> {
        let dispatcher = Dispatcher::new(setup.policy.clone(), setup.speed);
        let clock = schedule::Clock::new(setup.speed);
        Arc::new(Self {
            setup,
            chaos,
            state: Mutex::new(State {
                store,
                dispatcher,
                senders: HashMap::new(),
                runners: BTreeMap::new(),
                variables,
                subscriptions: None,
                schedulables: None,
                clock,
                timers: BTreeMap::new(),
                announced: HashMap::new(),
                waiters: HashMap::new(),
            }),
            due: Notify::new(),
            changed: Notify::new(),
            activity: broadcast::channel(ACTIVITIES).0,
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // What holds the lock changes maps only; nothing is left half-way by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        state.fire(now);
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
        let timer = state.timers.first_key_value().map(|((at, _), _)| *at);
        let due = state.dispatcher.next_due().into_iter().chain(timer).min();
        drop(state);
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
        let response = self.setup.response(request, &state.variables);
        let connection = state.dispatcher.connect(instance, lane);
        // The answer is the first frame, before any task.
        let _ = sender.send(Message::SetupResponse(Box::new(response)));
        state.senders.insert(connection, sender);
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
            let ids: Vec<String> = state.store.requests().map(|(id, _)| id.clone()).collect();
            let now = Instant::now();
            for id in &ids {
                state.announce(id, now);
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
        self.tell(Activity::TaskAnswered {
            task_id: id,
            event_type: outcome.event_type,
            object_id: outcome.object_id,
            output: Box::new(output),
        });
        self.due.notify_one();
    }

    /// Changes a request, and makes the tasks that follow from it.
    pub(crate) fn change_request(
        &self,
        id: &str,
        change: impl FnOnce(&mut Value) -> Result<(), ApiError>,
    ) -> Result<Arc<Value>, ApiError> {
        let mut state = self.state();
        let changed = state.store.change(id, change).ok_or_else(ApiError::not_found)??;
        if changed {
            state.announce(id, Instant::now());
        }
        let stored = state.store.request(id).map(|stored| Arc::clone(&stored.value));
        let value = stored.ok_or_else(ApiError::not_found)?;
        drop(state);
        if changed {
            let status = fulfillment::status(&value).to_owned();
            self.tell(Activity::RequestChanged { id: id.to_owned(), status });
            self.due.notify_one();
        }
        Ok(value)
    }

    /// Adds a request. `None` where it has no id.
    pub(crate) fn add_request(&self, request: Value) -> Option<String> {
        let mut state = self.state();
        let status = fulfillment::status(&request).to_owned();
        let id = state.store.put_request(request)?;
        state.announce(&id, Instant::now());
        drop(state);
        self.tell(Activity::RequestChanged { id: id.clone(), status });
        self.due.notify_one();
        Some(id)
    }

    /// Creates a request as REST does. A whole request with its id is taken as it is, which Connect would not do; an
    /// order gets its ids here.
    pub(crate) fn create(&self, body: &Value) -> Result<Arc<Value>, ApiError> {
        if body["type"] != "purchase"
            && body["id"].is_null()
            && let Some(asset) = body["asset"]["id"].as_str()
        {
            return self.order(asset, body);
        }
        let request = if body.get("id").is_some_and(|id| !id.is_null()) {
            let id = body["id"].as_str().unwrap_or_default();
            if self.state().store.request(id).is_some() {
                return Err(ApiError::conflict(format!("The request {id} exists.")));
            }
            body.clone()
        } else {
            let mut state = self.state();
            loop {
                let number = state.store.number();
                let request = fulfillment::purchase(body, number)?;
                if state.store.request(request["id"].as_str().unwrap_or_default()).is_none() {
                    break request;
                }
            }
        };
        let missing = || ApiError::bad("VAL_001", "id: Not a valid string.");
        let id = self.add_request(request).ok_or_else(missing)?;
        let value = self.state().store.request(&id).map(|stored| Arc::clone(&stored.value));
        value.ok_or_else(ApiError::not_found)
    }

    /// Does something with a request.
    pub(crate) fn act(&self, id: &str, action: Action, body: &Value) -> Result<Arc<Value>, ApiError> {
        let template = self.template(id, body);
        self.change_request(id, |request| fulfillment::act(request, action, body, &template))
    }

    /// What a request is to say of the template that the body names.
    fn template(&self, request: &str, body: &Value) -> Value {
        let Some(id) = body["template_id"].as_str() else { return Value::Null };
        let state = self.state();
        let request = state.store.request(request).map(|stored| Arc::clone(&stored.value));
        let product = request.as_ref().and_then(|request| request["asset"]["product"]["id"].as_str());
        let templates = product.map(|product| format!("products/{product}/templates"));
        let known = templates.and_then(|templates| state.store.get(&templates, id));
        match known.as_ref().and_then(|known| known.get("name")) {
            Some(name) => json!({"id": id, "name": name}),
            None => json!({"id": id}),
        }
    }

    /// Orders something for an asset that is there.
    pub(crate) fn order(&self, asset: &str, order: &Value) -> Result<Arc<Value>, ApiError> {
        let mut state = self.state();
        let known = state.store.asset(asset).ok_or_else(ApiError::not_found)?;
        let others = state.store.requests_of(asset).unwrap_or_default();
        let others: Vec<&Value> = others.iter().map(|other| &**other).collect();
        let request = fulfillment::follow_up(order, &known, &others)?;
        let status = fulfillment::status(&request).to_owned();
        let id = state.store.put_request(request).ok_or_else(ApiError::not_found)?;
        state.announce(&id, Instant::now());
        let value = state.store.request(&id).map(|stored| Arc::clone(&stored.value));
        drop(state);
        self.tell(Activity::RequestChanged { id, status });
        self.due.notify_one();
        value.ok_or_else(ApiError::not_found)
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
    pub(crate) fn set_variable(&self, name: &str, value: Secret) {
        let mut guard = self.state();
        let state = &mut *guard;
        state.variables.insert(name.to_owned(), value);
        for (connection, runner) in &state.runners {
            if let Some(sender) = state.senders.get(connection) {
                let response = self.setup.response(&runner.declared, &state.variables);
                let _ = sender.send(Message::SetupResponse(Box::new(response)));
            }
        }
        drop(guard);
        self.setup.recorder.touch();
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
    pub(crate) fn trigger(&self, id: &str) -> Option<oneshot::Receiver<TaskOutput>> {
        self.state().store.get("schedules", id)?;
        Some(self.begin(SCHEDULED_EXECUTION, TaskCategory::Scheduled, id, None))
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

    /// Runs the task of a request again: one that waits at once, and where none is open, a new one for the status the
    /// request is in. `false` where no runner handles that.
    pub(crate) fn rerun(&self, id: &str) -> Result<bool, ApiError> {
        let mut state = self.state();
        let stored = state.store.request(id).ok_or_else(ApiError::not_found)?;
        let (event, status) =
            (events::of_request(&stored.value), fulfillment::status(&stored.value).to_owned());
        let hurried = match state.dispatcher.open_task(&event, id).map(str::to_owned) {
            Some(task) => state.dispatcher.hurry(&task),
            None => false,
        };
        let handled = hurried || state.handles(&event, &status);
        if handled && !hurried {
            state.announced.remove(&(event, id.to_owned()));
            state.announce(id, Instant::now());
        }
        drop(state);
        self.setup.recorder.touch();
        self.due.notify_one();
        Ok(handled)
    }

    /// Adds a schedule, or puts another in its place, and sets its timer; what is wrong with it is the error.
    pub(crate) fn put_schedule(&self, mut schedule: Value) -> Result<Arc<Value>, String> {
        let mut state = self.state();
        let now = state.clock.now();
        let members = schedule.as_object_mut().ok_or("Expected an object.")?;
        let method = members.get("method").and_then(Value::as_str).filter(|method| !method.is_empty());
        let method = method.ok_or("method: This field is required.")?;
        if state.schedulables.as_ref().is_some_and(|known| !known.iter().any(|known| known == method)) {
            return Err(format!("method: \"{method}\" is no schedulable of the environment."));
        }
        let next = match members.get("trigger").filter(|trigger| !trigger.is_null()) {
            Some(trigger) => schedule::next_trigger(trigger, now)?,
            None => None,
        };
        if !members.get("id").is_some_and(Value::is_string) {
            let environment = self.setup.environment_id.strip_prefix("ENV-").unwrap_or_default();
            let id = format!("EFS-{environment}-{:04}", state.store.number());
            members.insert("id".to_owned(), id.into());
        }
        members
            .entry("environment")
            .or_insert_with(|| json!({"id": self.setup.environment_id, "type": "development"}));
        members.entry("status").or_insert_with(|| "enabled".into());
        let enabled = !matches!(members["status"].as_str(), Some("disabled" | "obsolete"));
        let id = state.store.put("schedules", schedule).ok_or("id: It is empty.")?;
        state.timers.retain(|(_, timed), _| *timed != id);
        if let Some(next) = next.filter(|_| enabled) {
            let at = state.clock.instant(next);
            state.timers.insert((at, id.clone()), next);
        }
        let stored = state.store.get("schedules", &id).ok_or("id: It is empty.")?;
        drop(state);
        self.due.notify_one();
        Ok(stored)
    }

    pub(crate) fn remove_schedule(&self, id: &str) -> bool {
        let mut state = self.state();
        state.timers.retain(|(_, timed), _| timed != id);
        state.store.remove("schedules", id)
    }

    pub(crate) async fn settled(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From before the look, so that nothing is missed in between.
            changed.as_mut().enable();
            if self.state().is_settled() {
                return;
            }
            changed.await;
        }
    }
}

impl State {
    /// Makes a task for the status a request is in, if somebody handles that and none was made for it yet.
    fn announce(&mut self, id: &str, now: Instant) {
        let Some(stored) = self.store.request(id) else { return };
        let (event, entered) = (events::of_request(&stored.value), stored.entered);
        if !self.handles(&event, fulfillment::status(&stored.value)) {
            return;
        }
        let key = (event, id.to_owned());
        if self.announced.get(&key) == Some(&entered) {
            return;
        }
        self.dispatcher.enqueue(&key.0, TaskCategory::Background, id, None, now);
        self.announced.insert(key, entered);
    }

    /// Whether a runner handles what enters a status.
    fn handles(&self, event: &str, status: &str) -> bool {
        let statuses = self.subscriptions.as_ref().and_then(|events| events.get(event));
        statuses.is_some_and(|statuses| statuses.iter().any(|own| own == status))
    }

    /// What follows from the end of an attempt.
    fn ended(&mut self, outcome: &Outcome, output: Option<&TaskOutput>, now: Instant) {
        if outcome.over {
            // Who waits for a task that was never answered learns it by the sender's end.
            for waiter in self.waiters.remove(&outcome.task_id).into_iter().flatten() {
                if let Some(output) = output {
                    let _ = waiter.send(output.clone());
                }
            }
        }
        if outcome.again && outcome.category == TaskCategory::Scheduled {
            let category = outcome.category.clone();
            self.dispatcher.enqueue(&outcome.event_type, category, &outcome.object_id, None, now);
        } else if outcome.again {
            // The entry was counted for the task that ran; it gets one of its own.
            self.announced.remove(&(outcome.event_type.clone(), outcome.object_id.clone()));
            self.announce(&outcome.object_id, now);
        }
    }

    /// Sets the timers of schedules anew, after the clock was.
    fn set_timers(&mut self) {
        let timers = std::mem::take(&mut self.timers);
        let again = |((_, id), fires)| ((self.clock.instant(fires), id), fires);
        self.timers = timers.into_iter().map(again).collect();
    }

    /// The schedules that fire, and when.
    pub(crate) fn timers(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.timers.iter().map(|((_, id), fires)| (id.as_str(), *fires))
    }

    /// Makes tasks for the schedules whose time has come, and sets their next timers.
    fn fire(&mut self, now: Instant) {
        let mut due = Vec::new();
        while let Some(entry) = self.timers.first_entry().filter(|entry| entry.key().0 <= now) {
            due.push(entry.remove_entry());
        }
        for ((_, id), fired) in due {
            let Some(schedule) = self.store.get("schedules", &id) else { continue };
            self.dispatcher.enqueue(SCHEDULED_EXECUTION, TaskCategory::Scheduled, &id, None, now);
            // What was missed meanwhile is not made up for.
            let after = fired.max(self.clock.now());
            if let Ok(Some(next)) = schedule::next_trigger(&schedule["trigger"], after) {
                self.timers.insert((self.clock.instant(next), id), next);
            }
        }
    }

    /// Whether nothing more happens by itself: no task is open, and each request is at its end, or had its task, or
    /// is in a status that no runner handles.
    fn is_settled(&self) -> bool {
        self.dispatcher.is_idle()
            && self.store.requests().all(|(id, stored)| {
                fulfillment::is_settled(&stored.value)
                    || self.subscriptions.is_some() && {
                        let event = events::of_request(&stored.value);
                        !self.handles(&event, fulfillment::status(&stored.value))
                            || self.announced.get(&(event, id.clone())) == Some(&stored.entered)
                    }
            })
    }
}
