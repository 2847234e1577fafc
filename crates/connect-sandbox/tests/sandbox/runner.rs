//! The sandbox as a runner sees it: over the devops WebSocket.

use std::time::Duration;

use connect_model::wire::ResultType;
use connect_sandbox::{Activity, DispatchPolicy, Sandbox, SandboxError, TaskStatus};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{ENVIRONMENT, PATIENCE, PURCHASE, Rest, Runner, purchase, settled, task_id};

#[tokio::test]
async fn a_purchase_goes_through() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).speed(1_000.0).variable("VENDOR_URL", "v");
    let sandbox = sandbox.start().await.unwrap();
    let mut activity = sandbox.subscribe();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let setup = runner.receive().await;
    assert_eq!(setup["message_type"], "setup_response");
    assert_eq!(setup["data"]["variables"], json!([{"name": "VENDOR_URL", "value": "v", "secure": false}]));
    assert_eq!(setup["data"]["environment_type"], "development");
    assert_eq!(setup["data"]["logging"]["meta"]["service_id"], "SRVC-0000-0001");
    let definitions = setup["data"]["event_definitions"].as_array().unwrap();
    let purchases = definitions.iter().find(|one| one["event_type"] == PURCHASE).unwrap();
    assert_eq!(
        purchases,
        &json!({"event_type": PURCHASE, "api_collection_endpoint": "requests", "api_resource_endpoint": "requests/{pk}",
            "api_collection_filter": "and(eq(id,${_object_id_}),in(status,${_statuses_}))"})
    );

    let first = runner.task().await;
    assert_eq!(first["data"]["input"]["object_id"], "PR-1");
    assert_eq!(first["data"]["options"]["task_category"], "background");
    runner.answer(first.clone(), json!({"result": "reschedule", "countdown": 30})).await;
    let again = runner.task().await;
    assert_eq!(task_id(&again), task_id(&first));
    let (status, approved) =
        Rest(&sandbox).post("requests/PR-1/approve", json!({"template_id": "TL-1"})).await;
    assert_eq!((status, &approved["status"]), (StatusCode::OK, &json!("approved")));
    runner.answer(again, json!({"result": "success", "runtime": 0.5})).await;
    settled(&sandbox).await;
    assert_eq!(sandbox.asset("AS-PR-1").unwrap()["status"], "active");

    let tasks = sandbox.tasks();
    assert_eq!((tasks.len(), tasks[0].status), (1, TaskStatus::Succeeded));
    let [rescheduled, succeeded] = tasks[0].attempts.as_slice() else { panic!("{tasks:?}") };
    assert_eq!(rescheduled.output.as_ref().unwrap().countdown, 30);
    assert_eq!(succeeded.instance, "SIN-1");
    assert!(succeeded.started.duration_since(rescheduled.started).unwrap() >= Duration::from_millis(30));
    let mut changed = false;
    while let Ok(event) = activity.try_recv() {
        changed |= matches!(event, Activity::RequestChanged { status, .. } if status == "approved");
    }
    assert!(changed);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_retry_comes_again_and_ends_after_too_many() {
    let mut policy = DispatchPolicy::default();
    policy.retries = 2;
    let sandbox = Sandbox::builder().request(purchase("PR-1")).speed(1_000.0).policy(policy);
    let sandbox = sandbox.start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    for _ in 0..3 {
        let task = runner.task().await;
        runner.answer(task, json!({"result": "retry", "message": "Traceback"})).await;
    }
    settled(&sandbox).await;
    let task = sandbox.tasks().remove(0);
    assert_eq!((task.status, task.attempts.len()), (TaskStatus::Failed, 3));
    assert_eq!(task.attempts[2].output.as_ref().unwrap().message.as_deref(), Some("Traceback"));
}

#[tokio::test]
async fn a_lost_connection_gives_its_task_back() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let mut first = Runner::connect(&sandbox, "SIN-1", "background").await;
    let task = first.task().await;
    drop(first);
    let mut second = Runner::connect(&sandbox, "SIN-2", "background").await;
    let again = second.task().await;
    assert_eq!(task_id(&again), task_id(&task));
    second.answer(again, json!({"result": "fail", "message": "no stock"})).await;
    settled(&sandbox).await;
    let task = sandbox.tasks().remove(0);
    assert_eq!(task.status, TaskStatus::Failed);
    assert!(task.attempts[0].output.is_none());
}

