//! The console, as a browser sees it.

use connect_sandbox::Sandbox;
use reqwest::{Client, Method, StatusCode, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{ENVIRONMENT, PATIENCE, Rest, Runner, purchase};

/// A browser that follows no redirect.
pub(crate) struct Browser<'a>(pub(crate) &'a Sandbox);

impl Browser<'_> {
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String, HeaderMap) {
        self.send(Method::GET, path, &[], &[]).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String, HeaderMap) {
        let origin = self.0.url();
        self.send(Method::POST, path, fields, &[("Origin", &origin)]).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> (StatusCode, String, HeaderMap) {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let mut call = client.request(method.clone(), format!("{}{path}", self.0.url()));
        for (name, value) in headers {
            call = call.header(*name, *value);
        }
        if method == Method::POST {
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            call = call.header("Content-Type", "application/x-www-form-urlencoded").body(body);
        }
        let answer = call.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        (status, answer.text().await.unwrap(), headers)
    }
}

pub(crate) const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";

/// Puts the hostile text into every member that is a text, but for those that have to be something else.
fn poison(value: &mut Value) {
    match value {
        Value::String(text) => HOSTILE.clone_into(text),
        Value::Array(members) => members.iter_mut().for_each(poison),
        Value::Object(members) => members
            .iter_mut()
            .filter(|(name, _)| !matches!(name.as_str(), "id" | "status" | "type"))
            .for_each(|(_, member)| poison(member)),
        _ => {}
    }
}

pub(crate) fn assert_harmless(page: &str) {
    for harm in ["<script>", "<img", "\"'>", "onerror=alert(1)>"] {
        assert!(!page.contains(harm), "{harm} in {page}");
    }
    assert!(
        !page.contains("style=\"") && !page.contains("onclick"),
        "the policy allows no inline styles and scripts"
    );
}

