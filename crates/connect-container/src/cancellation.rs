use tokio_util::sync::CancellationToken;

/// Tells a task that its time is over: every task's scope has one.
///
/// A saga watches it: a transaction that runs when the time is over is stopped and compensated. A function that is no
/// saga is just stopped. What can't be stopped from outside, such as a blocking handler, looks at it from time to time.
///
/// ```
/// use connect_container::Cancellation;
///
/// let cancellation = Cancellation::new();
/// assert!(!cancellation.is_cancelled());
/// cancellation.cancel();
/// assert!(cancellation.is_cancelled());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cancellation(CancellationToken);

impl Cancellation {
    /// One that nobody has used.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says that the time is over.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether the time is over.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the time is over.
    pub async fn cancelled(&self) {
        self.0.cancelled().await;
    }
}
