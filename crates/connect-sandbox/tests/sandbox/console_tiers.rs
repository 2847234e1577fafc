//! Tier configurations and tier accounts in the console, without its script.

use connect_sandbox::Sandbox;
use reqwest::{Client, StatusCode, redirect::Policy};
use serde_json::{Value, json};

use crate::support::Rest;

const PRODUCT: &str = "PRD-000-100-002";

async fn get(sandbox: &Sandbox, path: &str) -> String {
    let answer = Client::new().get(format!("{}{path}", sandbox.url())).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

/// Presses a button; where it leads to, or the page that says why not.
async fn press(sandbox: &Sandbox, path: &str, fields: &[(&str, &str)]) -> Result<String, String> {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let call = client.post(format!("{}{path}", sandbox.url())).header("Origin", sandbox.url());
    let answer =
        call.header("Content-Type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
    match answer.headers().get("Location") {
        Some(place) => Ok(place.to_str().unwrap().to_owned()),
        None => Err(answer.text().await.unwrap()),
    }
}

/// A purchase with two tiers.
async fn purchase(sandbox: &Sandbox) -> String {
    let body = json!({"type": "purchase", "marketplace": {"id": "MP-00001"}, "asset": {"product": {"id": PRODUCT},
        "external_id": "1", "external_uid": "u-1", "items": [{"mpn": "NS-DEVICE", "quantity": "3"}],
        "params": [{"id": "customer_domain", "value": "a.example"}], "tiers": {
            "customer": {"id": "TA-1000-0000-0011"}, "tier1": {"id": "TA-1000-0000-0002"}, "tier2": {"id": "TA-1000-0000-0001"}}}});
    let (status, made) = Rest(sandbox).order("requests", body).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

fn of_level(sandbox: &Sandbox, level: u8) -> Value {
    let all = sandbox.tier_config_requests();
    all.into_iter().find(|one| one["configuration"]["tier_level"] == level).unwrap()
}

#[tokio::test]
async fn tiers_are_set_up_by_buttons() {
    let sandbox = Sandbox::start().await.unwrap();
    assert!(get(&sandbox, "/tier-configs").await.contains("There is no tier config."));
    let id = purchase(&sandbox).await;
    sandbox.assert_request(&id, json!({"status": "tiers_setup"}));

    let upper = of_level(&sandbox, 2)["id"].as_str().unwrap().to_owned();
    let waits = get(&sandbox, &format!("/requests/{id}")).await;
    assert!(
        waits.contains("Waits for its tiers") && waits.contains(&format!("/tier-config-requests/{upper}"))
    );
    let page = get(&sandbox, &format!("/tier-config-requests/{upper}")).await;
    for shown in ["Setup", "Approve", "Inquire", "Fail", "Partner ready", "Harbor IT Services"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(!page.contains("Portal ready"), "that template is for tier 1");
    let path = format!("/tier-config-requests/{upper}");
    let wrong = press(&sandbox, &format!("{path}/fail"), &[("reason", "")]).await.unwrap_err();
    assert!(wrong.contains("reason: This field is required."));
    let told = [("e:partner_level", "No such level.")];
    assert_eq!(press(&sandbox, &format!("{path}/inquire"), &told).await, Ok(path.clone()));
    assert!(get(&sandbox, &path).await.contains("No such level."));
    assert_eq!(
        press(&sandbox, &format!("{path}/pend"), &[("p:partner_level", "gold")]).await,
        Ok(path.clone())
    );
    assert_eq!(
        press(&sandbox, &format!("{path}/params"), &[("p:partner_id", "P-7")]).await,
        Ok(path.clone())
    );
    assert_eq!(press(&sandbox, &format!("{path}/approve"), &[("template", "")]).await, Ok(path.clone()));
    sandbox.assert_request(
        &upper,
        json!({"status": "approved", "template": {"name": "Partner ready",
        "representation": "You are partner P-7 of level gold."}}),
    );

    let lower = of_level(&sandbox, 1)["id"].as_str().unwrap().to_owned();
    let path = format!("/tier-config-requests/{lower}");
    let short = press(&sandbox, &format!("{path}/pend"), &[("p:reseller_portal", "x")]).await.unwrap_err();
    assert!(short.contains("params.reseller_portal"), "{short}");
    press(&sandbox, &format!("{path}/pend"), &[("p:reseller_portal", "bright")]).await.unwrap();
    press(&sandbox, &format!("{path}/approve"), &[("template", "")]).await.unwrap();
    let config = of_level(&sandbox, 1)["configuration"]["id"].as_str().unwrap().to_owned();

    assert!(!get(&sandbox, &format!("/requests/{id}")).await.contains("Waits for its tiers"));

    // Another value, from the configuration's page.
    let path = format!("/tier-configs/{config}");
    let page = get(&sandbox, &path).await;
    assert!(page.contains("/tier-accounts/TA-1000-0000-0002"), "{page}");
    assert!(page.contains("Update") && page.contains("Adjustment") && page.contains("bright"));
    let long = "x".repeat(31);
    let wrong =
        press(&sandbox, &format!("{path}/update"), &[("p:reseller_portal", &long)]).await.unwrap_err();
    assert!(wrong.contains(&long), "what was typed comes again");
    let next = press(&sandbox, &format!("{path}/update"), &[("p:reseller_portal", "dark")]).await.unwrap();
    assert!(next.ends_with("-002"), "{next}");
    assert!(!get(&sandbox, &path).await.contains("Adjustment"), "one at a time");
    press(&sandbox, &format!("{next}/approve"), &[("template", "")]).await.unwrap();
    sandbox.assert_tier_config(&config, json!({"params": [{"id": "reseller_portal", "value": "dark"}]}));
    let list = get(&sandbox, "/tier-configs").await;
    for shown in [&upper, &lower, &config] {
        assert!(list.contains(shown.as_str()), "{shown}");
    }
}

#[tokio::test]
async fn an_account_is_edited_and_its_vendors_answer() {
    let sandbox = Sandbox::start().await.unwrap();
    purchase(&sandbox).await;
    assert!(get(&sandbox, "/tier-accounts").await.contains("Northwind Bakery"));
    assert!(get(&sandbox, "/tier-accounts?text=lumi").await.contains("Atelier"));
    let path = "/tier-accounts/TA-1000-0000-0011";
    let same = [("/name", "Northwind Bakery"), ("/contact_info/city", "Leipzig")];
    let wrong = press(&sandbox, &format!("{path}/edit"), &same).await.unwrap_err();
    assert!(wrong.contains("Nothing of the tier account is changed."), "{wrong}");
    let edit = [("/name", "Northwind Bakery"), ("/contact_info/city", "Dresden")];
    assert_eq!(press(&sandbox, &format!("{path}/edit"), &edit).await, Ok(path.to_owned()));
    let page = get(&sandbox, path).await;
    assert!(page.contains("version 2") && page.contains("Dresden") && page.contains("Version 1"), "{page}");
    let request = "/tier-account-requests/TAR-1000-0000-0011-002-001";
    assert!(page.contains(request));
    let page = get(&sandbox, request).await;
    assert!(page.contains("Accept") && page.contains("Ignore") && page.contains("Nimbus Shield"));
    assert_eq!(press(&sandbox, &format!("{request}/accept"), &[]).await, Ok(request.to_owned()));
    let page = press(&sandbox, &format!("{request}/ignore"), &[("reason", "late")]).await.unwrap_err();
    assert!(page.contains("Only pending tier account requests can be ignored."));
    assert!(!get(&sandbox, request).await.contains("Ignore"));
    assert_eq!(press(&sandbox, &format!("{path}/decommission"), &[]).await, Ok("/tier-accounts".to_owned()));
    assert!(!get(&sandbox, "/tier-accounts").await.contains("TA-1000-0000-0011\""));
}
