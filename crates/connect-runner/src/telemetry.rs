//! What OpenTelemetry is told about a task beyond the fields of its span.

use connect_client::TraceContext;
use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use serde_json::Value;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{TaskReport, handler::RawObject};

/// Makes a task's span a part of the trace that Connect names, where it names one.
pub(crate) fn set_parent(span: &Span, correlation_id: Option<&str>) {
    if let Some(parent) = correlation_id.and_then(remote) {
        // It fails where nobody collects spans.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

/// A W3C trace context, as Connect writes its correlation ids.
fn remote(traceparent: &str) -> Option<SpanContext> {
    // All that may be wrong with one is known there.
    TraceContext::parse(traceparent)?;
    let mut parts = traceparent.trim().split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(parts.next()?, 16).ok()?);
    Some(SpanContext::new(trace, span, flags, true, TraceState::default()))
}

/// Says what a request is about, by the names that the original's observer uses: `vendor_id`, `product_id`,
/// `marketplace_id`, `contract_id`, `connection_id`, and of a product action `asset_id` or `configuration_id`. What a
/// log says too is in the fields of the span.
pub(crate) fn set_attributes(span: &Span, object: &RawObject) {
    if span.is_disabled() {
        return;
    }
    let parsed;
    let object = match object {
        RawObject::Text(text) => match serde_json::from_slice(text) {
            Ok(value) => {
                parsed = value;
                &parsed
            }
            Err(_) => return,
        },
        RawObject::Value(value) => value,
    };
    for (name, pointers) in [
        ("vendor_id", ["/asset/connection/vendor/id", "/configuration/connection/vendor/id"]),
        ("product_id", ["/asset/product/id", "/configuration/product/id"]),
        ("marketplace_id", ["/asset/marketplace/id", "/configuration/marketplace/id"]),
        ("contract_id", ["/asset/contract/id", "/configuration/contract/id"]),
        ("connection_id", ["/asset/connection/id", "/configuration/connection/id"]),
        ("asset_id", ["/jwt_payload/asset_id", ""]),
        ("configuration_id", ["/jwt_payload/configuration_id", ""]),
    ] {
        let found = pointers.iter().find_map(|pointer| object.pointer(pointer).and_then(Value::as_str));
        if let Some(value) = found {
            span.set_attribute(name, value.to_owned());
        }
    }
}

/// Says how a task ended.
pub(crate) fn set_result(span: &Span, report: &TaskReport) {
    span.set_attribute("category", report.category.to_string());
    span.set_attribute("result", report.result.to_string());
    if let Some(transaction) = &report.transaction {
        span.set_attribute("transaction", transaction.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correlation_id_is_a_parent() {
        let parent = remote("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        assert_eq!(parent.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(parent.span_id().to_string(), "b7ad6b7169203331");
        assert!(parent.is_remote() && parent.is_sampled() && parent.is_valid());
        for wrong in ["", "corr-1", "00-00000000000000000000000000000000-b7ad6b7169203331-01"] {
            assert_eq!(remote(wrong), None, "{wrong}");
        }
    }
}
