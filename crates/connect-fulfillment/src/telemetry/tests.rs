use std::collections::HashMap;

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use connect_runner::Runner;
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue as Attribute, any_value},
    metrics::v1::{metric::Data, number_data_point},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message;
use serde_json::{Value, json};
use std::sync::Mutex;
use tokio::{net::TcpListener, sync::oneshot};
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::{
    Descriptor, Extension,
    prelude::*,
    support::{Platform, setup_response, task},
};

/// A collector of OTLP over HTTP, and what came.
#[derive(Clone, Default)]
struct Collector {
    traces: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    metrics: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
}

impl Collector {
    async fn start(&self) -> String {
        async fn traces(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            collector.traces.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
        }
        async fn metrics(State(collector): State<Collector>, body: Bytes) {
            collector.metrics.lock().unwrap().push(ExportMetricsServiceRequest::decode(body).unwrap());
        }
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", socket.local_addr().unwrap());
        let all = Router::new().route("/v1/traces", post(traces)).route("/v1/metrics", post(metrics));
        let router = all.with_state(self.clone());
        tokio::spawn(async { axum::serve(socket, router).await.unwrap() });
        address
    }

    fn spans(&self) -> Vec<Span> {
        let traces = self.traces.lock().unwrap();
        let of_resources = traces.iter().flat_map(|request| &request.resource_spans);
        of_resources.flat_map(|spans| &spans.scope_spans).flat_map(|spans| spans.spans.clone()).collect()
    }

    fn resource(&self) -> HashMap<String, String> {
        let traces = self.traces.lock().unwrap();
        attributes(&traces[0].resource_spans[0].resource.as_ref().unwrap().attributes)
    }

    /// The last value of a figure, by its labels.
    fn figure(&self, name: &str) -> HashMap<String, u64> {
        let metrics = self.metrics.lock().unwrap();
        let of_resources = metrics.iter().flat_map(|request| &request.resource_metrics);
        let mut all =
            of_resources.flat_map(|metrics| &metrics.scope_metrics).flat_map(|metrics| &metrics.metrics);
        let metric = all.rfind(|metric| metric.name == name);
        let metric = metric.unwrap_or_else(|| panic!("no {name}"));
        let points = match metric.data.as_ref().unwrap() {
            Data::Sum(sum) => &sum.data_points,
            Data::Gauge(gauge) => &gauge.data_points,
            Data::Histogram(histogram) => {
                let count = |point: &opentelemetry_proto::tonic::metrics::v1::HistogramDataPoint| {
                    (labels(&point.attributes), point.count)
                };
                return histogram.data_points.iter().map(count).collect();
            }
            other => panic!("{other:?}"),
        };
        let value = |value: &Option<number_data_point::Value>| match value {
            Some(number_data_point::Value::AsInt(value)) => u64::try_from(*value).unwrap(),
            other => panic!("{other:?}"),
        };
        points.iter().map(|point| (labels(&point.attributes), value(&point.value))).collect()
    }
}

