#![doc = include_str!("../README.md")]

mod bindings;
mod cancellation;
mod config;
mod container;
mod error;
mod inject;
mod key;
mod logger;
mod resolver;
mod scope;

pub use bindings::{Bindings, Service, ServiceProvider};
pub use cancellation::Cancellation;
pub use config::{Config, ConfigError};
pub use connect_macros::Inject;
pub use container::{Container, ContainerBuilder};
pub use error::{Error, ErrorKind};
pub use inject::{Dependency, Inject};
pub use logger::Logger;
pub use resolver::Resolver;
pub use scope::{Scope, ScopeBuilder};

/// Any error of a factory.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
