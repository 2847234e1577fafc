//! Why a text is no RQL, or a tree cannot be written as RQL.

use std::fmt;

/// Why a text is no RQL, or a tree cannot be written as RQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RqlError {
    position: Option<usize>,
    message: String,
}

impl RqlError {
    pub(super) fn at(position: usize, message: impl Into<String>) -> Self {
        Self { position: Some(position), message: message.into() }
    }

    pub(super) fn unwritable(message: impl Into<String>) -> Self {
        Self { position: None, message: message.into() }
    }

    /// Where the parser stopped, in bytes from the start of the (percent-decoded) text; `None` for a tree that cannot
    /// be written.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        self.position
    }

    /// What was expected, or what cannot be written.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for RqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(f, "not RQL at position {position}: {}", self.message),
            None => write!(f, "cannot be written as RQL: {}", self.message),
        }
    }
}

impl std::error::Error for RqlError {}
