//! Tier configurations and tier accounts, as vendors, distributors and runners see them.

use connect_sandbox::Sandbox;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ENVIRONMENT, Rest, Runner, settled};

const PRODUCT: &str = "PRD-100-000-001";
const OTHER: &str = "PRD-100-000-002";
const ABOVE: &str = "TA-1000-0000-0001";
const RESELLER: &str = "TA-1000-0000-0002";
const CUSTOMER: &str = "TA-1000-0000-0003";

fn contact(city: &str) -> Value {
    json!({"address_line1": "Street 1", "city": city, "postal_code": "1", "country": "ES",
        "contact": {"first_name": "F", "last_name": "L", "email": "f@example.com",
            "phone_number": {"country_code": "+34", "phone_number": "1"}}})
}

/// A sandbox with a product that has parameters of both tiers, and one that has none.
async fn sandbox(tiers: Value) -> Sandbox {
    let account = |id: &str, kind: &str, parent: Value| json!({"id": id, "name": id, "type": kind, "contact_info": contact("Madrid"), "parent": parent});
    let template = |scope: &str, kind: &str, body: &str| json!({"name": format!("{scope} {kind}"), "scope": scope, "type": kind, "body": body});
    let catalogue = json!({
        "marketplaces": [{"id": "MP-00001", "name": "Market"}], "hubs": [{"id": "HB-0000-0001", "name": "Hub"}],
        "tier_accounts": [
            {"id": ABOVE, "name": "Above", "type": "reseller", "contact_info": contact("Madrid")},
            account(RESELLER, "reseller", json!({"id": ABOVE})),
            account(CUSTOMER, "customer", json!({"id": RESELLER})),
        ],
        "products": [
            {"id": PRODUCT, "name": "Shield", "capabilities": {"tiers": tiers},
                "parameters": [
                    {"name": "domain", "constraints": {"required": true}},
                    {"name": "portal", "scope": "tier1", "constraints": {"required": true, "max_length": 10}},
                    {"name": "reseller_id", "scope": "tier1", "phase": "fulfillment"},
                    {"name": "level", "scope": "tier2"},
                    {"name": "partner_id", "scope": "tier2", "phase": "fulfillment"},
                ],
                "templates": [
                    template("asset", "fulfillment", "Done"),
                    template("tier1", "fulfillment", "Portal {{ portal }} is ready"),
                    template("tier1", "inquire", "See {{ activation_form_url }}"),
                    template("tier2", "fulfillment", "Partner {{ partner_id }}"),
                ],
                "items": [{"mpn": "SEAT", "name": "Seat"}],
                "connections": [{"id": "CT-0001-0001", "type": "production", "hub": {"id": "HB-0000-0001"}}]},
            {"id": OTHER, "name": "Plain", "parameters": [], "items": [{"mpn": "SEAT", "name": "Seat"}],
                "connections": [{"id": "CT-0001-0002", "type": "production", "hub": {"id": "HB-0000-0001"}}]},
        ],
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalogue.json");
    std::fs::write(&file, catalogue.to_string()).unwrap();
    Sandbox::builder().catalogue(file).start().await.unwrap()
}

fn two_tiers() -> Value {
    json!({"configs": {"level": 2}, "updates": true})
}

async fn purchase_of(rest: &Rest<'_>, product: &str, connection: &str, domain: &str) -> String {
    let item = format!("{}_0001", product.replace('-', "_"));
    let body = json!({"type": "purchase", "marketplace": {"id": "MP-00001"}, "asset": {
        "product": {"id": product}, "connection": {"id": connection}, "external_id": "1", "external_uid": "u-1",
        "items": [{"id": item, "quantity": "1"}],
        "params": if product == PRODUCT { json!([{"id": "domain", "value": domain}]) } else { json!([]) },
        "tiers": {"customer": {"id": CUSTOMER}, "tier1": {"id": RESELLER}, "tier2": {"id": ABOVE}}}});
    let (status, request) = rest.order("requests", body).await;
    assert_eq!(status, StatusCode::CREATED, "{request}");
    request["id"].as_str().unwrap().to_owned()
}

async fn purchase(rest: &Rest<'_>) -> String {
    purchase_of(rest, PRODUCT, "CT-0001-0001", "a.example").await
}

/// The product's template for what is done, for assets or a tier.
async fn template_of(rest: &Rest<'_>, scope: &str) -> String {
    let (_, found, _) =
        rest.get(&format!("products/{PRODUCT}/templates?eq(scope,{scope})&eq(type,fulfillment)")).await;
    found[0]["id"].as_str().unwrap().to_owned()
}

/// The vendor approves what was bought.
async fn deliver(rest: &Rest<'_>, request: &str) {
    let body = json!({"template_id": template_of(rest, "asset").await});
    assert_eq!(rest.post(&format!("requests/{request}/approve"), body).await.0, StatusCode::OK);
}

/// What the distributor sends.
async fn sell(rest: &Rest<'_>, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let (status, answer, _) = rest.call_as(rest.0.distributor_key(), method, path, Some(body)).await;
    (status, answer)
}

/// The newest request for a configuration of a level.
async fn request_of(rest: &Rest<'_>, level: u8) -> Value {
    let (_, all, _) = rest.get("tier/config-requests?ordering(-id)").await;
    let found = all.as_array().unwrap().iter().find(|one| one["configuration"]["tier_level"] == level);
    found.unwrap_or_else(|| panic!("none of {level} in {all}")).clone()
}

fn path(request: &Value, action: &str) -> String {
    format!("tier/config-requests/{}/{action}", request["id"].as_str().unwrap())
}

fn refused(code: &str, text: &str) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, json!({"error_code": code, "errors": [text]}))
}

const NOTHING: (StatusCode, Value) = (StatusCode::NO_CONTENT, Value::Null);

fn value_of<'a>(object: &'a Value, id: &str) -> &'a Value {
    &object["params"].as_array().unwrap().iter().find(|param| param["id"] == id).unwrap()["value"]
}

