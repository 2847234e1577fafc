//! Purchases of what the catalogue has, and what follows for them.

use connect_sandbox::Sandbox;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::Rest;

const WORKSPACE: &str = "PRD-000-100-001";

fn order() -> Value {
    json!({"type": "purchase", "marketplace": {"id": "MP-00001"}, "asset": {
        "product": {"id": WORKSPACE}, "external_id": "EXT-1", "external_uid": "uid-1",
        "items": [{"id": "PRD_000_100_001_0001", "quantity": 10}, {"global_id": "PRD-000-100-001-0003", "quantity": "1.5"},
            {"mpn": "NW-TRAFFIC"}],
        "params": [{"id": "workspace_domain", "value": "acme.nimbus.example"}, {"id": "admin_email", "value": "a@acme.example"},
            {"id": "features", "structured_value": {"sso": true}},
            {"id": "admin_phone", "structured_value": {"country_code": "+49", "area_code": "30", "phone_number": "5550100"}}],
        "tiers": {"customer": {"id": "TA-1000-0000-0011"}, "tier1": {"id": "TA-1000-0000-0002"}}}})
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut order = order();
    change(&mut order);
    order
}

fn param<'a>(request: &'a Value, id: &str) -> &'a Value {
    let params = request["asset"]["params"].as_array().unwrap();
    params.iter().find(|param| param["id"] == id).unwrap_or_else(|| panic!("no {id} in {params:?}"))
}

#[tokio::test]
async fn a_purchase_is_completed_by_the_catalogue() {
    let sandbox = Sandbox::start().await.unwrap();
    let (status, request) = Rest(&sandbox).order("requests", order()).await;
    assert_eq!(status, StatusCode::CREATED, "{request}");
    assert_eq!(request["status"], "pending");
    let asset = &request["asset"];
    assert_eq!(asset["status"], "processing");
    assert_eq!(
        asset["product"],
        json!({"id": WORKSPACE, "name": "Nimbus Workspace", "icon": "", "status": "published"})
    );
    assert_eq!(request["marketplace"]["name"], "Meridian Europe");
    assert_eq!(asset["contract"]["id"], "CRD-00000-00000-00001");
    assert_eq!(
        (&asset["connection"]["id"], &asset["connection"]["hub"]["name"]),
        (&json!("CT-0001-0001"), &json!("Meridian Cloud"))
    );
    assert_eq!(
        asset["items"][0],
        json!({"id": "PRD_000_100_001_0001", "global_id": "PRD-000-100-001-0001", "mpn": "NW-SEAT-M", "old_quantity": "0",
            "quantity": "10", "type": "Users", "display_name": "Seat, monthly", "period": "Monthly", "item_type": "Reservation",
            "params": asset["items"][0]["params"]})
    );
    let configured = |params: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        params.as_array().unwrap().iter().map(|param| (text(&param["id"]), text(&param["value"]))).collect()
    };
    let pair = |id: &str, value: &str| (id.to_owned(), value.to_owned());
    assert_eq!(
        configured(&asset["items"][0]["params"]),
        [pair("price_list", "2026-EU"), pair("sku", "seat.month")]
    );
    assert_eq!(
        configured(&asset["configuration"]["params"]),
        [pair("api_endpoint", "https://api.workspace.example/v1"), pair("sales_region", "EMEA")]
    );
    assert_eq!(
        (&asset["items"][1]["quantity"], &asset["items"][2]["quantity"]),
        (&json!("1.5"), &json!("unlimited"))
    );
    assert_eq!(asset["items"][2]["item_type"], "PPU");
    // All parameters are there: those that were given, those with defaults, and the vendor's.
    assert_eq!(param(&request, "region")["value"], "eu");
    assert_eq!(
        param(&request, "features")["structured_value"],
        json!({"archive": false, "meetings": false, "sso": true})
    );
    assert_eq!(param(&request, "admin_phone")["value"], "+49305550100");
    let tenant = param(&request, "tenant_id");
    assert_eq!(
        (&tenant["value"], &tenant["phase"], &tenant["value_error"]),
        (&json!(""), &json!("fulfillment"), &json!(""))
    );
    assert!(asset["params"].as_array().unwrap().iter().all(|param| param["type"] != "heading"));
    assert_eq!(request["template"]["name"], "In the making");
    assert_eq!(
        request["template"]["message"],
        "Your workspace is being made. We will write to a@acme.example."
    );
}

