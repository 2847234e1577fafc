#![doc = include_str!("../README.md")]

mod error;
mod function;
mod injected;
mod middleware;
pub mod offline;
mod saga;
mod transaction;
mod transactions;

pub use connect_model::HandlerError;
pub use error::{CompensationFailed, TransactionNotSelected, TransactionStopped};
pub use function::{Compensation, Execution};
pub use injected::{Injected, inject};
pub use middleware::{Middleware, MiddlewareFn, Middlewares, Next};
pub use saga::Saga;
pub use transaction::{
    BackgroundTransaction, InteractiveTransaction, ScheduledTransaction, ValidationTransaction,
};
pub use transactions::{Selected, Transactions};

/// What transactions, middlewares and sagas return.
pub type Result<T, E = HandlerError> = std::result::Result<T, E>;

/// The annotation of a [`Scope`](connect_container::Scope) that names the transaction that was selected.
pub const TRANSACTION: &str = "transaction";

/// The annotation of a [`Scope`](connect_container::Scope) that says which error was compensated.
pub const COMPENSATED: &str = "compensated";
