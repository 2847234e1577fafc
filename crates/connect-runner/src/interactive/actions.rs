use connect_container::{Error as ContainerError, Scope};
use connect_model::{HandlerError, InteractiveResponse, JwtPayload, ProductAction};
use serde_json::{Map, Value};

use super::{
    JwtSecrets, Rejection,
    credential::config,
    jwt::{self, Expected, Invalid},
    route::{Routes, missing},
};
use crate::Handler;

/// A product action whose token was checked. (The `Arc<ProductAction>` of the scope is the call as Connect sent it.)
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ActionCall {
    /// The action's name in the product.
    pub action_id: String,
    /// The product whose secret the token was signed with, where [`JwtSecrets::product`] says whose it is.
    pub product_id: Option<String>,
    /// What the token says.
    pub claims: JwtPayload,
    /// The call as it came; its `jwt_payload` is that of the token.
    pub request: ProductAction,
}

impl ActionCall {
    /// The asset whose button was pressed, where it is one of an asset.
    #[must_use]
    pub fn asset_id(&self) -> Option<&str> {
        self.claims.asset_id.as_deref()
    }

    /// The tier configuration whose button was pressed, where it is one of a tier configuration.
    #[must_use]
    pub fn configuration_id(&self) -> Option<&str> {
        self.claims.configuration_id.as_deref()
    }
}

/// Product actions, each with its handler: `async fn(ActionCall, Scope) -> Result<InteractiveResponse, HandlerError>`.
///
/// The token of a call (`jwt` in its query or form) has to be signed by one of the secrets with HS256, and must not have
/// expired; half a minute is granted to clocks that differ. Otherwise the answer is 401, and 404 for actions that nobody
/// handles; the body is JSON.
///
/// ```
/// use connect_container::Scope;
/// use connect_model::{HandlerError, InteractiveResponse};
/// use connect_runner::interactive::{ActionCall, Actions, JwtSecrets};
/// use serde_json::json;
///
/// async fn sign_in(call: ActionCall, _: Scope) -> Result<InteractiveResponse, HandlerError> {
///     let asset_id = call.asset_id().unwrap_or_default();
///     Ok(InteractiveResponse::redirect(format!("https://panel.vendor.example/{asset_id}")))
/// }
///
/// async fn reset(_: ActionCall, _: Scope) -> Result<InteractiveResponse, HandlerError> {
///     Ok(InteractiveResponse::json(json!({"reset": true})))
/// }
///
/// let actions = Actions::new(JwtSecrets::variable("PRODUCT_JWT_SECRET")).on("sso", sign_in).on("reset", reset);
/// ```
#[derive(Debug)]
#[must_use = "an extension has to have them: Extension::product_actions"]
pub struct Actions {
    /// `None` where Connect is believed.
    secrets: Option<JwtSecrets>,
    routes: Routes<ActionCall>,
}

impl Actions {
    /// Actions whose tokens are signed with one of these secrets.
    pub fn new(secrets: JwtSecrets) -> Self {
        Self { secrets: Some(secrets), routes: Routes::new() }
    }

    /// Actions whose tokens are not checked: what Connect says of the token (`jwt_payload`) is believed, since it comes over
    /// the connection that the extension itself opened to Connect. For products whose secret you don't have.
    pub fn unverified() -> Self {
        Self { secrets: None, routes: Routes::new() }
    }

    /// Handles an action by its name in the product.
    pub fn on(
        mut self,
        action_id: impl Into<String>,
        handler: impl Handler<ActionCall, InteractiveResponse>,
    ) -> Self {
        self.routes.on(action_id.into(), handler);
        self
    }

