//! What pages are put together from.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use maud::{Markup, PreEscaped, html};
use serde_json::Value;

/// The text of a member, however deep; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The first of these that is not empty.
pub(super) fn first<'a>(texts: impl IntoIterator<Item = &'a str>) -> &'a str {
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

/// The members of a list, however deep.
pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A status, with a colour that says how that is.
pub(super) fn chip(status: &str) -> Markup {
    let kind = match status {
        "approved" | "active" | "succeeded" | "success" | "connected" | "enabled" | "installed"
        | "resolved" | "accepted" | "published" | "listed" => "good",
        "failed" | "fail" | "terminated" | "rejected" | "errored" | "lost" | "invalid" => "bad",
        "pending" | "processing" | "terminating" | "revoking" | "retry" | "retrying" | "running" => "busy",
        "inquiring" | "suspended" | "reschedule" | "rescheduled" | "scheduled" | "tiers_setup" => "wait",
        _ => "plain",
    };
    html! { span.chip.(kind) { (status.replace('_', " ")) } }
}

/// A time: how long ago, and when exactly for who points at it.
pub(super) fn time(at: Timestamp) -> Markup {
    let passed = Timestamp::now().duration_since(at).as_secs();
    let exact = at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    html! { time datetime=(at) title=(exact) { (ago(passed)) } }
}

/// A time as Connect writes it; what is none stays as it is.
pub(super) fn time_of(value: &str) -> Markup {
    value.parse::<Timestamp>().map_or_else(|_| html! { (value) }, time)
}

pub(super) fn system_time(at: SystemTime) -> Markup {
    Timestamp::try_from(at).map_or_else(|_| nothing(), time)
}

/// The same words as the script's.
fn ago(seconds: i64) -> String {
    let ahead = seconds < 0;
    let seconds = seconds.unsigned_abs();
    let (count, unit) = match seconds {
        0..5 => return "now".to_owned(),
        5..60 => (seconds, "s"),
        60..3_600 => (seconds / 60, "min"),
        3_600..86_400 => (seconds / 3_600, "h"),
        86_400..31_536_000 => (seconds / 86_400, "d"),
        _ => (seconds / 31_536_000, "y"),
    };
    if ahead { format!("in {count} {unit}") } else { format!("{count} {unit} ago") }
}

/// How long something took.
pub(super) fn duration(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    match seconds {
        ..0.001 => format!("{:.0} µs", seconds * 1e6),
        ..0.1 => format!("{:.1} ms", seconds * 1e3),
        ..1.0 => format!("{:.0} ms", seconds * 1e3),
        ..60.0 => format!("{} s", (seconds * 10.0).round() / 10.0),
        _ => match (took.as_secs() / 60, took.as_secs() % 60) {
            (minutes, 0) => format!("{minutes} min"),
            (minutes @ ..10, rest) => format!("{minutes} min {rest} s"),
            (minutes, _) => format!("{minutes} min"),
        },
    }
}

/// What was wrong, where there is something.
pub(super) fn errors(texts: &[String]) -> Markup {
    html! {
        @if !texts.is_empty() {
            div.errors role="alert" {
                @for text in texts { p { (text) } }
            }
        }
    }
}

/// A name above an id.
pub(super) fn named(name: &str, id: &str) -> Markup {
    html! {
        @if name.is_empty() { code { (id) } } @else { (name) " " code.quiet { (id) } }
    }
}

pub(super) fn link(path: &str, id: &str) -> Markup {
    html! { a href={ (path) (super::api::segment(id)) } { code { (id) } } }
}

/// JSON as people read it; what nobody should see is covered.
pub(super) fn json(mut value: Value) -> Markup {
    cover(&mut value);
    html! { pre tabindex="0" { code { (format!("{value:#}")) } } }
}

/// What stands in place of a secret.
pub(super) const COVERED: &str = "••••••";

/// Covers keys and passwords: by the names of their members, and by the types of parameters.
fn cover(value: &mut Value) {
    match value {
        Value::Array(members) => members.iter_mut().for_each(cover),
        Value::Object(members) => {
            let password = members.get("type").is_some_and(|kind| kind == "password")
                || members.get("secure").is_some_and(|secure| *secure == true);
            for (name, member) in members {
                let name = name.to_ascii_lowercase();
                let secret = ["api_key", "secret", "password", "token", "authorization"];
                let texts = |list: &Vec<Value>| list.iter().all(Value::is_string);
                if (member.is_string() || member.as_array().is_some_and(texts))
                    && (password && matches!(name.as_str(), "value" | "initial_value")
                        || name == "jwt"
                        || secret.into_iter().any(|word| name.contains(word)))
                {
                    *member = COVERED.into();
                } else {
                    cover(member);
                }
            }
        }
        _ => {}
    }
}

/// A field of a description list.
pub(super) fn row(name: &str, value: &Markup) -> Markup {
    html! {
        @if !value.0.is_empty() { div { dt { (name) } dd { (value) } } }
    }
}

/// A word from Connect's as a title: `tiers_setup` as "Tiers setup".
pub(super) fn title(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str().replace('_', " "))
}

/// A quantity, which is a text in new payloads and a number in old ones.
pub(super) fn quantity(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}

/// Nothing.
pub(super) fn nothing() -> Markup {
    PreEscaped(String::new())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_covered() {
        let shown = json(json!({"installation_api_key": "canary", "params": [
            {"id": "a", "type": "password", "value": "canary"}, {"id": "b", "type": "text", "value": "seen"}],
            "variables": [{"name": "X", "secure": true, "value": "canary"}], "jwt_secret": "canary",
            "querystring": {"jwt": ["canary"]}, "headers": {"Authorization": "canary"}}));
        assert!(!shown.0.contains("canary") && shown.0.contains("seen"), "{}", shown.0);
    }

    #[test]
    fn times_are_told_in_words() {
        let told: Vec<String> = [0, 7, 61, 7_200, 86_400, 400 * 86_400, -90].map(ago).into();
        assert_eq!(told, ["now", "7 s ago", "1 min ago", "2 h ago", "1 d ago", "1 y ago", "in 1 min"]);
        let durations =
            [0.000_5, 0.012_34, 0.5, 2.0, 75.0].map(|took| duration(Duration::from_secs_f64(took)));
        assert_eq!(durations, ["500 µs", "12.3 ms", "500 ms", "2 s", "1 min 15 s"]);
    }

    #[test]
    fn nothing_is_rendered_unescaped() {
        let hostile = "\"><script>alert(1)</script>";
        for shown in [
            chip(hostile),
            time_of(hostile),
            named(hostile, hostile),
            link("/requests/", hostile),
            json(json!({hostile: hostile})),
            errors(&[hostile.to_owned()]),
        ] {
            assert!(!shown.0.contains("<script"), "{}", shown.0);
        }
    }
}
