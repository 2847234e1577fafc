//! The devops paths: what an extension and its vendor see of it.

use connect_sandbox::{DispatchPolicy, Sandbox};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ENVIRONMENT, PURCHASE, Rest, Runner, purchase, settled, task_id};

const SERVICE: &str = "devops/services/SRVC-0000-0001";

fn own(rest: &str) -> String {
    format!("{SERVICE}/environments/{ENVIRONMENT}{rest}")
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn services_are_kept_and_the_extensions_own_stays() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let (_, services, range) = rest.get("devops/services").await;
    assert_eq!((ids(&services), range.as_str()), (vec!["SRVC-0000-0001"], "items 0-0/1"));
    let body = json!({"name": "Other", "type": "products", "product": {"id": "PRD-9"}, "description": "d", "owner": 7});
    let (status, made) = rest.post("devops/services", body).await;
    assert_eq!(status, StatusCode::CREATED);
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["products"], json!([{"id": "PRD-9", "name": null, "icon": null}]));
    assert_eq!(made["owner"]["role"], "vendor");
    assert_eq!(made["environments"]["production"]["status"], "uninitialized");
    assert_eq!(made["environments"]["test"]["id"], format!("ENV-{}-02", id.trim_start_matches("SRVC-")));
    let path = format!("devops/services/{id}");
    let (status, changed) = rest.put(&path, json!({"description": null, "package_id": "com.other"})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Other"), &json!(null)));
    let (_, environments, _) = rest.get(&format!("{path}/environments")).await;
    assert_eq!(environments.as_array().unwrap().len(), 3);
    // Its variables are its own.
    let variables = format!("{path}/environments/{}/variables", environments[0]["id"].as_str().unwrap());
    assert_eq!(rest.post(&variables, json!({"name": "A", "value": "1"})).await.0, StatusCode::CREATED);
    assert_eq!(rest.get(&own("/variables")).await.1, json!([]));
    assert_eq!(rest.get(&variables).await.1[0]["value"], "1");
    let schedules = variables.replace("variables", "schedules");
    assert_eq!(rest.get(&schedules).await.0, StatusCode::NOT_FOUND, "nothing runs there");

    for (body, error) in [
        (json!({}), "name: This field is required."),
        (json!({"name": "x".repeat(257)}), "name: Ensure this field has no more than 256 characters."),
        (json!({"name": "x", "type": "magic"}), "type: \"magic\" is not a valid choice."),
        (json!({"name": "x", "products": "all"}), "products: Expected a list of items."),
        (json!({"name": "x", "products": [{}]}), "products.id: This field is required."),
        (json!({"name": "x", "hub": 7}), "hub.id: This field is required."),
        (json!({"name": 7}), "name: Not a valid string."),
        (json!(["x"]), "Invalid data. Expected a dictionary."),
    ] {
        let (status, told) = rest.post("devops/services", body).await;
        assert_eq!((status, &told["errors"][0]), (StatusCode::BAD_REQUEST, &json!(error)));
    }
    let delete = async |path: &str| rest.call(Method::DELETE, path, None).await.0;
    assert_eq!(delete(&path).await, StatusCode::NO_CONTENT);
    assert_eq!(rest.get(&path).await.0, StatusCode::NOT_FOUND);
    assert_eq!(rest.get(&variables).await.0, StatusCode::NOT_FOUND);
    assert_eq!(delete(SERVICE).await, StatusCode::BAD_REQUEST);
    let (status, ..) = rest.call_as(sandbox.distributor_key(), Method::GET, SERVICE, None).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "the extension is the vendor's");
}

