//! Which task goes where and when: a state machine without sockets and without a clock of its own.
//!
//! What Connect does here is mostly undocumented; every number is a setting of [`DispatchPolicy`].

mod connection;
mod history;
mod policy;
mod record;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, SystemTime},
};

use connect_model::wire::{ResultType, Task, TaskCategory, TaskOutput};
use serde_json::Value;
use tokio::time::Instant;

use connection::Connections;
pub(crate) use connection::{ConnectionId, Lane};
use history::History;
pub use policy::DispatchPolicy;
pub(crate) use record::InstallationKey;
pub use record::{AttemptRecord, TaskRecord, TaskStatus};

/// The longest wait: whatever a runner or a setting asks for, a point in time can be made of it.
const LONGEST_WAIT: f64 = 10.0 * 365.0 * 86_400.0;

/// How much sooner something comes than it says.
pub(crate) fn scaled(duration: Duration, speed: f64) -> Duration {
    Duration::from_secs_f64((duration.as_secs_f64() / speed).clamp(0.0, LONGEST_WAIT))
}

fn task_id(number: u64) -> String {
    let digits = format!("{number:012}");
    format!("TQ-0000-{}-{}-{}", &digits[0..4], &digits[4..8], &digits[8..])
}

/// What became of a task that was asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Enqueued {
    /// It is a new one.
    New(String),
    /// One for this event and object is open already.
    Open,
}

/// What became of a task that was to begin again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resubmitted {
    Again,
    Unknown,
    NotFailed,
    /// Another one for its event and object is open.
    Open,
}

/// What an answer, or its absence, led to.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) task_id: String,
    pub(crate) event_type: String,
    pub(crate) object_id: String,
    pub(crate) category: TaskCategory,
    /// Nothing more comes of the task.
    pub(crate) over: bool,
    /// It is over, and its object entered a status while it ran.
    pub(crate) again: bool,
}

/// What is to be done now.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) tasks: Vec<(ConnectionId, Task)>,
    /// Tasks that waited too long for an answer or a runner.
    pub(crate) expired: Vec<Outcome>,
}

#[derive(Debug)]
pub(crate) struct Dispatcher {
    policy: DispatchPolicy,
    speed: f64,
    history: History,
    /// The one open task of an event and object.
    open: HashMap<(String, String), String>,
    /// What can be given out, by lane. A task that ended while it waited here is passed over.
    ready: [VecDeque<String>; 2],
    /// What comes back later.
    waiting: BTreeMap<(Instant, u64), String>,
    /// Until when an attempt is to be answered, or an interactive task to be taken; a task's own deadline counts alone.
    deadlines: BTreeMap<(Instant, u64), String>,
    connections: Connections,
    /// The task that a runner has, by its object: the one given out last.
    running: HashMap<String, String>,
    /// Over all tasks ever made; ids are made of it.
    made: u64,
    counter: u64,
    /// The same moment on both clocks.
    epoch: (Instant, SystemTime),
}

impl Dispatcher {
    pub(crate) fn new(policy: DispatchPolicy, speed: f64) -> Self {
        Self {
            policy,
            speed,
            history: History::default(),
            open: HashMap::new(),
            ready: [VecDeque::new(), VecDeque::new()],
            waiting: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            connections: Connections::default(),
            running: HashMap::new(),
            made: 0,
            counter: 0,
            epoch: (Instant::now(), SystemTime::now()),
        }
    }

    fn queue(&mut self, category: &TaskCategory) -> &mut VecDeque<String> {
        match Lane::of(category) {
            Lane::Background => &mut self.ready[0],
            Lane::Interactive => &mut self.ready[1],
        }
    }

    /// The open task of an event and object.
    pub(crate) fn open_task(&self, event_type: &str, object_id: &str) -> Option<&str> {
        self.open.get(&(event_type.to_owned(), object_id.to_owned())).map(String::as_str)
    }

