//! Checks against Connect's list of events.

use std::{collections::HashMap, time::Duration};

use connect_client::{Client, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::Finding;
use crate::Extension;

/// An event as REST describes it; see `eaas.EventDefinition` of the Open API.
#[derive(Debug, Deserialize)]
struct Definition {
    r#type: String,
    #[serde(default)]
    category: String,
    /// A list by the samples, any JSON by the schema.
    #[serde(default)]
    object_statuses: Value,
}

impl Definition {
    fn statuses(&self) -> Vec<&str> {
        self.object_statuses.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// How long Connect may take to answer, retries included: a start does not wait for ever.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) async fn findings(extension: &Extension, client: &Client) -> Vec<Finding> {
    let definitions = client.ns("devops").collection("event-definitions").query().all::<Definition>();
    let unchecked =
        |why: String| vec![Finding::warning("connect", format!("the events could not be checked: {why}"))];
    let Ok(definitions) = timeout(LIMIT, definitions).await else {
        return unchecked(format!("no answer within {LIMIT:?}"));
    };
    match definitions {
        Ok(definitions) => compare(extension, &definitions),
        Err(error) if error.status() == Some(StatusCode::UNAUTHORIZED) => {
            vec![Finding::error(
                "connect",
                format!(
                    "Connect does not take the key: check API_KEY, and that it is for this Connect ({error})"
                ),
            )]
        }
        Err(error) => unchecked(error.to_string()),
    }
}

fn compare(extension: &Extension, definitions: &[Definition]) -> Vec<Finding> {
    let by_type: HashMap<&str, &Definition> =
        definitions.iter().map(|definition| (definition.r#type.as_str(), definition)).collect();
    let background =
        extension.background.iter().map(|(name, event)| (name, "background", &event.statuses[..]));
    let interactive = extension.interactive.keys().map(|name| (name, "interactive", &[][..]));
    let mut messages = Vec::new();
    for (name, category, statuses) in background.chain(interactive) {
        let mut tell = |message: String| messages.push((name, message));
        let Some(definition) = by_type.get(name.as_str()) else {
            tell(format!("Connect has no event \"{name}\"{}", meant(name, &by_type)));
            continue;
        };
        if !definition.category.is_empty() && definition.category != category {
            tell(format!("the event \"{name}\" is {}, and declared as {category}", definition.category));
            continue;
        }
        let known = definition.statuses();
        if category != "background" || known.is_empty() {
            continue;
        }
        if statuses.is_empty() {
            tell(format!(
                "the event \"{name}\" is handled in no status: say in which ({})",
                known.join(", ")
            ));
        }
        for status in statuses.iter().filter(|status| !known.contains(&status.as_str())) {
            tell(format!(
                "the event \"{name}\" never comes in the status \"{status}\" (there are: {})",
                known.join(", ")
            ));
        }
    }
    let finding =
        |(name, message): (&String, String)| Finding::error("events", message).at(extension.place_of(name));
    messages.into_iter().map(finding).collect()
}

/// The event that may have been meant.
fn meant(name: &str, known: &HashMap<&str, &Definition>) -> String {
    let likeness = |other: &str| strsim::jaro_winkler(name, other);
    let nearest = known.keys().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest {
        Some(nearest) if likeness(nearest) > 0.9 => format!("; is \"{nearest}\" meant?"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use connect_container::Scope;
    use connect_model::{
        BackgroundResponse, HandlerError, InteractiveResponse,
        event::{self, Event},
    };
    use serde_json::json;

    use super::*;
    use crate::Descriptor;

    async fn wait(_: Value, _: Scope) -> Result<BackgroundResponse, HandlerError> {
        Ok(BackgroundResponse::done())
    }

    async fn answer(_: Value, _: Scope) -> Result<InteractiveResponse, HandlerError> {
        Ok(InteractiveResponse::done())
    }

    #[test]
    fn events_are_compared_with_their_definitions() {
        let definitions: Vec<Definition> = serde_json::from_value(json!([
            {"type": "asset_purchase_request_processing", "category": "background",
             "object_statuses": ["pending", "inquiring"]},
            {"type": "asset_cancel_request_processing", "category": "background", "object_statuses": ["pending"]},
            {"type": "product_action_execution", "category": "interactive", "object_statuses": {}},
            {"type": "translation_change", "category": "background"},
        ]))
        .unwrap();
        let background = |name: &'static str| Event::<event::Background, Value>::new(name);
        let extension = Extension::new(Descriptor::default())
            .background(background("asset_purchase_request_processing"), ["pending", "approved"], wait)
            .background(background("asset_cancel_request_processing"), [""; 0], wait)
            .background(background("product_action_execution"), ["pending"], wait)
            .background(background("asset_purchase_request_procesing"), ["pending"], wait)
            .background(background("translation_change"), ["whatever"], wait)
            .interactive(Event::<event::Interactive, Value>::new("something_else"), answer);
        let found = compare(&extension, &definitions);
        let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "the event \"asset_cancel_request_processing\" is handled in no status: say in which (pending)",
                "Connect has no event \"asset_purchase_request_procesing\"; is \
                 \"asset_purchase_request_processing\" meant?",
                "the event \"asset_purchase_request_processing\" never comes in the status \"approved\" (there \
                 are: pending, inquiring)",
                "the event \"product_action_execution\" is interactive, and declared as background",
                "Connect has no event \"something_else\"",
            ]
        );
        assert!(found.iter().all(|finding| {
            finding.is_error()
                && finding.declared_at.as_deref().is_some_and(|place| place.contains("src/check/connect.rs:"))
        }));
    }
}
