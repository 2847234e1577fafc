//! Requests for tier configurations, and what becomes of them.

use serde_json::{Value, json};

use super::{
    CONFIGS, REQUESTS,
    configs::{self, Standing},
    enter, note,
    offer::Level,
    params, setup, text,
};
use crate::{
    api_error::ApiError,
    fulfillment::{date, set, template},
    parameters::Giver,
    rendering,
    role::Role,
    validation,
    world::World,
};

/// How long a reason and notes may be.
const LONGEST_REASON: usize = 500;
const LONGEST_NOTES: usize = 2_000;

/// What can be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Approve,
    Fail,
    Inquire,
    Pend,
    Submit,
    Assign,
    Unassign,
}

impl Action {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "approve" => Self::Approve,
            "fail" => Self::Fail,
            "inquire" => Self::Inquire,
            "pend" => Self::Pend,
            "submit" => Self::Submit,
            "assign" => Self::Assign,
            "unassign" => Self::Unassign,
            _ => return None,
        })
    }

    /// The statuses that it leads on from; any, where it leads nowhere.
    fn from(self) -> Option<&'static [&'static str]> {
        Some(match self {
            Self::Approve | Self::Inquire => &["pending"],
            Self::Fail => &["pending", "inquiring", "tiers_setup"],
            Self::Pend => &["inquiring"],
            Self::Submit => &["draft"],
            Self::Assign | Self::Unassign => return None,
        })
    }

    /// Who may, where not everybody may.
    fn role(self) -> Option<Role> {
        match self {
            Self::Approve | Self::Inquire => Some(Role::Vendor),
            Self::Submit => Some(Role::Distributor),
            Self::Fail | Self::Pend | Self::Assign | Self::Unassign => None,
        }
    }
}

pub(super) fn wrong_status() -> ApiError {
    ApiError::bad("TC_006", "Tier configuration request status transition is not allowed.")
}

fn too_long(field: &str, longest: usize) -> ApiError {
    let text = format!("{field}: Ensure this field has no more than {longest} characters.");
    ApiError::bad("VAL_001", text)
}

/// Does something with a request, or tells why it can't be done; the request is the answer.
pub(crate) fn act(world: &mut World<'_>, id: &str, action: Action, body: &Value) -> Result<Value, ApiError> {
    let mut request = world.get(REQUESTS, id)?;
    if let Some(role) = action.role() {
        world.only(role)?;
    }
    if action.from().is_some_and(|from| !from.contains(&text(&request, "status"))) {
        return Err(wrong_status());
    }
    let now = world.now();
    match action {
        Action::Approve => {
            let asked = &body["template"];
            let date = date(body, "effective_date")?.or(date(asked, "effective_date")?);
            let named = asked["id"].as_str().filter(|id| !id.is_empty());
            let template = template(world, &request, "fulfillment", named)?;
            set(&mut request, "template", template);
            set(&mut request, "effective_date", date);
            enter(&mut request, "approved", "approved", &now);
        }
        Action::Fail => {
            let reason = body["reason"].as_str().filter(|reason| !reason.is_empty());
            let reason = reason.ok_or_else(|| ApiError::bad("VAL_001", "reason: This field is required."))?;
            if reason.chars().count() > LONGEST_REASON {
                return Err(too_long("reason", LONGEST_REASON));
            }
            set(&mut request, "reason", reason);
            enter(&mut request, "failed", "failed", &now);
        }
        Action::Inquire => {
            if !request["params"].as_array().into_iter().flatten().any(validation::is_invalid) {
                let text = "For marking request to inquiring status at least one parameter should be marked as invalid.";
                return Err(ApiError::bad("VAL_001", text));
            }
            inquire(world, &mut request)?;
        }
        Action::Pend => {
            let giver = if world.role() == Role::Vendor { Giver::Vendor } else { Giver::Buyer };
            params::answer(world, &mut request, &body["params"], giver)?;
            pend(world, &mut request)?;
        }
        Action::Submit => {
            params::answer(world, &mut request, &body["params"], Giver::Buyer)?;
            validation::refused("params", &request["params"])?;
            let waits = waits(world, &request)?;
            proceed(world, &mut request, waits)?;
        }
        Action::Assign | Action::Unassign => {
            let assignee = if action == Action::Assign { assignee(body)? } else { Value::Null };
            set(&mut request, "assignee", assignee);
            note(&mut request, "updated", &now);
        }
    }
    world.put(REQUESTS, &request)?;
    if matches!(action, Action::Approve | Action::Fail) {
        return end(world, request);
    }
    Ok(request)
}

fn assignee(body: &Value) -> Result<Value, ApiError> {
    let given =
        |key: &str| body[key].as_str().filter(|value| !value.is_empty()).map(|value| json!({key: value}));
    given("id")
        .or_else(|| given("email"))
        .ok_or_else(|| ApiError::bad("VAL_001", "email: This field is required."))
}

/// Opens the form in which the buyer gives or corrects values.
fn inquire(world: &World<'_>, request: &mut Value) -> Result<(), ApiError> {
    let link = world.form_url(text(request, "id"));
    set(request, "activation", json!({"link": link}));
    enter(request, "inquiring", "inquired", &world.now());
    let template = template(world, request, "inquire", None)?;
    set(request, "template", template);
    Ok(())
}

fn pend(world: &World<'_>, request: &mut Value) -> Result<(), ApiError> {
    enter(request, "pending", "pended", &world.now());
    let template = template(world, request, "pending", None)?;
    set(request, "template", template);
    Ok(())
}

