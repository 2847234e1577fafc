//! The sandbox's console in Chromium, with an extension in the same process as in `dev`.
//!
//! Where there is no Chromium the test says so and is left out, but in CI it fails. Screenshots are in
//! `target/console`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

mod browser;
mod extension;

use connect_fulfillment::{
    runner::{Environment, Runner},
    sandbox::{Recorder, Sandbox},
};
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use tokio::sync::oneshot;
use tracing_subscriber::layer::SubscriberExt;

use browser::Browser;

/// Where the product of the test is ordered.
const ORDER: &str = "purchase?product=PRD-000-000-001";

fn seed() -> Value {
    json!({"id": "PR-0000-0000-0001-001", "type": "purchase", "status": "approved", "created": "2026-01-02T03:04:05+00:00",
        "updated": "2026-01-02T03:05:05+00:00", "marketplace": {"id": "MP-00001", "name": "Example Marketplace"},
        "events": {"created": {"at": "2026-01-02T03:04:05+00:00"}, "approved": {"at": "2026-01-02T03:05:05+00:00"}},
        "asset": {"id": "AS-0000-0000-0001", "status": "active", "external_id": "EXT-1",
            "product": {"id": "PRD-000-000-001", "name": "Example Hosting"},
            "connection": {"id": "CT-0000-0000-0001", "hub": {"id": "HB-0000-0001", "name": "Example Hub"}},
            "tiers": {"customer": {"id": "TA-0000-0000-0001", "name": "Lindqvist AB"}},
            "items": [{"id": "1", "display_name": "Seat", "mpn": "SEAT", "period": "Monthly", "quantity": "5", "old_quantity": "0"}],
            "params": [
                {"id": "domain", "title": "Domain", "type": "domain", "phase": "ordering", "value": "a.example",
                    "constraints": {"required": true, "max_length": 64, "hint": "Where the mail goes to"}},
                {"id": "size", "title": "Size", "type": "dropdown", "phase": "ordering", "value": "s",
                    "constraints": {"choices": [{"label": "Small", "value": "s"}, {"label": "Large", "value": "l"}]}},
                {"id": "customer_id", "title": "Customer id", "type": "text", "phase": "fulfillment", "value": "CUS-1"}]}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_goes_from_the_form_to_its_approval() {
    let Some(browser) = Browser::start().await else { return };
    let recorder = Recorder::default();
    let subscriber = tracing_subscriber::registry().with(recorder.layer());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let sandbox = Sandbox::builder().recorder(recorder).request(seed()).speed(15.0).start().await.unwrap();
    sandbox
        .add_schedule(json!({"id": "EFS-0000-0001-01-0001", "name": "Refresh the token", "method": "refresh",
            "parameter": {"depth": 3}}))
        .unwrap();
    let environment = Environment::from_vars(sandbox.environment(), true).unwrap();
    let runner = Runner::new(extension::extension().into(), environment).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(runner.run_until(async { _ = stopped.await }, std::future::pending::<()>()));

    let home = sandbox.console_url().unwrap();
    let end = run(&browser, &home, &sandbox).await;
    if end.is_err() {
        browser.screenshot("failed").await.unwrap();
    }
    end.unwrap();
    stop.send(()).unwrap();
    running.await.unwrap();
    browser.quit().await;
    sandbox.stop().await;
}

async fn run(browser: &Browser, home: &str, sandbox: &Sandbox) -> WebDriverResult<()> {
    browser.goto(home).await?;
    browser.waits_for("main", "Lindqvist AB").await?;
    browser.screenshot("requests").await?;

    // A purchase in the form, by keys: `n` opens it.
    browser.press("n").await?;
    browser.waits_for(".choices", "Nimbus Shield").await?;
    browser.screenshot("purchase-products").await?;
    browser.clicks(&format!("a[href='/{ORDER}']")).await?;
    browser.waits_for("h1", "New purchase").await?;
    browser.screenshot("purchase-form").await?;
    browser.types("#p\\:domain", "b.example").await?;
    browser.selects("#customer", "A new account…").await?;
    browser.types("[name='customer:name']", "<b>Ünlü & Söhne</b>").await?;
    browser.clicks("form.order button.primary").await?;

    // It goes through: the page follows by itself.
    browser.waits_for("#timeline", "comes again in").await?;
    browser.screenshot("request-under-way").await?;
    browser.waits_for("#head .chip", "approved").await?;
    browser.waits_for("#timeline", "Approve request").await?;
    browser.waits_for("#facts", "CUS-0002").await?;
    browser.waits_for("#head", "<b>Ünlü & Söhne</b>").await?;
    for details in browser.all("#timeline .attempt > .card > details > summary").await? {
        details.click().await?;
    }
    for text in ["Transaction Create customer", "the customer is made", "INFO", "POST", "/approve"] {
        browser.waits_for("#timeline", text).await?;
    }
    let call = browser.all("#timeline details.call > summary").await?.pop().unwrap();
    call.click().await?;
    browser.waits_for("#timeline pre", "template_id").await?;
    browser.screenshot("request-approved").await?;
    let id = browser.text("h1 code").await?;
    assert_eq!(sandbox.request(&id).unwrap()["template"]["id"], "TL-000-000-001");

    // A variable: the next task has it.
    browser.goto(&format!("{home}variables")).await?;
    browser.clicks("[data-key='edit-ACTIVATION_TEMPLATE'] > summary").await?;
    browser.types("#v-ACTIVATION_TEMPLATE", "TL-000-000-002").await?;
    browser.clicks("[data-key='edit-ACTIVATION_TEMPLATE'] button").await?;
    browser.waits_for("#variables", "changed").await?;
    browser.screenshot("variables").await?;
    browser.goto(&format!("{home}{ORDER}")).await?;
    browser.types("#p\\:domain", "c.example").await?;
    browser.clicks("form.order button.primary").await?;
    browser.waits_for("#head .chip", "approved").await?;
    let second = browser.text("h1 code").await?;
    assert_eq!(sandbox.request(&second).unwrap()["template"]["id"], "TL-000-000-002");

    // A schedule.
    browser.goto(&format!("{home}schedules")).await?;
    browser.screenshot("schedules").await?;
    browser.clicks("[aria-label='Run EFS-0000-0001-01-0001 now']").await?;
    browser.waits_for("#timeline .chip", "success").await?;
    browser.clicks("#timeline .attempt > .card > details > summary").await?;
    browser.waits_for("#timeline", "refreshed to a depth of 3").await?;
    browser.screenshot("schedule").await?;

    browser.goto(&format!("{home}schedules")).await?;
    browser.clicks("[data-key='schedule'] > summary").await?;
    browser.types("[name='name']", "By hand").await?;
    browser.types("[name='parameter']", "{\"depth\"").await?;
    browser.screenshot("new-schedule").await?;
    browser.clicks("[data-key='schedule'] button").await?;
    browser.waits_for(".errors", "It is not JSON").await?;
    browser.types("[name='parameter']", "{\"depth\": 4}").await?;
    browser.clicks("[data-key='schedule'] button").await?;
    browser.waits_for("#list", "By hand").await?;

    action_by_hand(browser, home).await?;

    // An inquiry, with what the sandbox refuses told beside its field.
    sandbox.add_request(asset_request("PR-0000-0000-0009-001")).unwrap();
    browser.goto(&format!("{home}requests/PR-0000-0000-0009-001")).await?;
    browser.clicks("[data-key='action-inquire'] > summary").await?;
    browser.screenshot("inquire").await?;
    browser.types("[name='e:domain']", "is taken").await?;
    browser.clicks("[data-key='action-inquire'] button").await?;
    browser.waits_for("#head .chip", "inquiring").await?;
    browser.clicks("[data-key='action-pend'] > summary").await?;
    browser.screenshot("answer").await?;

    goes_wrong(browser, home, sandbox).await?;

    let tiers = waits_for_tiers(browser, home, sandbox).await?;

    every_page(browser, home, &id, &tiers).await?;
    browser.looks("light", 1280).await?;
    browser.goto(home).await?;
    browser.press("?").await?;
    browser.waits_for("#help", "Next and previous").await?;
    browser.screenshot("keys").await?;
    Ok(())
}

/// Every page: named fields, no sideways scrolling on a phone, readable in light and dark, no complaint.
async fn every_page(browser: &Browser, home: &str, id: &str, tiers: &str) -> WebDriverResult<()> {
    for (name, path) in [
        ("requests", String::new()),
        ("request", format!("requests/{id}")),
        ("inquiring", "requests/PR-0000-0000-0009-001".to_owned()),
        ("purchase", ORDER.to_owned()),
        ("purchase-of-the-catalogue", "purchase?product=PRD-000-100-001".to_owned()),
        ("products", "products".to_owned()),
        ("product", "products/PRD-000-100-001".to_owned()),
        ("assets", "assets".to_owned()),
        ("asset", "assets/AS-0000-0000-0001".to_owned()),
        ("tier-configs", "tier-configs".to_owned()),
        ("tier-config-request", format!("tier-config-requests/{tiers}")),
        ("tier-accounts", "tier-accounts".to_owned()),
        ("listings", "listings".to_owned()),
        ("usage", "usage".to_owned()),
        ("cases", "cases".to_owned()),
        ("service", "service".to_owned()),
        ("custom-event", "custom-event".to_owned()),
        ("tasks", "tasks".to_owned()),
        ("calls", "calls?status=changes".to_owned()),
        ("send", "send".to_owned()),
        ("schedules", "schedules".to_owned()),
        ("variables", "variables".to_owned()),
        ("runners", "runners".to_owned()),
        ("extension", "extension".to_owned()),
        ("clock", "clock".to_owned()),
        ("chaos", "chaos".to_owned()),
        ("missing", "requests/PR-none".to_owned()),
    ] {
        browser.goto(&format!("{home}{path}")).await?;
        browser.opens_all().await?;
        browser.is_accessible(name).await?;
    }
    Ok(())
}

/// Of a type that the extension does not handle: it stays where it is put.
async fn action_by_hand(browser: &Browser, home: &str) -> WebDriverResult<()> {
    browser.goto(&format!("{home}send?object=AS-0000-0000-0001")).await?;
    browser.clicks("form[method='post'] button").await?;
    browser.waits_for("pre", "https://vendor.example/AS-0000-0000-0001").await?;
    browser.screenshot("send").await?;
    Ok(())
}

/// A purchase that waits until its resellers are set up, by buttons; one that is still to be is the answer.
async fn waits_for_tiers(browser: &Browser, home: &str, sandbox: &Sandbox) -> WebDriverResult<String> {
    let id = sandbox.purchase("PRD-000-100-002").send().unwrap();
    browser.goto(&format!("{home}requests/{id}")).await?;
    browser.waits_for("#head .chip", "tiers setup").await?;
    browser.screenshot("tiers-setup").await?;
    for _ in 0..2 {
        let requests = sandbox.tier_config_requests();
        let open = requests
            .iter()
            .find(|request| ["pending", "inquiring"].contains(&request["status"].as_str().unwrap()));
        let open = open.unwrap()["id"].as_str().unwrap();
        browser.goto(&format!("{home}tier-config-requests/{open}")).await?;
        if browser.text("#head .chip").await? == "inquiring" {
            sandbox.act(open, "pend", json!({})).unwrap();
            browser.waits_for("#head .chip", "pending").await?;
        }
        browser.clicks("[data-key='action-approve'] > summary").await?;
        browser.screenshot("tier-config-request").await?;
        browser.clicks("[data-key='action-approve'] button").await?;
        browser.waits_for("#head .chip", "approved").await?;
    }
    browser.goto(&format!("{home}requests/{id}")).await?;
    assert_ne!(browser.text("#head .chip").await?, "tiers setup");
    let done = sandbox.tier_config_requests();
    Ok(done[0]["id"].as_str().unwrap().to_owned())
}

/// What goes wrong on purpose: a wrong fault is told, a right one is met by the extension.
async fn goes_wrong(browser: &Browser, home: &str, sandbox: &Sandbox) -> WebDriverResult<()> {
    browser.goto(&format!("{home}chaos")).await?;
    browser.types("#call [name='status']", "200").await?;
    browser.clicks("#call button.primary").await?;
    browser.waits_for(".errors", "400 to 599").await?;
    browser.types("#call [name='status']", "503").await?;
    browser.types("#call [name='times']", "1").await?;
    browser.clicks("#call button.primary").await?;
    browser.waits_for("#faults", "\"times\":1").await?;
    browser.screenshot("chaos").await?;
    browser.goto(&format!("{home}{ORDER}")).await?;
    browser.types("#p\\:domain", "d.example").await?;
    browser.clicks("form.order button.primary").await?;
    browser.waits_for("#head .chip", "approved").await?;
    assert!(sandbox.faults().is_empty(), "it was met once");
    Ok(())
}

fn asset_request(id: &str) -> Value {
    let mut request = seed();
    request["id"] = id.into();
    request["type"] = "change".into();
    request["status"] = "pending".into();
    request["asset"]["id"] = "AS-0000-0000-0009".into();
    request
}
