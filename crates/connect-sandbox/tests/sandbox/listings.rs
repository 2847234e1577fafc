//! Listings, listing requests and contracts, over REST and in the console.

use connect_sandbox::Sandbox;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ENVIRONMENT, Rest, Runner};

const UNLISTED: &str = "LST-000-000-004";

/// A new listing of what the default catalogue does not list.
async fn new(rest: &Rest<'_>) -> String {
    let body = json!({"type": "new", "product_id": "PRD-000-100-002", "contract_id": "CRD-00000-00000-00002",
        "note": "please"});
    let (status, request) = rest.post("listing-requests", body).await;
    assert_eq!((status, &request["state"]), (StatusCode::CREATED, &json!("draft")), "{request}");
    assert_eq!(
        (&request["listing"]["id"], &request["listing"]["status"]),
        (&json!(UNLISTED), &json!("unlisted"))
    );
    assert_eq!(request["listing"]["pending_request"]["id"], request["id"]);
    request["id"].as_str().unwrap().to_owned()
}

/// Does something with a request, as the vendor and as the distributor: who must not is refused.
async fn act(rest: &Rest<'_>, id: &str, action: &str, by_vendor: bool) {
    let path = format!("listing-requests/{id}/{action}");
    let refused =
        if by_vendor { rest.order(&path, json!(null)).await } else { rest.post(&path, json!(null)).await };
    assert_eq!(
        (refused.0, &refused.1["error_code"]),
        (StatusCode::FORBIDDEN, &json!("AUTH_002")),
        "{action}"
    );
    let done =
        if by_vendor { rest.post(&path, json!(null)).await } else { rest.order(&path, json!(null)).await };
    assert_eq!(done, (StatusCode::OK, Value::Null), "{action}");
}

async fn state(rest: &Rest<'_>, id: &str) -> (Value, Value) {
    let request = rest.get(&format!("listing-requests/{id}")).await.1;
    let listing = rest.get(&format!("listings/{}", request["listing"]["id"].as_str().unwrap())).await.1;
    assert_eq!(request["listing"], listing);
    (request["state"].clone(), listing["status"].clone())
}

#[tokio::test]
async fn a_product_is_listed_changed_and_removed() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let id = new(&rest).await;
    for (action, by_vendor, expected) in [
        ("submit", true, ("reviewing", "unlisted")),
        ("refine", false, ("draft", "unlisted")),
        ("submit", true, ("reviewing", "unlisted")),
        ("deploy", false, ("deploying", "unlisted")),
        ("complete", false, ("completed", "listed")),
    ] {
        act(&rest, &id, action, by_vendor).await;
        assert_eq!(state(&rest, &id).await, (json!(expected.0), json!(expected.1)), "{action}");
    }
    assert!(rest.get(&format!("listings/{UNLISTED}")).await.1["pending_request"].is_null());
    let request = rest.get(&format!("listing-requests/{id}")).await.1;
    assert_eq!(request["events"]["completed"]["by"]["name"], "Distributor");

    for (kind, listed) in [("update", "listed"), ("remove", "unlisted")] {
        let (_, request) = rest.post("listing-requests", json!({"type": kind, "listing_id": UNLISTED})).await;
        let id = request["id"].as_str().unwrap();
        assert!(id.starts_with("LSTR-000-000-004-"), "{id}");
        for (action, by_vendor) in [("submit", true), ("deploy", false), ("complete", false)] {
            act(&rest, id, action, by_vendor).await;
        }
        assert_eq!(state(&rest, id).await, (json!("completed"), json!(listed)), "{kind}");
    }
    assert_eq!(
        rest.get(&format!("listing-requests?eq(listing.id,{UNLISTED})&limit=0")).await.2,
        "items 0-0/3"
    );
}

