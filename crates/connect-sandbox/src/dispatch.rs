//! Which task goes where and when: a state machine without sockets and without a clock of its own.
//!
//! What Connect does here is mostly undocumented; every number is a setting of [`DispatchPolicy`].

mod connection;
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
pub use policy::DispatchPolicy;
pub use record::{AttemptRecord, TaskRecord, TaskStatus};

/// The longest wait: whatever a runner or a setting asks for, a point in time can be made of it.
const LONGEST_WAIT: f64 = 10.0 * 365.0 * 86_400.0;

/// How much sooner something comes than it says.
pub(crate) fn scaled(duration: Duration, speed: f64) -> Duration {
    Duration::from_secs_f64((duration.as_secs_f64() / speed).clamp(0.0, LONGEST_WAIT))
}

/// What became of a task that was asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Enqueued {
    /// It is a new one.
    New(String),
    /// One for this event and object is open already.
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
    tasks: HashMap<String, TaskRecord>,
    /// The one open task of an event and object.
    open: HashMap<(String, String), String>,
    /// What can be given out, by lane. A task that ended while it waited here is passed over.
    ready: [VecDeque<String>; 2],
    /// What comes back later.
    waiting: BTreeMap<(Instant, u64), String>,
    /// Until when an attempt (by its number) is to be answered, or an interactive task to be taken.
    deadlines: BTreeMap<(Instant, u64), (String, usize)>,
    connections: Connections,
    /// How many tasks are not over.
    unfinished: usize,
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
            tasks: HashMap::new(),
            open: HashMap::new(),
            ready: [VecDeque::new(), VecDeque::new()],
            waiting: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            connections: Connections::default(),
            unfinished: 0,
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
        if !interactive && let Some(task) = self.open.get(&key).and_then(|id| self.tasks.get_mut(id)) {
            task.again |= task.status == TaskStatus::Processing;
            return Enqueued::Open;
        }
        self.made += 1;
        self.unfinished += 1;
        let digits = format!("{:012}", self.made);
        let id = format!("TQ-0000-{}-{}-{}", &digits[0..4], &digits[4..8], &digits[8..]);
        if interactive {
            self.deadline(&id, 0, now + scaled(self.policy.interactive_wait, 1.0));
        } else {
            self.open.insert(key, id.clone());
        }
        self.queue(&category).push_back(id.clone());
        let task = TaskRecord {
            id: id.clone(),
            event_type: event_type.to_owned(),
            category,
            object_id: object_id.to_owned(),
            status: TaskStatus::Scheduled,
            attempts: Vec::new(),
            retries: 0,
            data,
            again: false,
        };
        self.tasks.insert(id.clone(), task);
        Enqueued::New(id)
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
        for task_id in self.connections.remove(id).into_iter().rev() {
            let Some(task) = self.tasks.get_mut(&task_id) else { continue };
            task.status = TaskStatus::Retrying;
            let (category, attempts) = (task.category.clone(), task.attempts.len());
            if category == TaskCategory::Interactive {
                self.deadline(&task_id, attempts, now + scaled(self.policy.interactive_wait, 1.0));
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
            if let Some(category) = self.tasks.get(&id).map(|task| task.category.clone()) {
                self.queue(&category).push_back(id);
            }
        }
        let mut given = Given { tasks: Vec::new(), expired: self.expire(now) };
        let limit = self.policy.running_per_connection;
        for (index, lane) in Lane::ALL.into_iter().enumerate() {
            while let Some(id) = self.ready[index].front() {
                let task = self.tasks.get(id).filter(|task| task.is_queued());
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
        let task = self.tasks.get_mut(id)?;
        let instance = self.connections.hold(connection, id)?.to_owned();
        let started = self.epoch.1 + now.saturating_duration_since(self.epoch.0);
        task.status = TaskStatus::Processing;
        task.attempts.push(AttemptRecord { instance, started, output: None });
        let message = task.message();
        let (attempt, limit) = (task.attempts.len(), self.policy.answer_limit(&task.category));
        self.deadline(id, attempt, now + scaled(limit, 1.0));
        Some(message)
    }

    fn deadline(&mut self, id: &str, attempt: usize, at: Instant) {
        self.counter += 1;
        self.deadlines.insert((at, self.counter), (id.to_owned(), attempt));
    }

    fn expire(&mut self, now: Instant) -> Vec<Outcome> {
        let mut expired = Vec::new();
        while let Some(entry) = self.deadlines.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let (id, attempt) = entry.remove();
            let Some(task) = self.tasks.get_mut(&id).filter(|task| task.attempts.len() == attempt) else {
                continue;
            };
            if task.category == TaskCategory::Interactive && !task.status.is_over() {
                // Who asked does not wait for another attempt.
                task.status = TaskStatus::Failed;
            } else if task.status == TaskStatus::Processing {
                self.retry(&id, now);
            } else {
                continue;
            }
            self.connections.release_anywhere(&id);
            expired.extend(self.outcome(&id));
        }
        expired
    }

    /// When something is due next, if nothing else happens.
    pub(crate) fn next_due(&mut self) -> Option<Instant> {
        while let Some(entry) = self.deadlines.first_entry() {
            let (id, attempt) = entry.get();
            let stands = |task: &TaskRecord| {
                let queued = task.category == TaskCategory::Interactive && task.is_queued();
                task.attempts.len() == *attempt && (queued || task.status == TaskStatus::Processing)
            };
            if self.tasks.get(id).is_some_and(stands) {
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
        let task = self.tasks.get_mut(task_id)?;
        let (result, countdown) = (output.result.clone(), Duration::from_secs(output.countdown));
        if let Some(attempt) = task.attempts.last_mut() {
            attempt.output = Some(output);
        }
        match result {
            ResultType::Success => task.status = TaskStatus::Succeeded,
            ResultType::Fail => task.status = TaskStatus::Failed,
            ResultType::Skip => task.status = TaskStatus::Skipped,
            // Who asked does not wait for another attempt.
            _ if task.category == TaskCategory::Interactive => task.status = TaskStatus::Failed,
            ResultType::Reschedule => {
                task.status = TaskStatus::Rescheduled;
                let countdown = if countdown.is_zero() { self.policy.default_countdown } else { countdown };
                self.wait(task_id, now, countdown);
            }
            // An unknown result is no success.
            _ => self.retry(task_id, now),
        }
        self.outcome(task_id)
    }

    fn retry(&mut self, id: &str, now: Instant) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        let Some(delay) = self.policy.retry_after(task.retries) else {
            task.status = TaskStatus::Failed;
            return;
        };
        task.retries += 1;
        task.status = TaskStatus::Retrying;
        self.wait(id, now, delay);
    }

    fn wait(&mut self, id: &str, now: Instant, delay: Duration) {
        self.counter += 1;
        self.waiting.insert((now + scaled(delay, self.speed), self.counter), id.to_owned());
    }

    /// What became of a task whose attempt ended; one that is over makes room for the next of its object.
    fn outcome(&mut self, id: &str) -> Option<Outcome> {
        let task = self.tasks.get_mut(id)?;
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
            self.unfinished -= 1;
            if task.category != TaskCategory::Interactive {
                self.open.remove(&(outcome.event_type.clone(), outcome.object_id.clone()));
            }
        }
        Some(outcome)
    }

    /// All tasks ever made, the oldest first.
    pub(crate) fn tasks(&self) -> Vec<TaskRecord> {
        let mut tasks: Vec<_> = self.tasks.values().cloned().collect();
        tasks.sort_by(|left, right| left.id.cmp(&right.id));
        tasks
    }

    /// Whether no task is queued, waits or runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.unfinished == 0
    }
}
