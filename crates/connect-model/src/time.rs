//! Moments, which Connect writes as texts.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::{AssetRequest, EventLog, LogEntry};

/// A text that is no moment in ISO 8601.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a moment in ISO 8601: \"{text}\"")]
pub struct TimestampError {
    text: String,
}

/// Reads a moment as Connect writes it: `2020-05-27T15:00:29+00:00`, with `Z`, with a fraction, without an offset or
/// without a time. What has no offset is in UTC.
///
/// ```
/// let moment = connect_model::timestamp("2020-05-27T15:00:29+00:00")?;
/// assert_eq!(moment, connect_model::timestamp("2020-05-27T15:00:29Z")?);
/// assert_eq!(moment, connect_model::timestamp("2020-05-27 15:00:29")?);
/// assert!(connect_model::timestamp("soon").is_err());
/// # Ok::<(), connect_model::TimestampError>(())
/// ```
pub fn timestamp(text: &str) -> Result<Timestamp, TimestampError> {
    let trimmed = text.trim();
    let in_utc = || TimeZone::UTC.to_timestamp(trimmed.parse::<DateTime>().ok()?).ok();
    trimmed
        .parse::<Timestamp>()
        .ok()
        .or_else(in_utc)
        .ok_or_else(|| TimestampError { text: text.chars().take(40).collect() })
}

/// Absent and empty are none.
fn optional(text: Option<&str>) -> Result<Option<Timestamp>, TimestampError> {
    text.filter(|text| !text.is_empty()).map(timestamp).transpose()
}

impl LogEntry {
    /// When it happened; none where Connect does not say.
    pub fn timestamp(&self) -> Result<Option<Timestamp>, TimestampError> {
        optional(self.at.as_deref())
    }
}

impl EventLog {
    /// When this event happened last; none if it never did.
    pub fn timestamp(&self, event: &str) -> Result<Option<Timestamp>, TimestampError> {
        optional(self.get(event).and_then(|entry| entry.at.as_deref()))
    }
}

impl AssetRequest {
    /// When it was made.
    pub fn created_at(&self) -> Result<Option<Timestamp>, TimestampError> {
        optional(self.created.as_deref().or_else(|| self.events.as_ref()?.created()))
    }

    /// When it last changed.
    pub fn updated_at(&self) -> Result<Option<Timestamp>, TimestampError> {
        optional(self.updated.as_deref().or_else(|| self.events.as_ref()?.updated()))
    }

    /// From when on it holds.
    pub fn effective_at(&self) -> Result<Option<Timestamp>, TimestampError> {
        optional(self.effective_date.as_deref())
    }

    /// When it is to be processed.
    pub fn planned_at(&self) -> Result<Option<Timestamp>, TimestampError> {
        optional(self.planned_date.as_deref())
    }
}
