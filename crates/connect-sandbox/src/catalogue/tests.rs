use std::path::PathBuf;

use serde_json::json;

use super::*;

fn parsed(file: &Value) -> Result<Catalogue, String> {
    file::parse(&file.to_string()).map_err(|wrong| wrong.to_string())
}

fn counts(catalogue: &Catalogue) -> BTreeMap<&str, usize> {
    catalogue.collections().map(|(collection, objects)| (collection, objects.len())).collect()
}

#[test]
fn the_default_one_is_whole() {
    let mut ready = Catalogue::ready().unwrap();
    let before = ready.clone();
    ready.link();
    assert_eq!(ready, before, "nothing is missing");
    let counts = counts(&ready);
    assert_eq!((counts["products"], counts["listings"], counts["marketplaces"]), (2, 4, 2));
    let kinds = |collection: &str, member: &str| {
        let kinds: std::collections::BTreeSet<&str> =
            ready.list(collection).map(|own| text(own, member)).collect();
        kinds.into_iter().collect::<Vec<_>>()
    };
    let types = kinds("products/PRD-000-100-001/parameters", "type");
    assert_eq!(
        types,
        [
            "address",
            "checkbox",
            "choice",
            "content",
            "domain",
            "dropdown",
            "email",
            "heading",
            "object",
            "password",
            "phone",
            "subdomain",
            "text",
            "url"
        ]
    );
    assert_eq!(kinds("products/PRD-000-100-001/items", "type"), ["ppu", "reservation"]);
    for collection in ["products/PRD-000-100-001/templates", "products/PRD-000-100-002/templates"] {
        assert_eq!(kinds(collection, "type"), ["fulfillment", "inquire", "pending"]);
    }
    assert_eq!(kinds("products/PRD-000-100-002/templates", "scope"), ["asset", "tier1", "tier2"]);
    // It is completed, and its references say what they are of.
    let item = ready.get("products/PRD-000-100-001/items", "PRD-000-100-001-0001").unwrap();
    assert_eq!(
        (text(item, "local_id"), &item["unit"]),
        ("PRD_000_100_001_0001", &json!({"id": "users", "title": "Users", "unit": "unit"}))
    );
    let listing = ready.get("listings", "LST-000-000-001").unwrap();
    assert_eq!(listing["contract"]["marketplace"]["name"], "Meridian Europe");
    assert_eq!(
        listing["product"],
        json!({"id": "PRD-000-100-001", "name": "Nimbus Workspace", "icon": "", "status": "published"})
    );
    let configuration = ready
        .get("products/PRD-000-100-001/configurations", "price_list/PRD-000-100-001-0001/MP-00001")
        .unwrap();
    assert_eq!(
        (text(&configuration["parameter"], "id"), text(&configuration["item"], "name")),
        ("price_list", "Seat, monthly")
    );
    let customer = ready.get("tier/accounts", "TA-1000-0000-0011").unwrap();
    assert_eq!(
        (text(&customer["parent"], "name"), text(&customer["hub"], "name")),
        ("Bright Office", "Meridian Cloud")
    );
}

#[test]
fn a_product_alone_can_be_sold() {
    let mut catalogue = parsed(&json!({"products": [{"id": "PRD-100-200-300", "name": "Mail",
        "parameters": [{"name": "domain", "type": "domain", "constraints": {"required": true}}, {"name": "tenant", "phase": "fulfillment"}],
        "items": [{"mpn": "SEAT", "name": "Seat"}], "templates": [{"body": "# Hello"}], "actions": [{"action": "sso"}]}]}))
    .unwrap();
    catalogue.link();
    let counts = counts(&catalogue);
    for (collection, count) in
        [("accounts", 2), ("hubs", 1), ("marketplaces", 1), ("contracts", 1), ("listings", 1)]
    {
        assert_eq!(counts[collection], count, "{collection}");
    }
    let listing = catalogue.list("listings").next().unwrap();
    assert_eq!(
        (&listing["product"]["id"], &listing["contract"]["marketplace"]["id"]),
        (&json!("PRD-100-200-300"), &json!("MP-00001"))
    );
    let below = |list: &str| catalogue.list(&format!("products/PRD-100-200-300/{list}")).next().unwrap();
    assert_eq!(text(&below("connections")["hub"], "id"), "HB-0000-0001");
    assert_eq!(
        ["parameters", "items", "templates", "actions"].map(|list| text(below(list), "id")),
        ["PRM-100-200-300-0001", "PRD-100-200-300-0001", "TL-200-300-001", "ACT-100-200-300-001"]
    );
    let parameter = below("parameters");
    assert_eq!(
        ["title", "type", "scope", "phase"].map(|member| text(parameter, member)),
        ["domain", "domain", "asset", "ordering"]
    );
    assert_eq!(parameter["constraints"], json!({"required": true, "hidden": false, "unique": false}));
    let again = catalogue.clone();
    catalogue.link();
    assert_eq!(catalogue, again, "nothing is added twice");
}

