use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// The results that the socket has not taken yet, in their order.
///
/// A result leaves only when the socket has taken it: one that was on its way when the connection broke is sent again
/// over the next one.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: Mutex<VecDeque<String>>,
    added: Notify,
    drained: Notify,
}

impl Outbox {
    fn frames(&self) -> MutexGuard<'_, VecDeque<String>> {
        // Nothing that holds the lock can panic half-way.
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn put(&self, frame: String) {
        self.frames().push_back(frame);
        self.added.notify_one();
    }

    /// Waits for results and gives the first ones, at most `most`, without taking them out.
    pub(crate) async fn peek(&self, most: usize) -> Vec<String> {
        loop {
            let added = self.added.notified();
            let first: Vec<String> = self.frames().iter().take(most).cloned().collect();
            if !first.is_empty() {
                return first;
            }
            added.await;
        }
    }

    /// Takes the first results out: the socket has them.
    pub(crate) fn taken(&self, count: usize) {
        let mut frames = self.frames();
        frames.drain(..count);
        if frames.is_empty() {
            drop(frames);
            self.drained.notify_waiters();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.frames().len()
    }

    /// Waits until the socket has taken all.
    pub(crate) async fn emptied(&self) {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            // Registered before the look, so that the last result can't leave in between unseen.
            drained.as_mut().enable();
            if self.frames().is_empty() {
                return;
            }
            drained.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn results_stay_in_order_until_they_are_taken() {
        let outbox = Outbox::default();
        for frame in ["a", "b", "c"] {
            outbox.put(frame.to_owned());
        }
        assert_eq!(outbox.peek(2).await, ["a", "b"]);
        assert_eq!(outbox.peek(2).await, ["a", "b"], "the socket broke, they are sent again");
        outbox.taken(2);
        assert_eq!(outbox.peek(2).await, ["c"]);
    }

    #[tokio::test]
    async fn a_waiting_writer_is_woken_and_so_is_who_waits_for_the_end() {
        let outbox = Arc::new(Outbox::default());
        let writer = tokio::spawn({
            let outbox = Arc::clone(&outbox);
            async move {
                let frames = outbox.peek(10).await;
                outbox.taken(frames.len());
            }
        });
        tokio::task::yield_now().await;
        outbox.put("a".to_owned());
        outbox.emptied().await;
        assert_eq!(outbox.len(), 0);
        writer.await.unwrap();
    }
}