#[tokio::test]
async fn nothing_is_rendered_unescaped() {
    let mut request = json!({"id": "PR-1", "type": "purchase", "status": "pending", "note": "n", "reason": "r",
        "created": "c", "planned_date": "p", "marketplace": {"id": "MP-1", "name": "m"}, "contract": {"name": "c"},
        "template": {"name": "t"}, "events": {"created": {"at": "2026-01-01T00:00:00Z", "by": {"name": "b"}}},
        "asset": {"id": "AS-1", "status": "processing", "external_id": "e", "product": {"id": "PRD-1", "name": "p"},
            "connection": {"id": "CT-1", "hub": {"id": "HB-1", "name": "h"}},
            "tiers": {"customer": {"id": "TA-1", "name": "n", "contact_info": {"city": "c", "country": "c",
                "contact": {"first_name": "f", "last_name": "l", "email": "e"}}}},
            "items": [{"id": "1", "display_name": "d", "mpn": "m", "period": "p", "quantity": "q", "old_quantity": "o"}],
            "params": [{"id": "domain", "title": "t", "value": "v", "value_error": "e", "phase": "p",
                "constraints": {"hint": "h", "choices": [{"label": "l", "value": "v"}]}}]}});
    poison(&mut request);
    let mut hostile = request.clone();
    hostile["id"] = json!(format!("PR-{HOSTILE}"));
    hostile["asset"]["id"] = json!(format!("AS-{HOSTILE}"));
    hostile["asset"]["product"]["id"] = json!(HOSTILE);
    hostile["asset"]["params"][0]["id"] = json!(HOSTILE);
    let builder = Sandbox::builder().request(request).request(hostile);
    let template = json!({"id": HOSTILE, "name": HOSTILE, "scope": "asset"});
    let sandbox = builder.templates("PRD-1", [template]).start().await.unwrap();
    // What a runner says of itself and of a task is not to be trusted either.
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    for _ in 0..2 {
        let task = runner.task().await;
        let id = task["data"]["options"]["task_id"].as_str().unwrap().to_owned();
        let call = Client::new().put(format!("{}/public/v1/requests/PR-1?{HOSTILE}", sandbox.url()));
        let call = call.header("Authorization", sandbox.api_key()).header("EAAS_TASK_ID", id);
        call.json(&json!({"note": HOSTILE})).send().await.unwrap();
        runner.answer(task, json!({"result": "fail", "message": HOSTILE})).await;
    }
    sandbox.settled().await;
    let browser = Browser(&sandbox);
    let encoded =
        percent_encoding::utf8_percent_encode(HOSTILE, percent_encoding::NON_ALPHANUMERIC).to_string();
    for path in [
        "/",
        "/?text=script",
        "/requests/PR-1",
        &format!("/requests/PR-{encoded}"),
        &format!("/?text={encoded}&status={encoded}&product={encoded}"),
    ] {
        let (status, page, _) = browser.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_harmless(&page);
    }
    assert!(browser.get("/requests/PR-1").await.1.contains("1 call"), "the call is shown with its task");
    let (status, page, _) = browser.get(&format!("/requests/{encoded}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_harmless(&page);
    for (action, field) in
        [("fail", "nothing"), ("approve", "template"), ("inquire", "e:domain"), ("params", "p:domain")]
    {
        let (_, page, _) = browser.post(&format!("/requests/PR-1/{action}"), &[(field, HOSTILE)]).await;
        assert_harmless(&page);
    }
}

#[tokio::test]
async fn nothing_that_a_runner_declares_is_rendered_unescaped() {
    let sandbox = Sandbox::builder().variable("OTHER", HOSTILE).start().await.unwrap();
    let path = format!("{ENVIRONMENT}/SIN-1%22%3E%3Cscript%3E");
    let mut runner = Runner(Runner::open(&sandbox, &path, "", sandbox.api_key()).await.unwrap());
    runner
        .send(&json!({"version": 2, "message_type": "setup_request", "data": {
            "event_subscriptions": {HOSTILE: [HOSTILE], "product_action_execution": [],
                "asset_purchase_request_validation": []},
            "schedulables": [{"method": HOSTILE, "name": HOSTILE, "description": HOSTILE}],
            "variables": [{"name": HOSTILE, "initial_value": HOSTILE, "secure": false}],
            "audience": [HOSTILE], "runner_version": HOSTILE,
            "repository": {"readme_url": HOSTILE, "changelog_url": "javascript:alert(1)"}}}))
        .await;
    runner.receive().await;
    let schedule = json!({"id": HOSTILE, "name": HOSTILE, "method": HOSTILE, "parameter": {HOSTILE: HOSTILE},
        "trigger": {"type": "advanced", "cron_expression": "0 0 * * *"}, "status": HOSTILE});
    sandbox.add_schedule(schedule).unwrap();
    let browser = Browser(&sandbox);
    let encoded =
        percent_encoding::utf8_percent_encode(HOSTILE, percent_encoding::NON_ALPHANUMERIC).to_string();
    for path in [
        "/runners",
        "/extension",
        "/variables",
        "/schedules",
        &format!("/schedules/{encoded}"),
        &format!("/send?event={encoded}&object={encoded}"),
        &format!("/tasks?text={encoded}&status={encoded}"),
        &format!("/calls?text={encoded}&status={encoded}"),
        &format!("/assets?text={encoded}"),
        &format!("/tier-configs?text={encoded}"),
    ] {
        let (status, page, _) = browser.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_harmless(&page);
        assert!(!page.contains("href=\"javascript"), "{page}");
    }
    for (path, fields) in [
        (
            "/schedules",
            &[("name", HOSTILE), ("method", HOSTILE), ("parameter", HOSTILE), ("cron", HOSTILE)] as &[_],
        ),
        ("/send", &[("event", HOSTILE), ("object", HOSTILE), ("data", HOSTILE)]),
        ("/purchase", &[("product", HOSTILE)]),
        (&format!("/variables/{encoded}"), &[("value", "")]),
        (&format!("/variables/x{encoded}"), &[("value", "x")]),
        (&format!("/assets/{encoded}/change"), &[]),
    ] {
        let (status, page, _) = browser.post(path, fields).await;
        assert!(status.is_client_error(), "{path}: {status}");
        assert_harmless(&page);
    }
}

#[tokio::test]
async fn a_variable_goes_to_the_runners() {
    let sandbox = Sandbox::builder().variable("TOKEN", "canary").start().await.unwrap();
    assert!(!Browser(&sandbox).get("/variables").await.1.contains("canary"), "it may be a secret");
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    assert_eq!(runner.receive().await["data"]["variables"][1]["value"], "initial");
    let browser = Browser(&sandbox);
    assert_eq!(browser.post("/variables/VENDOR_URL", &[("value", "new")]).await.0, StatusCode::SEE_OTHER);
    let setup = runner.receive().await;
    assert_eq!(setup["message_type"], "setup_response");
    assert_eq!(setup["data"]["variables"][1], json!({"name": "VENDOR_URL", "value": "new", "secure": false}));
    let mut other = Runner::connect(&sandbox, "SIN-2", "background").await;
    assert_eq!(other.receive().await["data"]["variables"][1]["value"], "new", "who comes later gets it too");
}

#[tokio::test]
async fn a_purchase_is_ordered_with_what_was_typed() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let browser = Browser(&sandbox);
    assert!(browser.get("/purchase?product=PRD-1").await.1.contains("name=\"p:domain\""));
    let fields =
        [("product", "PRD-1"), ("p:domain", "b.example"), ("customer", "new"), ("customer:name", "New Ltd")];
    let (status, page, headers) = browser.post("/purchase", &fields).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let id = headers["location"].to_str().unwrap().strip_prefix("/requests/").unwrap();
    let request = sandbox.request(id).unwrap();
    assert_eq!((&request["type"], &request["status"]), (&json!("purchase"), &json!("pending")));
    assert_eq!(request["asset"]["params"][0]["value"], "b.example");
    assert_eq!(request["asset"]["tiers"]["customer"]["name"], "New Ltd");
    let draft = [fields.as_slice(), &[("draft", "1")]].concat();
    let (.., headers) = browser.post("/purchase", &draft).await;
    let id = headers["location"].to_str().unwrap().strip_prefix("/requests/").unwrap();
    assert_eq!(sandbox.request(id).unwrap()["status"], "draft");
    browser.post(&format!("/requests/{id}/purchase"), &[]).await;
    assert_eq!(sandbox.request(id).unwrap()["status"], "pending");
    let (status, page, _) = browser.get("/purchase?product=PRD-none").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{page}");
}

#[tokio::test]
async fn an_asset_goes_through_its_life() {
    let mut first = purchase("PR-1");
    first["asset"]["items"] = json!([{"id": "seat", "quantity": "5", "old_quantity": "0"}]);
    let sandbox = Sandbox::builder().request(first).start().await.unwrap();
    let browser = Browser(&sandbox);
    let approve = async |id: &str| {
        let (status, page, _) =
            browser.post(&format!("/requests/{id}/approve"), &[("template", "TL-1")]).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    };
    let order = async |kind: &str, fields: &[(&str, &str)]| {
        let (status, page, headers) = browser.post(&format!("/assets/AS-PR-1/{kind}"), fields).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{kind}: {page}");
        headers["location"].to_str().unwrap().strip_prefix("/requests/").unwrap().to_owned()
    };
    let asset = |key: &str| sandbox.asset("AS-PR-1").unwrap()[key].clone();
    let (status, page, _) = browser.post("/assets/AS-PR-1/cancel", &[]).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("The asset has an open request: PR-1."), "{page}");
    approve("PR-1").await;
    let change = order("change", &[("i:seat", "9")]).await;
    assert_eq!(asset("items")[0]["quantity"], "5", "it is in force once it is approved");
    approve(&change).await;
    assert_eq!(asset("items")[0], json!({"id": "seat", "quantity": "9", "old_quantity": "5"}));
    for (kind, state) in [("suspend", "suspended"), ("resume", "active"), ("cancel", "terminated")] {
        let request = order(kind, &[]).await;
        assert!(
            browser.get("/assets/AS-PR-1").await.1.contains(&request),
            "{kind} is in the asset's history"
        );
        approve(&request).await;
        assert_eq!(asset("status"), state, "{kind}");
    }
    let (status, page, _) = browser.post("/assets/AS-PR-1/change", &[("i:seat", "1")]).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("Request type change is not allowed when asset state is terminated"), "{page}");
}

