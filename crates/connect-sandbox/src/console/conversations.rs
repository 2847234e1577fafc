//! What was said about an object, on its page.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use connect_model::rql::{Operand, R};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console, Problem, api,
    form::Form,
    parts::{chip, first, text, time_of},
};
use crate::{
    api_error::ApiError,
    conversations::{self, CONVERSATIONS},
    role::Role,
};

/// How many messages of a conversation are shown, the newest.
const SHOWN: usize = 100;
/// Where the pages of objects are, by the prefixes of their ids.
const PAGES: [(&str, &str); 5] = [
    ("PR-", "/requests/"),
    ("TCR-", "/tier-config-requests/"),
    ("LSTR-", "/listing-requests/"),
    ("UF-", "/usage/"),
    ("CA-", "/cases/"),
];

/// The conversations of an object. Looking at them opens none.
pub(super) fn panel(console: &Console, instance: &str) -> Result<Markup, Problem> {
    let found = console.core.read(|world| {
        let mut found = Vec::new();
        for id in conversations::of(world, instance)? {
            let messages = world.newest(&conversations::messages(&id), SHOWN)?;
            found.push((world.get(CONVERSATIONS, &id)?, messages));
        }
        Ok(found)
    })?;
    Ok(shown(instance, &found))
}

fn shown(instance: &str, found: &[(Value, Vec<Value>)]) -> Markup {
    let path = format!("/conversations/{}", api::segment(instance));
    let is_open = found.is_empty() || found.iter().any(|(conversation, _)| conversation["status"] == "open");
    html! {
        section #conversation data-live aria-labelledby="conversation-title" {
            h2 #conversation-title { "Conversation" }
            @for (conversation, messages) in found {
                @let is_closed = conversation["status"] != "open";
                @if found.len() > 1 || is_closed {
                    h3 { (text(conversation, "/topic")) " " @if is_closed { (chip("closed")) } }
                }
                @if messages.is_empty() { p.quiet { "Nothing was said yet." } } @else {
                    ul.stack { @for message in messages.iter().rev() { (said(message)) } }
                }
            }
            @if is_open {
                div.actions.below {
                    details.action data-key="say" {
                        summary { "Write" }
                        form method="post" action={ (path) "/say" } novalidate {
                            label { span { "Message" } textarea name="text" rows="3" {} }
                            div.parts {
                                label {
                                    span { "From" }
                                    select name="from" {
                                        option value="distributor" { "Distributor" }
                                        option value="vendor" { "Vendor" }
                                    }
                                }
                                label {
                                    span { "For" }
                                    select name="type" {
                                        option value="message" { "Everybody" }
                                        option value="private" { "The own account" }
                                    }
                                }
                            }
                            button.primary { "Write" }
                        }
                    }
                    @if !found.is_empty() {
                        form.inline method="post" action={ (path) "/close" } { button { "Close the conversation" } }
                    }
                }
            }
        }
    }
}

fn said(message: &Value) -> Markup {
    let kind = text(message, "/type");
    html! {
        li.card {
            header {
                strong { (first([text(message, "/account/name"), text(message, "/account/id")])) }
                span.quiet { (text(message, "/creator/name")) }
                @if kind != "message" { (chip(kind)) }
                span.right.quiet { (time_of(text(message, "/created"))) }
            }
            p.message { (text(message, "/text")) }
        }
    }
}

/// Writes to the conversation of an object, or closes it.
pub(super) async fn act(
    State(console): State<Console>,
    Path((instance, action)): Path<(String, String)>,
    sent: Form,
) -> Result<Response, Problem> {
    let core = &console.core;
    let of_instance = R::field("instance_id").eq(Operand::text(instance.as_str()));
    let found = api::list(core, "conversations", &of_instance, "limit=1000").await?;
    let open = found.items.iter().filter(|conversation| conversation["status"] == "open");
    let open: Vec<String> = open.map(|one| api::segment(text(one, "/id"))).collect();
    match (action.as_str(), open.as_slice()) {
        (_, []) => return Err(ApiError::not_found().into()),
        ("say", [first, ..]) => {
            let role = if sent.get("from") == "vendor" { Role::Vendor } else { Role::Distributor };
            let body = json!({"text": sent.get("text"), "type": sent.get("type")});
            api::post_as(core, role, &format!("conversations/{first}/messages"), &body).await?;
        }
        ("close", all) => {
            for id in all {
                api::post(core, &format!("conversations/{id}/close"), &Value::Null).await?;
            }
        }
        _ => return Err(ApiError::not_found().into()),
    }
    core.setup.recorder.touch();
    let page = PAGES.iter().find(|(prefix, _)| instance.starts_with(prefix)).map_or("/", |(_, page)| page);
    Ok(Redirect::to(&format!("{page}{}", api::segment(&instance))).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert(1)</script>";

    #[test]
    fn nothing_is_rendered_unescaped() {
        let message = json!({"account": {"name": HOSTILE}, "creator": {"name": HOSTILE}, "type": HOSTILE,
            "created": HOSTILE, "text": HOSTILE});
        let closed = json!({"status": "closed", "topic": HOSTILE});
        let page = shown(HOSTILE, &[(closed, vec![message]), (json!({"status": "open"}), Vec::new())]).0;
        assert!(!page.contains("<script"), "{page}");
    }

    #[test]
    fn a_closed_conversation_takes_no_messages() {
        let of = |status: &str| shown("PR-1", &[(json!({"status": status}), Vec::new())]).0;
        assert!(of("open").contains("action=\"/conversations/PR-1/say\""));
        assert!(!of("closed").contains("<form"));
        let none_yet = shown("PR-1", &[]).0;
        assert!(none_yet.contains("/say") && !none_yet.contains("/close"), "{none_yet}");
    }
}
