//! The state, and what follows from its changes by themselves.

use std::collections::{BTreeMap, HashMap};

use connect_model::{
    event::SCHEDULED_EXECUTION,
    wire::{Message, TaskCategory, TaskOutput},
};
use jiff::Timestamp;
use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tracing::error;

use super::Connected;
use crate::{
    api_error::ApiError,
    devops::{Live, installations, schedules},
    dispatch::{ConnectionId, Dispatcher, Enqueued, Outcome},
    events,
    fulfillment::{self, Action},
    role::Role,
    schedule::{self, Clock},
    store::{REQUESTS, Store, StoreError},
    world::{Changed, World},
};

/// The collections whose requests wait for somebody, and the statuses in which they do.
const WAITING: [(&str, &[&str]); 3] = [
    (REQUESTS, &["draft", "tiers_setup", "pending", "scheduled", "revoking"]),
    ("tier/config-requests", &["draft", "tiers_setup", "pending"]),
    ("tier/account-requests", &["pending"]),
];

#[derive(Debug)]
pub(crate) struct State {
    /// Where the sandbox is reached.
    pub(crate) url: String,
    pub(crate) store: Store,
    pub(crate) dispatcher: Dispatcher,
    /// The frames for each connection; few, since a connection holds few tasks.
    pub(super) senders: HashMap<ConnectionId, mpsc::UnboundedSender<Message>>,
    /// The connections, and what each said that it handles.
    pub(crate) runners: BTreeMap<ConnectionId, Connected>,
    /// What of the environment is not kept.
    pub(crate) devops: Live,
    /// Background events with their statuses, as the runners declared them; none before the first runner.
    pub(super) subscriptions: Option<BTreeMap<String, Vec<String>>>,
    /// The methods that schedules may name; none before the first runner.
    pub(crate) schedulables: Option<Vec<String>>,
    pub(crate) clock: schedule::Clock,
    /// What happens by itself at a time: schedules fire, and scheduled requests become pending.
    timers: BTreeMap<(Instant, Timer), Timestamp>,
    /// Where each of them stands there.
    timed: HashMap<Timer, Instant>,
    /// For which entry into a status the open task of an event and object was made.
    announced: HashMap<(String, String), i64>,
    pub(super) waiters: HashMap<String, Vec<oneshot::Sender<TaskOutput>>>,
}

/// What happens by itself at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A schedule fires.
    Schedule(String),
    /// The day of a scheduled request has come.
    Request(String),
}

impl State {
    pub(super) fn new(
        url: String,
        store: Store,
        dispatcher: Dispatcher,
        clock: Clock,
        environment: &str,
    ) -> Self {
        Self {
            url,
            store,
            dispatcher,
            senders: HashMap::new(),
            runners: BTreeMap::new(),
            devops: Live::new(environment),
            subscriptions: None,
            schedulables: None,
            clock,
            timers: BTreeMap::new(),
            timed: HashMap::new(),
            announced: HashMap::new(),
            waiters: HashMap::new(),
        }
    }

