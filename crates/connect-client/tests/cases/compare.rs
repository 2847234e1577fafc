//! How requests and outcomes are compared with the recorded ones: see `how_to_read` of the file of cases.

use connect_client::{Error, ErrorKind};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::server::{Seen, bytes};

pub(crate) fn check(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn path(text: &str) -> Vec<String> {
    text.split('/').map(decoded).collect()
}

pub(crate) fn request(seen: &Seen, wanted: &Value) -> Result<(), String> {
    if let Some(method) = wanted.get("method") {
        check(*method == seen.method, || format!("method {}", seen.method))?;
    }
    if let Some(wanted) = wanted["path"].as_str() {
        check(path(wanted) == path(&seen.path), || format!("path {} instead of {wanted}", seen.path))?;
    }
    if let Some(wanted) = wanted["query"].as_array() {
        let mut own: Vec<String> =
            seen.query.split('&').filter(|part| !part.is_empty()).map(decoded).collect();
        let mut wanted: Vec<String> = wanted.iter().map(|part| part.as_str().unwrap().to_owned()).collect();
        own.sort();
        wanted.sort();
        check(own == wanted, || format!("query {own:?} instead of {wanted:?}"))?;
    }
    for (name, value) in wanted["headers"].as_object().into_iter().flatten() {
        let own = seen.headers.get(&name.to_lowercase()).map(String::as_str).unwrap_or_default();
        let value = value.as_str().unwrap();
        let equal = match value.strip_suffix('*') {
            Some(prefix) => own.starts_with(prefix),
            None => own == value,
        };
        check(equal, || format!("header {name} is {own:?} instead of {value:?}"))?;
    }
    if let Some(wanted) = wanted.get("body") {
        body(seen, wanted)?;
    }
    Ok(())
}

fn body(seen: &Seen, wanted: &Value) -> Result<(), String> {
    let own = String::from_utf8_lossy(&seen.body);
    let differs = || format!("body {own:?} instead of {wanted}");
    if wanted.is_null() {
        let has_type = seen.headers.contains_key("content-type");
        return check(seen.body.is_empty() && !has_type, differs);
    }
    if let Some(wanted) = wanted.get("json") {
        return check(serde_json::from_slice::<Value>(&seen.body).ok().as_ref() == Some(wanted), differs);
    }
    if let Some(hex) = wanted["hex"].as_str() {
        return check(seen.body == bytes(hex), differs);
    }
    if let Some(form) = wanted.get("form") {
        let pairs = url::form_urlencoded::parse(&seen.body);
        let own: Value = pairs.map(|(name, value)| (name.into_owned(), json!(value))).collect();
        return check(own == *form, differs);
    }
    let mut own = parts(seen, &own);
    let mut wanted: Vec<Value> = wanted["multipart"].as_array().unwrap().clone();
    for part in own.iter_mut().chain(&mut wanted) {
        // A part that is no file may say what it is, or not.
        if part.get("filename").is_none() {
            part.as_object_mut().unwrap().remove("content_type");
        }
    }
    let sorted = |parts: &mut Vec<Value>| parts.sort_by_key(ToString::to_string);
    sorted(&mut own);
    sorted(&mut wanted);
    check(own == wanted, differs)
}

fn parts(seen: &Seen, body: &str) -> Vec<Value> {
    let boundary = seen.headers["content-type"].split("boundary=").nth(1).unwrap();
    let separator = format!("--{boundary}");
    let inner = body.split(&separator).filter(|part| !part.is_empty() && !part.starts_with("--"));
    let part = |part: &str| {
        let (head, text) = part.split_once("\r\n\r\n").unwrap();
        let mut part = json!({"text": text.strip_suffix("\r\n").unwrap()});
        for line in head.lines() {
            let Some((name, value)) = line.split_once(": ") else { continue };
            if name.eq_ignore_ascii_case("content-type") {
                part["content_type"] = value.into();
            }
            for item in value.split("; ") {
                for key in ["name", "filename"] {
                    if let Some(text) = item.strip_prefix(&format!("{key}=\"")) {
                        part[key] = text.trim_end_matches('"').into();
                    }
                }
            }
        }
        part
    };
    inner.map(part).collect()
}

/// The kinds of the file of cases.
fn kind(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Usage => "usage",
        ErrorKind::Description => "spec",
        ErrorKind::Connection | ErrorKind::Timeout => "transport",
        ErrorKind::Api => "api",
        ErrorKind::Decode => "decode",
        _ => "other",
    }
}

pub(crate) fn outcome(outcome: &Result<Value, Error>, wanted: &Value) -> Result<(), String> {
    match (outcome, wanted.get("error")) {
        (Ok(value), None) => {
            let wanted = match &wanted["bytes_hex"] {
                Value::String(hex) => json!({"bytes_hex": hex}),
                _ => wanted["value"].clone(),
            };
            check(*value == wanted, || format!("gave {value} instead of {wanted}"))
        }
        (Ok(value), Some(error)) => Err(format!("gave {value} instead of the error {error}")),
        (Err(error), None) => Err(format!("failed instead of giving {wanted}: {error}")),
        (Err(error), Some(wanted)) => {
            let own = kind(error);
            let at_all = || format!("error {own}: {error}, instead of {wanted}");
            check(wanted["kind"] == own, at_all)?;
            if let Some(status) = wanted["status_code"].as_u64() {
                check(error.status().map(|status| u64::from(status.as_u16())) == Some(status), at_all)?;
            }
            let Some(api) = error.api() else {
                // Failures of the network have better texts than the original's "Unexpected error", and no question
                // mark stands behind a path that is not in the description.
                return match wanted["text"].as_str() {
                    Some(text) if own == "spec" => check(text.replace('?', "") == error.to_string(), at_all),
                    _ => Ok(()),
                };
            };
            if let Some(code) = wanted.get("error_code") {
                check(*code == json!(api.error_code), at_all)?;
            }
            if let Some(errors) = wanted.get("errors") {
                let none = errors.is_null() && api.errors.is_empty();
                check(none || *errors == json!(api.errors), at_all)?;
            }
            if let Some(info) = wanted.get("additional_info") {
                let mut own = api.extra.clone();
                own.extend(api.params.clone().map(|params| ("params".to_owned(), params)));
                check(*info == json!(own), || format!("further members {own:?} instead of {info}"))?;
            }
            match wanted["text"].as_str() {
                // "Im A Teapot" is how the original spells it.
                Some(text) if api.status.as_u16() != 418 => check(text == error.to_string(), at_all),
                _ => Ok(()),
            }
        }
    }
}