#[tokio::test]
async fn time_goes_faster_and_jumps() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let at = jiff::Timestamp::now() + std::time::Duration::from_secs(7_200);
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    sandbox
        .add_schedule(json!({"id": "EFS-1", "method": "refresh", "trigger": {"type": "onetime", "date": at.to_string()}}))
        .unwrap();
    let browser = Browser(&sandbox);
    let task = runner.task().await;
    runner.answer(task, json!({"result": "reschedule", "countdown": 3_600})).await;
    while !browser.get("/requests/PR-1").await.1.contains("comes again in") {}
    assert!(browser.get("/clock").await.1.contains("EFS-1"));
    // An hour more than the countdown, yet not as far as the schedule.
    assert_eq!(browser.post("/clock/step", &[("seconds", "3600")]).await.0, StatusCode::SEE_OTHER);
    let again = runner.task().await;
    assert_eq!(again["data"]["input"]["object_id"], "PR-1");
    runner.answer(again, json!({"result": "reschedule", "countdown": 3_600})).await;
    assert_eq!(browser.post("/clock/speed", &[("speed", "1000000")]).await.0, StatusCode::SEE_OTHER);
    let mut came = [runner.task().await, runner.task().await];
    came.sort_by_key(|task| task["data"]["input"]["object_id"].to_string());
    assert_eq!(came[0]["data"]["input"]["object_id"], "EFS-1");
    assert_eq!(came[1]["data"]["input"]["object_id"], "PR-1");
    for (path, fields) in [
        ("/clock/speed", ("speed", "0")),
        ("/clock/speed", ("speed", "NaN")),
        ("/clock/speed", ("speed", "fast")),
        ("/clock/step", ("seconds", "-1")),
        ("/clock/step", ("seconds", "99999999999999")),
    ] {
        assert_eq!(browser.post(path, &[fields]).await.0, StatusCode::BAD_REQUEST, "{fields:?}");
    }
    assert!(sandbox.set_speed(0.0).is_err());
}

