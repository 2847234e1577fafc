//! The cases recorded from the real Python runner: what Connect holds and sends, and what the runner has to do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "a test"
)]

mod support;

use std::{collections::VecDeque, path::PathBuf};

use connect_fulfillment::{prelude::*, runner::Runner};
use serde_json::{Value, json};
use support::{Platform, task};

/// What the object of a task tells the extension to do.
#[derive(Clone, Debug, Default)]
struct Instruction(Value);

impl Instruction {
    fn of(request: &AssetRequest) -> Self {
        Self(request.value("lab").map(|text| serde_json::from_str(text).unwrap()).unwrap_or_default())
    }

    fn text(&self, key: &str) -> Option<String> {
        self.0[key].as_str().map(str::to_owned)
    }

    fn seconds(&self, key: &str, default: u64) -> Duration {
        Duration::from_secs(self.0[key].as_u64().unwrap_or(default))
    }

    fn boom(&self) -> Error {
        self.text("message").unwrap_or_else(|| "boom".to_owned()).into()
    }

    async fn follow(&self) -> Result<BackgroundResponse> {
        if let Some(seconds) = self.0["sleep"].as_u64() {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
        match self.text("do").as_deref() {
            Some("done") => Ok(BackgroundResponse::done()),
            Some("fail") => Ok(BackgroundResponse::fail(self.text("output"))),
            Some("skip") => Ok(BackgroundResponse::skip(self.text("output"))),
            Some("reschedule") => Ok(BackgroundResponse::reschedule(self.seconds("countdown", 30))),
            Some("slow_reschedule") => {
                Ok(BackgroundResponse::slow_process_reschedule(self.seconds("countdown", 300)))
            }
            _ => Err(self.boom()),
        }
    }
}

#[derive(Inject)]
struct Follow {
    client: Client,
}

impl BackgroundTransaction for Follow {
    fn name(&self) -> &str {
        "Follow the instruction"
    }

    fn should_execute(&self, _: &AssetRequest) -> bool {
        true
    }

    async fn execute(&self, request: &mut AssetRequest) -> Result<BackgroundResponse> {
        let instruction = Instruction::of(request);
        if let Some(template_id) = instruction.text("approve") {
            let approve = self.client.collection("requests").resource(&request.id).action("approve");
            approve.post(&json!({"template_id": template_id})).await?;
        }
        instruction.follow().await
    }

    async fn compensate(&self, request: &mut AssetRequest, error: Error) -> Result<BackgroundResponse> {
        match Instruction::of(request).0.get("compensate") {
            Some(instruction) => Instruction(instruction.clone()).follow().await,
            None => Err(error),
        }
    }
}

struct LabSaga;

impl Saga for LabSaga {
    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().then::<Follow>()
    }
}

async fn change(request: AssetRequest, _: Scope) -> Result<BackgroundResponse> {
    Instruction::of(&request).follow().await
}

async fn validate(request: AssetRequest, _: Scope) -> Result<ValidationResponse> {
    let instruction = Instruction::of(&request);
    match instruction.text("do").as_deref() {
        Some("done") => Ok(ValidationResponse::done(request)),
        Some("fail") => Ok(ValidationResponse::fail(request, instruction.text("output"))),
        _ => Err(instruction.boom()),
    }
}

async fn product_action(action: ProductAction, _: Scope) -> Result<InteractiveResponse> {
    if action.extra.get("do").is_some_and(|what| what == "raise") {
        return Err("boom".into());
    }
    let id = action.extra["id"].as_str().unwrap_or_default();
    Ok(InteractiveResponse::redirect(format!("https://example.com/{id}")))
}

async fn run_schedule(schedule: Schedule, _: Scope) -> Result<ScheduledExecutionResponse> {
    match schedule.parameter.get("do").and_then(Value::as_str) {
        Some("fail") => Ok(ScheduledExecutionResponse::fail("as asked")),
        Some("raise") => Err("boom".into()),
        _ => Ok(ScheduledExecutionResponse::done()),
    }
}

fn extension() -> Extension {
    let descriptor = connect_fulfillment::Descriptor::parse(
        r#"{"audience": ["vendor"], "readme_url": "https://example.com/README.md",
            "changelog_url": "https://example.com/CHANGELOG.md"}"#,
    );
    Extension::new(descriptor)
        .variable(Variable::new("CACHE_DRIVER").initial_value("sqlite"))
        .variable(Variable::new("CACHE_DIR").initial_value("/tmp/labcache"))
        .variable(Variable::new("SECRET").initial_value("changeme").secure())
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending", "approved"], LabSaga)
        .background(event::ASSET_CHANGE_REQUEST_PROCESSING, ["pending"], change)
        .interactive(event::ASSET_PURCHASE_REQUEST_VALIDATION, validate)
        .interactive(event::PRODUCT_ACTION_EXECUTION, product_action)
        .scheduled("run_schedule", "Lab schedule", "Does what its parameter says", run_schedule)
}

/// The cases; none only on a machine that has no such file and is not the gate.
fn cases() -> Vec<Value> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/runner-cases.json");
    let Ok(text) = std::fs::read(&file) else {
        assert!(std::env::var_os("CI").is_none(), "the recorded cases are missing: {}", file.display());
        eprintln!("skipped: no recorded cases at {}", file.display());
        return Vec::new();
    };
    serde_json::from_slice(&text).unwrap()
}

