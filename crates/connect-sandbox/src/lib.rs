#![doc = include_str!("../README.md")]

mod api_error;
mod core;
mod dispatch;
mod events;
mod fulfillment;
mod rest;
mod sandbox;
mod server;
mod socket;
mod store;

pub use dispatch::{AttemptRecord, DispatchPolicy, TaskRecord, TaskStatus};
pub use sandbox::{Activity, Sandbox, SandboxBuilder, SandboxError};
