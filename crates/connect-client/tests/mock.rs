//! The mock: what it answers, and what it says when something else came.

#![cfg(feature = "mock")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use connect_client::{
    ErrorKind, R,
    mock::{ClientMock, MockReply},
    multipart::Form,
};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

/// What a test would be told.
fn told(mock: ClientMock) -> Option<String> {
    let outcome = catch_unwind(AssertUnwindSafe(|| drop(mock)));
    outcome.err().map(|panic| panic.downcast_ref::<String>().unwrap().clone())
}

#[tokio::test]
async fn a_call_that_was_not_expected_is_shown_beside_the_nearest() {
    let mock = ClientMock::new();
    mock.get("requests/PR-1").reply(json!({}));
    mock.post("requests/PR-1/approve").body(json!({"template_id": "TL-1", "a": 1})).reply(json!({}));
    let action = mock.client().collection("requests").resource("PR-1").action("approve");
    let error = action.post(&json!({"template_id": "TL-2", "a": 1})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(
        told(mock).unwrap(),
        "ClientMock:
  the mock did not expect POST requests/PR-1/approve
    nearest: POST requests/PR-1/approve
    body (- expected, + came):
        {
          \"a\": 1,
      -   \"template_id\": \"TL-1\"
      +   \"template_id\": \"TL-2\"
        }
  GET requests/PR-1 was expected once, and came 0 times
  POST requests/PR-1/approve was expected once, and came 0 times"
    );
}

#[tokio::test]
async fn queries_count_and_paging_does_not() {
    let mock = ClientMock::new();
    let filter = R::field("status").eq("pending") & R::field("id").is_in(["a", "b"]);
    mock.get("requests").filter(filter.clone()).query("ordering(-created)").reply_list([]);
    let query = mock.client().collection("requests").filter(filter.clone()).order_by(["-created"]);
    assert_eq!(query.clone().count().await.unwrap(), 0);
    assert!(query.first::<Value>().await.unwrap().is_none(), "a listing may be asked for again");
    let error = mock.client().collection("requests").filter(filter).count().await.unwrap_err();
    assert!(error.to_string().contains("nearest: GET requests?and("), "{error}");
    assert!(told(mock).is_some());
}

#[tokio::test]
async fn a_listing_is_walked_page_by_page() {
    let mock = ClientMock::new();
    mock.get("products").reply_list((0..25).map(|id| json!({"id": id})));
    let query = mock.client().collection("products").query().page_size(10);
    let ids: Vec<Value> =
        query.stream::<Value>().map_ok(|product| product["id"].clone()).try_collect().await.unwrap();
    assert_eq!(ids.len(), 25);
    assert_eq!(mock.calls().len(), 3);
    mock.verify();
}

#[tokio::test]
async fn a_served_collection_reads_queries() {
    let mock = ClientMock::new();
    mock.serve(
        "assets",
        [json!({"id": "AS-1", "n": 1}), json!({"id": "AS-2", "n": 3}), json!({"id": "AS-3", "n": 2})],
    );
    let assets = mock.client().collection("assets");
    let found: Vec<Value> = assets.filter(R::field("n").ge(2)).order_by(["n"]).all().await.unwrap();
    assert_eq!(found, [json!({"id": "AS-3", "n": 2}), json!({"id": "AS-2", "n": 3})]);
    assert_eq!(assets.get("AS-1").await.unwrap()["n"], 1);
    assert!(!assets.resource("AS-9").exists().await.unwrap());
    assert!(assets.create(&json!({})).await.is_err());
    assert!(told(mock).unwrap().contains("did not expect POST assets; it expects nothing at all"));
}

#[tokio::test]
async fn answers_of_all_kinds() {
    let mock = ClientMock::new();
    let client = mock.client();
    mock.get("a").unreachable();
    mock.get("a").reply_error(503, "SYS", &["down"]);
    mock.get("a").reply_header("x-request-id", "r-1").reply(json!(1));
    let reply = client.get("a").response::<u8>().await.unwrap();
    assert_eq!((reply.body, reply.headers["x-request-id"].to_str().unwrap()), (1, "r-1"));
    mock.post("files").header("x-kind", "report").reply_with(|call| {
        MockReply::json(201, &json!({"names": call.parts.iter().map(|part| &part.name).collect::<Vec<_>>()}))
    });
    let form = Form::new().text("note", "hi").bytes("file", "a.csv", "a,b").content_type("text/csv");
    let answer = client.collection("files").create_empty().multipart(form).header("x-kind", "report").await;
    assert_eq!(answer.unwrap(), json!({"names": ["note", "file"]}));
    assert_eq!(mock.calls()[3].parts[1].content, "a,b");
    mock.get("b").times(2).reply_bytes("abc", "text/plain");
    assert_eq!(client.get("b").bytes().await.unwrap(), "abc");
    assert!(told(mock).unwrap().contains("GET b was expected 2 times, and came 1 times"));
}

#[tokio::test]
async fn a_test_that_failed_for_another_reason_keeps_it() {
    let mock = ClientMock::new();
    mock.get("a").reply(json!(1));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _mock = mock;
        panic!("the other reason");
    }));
    assert_eq!(*outcome.unwrap_err().downcast_ref::<&str>().unwrap(), "the other reason");
}