/// What a case holds at a path, written out whole.
fn object(path: &str, short: &Value) -> Value {
    let Some(instruction) = short.get("lab") else { return short.clone() };
    let id = path.rsplit('/').next().unwrap();
    json!({"id": id, "type": short.get("type").unwrap_or(&json!("purchase")),
        "status": short.get("status").unwrap_or(&json!("pending")),
        "asset": {"id": "AS-1", "params": [{"id": "lab", "value": instruction.to_string()}]}})
}

/// Whether what is seen is what is expected, where expectations may be patterns.
fn matches(expected: &Value, seen: &Value) -> bool {
    match (expected, seen) {
        (Value::Object(pattern), Value::String(text))
            if pattern.len() == 1 && pattern.contains_key("contains") =>
        {
            text.contains(pattern["contains"].as_str().unwrap())
        }
        (Value::String(any), seen) if any == "a number >= 0" => {
            seen.as_f64().is_some_and(|number| number >= 0.0)
        }
        (Value::String(any), Value::String(_)) if any == "ANY" => true,
        (Value::String(pattern), Value::String(text)) if pattern.starts_with("W3C: ") => {
            let parts: Vec<&str> = text.split('-').collect();
            let hex = |part: &str, length| {
                part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
            };
            matches!(parts[..], ["00", "0123456789abcdef0123456789abcdef", span, "01"]
                if hex(span, 16) && span != "0123456789abcdef")
        }
        (Value::Object(expected), Value::Object(seen)) => {
            expected.len() == seen.len()
                && expected.iter().all(|(key, value)| seen.get(key).is_some_and(|seen| matches(value, seen)))
        }
        (Value::Array(expected), Value::Array(seen)) => {
            expected.len() == seen.len()
                && expected.iter().zip(seen).all(|(expected, seen)| matches(expected, seen))
        }
        (expected, seen) => expected == seen,
    }
}

async fn play(case: &Value) -> Result<(), String> {
    let platform = Platform::start().await;
    for (path, short) in case["objects"].as_object().into_iter().flatten() {
        platform.put(path, object(path, short));
    }
    for (path, answers) in case["failures"].as_object().into_iter().flatten() {
        let answers: VecDeque<_> = answers
            .as_array()
            .unwrap()
            .iter()
            .map(|answer| {
                (u16::try_from(answer[0].as_u64().unwrap()).unwrap(), answer[1].as_str().unwrap().to_owned())
            })
            .collect();
        platform.failures.lock().unwrap().insert(path.clone(), answers);
    }
    let env: Vec<(&str, &str)> = case["env"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let runner =
        Runner::new(extension().into(), platform.environment(&env)).map_err(|error| error.to_string())?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stop_signal = async { _ = stopped.await };
    let running = tokio::spawn(runner.run_until(stop_signal, std::future::pending()));

    let lanes = [platform.connection("background", 1).await, platform.connection("interactive", 1).await];
    let tasks = case["tasks"].as_array().unwrap();
    for given in tasks {
        let text = |key: &str| given[key].as_str().unwrap_or_default();
        let category = given["category"].as_str().unwrap_or("background");
        let mut frame =
            task(text("task_id"), category, text("event_type"), text("object_id"), &given["data"]);
        for option in ["api_key", "installation_id", "connect_correlation_id"] {
            if let Some(value) = given.get(option) {
                frame["data"]["options"][option] = value.clone();
            }
        }
        lanes[usize::from(category == "interactive")].send(frame.to_string());
    }
    let frames = platform.frames_until(tasks.len()).await;
    let _ = stop.send(());
    let exit = running.await.unwrap();

    let mut problems = Vec::new();
    let mut compare = |what: &str, expected: &Value, seen: &Value| {
        if !matches(expected, seen) {
            problems.push(format!("{what}\n  expected {expected}\n  seen     {seen}"));
        }
    };
    compare("the frames", &case["expect"]["frames"], &Value::Array(frames));
    let calls = platform.calls();
    let expected = case["expect"]["calls"].as_array().unwrap();
    let shown: Vec<Value> = calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            let wanted = expected.get(index).and_then(|call| call["headers"].as_object());
            // Of the headers, those that the original sent too.
            let headers: serde_json::Map<_, _> = call
                .headers
                .iter()
                .filter(|(name, _)| {
                    wanted.is_some_and(|wanted| wanted.contains_key(*name))
                        || name.starts_with("eaas")
                        || name.starts_with("ext-")
                })
                .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
                .collect();
            json!({"method": call.method, "path": call.path, "headers": headers, "body": call.body})
        })
        .collect();
    compare("the calls", &case["expect"]["calls"], &Value::Array(shown));
    if let Some(setup) = case["expect"].get("setup") {
        let seen = lanes.map(
            |lane| json!({"query": lane.query, "authorization": lane.authorization, "message": lane.setup}),
        );
        compare("the background setup", &setup["background"], &seen[0]);
        compare("the interactive setup", &setup["interactive"], &seen[1]);
    }
    if exit.unfinished > 0 || exit.unsent > 0 {
        problems.push(format!("something was left: {exit:?}"));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_case_is_played_as_the_original_does() {
    let mut failed = Vec::new();
    let cases = cases();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        if let Err(problems) = play(case).await {
            failed.push(format!("{name}: {problems}"));
        }
    }
    assert!(failed.is_empty(), "{} of {} cases failed\n{}", failed.len(), cases.len(), failed.join("\n\n"));
    assert!(cases.is_empty() || cases.len() >= 29, "only {} cases were played", cases.len());
}