    /// Changes something, whole or not at all; what was put somewhere is the other answer.
    pub(crate) fn change<T>(
        &mut self,
        role: Role,
        change: impl FnOnce(&mut World<'_>) -> Result<T, ApiError>,
    ) -> Result<(T, Vec<Changed>), ApiError> {
        self.store.begin()?;
        let mut world = World::new(self, role);
        let result = change(&mut world);
        let changed = std::mem::take(&mut world.changed);
        self.store.end(result.is_ok())?;
        let value = result?;
        let now = Instant::now();
        for changed in changed.iter().filter(|changed| changed.entered) {
            self.announce(&changed.collection, &changed.id, now)?;
            if changed.collection == REQUESTS {
                self.set_request_timer(&changed.id, &changed.status)?;
            }
        }
        Ok((value, changed))
    }

    /// Makes tasks for the status an object is in, if somebody handles that and none was made for it yet.
    pub(super) fn announce(&mut self, collection: &str, id: &str, now: Instant) -> Result<(), StoreError> {
        if self.subscriptions.is_none() {
            return Ok(());
        }
        let Some(head) = self.store.head(collection, id)? else { return Ok(()) };
        if head.handled >= head.entered {
            return Ok(());
        }
        for event in events::announcing(collection, &head.kind) {
            let key = (event.to_owned(), id.to_owned());
            if self.handles(event, &head.status)
                && self.announced.get(&key) != Some(&head.entered)
                && self.is_selected(collection, id)?
            {
                let made = self.dispatcher.enqueue(event, TaskCategory::Background, id, None, now);
                self.announced.insert(key, head.entered);
                if let Enqueued::New(task) = made
                    && collection == installations::INSTALLATIONS
                {
                    self.act_for(&task, id);
                }
            }
        }
        Ok(())
    }

    /// Says on behalf of which installation a task is.
    pub(crate) fn act_for(&mut self, task: &str, installation: &str) {
        match installations::task_key(&mut World::new(self, Role::Platform), installation) {
            Ok(key) => self.dispatcher.act_for(task, key),
            Err(problem) => error!(task, "its installation can't be read: {}", problem.errors.join(" ")),
        }
    }

    /// Whether an object is of a product that the extension is for. What is of no product is for all.
    fn is_selected(&self, collection: &str, id: &str) -> Result<bool, StoreError> {
        let Some(products) = &self.devops.products else { return Ok(true) };
        let object = self.store.get(collection, id)?.unwrap_or_default();
        let places = ["/asset/product/id", "/configuration/product/id", "/product/id"];
        let product = places.into_iter().find_map(|place| object.pointer(place)?.as_str());
        let product = if collection == "products" { Some(id) } else { product };
        Ok(product.is_none_or(|product| products.contains(product)))
    }

    /// Makes tasks for all that waits for what the runners handle.
    pub(crate) fn announce_all(&mut self) -> Result<(), StoreError> {
        let now = Instant::now();
        let subscriptions = self.subscriptions.clone().unwrap_or_default();
        for (event, statuses) in &subscriptions {
            let Some((collection, kind)) = events::subject(event) else { continue };
            for status in statuses {
                for id in self.store.unhandled(collection, kind, status)? {
                    self.announce(collection, &id, now)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a runner handles what enters a status.
    pub(super) fn handles(&self, event: &str, status: &str) -> bool {
        let statuses = self.subscriptions.as_ref().and_then(|events| events.get(event));
        statuses.is_some_and(|statuses| statuses.iter().any(|own| own == status))
    }

    /// What follows from the end of an attempt.
    pub(super) fn ended(&mut self, outcome: &Outcome, output: Option<&TaskOutput>, now: Instant) {
        if !outcome.over {
            return;
        }
        // Who waits for a task that was never answered learns it by the sender's end.
        for waiter in self.waiters.remove(&outcome.task_id).into_iter().flatten() {
            if let Some(output) = output {
                let _ = waiter.send(output.clone());
            }
        }
        if outcome.category == TaskCategory::Scheduled {
            if outcome.again {
                let category = outcome.category.clone();
                self.dispatcher.enqueue(&outcome.event_type, category, &outcome.object_id, None, now);
            }
        } else if let Err(error) = self.follow(outcome, now) {
            error!(task = outcome.task_id, "what follows from a task can't be kept: {error}");
        }
    }

    /// Notes that an object's entry into its status had its task; if it entered another one meanwhile, that gets its own.
    fn follow(&mut self, outcome: &Outcome, now: Instant) -> Result<(), StoreError> {
        let key = (outcome.event_type.clone(), outcome.object_id.clone());
        let Some((collection, _)) = events::subject(&outcome.event_type) else { return Ok(()) };
        if let Some(entry) = self.announced.remove(&key) {
            let handled = if outcome.again { entry - 1 } else { entry };
            self.store.set_handled(collection, &outcome.object_id, handled)?;
        }
        if outcome.again { self.announce(collection, &outcome.object_id, now) } else { Ok(()) }
    }

    /// Runs the task of an object again: one that waits at once, and where none is open, a new one for the status the
    /// object is in. `false` where no runner handles that.
    pub(super) fn rerun(&mut self, collection: &str, id: &str) -> Result<bool, ApiError> {
        let head = self.store.head(collection, id)?.ok_or_else(ApiError::not_found)?;
        let mut handled = false;
        for event in events::announcing(collection, &head.kind) {
            let open = self.dispatcher.open_task(event, id).map(str::to_owned);
            let hurried = open.is_some_and(|task| self.dispatcher.hurry(&task));
            if !hurried && self.handles(event, &head.status) {
                self.announced.remove(&(event.to_owned(), id.to_owned()));
                self.store.set_handled(collection, id, head.entered - 1)?;
            }
            handled |= hurried || self.handles(event, &head.status);
        }
        self.announce(collection, id, Instant::now())?;
        Ok(handled)
    }

    /// Sets when something happens by itself, or that it does not.
    pub(crate) fn set_timer(&mut self, timer: Timer, at: Option<Timestamp>) {
        if let Some(instant) = self.timed.remove(&timer) {
            self.timers.remove(&(instant, timer.clone()));
        }
        if let Some(at) = at {
            let instant = self.clock.instant(at);
            self.timed.insert(timer.clone(), instant);
            self.timers.insert((instant, timer), at);
        }
    }

    fn set_request_timer(&mut self, id: &str, status: &str) -> Result<(), StoreError> {
        let timer = Timer::Request(id.to_owned());
        if status != "scheduled" {
            self.set_timer(timer, None);
            return Ok(());
        }
        let request = self.store.get(REQUESTS, id)?.unwrap_or_default();
        let at = request["planned_date"].as_str().and_then(schedule::time);
        self.set_timer(timer, at);
        Ok(())
    }

    /// Sets the timers of all that is here: of a file that was opened.
    pub(super) fn start_timers(&mut self) -> Result<(), StoreError> {
        schedules::start(&mut World::new(self, Role::Platform))?;
        for id in self.store.with_status(REQUESTS, "scheduled")? {
            self.set_request_timer(&id, "scheduled")?;
        }
        Ok(())
    }

    /// Sets all timers anew, after the clock was.
    pub(super) fn set_timers(&mut self) {
        for ((_, timer), at) in std::mem::take(&mut self.timers) {
            self.set_timer(timer, Some(at));
        }
    }

    /// When something happens by itself next.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|((at, _), _)| *at)
    }

    /// What happens by itself, and when.
    pub(crate) fn timers(&self) -> impl Iterator<Item = (&Timer, Timestamp)> {
        self.timers.iter().map(|((_, timer), at)| (timer, *at))
    }

    /// Lets happen what is due; what changed by it is the answer.
    pub(super) fn fire(&mut self, now: Instant) -> Vec<Changed> {
        let mut due = Vec::new();
        while let Some(entry) = self.timers.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((instant, timer), at) = entry.remove_entry();
            self.timed.remove(&timer);
            due.push(((instant, timer), at));
        }
        let mut changed = Vec::new();
        for ((_, timer), fired) in due {
            let done = match &timer {
                Timer::Schedule(id) => self.fire_schedule(id, fired, now),
                Timer::Request(id) => {
                    let pend =
                        |world: &mut World<'_>| fulfillment::act(world, id, Action::Pend, &Value::Null);
                    self.change(Role::Platform, pend).map(|(_, own)| changed.extend(own))
                }
            };
            if let Err(problem) = done {
                error!(?timer, "what was due could not be done: {}", problem.errors.join(" "));
            }
        }
        changed
    }

    fn fire_schedule(&mut self, id: &str, fired: Timestamp, now: Instant) -> Result<(), ApiError> {
        if self.store.head(schedules::SCHEDULES, id)?.is_none() {
            return Ok(());
        }
        self.dispatcher.enqueue(SCHEDULED_EXECUTION, TaskCategory::Scheduled, id, None, now);
        self.change(Role::Platform, |world| schedules::fired_by_itself(world, id, fired)).map(drop)
    }

    /// Whether nothing more happens by itself: no task is open, and if there was no runner yet, nothing waits for one.
    pub(super) fn is_settled(&self) -> Result<bool, StoreError> {
        if !self.dispatcher.is_idle() {
            return Ok(false);
        }
        if self.subscriptions.is_some() {
            return Ok(true);
        }
        for (collection, statuses) in WAITING {
            for status in statuses {
                if self.store.is_unhandled(collection, status)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
