use std::collections::HashSet;

use connect_model::wire::TaskCategory;

pub(crate) type ConnectionId = u64;

/// Which connection a task goes over. A runner opens one for each; the background one takes scheduled tasks too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Background,
    Interactive,
}

impl Lane {
    pub(super) const ALL: [Self; 2] = [Self::Background, Self::Interactive];

    pub(super) fn of(category: &TaskCategory) -> Self {
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

/// The connections, and whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Connections {
    list: Vec<Connection>,
    made: ConnectionId,
    turn: usize,
}

impl Connections {
    pub(super) fn add(&mut self, instance: &str, lane: Option<Lane>) -> ConnectionId {
        self.made += 1;
        self.list.push(Connection {
            id: self.made,
            instance: instance.to_owned(),
            lane,
            running: HashSet::new(),
            retired: false,
        });
        self.made
    }

    /// Takes one out; what it held is the answer.
    pub(super) fn remove(&mut self, id: ConnectionId) -> Vec<String> {
        let index = self.list.iter().position(|connection| connection.id == id);
        let Some(connection) = index.map(|index| self.list.remove(index)) else { return Vec::new() };
        let mut held: Vec<String> = connection.running.into_iter().collect();
        held.sort();
        held
    }

    pub(super) fn retire(&mut self, id: ConnectionId) {
        if let Some(connection) = self.list.iter_mut().find(|connection| connection.id == id) {
            connection.retired = true;
        }
    }

    /// The next one that takes a task of this lane and has room, of another instance than the one to avoid if there
    /// is one.
    pub(super) fn next(&mut self, lane: Lane, limit: usize, avoid: Option<&str>) -> Option<ConnectionId> {
        let count = self.list.len();
        let fits = |connection: &Connection| {
            !connection.retired
                && connection.lane.is_none_or(|own| own == lane)
                && connection.running.len() < limit
        };
        let found = |avoid: Option<&str>| {
            (0..count).map(|step| (self.turn + step) % count).find(|index| {
                let connection = &self.list[*index];
                fits(connection) && avoid != Some(connection.instance.as_str())
            })
        };
        let index = found(avoid).or_else(|| avoid.and_then(|_| found(None)))?;
        self.turn = index + 1;
        Some(self.list[index].id)
    }

    /// Notes that a connection holds a task; the instance is the answer.
    pub(super) fn hold(&mut self, id: ConnectionId, task: &str) -> Option<&str> {
        let connection = self.list.iter_mut().find(|connection| connection.id == id)?;
        connection.running.insert(task.to_owned());
        Some(&connection.instance)
    }

    /// Notes that a connection holds a task no more; whether it did is the answer.
    pub(super) fn release(&mut self, id: ConnectionId, task: &str) -> bool {
        let connection = self.list.iter_mut().find(|connection| connection.id == id);
        connection.is_some_and(|connection| connection.running.remove(task))
    }

    pub(super) fn release_anywhere(&mut self, task: &str) {
        for connection in &mut self.list {
            connection.running.remove(task);
        }
    }
}
