use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use connect_model::wire::{Message, ResultType};
use tokio::{sync::Notify, time::Instant};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// How long a task may come again after Connect has its answer, since the two crossed on their way.
const CROSSING: Duration = Duration::from_secs(10);
/// How many such answers are remembered, at most.
const REMEMBERED: usize = 10_000;

/// Where results are kept beside the memory, so that they outlive the process.
pub(crate) trait ResultStore: Send + Sync {
    /// Keeps a result.
    fn keep(&self, number: u64, task_id: &str, frame: &str);
    /// Forgets results up to a number.
    fn forget(&self, up_to: u64);
}

/// Whether nothing more comes of a task with this result. A failed one can be sent again by hand, under the same id.
pub(crate) fn is_final(result: &ResultType) -> bool {
    matches!(result, ResultType::Success | ResultType::Skip)
}

/// The results that Connect does not have yet, in their order.
///
/// A result leaves only when Connect is known to have it: when it has answered a ping that was sent behind it. One that
/// was on its way when the connection broke is sent again over the next one.
#[derive(Default)]
pub(crate) struct Outbox {
    entries: Mutex<Entries>,
    added: Notify,
    emptied: Notify,
    store: Option<Box<dyn ResultStore>>,
}

#[derive(Default)]
struct Entries {
    waiting: VecDeque<Entry>,
    /// How many of them, from the front, went out over the connection there is.
    sent: usize,
    next: u64,
    /// How many answers each task has here; more than one where it came again.
    tasks: HashMap<String, u32>,
    /// The final answers that Connect has got just now, the oldest first, with the moment at which they are forgotten.
    got: VecDeque<(Instant, String)>,
    frames: HashMap<String, Utf8Bytes>,
}

impl Entries {
    fn remember(&mut self, task_id: String, frame: Utf8Bytes) {
        self.forget(REMEMBERED - 1);
        if self.frames.insert(task_id.clone(), frame).is_none() {
            self.got.push_back((Instant::now() + CROSSING, task_id));
        }
    }

    /// Forgets what is too old, and the oldest beyond so many.
    fn forget(&mut self, most: usize) {
        let now = Instant::now();
        while self.got.len() > most || self.got.front().is_some_and(|(until, _)| *until <= now) {
            let Some((_, task_id)) = self.got.pop_front() else { break };
            self.frames.remove(&task_id);
        }
    }
}

struct Entry {
    number: u64,
    task_id: String,
    frame: Utf8Bytes,
    /// The task is done: one that comes again is no other try.
    is_final: bool,
}

/// A result that was found in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) number: u64,
    pub(crate) task_id: String,
    pub(crate) frame: String,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("waiting", &self.len()).finish_non_exhaustive()
    }
}

