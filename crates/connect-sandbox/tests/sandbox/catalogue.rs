//! The catalogue as clients of REST see it, and where it comes from.

use std::fs;

use connect_sandbox::Sandbox;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::Rest;

const WORKSPACE: &str = "PRD-000-100-001";

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

async fn as_distributor(
    sandbox: &Sandbox,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let (status, body, _) = Rest(sandbox).call_as(sandbox.distributor_key(), method, path, body).await;
    (status, body)
}

#[tokio::test]
async fn a_sandbox_starts_with_a_catalogue() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    for (path, expected) in [
        ("products", vec![WORKSPACE, "PRD-000-100-002"]),
        ("products?eq(status,draft)", vec![]),
        ("marketplaces", vec!["MP-00001", "MP-00002"]),
        ("hubs", vec!["HB-0000-0001", "HB-0000-0002"]),
        ("contracts", vec!["CRD-00000-00000-00001", "CRD-00000-00000-00002"]),
        ("categories?ilike(name,*sec*)", vec!["CAT-00002"]),
        ("settings/units?eq(type,ppu)", vec!["gbh", "messages"]),
        (
            &format!("products/{WORKSPACE}/templates?and(eq(scope,asset),eq(type,inquire))"),
            vec!["TL-100-001-002"],
        ),
        (&format!("products/{WORKSPACE}/items?eq(mpn,NW-STORAGE)"), vec!["PRD-000-100-001-0003"]),
        (&format!("products/{WORKSPACE}/actions"), vec!["ACT-000-100-001-001", "ACT-000-100-001-002"]),
        (&format!("products/{WORKSPACE}/connections?eq(type,test)"), vec!["CT-0001-0002"]),
        (
            &format!("products/{WORKSPACE}/parameters?and(eq(phase,ordering),eq(constraints.required,true))"),
            vec!["PRM-000-100-001-0003", "PRM-000-100-001-0006", "PRM-000-100-001-0010"],
        ),
    ] {
        let (status, list, _) = rest.get(path).await;
        assert_eq!((status, ids(&list)), (StatusCode::OK, expected), "{path}");
    }
    let (_, configurations, range) = rest
        .get(&format!("products/{WORKSPACE}/configurations?eq(parameter.id,sku)&ordering(item.id)"))
        .await;
    assert_eq!(range, "items 0-2/3");
    assert_eq!((&configurations[0]["value"], configurations[0].get("id")), (&json!("seat.month"), None));
    for (path, member, expected) in [
        ("products/PRD-000-100-001", "/category/name", "Office Productivity"),
        ("hubs/HB-0000-0001", "/instance/type", "OA"),
        ("marketplaces/MP-00001", "/hubs/0/hub/name", "Meridian Cloud"),
        ("contracts/CRD-00000-00000-00001", "/marketplace/name", "Meridian Europe"),
        ("categories/CAT-00002", "/name", "Security"),
        ("settings/units/gb", "/description", "Gb"),
        ("hubs/HB-0000-0002/marketplaces", "/0/external_id", "10001"),
        ("hubs/HB-0000-0002/connections", "/1/product/name", "Nimbus Shield"),
        ("accounts/PA-000-000", "/role", "distributor"),
    ] {
        let (status, object, _) = rest.get(path).await;
        assert_eq!((status, object.pointer(member)), (StatusCode::OK, Some(&json!(expected))), "{path}");
    }
    for path in [
        "products/PRD-9",
        "products/PRD-9/items",
        "hubs/HB-9/connections",
        "products/PRD-9/configurations",
        "settings/x",
    ] {
        assert_eq!(rest.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_key_is_of_an_account() {
    let sandbox = Sandbox::start().await.unwrap();
    let (_, vendor, _) = Rest(&sandbox).get("auth/context").await;
    let (_, distributor) = as_distributor(&sandbox, Method::GET, "auth/context", None).await;
    let told = |context: &Value| {
        (context["account"]["id"].clone(), context["account"]["name"].clone(), context["user"]["id"].clone())
    };
    assert_eq!(told(&vendor), (json!("VA-000-000"), json!("Nimbus Software"), json!("SU-000-000-000")));
    assert_eq!(
        told(&distributor),
        (json!("PA-000-000"), json!("Meridian Distribution"), json!("SU-000-000-001"))
    );
    let (_, accounts) = as_distributor(&sandbox, Method::GET, "accounts", None).await;
    assert_eq!(ids(&accounts), ["PA-000-000"]);
    let none = Sandbox::builder().without_catalogue().start().await.unwrap();
    assert_eq!(Rest(&none).get("auth/context").await.1["account"]["id"], "VA-000-000");
    assert_eq!(Rest(&none).get("products").await.1, json!([]));
}

#[tokio::test]
async fn a_vendor_makes_a_product_that_is_sold() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let (status, product) = rest.post("products", json!({"name": "Ledger"})).await;
    assert_eq!(
        (status, &product["status"], &product["owner"]["name"]),
        (StatusCode::CREATED, &json!("draft"), &json!("Nimbus Software"))
    );
    let id = product["id"].as_str().unwrap();
    let digits = id.strip_prefix("PRD-").unwrap();
    let path = |rest: &str| format!("products/{id}/{rest}");
    assert_eq!(
        as_distributor(&sandbox, Method::GET, &format!("products?eq(id,{id})"), None).await.1,
        json!([]),
        "a draft is its vendor's"
    );
    let parameter = json!({"name": "domain", "title": "Domain", "description": null, "type": "domain", "phase": "ordering", "scope": "asset",
        "constraints": {"required": true}});
    let (status, made) = rest.post(&path("parameters"), parameter).await;
    assert_eq!(
        (status, &made["id"], &made["position"]),
        (StatusCode::CREATED, &json!(format!("PRM-{digits}-0001")), &json!(10_000))
    );
    let item = json!({"name": "Book", "mpn": "LB", "description": "A book", "type": "Reservation", "unit": {"id": "unit"}, "period": "Monthly",
        "precision": "Decimal(2)"});
    let (status, made) = rest.post(&path("items"), item).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(
        ["id", "local_id", "status", "type", "precision"].map(|name| made[name].as_str().unwrap()),
        [
            &format!("PRD-{digits}-0001"),
            &format!("PRD_{}_0001", digits.replace('-', "_")),
            "draft",
            "reservation",
            "decimal(2)"
        ]
    );
    assert_eq!(made["unit"]["title"], "Units");
    let (_, template) = rest
        .post(
            &path("templates"),
            json!({"name": "Ready", "body": "{{ domain }} of {{ activation_form_url }}"}),
        )
        .await;
    let template = template["id"].as_str().unwrap();
    let (_, shown, _) = rest.get(&path(&format!("templates/{template}/preview"))).await;
    assert_eq!(shown, json!(format!("Domain of {}", sandbox.url())));
    let action =
        json!({"action": "sso", "name": "Sign in", "type": "button", "scope": "asset", "description": "d"});
    assert_eq!(rest.post(&path("actions"), action).await.1["title"], "Sign in");
    let (_, secret) = rest.post(&path("actions/regeneratesecret"), json!({})).await;
    assert_eq!(
        rest.get(&format!("products/{id}")).await.1["customer_ui_settings"]["action"]["jwt_secret"],
        secret["jwt_secret"]
    );
    let connection = json!({"hub": {"id": "HB-0000-0001"}, "vendor": {"id": "VA-000-000"}, "provider": {"id": "PA-000-000"}, "type": "test"});
    let (status, connection) = rest.post(&path("connections"), connection).await;
    assert_eq!((status, &connection["hub"]["name"]), (StatusCode::CREATED, &json!("Meridian Cloud")));
    let (status, version) = rest.post(&path("versions"), json!({})).await;
    assert_eq!(
        (status, &version["status"], &version["version"]),
        (StatusCode::CREATED, &json!("published"), &json!(1))
    );
    assert_eq!(rest.get(&path("items")).await.1[0]["status"], "published");
    assert_eq!(
        ids(&as_distributor(&sandbox, Method::GET, &format!("products?eq(id,{id})"), None).await.1),
        [id]
    );
}

#[tokio::test]
async fn what_is_wrong_below_a_product_is_told() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let parameter = json!({"name": "notes", "title": "Notes", "description": "", "constraints": {}});
    let item = json!({"name": "Storage", "mpn": "NW-STORAGE", "description": "d", "type": "PPU", "unit": {"id": "unit"}});
    let action =
        json!({"action": "sign_in", "name": "a", "type": "button", "scope": "asset", "description": "d"});
    for (list, body, errors) in [
        ("parameters", parameter, json!(["name: Parameter with same name already exists for the product."])),
        (
            "items",
            item,
            json!([
                "name: Item with same name already exists for the product.",
                "mpn: Item with same mpn already exists for the product."
            ]),
        ),
        ("actions", action, json!(["action: Action with same action already exists for the product."])),
        (
            "items",
            json!({"name": "a"}),
            json!([
                "mpn: This field is required.",
                "description: This field is required.",
                "type: This field is required.",
                "unit: This field is required."
            ]),
        ),
        (
            "parameters",
            json!({"name": "a", "title": "A", "constraints": {}, "type": "list"}),
            json!(["type: \"list\" is not a valid choice."]),
        ),
        ("templates", json!({}), json!(["name: This field is required."])),
        (
            "connections",
            json!({"hub": {"id": "HB-9"}, "vendor": {"id": "VA-000-000"}, "provider": {"id": "PA-000-000"}}),
            json!(["hub.id: \"HB-9\" does not exist."]),
        ),
    ] {
        let (status, refused) = rest.post(&format!("products/{WORKSPACE}/{list}"), body).await;
        assert_eq!((status, &refused["errors"]), (StatusCode::BAD_REQUEST, &errors), "{list}");
    }
}

