//! What every line of a task's log says about its request: the fields of the span `task`.

use serde::Deserialize;
use serde_json::Value;
use tracing::{Span, field::Empty, info_span};

use crate::{Context, handler::RawObject};
use connect_model::{Installation, wire::Task};

/// The span of a task. What is not known yet is recorded later: `request_id`, `request_type`, `request_status`,
/// `tier_id`, `asset_id`, `tier_config_id` as the original names them, `account_id` and `account_name`.
pub(crate) fn task_span(task: &Task) -> Span {
    info_span!(
        "task",
        task = %task.options.task_id,
        event = %task.input.event_type,
        object = %task.input.object_id,
        request_id = Empty,
        request_type = Empty,
        request_status = Empty,
        tier_id = Empty,
        asset_id = Empty,
        tier_config_id = Empty,
        account_id = Empty,
        account_name = Empty,
    )
}

/// Records whose task it is: the account that installed the extension, or the one that owns it.
pub(crate) fn record_account(span: &Span, context: &Context, installation: Option<&Installation>) {
    if let Some(owner) = installation.and_then(|installation| installation.owner.as_deref()) {
        record(span, "account_id", Some(&owner.id));
        record(span, "account_name", owner.name.as_deref());
    } else {
        record(span, "account_id", Some(&context.account_id));
        record(span, "account_name", Some(&context.account_name));
    }
}

/// Records which request it is.
pub(crate) fn record_request(span: &Span, object: &RawObject) {
    // Nobody listens: then the object is not read for it.
    if span.is_disabled() {
        return;
    }
    let Some(request) = RequestFields::read(object) else { return };
    record(span, "request_id", text(&request.id));
    record(span, "request_type", text(&request.r#type));
    record(span, "request_status", text(&request.status));
    if let Some(asset) = &request.asset {
        record(span, "asset_id", text(&asset.id));
        let customer = asset.tiers.as_ref().and_then(|tiers| tiers.customer.as_ref());
        record(span, "tier_id", customer.and_then(|customer| text(&customer.id)));
    } else if let Some(configuration) = &request.configuration {
        record(span, "tier_config_id", text(&configuration.id));
        let account = configuration.account.as_ref().or(request.account.as_ref());
        record(span, "tier_id", account.and_then(|account| text(&account.id)));
    }
}

fn record(span: &Span, name: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        span.record(name, value);
    }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

/// The little of a request that goes into its log, read without the rest.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RequestFields {
    id: Value,
    r#type: Value,
    status: Value,
    asset: Option<Asset>,
    configuration: Option<Configuration>,
    account: Option<Account>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asset {
    id: Value,
    tiers: Option<Tiers>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tiers {
    customer: Option<Account>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Configuration {
    id: Value,
    account: Option<Account>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Account {
    id: Value,
}

impl RequestFields {
    /// `None` for an object of another shape; its handler may know it.
    fn read(object: &RawObject) -> Option<Self> {
        match object {
            RawObject::Text(text) => serde_json::from_slice(text).ok(),
            RawObject::Value(value) => Self::deserialize(value).ok(),
        }
    }
}
