#![doc = include_str!("../README.md")]

mod cli;
pub mod dev;
mod extension;
mod handler;
mod logging;

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

pub use cli::main;
pub use connect_model::{HandlerError as Error, event};
pub use connect_runner::{Descriptor, Environment, Runner, SerializeBy, Variable, blocking, descriptor};
pub use connect_saga::{Result, inject};
pub use extension::Extension;
pub use handler::IntoHandler;

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
        AssetRequest, BackgroundResponse, CustomEvent, InteractiveResponse, Parameter, ParamsExt as _,
        ProductAction, RequestStatus, RequestType, Schedule, ScheduledExecutionResponse, TierConfigRequest,
        ValidationResponse,
    };
    pub use connect_runner::{TaskContext, TaskScope as _, Variable, descriptor};
    pub use connect_saga::{
        BackgroundTransaction, InteractiveTransaction, Middleware, Middlewares, Next, Saga,
        ScheduledTransaction, Transactions, ValidationTransaction, inject,
    };
    pub use tracing::{debug, error, info, warn};

    pub use crate::{Error, Extension, Result, cache, event};
}
