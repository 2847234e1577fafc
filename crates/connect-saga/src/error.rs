use connect_model::HandlerError;

/// No transaction of a saga applies to the request.
///
/// The task is then answered with `retry`; [`Transactions::otherwise`](crate::Transactions::otherwise) gives such
/// requests an answer of their own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unable to select a transaction{}", tried(names))]
pub struct TransactionNotSelected {
    names: Vec<String>,
}

fn tried(names: &[String]) -> String {
    if names.is_empty() {
        return ": the saga has none for this request".to_owned();
    }
    format!(": none of {} applies to the request", names.join(", "))
}

impl TransactionNotSelected {
    pub(crate) fn new(names: Vec<String>) -> Self {
        Self { names }
    }

    /// The names of the transactions that were asked, in their order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// The task's time was over while a transaction ran, so it was stopped, to be compensated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the transaction \"{name}\" was stopped: the task's time is over")]
pub struct TransactionStopped {
    name: String,
}

impl TransactionStopped {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// The name of the transaction.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A transaction failed, and so did its compensation.
#[derive(Debug, thiserror::Error)]
#[error("{error}; its compensation failed too: {compensation}")]
pub struct CompensationFailed {
    error: String,
    compensation: HandlerError,
}

impl CompensationFailed {
    pub(crate) fn new(error: String, compensation: HandlerError) -> Self {
        Self { error, compensation }
    }

    /// Why the transaction failed, with its causes.
    #[must_use]
    pub fn error(&self) -> &str {
        &self.error
    }

    /// Why the compensation failed.
    #[must_use]
    pub fn compensation(&self) -> &HandlerError {
        &self.compensation
    }
}
