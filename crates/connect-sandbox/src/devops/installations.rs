//! Who has installed the extension.

use connect_model::{rql::R, wire::Secret};
use serde_json::{Value, json};

use super::{account, environments, note_by, take_texts};
use crate::{
    api_error::ApiError,
    dispatch::InstallationKey,
    fulfillment::set,
    role::Role,
    store::id_of,
    who::{self, wrong},
    world::World,
};

pub(crate) const INSTALLATIONS: &str = "devops/installations";

pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    let environment = who::needed(body, "/environment/id")?;
    let reference = match environments::reference(world, environment) {
        Err(error) if error.code == "CNCT_001" => {
            return Err(wrong("environment.id", &format!("There is no environment {environment}.")));
        }
        other => other?,
    };
    let owner = match id_of(&body["owner"]) {
        // Who else has it, the sandbox itself may say.
        Some(_) if world.role() == Role::Platform => body["owner"].clone(),
        _ => account(world, world.role())?,
    };
    let of_owner = R::field("owner.id").eq(id_of(&owner).unwrap_or_default())
        & R::field("environment.id").eq(environment)
        & R::field("status").eq("installed");
    if !world.matching(INSTALLATIONS, &of_owner)?.is_empty() {
        return Err(wrong("environment.id", &format!("The account has installed {environment} already.")));
    }
    let id = who::new_id(world, INSTALLATIONS, "EIN", &[4, 4, 4])?;
    let (now, role) = (world.now(), world.role());
    let mut installation =
        json!({"id": id, "environment": reference, "owner": owner, "settings": {}, "status": "installed"});
    change(&mut installation, body)?;
    note_by(&mut installation, "installed", &now, role);
    note_by(&mut installation, "updated", &now, role);
    world.put(INSTALLATIONS, &installation)?;
    Ok(installation)
}

/// Changes the settings and the comment.
pub(crate) fn update(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let (now, role) = (world.now(), world.role());
    world.update(INSTALLATIONS, id, |installation| {
        change(installation, body)?;
        note_by(installation, "updated", &now, role);
        Ok(())
    })
}

fn change(installation: &mut Value, body: &Value) -> Result<(), ApiError> {
    match &body["settings"] {
        Value::Null => {}
        settings @ Value::Object(_) => set(installation, "settings", settings.clone()),
        _ => return Err(wrong("settings", "Invalid data. Expected a dictionary.")),
    }
    take_texts(installation, body, &[("comment", 4_000)])
}

pub(crate) fn uninstall(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let (now, role) = (world.now(), world.role());
    world.update(INSTALLATIONS, id, |installation| {
        if installation["status"] != "installed" {
            return Err(ApiError::bad("VAL_001", "Only installed extensions can be uninstalled."));
        }
        take_texts(installation, body, &[("comment", 4_000)])?;
        set(installation, "status", "uninstalled");
        note_by(installation, "uninstalled", &now, role);
        note_by(installation, "updated", &now, role);
        Ok(())
    })
}

/// An installation, if it is of this service.
pub(crate) fn of_service(world: &World<'_>, service: &str, id: &str) -> Result<Value, ApiError> {
    let installation = world.get(INSTALLATIONS, id)?;
    if is_of_service(&installation, service) { Ok(installation) } else { Err(ApiError::not_found()) }
}

pub(crate) fn is_of_service(installation: &Value, service: &str) -> bool {
    // What the library adds may say nothing of it.
    let extension = &installation["environment"]["extension"]["id"];
    extension.is_null() || extension == service
}

/// An installation, if it is of whose call this is.
pub(crate) fn of_caller(world: &World<'_>, role: Role, id: &str) -> Result<Value, ApiError> {
    let installation = world.get(INSTALLATIONS, id)?;
    if is_of(&installation, role) { Ok(installation) } else { Err(ApiError::not_found()) }
}

pub(crate) fn is_of(installation: &Value, role: Role) -> bool {
    match role {
        Role::Platform => true,
        Role::Distributor => is_distributors(installation),
        Role::Vendor => !is_distributors(installation),
    }
}

fn is_distributors(installation: &Value) -> bool {
    matches!(installation["owner"]["role"].as_str(), Some("distributor" | "provider"))
}

/// The key by which the extension speaks for the account that has installed it.
pub(crate) fn key(world: &mut World<'_>, id: &str) -> Result<Secret, ApiError> {
    let installation = world.get(INSTALLATIONS, id)?;
    Ok(world.state.devops.key(id, is_distributors(&installation)))
}

/// The same, as tasks carry it.
pub(crate) fn task_key(world: &mut World<'_>, id: &str) -> Result<InstallationKey, ApiError> {
    Ok(InstallationKey { id: id.to_owned(), api_key: key(world, id)? })
}
