use aws_lc_rs::{constant_time, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use connect_container::Scope;
use connect_model::CustomEvent;
use serde_json::{Map, Value};

use super::{Authenticate, Caller, Rejection, fields};
use crate::interactive::{
    Credential,
    credential::config,
    jwt::{self, Expected},
};

const BEARER: &str = "Bearer";
const BASIC: &str = "Basic realm=\"extension\", charset=\"UTF-8\"";

/// Whether two texts are the same, in a time that says nothing about them.
pub(super) fn same(left: &str, right: &str) -> bool {
    // Digests have one length, so that not even the length of a secret shows.
    let digest = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    constant_time::verify_slices_are_equal(digest(left).as_ref(), digest(right).as_ref()).is_ok()
}

fn names<'a>(credentials: impl IntoIterator<Item = &'a Credential>) -> Vec<String> {
    credentials.into_iter().filter_map(|credential| credential.variable_name().map(str::to_owned)).collect()
}

/// Lets all in. For events that harm nobody, whoever calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anyone;

impl Authenticate for Anyone {
    async fn authenticate(&self, _: &CustomEvent, _: &Scope) -> Result<Caller, Rejection> {
        Ok(Caller::default())
    }
}

/// Lets nobody in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Authenticate for Nobody {
    async fn authenticate(&self, _: &CustomEvent, _: &Scope) -> Result<Caller, Rejection> {
        Err(Rejection::unauthenticated("nobody may call"))
    }
}

/// Lets in who shows a text in `Authorization: Bearer`.
#[derive(Clone, Debug)]
#[must_use]
pub struct Bearer(Vec<(String, Credential)>);

impl Bearer {
    /// The text of one caller, and the name by which the handler knows it.
    pub fn new(caller: impl Into<String>, token: Credential) -> Self {
        Self(vec![(caller.into(), token)])
    }

    /// A further caller.
    pub fn caller(mut self, caller: impl Into<String>, token: Credential) -> Self {
        self.0.push((caller.into(), token));
        self
    }
}

impl Authenticate for Bearer {
    async fn authenticate(&self, request: &CustomEvent, scope: &Scope) -> Result<Caller, Rejection> {
        let shown = fields::authorization(request, "Bearer")
            .ok_or_else(|| Rejection::missing("no bearer token").challenge(BEARER))?;
        find(&self.0, shown, scope)?
            .ok_or_else(|| Rejection::unauthenticated("an unknown bearer token").challenge(BEARER))
    }

    fn variables(&self) -> Vec<String> {
        names(self.0.iter().map(|(_, token)| token))
    }
}

/// Whose text it is.
fn find(callers: &[(String, Credential)], shown: &str, scope: &Scope) -> Result<Option<Caller>, Rejection> {
    let config = config(scope)?;
    let mut unusable = None;
    for (caller, secret) in callers {
        match secret.expose(&config) {
            Ok(secret) if same(secret, shown) => return Ok(Some(Caller::new(caller))),
            Ok(_) => {}
            Err(problem) => unusable = Some(problem),
        }
    }
    unusable.map_or(Ok(None), Err)
}

/// Lets in who shows a text in a header.
#[derive(Clone, Debug)]
#[must_use]
pub struct ApiKey {
    header: String,
    callers: Vec<(String, Credential)>,
}

impl ApiKey {
    /// The header, and the text that the one caller shows in it; the handler knows it as `api key`.
    pub fn header(name: impl Into<String>, key: Credential) -> Self {
        Self { header: name.into(), callers: vec![("api key".to_owned(), key)] }
    }

    /// A further caller, and the name by which the handler knows it.
    pub fn caller(mut self, caller: impl Into<String>, key: Credential) -> Self {
        self.callers.push((caller.into(), key));
        self
    }
}

impl Authenticate for ApiKey {
    async fn authenticate(&self, request: &CustomEvent, scope: &Scope) -> Result<Caller, Rejection> {
        let shown = fields::header(request, &self.header)
            .ok_or_else(|| Rejection::missing(format!("no header {}", self.header)))?;
        find(&self.callers, shown, scope)?.ok_or_else(|| Rejection::unauthenticated("an unknown API key"))
    }

    fn variables(&self) -> Vec<String> {
        names(self.callers.iter().map(|(_, key)| key))
    }
}

/// Lets in who shows a user and a password in `Authorization: Basic`.
#[derive(Clone, Debug)]
#[must_use]
pub struct Basic(Vec<(String, Credential)>);

impl Basic {
    /// The password of one user.
    pub fn new(user: impl Into<String>, password: Credential) -> Self {
        Self(vec![(user.into(), password)])
    }

    /// A further user.
    pub fn user(mut self, user: impl Into<String>, password: Credential) -> Self {
        self.0.push((user.into(), password));
        self
    }
}

impl Authenticate for Basic {
    async fn authenticate(&self, request: &CustomEvent, scope: &Scope) -> Result<Caller, Rejection> {
        let shown = fields::authorization(request, "Basic")
            .ok_or_else(|| Rejection::missing("no user and password").challenge(BASIC))?;
        let shown = STANDARD.decode(shown).ok().and_then(|shown| String::from_utf8(shown).ok());
        let (user, password) = shown
            .as_deref()
            .and_then(|shown| shown.split_once(':'))
            .ok_or_else(|| Rejection::unauthenticated("user and password can't be read").challenge(BASIC))?;
        let config = config(scope)?;
        for (name, secret) in &self.0 {
            if same(name, user) && same(secret.expose(&config)?, password) {
                return Ok(Caller::new(name));
            }
        }
        Err(Rejection::unauthenticated("an unknown user, or a wrong password").challenge(BASIC))
    }

