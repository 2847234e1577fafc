//! What may be done with listing requests, usage files, chunks and records, helpdesk cases and contracts: from which
//! status to which, and by whom. Asset requests and tier config requests have machines of their own.
//!
//! Source: Connect's published workflows, and its Open API for the names of the actions and their bodies. The words of
//! what is refused are in no source; they are made like those of asset requests.

use serde_json::{Value, json};

use crate::{api_error::ApiError, fulfillment::set, role::Role, store::status_member, who, world::World};

pub(crate) const LISTING_REQUESTS: &str = "listing-requests";
pub(crate) const USAGE_FILES: &str = "usage/files";
pub(crate) const USAGE_CHUNKS: &str = "usage/chunks";
pub(crate) const USAGE_RECORDS: &str = "usage/records";
pub(crate) const CASES: &str = "helpdesk/cases";
pub(crate) const CONTRACTS: &str = "contracts";

/// What an action does to an object.
#[derive(Debug)]
pub(crate) struct Transition {
    pub(crate) collection: &'static str,
    pub(crate) action: &'static str,
    from: &'static [&'static str],
    to: &'static str,
    /// Whose it is, where it is not everybody's.
    role: Option<Role>,
    /// The members that a body has to have.
    needs: &'static [&'static str],
    /// The members of a body that the object takes over.
    takes: &'static [&'static str],
    /// What the object's events call it; empty where it has none.
    event: &'static str,
    /// What was done then, in a sentence.
    done: &'static str,
    /// Whether the answer is the object, or empty.
    pub(crate) answers: bool,
}

const VENDOR: Option<Role> = Some(Role::Vendor);
const DISTRIBUTOR: Option<Role> = Some(Role::Distributor);

const fn row(
    collection: &'static str,
    action: &'static str,
    from: &'static [&'static str],
    to: &'static str,
    role: Option<Role>,
    done: &'static str,
) -> Transition {
    Transition { collection, action, from, to, role, needs: &[], takes: &[], event: to, done, answers: true }
}

impl Transition {
    const fn needs(mut self, needs: &'static [&'static str]) -> Self {
        self.needs = needs;
        self
    }

    const fn takes(mut self, takes: &'static [&'static str]) -> Self {
        self.takes = takes;
        self
    }

    const fn event(mut self, event: &'static str) -> Self {
        self.event = event;
        self
    }

    const fn empty(mut self) -> Self {
        self.answers = false;
        self
    }
}

const BILLING: &[&str] = &["external_billing_id", "external_billing_note"];

#[rustfmt::skip]
static TRANSITIONS: &[Transition] = &[
    row(LISTING_REQUESTS, "submit", &["draft"], "reviewing", VENDOR, "submitted").empty(),
    row(LISTING_REQUESTS, "refine", &["reviewing"], "draft", DISTRIBUTOR, "refined").empty(),
    row(LISTING_REQUESTS, "deploy", &["reviewing"], "deploying", DISTRIBUTOR, "deployed").empty(),
    row(LISTING_REQUESTS, "complete", &["deploying"], "completed", DISTRIBUTOR, "completed").empty(),
    row(LISTING_REQUESTS, "cancel", &["reviewing", "deploying"], "canceled", DISTRIBUTOR, "canceled").empty(),

    row(USAGE_FILES, "upload", &["draft", "invalid", "ready", "rejected"], "uploading", VENDOR, "uploaded to").event("uploaded"),
    row(USAGE_FILES, "reprocess", &["invalid"], "processing", VENDOR, "reprocessed").event("reprocessed"),
    row(USAGE_FILES, "submit", &["ready"], "pending", VENDOR, "submitted").event("submitted"),
    row(USAGE_FILES, "accept", &["pending"], "accepted", DISTRIBUTOR, "accepted").takes(&["acceptance_note"]),
    row(USAGE_FILES, "approve-all", &["pending"], "accepted", DISTRIBUTOR, "approved"),
    row(USAGE_FILES, "reject", &["pending"], "rejected", DISTRIBUTOR, "rejected").takes(&["rejection_note"]),
    row(USAGE_FILES, "close", &["accepted"], "closed", DISTRIBUTOR, "closed"),
    row(USAGE_FILES, "delete", &["draft", "invalid", "ready", "rejected"], "deleted", VENDOR, "deleted"),

    row(USAGE_CHUNKS, "close", &["ready"], "closed", DISTRIBUTOR, "closed").needs(&["external_billing_id"]).takes(BILLING),
    row(USAGE_CHUNKS, "regenerate", &["draft", "ready", "failed"], "ready", DISTRIBUTOR, "regenerated").event("regenerated"),

    row(USAGE_RECORDS, "approved", &["valid", "rejected"], "approved", DISTRIBUTOR, "approved").event(""),
    row(USAGE_RECORDS, "rejected", &["valid", "approved"], "rejected", DISTRIBUTOR, "rejected").event(""),
    row(USAGE_RECORDS, "close", &["approved"], "closed", DISTRIBUTOR, "closed").needs(&["external_billing_id"]).takes(BILLING).event(""),

    row(CASES, "inquire", &["pending"], "inquiring", None, "moved to inquiring status"),
    row(CASES, "pend", &["inquiring", "resolved"], "pending", None, "moved to pending status"),
    row(CASES, "resolve", &["pending"], "resolved", None, "resolved"),
    row(CASES, "close", &["resolved"], "closed", None, "closed").takes(&["rating", "feedback"]),

    row(CONTRACTS, "enroll", &["new", "enrolling"], "pending", VENDOR, "enrolled").event("enrolled").empty(),
    row(CONTRACTS, "sign", &["pending"], "active", DISTRIBUTOR, "signed").event("signed").empty(),
    row(CONTRACTS, "refine", &["pending"], "enrolling", DISTRIBUTOR, "refined").event("refined").empty(),
    row(CONTRACTS, "reject", &["pending"], "rejected", DISTRIBUTOR, "rejected").empty(),
    row(CONTRACTS, "terminate", &["active"], "terminated", DISTRIBUTOR, "terminated").empty(),
];

