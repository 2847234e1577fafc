//! The console's pages about the extension, as a browser sees them.

use connect_sandbox::Sandbox;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    console::{Browser, HOSTILE, assert_harmless},
    support::{ENVIRONMENT, PURCHASE, Rest, Runner, purchase, settled, task_id},
};

const SERVICE: &str = "devops/services/SRVC-0000-0001";

#[tokio::test]
async fn nothing_about_the_extension_is_rendered_unescaped() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let environment = format!("{SERVICE}/environments/{ENVIRONMENT}");
    rest.put(SERVICE, json!({"name": HOSTILE, "description": HOSTILE, "products": [{"id": HOSTILE}]})).await;
    rest.put(&environment, json!({"jwt_secret": HOSTILE, "error_output": HOSTILE})).await;
    let installation = json!({"id": "EIN-1", "owner": {"id": HOSTILE, "name": HOSTILE}, "status": "installed",
        "comment": HOSTILE, "settings": {HOSTILE: HOSTILE}});
    sandbox.add_installation(installation).unwrap();
    let schedule = json!({"id": "EFS-1", "name": HOSTILE, "method": HOSTILE, "parameter": {HOSTILE: HOSTILE},
        "trigger": {"type": "advanced", "cron_expression": "0 0 * * *"}, "reason": HOSTILE});
    sandbox.add_schedule(schedule).unwrap();
    let object = json!({"id": HOSTILE, "type": HOSTILE, "category": "background"});
    rest.post(&format!("{environment}/tasks"), json!({"object": object})).await;
    let task = sandbox.tasks()[0].id.clone();
    let browser = Browser(&sandbox);
    for path in
        ["/service", "/schedules", "/schedules/EFS-1", "/tasks", &format!("/tasks/{task}"), "/custom-event"]
    {
        let (status, page, _) = browser.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {page}");
        assert_harmless(&page);
    }
    for path in [
        "/service",
        "/installations",
        "/installations/EIN-1",
        "/schedules/EFS-1",
        "/variables",
        "/custom-event",
    ] {
        let fields = ["name", "value", "owner", "settings", "method", "parameter", "body", "headers", "kind"];
        let (status, page, _) = browser.post(path, &fields.map(|field| (field, HOSTILE))).await;
        assert!(status == StatusCode::BAD_REQUEST || status == StatusCode::SEE_OTHER, "{path}: {status}");
        assert_harmless(&page);
    }
}

