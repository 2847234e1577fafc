//! The buttons of product actions.

use axum::{
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{HOST, REFERER},
    },
    response::{IntoResponse, Redirect, Response},
};
use connect_model::rql::Rql;
use maud::{Markup, html};
use serde_json::Value;

use super::{
    Console, Problem, api,
    parts::{first, nothing, text},
};
use crate::{
    actions::{self, Target},
    role::Role,
};

impl Console {
    /// The actions of a product that are for objects of these scopes, as buttons.
    pub(super) async fn buttons(
        &self,
        product: &str,
        target: &str,
        scopes: &[&str],
    ) -> Result<Markup, Problem> {
        let path = format!("products/{}/actions", api::segment(product));
        let mut found = api::list(&self.core, &path, &Rql::Empty, "limit=1000").await?;
        found.items.retain(|action| scopes.contains(&text(action, "/scope")));
        Ok(buttons(product, target, &found.items))
    }
}

fn buttons(product: &str, target: &str, actions: &[Value]) -> Markup {
    if actions.is_empty() {
        return nothing();
    }
    let path = |action: &str| {
        let [product, action, target] = [product, action, target].map(api::segment);
        format!("/press/{product}/{action}/{target}")
    };
    html! {
        section {
            h2 { "Product actions" }
            div.actions {
                @for action in actions {
                    a.button href=(path(text(action, "/id"))) target="_blank" title=(text(action, "/description")) {
                        (first([text(action, "/name"), text(action, "/action")]))
                        span.hidden { " (opens a new tab)" }
                    }
                }
            }
        }
    }
}

/// Presses a button: its link is made, and leads on to whatever the extension answers. It is no form, since a page's policy
/// keeps forms from being led to other sites.
pub(super) async fn press(
    State(console): State<Console>,
    Path((product, action, target)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    if !is_of_a_page(&headers) {
        let texts = vec!["Press the button on the page of its asset or tier config.".to_owned()];
        return Problem { status: StatusCode::FORBIDDEN, texts }.into_response();
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let base = host.map_or_else(|| console.core.setup.url.clone(), |host| format!("http://{host}"));
    let link = console
        .core
        .change(Role::Platform, |world| actions::link(world, &product, &action, Target::of(&target), &base));
    match link {
        Ok(link) => Redirect::to(&link).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// Whether a page of the console leads here: another site must not press buttons.
fn is_of_a_page(headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = header("sec-fetch-site") {
        return site == "same-origin";
    }
    let from = header(REFERER.as_str()).and_then(|from| from.split_once("://"));
    let from = from.and_then(|(_, rest)| rest.split('/').next());
    from.is_some() && from == header(HOST.as_str())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_the_consoles_own_pages_press_buttons() {
        let pressed = |headers: &[(&'static str, &'static str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            is_of_a_page(&headers.collect())
        };
        let host = ("host", "127.0.0.1:80");
        assert!(pressed(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(pressed(&[host, ("referer", "http://127.0.0.1:80/assets/AS-1")]));
        for wrong in [
            &[host] as &[_],
            &[],
            &[host, ("sec-fetch-site", "none")],
            &[host, ("sec-fetch-site", "cross-site"), ("referer", "http://127.0.0.1:80/")],
            &[host, ("referer", "http://evil.example/127.0.0.1:80")],
            &[host, ("referer", "127.0.0.1:80")],
            &[("referer", "http://")],
        ] {
            assert!(!pressed(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn what_an_action_is_called_is_escaped() {
        let hostile = "\"><script>";
        let action = serde_json::json!({"id": hostile, "name": hostile, "description": hostile});
        let shown = buttons(hostile, hostile, &[action]);
        assert!(!shown.0.contains("<script"), "{}", shown.0);
    }
}