#[tokio::test]
async fn an_environment_shows_who_is_connected_and_what_they_handle() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let (_, before, _) = rest.get(&own("")).await;
    assert_eq!((&before["status"], &before["instances"]), (&json!("disconnected"), &json!([])));
    assert_eq!(before["features"]["event_processing_available"], false);
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let meta = &runner.receive().await["data"]["logging"]["meta"];
    assert_eq!((&meta["service_id"], &meta["account_id"]), (&json!("SRVC-0000-0001"), &json!("VA-000-000")));
    let (_, shown, _) = rest.get(&own("")).await;
    assert_eq!(shown["status"], "connected");
    assert_eq!(shown["instances"][0]["container_id"], "SIN-1");
    assert_eq!(shown["instances"][0]["id"], "INS-0000-0001-01-000001");
    assert_eq!(shown["features"]["event_processing_available"], true);
    assert_eq!(shown["features"]["custom_api_available"], false);
    assert_eq!(
        shown["schedulables"],
        json!([{"name": "Refresh", "method": "refresh", "description": "Refreshes"}])
    );
    assert_eq!(shown["configuration"], json!([{"name": "VENDOR_URL", "value": "initial"}]));
    let capability =
        shown["capabilities"].as_array().unwrap().iter().find(|own| own["id"] == PURCHASE).unwrap();
    assert_eq!(
        (&capability["enabled"], &capability["statuses"]["pending"], &capability["statuses"]["failed"]),
        (&json!(true), &json!(true), &json!(false))
    );
    assert_eq!(shown["extension"]["id"], "SRVC-0000-0001");
    assert!(shown["jwt_secret"].as_str().unwrap().len() >= 32);
    let (_, subscribed, _) = rest.get(&own("/event-subscriptions")).await;
    assert_eq!(subscribed["event_subscriptions"][PURCHASE], json!(["pending"]));

    // What the runner itself does when a worker breaks.
    let instance = own("/instances/INS-0000-0001-01-000001");
    let (status, answer) = rest.put(&instance, json!({"error_output": "Traceback"})).await;
    assert_eq!((status, &answer["error_output"]), (StatusCode::OK, &json!("Traceback")));
    assert_eq!(rest.put(&own("/instances/INS-9"), json!({})).await.0, StatusCode::NOT_FOUND);
    assert_eq!(rest.put(&own(""), json!({"error_output": "It broke."})).await.0, StatusCode::OK);
    let (_, events, _) = rest.get(&own("/events")).await;
    assert_eq!((&events[0]["severity"], &events[0]["details"]), (&json!("error"), &json!("It broke.")));
    assert_eq!(events[1]["details"], "Traceback");
    let first = own(&format!("/events/{}", events[0]["id"].as_str().unwrap()));
    assert_eq!(rest.get(&first).await.1, events[0]);

    drop(runner);
    let mut activity = sandbox.subscribe();
    while rest.get(&own("")).await.1["status"] != "disconnected" {
        activity.recv().await.unwrap();
    }
    let (_, services, _) = rest.get("devops/services").await;
    assert_eq!(services[0]["environments"]["development"]["status"], "disconnected");
}

#[tokio::test]
async fn what_is_set_in_an_environment_goes_to_the_runners() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    runner.receive().await;
    let (status, shown) = rest.post(&own("/logs/set-level/debug"), json!(null)).await;
    assert_eq!((status, &shown["log_level"]), (StatusCode::OK, &json!("DEBUG")));
    assert_eq!(runner.receive().await["data"]["logging"]["log_level"], "DEBUG");
    assert_eq!(rest.post(&own("/logs/set-level/loud"), json!(null)).await.0, StatusCode::BAD_REQUEST);
    let git = json!({"url": "https://git.example/x.git", "tag": "2.0", "commit": "c0ffee", "auth": {"password": "canary"}});
    let (_, shown) =
        rest.put(&own(""), json!({"runtime": "cloud", "jwt_secret": "s3cr3t", "git": git})).await;
    assert_eq!((&shown["status"], &shown["jwt_secret"]), (&json!("running"), &json!("s3cr3t")));
    assert!(!shown.to_string().contains("canary"), "how to get in is not told");
    let setup = runner.receive().await;
    assert_eq!(setup["data"]["environment_runtime"], "cloud");
    assert_eq!(setup["data"]["logging"]["meta"]["repository_tag"], "2.0");
    for (body, error) in [
        (json!({"runtime": "mars"}), "runtime: \"mars\" is not a valid choice."),
        (
            json!({"jwt_secret": "x".repeat(513)}),
            "jwt_secret: Ensure this field has no more than 512 characters.",
        ),
        (json!({"git": "x"}), "git: Invalid data. Expected a dictionary."),
    ] {
        let (status, told) = rest.put(&own(""), body).await;
        assert_eq!((status, &told["errors"][0]), (StatusCode::BAD_REQUEST, &json!(error)));
    }
    assert_eq!(rest.post(&own("/update-config"), json!(null)).await.0, StatusCode::OK);
    assert_eq!(runner.receive().await["message_type"], "setup_response");
    let (_, logs, _) = rest.get(&own("/logs")).await;
    assert_eq!((&logs["runtime"], &logs["logs"]), (&json!("cloud"), &json!([])));
    assert_eq!(rest.post(&own("/stop"), json!(null)).await.0, StatusCode::OK);
    assert_eq!(runner.receive().await["message_type"], "shutdown");
    // It gets no more tasks.
    sandbox.add_request(purchase("PR-1")).unwrap();
    runner.ping().await;
    assert!(sandbox.tasks()[0].attempts.is_empty());
}

