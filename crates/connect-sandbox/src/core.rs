//! The state that REST, sockets and the library share, and what follows from its changes.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use connect_model::wire::{
    Logging, LoggingMeta, Message, Secret, SetupRequest, SetupResponse, Task, TaskCategory, TaskOutput,
    Variable,
};
use serde_json::Value;
use tokio::{
    sync::{Notify, broadcast, mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    Activity,
    api_error::ApiError,
    dispatch::{ConnectionId, DispatchPolicy, Dispatcher, Lane},
    events, fulfillment,
    store::Store,
};

/// What the sandbox is set up with.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) api_key: Secret,
    pub(crate) environment_id: String,
    pub(crate) variables: BTreeMap<String, Secret>,
    pub(crate) policy: DispatchPolicy,
    pub(crate) speed: f64,
}

impl Setup {
    /// `SRVC-` and the middle of the environment's id.
    pub(crate) fn service_id(&self) -> String {
        let rest = self.environment_id.strip_prefix("ENV-").unwrap_or(&self.environment_id);
        let middle = rest.rsplit_once('-').map_or(rest, |(middle, _)| middle);
        format!("SRVC-{middle}")
    }
}

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) setup: Setup,
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
    /// The frames for each connection.
    senders: HashMap<ConnectionId, mpsc::UnboundedSender<Message>>,
    /// Background events with their statuses, as the runners declared them.
    subscriptions: BTreeMap<String, Vec<String>>,
    /// For which entry into a status a task was made last.
    announced: HashMap<(String, String), u64>,
    waiters: HashMap<String, oneshot::Sender<TaskOutput>>,
}