fn attributes(attributes: &[Attribute]) -> HashMap<String, String> {
    let text = |attribute: &Attribute| match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

fn labels(found: &[Attribute]) -> String {
    let mut labels: Vec<String> = attributes(found).into_values().collect();
    labels.sort();
    labels.join(" ")
}

#[derive(Inject)]
struct Approve {
    requests: AssetRequests,
}

impl BackgroundTransaction for Approve {
    fn name(&self) -> &str {
        "Approve"
    }

    fn should_execute(&self, _: &AssetRequest) -> bool {
        true
    }

    async fn execute(&self, request: &mut AssetRequest) -> crate::Result<BackgroundResponse> {
        if request.id == "PR-2" {
            return Err("no such user".into());
        }
        self.requests.approve(request, "TL-1").await?;
        Ok(BackgroundResponse::done())
    }
}

struct PurchaseSaga;

impl Saga for PurchaseSaga {
    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().then::<Approve>()
    }
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test]
async fn a_task_is_a_trace_and_is_counted() {
    let collector = Collector::default();
    let endpoint = collector.start().await;
    let platform = Platform::start().await;
    for id in ["PR-1", "PR-2"] {
        let asset = json!({"id": "AS-1", "product": {"id": "PRD-1"}, "marketplace": {"id": "MP-1"},
            "connection": {"id": "CT-1", "vendor": {"id": "VA-1"}}, "contract": {"id": "CRD-1"}});
        let request = json!({"id": id, "type": "purchase", "status": "pending", "asset": asset});
        platform.put(&format!("requests/{id}"), request);
    }
    let extension = Extension::new(Descriptor::parse(r#"{"name": "Hosting", "version": "1.2.3"}"#).unwrap())
        .background(crate::event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], PurchaseSaga);
    let variable = |name: &str| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(endpoint.clone()),
        "ENVIRONMENT_ID" => Some("ENV-0001".to_owned()),
        _ => None,
    };
    let telemetry = Telemetry::new(&extension.declaration(), variable).unwrap().unwrap();
    let subscriber = tracing_subscriber::registry().with(vec![telemetry.layer().unwrap()]);
    // Of this thread, on which all of this test runs.
    let _guard = tracing::subscriber::set_default(subscriber);
    *platform.setup_response.lock().unwrap() = setup_response();
    let runner = Runner::new(extension.into(), platform.environment(&[])).unwrap();
    let count = telemetry.start(&runner.monitor());
    let runner = runner.on_task(count);
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(runner.run_until(async { drop(stopped.await) }, std::future::pending()));
    let connected = platform.connection("background", 1).await;
    for (id, object) in [("TQ-1", "PR-1"), ("TQ-2", "PR-2")] {
        let event = "asset_purchase_request_processing";
        let mut task = task(id, "background", event, object, &Value::Null);
        if id == "TQ-1" {
            task["data"]["options"]["connect_correlation_id"] =
                format!("00-{TRACE}-b7ad6b7169203331-01").into();
        }
        connected.send(task.to_string());
    }
    platform.answered(2).await;
    // Figures are looked at while it runs.
    let metrics = telemetry.metrics.clone().unwrap();
    tokio::task::spawn_blocking(move || metrics.force_flush()).await.unwrap().unwrap();
    stop.send(()).unwrap();
    running.await.unwrap();
    telemetry.shut_down().await;

    let resource = collector.resource();
    assert_eq!(
        (resource["service.name"].as_str(), resource["service.version"].as_str()),
        ("Hosting", "1.2.3")
    );
    assert_eq!(resource["connect.environment_id"], "ENV-0001");
    let spans = collector.spans();
    let find = |name: &str, parent: &[u8]| {
        let found = spans.iter().find(|span| span.name == name && span.parent_span_id == parent);
        found.unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
    };
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let root = spans.iter().find(|span| hex(&span.parent_span_id) == "b7ad6b7169203331").unwrap();
    assert_eq!(root.name, "asset_purchase_request_processing");
    assert_eq!((hex(&root.trace_id).as_str(), root.kind()), (TRACE, SpanKind::Consumer));
    let said = attributes(&root.attributes);
    for (name, value) in [
        ("task", "TQ-1"),
        ("request_id", "PR-1"),
        ("request_status", "pending"),
        ("asset_id", "AS-1"),
        ("product_id", "PRD-1"),
        ("marketplace_id", "MP-1"),
        ("connection_id", "CT-1"),
        ("contract_id", "CRD-1"),
        ("vendor_id", "VA-1"),
        ("account_id", "VA-0001"),
        ("category", "background"),
        ("result", "success"),
        ("transaction", "Approve"),
    ] {
        assert_eq!(said.get(name).map(String::as_str), Some(value), "{name} in {said:#?}");
    }
    let saga = find("PurchaseSaga", &root.span_id);
    let transaction = find("Approve", &saga.span_id);
    let call = find("POST", &transaction.span_id);
    assert_eq!(call.kind(), SpanKind::Client);
    assert_eq!(attributes(&call.attributes)["path"], "requests/PR-1/approve");
    find("GET", &root.span_id);

    let other =
        spans.iter().find(|span| attributes(&span.attributes).get("task").is_some_and(|id| id == "TQ-2"));
    let other = other.unwrap();
    assert!(hex(&other.trace_id) != TRACE && other.parent_span_id.is_empty());
    assert_eq!(other.status.as_ref().unwrap().code(), StatusCode::Error);

    let event = "asset_purchase_request_processing background";
    let tasks = collector.figure("connect.tasks");
    assert_eq!(tasks[&format!("{event} success")], 1, "{tasks:?}");
    assert_eq!(collector.figure("connect.task.duration")[event], 2);
    assert_eq!(collector.figure("connect.tasks.running").len(), 3);
    assert_eq!(collector.figure("connect.outbox.results").len(), 2);
    assert_eq!(collector.figure("connect.reconnects")["interactive"], 0);
}

#[test]
fn nothing_is_sent_unless_somebody_says_where() {
    let declaration = Extension::new(Descriptor::default()).declaration();
    let of = |set: &[(&str, &str)]| {
        let set: HashMap<String, String> =
            set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let telemetry = Telemetry::new(&declaration, |name| set.get(name).cloned()).unwrap();
        telemetry.map(|telemetry| (telemetry.traces.is_some(), telemetry.metrics.is_some()))
    };
    let everywhere = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), None);
    assert_eq!(of(&[everywhere, ("OTEL_SDK_DISABLED", "true")]), None);
    assert_eq!(of(&[everywhere, ("OTEL_METRICS_EXPORTER", "none")]), Some((true, false)));
    assert_eq!(of(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:9/m")]), Some((false, true)));
}