#[tokio::test]
async fn what_can_not_be_listed_is_told() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let id = new(&rest).await;
    let (product, contract) = ("PRD-000-100-001", "CRD-00000-00000-00001");
    for (body, status, text) in [
        (json!({}), 400, "type: This field is required."),
        (json!({"type": "dance"}), 400, "type: \"dance\" is not a valid choice."),
        (json!({"type": "new"}), 400, "product_id: This field is required."),
        (
            json!({"type": "new", "product_id": "PRD-9", "contract_id": contract}),
            400,
            "product_id: Invalid pk \"PRD-9\" - object does not exist.",
        ),
        (
            json!({"type": "new", "product_id": product, "contract_id": contract}),
            400,
            "product_id: The product is listed by this contract already.",
        ),
        (
            json!({"type": "remove", "listing_id": UNLISTED}),
            400,
            "listing_id: Only listed listings can be updated or removed.",
        ),
        (
            json!({"type": "remove", "product_id": "PRD-9", "contract_id": contract}),
            400,
            "product_id: The product is not listed by this contract.",
        ),
        (
            json!({"type": "new", "product_id": "PRD-000-100-002", "contract_id": "CRD-00000-00000-00002"}),
            409,
            &format!("The listing has an open request: {id}."),
        ),
    ] {
        let (answered, error) = rest.post("listing-requests", body.clone()).await;
        assert_eq!((answered.as_u16(), &error["errors"][0]), (status, &json!(text)), "{body}");
    }
    let (refused, _) = rest.order("listing-requests", json!({"type": "new"})).await;
    assert_eq!(refused, StatusCode::FORBIDDEN, "vendors ask for listings");
    // Every wrong transition of a draft.
    for (action, text) in [
        ("refine", "Only reviewing listing requests can be refined."),
        ("deploy", "Only reviewing listing requests can be deployed."),
        ("complete", "Only deploying listing requests can be completed."),
        ("cancel", "Only reviewing and deploying listing requests can be canceled."),
    ] {
        let (status, error) = rest.order(&format!("listing-requests/{id}/{action}"), json!({})).await;
        assert_eq!((status, &error["errors"][0]), (StatusCode::BAD_REQUEST, &json!(text)));
    }
    assert_eq!(rest.order(&format!("listing-requests/{id}/dance"), json!({})).await.0, StatusCode::NOT_FOUND);
    assert_eq!(state(&rest, &id).await, (json!("draft"), json!("unlisted")));
}

#[tokio::test]
async fn requests_are_assigned_and_listings_get_their_prices() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let id = new(&rest).await;
    rest.order(&format!("listing-requests/{id}/assign"), json!(null)).await;
    let assigned = rest.get(&format!("listing-requests/{id}")).await.1;
    assert_eq!(assigned["assignee"], json!({"id": "SU-000-000-001", "name": "Distributor"}));
    rest.post(&format!("listing-requests/{id}/unassign"), json!(null)).await;
    assert!(rest.get(&format!("listing-requests/{id}")).await.1["assignee"].is_null());
    let prices = json!({"pricelist": {"id": "PL-1"}, "status": "listed", "offer": null});
    assert_eq!(rest.put(&format!("listings/{UNLISTED}"), prices.clone()).await.0, StatusCode::FORBIDDEN);
    let path = format!("listings/{UNLISTED}");
    let (_, listing, _) = rest.call_as(sandbox.distributor_key(), Method::PUT, &path, Some(prices)).await;
    assert_eq!((&listing["pricelist"]["id"], &listing["status"]), (&json!("PL-1"), &json!("unlisted")));
}

#[tokio::test]
async fn contracts_are_signed_refined_and_terminated() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let contract = "contracts/CRD-00000-00000-00001";
    let refused = rest.order(&format!("{contract}/sign"), json!(null)).await.1;
    assert_eq!(refused["errors"][0], "Only pending contracts can be signed.");
    assert_eq!(rest.post(&format!("{contract}/terminate"), json!(null)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(
        rest.order(&format!("{contract}/terminate"), json!(null)).await,
        (StatusCode::OK, Value::Null)
    );
    let (_, terminated, _) = rest.get(contract).await;
    assert_eq!(terminated["status"], "terminated");
    let (_, error) = rest
        .post(
            "listing-requests",
            json!({"type": "new", "product_id": "PRD-000-100-002", "contract_id": "CRD-00000-00000-00001"}),
        )
        .await;
    assert_eq!(error["errors"][0], "contract_id: Only with an active contract a product can be listed.");
}

#[tokio::test]
async fn a_runner_gets_listing_requests_and_listings() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut runner = Runner(
        Runner::open(&sandbox, &format!("{ENVIRONMENT}/SIN-1"), "background", sandbox.api_key())
            .await
            .unwrap(),
    );
    runner
        .send(&json!({"version": 2, "message_type": "setup_request", "data": {"event_subscriptions": {
            "listing_new_request_processing": ["reviewing"], "listing_processing": ["listed"]}}}))
        .await;
    let setup = runner.receive().await;
    let definitions = setup["data"]["event_definitions"].as_array().unwrap();
    assert!(
        definitions
            .iter()
            .any(|own| own["api_collection_filter"] == "and(eq(id,${_object_id_}),in(state,${_statuses_}))")
    );
    let rest = Rest(&sandbox);
    let id = new(&rest).await;
    act(&rest, &id, "submit", true).await;
    let task = runner.task().await;
    assert_eq!(task["data"]["input"]["event_type"], "listing_new_request_processing");
    assert_eq!(task["data"]["input"]["object_id"], id.as_str(), "what was listed from the start is no news");
    runner.answer(task, json!({"result": "success"})).await;
    act(&rest, &id, "deploy", false).await;
    act(&rest, &id, "complete", false).await;
    let task = runner.task().await;
    assert_eq!(task["data"]["input"]["event_type"], "listing_processing");
    assert_eq!(task["data"]["input"]["object_id"], UNLISTED);
}
