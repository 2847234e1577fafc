//! Waiting for calls without `async`.

#![cfg(all(feature = "blocking", feature = "mock"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use connect_client::{
    ErrorKind,
    blocking::{Wait, WaitEach},
    mock::ClientMock,
};
use serde_json::{Value, json};

#[test]
fn everything_can_be_waited_for() {
    let mock = ClientMock::new();
    mock.get("products/PRD-1").reply(json!({"id": "PRD-1"}));
    mock.get("products").reply_list((0..250).map(|id| json!({"id": id})));
    let products = mock.client().collection("products");
    assert_eq!(products.get("PRD-1").wait().unwrap()["id"], "PRD-1");
    assert_eq!(products.query().count().wait().unwrap(), 250);
    let all: Vec<Value> = products.query().stream().wait_each().collect::<Result<_, _>>().unwrap();
    assert_eq!(all.len(), 250);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(products.query().count().wait().unwrap(), 250));
        }
    });
}

#[tokio::test]
async fn inside_async_code_it_is_an_error() {
    let mock = ClientMock::new();
    let error = mock.client().get("a").wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("await the call"), "{error}");
    let mut each = mock.client().collection("a").query().stream::<Value>().wait_each();
    assert!(each.next().unwrap().is_err() && each.next().is_none());
}
