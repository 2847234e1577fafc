//! A call by HTTP, as the data of an interactive task.

use axum::http::{HeaderMap, Method, header::AUTHORIZATION, header::CONTENT_TYPE};
use serde_json::{Map, Value, json};

use crate::api_error::ApiError;

/// What came by HTTP.
#[derive(Debug)]
pub(crate) struct HttpCall<'a> {
    pub(crate) method: &'a Method,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl HttpCall<'_> {
    /// The data of a custom event.
    pub(crate) fn custom_event(&self) -> Result<Value, ApiError> {
        Ok(json!({
            "method": self.method.as_str(),
            "headers": self.headers(),
            "querystring": self.querystring(),
            "body": self.content()?,
        }))
    }

    /// The data of a product action, with what its token says.
    pub(crate) fn product_action(&self, payload: &Value) -> Value {
        let mut data = json!({
            "method": self.method.as_str(),
            "headers": self.headers(),
            "querystring": self.querystring(),
            "jwt_payload": payload,
        });
        if self.is_form()
            && let Some(members) = data.as_object_mut()
        {
            members.insert("form_data".to_owned(), lists(self.body).into());
        }
        data
    }

    /// The token of a product action: of the query, or of the form.
    pub(crate) fn token(&self) -> Option<String> {
        let of = |text: &[u8]| {
            let mut pairs = url::form_urlencoded::parse(text);
            pairs.find(|(name, _)| name == "jwt").map(|(_, token)| token.into_owned())
        };
        of(self.query.as_bytes()).or_else(|| self.is_form().then(|| of(self.body)).flatten())
    }

    /// What stands behind a scheme in `Authorization`.
    pub(crate) fn authorization(&self, scheme: &str) -> Option<&str> {
        let (own, rest) = self.headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
        own.eq_ignore_ascii_case(scheme).then(|| rest.trim())
    }

    fn querystring(&self) -> Map<String, Value> {
        lists(self.query.as_bytes())
    }

    /// The headers, named as people write them. A key of the sandbox is not the extension's to see.
    fn headers(&self) -> Map<String, Value> {
        let key = self.authorization("ApiKey").is_some();
        let shown = self.headers.keys().filter(|name| !(key && *name == AUTHORIZATION));
        shown
            .map(|name| {
                let values = self.headers.get_all(name).iter();
                let values: Vec<_> =
                    values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
                (title(name.as_str()), values.join(", ").into())
            })
            .collect()
    }

    fn kind(&self) -> String {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    fn is_form(&self) -> bool {
        self.kind() == "application/x-www-form-urlencoded"
    }

    /// The body: JSON and forms are read, other texts stay as they are.
    fn content(&self) -> Result<Value, ApiError> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        if self.is_form() {
            return Ok(lists(self.body).into_iter().map(|(name, value)| (name, unlisted(value))).collect());
        }
        let kind = self.kind();
        if kind == "application/json" || kind.ends_with("+json") {
            return serde_json::from_slice(self.body)
                .map_err(|error| ApiError::bad("VAL_001", format!("The body is not JSON: {error}.")));
        }
        let text = std::str::from_utf8(self.body);
        let text = text.map_err(|_| {
            ApiError::bad("VAL_001", "The body is neither JSON, nor a form, nor text in UTF-8.")
        });
        Ok(text?.into())
    }
}

/// Each name of a query or a form with all its values.
fn lists(text: &[u8]) -> Map<String, Value> {
    let mut lists = Map::new();
    for (name, value) in url::form_urlencoded::parse(text) {
        let list = lists.entry(name.into_owned()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(value.into_owned().into());
        }
    }
    lists
}

/// The only value, where it is the only one.
fn unlisted(value: Value) -> Value {
    match value {
        Value::Array(mut list) if list.len() == 1 => list.pop().unwrap_or_default(),
        other => other,
    }
}

/// `content-type` as `Content-Type`.
fn title(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(headers: &[(&'static str, &str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        headers.iter().map(header).collect()
    }

    fn event(kind: &str, body: &[u8]) -> Result<Value, ApiError> {
        let headers = headers(&[("content-type", kind), ("x-signature", "a"), ("x-signature", "b")]);
        let query = "a=1&a=2&b=%C3%A9";
        HttpCall { method: &Method::POST, query, headers: &headers, body }.custom_event()
    }

    #[test]
    fn a_body_is_read_by_its_kind() {
        let read = |kind, body| event(kind, body).unwrap()["body"].clone();
        let sync = json!({"controller": "sync"});
        assert_eq!(read("application/json; charset=utf-8", br#"{"controller": "sync"}"#), sync);
        assert_eq!(read("application/problem+json", br#"{"controller": "sync"}"#), sync);
        assert_eq!(read("application/x-www-form-urlencoded", b"controller=sync"), sync);
        assert_eq!(read("Application/X-WWW-Form-URLencoded", b"a=1&a=2"), json!({"a": ["1", "2"]}));
        assert_eq!(read("text/plain", b"hello"), "hello");
        assert_eq!(read("application/json", b""), Value::Null);
        assert!(event("application/json", b"{").unwrap_err().errors[0].starts_with("The body is not JSON"));
        assert!(event("application/octet-stream", b"\xff").unwrap_err().errors[0].contains("UTF-8"));
    }

    #[test]
    fn a_call_is_told_whole() {
        let data = event("text/plain", b"").unwrap();
        assert_eq!(data["method"], "POST");
        assert_eq!(data["querystring"], json!({"a": ["1", "2"], "b": ["é"]}));
        assert_eq!(data["headers"], json!({"Content-Type": "text/plain", "X-Signature": "a, b"}));
    }

    #[test]
    fn the_key_of_the_sandbox_is_not_told() {
        for (authorization, told) in [("ApiKey SU-1:canary", false), ("Bearer canary", true)] {
            let headers = headers(&[("authorization", authorization)]);
            let call = HttpCall { method: &Method::GET, query: "", headers: &headers, body: b"" };
            assert_eq!(call.custom_event().unwrap().to_string().contains("canary"), told);
        }
    }

    #[test]
    fn a_token_is_in_the_query_or_the_form() {
        let form = headers(&[("content-type", "application/x-www-form-urlencoded")]);
        let none = HeaderMap::new();
        let call = |query, headers, body| HttpCall { method: &Method::POST, query, headers, body };
        assert_eq!(call("x=1&jwt=a", &none, b"").token().as_deref(), Some("a"));
        let sent = call("", &form, b"jwt=b&x=2");
        assert_eq!(sent.token().as_deref(), Some("b"));
        assert_eq!(sent.product_action(&json!({}))["form_data"], json!({"jwt": ["b"], "x": ["2"]}));
        assert_eq!(call("", &none, b"jwt=b").token(), None, "it is no form");
        assert!(call("jwt=a", &none, b"").product_action(&json!({})).get("form_data").is_none());
    }
}
