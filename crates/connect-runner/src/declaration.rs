use serde::Serialize;

use crate::Extension;

/// What an extension handles, to show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The events it handles, and the methods it offers to schedules.
    pub events: Vec<DeclaredEvent>,
    /// The variables it wants, by name; `secure` ones are marked.
    pub variables: Vec<String>,
}

/// One event that an extension handles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeclaredEvent {
    /// background, interactive or scheduled.
    pub category: &'static str,
    /// The event type, or the method that a schedule names.
    pub event: String,
    /// The statuses of its object, the actions or custom events that have a handler, or what the method does.
    pub detail: String,
}

impl Extension {
    /// What it handles, to show it.
    #[must_use]
    pub fn declaration(&self) -> Declaration {
        let descriptor = self.descriptor();
        let background = self.background.iter().map(|(event, declared)| DeclaredEvent {
            category: "background",
            event: event.clone(),
            detail: declared.statuses.join(", "),
        });
        let interactive = self.interactive.iter().map(|(event, declared)| DeclaredEvent {
            category: "interactive",
            event: event.clone(),
            detail: declared.detail.clone(),
        });
        let scheduled = self.scheduled.iter().map(|(method, declared)| DeclaredEvent {
            category: "scheduled",
            event: method.clone(),
            detail: format!("{}: {}", declared.name, declared.description),
        });
        let variables = self.setup_request().variables.unwrap_or_default().into_iter();
        Declaration {
            name: descriptor.name,
            version: descriptor.version,
            events: background.chain(interactive).chain(scheduled).collect(),
            variables: variables
                .map(
                    |variable| {
                        if variable.secure { format!("{} (secure)", variable.name) } else { variable.name }
                    },
                )
                .collect(),
        }
    }
}