/// Takes both configurations through their setup.
async fn set_up(rest: &Rest<'_>) {
    purchase(rest).await;
    let upper = request_of(rest, 2).await;
    assert_eq!(rest.post(&path(&upper, "approve"), json!({})).await.0, StatusCode::OK);
    let lower = request_of(rest, 1).await;
    let portal = json!({"params": [{"id": "portal", "value": "west"}]});
    assert_eq!(rest.order(&path(&lower, "pend"), portal).await, NOTHING);
    assert_eq!(rest.post(&path(&lower, "approve"), json!({})).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_purchase_waits_for_its_tiers() {
    let sandbox = sandbox(two_tiers()).await;
    let rest = Rest(&sandbox);
    let id = purchase(&rest).await;
    assert_eq!(sandbox.request(&id).unwrap()["status"], "tiers_setup");
    let (upper, lower) = (request_of(&rest, 2).await, request_of(&rest, 1).await);
    assert_eq!((&upper["status"], &lower["status"]), (&json!("pending"), &json!("tiers_setup")));
    assert_eq!((&upper["type"], &upper["environment"]), (&json!("setup"), &json!("production")));
    let config = upper["configuration"]["id"].as_str().unwrap();
    assert_eq!(upper["id"], config.replace("TC-", "TCR-") + "-001");
    assert_eq!(upper["configuration"]["account"]["name"], "Above");
    assert_eq!(upper["tiers"]["tier1"], Value::Null);
    assert_eq!(lower["parent_configuration"]["id"], config);
    assert_eq!(lower["tiers"]["tier2"]["id"], ABOVE);
    let of_config = format!("tier/configs/{config}");
    let (_, processing, _) = rest.get(&of_config).await;
    assert_eq!(processing["status"], "processing");
    assert_eq!(processing["open_request"], json!({"id": upper["id"]}));

    // The upper tier first.
    let update = json!({"params": [{"id": "partner_id", "value": "P-1"}], "notes": "by phone"});
    let (status, updated) = rest.put(path(&upper, "").trim_end_matches('/'), update).await;
    assert_eq!((status, &updated["notes"]), (StatusCode::OK, &json!("by phone")));
    let template = template_of(&rest, "tier2").await;
    let body = |id: &str| json!({"template": {"id": id}, "effective_date": "2026-01-02T03:04:05+00:00"});
    let unknown = format!("template.id: \"TL-9\" is no template of product {PRODUCT}.");
    assert_eq!(rest.post(&path(&upper, "approve"), body("TL-9")).await, refused("VAL_001", &unknown));
    let (status, approved) = rest.post(&path(&upper, "approve"), body(&template)).await;
    assert_eq!(status, StatusCode::OK);
    let shown = json!({"id": template, "representation": "Partner P-1"});
    assert_eq!(approved, json!({"template": shown, "effective_date": "2026-01-02T03:04:05+00:00"}));
    let (_, active, _) = rest.get(&of_config).await;
    assert_eq!((&active["status"], active.get("open_request")), (&json!("active"), None));
    assert_eq!(
        (value_of(&active, "partner_id"), &active["template"]["id"]),
        (&json!("P-1"), &json!(template))
    );

    // What tier 1 lacks is asked for in a form.
    let lower = request_of(&rest, 1).await;
    assert_eq!(lower["status"], "inquiring");
    assert_eq!(lower["parent_configuration"]["status"], "active", "it is shown as it is now");
    assert_eq!(lower["params"][0]["value_error"], "This field is required.");
    let link = lower["activation"]["link"].as_str().unwrap();
    assert_eq!(lower["template"]["representation"], format!("See {}", link.replace('&', "&amp;")));
    let (_, code) = link.rsplit_once("code=").unwrap();
    let form = format!("{}?code={code}", path(&lower, "pend"));
    let wrong_form = format!("{}?code=wrong", path(&lower, "pend"));
    let portal = json!({"params": [{"id": "portal", "value": "west"}]});
    assert_eq!(rest.order(&wrong_form, portal.clone()).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(rest.order(&form, json!({})).await, refused("VAL_001", "params: This field is required."));
    let nothing = json!({"params": [{"id": "portal", "value": ""}]});
    assert_eq!(
        rest.order(&form, nothing).await,
        refused("VAL_001", "params.portal: This field is required.")
    );
    let long = json!({"params": [{"id": "portal", "value": "far too long"}]});
    assert_eq!(rest.order(&form, long).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(rest.order(&form, portal).await, NOTHING);
    assert_eq!(request_of(&rest, 1).await["status"], "pending");
    assert_eq!(sandbox.request(&id).unwrap()["status"], "tiers_setup");

    let reseller = json!({"params": [{"id": "reseller_id", "value": "R-1"}]});
    rest.put(path(&lower, "").trim_end_matches('/'), reseller).await;
    let (_, approved) = rest.post(&path(&lower, "approve"), json!({})).await;
    assert_eq!(approved["template"]["representation"], "Portal west is ready");
    let of_lower = format!("tier/configs/{}/render", lower["configuration"]["id"].as_str().unwrap());
    for rendered in [path(&lower, "render"), of_lower] {
        let call = reqwest::Client::new().get(format!("{}/public/v1/{rendered}", sandbox.url()));
        let answer = call.header("Authorization", sandbox.api_key()).send().await.unwrap();
        assert_eq!(answer.headers()["Content-Type"], "text/markdown; charset=utf-8");
        assert_eq!(answer.text().await.unwrap(), "Portal west is ready");
    }
    let pending = sandbox.request(&id).unwrap();
    assert_eq!(pending["status"], "pending");
    assert_eq!(pending["asset"]["tiers"]["tier1"]["scopes"], json!(["tier1"]));
    deliver(&rest, &id).await;

    // Once only.
    let again = purchase(&rest).await;
    assert_eq!(sandbox.request(&again).unwrap()["status"], "pending");
    assert_eq!(rest.get("tier/config-requests?limit=0").await.2, "items 0-0/2");
    assert_eq!(rest.get("tier/configs?eq(status,active)&limit=0").await.2, "items 0-0/2");
}

#[tokio::test]
async fn a_setup_that_fails_takes_what_waits_along() {
    let sandbox = sandbox(two_tiers()).await;
    let rest = Rest(&sandbox);
    let id = purchase(&rest).await;
    let upper = request_of(&rest, 2).await;
    for body in [json!({}), json!({"reason": ""}), json!({"reason": 7}), json!(null)] {
        assert_eq!(
            rest.post(&path(&upper, "fail"), body).await,
            refused("VAL_001", "reason: This field is required.")
        );
    }
    assert_eq!(rest.post(&path(&upper, "fail"), json!({"reason": "no partner"})).await, NOTHING);
    let lower = request_of(&rest, 1).await;
    assert_eq!((&lower["status"], &lower["reason"]), (&json!("failed"), &json!("no partner")));
    let failed = sandbox.request(&id).unwrap();
    assert_eq!((&failed["status"], &failed["reason"]), (&json!("failed"), &json!("no partner")));
    assert_eq!(sandbox.asset(failed["asset"]["id"].as_str().unwrap()).unwrap()["status"], "terminated");
    settled(&sandbox).await;

    // The next purchase asks for the same configurations again.
    let id = purchase(&rest).await;
    assert_eq!(sandbox.request(&id).unwrap()["status"], "tiers_setup");
    assert_eq!(rest.get("tier/configs?limit=0").await.2, "items 0-0/2");
    let again = request_of(&rest, 2).await;
    assert_eq!(again["id"], upper["id"].as_str().unwrap().replace("-001", "-002"));
    rest.post(&path(&again, "approve"), json!({})).await;
    let lower = request_of(&rest, 1).await;
    assert_eq!(rest.order(&path(&lower, "fail"), json!({"reason": "the customer left"})).await, NOTHING);
    assert_eq!(sandbox.request(&id).unwrap()["reason"], "the customer left");
    assert_eq!(request_of(&rest, 2).await["status"], "approved");
}

#[tokio::test]
async fn a_product_asks_for_the_levels_it_says() {
    for (tiers, expected) in [
        (json!({"configs": {"level": 1}}), "items 0-0/1"),
        (json!({"configs": null}), "items 0-0/0"),
        (json!({"configs": {"level": "2"}}), "items 0-0/2"),
    ] {
        let sandbox = sandbox(tiers).await;
        let rest = Rest(&sandbox);
        let id = purchase(&rest).await;
        assert_eq!(rest.get("tier/configs?limit=0").await.2, expected);
        let status = if expected == "items 0-0/0" { "pending" } else { "tiers_setup" };
        assert_eq!(sandbox.request(&id).unwrap()["status"], status);
    }
}

#[tokio::test]
async fn a_vendor_inquires() {
    let sandbox = sandbox(two_tiers()).await;
    let rest = Rest(&sandbox);
    purchase(&rest).await;
    let upper = request_of(&rest, 2).await;
    let none = "For marking request to inquiring status at least one parameter should be marked as invalid.";
    assert_eq!(rest.post(&path(&upper, "inquire"), json!({})).await, refused("VAL_001", none));
    let own = path(&upper, "");
    let own = own.trim_end_matches('/');
    rest.put(own, json!({"params": [{"id": "level", "value": "x", "value_error": "No such level."}]})).await;
    assert_eq!(rest.post(&path(&upper, "inquire"), json!({})).await, NOTHING);
    let inquiring = request_of(&rest, 2).await;
    assert_eq!(inquiring["status"], "inquiring");
    assert!(inquiring["events"]["inquired"]["at"].is_string());
    let given = json!({"params": [{"id": "level", "value": "gold"}]});
    assert_eq!(rest.order(&path(&upper, "pend"), given).await, NOTHING);
    let pending = request_of(&rest, 2).await;
    assert_eq!(
        (value_of(&pending, "level"), &pending["params"][0]["value_error"]),
        (&json!("gold"), &json!(""))
    );
    // Or the vendor does it by hand.
    rest.put(own, json!({"params": [{"id": "level", "value_error": "Still wrong."}]})).await;
    rest.post(&path(&upper, "inquire"), json!({})).await;
    assert_eq!(rest.post(&path(&upper, "pend"), json!({})).await, NOTHING);
    assert_eq!(rest.order(&path(&upper, "assign"), json!({"email": "a@example.com"})).await, NOTHING);
    assert_eq!(request_of(&rest, 2).await["assignee"], json!({"email": "a@example.com"}));
    assert_eq!(rest.order(&path(&upper, "unassign"), json!({})).await, NOTHING);
    assert_eq!(request_of(&rest, 2).await["assignee"], Value::Null);
}

/// Every wrong transition, with its code.
#[tokio::test]
async fn the_status_machine_refuses() {
    const ACTIONS: [(&str, &[&str]); 5] = [
        ("approve", &["pending"]),
        ("inquire", &["pending"]),
        ("pend", &["inquiring"]),
        ("submit", &["draft"]),
        ("fail", &["pending", "inquiring", "tiers_setup"]),
    ];
    let sandbox = sandbox(two_tiers()).await;
    let rest = Rest(&sandbox);
    purchase(&rest).await;
    let made = request_of(&rest, 2).await;
    let wrong = refused("TC_006", "Tier configuration request status transition is not allowed.");
    let body = json!({"reason": "r", "params": [], "template": {"id": "TL-1"}});
    for status in ["draft", "tiers_setup", "pending", "inquiring", "approved", "failed"] {
        let mut request = made.clone();
        request["id"] = format!("TCR-{status}").into();
        request["status"] = status.into();
        request["configuration"]["id"] = format!("TC-{status}").into();
        sandbox.add_request(request.clone()).unwrap();
        for (action, from) in ACTIONS {
            if from.contains(&status) {
                continue;
            }
            let key = if action == "submit" { sandbox.distributor_key() } else { sandbox.api_key() };
            let path = path(&request, action);
            let (code, error, _) = rest.call_as(key, Method::POST, &path, Some(body.clone())).await;
            assert_eq!((code, error), wrong, "{action} from {status}");
        }
        if !["draft", "inquiring"].contains(&status) {
            assert_eq!(rest.order(&path(&request, "validate"), json!({})).await, wrong, "{status}");
        }
        if !["draft", "pending", "inquiring"].contains(&status) {
            let own = format!("tier/config-requests/TCR-{status}");
            assert_eq!(rest.put(&own, json!({"notes": "n"})).await, wrong, "{status}");
        }
        assert_eq!(sandbox.request(&format!("TCR-{status}")), Some(request), "nothing is changed");
    }
    let forbidden = |(status, error): (StatusCode, Value)| {
        assert_eq!((status, &error["error_code"]), (StatusCode::FORBIDDEN, &json!("AUTH_002")));
    };
    for action in ["approve", "inquire"] {
        forbidden(rest.order(&path(&made, action), body.clone()).await);
    }
    for action in ["submit", "validate"] {
        forbidden(rest.post(&path(&made, action), body.clone()).await);
    }
    for missing in
        ["tier/config-requests/TCR-9/approve", "tier/config-requests/TCR-pending/dance", "tier/nothing"]
    {
        assert_eq!(rest.post(missing, json!({})).await.0, StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn values_in_force_change_by_update_and_adjustment() {
    let sandbox = sandbox(two_tiers()).await;
    let rest = Rest(&sandbox);
    set_up(&rest).await;
    let config = request_of(&rest, 1).await["configuration"]["id"].as_str().unwrap().to_owned();
    let of_config = format!("tier/configs/{config}");
    let ask =
        |kind: &str, params: Value| json!({"type": kind, "configuration": {"id": config}, "params": params});
    let east = json!([{"id": "portal", "value": "east"}]);
    let (status, error) = rest.post("tier/config-requests", ask("update", east.clone())).await;
    assert_eq!((status, &error["error_code"]), (StatusCode::FORBIDDEN, &json!("AUTH_002")));
    assert_eq!(
        rest.order("tier/config-requests", ask("adjustment", json!([]))).await.0,
        StatusCode::FORBIDDEN
    );
    let (status, update) = rest.order("tier/config-requests", ask("update", east)).await;
    assert_eq!((status, &update["status"]), (StatusCode::CREATED, &json!("pending")));
    assert_eq!(
        update["previous_approved_request"]["id"],
        update["id"].as_str().unwrap().replace("-002", "-001")
    );
    let (_, open, _) = rest.get(&of_config).await;
    assert_eq!((&open["status"], &open["open_request"]["id"]), (&json!("processing"), &update["id"]));
    assert_eq!((value_of(&open, "portal"), value_of(&update, "portal")), (&json!("west"), &json!("east")));
    let (status, error) = rest.post("tier/config-requests", ask("adjustment", json!([]))).await;
    assert_eq!((status, &error["params"]["request_id"]), (StatusCode::CONFLICT, &update["id"]));

    // Nobody waits for other values.
    let id = purchase(&rest).await;
    assert_eq!(sandbox.request(&id).unwrap()["status"], "pending");
    rest.post(&path(&update, "fail"), json!({"reason": "no"})).await;
    let (_, kept, _) = rest.get(&of_config).await;
    assert_eq!((&kept["status"], value_of(&kept, "portal")), (&json!("active"), &json!("west")));

    let adjusted = ask("adjustment", json!([{"id": "reseller_id", "value": "R-2"}]));
    let (_, adjustment) = rest.post("tier/config-requests", adjusted).await;
    rest.post(&path(&adjustment, "approve"), json!({})).await;
    let (_, active, _) = rest.get(&of_config).await;
    assert_eq!(
        (value_of(&active, "reseller_id"), value_of(&active, "portal")),
        (&json!("R-2"), &json!("west"))
    );

    let again =
        json!({"configuration": {"product": {"id": PRODUCT}, "account": {"id": RESELLER}, "tier_level": 1}});
    assert_eq!(rest.order("tier/config-requests", again).await.0, StatusCode::CONFLICT, "it is set up");
}

#[tokio::test]
async fn a_setup_can_be_asked_for_by_hand() {
    let sandbox = sandbox(two_tiers()).await;
    let rest = Rest(&sandbox);
    let wanted = json!({"configuration": {"product": {"id": PRODUCT}, "account": {"id": RESELLER}, "tier_level": 1},
        "params": [{"id": "portal", "value": "west"}]});
    let (status, made) = rest.order("tier/config-requests", wanted).await;
    assert_eq!((status, &made["status"]), (StatusCode::CREATED, &json!("pending")), "{made}");
    assert_eq!(made["configuration"]["connection"]["id"], "CT-0001-0001");
    assert_eq!(made["tiers"]["tier2"]["id"], ABOVE);
    let of = |configuration: Value| json!({"configuration": configuration});
    let whole = json!({"product": {"id": PRODUCT}, "account": {"id": RESELLER}, "tier_level": 2});
    let mut other = whole.clone();
    other["product"]["id"] = json!(OTHER);
    for (body, text) in [
        (json!({}), "configuration: This field is required."),
        (of(json!({"id": "TC-9"})), "configuration.id: \"TC-9\" does not exist."),
        (of(json!({"product": 7})), "configuration.product: This field is required."),
        (
            of(json!({"product": {"id": PRODUCT}, "account": {"id": RESELLER}, "tier_level": 3})),
            "configuration.tier_level: This field is required.",
        ),
        (
            of(json!({"product": {"id": PRODUCT}, "account": {"id": "TA-9"}, "tier_level": 1})),
            "configuration.account.id: \"TA-9\" does not exist.",
        ),
        (of(other), "configuration.tier_level: The product has no configurations of tier2."),
        (
            json!({"type": "update", "configuration": whole}),
            "configuration: There is none of this account, product, connection and tier level.",
        ),
        (json!({"type": "dance"}), "type: \"dance\" is not a valid choice."),
    ] {
        assert_eq!(
            rest.order("tier/config-requests", body.clone()).await,
            refused("VAL_001", text),
            "{body}"
        );
    }
    assert_eq!(rest.get("tier/configs?limit=0").await.2, "items 0-0/1", "what is refused leaves nothing");
}

#[tokio::test]
async fn a_runner_gets_the_requests_in_their_order() {
    let sandbox = sandbox(two_tiers()).await;
    let rest = Rest(&sandbox);
    let path_of = format!("{ENVIRONMENT}/INS-1");
    let mut runner = Runner(Runner::open(&sandbox, &path_of, "", sandbox.api_key()).await.unwrap());
    let events = json!({"tier_config_setup_request_processing": ["pending"], "asset_purchase_request_processing": ["pending"],
        "tier_account_update_request_processing": ["pending"]});
    let setup = json!({"event_subscriptions": events});
    runner.send(&json!({"version": 2, "message_type": "setup_request", "data": setup})).await;
    let id = purchase(&rest).await;
    let done = json!({"result": "success"});
    for level in [2, 1] {
        let task = runner.task().await;
        let request = request_of(&rest, level).await;
        assert_eq!(task["data"]["input"]["event_type"], "tier_config_setup_request_processing");
        assert_eq!(task["data"]["input"]["object_id"], request["id"]);
        rest.post(&path(&request, "approve"), json!({})).await;
        runner.answer(task, done.clone()).await;
        if level == 2 {
            // It waits for the buyer, so nothing happens by itself.
            settled(&sandbox).await;
            let lower = request_of(&rest, 1).await;
            rest.order(&path(&lower, "pend"), json!({"params": [{"id": "portal", "value": "west"}]})).await;
        }
    }
    let task = runner.task().await;
    assert_eq!(task["data"]["input"]["object_id"], json!(id));
    deliver(&rest, &id).await;
    runner.answer(task, done).await;
    settled(&sandbox).await;
    let (_, told) = rest
        .order("tier/account-requests", json!({"type": "update", "account": {"id": CUSTOMER, "name": "New"}}))
        .await;
    let task = runner.task().await;
    assert_eq!(task["data"]["input"]["object_id"], told[0]["id"]);
    assert_eq!(task["data"]["input"]["event_type"], "tier_account_update_request_processing");
}

#[tokio::test]
async fn an_account_has_versions() {
    let sandbox = sandbox(two_tiers()).await;
    let rest = Rest(&sandbox);
    let body = json!({"name": "New", "type": "reseller", "contact_info": contact("Madrid"), "parent": {"id": ABOVE},
        "hub": {"id": "HB-0000-0001"}});
    assert_eq!(rest.post("tier/accounts", body.clone()).await.0, StatusCode::FORBIDDEN);
    let (status, made) = rest.order("tier/accounts", body).await;
    assert_eq!(
        (status, &made["version"], &made["parent"]["name"]),
        (StatusCode::CREATED, &json!(1), &json!("Above"))
    );
    assert_eq!(made["hub"], json!({"id": "HB-0000-0001", "name": "Hub"}));
    let own = format!("tier/accounts/{}", made["id"].as_str().unwrap());
    let (_, same) = sell(&rest, Method::PUT, &own, json!({"name": "New"})).await;
    assert_eq!(same, made, "what changes nothing makes no version");
    let (status, second) = sell(&rest, Method::PUT, &own, json!({"name": "Newer"})).await;
    assert_eq!((status, &second["version"]), (StatusCode::OK, &json!(2)));
    sell(&rest, Method::PUT, &own, json!({"contact_info": contact("Bilbao")})).await;
    let (_, versions, range) = rest.get(&format!("{own}/versions")).await;
    assert_eq!(range, "items 0-2/3");
    assert_eq!(versions[0], made);
    assert_eq!(
        (&versions[2]["name"], &versions[2]["contact_info"]["city"]),
        (&json!("Newer"), &json!("Bilbao"))
    );
    assert_eq!(rest.get(&format!("{own}/versions/2")).await.1, second);
    assert_eq!(rest.get(&format!("{own}/versions/3")).await.1, rest.get(&own).await.1);
    for missing in ["versions/4", "versions/0", "versions/x", "versions/-1"] {
        assert_eq!(rest.get(&format!("{own}/{missing}")).await.0, StatusCode::NOT_FOUND, "{missing}");
    }
    for (wrong, text) in [
        (json!({"contact_info": {}}), "contact_info.address_line1: This field is required."),
        (json!({"parent": {"id": "TA-9"}}), "parent.id: \"TA-9\" does not exist."),
        (json!({"type": "vendor"}), "type: \"vendor\" is not a valid choice."),
    ] {
        let (status, error) = sell(&rest, Method::PUT, &own, wrong).await;
        assert_eq!((status, error["errors"][0].as_str()), (StatusCode::BAD_REQUEST, Some(text)));
    }
}

#[tokio::test]
async fn vendors_are_told_of_a_changed_account() {
    let sandbox = sandbox(two_tiers()).await;
    let rest = Rest(&sandbox);
    set_up(&rest).await;
    let first = sandbox.requests()[0]["id"].as_str().unwrap().to_owned();
    deliver(&rest, &first).await;
    let open = purchase(&rest).await;
    purchase_of(&rest, OTHER, "CT-0001-0002", "").await;
    let own = format!("tier/accounts/{RESELLER}");
    assert_eq!(rest.get(&own).await.1["scopes"], json!(["tier1"]));
    let change = |changes: Value| {
        let mut body = json!({"type": "update", "account": {"id": RESELLER}});
        body["account"].as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    let (status, told) = rest.order("tier/account-requests", change(json!({"name": "Renamed"}))).await;
    assert_eq!(status, StatusCode::CREATED);
    let told = told.as_array().unwrap();
    let found: Vec<_> = told
        .iter()
        .map(|one| (one["product"]["id"].as_str().unwrap(), one["status"].as_str().unwrap()))
        .collect();
    assert_eq!(found, [(PRODUCT, "pending"), (OTHER, "unsupported")]);
    assert_eq!(told[0]["id"], "TAR-1000-0000-0002-002-001");
    assert_eq!((&told[0]["account"]["version"], &told[0]["account"]["name"]), (&json!(2), &json!("Renamed")));
    assert_eq!(told[1]["reason"], "Product does not support contact details change.");

    // It is shown wherever it is used.
    let config = request_of(&rest, 1).await["configuration"].clone();
    assert_eq!(
        (&config["account"]["name"], &config["tiers"]["tier1"]["name"]),
        (&json!("Renamed"), &json!("Renamed"))
    );
    assert_eq!(sandbox.request(&open).unwrap()["asset"]["tiers"]["tier1"]["name"], "Renamed");
    let closed = sandbox.request(&first).unwrap();
    assert_eq!(closed["asset"]["tiers"]["tier1"]["name"], RESELLER, "what is over stays as it was");
    let asset = sandbox.asset(closed["asset"]["id"].as_str().unwrap()).unwrap();
    assert_eq!((&asset["status"], &asset["tiers"]["tier1"]["name"]), (&json!("active"), &json!("Renamed")));
    assert_eq!(sandbox.tier_account(CUSTOMER).unwrap()["parent"]["name"], "Renamed");

    let pending = format!("tier/account-requests/{}", told[0]["id"].as_str().unwrap());
    assert_eq!(rest.order(&format!("{pending}/accept"), json!({})).await.0, StatusCode::FORBIDDEN);
    let (status, accepted) = rest.post(&format!("{pending}/accept"), json!({})).await;
    assert_eq!((status, &accepted["status"]), (StatusCode::OK, &json!("accepted")));
    for (action, text) in [
        ("accept", "Only pending tier account requests can be accepted."),
        ("ignore", "Only pending tier account requests can be ignored."),
    ] {
        for one in [&told[0], &told[1]] {
            let path = format!("tier/account-requests/{}/{action}", one["id"].as_str().unwrap());
            assert_eq!(rest.post(&path, json!({})).await, refused("VAL_001", text));
        }
    }
    let (_, again) = rest.order("tier/account-requests", change(json!({"tax_id": "T"}))).await;
    let ignored = format!("tier/account-requests/{}/ignore", again[0]["id"].as_str().unwrap());
    assert_eq!(rest.post(&ignored, json!({"reason": "r".repeat(256)})).await.0, StatusCode::BAD_REQUEST);
    let (_, ignored) = rest.post(&ignored, json!({"reason": "not ours"})).await;
    assert_eq!((&ignored["status"], &ignored["reason"]), (&json!("ignored"), &json!("not ours")));
    assert_eq!(rest.get(&own).await.1["tax_id"], "T", "ignoring does not revert it");

    let (status, error) = rest.order("tier/account-requests", change(json!({"tax_id": "T"}))).await;
    assert_eq!((status, &error["error_code"]), (StatusCode::BAD_REQUEST, &json!("TAR_004")));
    let (status, _, _) = rest.call_as(sandbox.distributor_key(), Method::DELETE, &own, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(rest.get(&own).await.0, StatusCode::NOT_FOUND);
    assert_eq!(rest.get(&format!("tier/accounts?eq(id,{RESELLER})")).await.2, "items 0-0/0");
    let asset = sandbox.asset(closed["asset"]["id"].as_str().unwrap()).unwrap();
    assert_eq!(asset["tiers"]["tier1"]["name"], "Renamed", "what was bought for it still shows it");
    let whole = json!({"type": "purchase", "asset": {"product": {"id": "PRD-9"}, "tiers": {"tier1": config["account"]}}});
    let gone = format!("asset.tiers.tier1.id: \"{RESELLER}\" does not exist.");
    assert_eq!(rest.order("requests", whole).await, refused("VAL_001", &gone));
    let (status, error) = rest.order("tier/account-requests", change(json!({"tax_id": "U"}))).await;
    assert_eq!((status, &error["error_code"]), (StatusCode::BAD_REQUEST, &json!("TAR_003")));
    for (body, text) in [
        (json!({}), "type: This field is required."),
        (json!({"type": "new"}), "type: \"new\" is not a valid choice."),
        (json!({"type": "update"}), "account.id: This field is required."),
        (json!({"type": "update", "account": {"id": "TA-9"}}), "account.id: \"TA-9\" does not exist."),
        (json!({"type": "update", "account": {"id": ABOVE, "name": 7}}), "account.name: Not a valid string."),
    ] {
        assert_eq!(rest.order("tier/account-requests", body).await, refused("VAL_001", text));
    }
}

#[tokio::test]
async fn new_accounts_come_with_an_order() {
    let sandbox = sandbox(json!({"configs": null})).await;
    let rest = Rest(&sandbox);
    let order = |tier1: Value| {
        json!({"type": "purchase", "marketplace": {"id": "MP-00001"}, "asset": {"product": {"id": OTHER},
            "connection": {"id": "CT-0001-0002"}, "external_id": "1", "external_uid": "u",
            "items": [{"id": "PRD_100_000_002_0001", "quantity": "1"}], "params": [],
            "tiers": {"customer": {"id": CUSTOMER}, "tier1": tier1, "tier2": {}}}})
    };
    let (_, request) =
        rest.order("requests", order(json!({"name": "Fresh", "contact_info": contact("Vigo")}))).await;
    let made = &request["asset"]["tiers"]["tier1"];
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("TA-") && id.len() == "TA-0000-0000-0000".len(), "{id}");
    assert_eq!((&made["type"], &made["scopes"]), (&json!("reseller"), &json!(["tier1"])));
    assert_eq!(&sandbox.tier_account(id).unwrap(), made);
    assert_eq!(request["asset"]["tiers"]["customer"]["contact_info"]["city"], "Madrid", "it is shown whole");
    assert_eq!(
        rest.order("requests", order(json!({"id": "TA-9"}))).await,
        refused("VAL_001", "asset.tiers.tier1.id: \"TA-9\" does not exist.")
    );
    let (status, error) =
        rest.order("requests", order(json!({"name": "Fresh", "contact_info": {"city": ""}}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(error["errors"][0], "asset.tiers.tier1.contact_info.address_line1: This field is required.");
}

/// Connects a runner that validates, and answers each validation: a portal of that name is wrong.
async fn validator(sandbox: &Sandbox, wrong: &'static str) -> tokio::task::JoinHandle<()> {
    let path = format!("{ENVIRONMENT}/INS-1");
    let mut runner = Runner(Runner::open(sandbox, &path, "", sandbox.api_key()).await.unwrap());
    let events = json!({"tier_config_setup_request_validation": ["draft", "inquiring"],
        "tier_config_change_request_validation": ["draft"]});
    let setup = json!({"event_subscriptions": events});
    runner.send(&json!({"version": 2, "message_type": "setup_request", "data": setup})).await;
    runner.receive().await;
    tokio::spawn(async move {
        loop {
            let task = runner.task().await;
            let mut object = task["data"]["input"]["data"].clone();
            object["status"] = "approved".into();
            object["notes"] = "taken over?".into();
            for param in object["params"].as_array_mut().unwrap() {
                if param["id"] == "portal" {
                    let error = if param["value"] == wrong { "Taken." } else { "" };
                    param["value_error"] = error.into();
                    param["title"] = "taken over?".into();
                }
            }
            let data = json!({"http_status": 200, "headers": null, "body": object});
            runner.answer(task, json!({"result": "success", "data": data})).await;
        }
    })
}

#[tokio::test]
async fn a_draft_is_validated_before_it_is_submitted() {
    let tiers = json!({"configs": {"level": 1, "update": {"validation": true}}, "validation": true});
    let sandbox = sandbox(tiers).await;
    let rest = Rest(&sandbox);
    let wanted = json!({"configuration": {"product": {"id": PRODUCT}, "account": {"id": RESELLER}, "tier_level": 1},
        "params": [{"id": "portal", "value": "west"}]});
    let (_, made) = rest.order("tier/config-requests", wanted).await;
    assert_eq!(made["status"], "draft");
    // Nobody is there to say what it thinks of it.
    let east = json!({"params": [{"id": "portal", "value": "east"}]});
    let (status, error) = rest.order(&path(&made, "validate"), east.clone()).await;
    assert_eq!((status, &error["error_code"]), (StatusCode::BAD_REQUEST, &json!("VAL_001")));
    assert_eq!(request_of(&rest, 1).await, made);

    let _validator = validator(&sandbox, "east").await;
    let (status, told) = rest.order(&path(&made, "validate"), east).await;
    assert_eq!((status, &told["status"], &told["notes"]), (StatusCode::OK, &json!("draft"), &Value::Null));
    assert_eq!(
        (value_of(&told, "portal"), &told["params"][0]["value_error"]),
        (&json!("east"), &json!("Taken."))
    );
    assert_eq!(told["params"][0]["title"], made["params"][0]["title"]);
    assert_eq!(
        rest.order(&path(&made, "submit"), json!({})).await,
        refused("VAL_001", "params.portal: Taken.")
    );
    let north = json!({"params": [{"id": "portal", "value": "north"}]});
    let (_, told) = rest.order(&path(&made, "validate"), north).await;
    assert_eq!(told["params"][0]["value_error"], "");
    let (status, submitted) = rest.order(&path(&made, "submit"), json!({})).await;
    assert_eq!((status, &submitted["status"]), (StatusCode::OK, &json!("pending")));
    rest.post(&path(&made, "approve"), json!({})).await;

    let update = json!({"type": "update", "configuration": {"id": made["configuration"]["id"]}});
    let (_, update) = rest.order("tier/config-requests", update).await;
    assert_eq!(update["status"], "draft");
    assert_eq!(rest.order(&path(&update, "validate"), json!({})).await.0, StatusCode::OK);
    let empty = json!({"params": [{"id": "portal", "value": ""}]});
    let (_, inquiring) = rest.order(&path(&update, "submit"), empty).await;
    assert_eq!(inquiring["status"], "inquiring", "what is missing is asked for");
}

#[tokio::test]
async fn what_is_typed_into_an_inquiry_is_validated() {
    let tiers = json!({"configs": {"level": 1, "setup": {"inquiring_validation": true}}});
    let sandbox = sandbox(tiers).await;
    let rest = Rest(&sandbox);
    purchase(&rest).await;
    let asked = request_of(&rest, 1).await;
    assert_eq!(asked["status"], "inquiring");
    let _validator = validator(&sandbox, "east").await;
    let portal = |value: &str| json!({"params": [{"id": "portal", "value": value}]});
    assert_eq!(
        rest.order(&path(&asked, "pend"), portal("east")).await,
        refused("VAL_001", "params.portal: Taken.")
    );
    let still = request_of(&rest, 1).await;
    assert_eq!((&still["status"], value_of(&still, "portal")), (&json!("inquiring"), &json!("east")));
    assert_eq!(rest.order(&path(&asked, "pend"), portal("west")).await, NOTHING);
    assert_eq!(request_of(&rest, 1).await["status"], "pending");
}

#[tokio::test]
async fn tests_act_on_tiers_as_on_assets() {
    let sandbox = sandbox(two_tiers()).await;
    set_up(&Rest(&sandbox)).await;
    let configs = sandbox.tier_configs();
    let config = configs.iter().find(|config| config["tier_level"] == 1).unwrap()["id"].as_str().unwrap();
    let id = sandbox.order("update", config).param("portal", "east").send().unwrap();
    sandbox.assert_request(
        &id,
        json!({"type": "update", "status": "pending", "params": [{"id": "portal", "value": "east"}]}),
    );
    sandbox.update(&id, json!({"params": [{"id": "portal", "value_error": "no"}]})).unwrap();
    sandbox.act(&id, "inquire", json!({})).unwrap();
    sandbox.act(&id, "pend", json!({"params": [{"id": "portal", "value": "south"}]})).unwrap();
    sandbox.act(&id, "approve", json!({})).unwrap();
    sandbox.assert_tier_config(
        config,
        json!({"status": "active", "params": [{"id": "portal", "value": "south"}]}),
    );
    assert_eq!(sandbox.tier_config_requests().len(), 3);
    let told = sandbox.change_tier_account(RESELLER, json!({"name": "Renamed"})).unwrap();
    let told = told[0]["id"].as_str().unwrap();
    sandbox.act(told, "accept", json!({})).unwrap();
    sandbox.assert_request(told, json!({"status": "accepted"}));
    assert!(sandbox.act(told, "approve", json!({})).unwrap_err().to_string().contains("approve"));
    assert!(
        sandbox.act(&id, "approve", json!({})).is_err()
            && sandbox.act("TCR-9", "approve", json!({})).is_err()
    );
}

/// Whatever is sent, the answer is one of Connect's.
#[tokio::test]
async fn odd_bodies_are_refused() {
    let sandbox = sandbox(two_tiers()).await;
    let rest = Rest(&sandbox);
    set_up(&rest).await;
    let config = sandbox.tier_configs()[0]["id"].clone();
    let mut odd = request_of(&rest, 2).await;
    odd["id"] = "TCR-odd".into();
    odd["status"] = "pending".into();
    odd["params"] = json!([7, null, {}, {"id": 7}, {"id": "level", "value_error": "x"}]);
    odd["events"] = json!("x");
    odd["configuration"] = json!([]);
    sandbox.add_request(odd).unwrap();
    let bodies = [
        json!([]),
        json!("x"),
        json!({}),
        json!({"params": 7, "reason": [], "notes": 7, "type": 7, "account": 7, "configuration": 7, "template": 7}),
        json!({"params": [7], "configuration": {"id": config}, "template": {"id": 7}, "effective_date": 7}),
        json!({"params": [{"id": "level"}], "type": "adjustment", "configuration": {"id": config}, "reason": "r"}),
        json!({"contact_info": [], "parent": 7, "hub": 7, "type": "update", "account": {"id": RESELLER, "contact_info": 7}}),
        json!({"params": [{"id": "level", "value": {}, "structured_value": 7, "value_error": []}]}),
    ];
    let actions = ["approve", "fail", "inquire", "pend", "submit", "validate", "assign", "unassign"];
    for body in &bodies {
        let mut calls = vec![
            (Method::POST, "tier/config-requests".to_owned()),
            (Method::PUT, "tier/config-requests/TCR-odd".to_owned()),
            (Method::POST, "tier/accounts".to_owned()),
            (Method::PUT, format!("tier/accounts/{RESELLER}")),
            (Method::POST, "tier/account-requests".to_owned()),
        ];
        calls.extend(actions.map(|action| (Method::POST, format!("tier/config-requests/TCR-odd/{action}"))));
        for (method, path) in calls {
            for key in [sandbox.api_key(), sandbox.distributor_key()] {
                let (status, answer, _) = rest.call_as(key, method.clone(), &path, Some(body.clone())).await;
                assert!(status.as_u16() < 500, "{method} {path} {body}: {status} {answer}");
                if !status.is_success() {
                    assert!(
                        answer["errors"][0].as_str().is_some_and(|text| !text.is_empty()),
                        "{path} {answer}"
                    );
                }
            }
        }
    }
    // It is still there to be read.
    assert_eq!(rest.get("tier/config-requests?limit=1").await.0, StatusCode::OK);
}

/// Samples of Connect's own go through their life here.
#[tokio::test]
async fn real_requests_are_taken_as_they_are() {
    let folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !folder.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "the samples are missing: {}", folder.display());
        eprintln!("skipped: no samples at {}", folder.display());
        return;
    }
    let mut approved = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("tier-config-request") || name.contains("create-body") {
            continue;
        }
        let sample: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let list = if let Value::Array(list) = sample { list } else { vec![sample] };
        for request in list {
            let sandbox = Sandbox::start().await.unwrap();
            let rest = Rest(&sandbox);
            let id = sandbox.add_request(request.clone()).unwrap();
            let own = format!("tier/config-requests/{id}");
            assert_eq!(rest.get(&own).await.1, request, "{name}");
            if request["status"] != "pending" {
                continue;
            }
            let known = ["/params/0/id", "/configuration/params/0/id"]
                .into_iter()
                .find_map(|place| request.pointer(place));
            if let Some(known) = known {
                let (status, changed) =
                    rest.put(&own, json!({"params": [{"id": known, "value": "7"}]})).await;
                assert_eq!(
                    (status, &changed["params"][0]["value"]),
                    (StatusCode::OK, &json!("7")),
                    "{name}: {changed}"
                );
            }
            let body = json!({"template": {"id": "TL-000-000-000"}});
            let (status, answer) = rest.post(&format!("{own}/approve"), body).await;
            assert_eq!(
                (status, &answer["template"]["id"]),
                (StatusCode::OK, &json!("TL-000-000-000")),
                "{name}"
            );
            approved += 1;
        }
    }
    assert!(approved >= 3, "{approved}");
}
