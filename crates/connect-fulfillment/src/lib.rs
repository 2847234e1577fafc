#![doc = include_str!("../README.md")]

mod check;
mod cli;
pub mod dev;
mod extension;
mod handler;
mod http;
pub mod interactive;
mod logging;
pub mod offline;
mod probes;
mod run;
#[cfg(feature = "telemetry")]
mod telemetry;
mod testing;
#[cfg(feature = "watch")]
mod watch;

// The stand-in for Connect of the integration tests names this crate from outside.
#[cfg(all(test, feature = "telemetry"))]
extern crate self as connect_fulfillment;
#[cfg(all(test, feature = "telemetry"))]
#[path = "../tests/support/mod.rs"]
mod support;

#[doc(inline)]
pub use connect_cache as cache;
#[doc(inline)]
pub use connect_client as client;
#[doc(inline)]
pub use connect_container as container;
#[doc(inline)]
pub use connect_model as model;
#[doc(inline)]
pub use connect_runner as runner;
#[doc(inline)]
pub use connect_saga as saga;
#[doc(inline)]
pub use connect_sandbox as sandbox;
#[cfg(feature = "vendor")]
#[doc(inline)]
pub use connect_vendor as vendor;

pub use cli::main;
pub use connect_model::{HandlerError as Error, event};
pub use connect_runner::{
    Backoff, Descriptor, Environment, ErrorPolicy, OnError, Runner, SerializeBy, Variable, blocking,
    descriptor,
};
pub use connect_saga::{Result, inject};
pub use extension::Extension;
pub use handler::IntoHandler;
pub use testing::RunningExtension;

/// What an extension is written with: `use connect_fulfillment::prelude::*;`
pub mod prelude {
    pub use std::{process::ExitCode, sync::Arc, time::Duration};

    pub use connect_cache::{Cache, CacheExt as _};
    pub use connect_client::{
        Approval, AssetRequests, Client, R, Rql, Schedules, TemplateChoice, TierConfigRequests,
    };
    pub use connect_container::{
        Bindings, Cancellation, Config, Inject, Logger, Resolver, Scope, ServiceProvider,
    };
    pub use connect_model::{
        AssetRequest, BackgroundResponse, CustomEvent, InteractiveResponse, Item, ItemChange, Parameter,
        ParameterValue, ParamsExt as _, ProductAction, Request, RequestStatus, RequestType, Schedule,
        ScheduledExecutionResponse, Tier, TierConfigRequest, ValidationResponse,
    };
    pub use connect_runner::{TaskContext, TaskScope as _, Variable, descriptor};
    pub use connect_saga::offline::OfflineMode;
    pub use connect_saga::{
        BackgroundTransaction, InteractiveTransaction, Middleware, Middlewares, Next, Saga,
        ScheduledTransaction, Transactions, ValidationTransaction, inject,
    };
    #[cfg(feature = "vendor")]
    pub use connect_vendor::{VendorClient, VendorError};
    pub use tracing::{debug, error, info, warn};

    pub use crate::{
        Error, ErrorPolicy, Extension, OnError, Result, cache, event,
        interactive::{ActionCall, Actions, CustomEvents, EventCall},
    };
}
