use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// How far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transferred {
    /// Bytes so far.
    pub done: u64,
    /// Bytes in all, where that is known.
    pub total: Option<u64>,
}

/// Is told how far a file has come.
#[derive(Clone)]
pub(crate) struct Progress(Arc<dyn Fn(Transferred) + Send + Sync>);

impl Progress {
    pub(crate) fn new(tell: impl Fn(Transferred) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

/// Counts the bytes of one try.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    progress: Option<Progress>,
    done: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Counter {
    pub(crate) fn new(progress: Option<&Progress>, total: Option<u64>) -> Self {
        Self { progress: progress.cloned(), done: Arc::default(), total }
    }

    pub(crate) fn add(&self, bytes: usize) {
        let done = self.done.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        if let Some(progress) = &self.progress {
            (progress.0)(Transferred { done, total: self.total });
        }
    }

    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}
