#![doc = include_str!("../README.md")]

mod blocking;
mod connection;
mod declaration;
mod descriptor;
mod environment;
mod error;
mod extension;
mod handler;
mod hooks;
mod order;
mod outbox;
mod report;
#[cfg(feature = "results")]
mod results;
mod runner;
mod scope;
mod settings;
mod tasks;

pub use blocking::{Blocking, blocking};
pub use connection::{Backoff, ConnectionEvent, ConnectionState};
pub use declaration::{Declaration, DeclaredEvent};
pub use descriptor::{Descriptor, DescriptorError, DescriptorResult};
pub use environment::{Environment, EnvironmentError, TimeLimits};
pub use error::{Error, ErrorKind};
pub use extension::{Extension, Variable};
pub use handler::Handler;
pub use order::SerializeBy;
pub use report::TaskReport;
pub use runner::{Exit, Runner};
pub use scope::{Context, InstallationClient, TaskContext, TaskScope};
