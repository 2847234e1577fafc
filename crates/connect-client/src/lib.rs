#![doc = include_str!("../README.md")]

mod call;
mod client;
mod error;
mod navigation;
mod query;
mod retry;
pub mod tls;

pub use call::{Call, Reply};
pub use client::{Client, ClientBuilder};
pub use connect_model::rql::{self, R, Rql};
pub use error::{ApiError, Error, ErrorKind};
pub use navigation::{Action, Collection, Id, Namespace, Resource};
pub use query::{ContentRange, Page, Query};
pub use retry::RetryPolicy;
