//! The catalogue in the console: what is offered, ordered, and asked for.

use connect_sandbox::Sandbox;
use reqwest::StatusCode;
use serde_json::Value;

use crate::console::Browser;

const WORKSPACE: &str = "PRD-000-100-001";

/// The values that a form begins with, as a browser would send them.
fn fields(page: &str) -> Vec<(String, String)> {
    let form = page.split("<form class=\"order\"").nth(1).unwrap().split("</form>").next().unwrap();
    let attribute = |tag: &str, name: &str| -> Option<String> {
        Some(tag.split_once(&format!(" {name}=\""))?.1.split('"').next()?.to_owned())
    };
    let mut fields = Vec::new();
    for tag in form.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let Some(name) = attribute(tag, "name") else { continue };
        let is_box = tag.contains("type=\"checkbox\"");
        if tag.starts_with("input") && (!is_box || tag.contains(" checked")) {
            fields.push((name, attribute(tag, "value").unwrap_or_default()));
        } else if tag.starts_with("select") {
            let select =
                form.split(&format!(" name=\"{name}\"")).nth(1).unwrap().split("</select>").next().unwrap();
            let options = || select.split("<option").skip(1);
            let chosen = options().find(|option| option.contains(" selected")).or(options().next());
            fields.push((name, attribute(chosen.unwrap(), "value").unwrap_or_default()));
        }
    }
    fields
}

fn set(fields: &mut Vec<(String, String)>, name: &str, value: &str) {
    fields.retain(|(own, _)| own != name);
    fields.push((name.to_owned(), value.to_owned()));
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn param<'a>(request: &'a Value, id: &str) -> &'a Value {
    request["asset"]["params"].as_array().unwrap().iter().find(|param| param["id"] == id).unwrap()
}

#[tokio::test]
async fn products_are_shown() {
    let sandbox = Sandbox::start().await.unwrap();
    let browser = Browser(&sandbox);
    let (_, list, _) = browser.get("/products").await;
    assert!(list.contains("Nimbus Workspace") && list.contains("/products/PRD-000-100-002"), "{list}");
    let (status, page, _) = browser.get(&format!("/products/{WORKSPACE}")).await;
    assert_eq!(status, StatusCode::OK);
    for told in [
        "Address of the workspace",
        "not hidden where domain_kind is included",
        "NW-STORAGE",
        "decimal(2)",
        "Your workspace is being made",
        "https://api.workspace.example/v1",
        "change, editable ordering parameters",
        "sign_in",
        "CT-0001-0002",
        "/purchase?product=PRD-000-100-001",
    ] {
        assert!(page.contains(told), "{told} in {page}");
    }
    assert!(!page.contains("sandbox-workspace-secret"), "a secret is shown");
    assert_eq!(browser.get("/products/PRD-9").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_purchase_goes_from_the_form_to_the_inquiry_and_on() {
    let sandbox = Sandbox::start().await.unwrap();
    let browser = Browser(&sandbox);
    let (_, page, _) = browser.get(&format!("/purchase?product={WORKSPACE}")).await;
    let mut form = fields(&page);
    let of = |form: &[(String, String)], name: &str| {
        form.iter().find(|(own, _)| own == name).unwrap_or_else(|| panic!("no {name}")).1.clone()
    };
    // What a buyer finds filled in.
    for (name, value) in [
        ("marketplace", "MP-00001"),
        ("customer", "TA-1000-0000-0011"),
        ("tier1", ""),
        ("i:PRD_000_100_001_0001", "1"),
        ("i:PRD_000_100_001_0005", "unlimited"),
        ("p:region", "eu"),
        ("p:features", "meetings"),
        ("p:domain_kind", "included"),
    ] {
        assert_eq!(of(&form, name), value, "{name}");
    }
    assert!(
        !form.iter().any(|(name, _)| name == "p:migration" || name == "p:tenant_id"),
        "these are not asked of a buyer"
    );
    set(&mut form, "p:website", "nowhere");
    let (status, page, _) = browser.post("/purchase", &borrowed(&form)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("asset.params.website: Enter a valid URL."), "{page}");
    set(&mut form, "p:website", "https://acme.example");
    let (status, _, headers) = browser.post("/purchase", &borrowed(&form)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let path = headers["location"].to_str().unwrap().to_owned();
    let id = path.strip_prefix("/requests/").unwrap();
    let request = sandbox.request(id).unwrap();
    assert_eq!(request["status"], "inquiring");
    assert_eq!(param(&request, "features")["structured_value"]["meetings"], true);
    // The customer's form asks for what is missing.
    let url = request["params_form_url"].as_str().unwrap();
    let (_, page, _) = browser.get(&path).await;
    assert!(page.contains(&url.replace('&', "&amp;")), "{page}");
    let (status, page, _) = browser.get(url.strip_prefix(&sandbox.url()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("name=\"p:admin_email\"") && page.contains("This field is required."), "{page}");
    let code = url.rsplit_once("code=").unwrap().1;
    let mut answer = vec![
        ("request_id", id),
        ("code", "wrong"),
        ("p:admin_email", "a@acme.example"),
        ("p:workspace_domain", "acme.nimbus.example"),
    ];
    let (status, page, _) = browser.post("/form", &answer).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        page.contains("The code is not that of the request&#39;s form.")
            || page.contains("The code is not that of the request's form."),
        "{page}"
    );
    answer[1].1 = code;
    let (status, _, headers) = browser.post("/form", &answer).await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (StatusCode::SEE_OTHER, path.as_str()));
    let request = sandbox.request(id).unwrap();
    assert_eq!(
        (&request["status"], &param(&request, "admin_email")["value"]),
        (&"pending".into(), &"a@acme.example".into())
    );
    assert!(
        browser.get(&format!("/form?request_id={id}&code={code}")).await.1.contains("Nothing is asked for.")
    );
    assert_eq!(browser.get("/form?request_id=PR-9").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_product_that_needs_a_reseller_asks_for_one() {
    let sandbox = Sandbox::start().await.unwrap();
    let (_, page, _) = Browser(&sandbox).get("/purchase?product=PRD-000-100-002").await;
    let form = fields(&page);
    let chosen = form.iter().find(|(name, _)| name == "tier1").unwrap();
    assert_eq!(chosen.1, "TA-1000-0000-0001");
    let select = page.split("name=\"tier1\"").nth(1).unwrap().split("</select>").next().unwrap();
    assert!(!select.contains("Northwind Bakery"), "a customer sells nothing: {select}");
}