    /// Makes a task, unless one for this event and object is open: that one is followed by another if it runs.
    pub(crate) fn enqueue(
        &mut self,
        event_type: &str,
        category: TaskCategory,
        object_id: &str,
        data: Option<Value>,
        now: Instant,
    ) -> Enqueued {
        let key = (event_type.to_owned(), object_id.to_owned());
        // Somebody waits for each interactive task, so each is a task of its own.
        let interactive = category == TaskCategory::Interactive;
        if !interactive && let Some(task) = self.open.get(&key).and_then(|id| self.history.get_mut(id)) {
            task.again |= task.status == TaskStatus::Processing;
            return Enqueued::Open;
        }
        self.made += 1;
        let id = task_id(self.made);
        if !interactive {
            self.open.insert(key, id.clone());
        }
        let created = self.time(now);
        self.history.add(TaskRecord {
            id: id.clone(),
            event_type: event_type.to_owned(),
            category,
            object_id: object_id.to_owned(),
            status: TaskStatus::Scheduled,
            attempts: Vec::new(),
            created,
            updated: created,
            retries: 0,
            data,
            again: false,
            installation: None,
            deadline: 0,
            waits: None,
        });
        self.requeue(&id, now);
        Enqueued::New(id)
    }

    /// Puts a task at the end of its queue; an interactive one does not stay there for ever.
    fn requeue(&mut self, id: &str, now: Instant) {
        let Some(category) = self.history.get(id).map(|task| task.category.clone()) else { return };
        self.queue(&category).push_back(id.to_owned());
        if category == TaskCategory::Interactive {
            self.deadline(id, now + scaled(self.policy.interactive_wait, 1.0));
        }
    }

    /// Says on whose behalf a task is, before it is given out.
    pub(crate) fn act_for(&mut self, id: &str, installation: InstallationKey) {
        if let Some(task) = self.history.get_mut(id) {
            task.installation = Some(installation);
        }
    }

    /// Lets a task that failed begin again.
    pub(crate) fn resubmit(&mut self, id: &str, now: Instant) -> Resubmitted {
        let Some(task) = self.history.get_mut(id) else { return Resubmitted::Unknown };
        if task.status != TaskStatus::Failed {
            return Resubmitted::NotFailed;
        }
        let key = (task.event_type.clone(), task.object_id.clone());
        let interactive = task.category == TaskCategory::Interactive;
        if !interactive && self.open.contains_key(&key) {
            return Resubmitted::Open;
        }
        task.retries = 0;
        if !interactive {
            self.open.insert(key, id.to_owned());
        }
        let at = self.time(now);
        self.history.enter(id, TaskStatus::Scheduled, at);
        self.requeue(id, now);
        Resubmitted::Again
    }

    pub(crate) fn connect(&mut self, instance: &str, lane: Option<Lane>) -> ConnectionId {
        self.connections.add(instance, lane)
    }

    /// A connection whose runner stops gets no more tasks.
    pub(crate) fn retire(&mut self, id: ConnectionId) {
        self.connections.retire(id);
    }

    /// The tasks of a lost connection go back to the queue, at once and to the front.
    pub(crate) fn disconnect(&mut self, id: ConnectionId, now: Instant) {
        let ended = self.time(now);
        for task_id in self.connections.remove(id).into_iter().rev() {
            let Some(task) = self.history.get_mut(&task_id) else { continue };
            task.lost(ended);
            task.deadline = 0;
            self.running.remove(&task.object_id);
            let category = task.category.clone();
            self.history.enter(&task_id, TaskStatus::Retrying, ended);
            if category == TaskCategory::Interactive {
                self.deadline(&task_id, now + scaled(self.policy.interactive_wait, 1.0));
            }
            self.queue(&category).push_front(task_id);
        }
    }

