//! Product actions and custom events: routed to handlers once it is clear who calls.
//!
//! ```
//! use connect_fulfillment::{
//!     Descriptor,
//!     interactive::{ActionCall, Actions, Credential, CustomEvents, EventCall, JwtSecrets, auth::ApiKey},
//!     prelude::*,
//! };
//!
//! async fn sign_in(call: ActionCall, _: Scope) -> Result<InteractiveResponse> {
//!     let asset_id = call.asset_id().ok_or("only subscriptions have a panel")?;
//!     Ok(InteractiveResponse::redirect(format!("https://panel.vendor.example/{asset_id}")))
//! }
//!
//! /// One that the container builds.
//! #[derive(Inject)]
//! struct CountSeats {
//!     client: Client,
//! }
//!
//! impl InteractiveTransaction<EventCall> for CountSeats {
//!     fn name(&self) -> &str { "Count seats" }
//!
//!     async fn execute(&self, call: &mut EventCall) -> Result<InteractiveResponse> {
//!         let requests = self.client.collection("requests").query().count().await?;
//!         Ok(InteractiveResponse::json(requests))
//!     }
//! }
//!
//! let extension = Extension::new(Descriptor::default())
//!     .variable(Variable::new("PRODUCT_JWT_SECRET").secure())
//!     .variable(Variable::new("EVENTS_KEY").secure())
//!     .product_actions(Actions::new(JwtSecrets::variable("PRODUCT_JWT_SECRET")).on("sso", sign_in))
//!     .custom_events(
//!         CustomEvents::new(ApiKey::header("X-Api-Key", Credential::variable("EVENTS_KEY")))
//!             .on("seats", inject::<CountSeats>()),
//!     );
//! extension.check()?;
//! # Ok::<(), connect_fulfillment::runner::Error>(())
//! ```

use connect_model::InteractiveResponse;
pub use connect_runner::interactive::{ActionCall, Credential, EventCall, JwtSecrets, Rejection, auth};

use crate::IntoHandler;

/// Product actions, each with its handler: `async fn(ActionCall, Scope) -> Result<InteractiveResponse>`, or an
/// `InteractiveTransaction<ActionCall>` by [`inject`](crate::inject).
///
/// The token of a call (`jwt` in its query or form) has to be signed by one of the secrets with HS256, and must not have
/// expired; half a minute is granted to clocks that differ. Otherwise the answer is 401, and 404 for actions that nobody
/// handles; the body is JSON.
#[derive(Debug)]
#[must_use = "an extension has to have them: Extension::product_actions"]
pub struct Actions(pub(crate) connect_runner::interactive::Actions);

impl Actions {
    /// Actions whose tokens are signed with one of these secrets.
    pub fn new(secrets: JwtSecrets) -> Self {
        Self(connect_runner::interactive::Actions::new(secrets))
    }

    /// Actions whose tokens are not checked: what Connect says of the token (`jwt_payload`) is believed, since it comes over
    /// the connection that the extension itself opened to Connect. For products whose secret you don't have.
    pub fn unverified() -> Self {
        Self(connect_runner::interactive::Actions::unverified())
    }

    /// Handles an action by its name in the product.
    pub fn on<M>(
        self,
        action_id: impl Into<String>,
        handler: impl IntoHandler<ActionCall, InteractiveResponse, M>,
    ) -> Self {
        Self(self.0.on(action_id, handler.into_handler()))
    }

    /// Handles all other actions, in place of the answer 404.
    pub fn otherwise<M>(self, handler: impl IntoHandler<ActionCall, InteractiveResponse, M>) -> Self {
        Self(self.0.otherwise(handler.into_handler()))
    }

    /// How calls are answered that are refused, in place of [`Rejection::response`].
    pub fn on_rejection(
        self,
        respond: impl Fn(&Rejection) -> InteractiveResponse + Send + Sync + 'static,
    ) -> Self {
        Self(self.0.on_rejection(respond))
    }
}

/// Custom events, each with its handler: `async fn(EventCall, Scope) -> Result<InteractiveResponse>`, or an
/// `InteractiveTransaction<EventCall>` by [`inject`](crate::inject).
///
/// They are told apart by a field of the body, `controller` unless another is [named](Self::field). Who calls is checked
/// first: 401 where the guard refuses, then 404 for what nobody handles; the body is JSON.
#[derive(Debug)]
#[must_use = "an extension has to have them: Extension::custom_events"]
pub struct CustomEvents(pub(crate) connect_runner::interactive::CustomEvents);

impl CustomEvents {
    /// Custom events of callers that this guard lets in: one of [`auth`], or of your own.
    pub fn new(guard: impl auth::Authenticate) -> Self {
        Self(connect_runner::interactive::CustomEvents::new(guard))
    }

    /// The field of the body that says what the event is: the name of a member, or a JSON pointer such as `/event/type`.
    pub fn field(self, field: impl Into<String>) -> Self {
        Self(self.0.field(field))
    }

    /// Handles the events of which the field says this.
    pub fn on<M>(
        self,
        name: impl Into<String>,
        handler: impl IntoHandler<EventCall, InteractiveResponse, M>,
    ) -> Self {
        Self(self.0.on(name, handler.into_handler()))
    }

    /// Handles all others, in place of the answer 404; also those without the field.
    pub fn otherwise<M>(self, handler: impl IntoHandler<EventCall, InteractiveResponse, M>) -> Self {
        Self(self.0.otherwise(handler.into_handler()))
    }

    /// How calls are answered that are refused, in place of [`Rejection::response`].
    pub fn on_rejection(
        self,
        respond: impl Fn(&Rejection) -> InteractiveResponse + Send + Sync + 'static,
    ) -> Self {
        Self(self.0.on_rejection(respond))
    }
}
