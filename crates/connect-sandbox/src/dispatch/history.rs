//! The tasks that are known, and what is found of them without looking through all.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::Bound,
    time::SystemTime,
};

use super::{TaskRecord, TaskStatus};

#[derive(Debug, Default)]
pub(super) struct History {
    /// By id, and so in the order in which they were made.
    tasks: BTreeMap<String, TaskRecord>,
    /// The tasks of each object, the oldest first.
    of_object: HashMap<String, VecDeque<String>>,
    /// Those that are over, in the order in which they ended.
    over: VecDeque<String>,
    /// How many tasks of each event are in each status; what is forgotten is counted still.
    counts: HashMap<String, HashMap<TaskStatus, usize>>,
}

impl History {
    pub(super) fn add(&mut self, task: TaskRecord) {
        // Most are of an event that is known.
        match self.counts.get_mut(&task.event_type) {
            Some(counts) => *counts.entry(task.status).or_default() += 1,
            None => drop(self.counts.insert(task.event_type.clone(), HashMap::from([(task.status, 1)]))),
        }
        self.of_object.entry(task.object_id.clone()).or_default().push_back(task.id.clone());
        self.tasks.insert(task.id.clone(), task);
    }

    pub(super) fn get(&self, id: &str) -> Option<&TaskRecord> {
        self.tasks.get(id)
    }

    /// A task, to change it; its status is changed by [`enter`](Self::enter) alone.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut TaskRecord> {
        self.tasks.get_mut(id)
    }

    /// Brings a task to a status.
    pub(super) fn enter(&mut self, id: &str, status: TaskStatus, at: SystemTime) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        let before = std::mem::replace(&mut task.status, status);
        task.updated = at;
        match (before.is_over(), status.is_over()) {
            (false, true) => self.over.push_back(id.to_owned()),
            // By hand alone, so it may be looked for.
            (true, false) => self.over.retain(|own| own != id),
            _ => {}
        }
        if let Some(counts) = self.counts.get_mut(&task.event_type) {
            if let Some(count) = counts.get_mut(&before) {
                *count = count.saturating_sub(1);
            }
            *counts.entry(status).or_default() += 1;
        }
    }

    /// Forgets what is over beyond so many tasks: what ended first.
    pub(super) fn forget(&mut self, beyond: usize) {
        while self.over.len() > beyond {
            let Some(task) = self.over.pop_front().and_then(|id| self.tasks.remove(&id)) else { continue };
            let Some(ids) = self.of_object.get_mut(&task.object_id) else { continue };
            if let Some(index) = ids.iter().position(|id| *id == task.id) {
                ids.remove(index);
            }
            if ids.is_empty() {
                self.of_object.remove(&task.object_id);
            }
        }
    }

    /// How many tasks are not over.
    pub(super) fn unfinished(&self) -> usize {
        self.tasks.len() - self.over.len()
    }

    /// The oldest first.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &TaskRecord> {
        self.tasks.values()
    }

    /// Those that were made after one, the oldest first.
    pub(super) fn after(&self, id: &str) -> impl Iterator<Item = &TaskRecord> {
        self.tasks.range::<str, _>((Bound::Excluded(id), Bound::Unbounded)).map(|(_, task)| task)
    }

    /// The tasks of an object, the oldest first.
    pub(super) fn of_object(&self, object_id: &str) -> impl DoubleEndedIterator<Item = &TaskRecord> {
        self.of_object.get(object_id).into_iter().flatten().filter_map(|id| self.tasks.get(id))
    }

    pub(super) fn counts(&self) -> impl Iterator<Item = (&str, TaskStatus, usize)> {
        let of_event = |(event, counts)| {
            let counts: &HashMap<TaskStatus, usize> = counts;
            let event: &String = event;
            counts.iter().map(move |(status, count)| (event.as_str(), *status, *count))
        };
        self.counts.iter().flat_map(of_event)
    }
}
