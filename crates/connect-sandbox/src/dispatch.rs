//! Which task goes where and when: a state machine without sockets and without a clock of its own.
//!
//! What Connect does here is mostly undocumented; every number is a setting of [`DispatchPolicy`].

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    time::Duration,
};

use connect_model::wire::{ResultType, Task, TaskCategory, TaskInput, TaskOptions, TaskOutput};
use serde_json::Value;
use tokio::time::Instant;

/// How tasks are given out, again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DispatchPolicy {
    /// How many tasks one connection may hold at once; 100 by default.
    pub running_per_connection: usize,
    /// The wait after the first `retry`; it doubles with each further one. 30 s by default.
    pub retry_delay: Duration,
    /// The longest wait after a `retry`; 5 min by default.
    pub longest_retry_delay: Duration,
    /// How many retries a task gets before it fails; 10 by default.
    pub retries: u32,
    /// How long a task may stay without an answer before it is given out again; 6 min by default.
    pub answer_limit: Duration,
}

impl Default for DispatchPolicy {
    fn default() -> Self {
        Self {
            running_per_connection: 100,
            retry_delay: Duration::from_secs(30),
            longest_retry_delay: Duration::from_secs(300),
            retries: 10,
            answer_limit: Duration::from_secs(360),
        }
    }
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskStatus {
    /// In the queue.
    Scheduled,
    /// With a runner.
    Processing,
    /// Back in the queue after its countdown.
    Rescheduled,
    /// Back in the queue after a failed attempt.
    Retrying,
    /// Done.
    Succeeded,
    /// Failed for good.
    Failed,
    /// Not for the extension.
    Skipped,
}

impl TaskStatus {
    fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped)
    }
}

/// A task with all its attempts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskRecord {
    /// Its id (`TQ-…`).
    pub id: String,
    /// Its event.
    pub event_type: String,
    /// How it is handled.
    pub category: TaskCategory,
    /// What it is about.
    pub object_id: String,
    /// Where it stands.
    pub status: TaskStatus,
    /// What was tried, the oldest first.
    pub attempts: Vec<AttemptRecord>,
    retries: u32,
    data: Option<Value>,
    /// The object entered a status again while the task ran.
    again: bool,
}

/// One attempt at a task.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptRecord {
    /// The instance that got it.
    pub instance: String,
    /// How it ended; none while it runs, or where the connection was lost.
    pub output: Option<TaskOutput>,
}

pub(crate) type ConnectionId = u64;

/// Which connection a task goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Background,
    Interactive,
}

impl Lane {
    fn of(category: &TaskCategory) -> Self {
        match category {
            TaskCategory::Interactive => Self::Interactive,
            _ => Self::Background,
        }
    }
}

#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    instance: String,
    /// None: both lanes.
    lane: Option<Lane>,
    running: HashSet<String>,
    /// The runner stops: it answers what it holds, and gets nothing more.
    retired: bool,
}

/// What an answer led to.
#[derive(Debug, PartialEq)]
pub(crate) struct Answered {
    pub(crate) object_id: String,
    pub(crate) event_type: String,
    /// The task is over, and the object entered a status meanwhile.
    pub(crate) again: bool,
    pub(crate) over: bool,
}

