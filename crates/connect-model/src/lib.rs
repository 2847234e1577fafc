#![doc = include_str!("../README.md")]

#[cfg(feature = "build")]
pub mod build;
mod change;
mod error;
pub mod event;
mod extra;
mod field;
mod items;
mod macros;
mod objects;
mod reading;
mod request;
mod response;
pub mod rql;
mod time;
mod value;
pub mod wire;
mod with;

pub use change::{AsRead, ParameterUpdate, ParamsUpdate};
pub use error::{HandlerError, Panicked};
pub use extra::Extra;
pub use items::{ItemChange, ItemError, ItemErrorKind};
pub use objects::*;
pub use request::Request;
pub use response::{
    BackgroundResponse, InteractiveResponse, Output, Response, ScheduledExecutionResponse, ValidationResponse,
};
pub use time::{TimestampError, timestamp};
pub use value::{Checkbox, Chosen, ParameterError, ParameterErrorKind, ParameterValue, Subdomain};

#[doc(no_inline)]
pub use jiff::Timestamp;
#[doc(no_inline)]
pub use rust_decimal::Decimal;
