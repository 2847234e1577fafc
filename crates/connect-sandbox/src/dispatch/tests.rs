use super::*;

const EVENT: &str = "asset_purchase_request_processing";

fn dispatcher() -> Dispatcher {
    Dispatcher::new(DispatchPolicy::default(), 10.0)
}

fn put(dispatcher: &mut Dispatcher, object: &str) -> Option<String> {
    match dispatcher.enqueue(EVENT, TaskCategory::Background, object, None, Instant::now()) {
        Enqueued::New(id) => Some(id),
        Enqueued::Open => None,
    }
}

fn output(result: ResultType, countdown: u64) -> TaskOutput {
    TaskOutput { countdown, ..TaskOutput::new(result) }
}

fn status(dispatcher: &Dispatcher, id: &str) -> TaskStatus {
    dispatcher.task(id).unwrap().status
}

/// Gives out, and says to whom.
fn assign(dispatcher: &mut Dispatcher, now: Instant) -> Vec<ConnectionId> {
    dispatcher.assign(now).tasks.into_iter().map(|(connection, _)| connection).collect()
}

#[tokio::test(start_paused = true)]
async fn one_open_task_for_an_event_and_object() {
    let (mut dispatcher, now) = (dispatcher(), Instant::now());
    let connection = dispatcher.connect("SIN-1", Some(Lane::Background));
    let id = put(&mut dispatcher, "PR-1").unwrap();
    assert_eq!(put(&mut dispatcher, "PR-1"), None, "it is queued already");
    assert_eq!(dispatcher.open_task(EVENT, "PR-1"), Some(id.as_str()));
    assert_eq!(assign(&mut dispatcher, now).len(), 1);
    assert_eq!(put(&mut dispatcher, "PR-1"), None, "it runs, another one follows it");
    let outcome = dispatcher.answer(connection, &id, output(ResultType::Success, 0), now).unwrap();
    assert!(outcome.again && outcome.over && dispatcher.is_idle());
    let second = dispatcher.answer(connection, &id, output(ResultType::Success, 0), now);
    assert_eq!(second, None, "a second answer");
    assert_eq!(dispatcher.next_due(), None, "the deadline of an answered task is nothing to wake up for");
}

#[tokio::test(start_paused = true)]
async fn a_rescheduled_task_comes_back_in_its_time() {
    let (mut dispatcher, now) = (dispatcher(), Instant::now());
    let connection = dispatcher.connect("SIN-1", None);
    let id = put(&mut dispatcher, "PR-1").unwrap();
    assign(&mut dispatcher, now);
    dispatcher.answer(connection, &id, output(ResultType::Reschedule, 30), now).unwrap();
    assert_eq!(dispatcher.next_due(), Some(now + Duration::from_secs(3)), "ten times faster");
    assert!(assign(&mut dispatcher, now + Duration::from_millis(2_999)).is_empty());
    let later = now + Duration::from_secs(3);
    assert_eq!(assign(&mut dispatcher, later).len(), 1);
    let attempts = &dispatcher.task(&id).unwrap().attempts;
    assert_eq!(attempts[1].started.duration_since(attempts[0].started).unwrap(), Duration::from_secs(3));
    dispatcher.answer(connection, &id, output(ResultType::Reschedule, 0), later).unwrap();
    assert_eq!(
        dispatcher.next_due(),
        Some(later + Duration::from_secs(3)),
        "no countdown is the default one"
    );
}

