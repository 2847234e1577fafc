use std::{fmt, sync::Arc};

use connect_client::machinery::without_values;
use connect_container::{Error as ContainerError, Scope};
use connect_model::{CustomEvent, HandlerError, InteractiveResponse};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Rejection,
    auth::{Authenticate, Authenticator, Caller, fields},
    route::{Routes, missing},
};
use crate::Handler;

/// A custom event whose caller is known.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EventCall {
    /// What the field of the body says that it is routed by; empty where it says nothing.
    pub name: String,
    /// Who calls.
    pub caller: Caller,
    /// The call as it came.
    pub request: CustomEvent,
}

impl EventCall {
    /// The body as a type: JSON, or a form. One that does not fit is answered with 400 where the handler passes the error on.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Rejection> {
        let body = fields::body(&self.request).unwrap_or_default();
        // Without what stood there: it may be anybody's secret, and refusals are logged.
        T::deserialize(body).map_err(|error| Rejection::Malformed(without_values(&error.to_string())))
    }
}

/// Custom events, each with its handler: `async fn(EventCall, Scope) -> Result<InteractiveResponse, HandlerError>`.
///
/// They are told apart by a field of the body, `controller` unless another is [named](Self::field). Who calls is checked
/// first: 401 where the guard refuses, then 404 for what nobody handles; the body is JSON.
///
/// ```
/// use connect_container::Scope;
/// use connect_model::{HandlerError, InteractiveResponse};
/// use connect_runner::interactive::{Credential, CustomEvents, EventCall, auth::Bearer};
/// use serde_json::json;
///
/// async fn user_created(call: EventCall, _: Scope) -> Result<InteractiveResponse, HandlerError> {
///     Ok(InteractiveResponse::json(json!({"welcome": call.caller.id})))
/// }
///
/// let events = CustomEvents::new(Bearer::new("vendor", Credential::variable("EVENTS_TOKEN")))
///     .field("/event/type")
///     .on("user.created", user_created);
/// ```
#[must_use = "an extension has to have them: Extension::custom_events"]
pub struct CustomEvents {
    guard: Arc<dyn Authenticator>,
    field: String,
    routes: Routes<EventCall>,
}

impl CustomEvents {
    /// Custom events of callers that this guard lets in: one of [`auth`](super::auth), or of your own.
    pub fn new(guard: impl Authenticate) -> Self {
        Self { guard: Arc::new(guard), field: "controller".to_owned(), routes: Routes::new() }
    }

    /// The field of the body that says what the event is: the name of a member, or a JSON pointer such as `/event/type`.
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }

    /// Handles the events of which the field says this.
    pub fn on(
        mut self,
        name: impl Into<String>,
        handler: impl Handler<EventCall, InteractiveResponse>,
    ) -> Self {
        self.routes.on(name.into(), handler);
        self
    }

    /// Handles all others, in place of the answer 404; also those without the field.
    pub fn otherwise(mut self, handler: impl Handler<EventCall, InteractiveResponse>) -> Self {
        self.routes.otherwise(handler);
        self
    }

    /// How calls are answered that are refused, in place of [`Rejection::response`].
    pub fn on_rejection(
        mut self,
        respond: impl Fn(&Rejection) -> InteractiveResponse + Send + Sync + 'static,
    ) -> Self {
        self.routes.on_rejection = super::rejection::OnRejection::new(respond);
        self
    }

    pub(crate) fn problems(&self) -> &[String] {
        self.routes.problems()
    }

    /// What is handled, to show it.
    pub(crate) fn names(&self) -> String {
        self.routes.names()
    }

    fn name(&self, request: &CustomEvent) -> String {
        let body = fields::body(request).unwrap_or_default();
        let field =
            if self.field.starts_with('/') { body.pointer(&self.field) } else { body.get(&self.field) };
        field.and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl fmt::Debug for CustomEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomEvents")
            .field("field", &self.field)
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

/// What handles the event.
#[derive(Debug)]
pub(crate) struct EventHandler(CustomEvents);

impl EventHandler {
    pub(crate) fn new(events: CustomEvents) -> Self {
        Self(events)
    }
}

impl Handler<CustomEvent, InteractiveResponse> for EventHandler {
    async fn handle(&self, request: CustomEvent, scope: Scope) -> Result<InteractiveResponse, HandlerError> {
        let events = &self.0;
        let caller = events.guard.authenticate(&request, &scope).await;
        let call = caller.map(|caller| EventCall { name: events.name(&request), caller, request });
        let name = call.as_ref().map_or_else(|_| String::new(), |call| call.name.clone());
        events.routes.call(&name, call, scope).await
    }

    fn verify(&self, _: &CustomEvent, scope: &Scope) -> Vec<ContainerError> {
        let variables = self.0.guard.variables();
        let mut problems = missing(variables.iter().map(String::as_str), scope);
        problems.extend(self.0.routes.verify(&EventCall::default(), scope));
        problems
    }
}

#[cfg(test)]
mod tests {
    use connect_container::Container;
    use connect_model::Response;
    use serde_json::json;

    use super::{super::auth::Anyone, *};

    async fn name(call: EventCall, _: Scope) -> Result<InteractiveResponse, HandlerError> {
        Ok(InteractiveResponse::json(json!(call.name)))
    }

    async fn seats(call: EventCall, _: Scope) -> Result<InteractiveResponse, HandlerError> {
        let seats: std::collections::BTreeMap<String, u32> = call.json()?;
        Ok(InteractiveResponse::json(json!(seats.len())))
    }

    async fn answer(events: CustomEvents, request: Value) -> (u64, Value) {
        let request: CustomEvent = serde_json::from_value(request).unwrap();
        let scope = Container::builder().build().unwrap().scope().build().unwrap();
        let end = EventHandler(events).handle(request, scope).await.unwrap();
        let data = end.into_output().data.unwrap();
        (data["http_status"].as_u64().unwrap(), data["body"].clone())
    }

    fn events() -> CustomEvents {
        CustomEvents::new(Anyone).on("sync", name).on("seats", seats)
    }

    #[tokio::test]
    async fn a_field_of_the_body_says_what_it_is() {
        let bodies = [
            json!({"body": {"controller": "sync"}}),
            json!({"body": r#"{"controller": "sync"}"#}),
            json!({"body": "a=b&controller=sync", "headers": {"content-type": "application/x-www-form-urlencoded"}}),
        ];
        for body in bodies {
            assert_eq!(answer(events(), body).await, (200, json!("sync")));
        }
        let nested = json!({"body": {"event": {"type": "sync"}}});
        assert_eq!(answer(events().field("/event/type"), nested).await, (200, json!("sync")));
    }

    #[tokio::test]
    async fn what_nobody_handles_is_404_unless_it_is_handled() {
        let error = json!({"error": "there is no such thing"});
        for body in [json!({}), json!({"body": {"controller": 7}}), json!({"body": "text"})] {
            assert_eq!(answer(events(), body.clone()).await, (404, error.clone()));
            assert_eq!(answer(events().otherwise(name), body).await, (200, json!("")));
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_fit_is_400() {
        let body = json!({"body": {"controller": "seats", "password": "canary"}});
        let error = "the call can't be read: invalid type, expected u32";
        assert_eq!(answer(events(), body).await, (400, json!({"error": error})));
    }
}
