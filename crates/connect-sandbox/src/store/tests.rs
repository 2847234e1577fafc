use serde_json::json;

use super::*;

fn request(id: &str, kind: &str, status: &str, quantity: u32, asset_status: &str) -> Value {
    json!({"id": id, "type": kind, "status": status, "marketplace": {"id": "MP-1"},
        "asset": {"id": "AS-1", "status": asset_status, "items": [{"id": "a", "quantity": quantity}]}})
}

fn store() -> Store {
    Store::memory().unwrap()
}

fn asset(store: &Store) -> (Value, Value) {
    let asset = store.get(ASSETS, "AS-1").unwrap().unwrap();
    (asset["status"].clone(), asset["items"][0]["quantity"].clone())
}

fn ids(store: &Store, query: &str) -> Vec<String> {
    let filter = connect_model::rql::Rql::parse(query).unwrap();
    let found = store.matching(REQUESTS, &filter).unwrap();
    found.iter().map(|request| request["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_change_is_in_force_once_it_is_approved() {
    let mut store = store();
    // The order of loading is that of file names, so it says nothing.
    store.put(REQUESTS, &request("PR-2", "change", "pending", 5, "active")).unwrap();
    store.put(REQUESTS, &request("PR-1", "purchase", "approved", 1, "active")).unwrap();
    assert_eq!(asset(&store), (json!("active"), json!(1)));
    assert_eq!(store.get(ASSETS, "AS-1").unwrap().unwrap()["marketplace"]["id"], "MP-1");
    assert!(store.put(REQUESTS, &request("PR-2", "change", "approved", 5, "active")).unwrap());
    assert_eq!(asset(&store), (json!("active"), json!(5)));
    assert_eq!(ids(&store, "eq(asset.id,AS-1)"), ["PR-1", "PR-2"]);
    assert!(ids(&store, "eq(asset.id,AS-2)").is_empty());
}

#[test]
fn a_change_that_failed_changed_nothing() {
    let mut store = store();
    store.put(REQUESTS, &request("PR-1", "purchase", "approved", 1, "terminating")).unwrap();
    store.put(REQUESTS, &request("PR-2", "cancel", "pending", 9, "terminating")).unwrap();
    store.put(REQUESTS, &request("PR-2", "cancel", "failed", 9, "active")).unwrap();
    assert_eq!(asset(&store), (json!("active"), json!(1)));
}

#[test]
fn a_request_in_place_of_another_takes_its_asset_along() {
    let mut store = store();
    store.put(REQUESTS, &request("PR-1", "purchase", "pending", 1, "processing")).unwrap();
    let mut other = request("PR-1", "purchase", "pending", 1, "processing");
    other["asset"]["id"] = "AS-2".into();
    assert!(!store.put(REQUESTS, &other).unwrap(), "its status is the same");
    assert!(store.get(ASSETS, "AS-1").unwrap().is_none() && store.get(ASSETS, "AS-2").unwrap().is_some());
    assert!(store.put(REQUESTS, &json!({"id": ""})).is_err());
    assert!(store.remove(REQUESTS, "PR-1").unwrap() && store.get(ASSETS, "AS-2").unwrap().is_none());
    assert!(!store.remove(REQUESTS, "PR-1").unwrap());
}

#[test]
fn an_asset_of_its_own_is_kept_until_a_request_is_in_force() {
    let mut store = store();
    let own = json!({"id": "AS-1", "status": "active", "items": [{"id": "a", "quantity": 3}]});
    store.put(ASSETS, &own).unwrap();
    store.put(REQUESTS, &request("PR-1", "change", "pending", 5, "active")).unwrap();
    assert_eq!(asset(&store), (json!("active"), json!(3)));
    store.put(REQUESTS, &request("PR-1", "change", "approved", 5, "active")).unwrap();
    assert_eq!(asset(&store), (json!("active"), json!(5)));
}

#[test]
fn columns_answer_what_they_can_and_objects_the_rest() {
    let mut store = store();
    for (number, status) in ["pending", "approved", "pending"].into_iter().enumerate() {
        let mut request = request(&format!("PR-{number}"), "purchase", status, 1, "active");
        request["asset"]["id"] = format!("AS-{number}").into();
        request["created"] = format!("2026-01-0{}T00:00:00+00:00", 3 - number).into();
        store.put(REQUESTS, &request).unwrap();
    }
    let condition = |query: &str| Condition::of(REQUESTS, &connect_model::rql::Rql::parse(query).unwrap());
    for (query, whole, count) in [
        ("", true, 3),
        ("and(eq(id,PR-0),in(status,(pending,approved)))", true, 1),
        ("in(status,(pending))", true, 2),
        ("eq(type,purchase)", true, 3),
        ("eq(asset.id,AS-2)", true, 1),
        ("and(eq(status,pending),eq(asset.items.quantity,1))", false, 2),
        ("or(eq(id,PR-0),eq(id,PR-1))", false, 3),
        ("ne(id,PR-0)", false, 3),
        ("eq(status,empty())", false, 3),
        ("eq(state,pending)", false, 3),
    ] {
        let condition = condition(query);
        assert_eq!(
            (condition.is_whole, store.count(REQUESTS, &condition).unwrap()),
            (whole, count),
            "{query}"
        );
    }
    assert_eq!(ids(&store, "or(eq(id,PR-0),eq(id,PR-1))"), ["PR-0", "PR-1"]);
    let newest = store.texts(REQUESTS, &condition(""), Scan::Newest, 2, 1).unwrap();
    assert!(newest[0].contains("\"PR-1\"") && newest[1].contains("\"PR-2\""), "{newest:?}");
}

#[test]
fn what_is_not_whole_never_was() {
    let mut store = store();
    store.put(REQUESTS, &request("PR-1", "purchase", "pending", 1, "processing")).unwrap();
    store.begin().unwrap();
    store.put(REQUESTS, &request("PR-1", "purchase", "approved", 1, "active")).unwrap();
    store.put(REQUESTS, &request("PR-2", "change", "pending", 1, "active")).unwrap();
    store.end(false).unwrap();
    assert_eq!(ids(&store, ""), ["PR-1"]);
    assert_eq!(asset(&store), (json!("processing"), json!(1)));
    assert_eq!(store.head(REQUESTS, "PR-1").unwrap().unwrap().entered, 1);
}

#[test]
fn counts_follow_what_changes() {
    let mut store = store();
    let count = |store: &Store, collection: &str, query: &str| {
        let condition = Condition::of(collection, &connect_model::rql::Rql::parse(query).unwrap());
        assert!(condition.is_whole);
        let counted = store.count(collection, &condition).unwrap();
        assert_eq!(
            counted,
            store.matching(collection, &connect_model::rql::Rql::parse(query).unwrap()).unwrap().len()
        );
        counted
    };
    assert_eq!(count(&store, REQUESTS, ""), 0);
    store.put(REQUESTS, &request("PR-1", "purchase", "pending", 1, "processing")).unwrap();
    store.put(REQUESTS, &request("PR-2", "change", "pending", 1, "processing")).unwrap();
    assert_eq!(
        (count(&store, REQUESTS, "eq(status,pending)"), count(&store, REQUESTS, "eq(type,change)")),
        (2, 1)
    );
    assert_eq!((count(&store, ASSETS, "eq(status,processing)"), count(&store, ASSETS, "")), (1, 1));
    store.begin().unwrap();
    store.put(REQUESTS, &request("PR-1", "purchase", "approved", 1, "active")).unwrap();
    assert_eq!(
        (count(&store, REQUESTS, "eq(status,pending)"), count(&store, ASSETS, "eq(status,active)")),
        (1, 1)
    );
    store.end(false).unwrap();
    assert_eq!(
        (count(&store, REQUESTS, "eq(status,pending)"), count(&store, ASSETS, "eq(status,active)")),
        (2, 0)
    );
    store.remove(REQUESTS, "PR-1").unwrap();
    store.remove(REQUESTS, "PR-2").unwrap();
    assert_eq!((count(&store, REQUESTS, ""), count(&store, ASSETS, "")), (0, 0));
}

#[test]
fn what_no_task_has_handled_is_found() {
    let mut store = store();
    store.put(REQUESTS, &request("PR-1", "purchase", "pending", 1, "processing")).unwrap();
    assert!(store.is_unhandled(REQUESTS, "pending").unwrap());
    assert_eq!(store.unhandled(REQUESTS, Some("purchase"), "pending").unwrap(), ["PR-1"]);
    assert!(store.unhandled(REQUESTS, Some("change"), "pending").unwrap().is_empty());
    store.set_handled(REQUESTS, "PR-1", 1).unwrap();
    assert!(!store.is_unhandled(REQUESTS, "pending").unwrap());
    store.put(REQUESTS, &request("PR-1", "purchase", "inquiring", 1, "processing")).unwrap();
    assert_eq!(store.unhandled(REQUESTS, None, "inquiring").unwrap(), ["PR-1"]);
}

#[test]
fn a_file_is_found_again_as_it_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.sqlite");
    let mut store = Store::open(&file).unwrap();
    store.put(REQUESTS, &request("PR-1", "purchase", "pending", 1, "processing")).unwrap();
    assert_eq!(store.number().unwrap(), 1);
    let busy = Store::open(&file).unwrap_err().to_string();
    assert_eq!(busy, "another program, perhaps another sandbox, has it open");
    drop(store);
    let mut store = Store::open(&file).unwrap();
    assert_eq!((ids(&store, ""), store.number().unwrap()), (vec!["PR-1".to_owned()], 2));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0);
    }
}

#[test]
fn a_file_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database, but long enough to be taken for one".repeat(99)).unwrap();
    assert_eq!(Store::open(&text).unwrap_err().to_string(), "it is no SQLite file");
    let other = folder.path().join("other.sqlite");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE objects (a)").unwrap();
    assert_eq!(Store::open(&other).unwrap_err().to_string(), "it is an SQLite file of another program");
    assert!(Store::open(folder.path()).is_err());
}