#[test]
fn what_is_listed_already_is_left_alone() {
    let mut catalogue = parsed(&json!({
        "products": [{"id": "PRD-1", "name": "a"}, {"id": "PRD-2", "name": "b", "status": "draft"},
            {"id": "PRD-3", "name": "c", "connections": [{"id": "CT-0000-0001", "hub": {"id": "HB-1"}}]}],
        "hubs": [{"id": "HB-1", "name": "h"}, {"id": "HB-2", "name": "i"}],
        "marketplaces": [{"id": "MP-1", "name": "m"}, {"id": "MP-2", "name": "n"}],
        "contracts": [{"id": "CRD-1", "name": "c", "marketplace": {"id": "MP-1"}}],
        "listings": [{"id": "LST-1", "product": {"id": "PRD-1"}, "contract": {"id": "CRD-1"}, "status": "unlisted"}]}))
    .unwrap();
    catalogue.link();
    let listings: Vec<(&str, &str, &str)> = catalogue
        .list("listings")
        .map(|own| {
            (text(&own["product"], "id"), text(&own["contract"]["marketplace"], "id"), text(own, "status"))
        })
        .collect();
    assert_eq!(
        listings,
        [("PRD-3", "MP-1", "listed"), ("PRD-3", "MP-2", "listed"), ("PRD-1", "MP-1", "unlisted")]
    );
    let connections = |product: &str| -> Vec<&str> {
        catalogue.list(&format!("products/{product}/connections")).filter_map(id_of).collect()
    };
    assert_eq!(connections("PRD-1"), ["CT-0000-0002", "CT-0000-0003"]);
    assert_eq!((connections("PRD-2").len(), connections("PRD-3")), (0, vec!["CT-0000-0001"]));
}

#[test]
fn what_is_wrong_is_told_for_people() {
    let product = |members: Value| {
        let mut product = json!({"id": "PRD-1", "name": "Mail"});
        product.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json!({"products": [product]})
    };
    let place = "products[0] (Mail)";
    for (file, error) in [
        (json!([]), "it has to be a JSON object with lists, such as {\"products\": […]}".to_owned()),
        (
            json!({"prodcts": []}),
            "prodcts: there is no such list in a catalogue; there are products, accounts, hubs, marketplaces, contracts, \
             categories, units, tier_accounts, listings, listing_requests, requests, assets, tier_configs, \
             tier_config_requests, tier_account_requests"
                .to_owned(),
        ),
        (json!({"hubs": {}}), "hubs: it has to be a list".to_owned()),
        (json!({"hubs": [7]}), "hubs[0]: it has to be an object".to_owned()),
        (json!({"hubs": [{"name": "Here"}]}), "hubs[0] (Here): id: it is missing, and has to be a text".to_owned()),
        (json!({"hubs": [{"id": "MP-1"}]}), "hubs[0] (MP-1): id: MP-1 has to begin with HB-".to_owned()),
        (json!({"hubs": [{"id": "HB-1"}]}), "hubs[0] (HB-1): name: it is missing, and has to be a text".to_owned()),
        (
            json!({"hubs": [{"id": "HB-1", "name": "a"}, {"id": "HB-1", "name": "b"}]}),
            "hubs[1] (b): id: another object has HB-1 too".to_owned(),
        ),
        (
            json!({"listings": [{"id": "LST-1", "product": {"id": "PRD-9"}}]}),
            "listings[0] (LST-1): product.id: there is no PRD-9 in the catalogue".to_owned(),
        ),
        (
            json!({"marketplaces": [{"id": "MP-1", "name": "m", "hubs": [{"hub": {"id": "HB-9"}}]}]}),
            "marketplaces[0] (m): hubs[0].hub.id: there is no hub \"HB-9\" in the catalogue".to_owned(),
        ),
        (product(json!({"items": 7})), format!("{place}.items: it has to be a list")),
        (
            product(json!({"items": [{"name": "Seat"}]})),
            format!("{place}.items[0] (Seat): mpn: it is missing, and has to be a text"),
        ),
        (
            product(json!({"items": [{"mpn": "A", "period": "weekly"}]})),
            format!("{place}.items[0] (PRD-1-0001): period: \"weekly\" is none of {}", 
                "Monthly, monthly, Yearly, yearly, years_2, years_3, years_4, years_5, years_6, OneTime, onetime, \
                 days_7_trial, days_14_trial, days_30_trial, monthly_trial"),
        ),
        (
            product(json!({"items": [{"mpn": "A"}, {"mpn": "A"}]})),
            format!("{place}.items[1] (PRD-1-0002): mpn: another one of the product is A too"),
        ),
        (
            product(json!({"parameters": [{"name": "a", "type": "choice"}]})),
            format!(
                "{place}.parameters[0] (a): constraints.choices: a choice needs some, such as [{{\"value\": \"a\", \"label\": \"A\"}}]"
            ),
        ),
        (
            product(json!({"parameters": [{"name": "a", "constraints": {"required": "yes"}}]})),
            format!("{place}.parameters[0] (a): constraints.required: \"yes\" is neither true nor false"),
        ),
        (
            product(json!({"parameters": [{"name": "a", "constraints": {"dependency": {"parameter": {"name": "b"}}}}]})),
            format!("{place}.parameters[0] (a): constraints.dependency.parameter: the product has no parameter \"b\""),
        ),
        (
            product(json!({"configurations": [{"parameter": {"id": "b"}, "value": "x"}]})),
            format!("{place}.configurations[0] (b): parameter: the product has no parameter \"b\""),
        ),
        (
            product(json!({"templates": [{"name": "t", "body": "b", "scope": "tier3"}]})),
            format!("{place}.templates[0] (t): scope: \"tier3\" is none of asset, tier1, tier2"),
        ),
        (
            product(json!({"connections": [{"id": "CT-1", "hub": {"id": "HB-9"}}]})),
            format!("{place}.connections[0] (CT-1): hub.id: there is no HB-9 in the catalogue"),
        ),
    ] {
        assert_eq!(parsed(&file), Err(error), "{file}");
    }
    let broken = file::parse("{\"products\": [}").unwrap_err().to_string();
    assert!(broken.starts_with("it is not JSON") && broken.contains("line 1 column 15"), "{broken}");
}

