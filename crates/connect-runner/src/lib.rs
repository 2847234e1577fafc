#![doc = include_str!("../README.md")]

mod blocking;
mod check;
mod connection;
mod declaration;
mod descriptor;
mod environment;
mod error;
mod extension;
mod handler;
mod hooks;
pub mod interactive;
mod log_fields;
mod monitor;
mod order;
mod outbox;
mod policy;
mod report;
#[cfg(feature = "results")]
mod results;
mod runner;
mod scope;
mod settings;
mod tasks;
#[cfg(feature = "telemetry")]
mod telemetry;

pub use blocking::{Blocking, blocking};
pub use check::{Finding, FindingLevel};
pub use connection::{Backoff, ConnectionEvent, ConnectionState};
pub use declaration::{Declaration, DeclaredEvent};
pub use descriptor::{Descriptor, DescriptorError, DescriptorResult};
pub use environment::{Environment, EnvironmentError, TimeLimits};
pub use error::{Error, ErrorKind};
pub use extension::{Extension, Variable};
pub use handler::Handler;
pub use monitor::{ConnectionStatus, Monitor, Status, TaskCounts};
pub use order::SerializeBy;
pub use policy::{ErrorPolicy, OnError};
pub use report::TaskReport;
pub use runner::{Exit, Runner};
pub use scope::{Context, InstallationClient, TaskContext, TaskScope};