#[tokio::test(start_paused = true)]
async fn no_countdown_is_too_long() {
    for speed in [1.0, f64::MIN_POSITIVE, f64::MAX] {
        let (mut dispatcher, now) = (Dispatcher::new(DispatchPolicy::default(), speed), Instant::now());
        let connection = dispatcher.connect("SIN-1", None);
        for (object, result, countdown) in
            [("PR-1", ResultType::Reschedule, u64::MAX), ("PR-2", ResultType::Retry, 0)]
        {
            let id = put(&mut dispatcher, object).unwrap();
            assign(&mut dispatcher, now);
            dispatcher.answer(connection, &id, output(result, countdown), now).unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retries_wait_longer_each_time_and_end() {
    let (mut dispatcher, mut now) = (dispatcher(), Instant::now());
    let connection = dispatcher.connect("SIN-1", None);
    let id = put(&mut dispatcher, "PR-1").unwrap();
    let mut waits = Vec::new();
    loop {
        assert_eq!(assign(&mut dispatcher, now).len(), 1);
        let outcome = dispatcher.answer(connection, &id, output(ResultType::Retry, 0), now).unwrap();
        if outcome.over {
            break;
        }
        let due = dispatcher.next_due().unwrap();
        waits.push((due - now).as_secs());
        now = due;
    }
    assert_eq!(waits, [3, 6, 12, 24, 30, 30, 30, 30, 30, 30]);
    assert_eq!(status(&dispatcher, &id), TaskStatus::Failed);
    assert!(dispatcher.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_gives_its_tasks_to_another() {
    let (mut dispatcher, now) = (dispatcher(), Instant::now());
    let first = dispatcher.connect("SIN-1", None);
    let id = put(&mut dispatcher, "PR-1").unwrap();
    assign(&mut dispatcher, now);
    let second = dispatcher.connect("SIN-2", None);
    dispatcher.disconnect(first, now);
    assert_eq!(assign(&mut dispatcher, now), [second]);
    let late = dispatcher.answer(first, &id, output(ResultType::Success, 0), now);
    assert_eq!(late, None, "it is not its task now");
    assert!(dispatcher.answer(second, &id, output(ResultType::Success, 0), now).is_some());
}

#[tokio::test(start_paused = true)]
async fn tasks_are_spread_over_connections_that_fit_and_have_room() {
    let policy = DispatchPolicy { running_per_connection: 2, ..DispatchPolicy::default() };
    let (mut dispatcher, now) = (Dispatcher::new(policy, 1.0), Instant::now());
    let interactive = dispatcher.connect("SIN-1", Some(Lane::Interactive));
    let background = ["SIN-1", "SIN-2"].map(|instance| dispatcher.connect(instance, Some(Lane::Background)));
    for number in 0..5 {
        put(&mut dispatcher, &format!("PR-{number}"));
    }
    dispatcher.enqueue("product_action_execution", TaskCategory::Interactive, "ACT-1", None, now);
    let assigned = assign(&mut dispatcher, now);
    let count = |id| assigned.iter().filter(|connection| **connection == id).count();
    assert_eq!((count(background[0]), count(background[1]), count(interactive)), (2, 2, 1));
    assert_ne!(assigned[0], assigned[1], "in turn");
    assert!(!dispatcher.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_stops_gets_no_more() {
    let (mut dispatcher, now) = (dispatcher(), Instant::now());
    let connection = dispatcher.connect("SIN-1", None);
    let id = put(&mut dispatcher, "PR-1").unwrap();
    assign(&mut dispatcher, now);
    dispatcher.retire(connection);
    put(&mut dispatcher, "PR-2");
    assert!(assign(&mut dispatcher, now).is_empty());
    assert!(dispatcher.answer(connection, &id, output(ResultType::Success, 0), now).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_answered_in_time_is_given_to_another_instance() {
    let (mut dispatcher, now) = (dispatcher(), Instant::now());
    let first = dispatcher.connect("SIN-1", None);
    let id = put(&mut dispatcher, "PR-1").unwrap();
    assign(&mut dispatcher, now);
    dispatcher.connections.add("SIN-1", None);
    let other = dispatcher.connect("SIN-2", None);
    let late = now + Duration::from_secs(360);
    assert_eq!(dispatcher.next_due(), Some(late));
    let given = dispatcher.assign(late);
    assert!(given.tasks.is_empty(), "it waits as after a retry");
    assert!(!given.expired[0].over);
    assert_eq!(assign(&mut dispatcher, late + Duration::from_secs(3)), [other]);
    assert_eq!(dispatcher.answer(first, &id, output(ResultType::Success, 0), late), None);
    assert!(dispatcher.answer(other, &id, output(ResultType::Success, 0), late).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_never_answered_ends_and_the_next_one_of_its_object_is_made() {
    let policy = DispatchPolicy { retries: 0, ..DispatchPolicy::default() };
    let (mut dispatcher, now) = (Dispatcher::new(policy, 1.0), Instant::now());
    dispatcher.connect("SIN-1", None);
    put(&mut dispatcher, "PR-1");
    assign(&mut dispatcher, now);
    put(&mut dispatcher, "PR-1");
    let given = dispatcher.assign(now + Duration::from_secs(360));
    assert!(given.expired[0].over && given.expired[0].again && dispatcher.is_idle());
    assert!(put(&mut dispatcher, "PR-1").is_some());
}

#[tokio::test(start_paused = true)]
async fn each_category_has_its_limit() {
    for (category, limit) in [
        (TaskCategory::Background, 360),
        (TaskCategory::Interactive, 180),
        (TaskCategory::Scheduled, 12 * 3_600 + 60),
    ] {
        let (mut dispatcher, now) = (dispatcher(), Instant::now());
        dispatcher.connect("SIN-1", None);
        dispatcher.enqueue("event", category, "OBJECT-1", None, now);
        assign(&mut dispatcher, now);
        assert_eq!(dispatcher.next_due(), Some(now + Duration::from_secs(limit)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_interactive_task_waits_for_a_runner_but_not_long() {
    let (mut dispatcher, now) = (dispatcher(), Instant::now());
    let ask = |dispatcher: &mut Dispatcher| match dispatcher.enqueue(
        "product_action_execution",
        TaskCategory::Interactive,
        "ACT-1",
        None,
        now,
    ) {
        Enqueued::New(id) => id,
        Enqueued::Open => panic!("each is a task of its own"),
    };
    let alone = ask(&mut dispatcher);
    let late = now + Duration::from_secs(2);
    assert_eq!(dispatcher.next_due(), Some(late));
    let given = dispatcher.assign(late);
    assert!(given.expired[0].over && dispatcher.is_idle());
    assert_eq!(status(&dispatcher, &alone), TaskStatus::Failed);

    let connection = dispatcher.connect("SIN-1", None);
    let asked = ask(&mut dispatcher);
    assert_eq!(assign(&mut dispatcher, now), [connection], "what failed is passed over");
    let outcome = dispatcher.answer(connection, &asked, output(ResultType::Retry, 0), now).unwrap();
    assert!(outcome.over, "who asked does not wait for another attempt");

    let lost = ask(&mut dispatcher);
    assign(&mut dispatcher, now);
    dispatcher.disconnect(connection, now);
    assert_eq!(dispatcher.next_due(), Some(late));
    assert!(dispatcher.assign(late).expired[0].over);
    assert_eq!(status(&dispatcher, &lost), TaskStatus::Failed);
}

#[tokio::test(start_paused = true)]
async fn what_is_given_out_does_not_depend_on_how_much_waits() {
    let policy = DispatchPolicy { running_per_connection: 1, ..DispatchPolicy::default() };
    let (mut dispatcher, now) = (Dispatcher::new(policy, 1.0), Instant::now());
    let connection = dispatcher.connect("SIN-1", None);
    for number in 0..20_000 {
        put(&mut dispatcher, &format!("PR-{number}"));
    }
    // One after the other, each with the whole backlog behind it: were it looked through, this would take minutes.
    for _ in 0..20_000 {
        let given = dispatcher.assign(now);
        let [(_, task)] = given.tasks.as_slice() else { panic!("one at a time") };
        let id = &task.options.task_id;
        dispatcher.answer(connection, id, output(ResultType::Success, 0), now).unwrap();
    }
    assert!(dispatcher.is_idle());
}

/// Makes a task, and lets it end so.
fn run(dispatcher: &mut Dispatcher, connection: ConnectionId, object: &str, result: ResultType) -> String {
    let id = put(dispatcher, object).unwrap();
    assign(dispatcher, Instant::now());
    dispatcher.answer(connection, &id, output(result, 0), Instant::now()).unwrap();
    id
}

fn ids(tasks: &[TaskRecord]) -> Vec<&str> {
    tasks.iter().map(|task| task.id.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_ended_first_is_forgotten_first() {
    let policy = DispatchPolicy { finished_tasks: 2, ..DispatchPolicy::default() };
    let mut dispatcher = Dispatcher::new(policy, 1.0);
    let connection = dispatcher.connect("SIN-1", None);
    // The oldest one is not over, so it stays.
    let waits = run(&mut dispatcher, connection, "PR-0", ResultType::Reschedule);
    let first = run(&mut dispatcher, connection, "PR-1", ResultType::Success);
    let second = run(&mut dispatcher, connection, "PR-1", ResultType::Fail);
    let third = run(&mut dispatcher, connection, "PR-2", ResultType::Success);
    assert!(dispatcher.task(&first).is_none());
    assert_eq!(ids(&dispatcher.tasks()), [&waits, &second, &third]);
    assert_eq!(ids(&dispatcher.newest(2)), [&third, &second]);
    assert_eq!(ids(&dispatcher.tasks_of("PR-1")), [&second]);
    let fourth = run(&mut dispatcher, connection, "PR-2", ResultType::Skip);
    assert!(dispatcher.tasks_of("PR-1").is_empty());
    assert_eq!(ids(&dispatcher.tasks_of("PR-2")), [&third, &fourth]);
    let counts = dispatcher.counts();
    let count = |status| counts.get(&(EVENT, status)).copied().unwrap_or_default();
    assert_eq!(
        [TaskStatus::Succeeded, TaskStatus::Failed, TaskStatus::Skipped, TaskStatus::Rescheduled].map(count),
        [2, 1, 1, 1],
        "what is forgotten counts still"
    );
    assert_eq!((count(TaskStatus::Scheduled), count(TaskStatus::Processing)), (0, 0));
    assert!(!dispatcher.is_idle());
}

#[tokio::test(start_paused = true)]
async fn pages_are_made_without_looking_at_all_tasks() {
    let mut dispatcher = dispatcher();
    let connection = dispatcher.connect("SIN-1", None);
    for number in 0..20_000 {
        run(&mut dispatcher, connection, &format!("PR-{number}"), ResultType::Success);
        // Were all of them looked at, this would take minutes.
        assert_eq!(dispatcher.tasks_of("PR-7").len(), usize::from(number >= 7));
        assert_eq!(dispatcher.newest(1)[0].object_id, format!("PR-{number}"));
        assert_eq!(dispatcher.counts()[&(EVENT, TaskStatus::Succeeded)], number + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_failed_can_begin_again() {
    let (mut dispatcher, now) = (dispatcher(), Instant::now());
    let connection = dispatcher.connect("SIN-1", None);
    let id = run(&mut dispatcher, connection, "PR-1", ResultType::Fail);
    assert_eq!(dispatcher.resubmit(&id, now), Resubmitted::Again);
    assert!(!dispatcher.is_idle());
    assert_eq!(dispatcher.open_task(EVENT, "PR-1"), Some(id.as_str()));
    assert_eq!(dispatcher.resubmit(&id, now), Resubmitted::NotFailed);
    assert_eq!(assign(&mut dispatcher, now), [connection]);
    dispatcher.answer(connection, &id, output(ResultType::Fail, 0), now).unwrap();
    assert_eq!(dispatcher.task(&id).unwrap().attempts.len(), 2);
    let other = put(&mut dispatcher, "PR-1").unwrap();
    assert_eq!(dispatcher.resubmit(&id, now), Resubmitted::Open, "{other} does the same");
    assert_eq!(dispatcher.resubmit("TQ-1", now), Resubmitted::Unknown);
}

#[tokio::test(start_paused = true)]
async fn an_old_deadline_is_not_that_of_the_next_attempt() {
    let (mut dispatcher, now) = (dispatcher(), Instant::now());
    let connection = dispatcher.connect("SIN-1", None);
    let Enqueued::New(id) =
        dispatcher.enqueue("product_action_execution", TaskCategory::Interactive, "ACT-1", None, now)
    else {
        panic!("it is a task of its own")
    };
    assign(&mut dispatcher, now);
    dispatcher.answer(connection, &id, output(ResultType::Fail, 0), now).unwrap();
    dispatcher.disconnect(connection, now);
    // Just before the answer to the first attempt would have been late.
    let later = now + Duration::from_secs(179);
    assert_eq!(dispatcher.resubmit(&id, later), Resubmitted::Again);
    assert!(dispatcher.assign(later + Duration::from_secs(1)).expired.is_empty());
    assert!(dispatcher.assign(later + Duration::from_secs(2)).expired[0].over);
}

#[tokio::test(start_paused = true)]
async fn a_task_carries_the_key_of_its_installation() {
    let (mut dispatcher, now) = (dispatcher(), Instant::now());
    dispatcher.connect("SIN-1", None);
    let id = put(&mut dispatcher, "PR-1").unwrap();
    dispatcher.act_for(&id, InstallationKey { id: "EIN-1".to_owned(), api_key: "ApiKey SU-1:x".into() });
    put(&mut dispatcher, "PR-2");
    let given = dispatcher.assign(now);
    let options: Vec<_> = given.tasks.iter().map(|(_, task)| &task.options).collect();
    assert_eq!(options[0].installation_id.as_deref(), Some("EIN-1"));
    assert_eq!(options[0].api_key.as_ref().map(connect_model::wire::Secret::expose), Some("ApiKey SU-1:x"));
    assert!(options[1].installation_id.is_none() && options[1].api_key.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_newest_of_an_object_come_in_their_order() {
    let mut dispatcher = dispatcher();
    let connection = dispatcher.connect("SIN-1", None);
    let made: Vec<String> =
        (0..5).map(|_| run(&mut dispatcher, connection, "PR-1", ResultType::Success)).collect();
    assert_eq!(ids(&dispatcher.newest_of("PR-1", 2)), [&made[3], &made[4]]);
    assert_eq!(ids(&dispatcher.after(&made[2], 10).cloned().collect::<Vec<_>>()), [&made[3], &made[4]]);
}