#[tokio::test]
async fn what_the_catalogue_forbids_is_refused_in_connects_words() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let set = |path: &'static str, value: Value| with(|order| *order.pointer_mut(path).unwrap() = value);
    let no_listing = "There is no Listing for specified Product and Marketplace.";
    for (order, error) in [
        (set("/marketplace", json!(null)), "Field 'marketplace.id' is required."),
        (set("/marketplace/id", json!("MP-99999")), no_listing),
        (
            with(|order| {
                order["asset"]["product"]["id"] = "PRD-000-100-002".into();
                order["marketplace"]["id"] = "MP-00002".into();
            }),
            no_listing,
        ),
        (
            with(|order| order["asset"]["connection"] = json!({"id": "CT-9"})),
            "asset.connection.id: \"CT-9\" is no connection of the product.",
        ),
        (set("/asset/items", json!([])), "asset.items: This list may not be empty."),
        (
            set("/asset/items/2", json!({"mpn": "NW-NONE", "quantity": 1})),
            "asset.items: the product has no item \"NW-NONE\".",
        ),
        (
            set("/asset/items/0/quantity", json!("1.5")),
            "asset.items.PRD_000_100_001_0001.quantity: A valid integer is required.",
        ),
        (
            set("/asset/items/1/quantity", json!("1.555")),
            "asset.items.PRD-000-100-001-0003.quantity: Ensure that there are no more than 2 decimal places.",
        ),
        (
            set("/asset/items/2", json!({"mpn": "NW-SEAT-M", "quantity": 1})),
            "asset.items: the item \"NW-SEAT-M\" is given twice.",
        ),
        (
            set("/asset/params/1/value", json!("nobody")),
            "asset.params.admin_email: Enter a valid email address.",
        ),
        (
            set("/asset/params/1/id", json!("nothing")),
            "asset.params: the parameter \"nothing\" does not exist.",
        ),
        (
            set("/asset/params/1/id", json!("tenant_id")),
            "asset.params.tenant_id: The vendor fills in this parameter.",
        ),
        (set("/asset/tiers/customer", json!({})), "asset.tiers.customer: This field is required."),
    ] {
        let (status, body) = rest.order("requests", order).await;
        assert_eq!((status, &body["error_code"]), (StatusCode::BAD_REQUEST, &json!("VAL_001")), "{body}");
        assert_eq!(body["errors"], json!([error]));
    }
    let none = set("/asset/items", json!([{"mpn": "NW-SEAT-M", "quantity": "0"}]));
    assert_eq!(
        rest.order("requests", none).await.1["errors"],
        json!(["asset.items: This list may not be empty."])
    );
    assert_eq!(rest.get("requests?limit=0").await.2, "items 0-0/0", "nothing is left of what was refused");
    // All that is wrong is told at once.
    let several = with(|order| {
        order["asset"]["items"][0]["quantity"] = "x".into();
        order["asset"]["params"][0]["value"] = "acme.example".into();
    });
    assert_eq!(
        rest.order("requests", several).await.1["errors"],
        json!([
            "asset.items.PRD_000_100_001_0001.quantity: A valid number is required.",
            "asset.params.workspace_domain: \"acme.example\" is no subdomain of: nimbus.example, nimbus-mail.example."
        ])
    );
}

#[tokio::test]
async fn a_marketplace_is_told_by_the_reseller() {
    let sandbox = Sandbox::start().await.unwrap();
    let order = with(|order| {
        order["marketplace"] = json!(null);
        order["asset"]["tiers"]["tier2"] = json!({"id": "TA-1000-0000-0001", "external_id": "2"});
    });
    let (status, request) = Rest(&sandbox).order("requests", order).await;
    assert_eq!(
        (status, &request["marketplace"]["id"]),
        (StatusCode::CREATED, &json!("MP-00002")),
        "{request}"
    );
}