#[tokio::test]
async fn pages_are_told_of_changes() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let mut events = reqwest::get(format!("{}/events", sandbox.url())).await.unwrap();
    assert!(events.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let hello = events.chunk().await.unwrap().unwrap();
    assert!(hello.starts_with(b"event: hello\ndata: 0"), "browsers leave out events without data: {hello:?}");
    Rest(&sandbox).post("requests/PR-1/fail", json!({"reason": "r"})).await;
    let change = timeout(PATIENCE, events.chunk()).await.unwrap().unwrap().unwrap();
    assert!(change.starts_with(b"event: change"), "{change:?}");
    // An open page does not hold up the end.
    timeout(PATIENCE, sandbox.stop()).await.unwrap();
}

#[tokio::test]
async fn only_its_own_pages_can_use_it() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let browser = Browser(&sandbox);
    let origin = sandbox.url();
    let (status, _, headers) = browser.get("/").await;
    assert_eq!(status, StatusCode::OK);
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    for headers in [
        &[] as &[(&str, &str)],
        &[("Origin", "http://evil.example")],
        &[("Origin", &origin), ("Sec-Fetch-Site", "cross-site")],
        &[("Origin", "http://evil.example"), ("Host", "evil.example")],
    ] {
        let (status, ..) =
            browser.send(Method::POST, "/requests/PR-1/fail", &[("reason", "r")], headers).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    let (status, page, _) = browser.send(Method::GET, "/", &[], &[("Host", "evil.example")]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(!page.contains("PR-1"));
    assert_eq!(sandbox.request("PR-1").unwrap()["status"], "pending");
    // No key, no REST: the console opens nothing else.
    assert_eq!(browser.get("/public/v1/requests").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn it_is_on_loopback_alone_unless_told_otherwise() {
    let open = Sandbox::builder().address("0.0.0.0:0").start().await.unwrap();
    assert_eq!(Browser(&open).get("/").await.0, StatusCode::NOT_FOUND);
    let open = Sandbox::builder().address("0.0.0.0:0").console(true).start().await.unwrap();
    assert_eq!(Browser(&open).get("/").await.0, StatusCode::OK);
    let closed = Sandbox::builder().console(false).start().await.unwrap();
    assert_eq!(Browser(&closed).get("/").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_buttons_do_what_connect_does() {
    let sandbox = Sandbox::builder().requests(["PR-1", "PR-2"].map(purchase)).start().await.unwrap();
    let browser = Browser(&sandbox);
    let (status, page, _) =
        browser.post("/requests/PR-1/params", &[("p:domain", "b.example"), ("note", "n")]).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let request = sandbox.request("PR-1").unwrap();
    assert_eq!(
        (&request["asset"]["params"][0]["value"], &request["note"]),
        (&json!("b.example"), &json!("n"))
    );
    browser.post("/requests/PR-1/inquire", &[("e:domain", "is taken")]).await;
    assert_eq!(sandbox.request("PR-1").unwrap()["status"], "inquiring");
    assert!(browser.get("/requests/PR-1").await.1.contains("is taken"));
    browser.post("/requests/PR-1/pend", &[("p:domain", "c.example")]).await;
    assert_eq!(sandbox.request("PR-1").unwrap()["status"], "pending");
    let (status, _, headers) = browser.post("/requests/PR-1/approve", &[("template", "TL-1")]).await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (StatusCode::SEE_OTHER, "/requests/PR-1"));
    assert_eq!(sandbox.request("PR-1").unwrap()["status"], "approved");
    // What Connect refuses is told, and what was typed is kept.
    let (status, page, _) = browser.post("/requests/PR-1/fail", &[("reason", "too late")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("Only pending requests can be failed."), "{page}");
    let (_, page, _) = browser.post("/requests/PR-2/rerun", &[]).await;
    assert!(page.contains("No runner handles a purchase request that is pending."), "{page}");
    assert_eq!(browser.post("/requests/PR-2/explode", &[]).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_request_is_run_again() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let task = runner.task().await;
    runner.answer(task.clone(), json!({"result": "reschedule", "countdown": 86_400})).await;
    let browser = Browser(&sandbox);
    // The answer is on its way.
    while !browser.get("/requests/PR-1").await.1.contains("comes again in") {}
    browser.post("/requests/PR-1/rerun", &[]).await;
    let again = runner.task().await;
    assert_eq!(again["data"]["options"]["task_id"], task["data"]["options"]["task_id"], "it waits no more");
    runner.answer(again, json!({"result": "fail", "message": "no stock"})).await;
    sandbox.settled().await;
    browser.post("/requests/PR-1/rerun", &[]).await;
    let new = runner.task().await;
    assert_ne!(
        new["data"]["options"]["task_id"], task["data"]["options"]["task_id"],
        "the other one is over"
    );
}

#[tokio::test]
async fn calls_are_shown_with_their_task() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let task = runner.task().await;
    // As runners do: without the header before the handler, with it in the handler.
    Rest(&sandbox).get("requests?and(eq(id,PR-1),in(status,(pending)))&limit=0&offset=0").await;
    Rest(&sandbox).get("requests/PR-1").await;
    let call = Client::new().put(format!("{}/public/v1/requests/PR-1", sandbox.url()));
    let call =
        call.header("Authorization", sandbox.api_key()).header("EAAS_TASK_ID", "TQ-0000-0000-0000-0001");
    call.json(&json!({"note": "by the handler"})).send().await.unwrap();
    runner.answer(task, json!({"result": "success"})).await;
    sandbox.settled().await;
    Rest(&sandbox).get("requests/PR-1").await;
    let page = Browser(&sandbox).get("/requests/PR-1").await.1;
    assert!(page.contains("3 calls"), "the last one was made by somebody else: {page}");
    assert!(page.contains("by the handler"), "with their bodies: {page}");
}

#[tokio::test]
async fn the_list_is_filtered_and_paged() {
    let mut requests: Vec<Value> = (1..=60).map(|number| purchase(&format!("PR-{number:03}"))).collect();
    requests[0]["status"] = json!("approved");
    requests[1]["asset"]["tiers"] = json!({"customer": {"name": "Ünlü (& Söhne)"}});
    let sandbox = Sandbox::builder().requests(requests).start().await.unwrap();
    let browser = Browser(&sandbox);
    let rows = async |path: &str| browser.get(path).await.1.matches("<tr data-row").count();
    assert_eq!(rows("/").await, 50);
    assert_eq!(rows("/?page=2").await, 10);
    assert_eq!(rows("/?status=approved").await, 1);
    assert_eq!(rows("/?status=pending&type=purchase&product=PRD-1&page=2").await, 9);
    assert_eq!(rows("/?type=cancel").await, 0);
    let text = percent_encoding::utf8_percent_encode("ünlü (&", percent_encoding::NON_ALPHANUMERIC);
    assert_eq!(rows(&format!("/?text={text}")).await, 1);
    assert_eq!(rows("/?text=*").await, 0, "it is a text, not a pattern");
    let rest = Rest(&sandbox).get("requests?limit=1").await;
    assert_eq!(rest.2, "items 0-0/60", "REST is as it was");
}