    /// Handles all other actions, in place of the answer 404.
    pub fn otherwise(mut self, handler: impl Handler<ActionCall, InteractiveResponse>) -> Self {
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

    fn authenticate(&self, mut request: ProductAction, scope: &Scope) -> Result<ActionCall, Rejection> {
        let (product_id, claims) = match &self.secrets {
            Some(secrets) => check(&request, secrets, scope)?,
            None => (None, request.jwt_payload.clone().ok_or_else(no_token)?),
        };
        let Some(action_id) = claims.action_id.clone() else {
            return Err(Rejection::unauthenticated("the token names no action"));
        };
        // What was not checked can't be mistaken for what was.
        request.jwt_payload = Some(claims.clone());
        Ok(ActionCall { action_id, product_id, claims, request })
    }
}

fn no_token() -> Rejection {
    Rejection::unauthenticated("the call has no token")
}

/// Which product's secret the token is signed with, and what it says.
fn check(
    request: &ProductAction,
    secrets: &JwtSecrets,
    scope: &Scope,
) -> Result<(Option<String>, JwtPayload), Rejection> {
    let token = token(&request.querystring).or_else(|| token(&request.form_data)).ok_or_else(no_token)?;
    let config = config(scope)?;
    let (mut unusable, mut invalid) = (None, Invalid::Signature);
    for (product_id, secret) in secrets.iter() {
        // One that is missing must not keep the actions of other products away.
        let secret = match secret.expose(&config) {
            Ok(secret) => secret,
            Err(problem) => {
                unusable = Some(problem);
                continue;
            }
        };
        match jwt::verify(token, secret, &Expected::default()) {
            Ok(claims) => return Ok((product_id.map(str::to_owned), claims)),
            Err(Invalid::Signature) => {}
            Err(other) => invalid = other,
        }
    }
    match (unusable, invalid) {
        (Some(problem), Invalid::Signature) => Err(problem),
        (_, invalid) => Err(Rejection::unauthenticated(invalid.text())),
    }
}

/// The one token of a query or a form.
fn token(fields: &Map<String, Value>) -> Option<&str> {
    match fields.get("jwt")? {
        Value::String(token) => Some(token),
        Value::Array(tokens) if tokens.len() == 1 => tokens[0].as_str(),
        _ => None,
    }
}

/// What handles the event.
#[derive(Debug)]
pub(crate) struct ActionHandler(Actions);

impl ActionHandler {
    pub(crate) fn new(actions: Actions) -> Self {
        Self(actions)
    }
}

impl Handler<ProductAction, InteractiveResponse> for ActionHandler {
    async fn handle(
        &self,
        request: ProductAction,
        scope: Scope,
    ) -> Result<InteractiveResponse, HandlerError> {
        let call = self.0.authenticate(request, &scope);
        let name = call.as_ref().map_or_else(|_| String::new(), |call| call.action_id.clone());
        self.0.routes.call(&name, call, scope).await
    }

    fn verify(&self, _: &ProductAction, scope: &Scope) -> Vec<ContainerError> {
        let secrets = self.0.secrets.iter().flat_map(JwtSecrets::iter);
        let mut problems = missing(secrets.filter_map(|(_, secret)| secret.variable_name()), scope);
        problems.extend(self.0.routes.verify(&ActionCall::default(), scope));
        problems
    }
}

#[cfg(test)]
mod tests {
    use connect_container::Container;
    use connect_model::Response;
    use jsonwebtoken::Algorithm;
    use serde_json::json;

    use super::{
        super::{
            Credential,
            jwt::testing::{now, signed},
        },
        *,
    };

    async fn echo(call: ActionCall, _: Scope) -> Result<InteractiveResponse, HandlerError> {
        let payload = call.request.jwt_payload.as_ref().and_then(|payload| payload.asset_id.clone());
        Ok(InteractiveResponse::json(
            json!({"action": call.action_id, "product": call.product_id, "asset": call.asset_id(), "payload": payload}),
        ))
    }

    async fn broken(_: ActionCall, _: Scope) -> Result<InteractiveResponse, HandlerError> {
        Err("no such user".into())
    }

    fn scope(variables: &[(&str, &str)]) -> Scope {
        let config = variables.iter().copied().collect();
        Container::builder().config(config).build().unwrap().scope().build().unwrap()
    }

    async fn answer(actions: Actions, data: Value, variables: &[(&str, &str)]) -> Value {
        let request = serde_json::from_value(data).unwrap();
        let end = ActionHandler(actions).handle(request, scope(variables)).await.unwrap();
        end.into_output().data.unwrap()
    }

