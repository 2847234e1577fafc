use std::{fmt, sync::Arc};

use connect_model::InteractiveResponse;
use serde_json::json;
use tracing::{error, warn};

/// Why a call did not reach a handler.
///
/// A handler may return one too, by `?`: [`EventCall::json`](super::EventCall::json) does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The caller did not say who it is, or not in a way that holds: 401.
    #[error("Unauthenticated, {detail}.")]
    Unauthenticated {
        /// What is wrong.
        detail: String,
        /// How to do it, for the header `WWW-Authenticate`.
        challenge: Option<&'static str>,
        /// Whether the caller tried at all, so that a guard that was shown something is told from one that was not.
        tried: bool,
    },
    /// Nobody handles the action, or the custom event; its name: 404.
    #[error("there is nothing called {0:?}")]
    Unknown(String),
    /// The body is not what it should be: 400.
    #[error("the call can't be read: {0}")]
    Malformed(String),
    /// The extension lacks a variable, or what it has can't be used: 500. The caller does not get to know which.
    #[error("calls can't be checked: {0}")]
    Misconfigured(String),
}

impl Rejection {
    /// What the caller showed does not hold, with what is wrong.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::Unauthenticated { detail: detail.into(), challenge: None, tried: true }
    }

    /// The caller showed nothing that the guard could look at.
    pub fn missing(detail: impl Into<String>) -> Self {
        Self::Unauthenticated { detail: detail.into(), challenge: None, tried: false }
    }

    /// Says in the header `WWW-Authenticate` how to do it.
    #[must_use]
    pub fn challenge(self, how: &'static str) -> Self {
        match self {
            Self::Unauthenticated { detail, tried, .. } => {
                Self::Unauthenticated { detail, challenge: Some(how), tried }
            }
            other => other,
        }
    }

    /// Whether the caller showed nothing at all.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Unauthenticated { tried: false, .. })
    }

    /// The HTTP status that stands for it.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated { .. } => 401,
            Self::Unknown(_) => 404,
            Self::Malformed(_) => 400,
            Self::Misconfigured(_) => 500,
        }
    }

    /// What the caller gets where nothing else is said: the status, and `{"error": "…"}`.
    pub fn response(&self) -> InteractiveResponse {
        let shown = match self {
            Self::Misconfigured(_) => "the extension can't check calls at the moment".to_owned(),
            Self::Unknown(_) => "there is no such thing".to_owned(),
            other => other.to_string(),
        };
        let response = InteractiveResponse::fail(self.to_string())
            .status(self.status())
            .header("Content-Type", "application/json")
            .body(json!({"error": shown}));
        match self {
            Self::Unauthenticated { challenge: Some(challenge), .. } => {
                response.header("WWW-Authenticate", *challenge)
            }
            _ => response,
        }
    }
}

type Respond = dyn Fn(&Rejection) -> InteractiveResponse + Send + Sync;

/// How calls that are refused are answered.
#[derive(Clone)]
pub(crate) struct OnRejection(Arc<Respond>);

impl OnRejection {
    pub(crate) fn new(respond: impl Fn(&Rejection) -> InteractiveResponse + Send + Sync + 'static) -> Self {
        Self(Arc::new(respond))
    }

    pub(crate) fn answer(&self, rejection: &Rejection) -> InteractiveResponse {
        if let Rejection::Misconfigured(_) = rejection {
            error!("the call was refused: {rejection}");
        } else {
            warn!("the call was refused: {rejection}");
        }
        (self.0)(rejection)
    }
}

impl Default for OnRejection {
    fn default() -> Self {
        Self::new(Rejection::response)
    }
}

impl fmt::Debug for OnRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRejection")
    }
}
