use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};

use crate::{OAuth2, VendorError};

/// How calls say who makes them.
///
/// ```
/// use connect_vendor::{Auth, OAuth2};
///
/// let none = Auth::none();
/// let user = Auth::basic("user", "password");
/// let key = Auth::api_key("X-Api-Key", "key");
/// let token = Auth::oauth2(OAuth2::new("https://login.vendor.example/token", "client", "secret").scope("orders"));
/// assert!(!format!("{user:?} {key:?} {token:?}").contains("secret"));
/// ```
#[derive(Clone, Default)]
pub struct Auth(pub(crate) Kind);

#[derive(Clone, Default)]
pub(crate) enum Kind {
    #[default]
    None,
    Basic(String, SecretString),
    Bearer(SecretString),
    ApiKey(String, SecretString),
    OAuth2(OAuth2),
}

impl Auth {
    /// Not at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// By user and password.
    #[must_use]
    pub fn basic(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self(Kind::Basic(user.into(), password.into().into()))
    }

    /// By a token that stays the same.
    #[must_use]
    pub fn bearer(token: impl Into<String>) -> Self {
        Self(Kind::Bearer(token.into().into()))
    }

    /// By a key in a header.
    #[must_use]
    pub fn api_key(header: impl Into<String>, key: impl Into<String>) -> Self {
        Self(Kind::ApiKey(header.into(), key.into().into()))
    }

    /// By a token that is got for client credentials, kept, and renewed in time.
    #[must_use]
    pub fn oauth2(oauth2: OAuth2) -> Self {
        Self(Kind::OAuth2(oauth2))
    }

    /// Puts what does not change into the headers of every call.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) -> Result<(), VendorError> {
        let (name, value) = match &self.0 {
            Kind::None | Kind::OAuth2(_) => return Ok(()),
            Kind::Basic(user, password) => (AUTHORIZATION, basic(user, password)?),
            Kind::Bearer(token) => (AUTHORIZATION, bearer(token.expose_secret())?),
            Kind::ApiKey(header, key) => {
                let name = HeaderName::from_bytes(header.as_bytes())
                    .map_err(|_| VendorError::usage(format!("{header:?} is no name of a header")))?;
                (name, secret(key.expose_secret(), "the API key")?)
            }
        };
        headers.insert(name, value);
        Ok(())
    }

    /// What no text may show.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        match &self.0 {
            Kind::None => Vec::new(),
            Kind::Basic(_, secret) | Kind::Bearer(secret) | Kind::ApiKey(_, secret) => {
                vec![secret.expose_secret()]
            }
            Kind::OAuth2(oauth2) => vec![oauth2.secret()],
        }
    }
}

pub(crate) fn basic(user: &str, password: &SecretString) -> Result<HeaderValue, VendorError> {
    if user.contains(':') {
        return Err(VendorError::usage("a user's name can't have a colon"));
    }
    let both = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
    secret(&format!("Basic {both}"), "user and password")
}

pub(crate) fn bearer(token: &str) -> Result<HeaderValue, VendorError> {
    if token.trim().is_empty() {
        return Err(VendorError::usage("the token is empty"));
    }
    secret(&format!("Bearer {token}"), "the token")
}

fn secret(text: &str, what: &str) -> Result<HeaderValue, VendorError> {
    if text.trim().is_empty() {
        return Err(VendorError::usage(format!("{what} is empty")));
    }
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| VendorError::usage(format!("{what} has characters that can't be sent")))?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::None => "Auth::none",
            Kind::Basic(..) => "Auth::basic",
            Kind::Bearer(_) => "Auth::bearer",
            Kind::ApiKey(..) => "Auth::api_key",
            Kind::OAuth2(_) => "Auth::oauth2",
        })
    }
}