    fn token(secret: &str, action: &str) -> String {
        let claims = json!({"exp": now() + 60, "action_id": action, "asset_id": "AS-1"});
        signed(Algorithm::HS256, secret, &claims)
    }

    fn actions() -> Actions {
        Actions::new(JwtSecrets::variable("SECRET")).on("echo", echo).on("broken", broken)
    }

    const SECRET: &[(&str, &str)] = &[("SECRET", "s3cr3t")];

    #[tokio::test]
    async fn the_token_says_who_calls_and_nothing_else_does() {
        for place in ["querystring", "form_data"] {
            for value in [json!([token("s3cr3t", "echo")]), json!(token("s3cr3t", "echo"))] {
                let data = json!({place: {"jwt": value},
                    "jwt_payload": {"action_id": "broken", "asset_id": "AS-666"}});
                let body = json!({"action": "echo", "product": null, "asset": "AS-1", "payload": "AS-1"});
                assert_eq!(answer(actions(), data, SECRET).await["body"], body);
            }
        }
    }

    #[tokio::test]
    async fn what_is_refused_is_told_in_json() {
        let refused = async |jwt: Value, variables| {
            let data = json!({"querystring": {"jwt": jwt}, "jwt_payload": {"action_id": "echo"}});
            let answer = answer(actions(), data, variables).await;
            assert_eq!(answer["headers"]["Content-Type"], "application/json");
            (answer["http_status"].as_u64().unwrap(), answer["body"]["error"].as_str().unwrap().to_owned())
        };
        let unsigned = "Unauthenticated, the token is not signed with the secret.".to_owned();
        assert_eq!(refused(json!([token("other", "echo")]), SECRET).await, (401, unsigned));
        let missing = "Unauthenticated, the call has no token.".to_owned();
        assert_eq!(refused(json!(null), SECRET).await, (401, missing.clone()));
        assert_eq!(refused(json!([token("s3cr3t", "echo"), "b"]), SECRET).await, (401, missing));
        let unknown = "there is no such thing".to_owned();
        assert_eq!(refused(json!([token("s3cr3t", "nothing")]), SECRET).await, (404, unknown));
        let unset = refused(json!([token("", "echo")]), &[("SECRET", "")]).await;
        assert_eq!(unset, (500, "the extension can't check calls at the moment".to_owned()));
    }

    #[tokio::test]
    async fn the_secret_says_whose_product_it_is() {
        let secrets = JwtSecrets::new()
            .product("PRD-1", Credential::variable("UNSET"))
            .product("PRD-2", Credential::value("second"))
            .product("PRD-3", Credential::value("third"));
        let data = json!({"querystring": {"jwt": [token("third", "echo")]}});
        let answer = answer(Actions::new(secrets).on("echo", echo), data, &[]).await;
        assert_eq!(answer["body"]["product"], "PRD-3");
    }

    #[tokio::test]
    async fn a_handlers_error_stays_one_and_the_rest_can_be_handled() {
        let request = json!({"querystring": {"jwt": [token("s3cr3t", "broken")]}});
        let request: ProductAction = serde_json::from_value(request).unwrap();
        let end = ActionHandler(actions()).handle(request, scope(SECRET)).await;
        assert_eq!(end.unwrap_err().to_string(), "no such user");
        let data = json!({"querystring": {"jwt": [token("s3cr3t", "other")]}});
        let answered = answer(actions().otherwise(echo), data.clone(), SECRET).await;
        assert_eq!(answered["body"]["action"], "other");
        let sorry = |rejection: &Rejection| InteractiveResponse::redirect(format!("/{}", rejection.status()));
        let answered = answer(actions().on_rejection(sorry), data, SECRET).await;
        assert_eq!(
            (&answered["http_status"], &answered["headers"]["Location"]),
            (&json!(302), &json!("/404"))
        );
    }

    #[tokio::test]
    async fn connect_can_be_believed() {
        let data = json!({"jwt_payload": {"action_id": "echo", "asset_id": "AS-7"}});
        let answer = answer(Actions::unverified().on("echo", echo), data, &[]).await;
        assert_eq!(answer["body"]["asset"], "AS-7");
    }
}
