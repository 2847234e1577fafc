//! Who has installed the extension.

use connect_model::{rql::R, wire::Secret};
use serde_json::{Value, json};

use super::{account, environments, note, take_texts};
use crate::{
    api_error::ApiError, dispatch::InstallationKey, fulfillment::set, role::Role, store::id_of, world::World,
};

pub(crate) const INSTALLATIONS: &str = "devops/installations";

pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    let environment = body["environment"]["id"].as_str();
    let environment =
        environment.ok_or_else(|| ApiError::bad("VAL_001", "environment.id: This field is required."))?;
    let reference = match environments::reference(world, environment) {
        Err(error) if error.code == "CNCT_001" => {
            let text = format!("environment.id: There is no environment {environment}.");
            return Err(ApiError::bad("VAL_001", text));
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
        let text = format!("environment.id: The account has installed {environment} already.");
        return Err(ApiError::bad("VAL_001", text));
    }
    let id = loop {
        let digits = format!("{:012}", world.number()?);
        let id = format!("EIN-{}-{}-{}", &digits[..4], &digits[4..8], &digits[8..12]);
        if world.find(INSTALLATIONS, &id)?.is_none() {
            break id;
        }
    };
    let now = world.now();
    let mut installation =
        json!({"id": id, "environment": reference, "owner": owner, "settings": {}, "status": "installed"});
    change(&mut installation, body)?;
    note(&mut installation, "installed", &now);
    note(&mut installation, "updated", &now);
    world.put(INSTALLATIONS, &installation)?;
    Ok(installation)
}

/// Changes the settings and the comment.
pub(crate) fn update(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let now = world.now();
    world.update(INSTALLATIONS, id, |installation| {
        change(installation, body)?;
        note(installation, "updated", &now);
        Ok(())
    })
}

fn change(installation: &mut Value, body: &Value) -> Result<(), ApiError> {
    match &body["settings"] {
        Value::Null => {}
        settings @ Value::Object(_) => set(installation, "settings", settings.clone()),
        _ => return Err(ApiError::bad("VAL_001", "settings: Invalid data. Expected a dictionary.")),
    }
    take_texts(installation, body, &[("comment", 4_000)])
}

pub(crate) fn uninstall(world: &mut World<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let now = world.now();
    world.update(INSTALLATIONS, id, |installation| {
        if installation["status"] != "installed" {
            return Err(ApiError::bad("VAL_001", "Only installed extensions can be uninstalled."));
        }
        take_texts(installation, body, &[("comment", 4_000)])?;
        set(installation, "status", "uninstalled");
        note(installation, "uninstalled", &now);
        note(installation, "updated", &now);
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
