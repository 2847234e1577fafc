//! The connection to Connect: its states, its transport, its session.

mod proxy;
mod session;
mod state;
mod transport;

pub(crate) use session::{Session, Signals};
pub use state::{Backoff, ConnectionEvent, ConnectionState};