#[tokio::test]
async fn variables_are_set_and_secrets_are_covered() {
    let sandbox = Sandbox::builder().variable("TOKEN", "canary").start().await.unwrap();
    let rest = Rest(&sandbox);
    let path = own("/variables");
    let (_, shown, _) = rest.get(&path).await;
    assert_eq!((&shown[0]["name"], &shown[0]["secure"]), (&json!("TOKEN"), &json!(true)), "it may be one");
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let names = |setup: &Value| {
        let variables = setup["data"]["variables"].as_array().unwrap().iter();
        variables
            .map(|own| format!("{}={}", own["name"].as_str().unwrap(), own["value"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&runner.receive().await), ["TOKEN=canary", "VENDOR_URL=initial"]);
    let (status, made) =
        rest.post(&path, json!({"name": "auth.key-1", "value": "canary", "secure": true})).await;
    assert_eq!((status, &made["value"]), (StatusCode::CREATED, &json!("******")));
    assert_eq!(names(&runner.receive().await), ["TOKEN=canary", "VENDOR_URL=initial", "auth.key-1=canary"]);
    let (_, again) = rest.post(&path, json!({"name": "auth.key-1", "value": "x"})).await;
    assert_eq!(again["errors"][0], "name: There is a variable called auth.key-1.");
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let (_, changed) = rest.put(&one, json!({"name": "other", "value": "seen", "secure": false})).await;
    assert_eq!(
        (&changed["name"], &changed["value"]),
        (&json!("auth.key-1"), &json!("seen")),
        "the name stays"
    );
    assert_eq!(names(&runner.receive().await)[2], "auth.key-1=seen");
    assert_eq!(rest.put(&one, json!({"value": ""})).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(rest.get(&format!("{path}?eq(name,auth.key-1)")).await.1, json!([changed]));
    assert_eq!(rest.call(Method::DELETE, &one, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(names(&runner.receive().await).len(), 2);
    assert_eq!(rest.get(&one).await.0, StatusCode::NOT_FOUND);
    assert_eq!(rest.call(Method::DELETE, &one, None).await.0, StatusCode::NOT_FOUND);
    assert!(!rest.get(&path).await.1.to_string().contains("canary"));
    assert!(!rest.get(&own("")).await.1.to_string().contains("canary"));
    assert!(!rest.get(SERVICE).await.1.to_string().contains("canary"));
}

#[tokio::test]
async fn a_variable_that_nobody_changed_follows_its_declaration() {
    let sandbox = Sandbox::start().await.unwrap();
    let path = own("/variables");
    let declare = async |value: &str, secure: bool| {
        let path = format!("{ENVIRONMENT}/SIN-1");
        let mut runner = Runner(Runner::open(&sandbox, &path, "", sandbox.api_key()).await.unwrap());
        let variables = json!([{"name": "URL", "initial_value": value, "secure": secure}]);
        let setup = json!({"version": 2, "message_type": "setup_request", "data": {"variables": variables}});
        runner.send(&setup).await;
        runner.receive().await["data"]["variables"][0]["value"].clone()
    };
    assert_eq!(declare("first", false).await, "first");
    assert_eq!(declare("second", false).await, "second");
    let id = Rest(&sandbox).get(&path).await.1[0]["id"].clone();
    let one = format!("{path}/{}", id.as_str().unwrap());
    Rest(&sandbox).put(&one, json!({"value": "mine"})).await;
    assert_eq!(declare("third", true).await, "mine");
    assert_eq!(Rest(&sandbox).get(&one).await.1["secure"], true);
}

#[tokio::test]
async fn schedules_are_enabled_disabled_and_changed() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    runner.receive().await;
    let path = own("/schedules");
    let cron = json!({"type": "advanced", "cron_expression": "0 0 1 1 *"});
    let body = json!({"name": "Yearly", "method": "refresh", "trigger": cron, "parameter": {"a": 1}, "id": "EFS-7", "status": "disabled"});
    let (status, made) = rest.post(&path, body).await;
    assert_eq!(
        (status, &made["status"]),
        (StatusCode::CREATED, &json!("enabled")),
        "neither is for them to say"
    );
    assert_eq!(made["environment"]["id"], ENVIRONMENT);
    assert!(made["events"]["next_trigger"]["at"].as_str().unwrap().contains("-01-01T00:00:00"));
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let (_, disabled) = rest.post(&format!("{one}/disable"), json!(null)).await;
    assert_eq!(
        (&disabled["status"], &disabled["events"]["next_trigger"]),
        (&json!("disabled"), &json!(null))
    );
    let cron = json!({"type": "advanced", "cron_expression": "0 0 1 7 *"});
    let (_, changed) = rest.put(&one, json!({"name": "In July", "trigger": cron})).await;
    assert_eq!((&changed["name"], &changed["parameter"]), (&json!("In July"), &json!({"a": 1})));
    assert_eq!(changed["events"]["next_trigger"], json!(null), "it is disabled still");
    let (_, enabled) = rest.post(&format!("{one}/enable"), json!(null)).await;
    assert!(enabled["events"]["next_trigger"]["at"].as_str().unwrap().contains("-07-01T00:00:00"));
    assert_eq!(enabled["events"]["last_triggered"], json!(null));
    let (_, triggered) = rest.post(&format!("{one}/trigger"), json!(null)).await;
    assert!(triggered["events"]["last_triggered"]["at"].is_string());
    let task = runner.task().await;
    assert_eq!(task["data"]["input"]["object_id"], made["id"]);
    runner.answer(task, json!({"result": "success"})).await;
    assert_eq!(rest.get(&format!("{path}?eq(status,enabled)")).await.2, "items 0-0/1");
    for (body, error) in [
        (json!({"method": "refresh"}), "name: This field is required."),
        (json!({"name": "x", "method": "refresh"}), "trigger: This field is required."),
        (
            json!({"name": "x", "trigger": {"type": "advanced", "cron_expression": "0 0 * * *"}}),
            "method: This field is required.",
        ),
        (
            json!({"name": "x", "method": "refresh", "trigger": {}}),
            "trigger.type: It has to be onetime, recurring or advanced.",
        ),
        (
            json!({"name": "x", "method": "refresh", "trigger": {"type": "advanced", "cron_expression": "0 0 * * *"}, "parameter": []}),
            "parameter: Invalid data. Expected a dictionary.",
        ),
    ] {
        let (status, told) = rest.post(&path, body).await;
        assert_eq!((status, &told["errors"][0]), (StatusCode::BAD_REQUEST, &json!(error)));
    }
    // An extension that has the method no more.
    let mut other = Runner(
        Runner::open(&sandbox, &format!("{ENVIRONMENT}/SIN-2"), "background", sandbox.api_key())
            .await
            .unwrap(),
    );
    other.send(&json!({"version": 2, "message_type": "setup_request", "data": {}})).await;
    other.receive().await;
    assert_eq!(rest.get(&one).await.1["status"], "obsolete");
    assert_eq!(rest.post(&format!("{one}/enable"), json!(null)).await.0, StatusCode::BAD_REQUEST);
    let mut runner = Runner::connect(&sandbox, "SIN-3", "background").await;
    runner.receive().await;
    assert_eq!(rest.get(&one).await.1["status"], "enabled");
}

#[tokio::test]
async fn a_schedule_that_fires_once_is_disabled_then() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let trigger = json!({"type": "onetime", "date": "2999-01-01T00:00:00+00:00"});
    let body = json!({"name": "Once", "method": "refresh", "trigger": trigger});
    let made = rest.post(&own("/schedules"), body).await.1;
    sandbox.step(std::time::Duration::from_secs(1_000 * 366 * 86_400));
    let task = runner.task().await;
    runner.answer(task, json!({"result": "success"})).await;
    settled(&sandbox).await;
    let one = own(&format!("/schedules/{}", made["id"].as_str().unwrap()));
    let (_, fired, _) = rest.get(&one).await;
    assert_eq!((&fired["status"], &fired["events"]["next_trigger"]), (&json!("disabled"), &json!(null)));
    assert!(fired["events"]["last_triggered"]["at"].is_string());
}

#[tokio::test]
async fn tasks_are_told_listed_and_resubmitted() {
    let sandbox =
        Sandbox::builder().request(purchase("PR-1")).request(purchase("PR-2")).start().await.unwrap();
    let rest = Rest(&sandbox);
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    for output in [
        json!({"result": "fail", "message": "x".repeat(4_001), "runtime": 0.5}),
        json!({"result": "reschedule", "countdown": 3_600, "runtime": 0.25}),
    ] {
        let task = runner.task().await;
        runner.answer(task, output).await;
    }
    runner.ping().await;
    let path = own("/tasks");
    let (_, tasks, range) = rest.get(&format!("{path}?ordering(-events.created.at)")).await;
    assert_eq!((tasks.as_array().unwrap().len(), range.as_str()), (2, "items 0-1/2"));
    let (_, failed, _) = rest.get(&format!("{path}?eq(status,failed)&eq(object.type,{PURCHASE})")).await;
    let task = &failed[0];
    assert_eq!(task["object"], json!({"id": "PR-1", "type": PURCHASE, "category": "background"}));
    assert_eq!(task["assignee"], "INS-0000-0001-01-000001");
    assert_eq!(task["output"].as_str().unwrap().len(), 4_000);
    assert_eq!((&task["runtime_total"], &task["rescheduled_count"]), (&json!(0.5), &json!(0)));
    assert_eq!(
        (&task["environment"]["id"], &task["owner"]["id"]),
        (&json!(ENVIRONMENT), &json!("VA-000-000"))
    );
    for event in ["created", "updated", "assigned", "completed"] {
        assert!(task["events"][event]["at"].as_str().unwrap().ends_with('Z'), "{event}");
    }
    let (_, others, _) = rest.get(&format!("{path}?eq(object.id,PR-2)&gt(runtime_total,0.2)")).await;
    assert_eq!((&others[0]["status"], &others[0]["rescheduled_count"]), (&json!("rescheduled"), &json!(1)));
    assert!(
        others[0]["events"]["rescheduled"]["at"].is_string() && others[0]["events"]["completed"].is_null()
    );

    let one = format!("{path}/{}", task["id"].as_str().unwrap());
    assert_eq!(rest.get(&one).await.1, *task);
    assert_eq!(rest.get(&format!("{path}?eq(id,{})", task["id"].as_str().unwrap())).await.1, failed);
    let (status, again) = rest.post(&format!("{one}/resubmit"), json!(null)).await;
    assert_eq!((status, &again["id"]), (StatusCode::OK, &task["id"]));
    let (_, refused) = rest.post(&format!("{one}/resubmit"), json!(null)).await;
    assert_eq!(refused["errors"][0], "Only failed tasks can be resubmitted.");
    let resubmitted = runner.task().await;
    assert_eq!(task_id(&resubmitted), task["id"].as_str().unwrap());
    runner.answer(resubmitted, json!({"result": "success"})).await;
    runner.ping().await;
    assert_eq!(rest.get(&one).await.1["status"], "succeeded");
    assert_eq!(rest.get(&format!("{path}/TQ-1")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(rest.post(&format!("{path}/TQ-1/resubmit"), json!(null)).await.0, StatusCode::NOT_FOUND);

    // By hand.
    let object = json!({"id": "PR-1", "type": PURCHASE, "category": "background"});
    let (status, made) = rest.post(&path, json!({"object": object})).await;
    assert_eq!((status, &made["object"]), (StatusCode::CREATED, &object));
    assert_eq!(task_id(&runner.task().await), made["id"].as_str().unwrap());
    for (object, error) in [
        (json!({}), "object.id: This field is required."),
        (
            json!({"id": "PR-1", "type": PURCHASE, "category": "interactive"}),
            "object.category: \"interactive\" is not a valid choice: background, scheduled.",
        ),
        (object, "There is a task of this type for the object, which is not over."),
        (
            json!({"id": "EFS-1", "type": PURCHASE, "category": "scheduled"}),
            "object.type: A scheduled task is of type scheduled_execution.",
        ),
    ] {
        let (status, told) = rest.post(&path, json!({"object": object})).await;
        assert_eq!((status, &told["errors"][0]), (StatusCode::BAD_REQUEST, &json!(error)));
    }
    let unknown = json!({"object": {"id": "EFS-1", "type": "scheduled_execution", "category": "scheduled"}});
    assert_eq!(rest.post(&path, unknown).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_long_history_is_listed_whole_and_forgotten_beyond_its_limit() {
    let mut policy = DispatchPolicy::default();
    policy.finished_tasks = 700;
    let requests = (0..1_000).map(|number| purchase(&format!("PR-{number:04}")));
    let sandbox = Sandbox::builder().policy(policy).requests(requests).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    for _ in 0..1_000 {
        let task = runner.task().await;
        runner.answer(task, json!({"result": "success"})).await;
    }
    settled(&sandbox).await;
    let rest = Rest(&sandbox);
    let (_, page, range) = rest.get(&own("/tasks?ordering(object.id)&limit=3&offset=650")).await;
    assert_eq!(range, "items 650-652/700");
    assert_eq!(page[0]["object"]["id"], "PR-0950");
    assert_eq!(sandbox.tasks().len(), 700);
}

#[tokio::test]
async fn an_installation_goes_through_its_life() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let path = format!("{ENVIRONMENT}/SIN-1");
    let mut runner = Runner(Runner::open(&sandbox, &path, "", sandbox.api_key()).await.unwrap());
    runner
        .send(&json!({"version": 2, "message_type": "setup_request", "data": {
            "event_subscriptions": {"installation_status_change": ["installed", "uninstalled"]}}}))
        .await;
    let definition = runner.receive().await["data"]["event_definitions"][0].clone();
    assert_eq!(definition["api_collection_endpoint"], "devops/installations");
    let body = json!({"environment": {"id": ENVIRONMENT}, "settings": {"a": [1, {"b": 2}]}, "owner": {"id": "VA-9"}});
    let (status, made) = rest.order("devops/installations", body.clone()).await;
    assert_eq!((status, &made["status"]), (StatusCode::CREATED, &json!("installed")));
    assert_eq!((&made["owner"]["id"], &made["owner"]["role"]), (&json!("PA-000-000"), &json!("distributor")));
    assert_eq!(made["environment"]["extension"]["id"], "SRVC-0000-0001");
    let id = made["id"].as_str().unwrap();
    let one = format!("devops/installations/{id}");
    let (_, again) = rest.order("devops/installations", body).await;
    assert_eq!(
        again["errors"][0],
        format!("environment.id: The account has installed {ENVIRONMENT} already.")
    );

    // The task speaks for the account, and its key is the account's.
    let task = runner.task().await;
    assert_eq!(task["data"]["input"]["object_id"], id);
    assert_eq!(task["data"]["options"]["installation_id"], id);
    let key = task["data"]["options"]["api_key"].as_str().unwrap().to_owned();
    let as_account = async |path: &str| rest.call_as(&key, Method::GET, path, None).await;
    assert_eq!(as_account(&one).await.0, StatusCode::OK);
    assert_eq!(as_account(SERVICE).await.0, StatusCode::FORBIDDEN);
    let (_, impersonated) =
        rest.post(&format!("{SERVICE}/installations/{id}/impersonate"), json!(null)).await;
    assert_eq!(impersonated["installation_api_key"], key.as_str());
    let refused = Runner::open(&sandbox, &path, "", &key).await;
    assert!(refused.is_err(), "it is no key to connect with");
    runner.answer(task, json!({"result": "success"})).await;
    settled(&sandbox).await;

    // Who has installed it sees it, the extension does, the vendor as an account does not.
    assert_eq!(rest.get(&one).await.0, StatusCode::NOT_FOUND);
    assert_eq!(rest.get("devops/installations").await.2, "items 0-0/0");
    assert_eq!(ids(&as_account("devops/installations").await.1), [id]);
    assert_eq!(ids(&rest.get(&format!("{SERVICE}/installations?eq(status,installed)")).await.1), [id]);
    let settings = json!({"settings": {"a": 2}});
    let of_service = format!("{SERVICE}/installations/{id}");
    assert_eq!(rest.put(&of_service, settings.clone()).await.1["settings"], settings["settings"]);
    let wrong = rest.put(&of_service, json!({"settings": 7})).await.1;
    assert_eq!(wrong["errors"][0], "settings: Invalid data. Expected a dictionary.");
    let (_, tasks, _) = as_account(&format!("{one}/tasks")).await;
    assert_eq!((&tasks[0]["installation"]["id"], &tasks[0]["status"]), (&json!(id), &json!("succeeded")));

    let (status, gone) = rest.order(&format!("{one}/uninstall"), json!({"comment": "Too dear"})).await;
    assert_eq!(
        (status, &gone["status"], &gone["comment"]),
        (StatusCode::OK, &json!("uninstalled"), &json!("Too dear"))
    );
    assert_eq!(runner.task().await["data"]["options"]["installation_id"], id);
    let (status, told) = rest.order(&format!("{one}/uninstall"), json!(null)).await;
    assert_eq!(
        (status, &told["errors"][0]),
        (StatusCode::BAD_REQUEST, &json!("Only installed extensions can be uninstalled."))
    );
    for (body, error) in [
        (json!({}), "environment.id: This field is required."),
        (json!({"environment": {"id": "ENV-9"}}), "environment.id: There is no environment ENV-9."),
        (
            json!({"environment": {"id": ENVIRONMENT}, "settings": "x"}),
            "settings: Invalid data. Expected a dictionary.",
        ),
    ] {
        let (status, told) = rest.order("devops/installations", body).await;
        assert_eq!((status, &told["errors"][0]), (StatusCode::BAD_REQUEST, &json!(error)));
    }
}

#[tokio::test]
async fn an_extension_gets_tasks_of_its_products_alone() {
    let of = |id: &str, product: &str| {
        let mut request = purchase(id);
        request["asset"]["product"]["id"] = product.into();
        request
    };
    let sandbox =
        Sandbox::builder().request(of("PR-1", "PRD-1")).request(of("PR-2", "PRD-2")).start().await.unwrap();
    let rest = Rest(&sandbox);
    assert_eq!(rest.put(SERVICE, json!({"products": [{"id": "PRD-2"}]})).await.0, StatusCode::OK);
    assert_eq!(ids(&rest.get(&format!("{SERVICE}/products")).await.1), ["PRD-2"]);
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let meta = &runner.receive().await["data"]["logging"]["meta"];
    assert_eq!(meta["products"], json!(["PRD-2"]));
    let task = runner.task().await;
    assert_eq!(task["data"]["input"]["object_id"], "PR-2");
    runner.answer(task, json!({"result": "success"})).await;
    settled(&sandbox).await;
    assert_eq!(sandbox.tasks().len(), 1);
    rest.put(SERVICE, json!({"products": []})).await;
    assert_eq!(runner.task().await["data"]["input"]["object_id"], "PR-1");
}

#[tokio::test]
async fn events_are_defined_as_connect_does() {
    let sandbox = Sandbox::start().await.unwrap();
    let rest = Rest(&sandbox);
    let (_, all, _) = rest.get("devops/event-definitions?eq(category,interactive)&eq(group,Product)").await;
    let names: Vec<&Value> = all.as_array().unwrap().iter().map(|event| &event["name"]).collect();
    assert_eq!(names, ["Action Execution", "Custom Event Processing"]);
    let one = format!("devops/event-definitions/{}", all[0]["id"]);
    assert_eq!(rest.get(&one).await.1, all[0]);
    assert_eq!(rest.get("devops/event-definitions/0").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_was_set_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = async || Sandbox::builder().file(folder.path().join("sandbox.db")).start().await.unwrap();
    let sandbox = start().await;
    let rest = Rest(&sandbox);
    rest.put(&own(""), json!({"jwt_secret": "s3cr3t", "runtime": "cloud"})).await;
    rest.put(SERVICE, json!({"name": "Mine"})).await;
    rest.post(&own("/variables"), json!({"name": "A", "value": "1"})).await;
    sandbox.stop().await;
    let sandbox = start().await;
    let rest = Rest(&sandbox);
    let (_, environment, _) = rest.get(&own("")).await;
    assert_eq!((&environment["jwt_secret"], &environment["runtime"]), (&json!("s3cr3t"), &json!("cloud")));
    assert_eq!(environment["extension"]["name"], "Mine");
    assert_eq!(rest.get(&own("/variables")).await.1[0]["value"], "1");
}
