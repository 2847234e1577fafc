use std::{fmt, panic::Location};

use serde::Serialize;

/// Something that a check of an extension found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub level: FindingLevel,
    /// What was checked: `descriptor`, `variables`, `events`, `schedules`, `declaration`, `container` or `connect`.
    pub check: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
    /// The file and the line of the declaration, where known: `src/main.rs:12`.
    pub declared_at: Option<String>,
}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FindingLevel {
    /// The extension can't run like this.
    Error,
    /// It can, and something will not be as wanted.
    Warning,
}

impl Finding {
    pub(crate) fn error(check: &'static str, message: impl Into<String>) -> Self {
        Self { level: FindingLevel::Error, check, message: message.into(), declared_at: None }
    }

    pub(crate) fn warning(check: &'static str, message: impl Into<String>) -> Self {
        Self { level: FindingLevel::Warning, ..Self::error(check, message) }
    }

    pub(crate) fn at(mut self, place: impl Into<Option<Place>>) -> Self {
        self.declared_at = place.into().map(|place| format!("{}:{}", place.file(), place.line()));
        self
    }

    pub(crate) fn in_file(mut self, file: &str) -> Self {
        self.declared_at = Some(file.to_owned());
        self
    }

    /// Whether the extension can't run like this.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.level == FindingLevel::Error
    }
}

impl From<String> for Finding {
    fn from(message: String) -> Self {
        Self::error("declaration", message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.declared_at {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for FindingLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// Where something is declared.
pub(crate) type Place = &'static Location<'static>;

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn push(&mut self, finding: impl Into<Finding>) {
        self.0.push(finding.into());
    }

    pub(crate) fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}