#[tokio::test]
async fn a_change_need_not_name_what_stays() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let path = |rest: &str| format!("products/{WORKSPACE}/{rest}");
    let (_, product) = rest
        .put(&format!("products/{WORKSPACE}"), json!({"capabilities": {"subscription": {"hold": false}}}))
        .await;
    assert_eq!(
        (&product["name"], &product["configurations"]["suspend_resume_supported"]),
        (&json!("Nimbus Workspace"), &json!(false))
    );
    assert_eq!(product["capabilities"]["subscription"]["change"]["editable_ordering_parameters"], true);
    let (_, parameter) =
        rest.put(&path("parameters/PRM-000-100-001-0006"), json!({"title": "Boss", "name": "other"})).await;
    assert_eq!(
        (&parameter["title"], &parameter["name"], &parameter["type"]),
        (&json!("Boss"), &json!("admin_email"), &json!("email"))
    );
    let (_, item) = rest
        .put(&path("items/PRD-000-100-001-0001"), json!({"description": "Chairs", "unit": {"id": "devices"}}))
        .await;
    assert_eq!(
        (&item["description"], &item["unit"]["title"], &item["mpn"]),
        (&json!("Chairs"), &json!("Devices"), &json!("NW-SEAT-M"))
    );
    let (_, template) = rest.put(&path("templates/TL-100-001-001"), json!({"body": "Hello"})).await;
    assert_eq!((&template["body"], &template["name"]), (&json!("Hello"), &json!("Workspace ready")));
    let (_, action) = rest.put(&path("actions/ACT-000-100-001-001"), json!({"description": "e"})).await;
    assert_eq!((&action["description"], &action["action"]), (&json!("e"), &json!("sign_in")));
    for (method, what, expected) in [
        (Method::DELETE, path("items/PRD-000-100-001-0001"), (StatusCode::BAD_REQUEST, "PRD_038")),
        (Method::DELETE, format!("products/{WORKSPACE}"), (StatusCode::BAD_REQUEST, "VAL_001")),
        (Method::DELETE, path("connections/CT-0001-0001"), (StatusCode::NOT_FOUND, "CNCT_001")),
        (Method::PUT, path("items/PRD-9"), (StatusCode::NOT_FOUND, "CNCT_001")),
    ] {
        let (status, error, _) = rest.call(method, &what, Some(json!({}))).await;
        assert_eq!((status, error["error_code"].as_str().unwrap()), expected, "{what}");
    }
    assert_eq!(
        rest.call(Method::DELETE, &path("parameters/PRM-000-100-001-0017"), None).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(rest.get(&path("parameters/PRM-000-100-001-0017")).await.0, StatusCode::NOT_FOUND);
    let (_, draft) = rest.post("products", json!({"name": "Soon gone"})).await;
    let draft = format!("products/{}", draft["id"].as_str().unwrap());
    rest.post(&format!("{draft}/templates"), json!({"name": "t"})).await;
    assert_eq!(rest.call(Method::DELETE, &draft, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(rest.get(&format!("{draft}/templates")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn values_are_configured_where_their_parameter_says() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let path = format!("products/{WORKSPACE}/configurations");
    let total = async || rest.get(&format!("{path}?limit=0")).await.2;
    for (body, error) in [
        (json!({"value": "x"}), "parameter: This field is required."),
        (json!({"parameter": {"id": "none"}}), "parameter.id: The product has no such parameter."),
        (
            json!({"parameter": {"id": "notes"}, "value": "x"}),
            "parameter.id: The parameter is none of the phase configuration.",
        ),
        (json!({"parameter": {"id": "sku"}, "value": "x"}), "item: This field is required."),
        (json!({"parameter": {"id": "sales_region"}, "value": "x"}), "marketplace: This field is required."),
        (
            json!({"parameter": {"id": "api_endpoint"}, "marketplace": {"id": "MP-00001"}, "value": "https://x.example"}),
            "marketplace: A parameter of scope product has no value of one.",
        ),
        (json!({"parameter": {"id": "api_endpoint"}, "value": "nowhere"}), "value: Enter a valid URL."),
        (json!({"parameter": {"id": "sku"}, "item": {"id": "PRD-9"}}), "item.id: \"PRD-9\" does not exist."),
    ] {
        let (status, refused) = rest.post(&path, body).await;
        assert_eq!((status, &refused["errors"]), (StatusCode::BAD_REQUEST, &json!([error])));
    }
    assert_eq!(total().await, "items 0-0/8");
    // By the parameter's id too; what is set already is set anew.
    let body = json!({"parameter": {"id": "PRM-000-100-001-0018"}, "value": "https://new.example"});
    let (status, configured) = rest.post(&path, body).await;
    assert_eq!(
        (status, &configured["value"], configured.get("id")),
        (StatusCode::CREATED, &json!("https://new.example"), None)
    );
    assert_eq!(
        (&configured["parameter"]["id"], total().await.as_str()),
        (&json!("api_endpoint"), "items 0-0/8")
    );
    let item = json!({"parameter": {"id": "sku"}, "item": {"id": "PRD-000-100-001-0004"}, "value": "help"});
    assert_eq!(rest.post(&path, item).await.1["item"]["name"], "Onboarding");
    assert_eq!(total().await, "items 0-0/9");
}

#[tokio::test]
async fn each_changes_what_is_his() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let hub = json!({"name": "New hub", "description": "d", "instance_id": "i-1", "instance_type": "api"});
    assert_eq!(rest.post("hubs", hub.clone()).await.0, StatusCode::FORBIDDEN);
    for path in ["products", &format!("products/{WORKSPACE}/items"), &format!("products/{WORKSPACE}/endsale")]
    {
        let (status, error) = as_distributor(&sandbox, Method::POST, path, Some(json!({"name": "a"}))).await;
        assert_eq!((status, &error["error_code"]), (StatusCode::FORBIDDEN, &json!("AUTH_002")), "{path}");
    }
    let (status, hub) = rest.order("hubs", hub).await;
    assert_eq!((status, &hub["instance"]), (StatusCode::CREATED, &json!({"id": "i-1", "type": "API"})));
    let hub = hub["id"].as_str().unwrap();
    let marketplace = json!({"name": "South", "currency": "BRL", "zone": "SA", "hubs": [{"hub": {"id": hub}, "external_id": "7"}]});
    let (status, made) = rest.order("marketplaces", marketplace).await;
    assert_eq!(
        (status, &made["hubs"][0]["hub"]["name"], &made["owner"]["id"]),
        (StatusCode::CREATED, &json!("New hub"), &json!("PA-000-000"))
    );
    let path = format!("marketplaces/{}", made["id"].as_str().unwrap());
    let (_, changed) =
        as_distributor(&sandbox, Method::PUT, &path, Some(json!({"description": "Far"}))).await;
    assert_eq!((&changed["description"], &changed["name"]), (&json!("Far"), &json!("South")));
    for (body, error) in [
        (json!({"zone": "XX"}), "zone: \"XX\" is not a valid choice."),
        (
            json!({"hubs": [{"hub": {"id": "HB-9"}, "external_id": "1"}]}),
            "hubs[0].hub.id: \"HB-9\" does not exist.",
        ),
        (json!({"hubs": [{"hub": {"id": hub}}]}), "hubs[0].external_id: This field is required."),
        (json!({"hubs": [7]}), "hubs[0].external_id: This field is required."),
    ] {
        let (status, refused) = as_distributor(&sandbox, Method::PUT, &path, Some(body)).await;
        assert_eq!((status, &refused["errors"]), (StatusCode::BAD_REQUEST, &json!([error])));
    }
    for (path, status) in [
        (format!("hubs/{hub}"), StatusCode::BAD_REQUEST),
        ("marketplaces/MP-00001".to_owned(), StatusCode::BAD_REQUEST),
        (path, StatusCode::NO_CONTENT),
        (format!("hubs/{hub}"), StatusCode::NO_CONTENT),
        (format!("hubs/{hub}"), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(as_distributor(&sandbox, Method::DELETE, &path, None).await.0, status, "{path}");
    }
    let contract = "contracts/CRD-00000-00000-00002";
    assert_eq!(rest.post(&format!("{contract}/terminate"), json!({})).await.0, StatusCode::FORBIDDEN);
    assert_eq!(rest.order(&format!("{contract}/sign"), json!({})).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(rest.order(&format!("{contract}/terminate"), json!({})).await.0, StatusCode::OK);
    assert_eq!(rest.get(contract).await.1["status"], "terminated");
}

#[tokio::test]
async fn a_catalogue_of_ones_own_takes_the_place_of_the_default_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalogue.json");
    let product = json!({"id": "PRD-100-200-300", "name": "Mail", "parameters": [{"name": "domain", "type": "domain", "constraints": {"required": true}}],
        "items": [{"mpn": "SEAT", "name": "Seat"}]});
    fs::write(&file, json!({"products": [product]}).to_string()).unwrap();
    let sandbox = Sandbox::builder().catalogue(&file).start().await.unwrap();
    assert_eq!(ids(&Rest(&sandbox).get("products").await.1), ["PRD-100-200-300"]);
    let id = sandbox.purchase("PRD-100-200-300").param("domain", "a.example").item("SEAT", 3).send().unwrap();
    sandbox.assert_request(
        &id,
        json!({"status": "pending", "asset": {"items": [{"mpn": "SEAT", "quantity": "3"}]}}),
    );

    let import = folder.path().join("PRD-276-377-545");
    fs::create_dir(&import).unwrap();
    fs::write(
        import.join("templates.json"),
        json!([{"id": "TL-1-2-3", "name": "t", "body": "b", "scope": "asset"}]).to_string(),
    )
    .unwrap();
    fs::write(
        import.join("product.json"),
        json!({"id": "PRD-276-377-545", "name": "Imported", "status": "published"}).to_string(),
    )
    .unwrap();
    fs::write(import.join("request.json"), crate::support::purchase("PR-1").to_string()).unwrap();
    let sandbox = Sandbox::builder().import(&import).start().await.unwrap();
    let rest = Rest(&sandbox);
    assert_eq!(ids(&rest.get("products").await.1), [WORKSPACE, "PRD-000-100-002", "PRD-276-377-545"]);
    assert_eq!(ids(&rest.get("products/PRD-276-377-545/templates").await.1), ["TL-1-2-3"]);
    assert_eq!(sandbox.request("PR-1").unwrap()["status"], "pending");
    // It can be ordered, as the catalogue's own can.
    let body = json!({"type": "purchase", "marketplace": {"id": "MP-00002"}, "asset": {"product": {"id": "PRD-276-377-545"},
        "items": [{"id": "x", "quantity": 1}], "tiers": {"customer": {"id": "TA-1000-0000-0011"}}}});
    assert_eq!(
        rest.order("requests", body).await.1["errors"],
        json!(["asset.items: the product has no item \"x\"."])
    );
}

#[tokio::test]
async fn a_catalogue_that_can_not_be_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalogue.json");
    fs::write(
        &file,
        json!({"products": [{"id": "PRD-1", "name": "Mail", "items": [{"name": "Seat"}]}]}).to_string(),
    )
    .unwrap();
    let text = |end: Result<Sandbox, connect_sandbox::SandboxError>| end.unwrap_err().to_string();
    let wrong = text(Sandbox::builder().catalogue(&file).start().await);
    assert!(
        wrong.ends_with(
            "catalogue.json: products[0] (Mail).items[0] (Seat): mpn: it is missing, and has to be a text"
        ),
        "{wrong}"
    );
    let missing = text(Sandbox::builder().import(folder.path().join("none.json")).start().await);
    assert!(missing.contains("none.json: No such file"), "{missing}");
}

/// Seeding is no reason for tests to be slow: they all do it.
#[tokio::test]
async fn many_sandboxes_start_side_by_side() {
    let starts = (0..50).map(|_| Sandbox::start());
    for sandbox in futures_util::future::join_all(starts).await {
        let sandbox = sandbox.unwrap();
        let id = sandbox
            .purchase(WORKSPACE)
            .param("workspace_domain", "a.nimbus.example")
            .param("admin_email", "a@a.example")
            .send();
        assert_eq!(sandbox.request(&id.unwrap()).unwrap()["status"], "pending");
    }
}