    /// Gives out what is due, and takes back what was not answered in time.
    pub(crate) fn assign(&mut self, now: Instant) -> Given {
        while let Some(entry) = self.waiting.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let id = entry.remove();
            self.stop_waiting(&id);
        }
        let mut given = Given { tasks: Vec::new(), expired: self.expire(now) };
        let limit = self.policy.running_per_connection;
        for (index, lane) in Lane::ALL.into_iter().enumerate() {
            while let Some(id) = self.ready[index].front() {
                let task = self.history.get(id).filter(|task| task.is_queued());
                let connection = match task {
                    None => None,
                    Some(task) => match self.connections.next(lane, limit, task.avoids()) {
                        None => break,
                        found => found,
                    },
                };
                if let (Some(id), Some(connection)) = (self.ready[index].pop_front(), connection) {
                    given.tasks.extend(self.give(&id, connection, now).map(|task| (connection, task)));
                }
            }
        }
        given
    }

    fn give(&mut self, id: &str, connection: ConnectionId, now: Instant) -> Option<Task> {
        let instance = self.connections.hold(connection, id)?.to_owned();
        let started = self.time(now);
        self.history.enter(id, TaskStatus::Processing, started);
        let task = self.history.get_mut(id)?;
        task.attempts.push(AttemptRecord { instance, started, ended: None, output: None });
        let message = task.message();
        self.running.insert(task.object_id.clone(), id.to_owned());
        let limit = self.policy.answer_limit(&task.category);
        self.deadline(id, now + scaled(limit, 1.0));
        Some(message)
    }

    fn time(&self, now: Instant) -> SystemTime {
        self.epoch.1 + now.saturating_duration_since(self.epoch.0)
    }

    fn deadline(&mut self, id: &str, at: Instant) {
        self.counter += 1;
        if let Some(task) = self.history.get_mut(id) {
            task.deadline = self.counter;
            self.deadlines.insert((at, self.counter), id.to_owned());
        }
    }

    fn expire(&mut self, now: Instant) -> Vec<Outcome> {
        let mut expired = Vec::new();
        let ended = self.time(now);
        while let Some(entry) = self.deadlines.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let ((_, number), id) = entry.remove_entry();
            let Some(task) = self.history.get_mut(&id).filter(|task| task.deadline == number) else {
                continue;
            };
            task.lost(ended);
            task.deadline = 0;
            if task.category == TaskCategory::Interactive {
                // Who asked does not wait for another attempt.
                self.history.enter(&id, TaskStatus::Failed, ended);
            } else {
                self.retry(&id, now);
            }
            self.connections.release_anywhere(&id);
            expired.extend(self.outcome(&id));
        }
        expired
    }

    /// When something is due next, if nothing else happens.
    pub(crate) fn next_due(&mut self) -> Option<Instant> {
        while let Some(entry) = self.deadlines.first_entry() {
            let number = entry.key().1;
            if self.history.get(entry.get()).is_some_and(|task| task.deadline == number) {
                break;
            }
            entry.remove();
        }
        let waiting = self.waiting.first_key_value().map(|((due, _), _)| *due);
        let deadline = self.deadlines.first_key_value().map(|((due, _), _)| *due);
        waiting.into_iter().chain(deadline).min()
    }

    /// Takes an answer; `None` where it is not expected: the task is unknown, over, or with somebody else.
    pub(crate) fn answer(
        &mut self,
        connection: ConnectionId,
        task_id: &str,
        output: TaskOutput,
        now: Instant,
    ) -> Option<Outcome> {
        if !self.connections.release(connection, task_id) {
            return None;
        }
        let ended = self.time(now);
        let task = self.history.get_mut(task_id)?;
        task.deadline = 0;
        let interactive = task.category == TaskCategory::Interactive;
        let (result, countdown) = (output.result.clone(), Duration::from_secs(output.countdown));
        if let Some(attempt) = task.attempts.last_mut() {
            attempt.ended = Some(ended);
            attempt.output = Some(output);
        }
        match result {
            ResultType::Success => self.history.enter(task_id, TaskStatus::Succeeded, ended),
            ResultType::Fail => self.history.enter(task_id, TaskStatus::Failed, ended),
            ResultType::Skip => self.history.enter(task_id, TaskStatus::Skipped, ended),
            // Who asked does not wait for another attempt.
            _ if interactive => self.history.enter(task_id, TaskStatus::Failed, ended),
            ResultType::Reschedule => {
                self.history.enter(task_id, TaskStatus::Rescheduled, ended);
                let countdown = if countdown.is_zero() { self.policy.default_countdown } else { countdown };
                self.wait(task_id, now, countdown);
            }
            // An unknown result is no success.
            _ => self.retry(task_id, now),
        }
        self.outcome(task_id)
    }

    fn retry(&mut self, id: &str, now: Instant) {
        let at = self.time(now);
        let Some(task) = self.history.get_mut(id) else { return };
        let Some(delay) = self.policy.retry_after(task.retries) else {
            self.history.enter(id, TaskStatus::Failed, at);
            return;
        };
        task.retries += 1;
        self.history.enter(id, TaskStatus::Retrying, at);
        self.wait(id, now, delay);
    }

    fn wait(&mut self, id: &str, now: Instant, delay: Duration) {
        self.counter += 1;
        let key = (now + scaled(delay, self.speed), self.counter);
        if let Some(task) = self.history.get_mut(id) {
            task.waits = Some(key);
            self.waiting.insert(key, id.to_owned());
        }
    }

    /// A task that waited can be given out; whether it waited is the answer.
    fn stop_waiting(&mut self, id: &str) -> bool {
        let Some(task) = self.history.get_mut(id) else { return false };
        let Some(key) = task.waits.take() else { return false };
        let category = task.category.clone();
        self.waiting.remove(&key);
        self.queue(&category).push_back(id.to_owned());
        true
    }

    /// What became of a task whose attempt ended; one that is over makes room for the next of its object.
    fn outcome(&mut self, id: &str) -> Option<Outcome> {
        let task = self.history.get_mut(id)?;
        if self.running.get(&task.object_id).is_some_and(|running| running == id) {
            self.running.remove(&task.object_id);
        }
        let over = task.status.is_over();
        let outcome = Outcome {
            task_id: id.to_owned(),
            event_type: task.event_type.clone(),
            object_id: task.object_id.clone(),
            category: task.category.clone(),
            over,
            again: over && std::mem::take(&mut task.again),
        };
        if over {
            if outcome.category != TaskCategory::Interactive {
                self.open.remove(&(outcome.event_type.clone(), outcome.object_id.clone()));
            }
            self.history.forget(self.policy.finished_tasks);
        }
        Some(outcome)
    }

    /// All tasks that are not forgotten, the oldest first.
    pub(crate) fn tasks(&self) -> Vec<TaskRecord> {
        self.history.all().cloned().collect()
    }

    /// The next ones by id, after an id: so that a long history need not be looked at at once.
    pub(crate) fn after(&self, id: &str, most: usize) -> impl Iterator<Item = &TaskRecord> {
        self.history.after(id).take(most)
    }

    pub(crate) fn task(&self, id: &str) -> Option<&TaskRecord> {
        self.history.get(id)
    }

    /// The task that a runner has for an object.
    pub(crate) fn running_for(&self, object_id: &str) -> Option<&str> {
        self.running.get(object_id).map(String::as_str)
    }

    /// Gives a task out now that waits for its countdown or its next retry; says whether it waited.
    pub(crate) fn hurry(&mut self, id: &str) -> bool {
        self.stop_waiting(id)
    }

    /// What waits goes on waiting at another speed.
    pub(crate) fn set_speed(&mut self, speed: f64, now: Instant) {
        let factor = speed / self.speed;
        self.speed = speed;
        self.move_waiting(|at| now + scaled(at.saturating_duration_since(now), factor));
    }

    /// What waits has waited so much of its own time more.
    pub(crate) fn step(&mut self, by: Duration, now: Instant) {
        let by = scaled(by, self.speed);
        self.move_waiting(|at| at.checked_sub(by).unwrap_or(now));
    }

    fn move_waiting(&mut self, to: impl Fn(Instant) -> Instant) {
        let waiting = std::mem::take(&mut self.waiting);
        for ((at, number), id) in waiting {
            let key = (to(at), number);
            if let Some(task) = self.history.get_mut(&id) {
                task.waits = Some(key);
                self.waiting.insert(key, id);
            }
        }
    }

    /// How many tasks wait, and how long the next one does.
    pub(crate) fn waiting(&self, now: Instant) -> (usize, Option<Duration>) {
        let next = self.waiting.first_key_value().map(|((at, _), _)| at.saturating_duration_since(now));
        (self.waiting.len(), next)
    }

    /// How long a task waits still for its countdown or its next retry.
    pub(crate) fn waits(&self, id: &str, now: Instant) -> Option<Duration> {
        let (due, _) = self.history.get(id)?.waits?;
        Some(due.saturating_duration_since(now))
    }

    /// The newest tasks, the newest first.
    pub(crate) fn newest(&self, most: usize) -> Vec<TaskRecord> {
        self.history.all().rev().take(most).cloned().collect()
    }

    /// How many tasks of each event are in each status, those that are forgotten included.
    pub(crate) fn counts(&self) -> HashMap<(&str, TaskStatus), usize> {
        self.history.counts().map(|(event, status, count)| ((event, status), count)).collect()
    }

    /// How many tasks each instance has now.
    pub(crate) fn held(&self) -> HashMap<String, usize> {
        self.connections.held()
    }

    /// The newest tasks of an object, the oldest of them first.
    pub(crate) fn newest_of(&self, object_id: &str, most: usize) -> Vec<TaskRecord> {
        let mut tasks: Vec<_> = self.history.of_object(object_id).rev().take(most).cloned().collect();
        tasks.reverse();
        tasks
    }

    /// The tasks of an object that are not forgotten, the oldest first.
    pub(crate) fn tasks_of(&self, object_id: &str) -> Vec<TaskRecord> {
        self.history.of_object(object_id).cloned().collect()
    }

    /// Whether no task is queued, waits or runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.history.unfinished() == 0
    }
}
