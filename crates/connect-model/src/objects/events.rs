use std::{fmt, ops::Index};

use serde::{
    Serialize,
    de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess},
    ser::SerializeMap,
};
use serde_json::{Map, Value};

use super::Reference;
use crate::{
    Extra,
    field::{Field, Key, Take, Taken, kind_of},
    macros::object,
};

object! {
    /// When something happened to an object, and who did it.
    LogEntry {
        /// When, ISO 8601.
        at = "at": Option<String>,
        /// Who, where it was not Connect itself.
        by = "by": Option<Box<Reference>>,
    }
}

/// What happened to an object: the names of events (`created`, `updated`, `approved`, …), each with its last time.
///
/// ```
/// use connect_model::TierConfigRequest;
///
/// let request: TierConfigRequest = serde_json::from_str(
///     r#"{"events": {"created": {"at": "2020-05-27T15:00:29+00:00"}, "inquired": {"at": "2020-05-28T09:00:00+00:00",
///         "by": {"id": "UR-630-250-903", "name": "A user"}}}}"#,
/// )?;
/// let events = request.events.unwrap_or_default();
/// assert_eq!(events["created"].at.as_deref(), Some("2020-05-27T15:00:29+00:00"));
/// assert_eq!(events.get("inquired").and_then(|entry| entry.by.as_ref()).map(|by| by.id.as_str()), Some("UR-630-250-903"));
/// assert!(events.get("approved").is_none());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct EventLog {
    entries: Vec<(Box<str>, LogEntry)>,
    /// The members that are no entries: they are kept, and go back out as they came.
    pub extra: Extra,
}

impl EventLog {
    /// The last time of this event.
    #[must_use]
    pub fn get(&self, event: &str) -> Option<&LogEntry> {
        self.entries.iter().find(|(name, _)| **name == *event).map(|(_, entry)| entry)
    }

    /// Sets the last time of this event.
    pub fn set(&mut self, event: &str, entry: LogEntry) {
        match self.entries.iter_mut().find(|(name, _)| **name == *event) {
            Some((_, old)) => *old = entry,
            None => self.entries.push((event.into(), entry)),
        }
        self.extra.remove(event);
    }

    /// When the object was made, ISO 8601.
    #[must_use]
    pub fn created(&self) -> Option<&str> {
        self.get("created")?.at.as_deref()
    }

    /// When the object last changed, ISO 8601.
    #[must_use]
    pub fn updated(&self) -> Option<&str> {
        self.get("updated")?.at.as_deref()
    }

    /// All events.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &LogEntry)> {
        self.entries.iter().map(|(name, entry)| (&**name, entry))
    }
}

impl Index<&str> for EventLog {
    type Output = LogEntry;

    /// The last time of this event; an empty entry where it never happened.
    fn index(&self, event: &str) -> &LogEntry {
        const NEVER: &LogEntry = &LogEntry { at: None, by: None, extra: Extra::new() };
        self.get(event).unwrap_or(NEVER)
    }
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries.iter().map(|(name, entry)| (name, &entry.at))).finish()
    }
}

impl Field for EventLog {
    fn is_absent(&self) -> bool {
        self.entries.is_empty() && self.extra.is_empty()
    }

    fn to_value(&self) -> Value {
        let extra = self.extra.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        let entries = self.iter().map(|(name, entry)| (name.to_owned(), entry.to_value()));
        Value::Object(extra.chain(entries).collect::<Map<_, _>>())
    }

    fn from_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Taken<Self>, A::Error> {
        let mut entries: Vec<(Box<str>, LogEntry)> = Vec::with_capacity(2);
        let mut extra = Vec::new();
        while let Some(Key(name)) = map.next_key()? {
            let entry = map.next_value_seed(Take::<LogEntry>::new())?;
            // The last of several members of one name counts. There are as many names as events, so a list does.
            entries.retain(|(known, _)| **known != *name);
            match entry {
                Taken::Typed(entry) if entries.len() < MOST_ENTRIES => {
                    entries.push((name.into_owned().into(), entry));
                }
                Taken::Typed(entry) => extra.push((name.into_owned().into(), entry.to_value())),
                Taken::Other(value) => extra.push((name.into_owned().into(), value)),
            }
        }
        entries.shrink_to_fit();
        let mut extra: Extra = extra.into_iter().collect();
        for (name, _) in &entries {
            extra.remove(name);
        }
        Ok(Taken::Typed(Self { entries, extra }))
    }

    #[cfg(test)]
    fn leftovers(&self, path: &str, found: &mut dyn FnMut(&str, &str, bool, &Value)) {
        for (name, value) in self.extra.iter() {
            found(&format!("{path}.{name}"), "EventLog", true, value);
        }
        for (name, entry) in self.iter() {
            entry.leftovers(&format!("{path}.{name}"), found);
        }
    }
}

/// Beyond that many it is no log of events, and looking for a name in a list would take its time.
const MOST_ENTRIES: usize = 64;

impl Serialize for EventLog {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.entries.len() + self.extra.len()))?;
        for (name, entry) in self.iter() {
            map.serialize_entry(name, entry)?;
        }
        for (name, value) in self.extra.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for EventLog {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Take::<Self>::new().deserialize(deserializer)? {
            Taken::Typed(log) => Ok(log),
            Taken::Other(value) => {
                Err(D::Error::custom(format_args!("expected a map of events, found {}", kind_of(&value))))
            }
        }
    }
}