/// Puts a request in the first status that is not a draft's: it waits for the upper tier, for the buyer or for the vendor.
pub(super) fn proceed(world: &World<'_>, request: &mut Value, waits: bool) -> Result<(), ApiError> {
    if waits {
        enter(request, "tiers_setup", "tiers_setup", &world.now());
        return Ok(());
    }
    if params::mark_missing(world, request)? { inquire(world, request) } else { pend(world, request) }
}

/// Whether the setup of tier 1 has to wait for that of tier 2.
fn waits(world: &World<'_>, request: &Value) -> Result<bool, ApiError> {
    if request["type"] != "setup" {
        return Ok(false);
    }
    let parent = world.find(CONFIGS, text(&request["parent_configuration"], "id"))?;
    parent.map_or(Ok(false), |parent| Ok(configs::standing(world, &parent)? == Standing::Open))
}

/// What a request is to say of a template: of the one that is named, or of the product's first of that type for its
/// level.
fn template(world: &World<'_>, request: &Value, kind: &str, named: Option<&str>) -> Result<Value, ApiError> {
    let product = text(&request["configuration"]["product"], "id");
    let known = match (named, Level::of(&request["configuration"]["tier_level"])) {
        (Some(id), _) => world.find(&format!("products/{product}/templates"), id)?,
        (None, Some(level)) => template::first(world, product, kind, level.name())?,
        (None, None) => None,
    };
    Ok(match (known, named) {
        (Some(known), _) => {
            let representation = rendering::render(text(&known, "body"), &with_form(request));
            json!({"id": known["id"], "name": known["name"], "representation": representation})
        }
        (None, Some(id)) if world.find("products", product)?.is_some() => {
            let text = format!("template.id: \"{id}\" is no template of product {product}.");
            return Err(ApiError::bad("VAL_001", text));
        }
        (None, Some(id)) => json!({"id": id}),
        (None, None) => Value::Null,
    })
}

/// A request with its form where templates look for it.
fn with_form(request: &Value) -> Value {
    let mut shown = request.clone();
    set(&mut shown, "params_form_url", request["activation"]["link"].clone());
    shown
}

/// The template of a request or a configuration with the values that it has now.
pub(crate) fn rendered(world: &World<'_>, collection: &str, id: &str) -> Result<String, ApiError> {
    let object = world.get(collection, id)?;
    let config = if collection == CONFIGS { &object } else { &object["configuration"] };
    let (product, own) = (text(&config["product"], "id"), &object["template"]);
    match world.find(&format!("products/{product}/templates"), text(own, "id"))? {
        Some(known) => Ok(rendering::render(text(&known, "body"), &with_form(&object))),
        None => Ok(text(own, "representation").to_owned()),
    }
}

/// What follows from the end of a request: for its configuration, and for who waits for that.
fn end(world: &mut World<'_>, request: Value) -> Result<Value, ApiError> {
    let id = text(&request, "id").to_owned();
    let Some(mut config) = world.find(CONFIGS, text(&request["configuration"], "id"))? else {
        return Ok(request);
    };
    let now = world.now();
    configs::settle(&mut config, &request, &now);
    configs::keep(world, &config)?;
    if request["type"] == "setup" {
        follow(world, &config, &request)?;
        setup::follow(world, &config)?;
    }
    world.get(REQUESTS, &id)
}

/// The requests of tier 1 that wait for this one of tier 2 go on, or fail with it.
fn follow(world: &mut World<'_>, config: &Value, ended: &Value) -> Result<(), ApiError> {
    for mut request in configs::shown(world, "parent_configuration", config)? {
        if request["status"] != "tiers_setup" {
            continue;
        }
        if ended["status"] == "approved" {
            proceed(world, &mut request, false)?;
            world.put(REQUESTS, &request)?;
        } else {
            let now = world.now();
            set(&mut request, "reason", ended["reason"].clone());
            enter(&mut request, "failed", "failed", &now);
            world.put(REQUESTS, &request)?;
            end(world, request)?;
        }
    }
    Ok(())
}

/// Changes parameters and notes of a request; what is not named stays.
pub(crate) fn update(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let mut request = world.get(REQUESTS, id)?;
    if !matches!(text(&request, "status"), "draft" | "pending" | "inquiring") {
        return Err(wrong_status());
    }
    let giver = if world.role() == Role::Distributor { Giver::Buyer } else { Giver::Vendor };
    params::change(world, &mut request, &body["params"], giver)?;
    write_notes(&mut request, body)?;
    note(&mut request, "updated", &world.now());
    world.put(REQUESTS, &request)?;
    Ok(request)
}

pub(super) fn write_notes(request: &mut Value, body: &Value) -> Result<(), ApiError> {
    match &body["notes"] {
        Value::Null if body.get("notes").is_none() => Ok(()),
        Value::String(notes) if notes.chars().count() > LONGEST_NOTES => {
            Err(too_long("notes", LONGEST_NOTES))
        }
        notes @ (Value::String(_) | Value::Null) => {
            set(request, "notes", notes.clone());
            Ok(())
        }
        _ => Err(ApiError::bad("VAL_001", "notes: Not a valid string.")),
    }
}

/// The event by which the extension validates a request, where there is one for its type and status.
pub(super) fn validated_by(request: &Value) -> Result<&'static str, ApiError> {
    if !matches!(text(request, "status"), "draft" | "inquiring") {
        return Err(wrong_status());
    }
    match text(request, "type") {
        "setup" => Ok("tier_config_setup_request_validation"),
        "update" => Ok("tier_config_change_request_validation"),
        _ => Err(wrong_status()),
    }
}
