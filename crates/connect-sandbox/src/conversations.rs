//! Conversations about requests and other objects, and notes.
//!
//! The platform opens one for each such object. Here that happens when somebody asks for it, so that objects nobody talks
//! about cost nothing.

use connect_model::rql::{Comparison, R, Rql};
use serde_json::{Value, json};

use crate::{
    api_error::ApiError,
    fulfillment::set,
    role::Role,
    transitions::note,
    who::{self, choice, needed, wrong},
    world::World,
};

pub(crate) const CONVERSATIONS: &str = "conversations";
/// Which conversations an object has, by its id: so that they are found among many.
pub(crate) const INSTANCES: &str = "conversations/instances";
/// The longest text of a message, in characters.
const LONGEST: usize = 10_000;

/// Where the objects are that have conversations, by the prefixes of their ids, and what they are called.
const SUBJECTS: [(&str, &str, &str); 8] = [
    ("PR-", "requests", "Request"),
    ("TCR-", "tier/config-requests", "Tier config request"),
    ("TAR-", "tier/account-requests", "Tier account request"),
    ("LSTR-", "listing-requests", "Listing request"),
    ("LST-", "listings", "Listing"),
    ("UF-", "usage/files", "Usage file"),
    ("CA-", "helpdesk/cases", "Case"),
    ("CRD-", "contracts", "Contract"),
];

/// Where the messages of a conversation are.
pub(crate) fn messages(conversation: &str) -> String {
    format!("{CONVERSATIONS}/{conversation}/messages")
}

/// The objects that a filter asks for the conversations of.
pub(crate) fn instances(filter: &Rql) -> Vec<&str> {
    match filter {
        Rql::Compare(Comparison::Eq, field, value) if field == "instance_id" => {
            value.as_text().into_iter().collect()
        }
        Rql::List { out: false, field, values } if field == "instance_id" => {
            values.iter().filter_map(|value| value.as_text()).collect()
        }
        Rql::And(members) | Rql::Or(members) => members.iter().flat_map(instances).collect(),
        _ => Vec::new(),
    }
}

/// The ids of an object's conversations.
pub(crate) fn of(world: &World<'_>, instance: &str) -> Result<Vec<String>, ApiError> {
    let known = world.find(INSTANCES, instance)?.unwrap_or_default();
    let ids = known["conversations"].as_array().into_iter().flatten();
    Ok(ids.filter_map(|id| id.as_str().map(str::to_owned)).collect())
}

/// Opens the conversation of an object that has none yet, where there is such an object.
pub(crate) fn open(world: &mut World<'_>, instance: &str) -> Result<(), ApiError> {
    let Some((_, collection, called)) = SUBJECTS.iter().find(|(prefix, ..)| instance.starts_with(prefix))
    else {
        return Ok(());
    };
    if !of(world, instance)?.is_empty() || world.find(collection, instance)?.is_none() {
        return Ok(());
    }
    let accounts = json!([who::account(world, Role::Vendor)?, who::account(world, Role::Distributor)?]);
    start(world, instance, &format!("{called}: {instance}"), "conversation", &accounts, Role::Platform)
        .map(drop)
}

fn start(
    world: &mut World<'_>,
    instance: &str,
    topic: &str,
    kind: &str,
    accounts: &Value,
    by: Role,
) -> Result<Value, ApiError> {
    let (now, by) = (world.now(), who::user(by));
    let own = who::new_id(world, CONVERSATIONS, "CO", &[3, 3, 3])?;
    let mut conversation = json!({"id": own, "instance_id": instance, "topic": topic, "type": kind, "status": "open",
        "accounts": accounts, "creator": by, "created": now});
    note(&mut conversation, "created", &now, &by);
    let mut ids = of(world, instance)?;
    ids.push(own);
    world.put(INSTANCES, json!({"id": instance, "conversations": ids}))?;
    world.put(CONVERSATIONS, &conversation)?;
    Ok(conversation)
}

/// Creates a conversation, or notes of one account.
pub(crate) fn create(world: &mut World<'_>, body: &Value) -> Result<Value, ApiError> {
    let (instance, topic) = (needed(body, "/instance_id")?, needed(body, "/topic")?);
    who::text(body, "instance_id", 30)?;
    who::text(body, "topic", 100)?;
    let kind = match body.get("type") {
        None | Some(Value::Null) => "conversation",
        Some(_) => choice(body, "type", &["conversation", "notes"])?,
    };
    let role = world.role();
    let own = who::account(world, role)?;
    let mut accounts = vec![own.clone()];
    match (&body["accounts"], kind) {
        (Value::Array(_) | Value::Null, "notes") => {}
        (Value::Null, _) => return Err(wrong("accounts", "This field is required.")),
        (Value::Array(named), _) => {
            for account in named {
                let id = account["id"].as_str().ok_or_else(|| wrong("accounts", "Each needs an id."))?;
                if own["id"] != id {
                    let known = world.find("accounts", id)?;
                    accounts.push(known.map_or_else(|| json!({"id": id}), |known| who::reference(&known)));
                }
            }
        }
        _ => return Err(wrong("accounts", "Expected a list of items.")),
    }
    start(world, instance, topic, kind, &accounts.into(), role)
}

