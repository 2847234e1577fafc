//! The answer of an extension, as an answer by HTTP.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::Response,
};
use connect_model::wire::{ResultType, TaskOutput};
use serde_json::Value;
use tracing::warn;

use crate::api_error::ApiError;

/// Headers that are between two ends of a connection, and so not the extension's to set, nor what the server counts itself.
const NOT_ITS_OWN: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
];

/// A page of an extension comes from the address of the console, and has to be kept from using it.
const SANDBOXED: &str = "sandbox allow-downloads allow-forms allow-modals allow-popups \
                         allow-popups-to-escape-sandbox allow-scripts allow-top-navigation-by-user-activation";

/// Nobody took the task, or nobody answered in time.
pub(crate) fn nobody() -> ApiError {
    ApiError::gateway(StatusCode::SERVICE_UNAVAILABLE, "No runner took the call, or none answered in time.")
}

/// The `{http_status, headers, body}` of an output as it goes to the caller.
pub(crate) fn response(output: &TaskOutput) -> Result<Response, ApiError> {
    let malformed =
        |what: &str| ApiError::gateway(StatusCode::BAD_GATEWAY, format!("The extension's answer {what}."));
    let data = output.data.as_ref().unwrap_or(&Value::Null);
    let status = match &data["http_status"] {
        Value::Null if output.result == ResultType::Success => StatusCode::OK,
        Value::Null => StatusCode::BAD_REQUEST,
        status => status
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            // What is below is no end of a call.
            .filter(|status| (200..600).contains(status))
            .and_then(|status| StatusCode::from_u16(status).ok())
            .ok_or_else(|| malformed(&format!("has no HTTP status: {status}")))?,
    };
    let mut headers = match &data["headers"] {
        Value::Null => HeaderMap::new(),
        Value::Object(members) => members.iter().flat_map(|(name, value)| header(name, value)).collect(),
        _ => return Err(malformed("has headers that are no object")),
    };
    let (body, kind) = match &data["body"] {
        Value::Null => (output.message.clone().filter(|_| data.is_null()), "text/plain; charset=utf-8"),
        Value::String(text) => (Some(text.clone()), "text/plain; charset=utf-8"),
        other => (Some(other.to_string()), "application/json"),
    };
    if body.is_some() {
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
    }
    headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOXED));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let mut response = Response::new(body.map_or_else(Body::empty, Body::from));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A header with its values; what can't be one is left out.
fn header(name: &str, value: &Value) -> Vec<(HeaderName, HeaderValue)> {
    let values = match value {
        Value::Array(list) => list.iter().map(text).collect(),
        other => vec![text(other)],
    };
    let parsed = name.parse::<HeaderName>().ok().filter(|name| !NOT_ITS_OWN.contains(&name.as_str()));
    let values: Option<Vec<HeaderValue>> = values.into_iter().map(|value| value.parse().ok()).collect();
    let (Some(name), Some(values)) = (parsed, values) else {
        warn!(name, "a header of an extension's answer was left out: it is malformed, or not its own to set");
        return Vec::new();
    };
    values.into_iter().map(|value| (name.clone(), value)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(result: ResultType, data: Value) -> Result<Response, ApiError> {
        response(&TaskOutput { data: Some(data), message: Some("why".to_owned()), ..TaskOutput::new(result) })
    }

    async fn told(data: Value) -> (u16, String, String) {
        let (parts, body) = answered(ResultType::Success, data).unwrap().into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let kind = parts.headers.get(CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap());
        (parts.status.as_u16(), kind.to_owned(), String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_answer_is_what_the_extension_says() {
        let text = "text/plain; charset=utf-8";
        for (data, expected) in [
            (json!({"http_status": 302, "headers": {"Location": "/x"}, "body": null}), (302, "", "")),
            (json!({"http_status": 200, "body": "hello"}), (200, text, "hello")),
            (json!({"http_status": 201, "body": {"a": 1}}), (201, "application/json", "{\"a\":1}")),
            (
                json!({"http_status": 200, "headers": {"content-type": "text/html"}, "body": "<p>"}),
                (200, "text/html", "<p>"),
            ),
            (json!({}), (200, "", "")),
            (json!(null), (200, text, "why")),
        ] {
            let expected = (expected.0, expected.1.to_owned(), expected.2.to_owned());
            assert_eq!(told(data).await, expected);
        }
        assert_eq!(answered(ResultType::Fail, json!(null)).unwrap().status(), 400);
        let location =
            answered(ResultType::Success, json!({"http_status": 302, "headers": {"Location": "/x"}}));
        assert_eq!(location.unwrap().headers()["location"], "/x");
    }

    #[test]
    fn headers_that_are_not_its_own_are_left_out() {
        let headers = json!({"Transfer-Encoding": "chunked", "CONNECTION": "close", "Content-Length": "7",
            "X-Bad": "a\r\nSet-Cookie: b", "bad name": "x", "": "x", "X-Number": 7, "Set-Cookie": ["a=1", "b=2"]});
        let answer = answered(ResultType::Success, json!({"http_status": 200, "headers": headers})).unwrap();
        let names: Vec<&str> = answer.headers().iter().map(|(name, _)| name.as_str()).collect();
        let policies = ["content-security-policy", "x-content-type-options"];
        let mut own: Vec<&&str> = names.iter().filter(|name| !policies.contains(name)).collect();
        own.sort();
        assert_eq!(own, [&"set-cookie", &"set-cookie", &"x-number"]);
    }

    #[test]
    fn a_page_can_not_use_the_console() {
        let headers = json!({"Content-Security-Policy": "default-src *"});
        let answer = answered(ResultType::Success, json!({"http_status": 200, "headers": headers})).unwrap();
        let policies: Vec<_> = answer.headers().get_all(CONTENT_SECURITY_POLICY).iter().collect();
        assert_eq!(policies.len(), 2, "both hold");
        assert!(!SANDBOXED.contains("allow-same-origin"));
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for data in [
            json!({"http_status": 99}),
            json!({"http_status": 101}),
            json!({"http_status": 600}),
            json!({"http_status": "200"}),
            json!({"http_status": -1}),
            json!({"http_status": 200, "headers": ["a"]}),
        ] {
            let error = answered(ResultType::Success, data).unwrap_err();
            assert_eq!(error.status, StatusCode::BAD_GATEWAY);
        }
    }
}
