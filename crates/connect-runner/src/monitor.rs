use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use serde::Serialize;

use crate::{
    ConnectionEvent, ConnectionState,
    tasks::{Lane, Tasks},
};

/// Tells how it goes with a [`Runner`](crate::Runner): for probes, metrics and consoles.
///
/// ```no_run
/// # async fn run(runner: connect_runner::Runner) {
/// let monitor = runner.monitor();
/// tokio::spawn(runner.run_until(std::future::pending(), std::future::pending()));
/// let status = monitor.status();
/// println!("ready: {}, tasks: {}", status.is_ready, status.tasks.iter().map(|tasks| tasks.running).sum::<usize>());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Monitor(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    lanes: Mutex<[LaneStatus; 2]>,
    /// Not the tasks themselves: who watches does not keep a runner alive.
    tasks: OnceLock<Weak<Tasks>>,
}

#[derive(Clone, Copy, Debug)]
struct LaneStatus {
    state: &'static str,
    connects: u64,
    failures: u64,
}

/// How it goes with a runner at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Whether it takes tasks: both connections are active, and what is to be done at the start is done.
    pub is_ready: bool,
    /// The connection for background and scheduled tasks, and the one for interactive tasks.
    pub connections: Vec<ConnectionStatus>,
    /// The tasks of each category; none before it runs.
    pub tasks: Vec<TaskCounts>,
}

/// How it goes with one of the two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConnectionStatus {
    /// background or interactive: Connect's `runner_type`.
    pub runner_type: &'static str,
    /// `connecting`, `handshaking`, `active`, `backing_off`, `draining` or `closed`.
    pub state: &'static str,
    /// How often it was set up, the first time included.
    pub connects: u64,
    /// How often it could not be opened, or broke.
    pub failures: u64,
    /// The results that Connect is not known to have yet.
    pub outbox: usize,
}

/// The tasks of a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskCounts {
    /// background, interactive or scheduled.
    pub category: &'static str,
    /// Those that are being handled.
    pub running: usize,
    /// Those that wait: for tasks of the same object, or since too many run.
    pub waiting: usize,
}

impl Monitor {
    pub(crate) fn new() -> Self {
        let lane = LaneStatus { state: name(&ConnectionState::new()), connects: 0, failures: 0 };
        Self(Arc::new(Shared { lanes: Mutex::new([lane; 2]), tasks: OnceLock::new() }))
    }

    /// From now on, these are the tasks.
    pub(crate) fn watch(&self, tasks: &Arc<Tasks>) {
        let _ = self.0.tasks.set(Arc::downgrade(tasks));
    }

    /// An event brought a connection into a state.
    pub(crate) fn note(&self, lane: Lane, state: &ConnectionState, event: ConnectionEvent) {
        let mut lanes = self.lanes();
        let status = &mut lanes[lane as usize];
        status.state = name(state);
        match event {
            ConnectionEvent::SetUp => status.connects += 1,
            ConnectionEvent::Lost => status.failures += 1,
            _ => {}
        }
    }

    fn lanes(&self) -> MutexGuard<'_, [LaneStatus; 2]> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it goes now.
    #[must_use]
    pub fn status(&self) -> Status {
        let tasks = self.0.tasks.get().and_then(Weak::upgrade);
        let lanes = *self.lanes();
        let connection = |lane: Lane| {
            let LaneStatus { state, connects, failures } = lanes[lane as usize];
            let outbox = tasks.as_ref().map_or(0, |tasks| tasks.outbox(lane).len());
            ConnectionStatus { runner_type: lane.as_str(), state, connects, failures, outbox }
        };
        let is_active = lanes.iter().all(|lane| lane.state == "active");
        Status {
            is_ready: is_active && tasks.as_ref().is_some_and(|tasks| tasks.has_started()),
            connections: Lane::ALL.map(connection).to_vec(),
            tasks: tasks.map_or_else(Vec::new, |tasks| tasks.counts().to_vec()),
        }
    }
}

fn name(state: &ConnectionState) -> &'static str {
    match state {
        ConnectionState::Connecting { .. } => "connecting",
        ConnectionState::Handshaking { .. } => "handshaking",
        ConnectionState::Active => "active",
        ConnectionState::BackingOff { .. } => "backing_off",
        ConnectionState::Draining => "draining",
        ConnectionState::Closed => "closed",
    }
}
