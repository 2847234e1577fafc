#![doc = include_str!("../README.md")]

mod auth;
mod call;
mod client;
mod error;
mod oauth2;
mod path;
mod provider;
mod send;

pub use auth::Auth;
pub use call::{Reply, VendorCall};
pub use client::{VendorClient, VendorClientBuilder};
pub use connect_client::RetryPolicy;
pub use error::{VendorError, VendorErrorKind};
pub use http::{self, HeaderMap, Method, StatusCode};
pub use oauth2::OAuth2;
pub use path::IntoPath;
pub use provider::VendorServiceProvider;