impl Core {
    pub(crate) fn new(setup: Setup, store: Store) -> Arc<Self> {
        let dispatcher = Dispatcher::new(setup.policy.clone(), setup.speed);
        Arc::new(Self {
            setup,
            state: Mutex::new(State {
                store,
                dispatcher,
                senders: HashMap::new(),
                subscriptions: BTreeMap::new(),
                announced: HashMap::new(),
                waiters: HashMap::new(),
            }),
            due: Notify::new(),
            changed: Notify::new(),
            activity: broadcast::channel(4_096).0,
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
        self.changed.notify_waiters();
    }

    /// Gives tasks out when they are due, until the sandbox stops.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            self.give_out();
            let due = self.state().dispatcher.next_due();
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

    fn give_out(&self) {
        let mut told = Vec::new();
        {
            let mut state = self.state();
            let assigned = state.dispatcher.assign(Instant::now());
            for (connection, task) in assigned {
                told.push(Activity::TaskSent {
                    task_id: task.options.task_id.clone(),
                    event_type: task.input.event_type.clone(),
                    object_id: task.input.object_id.clone(),
                });
                // A connection that is just being lost gives its tasks back when it is.
                if let Some(sender) = state.senders.get(&connection) {
                    let _ = sender.send(Message::Task(Box::new(task)));
                }
            }
        }
        for activity in told {
            self.tell(activity);
        }
    }

    /// A runner said what it handles: it gets its settings, and tasks for what it handles.
    pub(crate) fn set_up(
        &self,
        request: &SetupRequest,
        instance: &str,
        lane: Option<Lane>,
        sender: mpsc::UnboundedSender<Message>,
    ) -> ConnectionId {
        let response = self.setup_response(request);
        let connection = {
            let mut state = self.state();
            let connection = state.dispatcher.connect(instance, lane);
            // The answer is the first frame, before any task.
            let _ = sender.send(Message::SetupResponse(Box::new(response)));
            state.senders.insert(connection, sender);
            if lane != Some(Lane::Interactive) {
                for (event, statuses) in request.event_subscriptions.iter().flatten() {
                    if !statuses.is_empty() {
                        state.subscriptions.insert(event.clone(), statuses.clone());
                    }
                }
                let ids: Vec<String> = state.store.requests().map(|(id, _)| id.clone()).collect();
                for id in &ids {
                    state.announce(id);
                }
            }
            connection
        };
        self.tell(Activity::RunnerConnected { instance: instance.to_owned() });
        self.due.notify_one();
        connection
    }

    pub(crate) fn disconnected(&self, connection: ConnectionId, instance: &str) {
        {
            let mut state = self.state();
            state.senders.remove(&connection);
            state.dispatcher.disconnect(connection);
        }
        self.tell(Activity::RunnerDisconnected { instance: instance.to_owned() });
        self.due.notify_one();
    }

    fn setup_response(&self, request: &SetupRequest) -> SetupResponse {
        let declared = request.variables.iter().flatten();
        let mut variables: BTreeMap<String, (Secret, bool)> = declared
            .map(|variable| (variable.name.clone(), (variable.initial_value.clone(), variable.secure)))
            .collect();
        for (name, value) in &self.setup.variables {
            let secure = variables.get(name).is_some_and(|(_, secure)| *secure);
            variables.insert(name.clone(), (value.clone(), secure));
        }
        let variables = variables.into_iter().map(|(name, (value, secure))| Variable {
            name,
            value: Some(value),
            secure: Some(secure),
        });
        let subscribed = request.event_subscriptions.iter().flatten();
        SetupResponse {
            variables: Some(variables.collect()),
            environment_type: Some("development".to_owned()),
            environment_runtime: Some("local".to_owned()),
            logging: Some(Logging {
                log_level: Some("INFO".to_owned()),
                runner_log_level: Some("INFO".to_owned()),
                meta: Some(LoggingMeta {
                    account_id: Some("VA-000-000".to_owned()),
                    account_name: Some("Sandbox".to_owned()),
                    service_id: Some(self.setup.service_id()),
                    ..LoggingMeta::default()
                }),
                ..Logging::default()
            }),
            event_definitions: Some(subscribed.map(|(event, _)| events::definition(event)).collect()),
            ..SetupResponse::default()
        }
    }

    /// A runner answered a task.
    pub(crate) fn answered(&self, connection: ConnectionId, task: Task) {
        let Some(output) = task.output else {
            warn!(task = task.options.task_id, "an answer without output was left out");
            return;
        };
        let id = task.options.task_id;
        let mut state = self.state();
        let Some(answered) = state.dispatcher.answer(connection, &id, output.clone(), Instant::now()) else {
            drop(state);
            warn!(task = id, "an answer that nobody waits for was left out");
            return;
        };
        if answered.over
            && let Some(waiter) = state.waiters.remove(&id)
        {
            let _ = waiter.send(output.clone());
        }
        if answered.again {
            // The entry was counted for the task that ran; it gets one of its own.
            state.announced.remove(&(answered.event_type.clone(), answered.object_id.clone()));
            state.announce(&answered.object_id);
        }
        drop(state);
        self.tell(Activity::TaskAnswered {
            task_id: id,
            event_type: answered.event_type,
            object_id: answered.object_id,
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
            state.announce(id);
        }
        let value = state
            .store
            .request(id)
            .map(|stored| Arc::clone(&stored.value))
            .ok_or_else(ApiError::not_found)?;
        drop(state);
        if changed {
            let status = value["status"].as_str().unwrap_or_default().to_owned();
            self.tell(Activity::RequestChanged { id: id.to_owned(), status });
            self.due.notify_one();
        }
        Ok(value)
    }

    pub(crate) fn add_request(&self, request: Value) -> Option<String> {
        let mut state = self.state();
        let id = state.store.put_request(request)?;
        state.announce(&id);
        drop(state);
        self.changed.notify_waiters();
        self.due.notify_one();
        Some(id)
    }

    /// A task with somebody who waits for its end.
    pub(crate) fn ask(
        &self,
        event_type: &str,
        category: TaskCategory,
        object_id: &str,
        data: Option<Value>,
    ) -> Option<oneshot::Receiver<TaskOutput>> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        let id = state.dispatcher.enqueue(event_type, category, object_id, data)?;
        state.waiters.insert(id, sender);
        drop(state);
        self.due.notify_one();
        Some(receiver)
    }

    pub(crate) async fn settled(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
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
    fn announce(&mut self, id: &str) {
        let Some(stored) = self.store.request(id) else { return };
        let event = events::of_request(&stored.value);
        let status = stored.value["status"].as_str().unwrap_or_default();
        let entered = stored.entered;
        let subscribed =
            self.subscriptions.get(&event).is_some_and(|statuses| statuses.iter().any(|own| own == status));
        let key = (event, id.to_owned());
        if !subscribed || self.announced.get(&key) == Some(&entered) {
            return;
        }
        self.dispatcher.enqueue(&key.0, TaskCategory::Background, id, None);
        self.announced.insert(key, entered);
    }

    /// Whether nothing more happens by itself: no task is open, and each request that somebody handles had its task.
    fn is_settled(&self) -> bool {
        !self.subscriptions.is_empty()
            && self.dispatcher.is_idle()
            && self.store.requests().all(|(id, stored)| {
                fulfillment::is_settled(&stored.value) || {
                    let event = events::of_request(&stored.value);
                    !self.subscriptions.contains_key(&event)
                        || self.announced.contains_key(&(event, id.clone()))
                }
            })
    }
}