/// What several of a collection are called.
fn plural(collection: &str) -> &'static str {
    match collection {
        LISTING_REQUESTS => "listing requests",
        USAGE_FILES => "usage files",
        USAGE_CHUNKS => "usage file chunks",
        USAGE_RECORDS => "usage records",
        CASES => "cases",
        _ => "contracts",
    }
}

/// What an action does to the objects of a collection; nothing where they have no such action.
pub(crate) fn transition(collection: &str, action: &str) -> Option<&'static Transition> {
    TRANSITIONS.iter().find(|own| own.collection == collection && own.action == action)
}

/// What may be done with an object of a collection in a status.
pub(crate) fn actions(collection: &str, status: &str) -> impl Iterator<Item = &'static str> {
    TRANSITIONS
        .iter()
        .filter(move |own| own.collection == collection && own.from.contains(&status))
        .map(|own| own.action)
}

/// Does to an object what an action says, or tells why it can't be done.
pub(crate) fn act(
    world: &mut World<'_>,
    collection: &'static str,
    id: &str,
    action: &str,
    body: &Value,
) -> Result<Value, ApiError> {
    let transition = transition(collection, action).ok_or_else(ApiError::not_found)?;
    let mut object = world.get(collection, id)?;
    transition.check(&object, world.role(), body)?;
    let (now, by) = (world.now(), who::user(world.role()));
    transition.apply(&mut object, body, &now, &by);
    world.put(collection, &object)?;
    Ok(object)
}

impl Transition {
    /// Tells why it can't be done, where it can't.
    fn check(&self, object: &Value, role: Role, body: &Value) -> Result<(), ApiError> {
        if self.role.is_some_and(|wanted| !role.is(wanted)) {
            return Err(ApiError::forbidden());
        }
        let status = object[status_member(self.collection)].as_str().unwrap_or_default();
        if !self.from.contains(&status) {
            let from = match self.from {
                [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
                from => from.concat(),
            };
            let text = format!("Only {from} {} can be {}.", plural(self.collection), self.done);
            return Err(ApiError::bad("VAL_001", text));
        }
        let is_missing = |member: &&&str| body[**member].as_str().is_none_or(str::is_empty);
        let missing: Vec<String> = self
            .needs
            .iter()
            .filter(is_missing)
            .map(|member| format!("{member}: This field is required."))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(ApiError { errors: missing, ..ApiError::bad("VAL_001", "") })
        }
    }

    fn apply(&self, object: &mut Value, body: &Value, now: &str, by: &Value) {
        for member in self.takes {
            if let Some(value) = body.get(member).filter(|value| !value.is_null()) {
                set(object, member, value.clone());
            }
        }
        set(object, status_member(self.collection), self.to);
        if !self.event.is_empty() {
            note(object, self.event, now, by);
        }
        if object.get("updated").is_some() {
            set(object, "updated", now);
        }
    }
}