#[derive(Debug)]
pub(crate) struct Dispatcher {
    policy: DispatchPolicy,
    speed: f64,
    tasks: HashMap<String, TaskRecord>,
    /// The one open task of an event and object.
    open: HashMap<(String, String), String>,
    ready: [VecDeque<String>; 2],
    waiting: BTreeMap<(Instant, u64), String>,
    deadlines: BTreeMap<(Instant, u64), (String, usize)>,
    connections: Vec<Connection>,
    counter: u64,
    turn: usize,
    /// Over all tasks ever made; ids are made of it.
    made: u64,
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
            connections: Vec::new(),
            counter: 0,
            turn: 0,
            made: 0,
        }
    }

    fn scaled(&self, duration: Duration) -> Duration {
        duration.div_f64(self.speed)
    }

    fn queue(&mut self, category: &TaskCategory) -> &mut VecDeque<String> {
        match Lane::of(category) {
            Lane::Background => &mut self.ready[0],
            Lane::Interactive => &mut self.ready[1],
        }
    }

    /// Makes a task, unless one for this event and object is open: that one is then marked to be followed by another.
    pub(crate) fn enqueue(
        &mut self,
        event_type: &str,
        category: TaskCategory,
        object_id: &str,
        data: Option<Value>,
    ) -> Option<String> {
        let key = (event_type.to_owned(), object_id.to_owned());
        // Somebody waits for each interactive task, so each is a task of its own.
        if category != TaskCategory::Interactive
            && let Some(task) = self.open.get(&key).and_then(|id| self.tasks.get_mut(id))
        {
            task.again |= task.status == TaskStatus::Processing;
            return None;
        }
        self.made += 1;
        let digits = format!("{:012}", self.made);
        let id = format!("TQ-0000-{}-{}-{}", &digits[0..4], &digits[4..8], &digits[8..12]);
        if category != TaskCategory::Interactive {
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
        Some(id)
    }

    pub(crate) fn connect(&mut self, instance: &str, lane: Option<Lane>) -> ConnectionId {
        self.counter += 1;
        let id = self.counter;
        self.connections.push(Connection {
            id,
            instance: instance.to_owned(),
            lane,
            running: HashSet::new(),
            retired: false,
        });
        id
    }

    /// A connection whose runner stops gets no more tasks.
    pub(crate) fn retire(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.iter_mut().find(|connection| connection.id == id) {
            connection.retired = true;
        }
    }

    /// The tasks of a lost connection go back to the queue, at once and to the front.
    pub(crate) fn disconnect(&mut self, id: ConnectionId) {
        let Some(index) = self.connections.iter().position(|connection| connection.id == id) else { return };
        let connection = self.connections.swap_remove(index);
        for task_id in connection.running {
            let Some(task) = self.tasks.get_mut(&task_id) else { continue };
            task.status = TaskStatus::Retrying;
            let category = task.category.clone();
            self.queue(&category).push_front(task_id);
        }
    }

    /// Gives out what is due, and says to whom.
    pub(crate) fn assign(&mut self, now: Instant) -> Vec<(ConnectionId, Task)> {
        while let Some(entry) = self.waiting.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let id = entry.remove();
            if let Some(category) = self.tasks.get(&id).map(|task| task.category.clone()) {
                self.queue(&category).push_back(id);
            }
        }
        self.expire(now);
        let mut assigned = Vec::new();
        for lane in [Lane::Background, Lane::Interactive] {
            let index = usize::from(lane == Lane::Interactive);
            while !self.ready[index].is_empty() {
                let Some(connection) = self.next_connection(lane) else { break };
                let Some(id) = self.ready[index].pop_front() else { break };
                assigned.extend(self.give(&id, connection, now));
            }
        }
        assigned
    }

    fn next_connection(&mut self, lane: Lane) -> Option<usize> {
        let count = self.connections.len();
        let limit = self.policy.running_per_connection;
        let fits = |connection: &Connection| {
            !connection.retired
                && connection.lane.is_none_or(|own| own == lane)
                && connection.running.len() < limit
        };
        let index = (0..count)
            .map(|step| (self.turn + step) % count)
            .find(|index| fits(&self.connections[*index]))?;
        self.turn = index + 1;
        Some(index)
    }

    fn give(&mut self, id: &str, connection: usize, now: Instant) -> Option<(ConnectionId, Task)> {
        let connection = &mut self.connections[connection];
        let task = self.tasks.get_mut(id)?;
        task.status = TaskStatus::Processing;
        task.attempts.push(AttemptRecord { instance: connection.instance.clone(), output: None });
        connection.running.insert(id.to_owned());
        let message = Task {
            options: TaskOptions {
                task_id: task.id.clone(),
                task_category: task.category.clone(),
                correlation_id: Some(format!("{}-{}", task.id, task.attempts.len())),
                reply_to: Some("sandbox".to_owned()),
                ..TaskOptions::default()
            },
            input: TaskInput {
                event_type: task.event_type.clone(),
                object_id: task.object_id.clone(),
                data: task.data.clone(),
                ..TaskInput::default()
            },
            output: None,
        };
        let attempt = task.attempts.len();
        let connection_id = connection.id;
        self.counter += 1;
        self.deadlines.insert((now + self.policy.answer_limit, self.counter), (id.to_owned(), attempt));
        Some((connection_id, message))
    }

    /// Takes back what was not answered in time.
    fn expire(&mut self, now: Instant) {
        while let Some(entry) = self.deadlines.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let (id, attempt) = entry.remove();
            let runs =
                |task: &TaskRecord| task.status == TaskStatus::Processing && task.attempts.len() == attempt;
            if self.tasks.get(&id).is_some_and(runs) {
                for connection in &mut self.connections {
                    connection.running.remove(&id);
                }
                self.retry(&id, now);
            }
        }
    }

    /// When something is due next, if nothing else happens.
    pub(crate) fn next_due(&self) -> Option<Instant> {
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
    ) -> Option<Answered> {
        let connection = self.connections.iter_mut().find(|known| known.id == connection)?;
        if !connection.running.remove(task_id) {
            return None;
        }
        let task = self.tasks.get_mut(task_id)?;
        let (result, countdown) = (output.result.clone(), output.countdown);
        if let Some(attempt) = task.attempts.last_mut() {
            attempt.output = Some(output);
        }
        match result {
            ResultType::Success => task.status = TaskStatus::Succeeded,
            ResultType::Fail => task.status = TaskStatus::Failed,
            ResultType::Skip => task.status = TaskStatus::Skipped,
            ResultType::Reschedule => {
                task.status = TaskStatus::Rescheduled;
                let delay = self.scaled(Duration::from_secs(countdown));
                self.wait(task_id, now + delay);
            }
            // An unknown result is no success.
            _ => self.retry(task_id, now),
        }
        let task = self.tasks.get_mut(task_id)?;
        let over = task.status.is_over();
        let again = over && std::mem::take(&mut task.again);
        let (object_id, event_type) = (task.object_id.clone(), task.event_type.clone());
        if over {
            let key = (event_type.clone(), object_id.clone());
            if self.open.get(&key).is_some_and(|open| open == task_id) {
                self.open.remove(&key);
            }
        }
        Some(Answered { object_id, event_type, again, over })
    }

    fn retry(&mut self, id: &str, now: Instant) {
        let policy = self.policy.clone();
        let Some(task) = self.tasks.get_mut(id) else { return };
        if task.retries >= policy.retries {
            task.status = TaskStatus::Failed;
            let key = (task.event_type.clone(), task.object_id.clone());
            self.open.remove(&key);
            return;
        }
        let doubled = policy.retry_delay.saturating_mul(2_u32.saturating_pow(task.retries.min(30)));
        task.retries += 1;
        task.status = TaskStatus::Retrying;
        let delay = self.scaled(doubled.min(policy.longest_retry_delay));
        self.wait(id, now + delay);
    }

    fn wait(&mut self, id: &str, until: Instant) {
        self.counter += 1;
        self.waiting.insert((until, self.counter), id.to_owned());
    }

    #[cfg(test)]
    pub(crate) fn task(&self, id: &str) -> Option<&TaskRecord> {
        self.tasks.get(id)
    }

    pub(crate) fn tasks(&self) -> Vec<TaskRecord> {
        let mut tasks: Vec<_> = self.tasks.values().cloned().collect();
        tasks.sort_by(|left, right| left.id.cmp(&right.id));
        tasks
    }

    /// Whether no task is queued, waits or runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty()
            && self.waiting.is_empty()
            && self.ready.iter().all(VecDeque::is_empty)
            && self.connections.iter().all(|connection| connection.running.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "asset_purchase_request_processing";

    fn dispatcher() -> Dispatcher {
        Dispatcher::new(DispatchPolicy::default(), 10.0)
    }

    fn put(dispatcher: &mut Dispatcher, object: &str) -> Option<String> {
        dispatcher.enqueue(EVENT, TaskCategory::Background, object, None)
    }

    fn output(result: ResultType, countdown: u64) -> TaskOutput {
        TaskOutput { countdown, ..TaskOutput::new(result) }
    }

    #[test]
    fn one_open_task_for_an_event_and_object() {
        let (mut dispatcher, now) = (dispatcher(), Instant::now());
        let connection = dispatcher.connect("SIN-1", Some(Lane::Background));
        let id = put(&mut dispatcher, "PR-1").unwrap();
        assert_eq!(put(&mut dispatcher, "PR-1"), None, "it is queued already");
        assert_eq!(dispatcher.assign(now).len(), 1);
        assert_eq!(put(&mut dispatcher, "PR-1"), None, "it runs, another one follows it");
        let answered = dispatcher.answer(connection, &id, output(ResultType::Success, 0), now).unwrap();
        assert!(answered.again && answered.over && dispatcher.is_idle());
        assert!(
            dispatcher.answer(connection, &id, output(ResultType::Success, 0), now).is_none(),
            "a second answer"
        );
    }

    #[test]
    fn a_rescheduled_task_comes_back_in_its_time() {
        let (mut dispatcher, now) = (dispatcher(), Instant::now());
        let connection = dispatcher.connect("SIN-1", None);
        let id = put(&mut dispatcher, "PR-1").unwrap();
        dispatcher.assign(now);
        dispatcher.answer(connection, &id, output(ResultType::Reschedule, 30), now).unwrap();
        assert_eq!(dispatcher.next_due(), Some(now + Duration::from_secs(3)), "ten times faster");
        assert!(dispatcher.assign(now + Duration::from_millis(2_999)).is_empty());
        assert_eq!(dispatcher.assign(now + Duration::from_secs(3)).len(), 1);
        assert_eq!(dispatcher.task(&id).unwrap().attempts.len(), 2);
    }

    #[test]
    fn retries_wait_longer_each_time_and_end() {
        let (mut dispatcher, mut now) = (dispatcher(), Instant::now());
        let connection = dispatcher.connect("SIN-1", None);
        let id = put(&mut dispatcher, "PR-1").unwrap();
        let mut waits = Vec::new();
        loop {
            assert_eq!(dispatcher.assign(now).len(), 1);
            dispatcher.answer(connection, &id, output(ResultType::Retry, 0), now).unwrap();
            if dispatcher.task(&id).unwrap().status == TaskStatus::Failed {
                break;
            }
            let due = dispatcher.waiting.first_key_value().unwrap().0.0;
            waits.push((due - now).as_secs());
            now = due;
        }
        assert_eq!(waits, [3, 6, 12, 24, 30, 30, 30, 30, 30, 30]);
        assert!(dispatcher.is_idle());
    }

    #[test]
    fn a_lost_connection_gives_its_tasks_to_another() {
        let (mut dispatcher, now) = (dispatcher(), Instant::now());
        let first = dispatcher.connect("SIN-1", None);
        let id = put(&mut dispatcher, "PR-1").unwrap();
        dispatcher.assign(now);
        let second = dispatcher.connect("SIN-2", None);
        dispatcher.disconnect(first);
        assert_eq!(dispatcher.assign(now)[0].0, second);
        assert!(
            dispatcher.answer(first, &id, output(ResultType::Success, 0), now).is_none(),
            "it is not its task now"
        );
        assert!(dispatcher.answer(second, &id, output(ResultType::Success, 0), now).is_some());
    }

    #[test]
    fn tasks_are_spread_over_connections_that_fit_and_have_room() {
        let policy = DispatchPolicy { running_per_connection: 2, ..DispatchPolicy::default() };
        let (mut dispatcher, now) = (Dispatcher::new(policy, 1.0), Instant::now());
        let interactive = dispatcher.connect("SIN-1", Some(Lane::Interactive));
        let ids = [
            dispatcher.connect("SIN-1", Some(Lane::Background)),
            dispatcher.connect("SIN-2", Some(Lane::Background)),
        ];
        for number in 0..5 {
            put(&mut dispatcher, &format!("PR-{number}"));
        }
        dispatcher.enqueue("product_action_execution", TaskCategory::Interactive, "ACT-1", Some(Value::Null));
        let assigned = dispatcher.assign(now);
        let count = |id| assigned.iter().filter(|(connection, _)| *connection == id).count();
        assert_eq!((count(ids[0]), count(ids[1]), count(interactive)), (2, 2, 1));
        assert!(!dispatcher.is_idle());
    }

    #[test]
    fn what_is_not_answered_in_time_is_given_out_again() {
        let (mut dispatcher, now) = (dispatcher(), Instant::now());
        let connection = dispatcher.connect("SIN-1", None);
        let id = put(&mut dispatcher, "PR-1").unwrap();
        dispatcher.assign(now);
        let late = now + Duration::from_secs(360);
        assert!(dispatcher.assign(late).is_empty(), "it waits as after a retry");
        assert_eq!(dispatcher.assign(late + Duration::from_secs(3)).len(), 1);
        assert!(dispatcher.answer(connection, &id, output(ResultType::Success, 0), late).is_some());
    }
}
