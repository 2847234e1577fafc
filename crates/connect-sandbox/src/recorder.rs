//! What happened inside tasks: the calls they made, their steps and their log lines. Only the newest is kept.

mod calls;
mod layer;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::{sync::watch, time::Instant};

pub(crate) use calls::recorded;

/// How many bytes of bodies and texts are kept.
const MOST_BYTES: usize = 32 << 20;
/// How many entries are kept.
const MOST_ENTRIES: usize = 20_000;
/// How much of a body or of a text is kept.
const LONGEST: usize = 64 << 10;

/// Writes down what happens inside tasks, for the console: the calls they make, and with
/// [`layer`](Self::layer) what they log and which transactions run.
///
/// It keeps the newest 20,000 entries, of at most 32 MiB; of each body and text the first 64 KiB.
///
/// ```
/// use connect_sandbox::{Recorder, Sandbox};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let recorder = Recorder::default();
/// let subscriber = tracing_subscriber::registry().with(recorder.layer());
/// // tracing::subscriber::set_global_default(subscriber), and the sandbox that shows it:
/// let sandbox = Sandbox::builder().recorder(recorder);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    log: Mutex<Log>,
    changed: watch::Sender<u64>,
    /// The same moment on both clocks: times between entries stay right when the machine's clock is set.
    epoch: (Instant, SystemTime),
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            log: Mutex::default(),
            changed: watch::Sender::new(0),
            epoch: (Instant::now(), SystemTime::now()),
        }
    }
}

#[derive(Debug, Default)]
struct Log {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The number of the first entry that is kept.
    first: u64,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The task it happened in, where that is known.
    pub(crate) task: Option<Arc<str>>,
    pub(crate) at: SystemTime,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Line(Line),
    Step(Step),
    Call(Arc<CallRecord>),
}

/// A log line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) level: tracing::Level,
    pub(crate) target: String,
    pub(crate) text: String,
}

/// A part of a task that has a name: a transaction, or a span of the extension's own.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    /// Whether a saga selected it.
    pub(crate) is_transaction: bool,
    /// None while it runs.
    pub(crate) took: Option<Duration>,
}

/// A call of REST.
#[derive(Debug)]
pub(crate) struct CallRecord {
    pub(crate) method: String,
    /// Path and query, below `/public/v1`.
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) took: Duration,
    pub(crate) body: Body,
    pub(crate) answer: Body,
}

/// A body, or the beginning of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) is_whole: bool,
}

impl Body {
    pub(crate) fn new(bytes: &Bytes) -> Self {
        match bytes.get(..LONGEST) {
            // A copy, so that the rest is not kept too.
            Some(beginning) => {
                Self { bytes: Bytes::copy_from_slice(beginning), is_whole: bytes.len() == LONGEST }
            }
            None => Self { bytes: bytes.clone(), is_whole: true },
        }
    }
}

impl Entry {
    fn size(&self) -> usize {
        match &self.what {
            What::Line(line) => line.text.len(),
            What::Step(step) => step.name.len(),
            What::Call(call) => call.path.len() + call.body.bytes.len() + call.answer.bytes.len(),
        }
    }
}