    fn variables(&self) -> Vec<String> {
        names(self.0.iter().map(|(_, password)| password))
    }
}

/// Lets in who shows a token in `Authorization: Bearer` that is signed with HS256 and has not expired. So Connect signs
/// with the environment's `jwt_secret`.
///
/// The caller's name is the token's subject (`sub`).
#[derive(Clone, Debug)]
#[must_use]
pub struct Jwt {
    secret: Credential,
    expected: Expected,
}

impl Jwt {
    /// The secret that tokens are signed with.
    pub fn new(secret: Credential) -> Self {
        Self { secret, expected: Expected::default() }
    }

    /// Who has to have made the token (`iss`).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.expected.issuer = Some(issuer.into());
        self
    }

    /// For whom it has to be (`aud`).
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.expected.audience = Some(audience.into());
        self
    }
}

impl Authenticate for Jwt {
    async fn authenticate(&self, request: &CustomEvent, scope: &Scope) -> Result<Caller, Rejection> {
        let token = fields::authorization(request, "Bearer")
            .ok_or_else(|| Rejection::missing("no bearer token").challenge(BEARER))?;
        let config = config(scope)?;
        let claims: Map<String, Value> = jwt::verify(token, self.secret.expose(&config)?, &self.expected)
            .map_err(|invalid| Rejection::unauthenticated(invalid.text()).challenge(BEARER))?;
        let id = claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Caller { id, claims })
    }

    fn variables(&self) -> Vec<String> {
        names([&self.secret])
    }
}

#[cfg(test)]
mod tests {
    use connect_container::Container;
    use jsonwebtoken::Algorithm;
    use serde_json::json;

    use super::*;
    use crate::interactive::jwt::testing::{now, signed};

    fn scope() -> Scope {
        let config = [("KEY", "s3cr3t"), ("EMPTY", "")].into_iter().collect();
        Container::builder().config(config).build().unwrap().scope().build().unwrap()
    }

    async fn shows(guard: &impl Authenticate, name: &str, value: impl Into<Value>) -> Result<String, String> {
        let headers = json!({name: value.into()});
        let request: CustomEvent = serde_json::from_value(json!({"headers": headers})).unwrap();
        let caller = guard.authenticate(&request, &scope()).await;
        caller.map(|caller| caller.id).map_err(|rejection| rejection.to_string())
    }

    fn key() -> Credential {
        Credential::variable("KEY")
    }

    #[tokio::test]
    async fn a_bearer_is_known_by_its_text() {
        let guard = Bearer::new("shop", Credential::value("other")).caller("vendor", key());
        assert_eq!(shows(&guard, "authorization", "bearer s3cr3t").await.as_deref(), Ok("vendor"));
        let unknown = Err("Unauthenticated, an unknown bearer token.".to_owned());
        for wrong in ["Bearer s3cr3t!", "Bearer S3cr3t", "Bearer  s3"] {
            assert_eq!(shows(&guard, "Authorization", wrong).await, unknown, "{wrong}");
        }
        for none in [
            json!("s3cr3t"),
            json!("Bearer "),
            json!("Basic s3cr3t"),
            json!(["Bearer s3cr3t", "Bearer s3cr3t"]),
            json!(7),
        ] {
            let missing = Err("Unauthenticated, no bearer token.".to_owned());
            assert_eq!(shows(&guard, "Authorization", none).await, missing);
        }
    }

    #[tokio::test]
    async fn what_is_not_set_lets_nobody_in() {
        for guard in [Credential::variable("EMPTY"), Credential::variable("NONE"), Credential::value("")] {
            let refused = shows(&Bearer::new("a", guard.clone()), "Authorization", "Bearer ").await;
            assert!(refused.is_err());
            let refused = shows(&ApiKey::header("X-Key", guard), "x-key", "").await.unwrap_err();
            assert!(refused.starts_with("calls can't be checked: "), "{refused}");
        }
        assert!(shows(&Nobody, "Authorization", "Bearer s3cr3t").await.is_err());
        assert_eq!(shows(&Anyone, "X", "y").await.as_deref(), Ok(""));
    }

    #[tokio::test]
    async fn user_and_password_have_to_fit() {
        let guard = Basic::new("ann", key()).user("bob", Credential::value("pass:word"));
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(shows(&guard, "Authorization", basic("ann:s3cr3t")).await.as_deref(), Ok("ann"));
        assert_eq!(shows(&guard, "Authorization", basic("bob:pass:word")).await.as_deref(), Ok("bob"));
        for wrong in [basic("bob:s3cr3t"), basic("ann"), basic("eve:s3cr3t"), "Basic %%%".to_owned()] {
            assert!(shows(&guard, "Authorization", wrong).await.is_err());
        }
    }

    #[tokio::test]
    async fn a_token_names_its_subject_and_either_guard_may_let_in() {
        let guard = Jwt::new(key()).audience("us").or(ApiKey::header("X-Key", Credential::value("k")));
        assert_eq!(guard.variables(), ["KEY"]);
        let token = |aud| {
            let claims = json!({"exp": now() + 60, "sub": "ann", "aud": aud});
            format!("Bearer {}", signed(Algorithm::HS256, "s3cr3t", &claims))
        };
        assert_eq!(shows(&guard, "Authorization", token("us")).await.as_deref(), Ok("ann"));
        assert!(shows(&guard, "Authorization", token("them")).await.is_err());
        assert_eq!(shows(&guard, "X-Key", "k").await.as_deref(), Ok("api key"));
    }
}