#[tokio::test]
async fn a_task_that_is_never_answered_is_over_and_settled() {
    let mut policy = DispatchPolicy::default();
    policy.retries = 0;
    policy.background_limit = Duration::from_millis(20);
    policy.answer_grace = Duration::ZERO;
    let sandbox = Sandbox::builder().request(purchase("PR-1")).policy(policy).start().await.unwrap();
    let mut activity = sandbox.subscribe();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    runner.task().await;
    settled(&sandbox).await;
    assert_eq!(sandbox.tasks()[0].status, TaskStatus::Failed);
    let expired = async { while !matches!(activity.recv().await.unwrap(), Activity::TaskExpired { .. }) {} };
    timeout(PATIENCE, expired).await.unwrap();
}

#[tokio::test]
async fn neither_garbage_nor_unknown_answers_end_a_connection() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let task = runner.task().await;
    let mut unknown = task.clone();
    unknown["data"]["options"]["task_id"] = "TQ-9".into();
    let mut odd = task.clone();
    odd["data"]["output"] = json!({"result": "success", "countdown": -1});
    let incomplete = json!({"message_type": "task", "data": {}});
    for garbage in [json!(7), incomplete, json!({"message_type": "what"}), task.clone(), odd] {
        runner.send(&garbage).await;
    }
    runner.0.send(Message::text("not JSON")).await.unwrap();
    runner.0.send(Message::binary(vec![0, 159, 146, 150])).await.unwrap();
    runner.answer(unknown, json!({"result": "success"})).await;
    runner.ping().await;
    assert_eq!(sandbox.tasks()[0].status, TaskStatus::Processing);
    runner.answer(task.clone(), json!({"result": "skip"})).await;
    runner.answer(task, json!({"result": "fail"})).await;
    runner.ping().await;
    settled(&sandbox).await;
    assert_eq!(sandbox.tasks()[0].status, TaskStatus::Skipped, "the first answer counts");
}

#[tokio::test]
async fn pings_are_answered_before_and_after_the_handshake() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let path = format!("{ENVIRONMENT}/SIN-1");
    let mut early = Runner(Runner::open(&sandbox, &path, "", sandbox.api_key()).await.unwrap());
    early.ping().await;
    early.send(&json!({"message_type": "task", "data": {}})).await;
    early.send(&json!({"version": 2, "message_type": "setup_request", "data": {}})).await;
    assert_eq!(early.receive().await["message_type"], "setup_response");
    early.ping().await;
}

#[tokio::test]
async fn countdowns_beyond_all_bounds_do_no_harm() {
    let requests = ["PR-1", "PR-2"].map(purchase);
    let sandbox = Sandbox::builder().requests(requests).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let (first, second) = (runner.task().await, runner.task().await);
    runner.answer(first, json!({"result": "reschedule", "countdown": u64::MAX, "runtime": 1e308})).await;
    runner.answer(second, json!({"result": "success"})).await;
    runner.ping().await;
    let statuses: Vec<_> = sandbox.tasks().iter().map(|task| task.status).collect();
    assert_eq!(statuses, [TaskStatus::Rescheduled, TaskStatus::Succeeded]);
}

#[tokio::test]
async fn a_request_that_comes_back_makes_another_task() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let first = runner.task().await;
    let rest = Rest(&sandbox);
    let wrong = json!({"asset": {"params": [{"id": "domain", "value_error": "is taken"}]}});
    assert_eq!(rest.put("requests/PR-1", wrong).await.0, StatusCode::OK);
    assert_eq!(rest.post("requests/PR-1/inquire", json!({})).await.0, StatusCode::OK);
    runner.answer(first, json!({"result": "success"})).await;
    settled(&sandbox).await;
    let right = json!({"asset": {"params": [{"id": "domain", "value": "b.example"}]}});
    let (status, pending) = rest.post("requests/PR-1/pend", right).await;
    assert_eq!((status, &pending["asset"]["params"][0]["value_error"]), (StatusCode::OK, &json!("")));
    let second = runner.task().await;
    runner.answer(second, json!({"result": "skip"})).await;
    settled(&sandbox).await;
    assert_eq!(sandbox.tasks().len(), 2);
}

#[tokio::test]
async fn a_request_that_comes_back_while_its_task_runs_makes_one_more_after_it() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let first = runner.task().await;
    let rest = Rest(&sandbox);
    for _ in 0..2 {
        let wrong = json!({"asset": {"params": [{"id": "domain", "value_error": "is taken"}]}});
        rest.put("requests/PR-1", wrong).await;
        assert_eq!(rest.post("requests/PR-1/inquire", json!({})).await.0, StatusCode::OK);
        assert_eq!(rest.post("requests/PR-1/pend", json!({})).await.0, StatusCode::OK);
    }
    runner.ping().await;
    assert_eq!(sandbox.tasks().len(), 1, "no second one while the first runs");
    runner.answer(first.clone(), json!({"result": "success"})).await;
    let second = runner.task().await;
    assert_ne!(task_id(&second), task_id(&first));
    runner.answer(second, json!({"result": "success"})).await;
    settled(&sandbox).await;
    assert_eq!(sandbox.tasks().len(), 2, "one more, not two");
}