#[tokio::test]
async fn what_is_missing_is_asked_for_and_answered() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let order = with(|order| order["asset"]["params"] = json!([{"id": "domain_kind", "value": "own"}]));
    let (_, request) = rest.order("requests", order).await;
    let id = request["id"].as_str().unwrap();
    assert_eq!(request["status"], "inquiring");
    let errors: Vec<&str> = request["asset"]["params"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|param| param["value_error"] == "This field is required.")
        .map(|param| param["id"].as_str().unwrap())
        .collect();
    assert_eq!(errors, ["own_domain", "admin_email"]);
    let url = request["params_form_url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}/form?request_id={id}&code=", sandbox.url())), "{url}");
    assert_eq!(request["template"]["name"], "More is needed");
    assert!(request["template"]["message"].as_str().unwrap().contains(&url.replace('&', "&amp;")));
    // The customer's form answers with the code of that address.
    let code = url.rsplit_once("code=").unwrap().1;
    let answer = json!({"asset": {"params": [{"id": "own_domain", "value": "acme.example"}, {"id": "admin_email", "value": "a@acme.example"}]}});
    let pend = |code: &str| format!("requests/{id}/pend?code={code}");
    for (path, body, error) in [
        (pend("wrong"), answer.clone(), "code: The code is not that of the request's form."),
        (pend(code), json!({}), "asset.params: This field is required."),
        (
            pend(code),
            json!({"asset": {"params": [{"id": "own_domain", "value": "acme.example"}]}}),
            "asset.params.admin_email: This field is required.",
        ),
        (
            pend(code),
            json!({"asset": {"params": [{"id": "own_domain", "value": "acme"}]}}),
            "asset.params.own_domain: Enter a valid domain name.",
        ),
    ] {
        let (status, body) = rest.order(&path, body).await;
        assert_eq!((status, &body["errors"]), (StatusCode::BAD_REQUEST, &json!([error])));
    }
    let (status, pending) = rest.order(&pend(code), answer).await;
    assert_eq!((status, &pending["status"]), (StatusCode::OK, &json!("pending")), "{pending}");
    assert_eq!(
        (&pending["params_form_url"], &pending["template"]["name"]),
        (&json!(""), &json!("In the making"))
    );
    assert_eq!(param(&pending, "own_domain")["value_error"], "");
    assert_eq!(rest.order(&pend(code), json!({})).await.0, StatusCode::BAD_REQUEST, "it has been answered");
}

#[tokio::test]
async fn a_vendor_fills_in_what_is_his_and_approves() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let id = rest.order("requests", order()).await.1["id"].as_str().unwrap().to_owned();
    let path = format!("requests/{id}");
    let wrong = json!({"asset": {"params": [{"id": "login_url", "value": "nowhere"}, {"id": "tenant_id", "value": "T-1"}]}});
    let (status, body) = rest.put(&path, wrong).await;
    assert_eq!(
        (status, &body["errors"]),
        (StatusCode::BAD_REQUEST, &json!(["asset.params.login_url: Enter a valid URL."]))
    );
    let right = json!({"asset": {"params": [{"id": "login_url", "value": "https://acme.nimbus.example/in"}, {"id": "tenant_id", "value": "T-<1>"}]}});
    let (_, updated) = rest.put(&path, right).await;
    assert_eq!(param(&updated, "tenant_id")["value"], "T-<1>");
    let (status, body) = rest.post(&format!("{path}/approve"), json!({"template_id": "TL-9"})).await;
    assert_eq!(
        (status, &body["errors"]),
        (
            StatusCode::BAD_REQUEST,
            &json!([format!("template_id: \"TL-9\" is no template of product {WORKSPACE}.")])
        )
    );
    let (_, approved) = rest.post(&format!("{path}/approve"), json!({"template_id": "TL-100-001-001"})).await;
    let message = "# Your workspace is ready\n\nSign in at [https://acme.nimbus.example/in](https://acme.nimbus.example/in) as \
                   **a@acme.example**.\n\nTenant: `T-&lt;1&gt;`, region: eu.";
    assert_eq!(
        approved["template"],
        json!({"id": "TL-100-001-001", "name": "Workspace ready", "message": message})
    );
    assert_eq!(approved["asset"]["template"], json!({"id": "TL-100-001-001", "name": "Workspace ready"}));
    let asset = approved["asset"]["id"].as_str().unwrap();
    for path in [
        format!("{path}/render"),
        format!("assets/{asset}/render"),
        format!("templates/TL-100-001-001/render?request_id={id}"),
    ] {
        let url = format!("{}/public/v1/{path}", sandbox.url());
        let answer =
            reqwest::Client::new().get(url).header("Authorization", sandbox.api_key()).send().await.unwrap();
        assert_eq!(answer.headers()["Content-Type"], "text/markdown; charset=utf-8");
        assert_eq!(answer.text().await.unwrap(), message, "{path}");
    }
    assert_eq!(rest.get("templates/TL-100-001-001/render").await.0, StatusCode::BAD_REQUEST);
}

