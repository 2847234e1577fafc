use std::{
    fmt,
    sync::{Arc, Mutex as StdMutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use connect_cache::{Cache, CacheExt};
use http::{HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, time::Instant};
use tracing::{debug, warn};
use url::Url;

use crate::{VendorCall, VendorClient, VendorError, auth};

/// How long a token is used whose end the vendor does not tell.
const UNTOLD: Duration = Duration::from_secs(300);

/// How long before its end a token is renewed; half its life where that is less.
const EARLY: Duration = Duration::from_secs(60);

/// A token for client credentials, as of [RFC 6749, section 4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4).
///
/// It is got when a call needs it, by one call however many wait for it; kept in memory, and in a [`Cache`] where there is
/// one; renewed a minute before it ends; and renewed once where the vendor answers 401 all the same.
///
/// ```
/// use connect_vendor::OAuth2;
///
/// let oauth2 = OAuth2::new("https://login.vendor.example/oauth/token", "client", "secret")
///     .scope("tenants.write")
///     .param("audience", "https://api.vendor.example");
/// ```
#[derive(Clone)]
#[must_use]
pub struct OAuth2 {
    token_url: String,
    client_id: String,
    client_secret: SecretString,
    scope: Option<String>,
    params: Vec<(String, String)>,
    in_body: bool,
    cache: Option<Arc<dyn Cache>>,
    kept: Arc<Kept>,
}

/// The token in use.
#[derive(Default)]
struct Kept {
    token: StdMutex<Option<Token>>,
    /// Held by the one who gets a new token; in it the last failure to do so, and when that was.
    renewing: Mutex<Option<(Instant, VendorError)>>,
}

#[derive(Clone)]
struct Token {
    text: SecretString,
    renew_at: Instant,
}

/// As it stands in the cache.
#[derive(Serialize, Deserialize)]
struct Cached {
    access_token: String,
    /// Seconds since 1970.
    renew_at: u64,
}

/// What the vendor answers.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    token_type: Option<String>,
    /// Some vendors write it as a text.
    #[serde(default)]
    expires_in: Option<Seconds>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

impl Granted {
    fn life(&self) -> Duration {
        let seconds = match &self.expires_in {
            Some(Seconds::Number(seconds)) => Some(*seconds),
            Some(Seconds::Text(text)) => text.trim().parse().ok(),
            None => None,
        };
        seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(UNTOLD)
    }
}

impl OAuth2 {
    /// The address that gives tokens, and the credentials for it.
    pub fn new(
        token_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        Self {
            token_url: token_url.into(),
            client_id: client_id.into(),
            client_secret: client_secret.into().into(),
            scope: None,
            params: Vec::new(),
            in_body: false,
            cache: None,
            kept: Arc::default(),
        }
    }

    /// What the token is for, by words between blanks.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// A further field that the vendor wants, such as `audience` or `resource`.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Sends the credentials as fields (`client_id`, `client_secret`), for vendors that don't take them as
    /// `Authorization: Basic`.
    pub fn credentials_in_body(mut self) -> Self {
        self.in_body = true;
        self
    }

    /// Keeps the token in a cache too, so that other processes and later ones use it. Who can read the cache can read it.
    pub fn cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.cache = Some(cache);
        self
    }

    pub(crate) fn secret(&self) -> &str {
        self.client_secret.expose_secret()
    }

    pub(crate) fn check(&self) -> Result<(), VendorError> {
        self.url()?;
        if self.client_id.is_empty() || self.secret().is_empty() {
            return Err(VendorError::usage("the credentials for tokens are empty"));
        }
        Ok(())
    }

    fn url(&self) -> Result<Url, VendorError> {
        let url = Url::parse(&self.token_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        url.ok_or_else(|| VendorError::usage("the address for tokens has to begin with https://"))
    }

    /// A token that holds, and another than the `refused` one.
    pub(crate) async fn token(
        &self,
        client: &VendorClient,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, VendorError> {
        if let Some(token) = self.kept(refused) {
            return Ok(token);
        }
        let asked = Instant::now();
        let mut renewing = self.kept.renewing.lock().await;
        // Who waited finds what the one before got, be it a token or a failure.
        if let Some(token) = self.kept(refused) {
            return Ok(token);
        }
        if let Some((_, failure)) = renewing.as_ref().filter(|(at, _)| *at > asked) {
            return Err(failure.shared());
        }
        if let Some(token) = self.cached(refused).await {
            return Ok(token);
        }
        let granted = match Box::pin(self.request(client)).await {
            Ok(granted) => granted,
            Err(cause) => {
                let failure = VendorError::without_token(client.name(), cause);
                *renewing = Some((Instant::now(), failure.shared()));
                return Err(failure);
            }
        };
        *renewing = None;
        let life = granted.life();
        let use_for = life.saturating_sub(EARLY.min(life / 2));
        debug!(?life, "a new token");
        self.put_into_cache(&granted.access_token, use_for).await;
        Ok(self.keep(granted.access_token.into(), use_for))
    }

    fn kept(&self, refused: Option<&SecretString>) -> Option<SecretString> {
        let token = self.kept.token.lock().unwrap_or_else(PoisonError::into_inner);
        token
            .as_ref()
            .filter(|token| token.renew_at > Instant::now() && differs(&token.text, refused))
            .map(|token| token.text.clone())
    }

    fn keep(&self, text: SecretString, use_for: Duration) -> SecretString {
        let now = Instant::now();
        let renew_at = now.checked_add(use_for).unwrap_or_else(|| now + UNTOLD);
        let token = Token { text: text.clone(), renew_at };
        *self.kept.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        text
    }

    /// Under which name the token stands in the cache: everything that makes it another one, but for the secret.
    fn cache_key(&self) -> String {
        let params: Vec<_> = self.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let scope = self.scope.as_deref().unwrap_or_default();
        format!("vendor-token {} {} {scope} {}", self.token_url, self.client_id, params.join("&"))
    }

    async fn cached(&self, refused: Option<&SecretString>) -> Option<SecretString> {
        let cache = self.cache.as_ref()?;
        let cached = cache.get::<Cached>(&self.cache_key()).await;
        let cached = cached.unwrap_or_else(|error| {
            warn!("the token can't be read from the cache: {error}");
            None
        })?;
        let use_for = Duration::from_secs(cached.renew_at).checked_sub(since_1970())?;
        let token = SecretString::from(cached.access_token);
        differs(&token, refused).then(|| self.keep(token, use_for))
    }

    async fn put_into_cache(&self, token: &str, use_for: Duration) {
        let Some(cache) = &self.cache else { return };
        let renew_at = since_1970().saturating_add(use_for).as_secs();
        let cached = Cached { access_token: token.to_owned(), renew_at };
        if let Err(error) = cache.put(&self.cache_key(), &cached, Some(use_for)).await {
            warn!("the token can't be put into the cache: {error}");
        }
    }

    async fn request(&self, client: &VendorClient) -> Result<Granted, VendorError> {
        let mut fields = vec![("grant_type", "client_credentials")];
        fields.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        fields.extend(self.params.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let mut call = VendorCall::to_token_url(client.clone(), Method::POST, self.url()?);
        if self.in_body {
            fields.extend([("client_id", self.client_id.as_str()), ("client_secret", self.secret())]);
        } else {
            call = call.authorized(self.basic()?);
        }
        // A second token does no harm.
        let retry = client.retry_policy().clone().all_methods();
        let granted: Granted = call.form(fields).retry(retry).json().await?;
        match &granted.token_type {
            Some(kind) if !kind.eq_ignore_ascii_case("bearer") => {
                Err(VendorError::usage("the vendor gives tokens of another type than Bearer"))
            }
            _ if granted.access_token.is_empty() => Err(VendorError::usage("the vendor gave an empty token")),
            _ => Ok(granted),
        }
    }

    /// Both encoded as a form first, as RFC 6749, section 2.3.1 has it.
    fn basic(&self) -> Result<HeaderValue, VendorError> {
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        auth::basic(&encoded(&self.client_id), &encoded(self.secret()).into())
    }
}

fn differs(token: &SecretString, refused: Option<&SecretString>) -> bool {
    refused.is_none_or(|refused| refused.expose_secret() != token.expose_secret())
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl fmt::Debug for OAuth2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth2").field("token_url", &self.token_url).finish_non_exhaustive()
    }
}