#[tokio::test]
async fn requests_added_later_are_sent_to_who_handles_them() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    settled(&sandbox).await;
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    runner.receive().await;
    let mut change = purchase("PR-2");
    change["type"] = "change".into();
    sandbox.add_request(change).unwrap();
    settled(&sandbox).await;
    assert!(sandbox.tasks().is_empty(), "nobody handles changes");
    sandbox.add_request(purchase("PR-3")).unwrap();
    assert!(timeout(Duration::from_millis(50), sandbox.settled()).await.is_err());
    assert_eq!(runner.task().await["data"]["input"]["object_id"], "PR-3");
    let order = json!({"type": "purchase", "asset": {"product": {"id": "PRD-1"}, "params": []}});
    let (status, ordered) = Rest(&sandbox).order("requests", order).await;
    assert_eq!((status, &ordered["status"]), (StatusCode::CREATED, &json!("pending")));
    assert_eq!(runner.task().await["data"]["input"]["object_id"], ordered["id"]);
    assert_eq!(sandbox.asset(ordered["asset"]["id"].as_str().unwrap()).unwrap()["status"], "processing");
}

#[tokio::test]
async fn instances_take_turns_and_one_that_stops_gets_nothing() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let first = Runner::connect(&sandbox, "SIN-1", "").await;
    let mut runners = [first, Runner::connect(&sandbox, "SIN-2", "background").await];
    for runner in &mut runners {
        runner.receive().await;
    }
    for number in 1..=4 {
        sandbox.add_request(purchase(&format!("PR-{number}"))).unwrap();
    }
    for runner in &mut runners {
        for _ in 0..2 {
            let task = runner.task().await;
            runner.answer(task, json!({"result": "success"})).await;
        }
    }
    let [mut first, mut second] = runners;
    first.send(&json!({"version": 2, "message_type": "shutdown", "data": null})).await;
    first.ping().await;
    for number in 5..=6 {
        sandbox.add_request(purchase(&format!("PR-{number}"))).unwrap();
        let task = second.task().await;
        second.answer(task, json!({"result": "success"})).await;
    }
    settled(&sandbox).await;
}

#[tokio::test]
async fn interactive_and_scheduled_tasks_are_answered_to_who_asked() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    sandbox.add_schedule(json!({"id": "EFS-1", "method": "refresh"})).unwrap();
    let mut interactive = Runner::connect(&sandbox, "SIN-1", "interactive").await;
    let mut background = Runner::connect(&sandbox, "SIN-1", "background").await;
    let ask = sandbox.send_interactive("product_action_execution", "ACT-1", json!({"id": 1}));
    let answer = async {
        let task = interactive.task().await;
        assert_eq!(task["data"]["input"]["data"], json!({"id": 1}));
        interactive.answer(task, json!({"result": "success", "data": {"http_status": 302}})).await;
    };
    let (output, ()) = tokio::join!(ask, answer);
    assert_eq!(output.unwrap().data, Some(json!({"http_status": 302})));

    let run = async { tokio::join!(sandbox.trigger_schedule("EFS-1"), sandbox.trigger_schedule("EFS-1")) };
    let answer = async {
        let task = background.task().await;
        assert_eq!(task["data"]["options"]["task_category"], "scheduled");
        assert_eq!(task["data"]["input"]["event_type"], "scheduled_execution");
        background.answer(task, json!({"result": "success"})).await;
    };
    let ((first, joined), ()) = tokio::join!(run, answer);
    assert_eq!((first.unwrap().result, joined.unwrap().result), (ResultType::Success, ResultType::Success));
    assert!(matches!(sandbox.trigger_schedule("EFS-2").await, Err(SandboxError::NotFound(_))));
    assert_eq!(sandbox.tasks().len(), 2);
}

#[tokio::test]
async fn an_interactive_task_without_a_runner_fails_soon() {
    let mut policy = DispatchPolicy::default();
    policy.interactive_wait = Duration::from_millis(20);
    let sandbox = Sandbox::builder().policy(policy).start().await.unwrap();
    let ask = sandbox.send_interactive("product_action_execution", "ACT-1", json!({}));
    assert!(matches!(timeout(PATIENCE, ask).await.unwrap(), Err(SandboxError::NotAnswered)));
    settled(&sandbox).await;
}

