//! Custom events by hand, as a third party would send them.

use axum::{
    body::to_bytes,
    extract::State,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::{Html, IntoResponse, Response},
};
use maud::{Markup, html};

use super::{
    Console,
    form::Form,
    layout::{self, Here},
    parts::{chip, errors, first, json},
};
use crate::actions::{self, HttpCall};

/// The kinds of bodies, and what they are called.
const KINDS: [(&str, &str); 3] =
    [("application/json", "JSON"), ("application/x-www-form-urlencoded", "Form"), ("text/plain", "Text")];
/// The largest answer that is shown, in bytes.
const LARGEST: usize = 1 << 20;

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

pub(super) async fn show(State(console): State<Console>) -> Html<String> {
    page(&console, None, &[], None)
}

pub(super) async fn send(State(console): State<Console>, sent: Form) -> Response {
    match sent_by(&console, &sent).await {
        Ok(answer) => page(&console, Some(&sent), &[], Some(&answer)).into_response(),
        Err(texts) => (StatusCode::BAD_REQUEST, page(&console, Some(&sent), &texts, None)).into_response(),
    }
}

async fn sent_by(console: &Console, sent: &Form) -> Result<Answer, Vec<String>> {
    let refused = |error: crate::api_error::ApiError| error.errors;
    let mut headers = headers(sent.get("headers")).map_err(|text| vec![text])?;
    let kind = KINDS.into_iter().map(|(kind, _)| kind).find(|kind| *kind == sent.get("kind"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind.unwrap_or(KINDS[0].0)));
    if sent.find("sign").is_some()
        && let Some(token) = actions::custom_event_token(&console.core).map_err(refused)?
        && let Ok(authorization) = format!("Bearer {token}").parse()
    {
        headers.insert(AUTHORIZATION, authorization);
    }
    let (query, body) = (sent.get("query").trim().trim_start_matches('?'), sent.get("body").as_bytes());
    let call = HttpCall { method: &Method::POST, query, headers: &headers, body };
    actions::may_send(&console.core, &call).map_err(refused)?;
    let (parts, body) = actions::custom_event(&console.core, &call).await.map_err(refused)?.into_parts();
    let body =
        to_bytes(body, LARGEST).await.map_err(|_| vec!["The answer is too long to be shown.".to_owned()])?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

/// Headers, one a line, as they stand in a call.
fn headers(typed: &str) -> Result<HeaderMap, String> {
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().parse::<HeaderName>().ok()?, value.trim().parse::<HeaderValue>().ok()?))
    };
    let lines = typed.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            header(line).ok_or_else(|| format!("headers: \"{line}\" is no header: write Name: value."))
        })
        .collect()
}

fn page(console: &Console, sent: Option<&Form>, texts: &[String], answer: Option<&Answer>) -> Html<String> {
    let typed = |name: &str, default: &'static str| {
        sent.map_or_else(|| default.to_owned(), |sent| sent.get(name).to_owned())
    };
    let kind = typed("kind", KINDS[0].0);
    let url = format!("{}/public/v1/{}/custom-events", console.core.setup.url, console.environment());
    let content = html! {
        p.crumbs { a href="/extension" { "Extension" } }
        div.head {
            h1 { "Send a custom event" }
            p.sub { "What a third party sends to " code { (url) } ", with a token of the environment's secret." }
        }
        (errors(texts))
        div.order {
            form.panel method="post" action="/custom-event" {
                h2 { "Call" }
                label { span { "Kind of the body" }
                    select name="kind" {
                        @for (own, shown) in KINDS { option value=(own) selected[kind == own] { (shown) } }
                    }
                }
                label { span { "Body" } textarea name="body" rows="10" spellcheck="false" { (typed("body", "{\"controller\": \"\"}")) } }
                label { span { "Query" } input name="query" value=(typed("query", "")) placeholder="a=1&b=2" autocomplete="off"; }
                label { span { "Further headers, one a line" } textarea name="headers" rows="3" spellcheck="false" placeholder="X-Api-Key: …" { (typed("headers", "")) } }
                label.check {
                    input type="checkbox" name="sign" value="yes" checked[sent.is_none_or(|sent| sent.find("sign").is_some())];
                    span { "Sign it with the environment's secret" }
                }
                div { button.primary { "Send" } }
            }
            section.panel { h2 { "Answer" } (told(answer)) }
        }
    };
    layout::page("Send a custom event", Here::Extension, &content)
}

fn told(answer: Option<&Answer>) -> Markup {
    let Some(answer) = answer else { return html! { p.quiet { "It is shown here." } } };
    let kind = if answer.status.is_success() || answer.status.is_redirection() { "success" } else { "fail" };
    html! {
        p { (chip(kind)) " " (answer.status) }
        dl.facts.flat {
            @for (name, value) in &answer.headers {
                div { dt { code { (name) } } dd { (String::from_utf8_lossy(value.as_bytes())) } }
            }
        }
        @match serde_json::from_str(&answer.body) {
            Ok(value) => (json(value)),
            Err(_) => pre tabindex="0" { code { (first([answer.body.as_str(), "Without a body."])) } },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_by_lines() {
        let read = headers("X-Api-Key: a:b\r\n\n x-two :2 ").unwrap();
        assert_eq!((read["x-api-key"].to_str().unwrap(), read["x-two"].to_str().unwrap()), ("a:b", "2"));
        for wrong in ["X-Api-Key", "a b: c", ": c", "X: \u{1}"] {
            assert!(headers(wrong).unwrap_err().contains("is no header"), "{wrong}");
        }
    }
}
