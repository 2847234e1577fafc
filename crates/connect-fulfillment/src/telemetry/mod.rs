//! Traces and metrics over OTLP, where the process's environment says where to.
//!
//! The variables are those of OpenTelemetry: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.

mod http;
mod metrics;

use std::{fmt, sync::Arc, time::Duration};

use connect_runner::{Declaration, Monitor, TaskReport};
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider, trace::SdkTracerProvider};
use tracing::{Level, Metadata, warn};
use tracing_subscriber::{Layer, filter::filter_fn};

use crate::logging::{BoxedLayer, is_of_sending};
use http::Http;
use metrics::Instruments;

/// How long the last spans and figures may take to leave.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// What sends spans and figures.
#[derive(Clone)]
pub(crate) struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    http: Arc<Http>,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The exporters know the headers to send, and with them keys.
        f.write_str("Telemetry")
    }
}

/// Why nothing can be sent.
#[derive(Debug)]
pub(crate) struct TelemetryError(String);

impl fmt::Display for TelemetryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "telemetry can't be sent: {}", self.0)
    }
}

impl std::error::Error for TelemetryError {}

impl Telemetry {
    /// As these variables say; `None` where they name no endpoint.
    pub(crate) fn new(
        declaration: &Declaration,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, TelemetryError> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        // Of a signal's own endpoint nothing is added to the path; the exporter does as this says.
        let endpoint = |signal: &str, path: &str| {
            let is_off = set(&format!("OTEL_{signal}_EXPORTER")).is_some_and(|exporter| exporter == "none");
            let own = set(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"));
            let common = || {
                set("OTEL_EXPORTER_OTLP_ENDPOINT").map(|base| format!("{}{path}", base.trim_end_matches('/')))
            };
            own.or_else(common).filter(|_| !is_off)
        };
        let (traces, metrics) = (endpoint("TRACES", "/v1/traces"), endpoint("METRICS", "/v1/metrics"));
        if traces.is_none() && metrics.is_none() {
            return Ok(None);
        }
        let http = Arc::new(Http::new().map_err(TelemetryError)?);
        let resource = resource(declaration, &set);
        let unusable = |error: opentelemetry_otlp::ExporterBuildError| TelemetryError(error.to_string());
        let traces = match traces {
            Some(endpoint) => {
                let exporter = SpanExporter::builder().with_http().with_shared_http_client(http.clone());
                let exporter = exporter.with_endpoint(endpoint).build().map_err(unusable)?;
                let provider = SdkTracerProvider::builder().with_resource(resource.clone());
                Some(provider.with_batch_exporter(exporter).build())
            }
            None => None,
        };
        let metrics = match metrics {
            Some(endpoint) => {
                let exporter = MetricExporter::builder().with_http().with_shared_http_client(http.clone());
                let exporter = exporter.with_endpoint(endpoint).build().map_err(unusable)?;
                Some(
                    SdkMeterProvider::builder()
                        .with_resource(resource)
                        .with_periodic_exporter(exporter)
                        .build(),
                )
            }
            None => None,
        };
        Ok(Some(Self { traces, metrics, http }))
    }

    /// What hands spans over.
    pub(crate) fn layer(&self) -> Option<BoxedLayer> {
        let tracer = self.traces.as_ref()?.tracer("connect-fulfillment");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_threads(false);
        Some(layer.with_filter(filter_fn(is_wanted)).boxed())
    }

    /// Begins to send; needs a runtime. What is given back counts tasks.
    pub(crate) fn start(&self, monitor: &Monitor) -> impl Fn(&TaskReport) + Send + Sync + use<> {
        self.http.start();
        let instruments = self.metrics.as_ref().map(|provider| Instruments::new(provider, monitor));
        move |report| {
            if let Some(instruments) = &instruments {
                instruments.task(report);
            }
        }
    }

    /// Sends what is left.
    pub(crate) async fn shut_down(self) {
        let end = tokio::task::spawn_blocking(move || {
            let traces = self.traces.map(|provider| provider.shutdown_with_timeout(SHUTDOWN_LIMIT / 2));
            let metrics = self.metrics.map(|provider| provider.shutdown_with_timeout(SHUTDOWN_LIMIT / 2));
            [traces, metrics].into_iter().flatten().filter_map(Result::err).collect::<Vec<_>>()
        });
        if let Ok(Ok(errors)) = tokio::time::timeout(SHUTDOWN_LIMIT, end).await {
            for error in errors {
                warn!("telemetry was not sent whole: {error}");
            }
        } else {
            warn!("telemetry could not be sent within {SHUTDOWN_LIMIT:?}");
        }
    }
}

/// Spans of the framework, and what an extension says at the level info.
fn is_wanted(metadata: &Metadata<'_>) -> bool {
    let is_ours = metadata.target().starts_with("connect_");
    let most = if metadata.is_span() && is_ours { Level::DEBUG } else { Level::INFO };
    *metadata.level() <= most && !is_of_sending(metadata.target())
}

/// Who sends. Names and versions as the original's observer gives them.
fn resource(declaration: &Declaration, set: &impl Fn(&str) -> Option<String>) -> Resource {
    let name = set("OTEL_SERVICE_NAME").or_else(|| set("TELEMETRY_SERVICE_NAME"));
    let name = name.unwrap_or_else(|| declaration.name.clone());
    let version = set("TELEMETRY_SERVICE_VERSION").unwrap_or_else(|| declaration.version.clone());
    let known = [
        ("service.version", Some(version)),
        ("service.instance.id", set("INSTANCE_ID")),
        ("connect.environment_id", set("ENVIRONMENT_ID")),
        ("connect.extension-runner", Some(env!("CARGO_PKG_VERSION").to_owned())),
    ];
    let attributes = known.into_iter().filter_map(|(name, value)| Some(KeyValue::new(name, value?)));
    let mut builder = Resource::builder().with_attributes(attributes);
    if !name.is_empty() {
        builder = builder.with_service_name(name);
    }
    builder.build()
}

#[cfg(test)]
mod tests;
