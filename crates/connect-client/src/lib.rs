#![doc = include_str!("../README.md")]

mod answer;
#[cfg(feature = "blocking")]
pub mod blocking;
mod body;
mod builder;
mod call;
mod client;
mod description;
mod download;
mod error;
mod facades;
#[cfg(feature = "mock")]
pub mod mock;
pub mod multipart;
mod navigation;
mod paging;
mod path;
mod progress;
mod query;
mod range;
mod retry;
mod send;
pub mod tls;
mod trace;
mod transport;

pub use answer::{Content, Reply};
pub use builder::ClientBuilder;
pub use call::Call;
pub use client::Client;
pub use connect_model::rql::{self, R, Rql};
pub use description::ApiDescription;
pub use download::Download;
pub use error::{ApiError, Error, ErrorKind};
pub use facades::{
    Approval, AssetRequests, NewSchedule, Schedules, TemplateChoice, TemplateScope, TemplateType,
    TierConfigRequests, Trigger,
};
pub use http::{self, HeaderMap, Method, StatusCode};
pub use navigation::{Action, Collection, Id, Namespace, Resource};
pub use paging::Page;
use progress::Progress;
pub use progress::Transferred;
pub use query::Query;
pub use range::ContentRange;
pub use retry::RetryPolicy;
pub use trace::TraceContext;
