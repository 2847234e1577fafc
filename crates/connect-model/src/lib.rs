#![doc = include_str!("../README.md")]

mod error;
pub mod event;
mod extra;
mod field;
mod macros;
mod objects;
mod response;
pub mod rql;
pub mod wire;

pub use error::{HandlerError, Panicked};
pub use extra::Extra;
pub use objects::*;
pub use response::{
    BackgroundResponse, InteractiveResponse, Output, Response, ScheduledExecutionResponse, ValidationResponse,
};
