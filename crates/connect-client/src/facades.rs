//! What extensions do with requests, one method each.

mod asset_requests;
mod conversations;
mod schedules;
mod templates;
mod tier_config_requests;
mod transition;

use connect_model::Parameter;
use serde_json::{Value, json};

pub(crate) use self::templates::TemplateCache;
pub use self::{
    asset_requests::AssetRequests,
    schedules::{NewSchedule, Schedules, Trigger},
    templates::{TemplateChoice, TemplateScope, TemplateType},
    tier_config_requests::TierConfigRequests,
};

/// How a request is approved.
///
/// ```
/// use connect_client::{Approval, TemplateChoice};
///
/// let by_id: Approval = "TL-000-000-000".into();
/// let by_name: Approval = TemplateChoice::named("Welcome").into();
/// let later = Approval::from("TL-000-000-000").effective_date("2026-12-01T00:00:00+00:00");
/// # let _ = (by_id, by_name, later);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Approval {
    pub(crate) shown_by: ShownBy,
    pub(crate) effective_date: Option<String>,
}

/// What people see once a request is approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ShownBy {
    Template(TemplateChoice),
    Tile(String),
}

impl Approval {
    /// With a text of its own instead of a template. Connect is retiring it.
    pub fn tile(markdown: impl Into<String>) -> Self {
        Self { shown_by: ShownBy::Tile(markdown.into()), effective_date: None }
    }

    /// From when on it holds, ISO 8601; by default from now on.
    pub fn effective_date(mut self, date: impl Into<String>) -> Self {
        self.effective_date = Some(date.into());
        self
    }
}

impl<T: Into<TemplateChoice>> From<T> for Approval {
    fn from(template: T) -> Self {
        Self { shown_by: ShownBy::Template(template.into()), effective_date: None }
    }
}

/// A parameter as an update has it.
fn update(param: &Parameter) -> Value {
    let mut update = json!({"id": param.id});
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            update[name] = value;
        }
    };
    add("value", param.value.clone().map(Value::from));
    add("structured_value", param.structured_value().cloned());
    add("value_error", param.value_error.clone().map(Value::from));
    update
}
