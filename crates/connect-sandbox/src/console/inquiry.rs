//! The form by which a customer answers an inquiry: where `params_form_url` leads.

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::html;
use serde_json::{Value, json};

use super::{
    Console, Problem, api,
    form::Form,
    layout::{self, Here},
    params,
    parts::{errors, first, list, text},
};

pub(super) async fn show(
    State(console): State<Console>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Html<String>, Problem> {
    let query = Form::from(query);
    let request = request(&console, query.get("request_id")).await?;
    Ok(page(&request, &query, None, &[], &[]))
}

/// Whether it is a tier config request, rather than one for an asset.
fn is_of_tier(id: &str) -> bool {
    id.starts_with("TCR-")
}

/// Where a request is, by REST.
fn path(id: &str) -> String {
    let collection = if is_of_tier(id) { "tier/config-requests" } else { "requests" };
    format!("{collection}/{}", api::segment(id))
}

/// Its page.
fn page_of(id: &str) -> String {
    let collection = if is_of_tier(id) { "tier-config-requests" } else { "requests" };
    format!("/{collection}/{}", api::segment(id))
}

async fn request(console: &Console, id: &str) -> Result<Value, Problem> {
    api::get(&console.core, &path(id)).await
}

fn values(request: &Value) -> &[Value] {
    list(request, if is_of_tier(text(request, "/id")) { "/params" } else { "/asset/params" })
}

/// What is asked for: the customer's own values, and whatever was marked as wrong.
fn asked(request: &Value) -> Vec<Value> {
    let is_asked = |param: &&Value| {
        text(param, "/phase") == "ordering" && param["constraints"]["hidden"] != true
            || !text(param, "/value_error").is_empty()
    };
    values(request).iter().filter(is_asked).cloned().collect()
}

/// Answers with the code that came with the form.
pub(super) async fn answer(State(console): State<Console>, sent: Form) -> Result<Response, Problem> {
    let request = request(&console, sent.get("request_id")).await?;
    let (mut changes, mut wrong) = (Vec::new(), Vec::new());
    for param in asked(&request) {
        // What stays as it was is given too, since it may be what was marked as wrong.
        let as_if_new =
            if text(&param, "/type") == "checkbox" { param.clone() } else { params::unfilled(&param) };
        match params::change(&as_if_new, &sent) {
            Ok(change) => changes.extend(change),
            Err(error) => wrong.push((text(&param, "/id").to_owned(), error)),
        }
    }
    let mut texts = Vec::new();
    if wrong.is_empty() {
        let id = text(&request, "/id");
        let code = format!("code={}", api::segment(sent.get("code")));
        let params = json!({"params": changes});
        let body = if is_of_tier(id) { params } else { json!({"asset": params}) };
        match api::post_with(&console.core, &format!("{}/pend", path(id)), &code, &body).await {
            Ok(_) => return Ok(Redirect::to(&page_of(id)).into_response()),
            Err(problem) => {
                wrong.extend(params::told(values(&request), &problem.texts));
                texts = problem.texts;
            }
        }
    }
    Ok((StatusCode::BAD_REQUEST, page(&request, &sent, Some(&sent), &texts, &wrong)).into_response())
}

fn page(
    request: &Value,
    fields: &Form,
    sent: Option<&Form>,
    texts: &[String],
    wrong: &[(String, String)],
) -> Html<String> {
    let (id, code) = (text(request, "/id"), fields.get("code"));
    let error = |param: &Value| {
        let told =
            wrong.iter().find(|(id, _)| id == text(param, "/id")).map_or("", |(_, error)| error.as_str());
        first([told, text(param, "/value_error")]).to_owned()
    };
    let whom =
        first([text(request, "/asset/tiers/customer/name"), text(request, "/configuration/account/name")]);
    let content = html! {
        p.crumbs { a href=(page_of(id)) { "Request " (id) } }
        div.head {
            h1 { "Additional information" }
            p.sub {
                (first([text(request, "/asset/product/name"), text(request, "/asset/product/id"), text(request, "/configuration/product/name")]))
                @if !whom.is_empty() { " for " (whom) }
            }
        }
        (errors(texts))
        @if text(request, "/status") == "inquiring" {
            form method="post" action="/form" novalidate {
                input type="hidden" name="request_id" value=(id);
                input type="hidden" name="code" value=(code);
                section.panel {
                    @for param in asked(request) { (params::field(&param, "", sent, &error(&param))) }
                }
                div.submit { button.primary { "Send" } }
            }
        } @else {
            div.empty { p { "Nothing is asked for." } }
        }
    };
    layout::page("Additional information", Here::Requests, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_shown_and_escaped() {
        let hostile = "\"><script>alert(1)</script>";
        let request = json!({"id": hostile, "status": "inquiring", "asset": {"product": {"name": hostile}, "params": [
            {"id": "own", "title": hostile, "phase": "ordering", "type": "text", "value": hostile, "value_error": ""},
            {"id": "wrong", "phase": "fulfillment", "type": "text", "value": "", "value_error": hostile},
            {"id": "hidden", "phase": "ordering", "type": "text", "value": "", "constraints": {"hidden": true}},
            {"id": "vendors", "phase": "fulfillment", "type": "text", "value": "", "value_error": ""}]}});
        let names: Vec<Value> = asked(&request).iter().map(|param| param["id"].clone()).collect();
        assert_eq!(names, ["own", "wrong"]);
        let fields = Form::from(vec![("code".to_owned(), hostile.to_owned())]);
        let page = page(&request, &fields, None, &[hostile.to_owned()], &[]).0;
        assert!(!page.contains("<script>") && page.contains("name=\"p:wrong\""), "{page}");
    }
}