#[tokio::test]
async fn schedules_are_made_over_rest_and_fire() {
    let sandbox = Sandbox::builder().speed(36_000.0).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    runner.receive().await;
    let rest = Rest(&sandbox);
    let path = format!("devops/services/SRVC-0000-0001/environments/{ENVIRONMENT}/schedules");
    let hourly = json!({"name": "Hourly", "method": "refresh", "parameter": {"installation_id": "EIN-1"},
        "trigger": {"type": "recurring", "unit": "hours", "amount": 1, "start": "2024-01-01T00:00:00+00:00"}});
    let (status, created) = rest.post(&path, hourly.clone()).await;
    assert_eq!((status, &created["status"]), (StatusCode::CREATED, &json!("enabled")));
    let own = format!("{path}/{}", created["id"].as_str().unwrap());
    assert_eq!(rest.get(&own).await.1["parameter"], json!({"installation_id": "EIN-1"}));
    assert_eq!(rest.get(&path).await.2, "items 0-0/1");
    // Twice, hours of the sandbox's time apart.
    for _ in 0..2 {
        let task = runner.task().await;
        assert_eq!(task["data"]["input"]["object_id"], created["id"]);
        runner.answer(task, json!({"result": "success"})).await;
    }
    assert_eq!(rest.call(Method::DELETE, &own, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(rest.get(&own).await.0, StatusCode::NOT_FOUND);

    let mut unknown = hourly.clone();
    unknown["method"] = "dance".into();
    let (status, error) = rest.post(&path, unknown).await;
    assert_eq!((status, &error["error_code"]), (StatusCode::BAD_REQUEST, &json!("VAL_001")));
    let mut wrong = hourly;
    wrong["trigger"]["unit"] = "eons".into();
    assert_eq!(rest.post(&path, wrong.clone()).await.0, StatusCode::BAD_REQUEST);
    assert!(matches!(sandbox.add_schedule(wrong), Err(SandboxError::Schedule(_))));

    let far = json!({"type": "onetime", "date": "2999-01-01T00:00:00+00:00"});
    let manual = rest.post(&path, json!({"name": "By hand", "method": "refresh", "trigger": far})).await.1;
    let trigger = format!("{path}/{}/trigger", manual["id"].as_str().unwrap());
    assert_eq!(rest.post(&trigger, json!(null)).await.0, StatusCode::OK);
    loop {
        let task = runner.task().await;
        let own = task["data"]["input"]["object_id"] == manual["id"];
        runner.answer(task, json!({"result": "success"})).await;
        if own {
            break;
        }
    }
}

#[tokio::test]
async fn who_may_not_connect_is_told_why() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let refused =
        async |path: &str, lane: &str, key: &str| match Runner::open(&sandbox, path, lane, key).await {
            Err(Error::Http(answer)) => answer.status().as_u16(),
            other => panic!("{other:?}"),
        };
    let own = format!("{ENVIRONMENT}/SIN-1");
    assert_eq!(refused(&own, "background", "ApiKey wrong").await, 401);
    assert_eq!(refused("ENV-9999-0001-01/SIN-1", "background", sandbox.api_key()).await, 404);
    assert_eq!(refused(ENVIRONMENT, "background", sandbox.api_key()).await, 404);
    assert_eq!(refused(&own, "sideways", sandbox.api_key()).await, 400);
    let plain = Rest(&sandbox).get(&format!("devops/ws/{own}")).await;
    assert!(plain.0.is_client_error(), "{}", plain.0);
}

#[tokio::test]
async fn a_sandbox_that_stops_cuts_its_runners_off() {
    let sandbox = Sandbox::builder().request(purchase("PR-1")).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    runner.task().await;
    let address = sandbox.address();
    timeout(PATIENCE, sandbox.stop()).await.unwrap();
    // A normal close would tell a runner to end.
    let end = timeout(PATIENCE, runner.0.next()).await.unwrap();
    assert!(!matches!(end, Some(Ok(Message::Close(Some(_))))), "{end:?}");
    let again = Sandbox::builder().address(address.to_string()).start().await;
    assert!(again.is_ok(), "the port is free: {again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_tasks_go_through() {
    const COUNT: usize = 5_000;
    let requests = (0..COUNT).map(|number| purchase(&format!("PR-{number:05}")));
    let sandbox = Sandbox::builder().requests(requests).start().await.unwrap();
    let mut runner = Runner::connect(&sandbox, "SIN-1", "background").await;
    let started = std::time::Instant::now();
    for _ in 0..COUNT {
        let task = runner.task().await;
        runner.answer(task, json!({"result": "success"})).await;
    }
    settled(&sandbox).await;
    // A debug build on a busy machine; it takes a fraction of this.
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    let tasks = sandbox.tasks();
    assert_eq!(tasks.len(), COUNT);
    assert!(tasks.iter().all(|task| task.status == TaskStatus::Succeeded && task.attempts.len() == 1));
}