fn imported(files: &[(&str, Value)]) -> Result<Catalogue, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content.to_string()).unwrap();
    }
    let mut catalogue = Catalogue::default();
    catalogue.import(folder.path()).map_err(|error| error.to_string())?;
    Ok(catalogue)
}

#[test]
fn an_import_is_put_where_it_belongs() {
    let template = json!({"id": "TL-1", "name": "t", "body": "b"});
    let catalogue = imported(&[
        (
            "one.json",
            json!([{"id": "PRM-100-200-300-0001", "name": "a"}, {"id": "PRD-100-200-300-0001", "mpn": "m"}]),
        ),
        ("actions.json", json!({"id": "ACT-100-200-300-001", "action": "x"})),
        ("products/PRD-5-6-7 Mail/templates.json", json!([template])),
        ("PRD-8-8-8.connections.json", json!([{"id": "CT-1"}])),
        ("wrapped.json", json!({"products": [{"id": "PRD-9", "name": "n", "items": [{"mpn": "m"}]}]})),
        ("whole.json", json!({"id": "PRD-10", "name": "n", "parameters": [{"id": "PRM-10-1", "name": "a"}]})),
        (
            "configurations.json",
            json!([{"parameter": {"id": "a"}, "value": "1", "item": {"id": "PRD-100-200-300-0001"}}]),
        ),
        ("conversation.json", json!({"id": "CO-1", "instance_id": "PR-1", "topic": "t"})),
        (
            "messages.json",
            json!([{"id": "ME-1", "conversation": "CO-1"}, {"id": "ME-2", "conversation": {"id": "CO-1"}}]),
        ),
        ("old.json", json!({"id": "1559", "type": "change", "status": "pending", "asset": {"id": "AS-1"}})),
        ("user.json", json!({"id": "UR-1-2-3", "name": "who"})),
        ("record.json", json!({"id": "UR-2020-01-1-1-1", "usagefile": {"id": "UF-1"}})),
        ("notes.txt", json!("no JSON of Connect")),
    ])
    .unwrap();
    let places: Vec<(&str, Vec<&str>)> = catalogue
        .collections()
        .map(|(collection, objects)| (collection, objects.keys().map(String::as_str).collect()))
        .collect();
    assert_eq!(
        places,
        [
            ("conversations", vec!["CO-1"]),
            ("conversations/CO-1/messages", vec!["ME-1", "ME-2"]),
            ("conversations/instances", vec!["PR-1"]),
            ("products", vec!["PRD-10", "PRD-9"]),
            ("products/PRD-10/parameters", vec!["PRM-10-1"]),
            ("products/PRD-100-200-300/actions", vec!["ACT-100-200-300-001"]),
            ("products/PRD-100-200-300/configurations", vec!["a/PRD-100-200-300-0001"]),
            ("products/PRD-100-200-300/items", vec!["PRD-100-200-300-0001"]),
            ("products/PRD-100-200-300/parameters", vec!["PRM-100-200-300-0001"]),
            ("products/PRD-5-6-7/templates", vec!["TL-1"]),
            ("products/PRD-8-8-8/connections", vec!["CT-1"]),
            ("products/PRD-9/items", vec!["PRD-9-0001"]),
            ("requests", vec!["1559"]),
            ("usage/records", vec!["UR-2020-01-1-1-1"]),
        ]
    );
    // What Connect gave is given as it came.
    assert_eq!(catalogue.get("products/PRD-5-6-7/templates", "TL-1"), Some(&template));
    assert_eq!(catalogue.get("products", "PRD-10"), Some(&json!({"id": "PRD-10", "name": "n"})));
}

