#![doc = include_str!("../README.md")]

mod actions;
mod activity;
mod api_error;
mod assertions;
mod billing;
mod builder;
mod catalogue;
mod chaos;
mod console;
mod contents;
mod conversations;
mod core;
mod devops;
mod dispatch;
mod error;
mod events;
mod fulfillment;
mod helpdesk;
mod listings;
mod order;
mod parameters;
mod recorder;
mod rendering;
mod rest;
mod role;
mod sandbox;
mod schedule;
mod server;
mod setup;
mod socket;
mod store;
mod tiers;
mod tls;
mod transitions;
mod usage;
mod validation;
mod webhooks;
mod who;
mod world;

pub use activity::Activity;
pub use builder::SandboxBuilder;
pub use chaos::Fault;

#[doc(hidden)]
pub mod command_line {
    pub use crate::contents::Contents;
}

pub use dispatch::{AttemptRecord, DispatchPolicy, TaskRecord, TaskStatus};
pub use error::SandboxError;
pub use order::Order;
pub use recorder::Recorder;
pub use sandbox::Sandbox;
