//! Conversations about requests and other objects.

use connect_sandbox::Sandbox;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Rest, purchase};

async fn started() -> Sandbox {
    Sandbox::builder().requests(["PR-1", "PR-2"].map(purchase)).start().await.unwrap()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap()).collect()
}

async fn conversation_of(rest: &Rest<'_>, instance: &str) -> Value {
    let (status, list, range) = rest.get(&format!("conversations?instance_id={instance}")).await;
    assert_eq!((status, range.as_str()), (StatusCode::OK, "items 0-0/1"), "{list}");
    list[0].clone()
}

#[tokio::test]
async fn a_conversation_is_opened_when_somebody_asks_for_it() {
    let sandbox = started().await;
    let rest = Rest(&sandbox);
    assert_eq!(rest.get("conversations").await.2, "items 0-0/0");
    let conversation = conversation_of(&rest, "PR-1").await;
    assert_eq!((&conversation["topic"], &conversation["status"]), (&json!("Request: PR-1"), &json!("open")));
    let accounts: Vec<&Value> =
        conversation["accounts"].as_array().unwrap().iter().map(|account| &account["id"]).collect();
    assert_eq!(accounts, ["VA-000-000", "PA-000-000"]);
    assert_eq!(conversation_of(&rest, "PR-1").await["id"], conversation["id"], "once");
    for query in ["instance_id=PR-9", "eq(instance_id,XX-1)", "eq(instance_id,PR-1)&eq(type,notes)"] {
        assert_eq!(rest.get(&format!("conversations?{query}")).await.2, "items 0-0/0", "{query}");
    }
    assert_eq!(rest.get("conversations?in(instance_id,(PR-1,PR-2))").await.2, "items 0-1/2");
    assert_eq!(rest.get("conversations?ordering(-created)&limit=1").await.2, "items 0-0/2");
}

#[tokio::test]
async fn both_sides_talk_and_what_is_private_stays_so() {
    let sandbox = started().await;
    let rest = Rest(&sandbox);
    let id = conversation_of(&rest, "PR-1").await["id"].as_str().unwrap().to_owned();
    let path = format!("conversations/{id}/messages");
    let (status, message) = rest.post(&path, json!({"text": "What is the domain?"})).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!((&message["type"], &message["account"]["id"]), (&json!("message"), &json!("VA-000-000")));
    rest.order(&path, json!({"text": "a.example", "type": "message"})).await;
    rest.post(&path, json!({"text": "Look at it, please", "type": "private"})).await;
    let vendors = rest.get(&format!("{path}?ordering(created,id)")).await.1;
    assert_eq!(texts(&vendors), ["What is the domain?", "a.example", "Look at it, please"]);
    let (_, distributors, range) = rest.call_as(sandbox.distributor_key(), Method::GET, &path, None).await;
    assert_eq!((texts(&distributors).len(), range.as_str()), (2, "items 0-1/2"));
    for (body, text) in [
        (json!({}), "text: This field is required."),
        (json!({"text": " "}), "text: This field is required."),
        (json!({"text": "x", "type": "shout"}), "type: \"shout\" is not a valid choice."),
        (json!({"text": "x".repeat(10_001)}), "text: Ensure this field has no more than 10000 characters."),
    ] {
        assert_eq!(rest.post(&path, body).await.1["errors"][0], text);
    }
    let (status, closed) = rest.post(&format!("conversations/{id}/close"), json!(null)).await;
    assert_eq!((status, &closed["status"]), (StatusCode::OK, &json!("closed")));
    let refused = rest.post(&path, json!({"text": "too late"})).await.1;
    assert_eq!(refused["errors"][0], "Messages can be added to open conversations only.");
    let refused = rest.post(&format!("conversations/{id}/close"), json!(null)).await.1;
    assert_eq!(refused["errors"][0], "Only open conversations can be closed.");
}

#[tokio::test]
async fn changes_of_status_are_told_where_somebody_listens() {
    let sandbox = started().await;
    let rest = Rest(&sandbox);
    let id = conversation_of(&rest, "PR-1").await["id"].as_str().unwrap().to_owned();
    for request in ["PR-1", "PR-2"] {
        rest.post(&format!("requests/{request}/fail"), json!({"reason": "no stock"})).await;
    }
    let messages = rest.get(&format!("conversations/{id}/messages")).await.1;
    assert_eq!(texts(&messages), ["Request PR-1 is failed now."]);
    assert_eq!(messages[0]["type"], "state_change");
    assert_eq!(rest.get("conversations").await.2, "items 0-0/1", "nobody asked for the other's");
}

#[tokio::test]
async fn notes_are_of_one_account() {
    let sandbox = started().await;
    let rest = Rest(&sandbox);
    let body =
        json!({"instance_id": "PR-1", "topic": "Notes", "type": "notes", "accounts": [{"id": "PA-000-000"}]});
    let (status, notes) = rest.post("conversations", body).await;
    assert_eq!((status, &notes["type"]), (StatusCode::CREATED, &json!("notes")));
    let id = notes["id"].as_str().unwrap();
    let path = format!("conversations/{id}");
    let (status, ..) = rest.call_as(sandbox.distributor_key(), Method::GET, &path, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(rest.order(&format!("{path}/messages"), json!({"text": "x"})).await.0, StatusCode::NOT_FOUND);
    let shared = json!({"instance_id": "PR-1", "topic": "Both", "accounts": [{"id": "VA-000-000"}]});
    let (_, shared) = rest.order("conversations", shared).await;
    assert_eq!(shared["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(rest.get("conversations?instance_id=PR-1").await.2, "items 0-1/2");
    let (_, list, _) =
        rest.call_as(sandbox.distributor_key(), Method::GET, "conversations?instance_id=PR-1", None).await;
    assert_eq!((list.as_array().unwrap().len(), &list[0]["id"]), (1, &shared["id"]));
    assert_eq!(rest.call(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(rest.get(&path).await.0, StatusCode::NOT_FOUND);
    for (body, text) in [
        (json!({"topic": "x"}), "instance_id: This field is required."),
        (json!({"instance_id": "PR-1"}), "topic: This field is required."),
        (
            json!({"instance_id": "PR-1", "topic": "x".repeat(101)}),
            "topic: Ensure this field has no more than 100 characters.",
        ),
        (json!({"instance_id": "PR-1", "topic": "x"}), "accounts: This field is required."),
        (json!({"instance_id": "PR-1", "topic": "x", "accounts": [{}]}), "accounts: Each needs an id."),
        (json!({"instance_id": "PR-1", "topic": "x", "accounts": 7}), "accounts: Expected a list of items."),
    ] {
        assert_eq!(rest.post("conversations", body).await.1["errors"][0], text);
    }
}