/// Notes in an object's events that something happened, and with it that the object was updated.
pub(crate) fn note(object: &mut Value, event: &str, now: &str, by: &Value) {
    if !object["events"].is_object() {
        set(object, "events", json!({}));
    }
    if let Some(events) = object.get_mut("events") {
        set(events, event, json!({"at": now, "by": by}));
        set(events, "updated", json!({"at": now, "by": by}));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const NOW: &str = "2026-01-02T03:04:05+00:00";

    fn statuses(collection: &str) -> BTreeSet<&'static str> {
        let own = TRANSITIONS.iter().filter(|own| own.collection == collection);
        own.flat_map(|own| own.from.iter().copied().chain([own.to])).collect()
    }

    fn object(collection: &str, status: &str) -> Value {
        json!({"id": "X-1", status_member(collection): status})
    }

    fn body() -> Value {
        json!({"external_billing_id": "B-1"})
    }

    #[test]
    fn every_wrong_transition_is_refused() {
        for transition in TRANSITIONS {
            for status in statuses(transition.collection) {
                let end = transition.check(&object(transition.collection, status), Role::Platform, &body());
                let what = format!("{} {} from {status}", transition.collection, transition.action);
                assert_eq!(end.is_ok(), transition.from.contains(&status), "{what}: {end:?}");
                let offered =
                    actions(transition.collection, status).any(|action| action == transition.action);
                assert_eq!(offered, end.is_ok(), "{what}");
            }
        }
    }

    #[test]
    fn what_is_refused_is_told_in_words() {
        let refused = |collection: &str, action: &str, status: &str, role: Role, body: Value| {
            let own = transition(collection, action).unwrap();
            let error = own.check(&object(collection, status), role, &body).unwrap_err();
            (error.code, error.errors.join(" "))
        };
        for (collection, action, status, role, code, text) in [
            (
                LISTING_REQUESTS,
                "cancel",
                "draft",
                Role::Distributor,
                "VAL_001",
                "Only reviewing and deploying listing requests can be canceled.",
            ),
            (
                USAGE_FILES,
                "upload",
                "closed",
                Role::Vendor,
                "VAL_001",
                "Only draft, invalid, ready and rejected usage files can be uploaded to.",
            ),
            (CASES, "close", "pending", Role::Vendor, "VAL_001", "Only resolved cases can be closed."),
            (
                USAGE_CHUNKS,
                "close",
                "ready",
                Role::Distributor,
                "VAL_001",
                "external_billing_id: This field is required.",
            ),
            (
                USAGE_FILES,
                "submit",
                "ready",
                Role::Distributor,
                "AUTH_002",
                "You do not have permission to perform this action.",
            ),
        ] {
            let told = refused(collection, action, status, role, json!({"external_billing_id": ""}));
            assert_eq!(told, (code, text.to_owned()));
        }
        assert!(transition(USAGE_FILES, "dance").is_none());
    }

    #[test]
    fn an_object_says_where_it_is_and_what_happened() {
        let by = json!({"id": "UR-1"});
        let mut case = json!({"id": "CA-1", "state": "resolved", "events": 7, "updated": "long ago"});
        let body = json!({"rating": 4, "feedback": null, "state": "pending"});
        transition(CASES, "close").unwrap().apply(&mut case, &body, NOW, &by);
        let happened = json!({"at": NOW, "by": {"id": "UR-1"}});
        let expected = json!({"id": "CA-1", "state": "closed", "rating": 4, "updated": NOW,
            "events": {"closed": happened, "updated": happened}});
        assert_eq!(case, expected);
        let mut file = json!({"id": "UF-1", "status": "ready"});
        transition(USAGE_FILES, "submit").unwrap().apply(&mut file, &Value::Null, NOW, &by);
        assert_eq!(file["status"], "pending");
        assert_eq!(file["events"]["submitted"], happened);
    }

    #[test]
    fn odd_objects_make_no_panic() {
        for odd in [json!(null), json!(7), json!([]), json!({"status": 7, "events": []})] {
            for transition in TRANSITIONS {
                let _ = transition.check(&odd, Role::Vendor, &odd);
                transition.apply(&mut odd.clone(), &odd, NOW, &odd);
            }
        }
    }
}
