//! What a supervisor of the process asks it over HTTP: whether it lives, whether it takes tasks, and figures.

mod metrics;

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use connect_runner::Monitor;
use tokio::net::TcpListener;
use tracing::{info, warn};

pub(crate) use metrics::Metrics;
#[cfg(feature = "telemetry")]
pub(crate) use metrics::SECONDS;

/// Answers until the process ends: `/healthz`, `/readyz`, `/metrics`. Gives back where.
pub(crate) async fn serve(
    address: SocketAddr,
    monitor: Monitor,
    metrics: Arc<Metrics>,
) -> Result<SocketAddr, ProbeError> {
    let unusable = |source| ProbeError { address, source };
    let listener = TcpListener::bind(address).await.map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    info!("probes on http://{address}: /healthz, /readyz, /metrics");
    let router = router(monitor, metrics);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            warn!("the probes ended: {error}");
        }
    });
    Ok(address)
}

fn router(monitor: Monitor, metrics: Arc<Metrics>) -> Router {
    Router::new()
        // That it answers is the answer: the process lives, and its runtime gets to its work.
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(async move || readiness(&monitor)))
        .route("/metrics", get(async move || figures(&metrics)))
}

fn readiness(monitor: &Monitor) -> Response {
    let status = monitor.status();
    let code = if status.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(status)).into_response()
}

fn figures(metrics: &Metrics) -> Response {
    match metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Why there are no probes.
#[derive(Debug)]
pub(crate) struct ProbeError {
    address: SocketAddr,
    source: io::Error,
}

impl std::fmt::Display for ProbeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the probe address {} can't be listened on: {}", self.address, self.source)
    }
}

impl std::error::Error for ProbeError {}

#[cfg(test)]
mod tests;