impl Recorder {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.0.epoch.1 + self.0.epoch.0.elapsed()
    }

    /// Notes an entry; its number is the answer.
    pub(crate) fn note(&self, task: Option<Arc<str>>, at: SystemTime, what: What) -> u64 {
        let entry = Entry { task, at, what };
        let mut log = self.log();
        log.bytes += entry.size();
        log.entries.push_back(entry);
        let number = log.first + log.entries.len() as u64 - 1;
        while log.entries.len() > MOST_ENTRIES || log.bytes > MOST_BYTES {
            let Some(old) = log.entries.pop_front() else { break };
            log.bytes -= old.size();
            log.first += 1;
        }
        drop(log);
        self.touch();
        number
    }

    /// Notes how long a step took, where it is kept still.
    fn end_step(&self, number: u64, took: Duration) {
        let mut log = self.log();
        let index = number.checked_sub(log.first).and_then(|index| usize::try_from(index).ok());
        if let Some(What::Step(step)) =
            index.and_then(|index| log.entries.get_mut(index)).map(|entry| &mut entry.what)
        {
            step.took = Some(took);
        }
        drop(log);
        self.touch();
    }

    /// Something has changed that somebody may be looking at.
    pub(crate) fn touch(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// The newest calls that are wanted, the newest first, with their numbers.
    pub(crate) fn calls(&self, most: usize, wanted: impl Fn(&CallRecord) -> bool) -> Vec<(u64, Entry)> {
        let log = self.log();
        let end = log.first + log.entries.len() as u64;
        let calls = (log.first..end).rev().zip(log.entries.iter().rev());
        calls
            .filter(|(_, entry)| matches!(&entry.what, What::Call(call) if wanted(call)))
            .take(most)
            .map(|(number, entry)| (number, entry.clone()))
            .collect()
    }

    /// The newest log lines with their tasks, the newest first.
    pub(crate) fn lines(&self, most: usize) -> Vec<(SystemTime, Option<Arc<str>>, Line)> {
        let log = self.log();
        let line = |entry: &Entry| match &entry.what {
            What::Line(line) => Some((entry.at, entry.task.clone(), line.clone())),
            _ => None,
        };
        log.entries.iter().rev().filter_map(line).take(most).collect()
    }

    /// What happened in some tasks, in the order of its begins.
    pub(crate) fn of_tasks<'a>(&self, tasks: &[&'a str]) -> HashMap<&'a str, Vec<Entry>> {
        let mut found: HashMap<&str, Vec<Entry>> = tasks.iter().map(|task| (*task, Vec::new())).collect();
        for entry in &self.log().entries {
            if let Some(entries) = entry.task.as_deref().and_then(|task| found.get_mut(task)) {
                entries.push(entry.clone());
            }
        }
        // A call is noted when it ends.
        for entries in found.values_mut() {
            entries.sort_by_key(|entry| entry.at);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> What {
        What::Line(Line { level: tracing::Level::INFO, target: "t".to_owned(), text: text.to_owned() })
    }

    #[test]
    fn only_the_newest_is_kept() {
        let recorder = Recorder::default();
        let task: Arc<str> = "TQ-1".into();
        for _ in 0..40 {
            recorder.note(Some(Arc::clone(&task)), recorder.now(), line(&"x".repeat(1 << 20)));
        }
        assert_eq!(recorder.of_tasks(&["TQ-1"]).remove("TQ-1").unwrap().len(), 32);
        for number in 0..MOST_ENTRIES + 5 {
            recorder.note(Some(Arc::clone(&task)), recorder.now(), line(&number.to_string()));
        }
        let kept = recorder.of_tasks(&["TQ-1"]).remove("TQ-1").unwrap();
        assert_eq!(kept.len(), MOST_ENTRIES);
        assert!(matches!(&kept[0].what, What::Line(line) if line.text == "5"), "{:?}", kept[0]);
    }

    #[test]
    fn a_step_that_is_gone_ends_without_harm() {
        let recorder = Recorder::default();
        let step = What::Step(Step { name: "a".to_owned(), is_transaction: true, took: None });
        let number = recorder.note(None, recorder.now(), step);
        for _ in 0..=MOST_ENTRIES {
            recorder.note(None, recorder.now(), line("x"));
        }
        recorder.end_step(number, Duration::from_secs(1));
    }

    #[test]
    fn of_a_long_body_the_beginning_is_kept() {
        let body = Body::new(&Bytes::from(vec![b'x'; LONGEST + 1]));
        assert!(!body.is_whole && body.bytes.len() == LONGEST);
        assert!(Body::new(&Bytes::from(vec![b'x'; LONGEST])).is_whole);
        assert!(Body::new(&Bytes::from_static(b"{}")).is_whole);
    }
}