/// What a role may see of a conversation's messages, or of all conversations.
pub(crate) fn visible(world: &World<'_>, role: Role, of_messages: bool) -> Result<Rql, ApiError> {
    if role == Role::Platform {
        return Ok(Rql::Empty);
    }
    let account = who::account(world, role)?;
    let own = account["id"].as_str().unwrap_or_default();
    Ok(if of_messages {
        Rql::any([R::field("type").ne("private"), R::field("account.id").eq(own)])
    } else {
        R::field("accounts.id").eq(own)
    })
}

/// A conversation that the role which asks takes part in.
pub(crate) fn get(world: &World<'_>, own: &str) -> Result<Value, ApiError> {
    let conversation = world.get(CONVERSATIONS, own)?;
    if visible(world, world.role(), false)?.matches(&conversation) {
        return Ok(conversation);
    }
    Err(ApiError::not_found())
}

/// Writes a message.
pub(crate) fn say(world: &mut World<'_>, own: &str, body: &Value) -> Result<Value, ApiError> {
    let conversation = get(world, own)?;
    let said = needed(body, "/text")?;
    who::text(body, "text", LONGEST)?;
    let kind = match body.get("type") {
        None | Some(Value::Null) => "message",
        Some(_) => choice(body, "type", &["message", "private", "state_change"])?,
    };
    if conversation["status"] != "open" {
        return Err(ApiError::bad("VAL_001", "Messages can be added to open conversations only."));
    }
    write(world, conversation, kind, said)
}

fn write(world: &mut World<'_>, mut conversation: Value, kind: &str, said: &str) -> Result<Value, ApiError> {
    let (now, by) = (world.now(), who::user(world.role()));
    let own = conversation["id"].as_str().unwrap_or_default().to_owned();
    let id = who::new_id(world, &messages(&own), "ME", &[3, 3, 3])?;
    let mut message = json!({"id": id, "conversation": own,
        "account": who::account(world, world.role())?, "creator": by, "created": now, "text": said, "type": kind});
    note(&mut message, "created", &now, &by);
    world.put(&messages(&own), &message)?;
    note(&mut conversation, "updated", &now, &by);
    world.put(CONVERSATIONS, conversation)?;
    Ok(message)
}

/// Says in the conversation of an object, where it has an open one, that the object has entered a status.
pub(crate) fn tell(
    world: &mut World<'_>,
    collection: &str,
    instance: &str,
    status: &str,
) -> Result<(), ApiError> {
    let Some((.., called)) = SUBJECTS.iter().find(|(_, own, _)| *own == collection) else { return Ok(()) };
    for own in of(world, instance)? {
        let conversation = world.find(CONVERSATIONS, &own)?.unwrap_or_default();
        if conversation["status"] == "open" && conversation["type"] == "conversation" {
            write(world, conversation, "state_change", &format!("{called} {instance} is {status} now."))?;
        }
    }
    Ok(())
}

/// Closes a conversation: nobody can add to it any more.
pub(crate) fn close(world: &mut World<'_>, own: &str) -> Result<Value, ApiError> {
    let mut conversation = get(world, own)?;
    if conversation["status"] != "open" {
        return Err(ApiError::bad("VAL_001", "Only open conversations can be closed."));
    }
    let (now, by) = (world.now(), who::user(world.role()));
    set(&mut conversation, "status", "closed");
    note(&mut conversation, "updated", &now, &by);
    world.put(CONVERSATIONS, &conversation)?;
    Ok(conversation)
}

/// Removes a conversation with its messages.
pub(crate) fn remove(world: &mut World<'_>, own: &str) -> Result<(), ApiError> {
    let conversation = get(world, own)?;
    let instance = conversation["instance_id"].as_str().unwrap_or_default();
    let rest: Vec<String> = of(world, instance)?.into_iter().filter(|other| other != own).collect();
    world.put(INSTANCES, json!({"id": instance, "conversations": rest}))?;
    for message in world.list(&messages(own))? {
        world.remove(&messages(own), message["id"].as_str().unwrap_or_default())?;
    }
    world.remove(CONVERSATIONS, own).map(drop)
}

#[cfg(test)]
mod tests {
    use connect_model::rql::Query;

    use super::*;

    #[test]
    fn a_filter_names_the_objects_it_asks_for() {
        for (query, expected) in [
            ("instance_id=PR-1", &["PR-1"] as &[_]),
            ("eq(instance_id,PR-1)&type=notes", &["PR-1"]),
            ("in(instance_id,(PR-1,PR-2))", &["PR-1", "PR-2"]),
            ("or(eq(instance_id,PR-1),eq(instance_id,CA-1))", &["PR-1", "CA-1"]),
            ("not(eq(instance_id,PR-1))", &[]),
            ("out(instance_id,(PR-1))", &[]),
            ("eq(id,CO-1)", &[]),
        ] {
            assert_eq!(instances(&Query::parse(query).unwrap().filter), expected, "{query}");
        }
    }
}
