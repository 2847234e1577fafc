use std::fmt;

use http::Method;
use serde_json::Value;

use crate::Error;

/// Connect's API description: which paths there are, and what can be done to them.
///
/// A client that was given one refuses a call that is not in it, before it is sent. Connect publishes it as an OpenAPI
/// document; it is read from JSON.
///
/// ```
/// use connect_client::{ApiDescription, Client};
/// use serde_json::json;
///
/// let document = json!({"openapi": "3.0.3", "paths": {"/products/{id}": {"get": {}}}});
/// let client = Client::builder("ApiKey SU-000-000-000:secret")
///     .description(ApiDescription::from_json(&document)?)
///     .build()?;
/// # Ok::<(), connect_client::Error>(())
/// ```
#[derive(Clone)]
pub struct ApiDescription {
    paths: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    /// `None` for a segment in braces, which stands for any.
    segments: Vec<Option<String>>,
    methods: Vec<String>,
}

impl ApiDescription {
    /// Reads an OpenAPI document.
    pub fn from_json(document: &Value) -> Result<Self, Error> {
        let paths = document.get("paths").and_then(Value::as_object);
        let paths = paths.ok_or_else(|| Error::usage("the API description has no \"paths\""))?;
        let mut paths: Vec<Entry> = paths
            .iter()
            .map(|(path, methods)| Entry {
                segments: path
                    .trim_matches('/')
                    .split('/')
                    .map(|segment| (!segment.starts_with('{')).then(|| segment.to_owned()))
                    .collect(),
                methods: methods
                    .as_object()
                    .into_iter()
                    .flat_map(|methods| methods.keys().map(|method| method.to_ascii_uppercase()))
                    .collect(),
            })
            .collect();
        // A segment by its name comes before one that stands for any, from the left.
        paths.sort_by_key(|entry| entry.segments.iter().map(Option::is_none).collect::<Vec<_>>());
        Ok(Self { paths })
    }

    /// Whether there is such a call. Literal segments come before ones that stand for any.
    pub(crate) fn has(&self, method: &Method, path: &str) -> bool {
        let segments: Vec<&str> = path.split('/').collect();
        let fits = |entry: &&Entry| {
            entry.segments.len() == segments.len()
                && entry
                    .segments
                    .iter()
                    .zip(&segments)
                    .all(|(own, segment)| own.as_ref().is_none_or(|own| own == segment))
        };
        self.paths
            .iter()
            .find(fits)
            .is_some_and(|entry| entry.methods.iter().any(|known| known == method.as_str()))
    }
}

impl fmt::Debug for ApiDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiDescription").field("paths", &self.paths.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn literal_segments_come_first() {
        let document = json!({"paths": {
            "/products/{id}": {"get": {}, "parameters": []},
            "/products/export": {"post": {}},
            "/{any}/export": {"put": {}},
        }});
        let description = ApiDescription::from_json(&document).unwrap();
        assert!(description.has(&Method::GET, "products/PRD-1"));
        assert!(description.has(&Method::POST, "products/export"));
        assert!(!description.has(&Method::GET, "products/export"), "it is no id");
        assert!(description.has(&Method::PUT, "assets/export"));
        assert!(!description.has(&Method::GET, "products") && !description.has(&Method::GET, "products/a/b"));
        assert!(ApiDescription::from_json(&json!({})).is_err());
    }
}
