//! Product actions and custom events: routed to handlers once it is clear who calls.
//!
//! A product action carries a token that Connect signed with the product's secret; a custom event carries what its caller
//! and you agreed on. Both are checked before a handler sees the call; calls that are refused, and those nobody handles, are
//! answered with a status and a body of JSON: `{"error": "…"}`.
//!
//! ```
//! use connect_container::Scope;
//! use connect_model::{HandlerError, InteractiveResponse};
//! use connect_runner::{
//!     Descriptor, Extension, Variable,
//!     interactive::{ActionCall, Actions, Credential, CustomEvents, EventCall, JwtSecrets, auth::ApiKey},
//! };
//! use serde_json::json;
//!
//! async fn sign_in(call: ActionCall, _: Scope) -> Result<InteractiveResponse, HandlerError> {
//!     let asset_id = call.asset_id().ok_or("only subscriptions have a panel")?;
//!     Ok(InteractiveResponse::redirect(format!("https://panel.vendor.example/{asset_id}")))
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct SeatsUsed {
//!     seats: u32,
//! }
//!
//! async fn seats_used(call: EventCall, _: Scope) -> Result<InteractiveResponse, HandlerError> {
//!     let body: SeatsUsed = call.json()?;
//!     Ok(InteractiveResponse::json(json!({"taken": body.seats})))
//! }
//!
//! let extension = Extension::new(Descriptor::default())
//!     .variable(Variable::new("PRODUCT_JWT_SECRET").secure())
//!     .variable(Variable::new("EVENTS_KEY").secure())
//!     .product_actions(Actions::new(JwtSecrets::variable("PRODUCT_JWT_SECRET")).on("sso", sign_in))
//!     // Routed by the member "controller" of the body.
//!     .custom_events(
//!         CustomEvents::new(ApiKey::header("X-Api-Key", Credential::variable("EVENTS_KEY")))
//!             .on("seats_used", seats_used),
//!     );
//! extension.check()?;
//! # Ok::<(), connect_runner::Error>(())
//! ```

mod actions;
pub mod auth;
mod credential;
mod events;
mod jwt;
mod rejection;
mod route;

pub(crate) use actions::ActionHandler;
pub use actions::{ActionCall, Actions};
pub use credential::{Credential, JwtSecrets};
pub(crate) use events::EventHandler;
pub use events::{CustomEvents, EventCall};
pub use rejection::Rejection;
