//! Tasks of one object, one after another; and how often each was tried.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::oneshot, time::Instant};

use crate::TaskContext;

type Key = dyn Fn(&TaskContext) -> Option<String> + Send + Sync;

/// Which background and scheduled tasks run one after another, in the order they came.
///
/// ```
/// use connect_runner::SerializeBy;
///
/// // One task of each event at a time.
/// let by_event = SerializeBy::key(|task| Some(task.event_type.clone()));
/// # let _ = by_event;
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum SerializeBy {
    /// Those of one object: a request that is delivered again waits for its predecessor.
    #[default]
    Object,
    /// None: all run at once.
    Nothing,
    /// Those with the same key; a task without a key waits for nobody.
    Key(Arc<Key>),
}

impl SerializeBy {
    /// Those with the same key; a task without a key waits for nobody.
    pub fn key(key: impl Fn(&TaskContext) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::Key(Arc::new(key))
    }

    pub(crate) fn of(&self, task: &TaskContext) -> Option<String> {
        match self {
            Self::Object => Some(task.object_id.clone()),
            Self::Nothing => None,
            Self::Key(key) => key(task),
        }
    }
}

impl fmt::Debug for SerializeBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "Object",
            Self::Nothing => "Nothing",
            Self::Key(_) => "Key",
        })
    }
}

/// Whose turn it is, for each key that somebody works under.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<Arc<str>, VecDeque<oneshot::Sender<()>>>>);

/// A turn; the next one's begins when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    key: Arc<str>,
}

impl Turns {
    fn waiting(&self) -> MutexGuard<'_, HashMap<Arc<str>, VecDeque<oneshot::Sender<()>>>> {
        // Nothing that holds the lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn take(&self, key: String) -> Turn<'_> {
        let key: Arc<str> = key.into();
        let waiting = {
            let mut waiting = self.waiting();
            if let Some(queue) = waiting.get_mut(&key) {
                let (turn, waited) = oneshot::channel();
                queue.push_back(turn);
                Some(waited)
            } else {
                waiting.insert(Arc::clone(&key), VecDeque::new());
                None
            }
        };
        if let Some(waited) = waiting {
            // A sender that is gone without a word would be one of a process that ends.
            let _ = waited.await;
        }
        Turn { turns: self, key }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut waiting = self.turns.waiting();
        let Some(queue) = waiting.get_mut(&self.key) else { return };
        // Who does not wait any more is passed over.
        while let Some(next) = queue.pop_front() {
            if next.send(()).is_ok() {
                return;
            }
        }
        waiting.remove(&self.key);
    }
}

/// How many objects are remembered; beyond that, those that did not come for the longest time are forgotten.
const REMEMBERED: usize = 100_000;

/// How often the tasks of each object were tried since one of them ended for good.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<(String, String), (u32, Instant)>>);

impl Attempts {
    fn counted(&self) -> MutexGuard<'_, HashMap<(String, String), (u32, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more, and gives its number from 1.
    pub(crate) fn begin(&self, event: &str, object_id: &str) -> u32 {
        let mut counted = self.counted();
        if counted.len() >= REMEMBERED {
            let mut times: Vec<Instant> = counted.values().map(|(_, last)| *last).collect();
            let (_, middle, _) = times.select_nth_unstable(REMEMBERED / 2);
            let middle = *middle;
            counted.retain(|_, (_, last)| *last > middle);
        }
        let now = Instant::now();
        let (count, last) = counted.entry((event.to_owned(), object_id.to_owned())).or_insert((0, now));
        *count = count.saturating_add(1);
        *last = now;
        *count
    }

    /// It ended for good: the next one is the first again.
    pub(crate) fn end(&self, event: &str, object_id: &str) {
        self.counted().remove(&(event.to_owned(), object_id.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_of_one_key_come_one_after_another() {
        let (turns, log) = (Arc::new(Turns::default()), Arc::new(Mutex::new(Vec::new())));
        let task = |name: &'static str, key: &'static str| {
            let (turns, log) = (Arc::clone(&turns), Arc::clone(&log));
            async move {
                let _turn = turns.take(key.to_owned()).await;
                log.lock().unwrap().push(format!("{name} begins"));
                sleep(Duration::from_secs(1)).await;
                log.lock().unwrap().push(format!("{name} ends"));
            }
        };
        let gone = tokio::spawn({
            let task = task("gone", "a");
            async move { tokio::time::timeout(Duration::from_millis(500), task).await }
        });
        tokio::task::yield_now().await;
        let passed_over = tokio::spawn({
            let task = task("passed over", "a");
            async move { tokio::time::timeout(Duration::from_millis(100), task).await }
        });
        tokio::task::yield_now().await;
        tokio::join!(task("first", "a"), task("second", "a"), task("other", "b"));
        assert!(gone.await.unwrap().is_err() && passed_over.await.unwrap().is_err());
        let log = log.lock().unwrap().clone();
        let at = |entry: &str| log.iter().position(|line| line == entry).unwrap();
        assert!(at("first ends") < at("second begins"), "{log:?}");
        assert!(at("other begins") < at("first ends"), "{log:?}");
        assert!(turns.0.lock().unwrap().is_empty(), "nothing is kept");
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_counted_until_one_ends() {
        let attempts = Attempts::default();
        assert_eq!((attempts.begin("e", "PR-1"), attempts.begin("e", "PR-1")), (1, 2));
        assert_eq!(attempts.begin("e", "PR-2"), 1);
        attempts.end("e", "PR-1");
        assert_eq!(attempts.begin("e", "PR-1"), 1);
        for object in 0..REMEMBERED {
            tokio::time::advance(Duration::from_micros(1)).await;
            attempts.begin("many", &object.to_string());
        }
        assert!(attempts.counted().len() <= REMEMBERED);
        assert_eq!(attempts.begin("many", &(REMEMBERED - 1).to_string()), 2, "the last ones are remembered");
    }
}