/// An asset of the workspace, active.
async fn active(sandbox: &Sandbox) -> String {
    let rest = Rest(sandbox);
    let id = rest.order("requests", order()).await.1["id"].as_str().unwrap().to_owned();
    let (_, approved) =
        rest.post(&format!("requests/{id}/approve"), json!({"template_id": "TL-100-001-001"})).await;
    approved["asset"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_change_is_checked_against_the_catalogue() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let asset = active(&sandbox).await;
    let change = |members: Value| {
        let mut order = json!({"type": "change", "asset": {"id": asset}});
        order["asset"].as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        order
    };
    for (members, error) in [
        (json!({}), "asset.items: Item quantities are not changed."),
        (
            json!({"items": [{"mpn": "NW-SEAT-M", "quantity": 10}]}),
            "asset.items: Item quantities are not changed.",
        ),
        (
            json!({"items": [{"mpn": "NW-SEAT-M", "quantity": 1.5}]}),
            "asset.items.NW-SEAT-M.quantity: A valid integer is required.",
        ),
        (
            json!({"items": [{"mpn": "NW-NONE", "quantity": 1}]}),
            "asset.items: the asset has no item \"NW-NONE\".",
        ),
        (
            json!({"params": [{"id": "tenant_id", "value": "T"}]}),
            "asset.params.tenant_id: The vendor fills in this parameter.",
        ),
        (
            json!({"params": [{"id": "admin_email", "value": "none"}]}),
            "asset.params.admin_email: Enter a valid email address.",
        ),
    ] {
        let (status, body) = rest.order("requests", change(members)).await;
        assert_eq!((status, &body["errors"]), (StatusCode::BAD_REQUEST, &json!([error])));
    }
    let members = json!({"items": [{"mpn": "NW-SEAT-M", "quantity": 12}, {"mpn": "NW-ONBOARDING", "quantity": 1}],
        "params": [{"id": "notes", "value": "More of us"}]});
    let (status, request) = rest.order("requests", change(members)).await;
    assert_eq!(status, StatusCode::CREATED, "{request}");
    let items = request["asset"]["items"].as_array().unwrap();
    let quantities: Vec<(&str, &str, &str)> = items
        .iter()
        .map(|item| ["mpn", "old_quantity", "quantity"].map(|name| item[name].as_str().unwrap()).into())
        .collect();
    assert_eq!(
        quantities,
        [
            ("NW-SEAT-M", "10", "12"),
            ("NW-STORAGE", "1.5", "1.5"),
            ("NW-TRAFFIC", "unlimited", "unlimited"),
            ("NW-ONBOARDING", "0", "1")
        ]
    );
    assert_eq!(param(&request, "notes")["value"], "More of us");
    assert!(request["previous_approved_request"]["id"].as_str().unwrap().ends_with("-001"));
    let (status, conflict) = rest.order("requests", json!({"type": "suspend", "asset": {"id": asset}})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(
        (
            &conflict["params"]["request_status"],
            &conflict["params"]["request_id"],
            &conflict["params"]["asset_status"]
        ),
        (&json!("pending"), &request["id"], &json!("active"))
    );
}

#[tokio::test]
async fn what_a_product_can_not_do_is_failed_or_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let asset = active(&sandbox).await;
    let capabilities = json!({"capabilities": {"subscription": {"hold": false, "renew": {"enable_renew": false},
        "change": {"editable_ordering_parameters": false}}}});
    assert_eq!(rest.put(&format!("products/{WORKSPACE}"), capabilities).await.0, StatusCode::OK);
    let order = |kind: &str| json!({"type": kind, "asset": {"id": asset}});
    let (status, failed) = rest.order("requests", order("suspend")).await;
    assert_eq!((status, &failed["status"]), (StatusCode::CREATED, &json!("failed")));
    assert_eq!(failed["reason"], "The product does not support administrative hold.");
    assert_eq!(sandbox.asset(&asset).unwrap()["status"], "active");
    let (status, refused) = rest.order("requests", order("renew")).await;
    assert_eq!(
        (status, &refused["errors"]),
        (StatusCode::BAD_REQUEST, &json!(["type: The product does not support requests of type renew."]))
    );
    let mut change = order("change");
    change["asset"]["params"] = json!([{"id": "notes", "value": "x"}]);
    assert_eq!(
        rest.order("requests", change).await.1["errors"],
        json!(["asset.params.notes: The product does not allow to change it."])
    );
    let adjustment = json!({"type": "adjustment", "asset": {"id": asset, "params": [{"id": "tenant_id", "value": "T-2"}]}});
    let (status, adjusted) = rest.post("requests", adjustment).await;
    assert_eq!((status, &param(&adjusted, "tenant_id")["value"]), (StatusCode::CREATED, &json!("T-2")));
}

#[tokio::test]
async fn a_draft_is_checked_when_it_is_ordered() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let order = with(|order| {
        order["status"] = "draft".into();
        order["asset"]["params"] = json!([]);
    });
    let (_, draft) = rest.order("requests", order).await;
    assert_eq!((&draft["status"], &draft["asset"]["status"]), (&json!("draft"), &json!("draft")));
    assert_eq!(param(&draft, "admin_email")["value_error"], "");
    let path = format!("requests/{}/purchase", draft["id"].as_str().unwrap());
    let (_, ordered) = rest.order(&path, json!({})).await;
    assert_eq!(
        (&ordered["status"], &ordered["asset"]["status"]),
        (&json!("inquiring"), &json!("processing"))
    );
    assert_eq!(param(&ordered, "admin_email")["value_error"], "This field is required.");
}

