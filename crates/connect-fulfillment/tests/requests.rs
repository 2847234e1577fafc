//! What the framework does with a request beside its handler: the fields of its log, and offline mode.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "a test")]

mod support;

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{LazyLock, Mutex, Once},
};

use connect_fulfillment::{Descriptor, offline::ApproveWhenOffline, prelude::*, runner::Runner};
use serde_json::{Value, json};
use support::{Platform, task};
use tokio::sync::oneshot;
use tracing::{Subscriber, field::Visit, span};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt, registry::LookupSpan};

const PURCHASE: &str = "asset_purchase_request_processing";
const CANCEL: &str = "asset_cancel_request_processing";
const SETUP: &str = "tier_config_setup_request_processing";

/// The fields of the spans named `task`, by task.
static FIELDS: LazyLock<Mutex<BTreeMap<String, BTreeMap<String, String>>>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

struct Recorder;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        values.record(context.span(id).unwrap().extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        if span.name() == "task" {
            let fields = span.extensions_mut().remove::<Fields>().unwrap().0;
            FIELDS.lock().unwrap().insert(fields["task"].clone(), fields);
        }
    }
}

fn record() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(
            tracing_subscriber::registry().with(Recorder).with(support::secrets::layer()),
        )
        .unwrap();
    });
}

fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Runs an extension until these tasks are answered.
async fn answers(platform: &Arc<Platform>, extension: Extension, tasks: &[Value]) -> Vec<Value> {
    let runner = Runner::new(extension.into(), platform.environment(&[])).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(runner.run_until(async { _ = stopped.await }, std::future::pending::<()>()));
    let connection = platform.connection("background", 1).await;
    for task in tasks {
        connection.send(task.to_string());
    }
    platform.answered(tasks.len()).await;
    drop(stop);
    running.await.unwrap();
    platform.frames()
}

async fn done(_: Request, _: Scope) -> Result<BackgroundResponse> {
    Ok(BackgroundResponse::done())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_task_says_whose_request_it_is() {
    record();
    let platform = Platform::start().await;
    let mut asset_request = sample("asset-request-purchase-pending.json");
    asset_request["id"] = "PR-log".into();
    platform.put("requests/PR-log", asset_request.clone());
    let mut config_request = sample("tier-config-request-setup-pending.json");
    config_request["id"] = "TCR-log".into();
    platform.put("tier/config-requests/TCR-log", config_request.clone());
    let extension = Extension::new(Descriptor::default())
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING.read_as::<Request>(), ["pending"], done)
        .background(event::TIER_CONFIG_SETUP_REQUEST_PROCESSING.read_as::<Request>(), ["pending"], done);
    let tasks = [
        task("TQ-log-1", "background", PURCHASE, "PR-log", &json!(null)),
        task("TQ-log-2", "background", SETUP, "TCR-log", &json!(null)),
    ];
    answers(&platform, extension, &tasks).await;

    let fields = FIELDS.lock().unwrap().clone();
    let of = |task: &str, name: &str| fields[task].get(name).cloned();
    let text = |value: &Value| Some(value.as_str().unwrap().to_owned());
    assert_eq!(of("TQ-log-1", "event"), Some(PURCHASE.to_owned()));
    assert_eq!(of("TQ-log-1", "request_id"), Some("PR-log".to_owned()));
    assert_eq!(of("TQ-log-1", "request_type"), Some("purchase".to_owned()));
    assert_eq!(of("TQ-log-1", "request_status"), Some("pending".to_owned()));
    assert_eq!(of("TQ-log-1", "asset_id"), text(&asset_request["asset"]["id"]));
    assert_eq!(of("TQ-log-1", "tier_id"), text(&asset_request["asset"]["tiers"]["customer"]["id"]));
    assert_eq!(of("TQ-log-1", "tier_config_id"), None);
    let meta = platform.setup_response.lock().unwrap()["data"]["logging"]["meta"].clone();
    assert_eq!(of("TQ-log-1", "account_id"), text(&meta["account_id"]));
    assert_eq!(of("TQ-log-1", "account_name"), text(&meta["account_name"]));
    assert_eq!(of("TQ-log-2", "request_id"), Some("TCR-log".to_owned()));
    assert_eq!(of("TQ-log-2", "request_type"), Some("setup".to_owned()));
    assert_eq!(of("TQ-log-2", "tier_config_id"), text(&config_request["configuration"]["id"]));
    assert_eq!(of("TQ-log-2", "tier_id"), text(&config_request["configuration"]["account"]["id"]));
    assert_eq!(of("TQ-log-2", "asset_id"), None);
}

struct CancelSaga;

impl Saga for CancelSaga {
    fn middlewares(&self, _: &AssetRequest) -> Middlewares {
        Middlewares::new().then::<OfflineMode>()
    }

    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().otherwise(BackgroundResponse::fail("reached the vendor"))
    }
}

/// The answer to the cancellation of an asset that is offline, and what Connect was told by POST.
async fn cancelled(extension: Extension) -> (Value, Vec<(String, Value)>) {
    let platform = Platform::start().await;
    let params = json!([{"id": "offline_mode", "type": "text", "value": "AS-1"}]);
    let request = json!({"id": "PR-1", "type": "cancel", "status": "pending", "asset": {"id": "AS-1", "params": params}});
    platform.put("requests/PR-1", request);
    let extension = extension.background(event::ASSET_CANCEL_REQUEST_PROCESSING, ["pending"], CancelSaga);
    let tasks = [task("TQ-offline", "background", CANCEL, "PR-1", &json!(null))];
    let frames = answers(&platform, extension, &tasks).await;
    let answer =
        frames.iter().find(|frame| frame["message_type"] == "task").unwrap()["data"]["output"].clone();
    let posts = platform.calls().into_iter().filter(|call| call.method == "POST");
    (answer, posts.map(|call| (call.path, call.body)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_offline_is_skipped() {
    let (answer, posts) = cancelled(Extension::new(Descriptor::default())).await;
    assert_eq!(answer["result"], "skip");
    assert_eq!(answer["message"], "The subscription AS-1 is in offline mode.");
    assert_eq!(posts, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn or_approved_with_a_template_by_the_client_of_its_task() {
    let extension = Extension::new(Descriptor::default()).provider(ApproveWhenOffline::with_template("TL-1"));
    let (answer, posts) = cancelled(extension).await;
    assert_eq!(answer["result"], "success", "{answer}");
    let expected = json!({"template_id": "TL-1"});
    assert!(
        posts.len() == 1 && posts[0].0.ends_with("requests/PR-1/approve") && posts[0].1 == expected,
        "{posts:?}"
    );
}