#[tokio::test]
async fn variables_are_added_and_deleted() {
    let sandbox = Sandbox::start().await.unwrap();
    let browser = Browser(&sandbox);
    let fields = [("name", "API_URL"), ("value", "https://a.example")];
    assert_eq!(browser.post("/variables", &fields).await.0, StatusCode::SEE_OTHER);
    let secret = [("name", "TOKEN"), ("value", "canary"), ("secure", "yes")];
    assert_eq!(browser.post("/variables", &secret).await.0, StatusCode::SEE_OTHER);
    let page = browser.get("/variables").await.1;
    assert!(page.contains("https://a.example") && page.contains("TOKEN") && !page.contains("canary"));
    let (status, page, _) = browser.post("/variables", &[("name", "9"), ("value", "typed")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("name: Enter a letter") && page.contains("value=\"typed\""), "{page}");
    let (status, page, _) = browser.post("/variables/API_URL", &[("value", "")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("value: This field may not be blank."), "{page}");
    assert_eq!(browser.post("/variables/API_URL/delete", &[]).await.0, StatusCode::SEE_OTHER);
    assert!(!browser.get("/variables").await.1.contains("API_URL"));
    assert_eq!(browser.post("/variables/API_URL/delete", &[]).await.0, StatusCode::NOT_FOUND);
    assert_eq!(browser.post("/variables/API_URL", &[("value", "x")]).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_schedule_is_edited_and_switched_off() {
    let sandbox = Sandbox::start().await.unwrap();
    let trigger =
        json!({"type": "recurring", "unit": "days", "amount": 2, "start": "2024-01-01T10:00:00+00:00"});
    let id = sandbox.add_schedule(json!({"name": "Sync", "method": "sync", "trigger": trigger})).unwrap();
    let browser = Browser(&sandbox);
    let path = format!("/schedules/{id}");
    let page = browser.get(&path).await.1;
    assert!(
        page.contains("value=\"2024-01-01T10:00:00\"") && page.contains("value=\"days\" selected"),
        "{page}"
    );
    let fields = [
        ("name", "Sync all"),
        ("method", "sync"),
        ("trigger", "advanced"),
        ("cron", "0 5 * * *"),
        ("parameter", "{\"a\": 1}"),
    ];
    assert_eq!(browser.post(&path, &fields).await.0, StatusCode::SEE_OTHER);
    let own = format!("{SERVICE}/environments/{ENVIRONMENT}/schedules/{id}");
    let stored = async || Rest(&sandbox).get(&own).await.1;
    let changed = stored().await;
    assert_eq!((&changed["name"], &changed["parameter"]), (&json!("Sync all"), &json!({"a": 1})));
    assert_eq!(changed["trigger"]["cron_expression"], "0 5 * * *");
    let (status, page, _) =
        browser.post(&path, &[("method", "sync"), ("trigger", "advanced"), ("cron", "never")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("trigger.cron_expression") && page.contains("value=\"never\""), "{page}");
    for (action, expected) in [("disable", "disabled"), ("enable", "enabled")] {
        assert_eq!(browser.post(&format!("{path}/{action}"), &[]).await.0, StatusCode::SEE_OTHER);
        assert_eq!(stored().await["status"], expected);
    }
    assert_eq!(browser.post(&format!("{path}/delete"), &[]).await.0, StatusCode::SEE_OTHER);
    assert_eq!(browser.get(&path).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_task_that_failed_is_resubmitted_on_its_page() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let task = runner.task().await;
    let id = task_id(&task).to_owned();
    let browser = Browser(&sandbox);
    let page = browser.get(&format!("/tasks/{id}")).await.1;
    assert!(
        page.contains(PURCHASE) && page.contains("/requests/PR-1") && !page.contains("Resubmit"),
        "{page}"
    );
    runner.answer(task, json!({"result": "fail", "message": "No such domain"})).await;
    settled(&sandbox).await;
    let page = browser.get(&format!("/tasks/{id}")).await.1;
    assert!(page.contains("Resubmit") && page.contains("No such domain"), "{page}");
    assert_eq!(browser.post(&format!("/tasks/{id}/resubmit"), &[]).await.0, StatusCode::SEE_OTHER);
    assert_eq!(task_id(&runner.task().await), id);
    assert_eq!(browser.get("/tasks/TQ-9").await.0, StatusCode::NOT_FOUND);
    assert!(browser.get("/tasks").await.1.contains(&format!("href=\"/tasks/{id}\"")));
}

#[tokio::test]
async fn the_extension_is_installed_and_uninstalled() {
    let sandbox = Sandbox::start().await.unwrap();
    let browser = Browser(&sandbox);
    assert!(browser.get("/service").await.1.contains("Nobody has installed the extension."));
    let fields = [("owner", "PA-000-000 Meridian"), ("settings", "{\"region\": \"eu\"}")];
    assert_eq!(browser.post("/installations", &fields).await.0, StatusCode::SEE_OTHER);
    let page = browser.get("/service").await.1;
    assert!(page.contains("Meridian") && page.contains("region"), "{page}");
    let installed = Rest(&sandbox).get(&format!("{SERVICE}/installations")).await.1[0].clone();
    assert_eq!(installed["owner"]["role"], "distributor");
    let path = format!("/installations/{}", installed["id"].as_str().unwrap());
    let (status, page, _) = browser.post(&path, &[("settings", "[typed]")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("settings: It is not JSON") && page.contains("[typed]"), "{page}");
    assert_eq!(browser.post(&path, &[("settings", "{\"region\": \"us\"}")]).await.0, StatusCode::SEE_OTHER);
    assert_eq!(browser.post(&format!("{path}/uninstall"), &[]).await.0, StatusCode::SEE_OTHER);
    let gone = Rest(&sandbox).get(&format!("{SERVICE}/installations")).await.1[0].clone();
    assert_eq!((&gone["status"], &gone["settings"]), (&json!("uninstalled"), &json!({"region": "us"})));
}

#[tokio::test]
async fn the_service_and_the_environment_are_set() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    runner.receive().await;
    let browser = Browser(&sandbox);
    let fields = [("name", "Mine"), ("description", ""), ("product", "PRD-1")];
    assert_eq!(browser.post("/service", &fields).await.0, StatusCode::SEE_OTHER);
    let service = Rest(&sandbox).get(SERVICE).await.1;
    assert_eq!((&service["name"], &service["products"][0]["id"]), (&json!("Mine"), &json!("PRD-1")));
    let (status, page, _) = browser.post("/service", &[("name", "")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("name: This field is required."), "{page}");
    let secret =
        Rest(&sandbox).get(&format!("{SERVICE}/environments/{ENVIRONMENT}")).await.1["jwt_secret"].clone();
    assert!(!browser.get("/service").await.1.contains(secret.as_str().unwrap()), "a secret is shown");
    let fields = [("runtime", "local"), ("log_level", "DEBUG"), ("jwt_secret", "")];
    assert_eq!(browser.post("/service/environment", &fields).await.0, StatusCode::SEE_OTHER);
    let environment = Rest(&sandbox).get(&format!("{SERVICE}/environments/{ENVIRONMENT}")).await.1;
    assert_eq!(environment["jwt_secret"], secret, "it stays");
    let fields = [("runtime", "cloud"), ("log_level", "DEBUG"), ("jwt_secret", "s3cr3t")];
    assert_eq!(browser.post("/service/environment", &fields).await.0, StatusCode::SEE_OTHER);
    let environment = Rest(&sandbox).get(&format!("{SERVICE}/environments/{ENVIRONMENT}")).await.1;
    assert_eq!((&environment["runtime"], &environment["jwt_secret"]), (&json!("cloud"), &json!("s3cr3t")));
    let fields = [("runtime", "cloud"), ("log_level", "DEBUG"), ("open", "yes")];
    assert_eq!(browser.post("/service/environment", &fields).await.0, StatusCode::SEE_OTHER);
    let environment = Rest(&sandbox).get(&format!("{SERVICE}/environments/{ENVIRONMENT}")).await.1;
    assert_eq!(environment["jwt_secret"], json!(null), "anybody may send them");
    let page = browser.get("/service").await.1;
    assert!(page.contains("SIN-1") && page.contains("The instance SIN-1 connected."), "{page}");
    assert_eq!(browser.post("/service/environment/stop", &[]).await.0, StatusCode::SEE_OTHER);
    loop {
        if runner.receive().await["message_type"] == "shutdown" {
            break;
        }
    }
}

#[tokio::test]
async fn a_custom_event_is_sent_by_hand() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "interactive").await;
    let browser = Browser(&sandbox);
    let fields = [
        ("kind", "application/x-www-form-urlencoded"),
        ("body", "controller=sync&a=1"),
        ("query", "?x=1"),
        ("headers", "X-Api-Key: k"),
        ("sign", "yes"),
    ];
    let answered = async {
        let task = runner.task().await;
        let data: Value = task["data"]["input"]["data"].clone();
        let output = json!({"result": "success", "data": {"http_status": 202, "headers": {"X-Own": "o"}, "body": {"done": true}}});
        runner.answer(task, output).await;
        data
    };
    let ((status, page, _), data) = tokio::join!(browser.post("/custom-event", &fields), answered);
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(page.contains("202 Accepted") && page.contains("x-own") && page.contains("done"), "{page}");
    assert_eq!(data["body"], json!({"controller": "sync", "a": "1"}));
    assert_eq!((&data["querystring"], &data["headers"]["X-Api-Key"]), (&json!({"x": ["1"]}), &json!("k")));
    assert!(data["headers"]["Authorization"].as_str().unwrap().starts_with("Bearer "));
    let (status, page, _) = browser.post("/custom-event", &[("body", "{}")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        page.contains("API request is unauthorized."),
        "without the token it is one that nobody lets in: {page}"
    );
}

#[tokio::test]
async fn a_timeline_is_in_its_order_however_fast_time_goes() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).speed(100_000.0).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let task = runner.task().await;
    let id = task_id(&task).to_owned();
    let rest = Rest(&sandbox);
    sandbox.step(std::time::Duration::from_secs(40 * 86_400));
    rest.post("requests/PR-1/fail", json!({"reason": "No"})).await;
    runner.answer(task, json!({"result": "reschedule", "countdown": 30})).await;
    let again = runner.task().await;
    runner.answer(again, json!({"result": "success"})).await;
    settled(&sandbox).await;
    let page = Browser(&sandbox).get("/requests/PR-1").await.1;
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    let (first, failed, second) = (format!("id=\"{id}-1\""), "<strong>Failed", format!("id=\"{id}-2\""));
    assert!(place(&first) < place(failed) && place(failed) < place(&second), "{page}");
    // By REST a task has the times of the object.
    let path = format!("{SERVICE}/environments/{ENVIRONMENT}/tasks/{id}");
    let events = &rest.get(&path).await.1["events"];
    let request = sandbox.request("PR-1").unwrap();
    let (created, failed) = (events["created"]["at"].as_str(), request["events"]["failed"]["at"].as_str());
    assert!(created < failed && failed < events["completed"]["at"].as_str(), "{events} {request}");
}