#[test]
fn an_import_of_one_product_is_all_its_own() {
    let files = [("a.json", json!([{"id": "TL-1"}])), ("z.json", json!([{"id": "PRD-1-2-3", "name": "n"}]))];
    let catalogue = imported(&files).unwrap();
    assert!(catalogue.get("products/PRD-1-2-3/templates", "TL-1").is_some());
}

#[test]
fn an_import_that_can_not_be_told_says_so() {
    for (name, content, error) in [
        (
            "t.json",
            json!([{"id": "TL-1"}]),
            "[0] (TL-1): it is one of the templates of a product, but does not say of which: put the file into a folder that \
             is named after the product, such as PRD-100-200-300, or import it together with that product alone",
        ),
        (
            "body.json",
            json!({"type": "purchase"}),
            "the object: it has no id, so it is nothing that Connect answers; what is sent to Connect can't be imported",
        ),
        (
            "x.json",
            json!([{"id": "XX-1"}]),
            "[0] (XX-1): what XX-1 is can be told neither by its id nor by its members",
        ),
        ("y.json", json!([7]), "[0]: it is no object of Connect"),
        ("z.json", json!("text"), "the object: it is no object of Connect"),
        ("p.json", json!({"id": "PRD-1", "items": [{"id": "TL-1"}]}), "PRD-1.items[0]: it is none of items"),
        (
            "c.json",
            json!({"products": [{"name": "n"}]}),
            "products[0] (n): id: it is missing, and has to be a text",
        ),
    ] {
        let told = imported(&[(name, content)]).unwrap_err();
        assert!(told.ends_with(&format!("{name}: {error}")), "{told}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.json");
    fs::write(&file, "{\n  \"id\": }").unwrap();
    let broken = Catalogue::default().import(&file).unwrap_err().to_string();
    assert!(broken.contains("broken.json: it is not JSON: expected value at line 2"), "{broken}");
    let missing = Catalogue::default().import(&folder.path().join("none")).unwrap_err().to_string();
    assert!(missing.contains("none: No such file"), "{missing}");
}

/// Samples that are no objects of Connect: bodies, errors, descriptions.
fn is_no_object(name: &str) -> bool {
    ["create", "update-body", "environment-update", "settings-update", "error-", "openapi-", "action-link"]
        .into_iter()
        .any(|part| name.contains(part) && name != "parameter-checkbox-created.json")
}

#[test]
fn every_sample_can_be_imported() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !folder.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "the samples are missing: {}", folder.display());
        eprintln!("skipped: no samples at {}", folder.display());
        return;
    }
    let (mut objects, mut refused) = (0, 0);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        // Some do not say of which product they are.
        let home = tempfile::tempdir().unwrap();
        let product = home.path().join("PRD-276-377-545");
        fs::create_dir(&product).unwrap();
        fs::copy(&path, product.join(&name)).unwrap();
        let mut catalogue = Catalogue::default();
        let end = catalogue.import(&product);
        if is_no_object(&name) {
            let error = end.unwrap_err().to_string();
            assert!(error.contains("it has no id"), "{error}");
            refused += 1;
            continue;
        }
        end.unwrap_or_else(|error| panic!("{error}"));
        let content: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let list = if let Value::Array(list) = content { list } else { vec![content] };
        // Of several with one id, the last one stays; all else is there as it came.
        for (index, object) in list.iter().enumerate() {
            let Some(id) = id_of(object) else { continue };
            let is_last = !list[index + 1..].iter().any(|other| id_of(other) == Some(id));
            let is_left_out = ["devops-environment", "devops-service", "devops-task", "users"]
                .iter()
                .any(|part| name.starts_with(part));
            let found = catalogue
                .collections()
                .filter_map(|(_, objects)| objects.get(id))
                .any(|found| found == object);
            assert_eq!(found, is_last && !is_left_out, "{name} {id}");
            objects += usize::from(found);
        }
    }
    assert!(objects > 200 && refused > 15, "{objects} objects, {refused} refused");
}