impl Outbox {
    /// An outbox whose results are kept, with those that were kept before.
    #[cfg_attr(not(feature = "results"), allow(dead_code, reason = "nothing keeps results then"))]
    pub(crate) fn kept(store: Box<dyn ResultStore>, kept: Vec<Kept>) -> Self {
        let mut entries = Entries::default();
        for Kept { number, task_id, frame } in kept {
            entries.next = number + 1;
            *entries.tasks.entry(task_id.clone()).or_default() += 1;
            let is_final = match Message::parse(&frame) {
                Ok(Message::Task(task)) => task.output.is_some_and(|output| is_final(&output.result)),
                _ => false,
            };
            entries.waiting.push_back(Entry { number, task_id, frame: frame.into(), is_final });
        }
        Self { entries: Mutex::new(entries), store: Some(store), ..Self::default() }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // Nothing that holds the lock can panic half-way.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the answer to a task; a final one is given again to a task that comes again soon.
    pub(crate) fn put(&self, task_id: &str, frame: String, is_final: bool) {
        self.add(&mut self.entries(), task_id, frame.into(), is_final);
        self.added.notify_one();
    }

    fn add(&self, entries: &mut Entries, task_id: &str, frame: Utf8Bytes, is_final: bool) {
        let number = entries.next;
        entries.next += 1;
        *entries.tasks.entry(task_id.to_owned()).or_default() += 1;
        if let Some(store) = &self.store {
            store.keep(number, task_id, &frame);
        }
        entries.waiting.push_back(Entry { number, task_id: task_id.to_owned(), frame, is_final });
    }

    /// Whether a task that came again has its answer: on its way, or sent again here.
    ///
    /// A `reschedule` or `retry` that went out over this connection does not count: Connect may have it, and this is the
    /// next try. A countdown can be over before Connect has answered the ping.
    pub(crate) fn answers(&self, task_id: &str) -> bool {
        let mut entries = self.entries();
        if entries.tasks.contains_key(task_id) {
            let last = entries.waiting.iter().rposition(|entry| entry.task_id == task_id);
            return last.is_none_or(|last| last >= entries.sent || entries.waiting[last].is_final);
        }
        entries.forget(REMEMBERED);
        let Some(frame) = entries.frames.get(task_id).cloned() else { return false };
        // Connect sent the task before it had the answer, or has lost the answer since.
        self.add(&mut entries, task_id, frame, true);
        drop(entries);
        self.added.notify_one();
        true
    }

    /// Waits for results that did not go out yet and gives the first ones, at most `most`.
    pub(crate) async fn unsent(&self, most: usize) -> Vec<Utf8Bytes> {
        loop {
            let added = self.added.notified();
            let first: Vec<Utf8Bytes> = {
                let entries = self.entries();
                entries
                    .waiting
                    .iter()
                    .skip(entries.sent)
                    .take(most)
                    .map(|entry| entry.frame.clone())
                    .collect()
            };
            if !first.is_empty() {
                return first;
            }
            added.await;
        }
    }

    /// So many more went out.
    pub(crate) fn sent(&self, count: usize) {
        let mut entries = self.entries();
        entries.sent = (entries.sent + count).min(entries.waiting.len());
    }

    /// The number of the last one that went out, if one did that Connect is not known to have.
    pub(crate) fn last_sent(&self) -> Option<u64> {
        let entries = self.entries();
        let last = entries.sent.checked_sub(1)?;
        entries.waiting.get(last).map(|entry| entry.number)
    }

    /// Connect has the results up to this number.
    pub(crate) fn confirmed(&self, up_to: u64) {
        let mut entries = self.entries();
        let mut last = None;
        // Nobody can confirm what did not go out.
        while entries.sent > 0 && entries.waiting.front().is_some_and(|entry| entry.number <= up_to) {
            let Some(entry) = entries.waiting.pop_front() else { break };
            entries.sent -= 1;
            last = Some(entry.number);
            if let Some(count) = entries.tasks.get_mut(&entry.task_id) {
                *count -= 1;
                if *count == 0 {
                    entries.tasks.remove(&entry.task_id);
                }
            }
            if entry.is_final {
                entries.remember(entry.task_id, entry.frame);
            }
        }
        if let (Some(store), Some(last)) = (&self.store, last) {
            store.forget(last);
        }
        if entries.waiting.is_empty() {
            entries.tasks = HashMap::new();
            entries.waiting = VecDeque::new();
            drop(entries);
            self.emptied.notify_waiters();
        }
    }

    /// The connection is gone: what Connect is not known to have goes out again over the next one.
    pub(crate) fn disconnected(&self) {
        self.entries().sent = 0;
        self.added.notify_one();
    }

    pub(crate) fn len(&self) -> usize {
        self.entries().waiting.len()
    }

    /// Waits until Connect has all.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            // Registered before the look, so that the last result can't leave in between unseen.
            emptied.as_mut().enable();
            if self.entries().waiting.is_empty() {
                return;
            }
            emptied.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use futures_util::FutureExt;
    use tokio::time::timeout;

    use super::*;

    async fn unsent(outbox: &Outbox) -> Vec<String> {
        outbox.unsent(10).await.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn a_result_leaves_when_it_is_confirmed() {
        let outbox = Outbox::default();
        assert!(outbox.unsent(1).now_or_never().is_none());
        for number in 0..3 {
            outbox.put(&format!("TQ-{number}"), format!("frame {number}"), false);
        }
        assert_eq!(outbox.unsent(2).await.len(), 2);
        outbox.sent(2);
        assert_eq!((outbox.last_sent(), outbox.len()), (Some(1), 3));
        outbox.confirmed(7);
        assert_eq!((outbox.last_sent(), outbox.len()), (None, 1), "the third did not go out");
        assert!(!outbox.answers("TQ-1") && outbox.answers("TQ-2"), "another try is run");
        assert_eq!(unsent(&outbox).await, ["frame 2"]);
        outbox.sent(1);
        outbox.disconnected();
        assert_eq!(unsent(&outbox).await, ["frame 2"], "again over the next connection");
        outbox.sent(1);
        outbox.confirmed(2);
        timeout(Duration::from_secs(1), outbox.emptied()).await.unwrap();
    }

    #[tokio::test]
    async fn a_task_may_have_two_answers() {
        let outbox = Outbox::default();
        outbox.put("TQ-1", "a".to_owned(), false);
        outbox.put("TQ-1", "b".to_owned(), true);
        outbox.sent(2);
        outbox.confirmed(0);
        assert!(outbox.answers("TQ-1"));
        outbox.confirmed(1);
        assert!(outbox.answers("TQ-1"), "the final one is remembered");
    }

    #[tokio::test]
    async fn the_next_try_is_none_that_crossed_its_answer() {
        let outbox = Outbox::default();
        outbox.put("TQ-1", "reschedule".to_owned(), false);
        outbox.put("TQ-2", "success".to_owned(), true);
        assert!(outbox.answers("TQ-1"), "it did not go out yet, so Connect does not know of it");
        outbox.sent(2);
        assert!(!outbox.answers("TQ-1"), "Connect may have it, though the ping behind it is not answered");
        assert!(outbox.answers("TQ-2"));
        outbox.disconnected();
        assert!(outbox.answers("TQ-1"), "it goes out again");
        outbox.sent(2);
        outbox.confirmed(1);
        assert!(!outbox.answers("TQ-1") && outbox.len() == 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_crosses_its_answer_gets_it_again() {
        let outbox = Outbox::default();
        outbox.put("TQ-1", "done".to_owned(), true);
        assert_eq!(unsent(&outbox).await, ["done"]);
        outbox.sent(1);
        outbox.confirmed(0);
        assert!(!outbox.answers("TQ-2"));
        for number in 1..3 {
            assert!(outbox.answers("TQ-1"));
            assert_eq!(unsent(&outbox).await, ["done"]);
            outbox.sent(1);
            outbox.confirmed(number);
        }
        tokio::time::advance(CROSSING).await;
        assert!(!outbox.answers("TQ-1"), "it was sent again by somebody");
        assert!(outbox.entries().frames.is_empty());
    }

    #[tokio::test]
    async fn what_is_remembered_is_bounded() {
        let outbox = Outbox::default();
        for number in 0..=REMEMBERED {
            outbox.put(&format!("TQ-{number}"), "done".to_owned(), true);
        }
        outbox.sent(REMEMBERED + 1);
        outbox.confirmed(u64::MAX);
        assert!(!outbox.answers("TQ-0") && outbox.answers("TQ-1"));
        assert_eq!(outbox.entries().got.len(), REMEMBERED);
    }

    #[tokio::test]
    async fn what_is_kept_is_forgotten_when_it_is_confirmed() {
        #[derive(Clone, Default)]
        struct Store(Arc<Mutex<Vec<String>>>);
        impl ResultStore for Store {
            fn keep(&self, number: u64, task_id: &str, frame: &str) {
                self.0.lock().unwrap().push(format!("keep {number} {task_id} {frame}"));
            }
            fn forget(&self, up_to: u64) {
                self.0.lock().unwrap().push(format!("forget {up_to}"));
            }
        }
        let store = Store::default();
        let kept = Kept { number: 4, task_id: "TQ-0".to_owned(), frame: "old".to_owned() };
        let outbox = Outbox::kept(Box::new(store.clone()), vec![kept]);
        outbox.put("TQ-1", "new".to_owned(), false);
        assert!(outbox.answers("TQ-0"));
        assert_eq!(unsent(&outbox).await, ["old", "new"]);
        outbox.sent(2);
        outbox.confirmed(4);
        outbox.confirmed(5);
        assert_eq!(*store.0.lock().unwrap(), ["keep 5 TQ-1 new", "forget 4", "forget 5"]);
    }
}