/// What the library orders is what REST takes.
#[tokio::test]
async fn an_order_of_the_library_fits_the_catalogue() {
    let sandbox = Sandbox::start().await.unwrap();
    let ordered = sandbox.purchase(WORKSPACE).send().unwrap();
    let request = sandbox.request(&ordered).unwrap();
    assert_eq!(
        (&request["status"], &request["asset"]["items"][0]["quantity"]),
        (&json!("inquiring"), &json!("1"))
    );
    let ordered = sandbox
        .purchase(WORKSPACE)
        .param("workspace_domain", "b.nimbus.example")
        .param("admin_email", "b@b.example")
        .item("NW-SEAT-Y", 3)
        .send()
        .unwrap();
    let request = sandbox.request(&ordered).unwrap();
    assert_eq!(
        (&request["status"], &request["asset"]["items"][0]["period"]),
        (&json!("pending"), &json!("Yearly"))
    );
    assert_eq!(request["asset"]["tiers"]["tier1"]["id"], "TA-1000-0000-0002");
    assert_eq!(request["asset"]["tiers"]["tier2"]["id"], "TA-1000-0000-0001");
    let refused = sandbox.purchase(WORKSPACE).item("NW-NONE", 1).send().unwrap_err();
    assert_eq!(refused.to_string(), "VAL_001: asset.items: the product has no item \"NW-NONE\".");
}

#[tokio::test]
async fn a_product_that_is_not_published_or_sold_can_not_be_ordered() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let (_, ended) = rest.post(&format!("products/{WORKSPACE}/endsale"), json!({})).await;
    assert_eq!(ended["status"], "endofsale");
    let error = format!("asset.product.id: the product {WORKSPACE} is endofsale, not published.");
    assert_eq!(rest.order("requests", order()).await.1["errors"], json!([error]));
    rest.post(&format!("products/{WORKSPACE}/resumesale"), json!({})).await;
    rest.post(&format!("products/{WORKSPACE}/items/PRD-000-100-001-0001/endsale"), json!({})).await;
    let error = "asset.items: the item \"PRD_000_100_001_0001\" is endofsale, not published.";
    assert_eq!(rest.order("requests", order()).await.1["errors"], json!([error]));
    rest.post(&format!("products/{WORKSPACE}/items/PRD-000-100-001-0001/resumesale"), json!({})).await;
    rest.order("contracts/CRD-00000-00000-00001/terminate", json!({})).await;
    let error = "The Contract CRD-00000-00000-00001 of the Listing is terminated, not active.";
    assert_eq!(rest.order("requests", order()).await.1["errors"], json!([error]));
}
