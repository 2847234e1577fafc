//! Conversations and their messages.

use axum::response::Response;
use connect_model::rql::{R, Rql};

use super::{Call, created, no_content, ok, page};
use crate::{
    api_error::ApiError,
    conversations::{self, CONVERSATIONS},
};

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    if call.route() != "GET" {
        call.check_body()?;
    }
    match (call.route(), path) {
        ("GET", ["conversations"]) => list(call).await,
        ("POST", ["conversations"]) => {
            Ok(created(&call.change(|world| conversations::create(world, &call.body))?))
        }
        ("GET", ["conversations", id]) => Ok(ok(&call.change(|world| conversations::get(world, id))?)),
        ("DELETE", ["conversations", id]) => {
            call.change(|world| conversations::remove(world, id))?;
            Ok(no_content())
        }
        ("POST", ["conversations", id, "close"]) => {
            Ok(ok(&call.change(|world| conversations::close(world, id))?))
        }
        ("GET", ["conversations", id, "messages"]) => {
            let mut query = call.parsed()?;
            let visible = call.change(|world| {
                conversations::get(world, id)?;
                conversations::visible(world, world.role(), true)
            })?;
            query.filter = Rql::all([query.filter, visible]);
            page::kept(call.core, &conversations::messages(id), &query).await
        }
        ("POST", ["conversations", id, "messages"]) => {
            Ok(created(&call.change(|world| conversations::say(world, id, &call.body))?))
        }
        _ => Err(ApiError::not_found()),
    }
}

async fn list(call: &Call<'_>) -> Result<Response, ApiError> {
    let mut query = call.parsed()?;
    let asked = conversations::instances(&query.filter);
    let (known, visible) = call.change(|world| {
        let mut known = Vec::new();
        for instance in &asked {
            conversations::open(world, instance)?;
            known.extend(conversations::of(world, instance)?);
        }
        Ok((known, conversations::visible(world, world.role(), false)?))
    })?;
    // By their ids they are found among many at once.
    let narrowed = match asked.as_slice() {
        [_] if known.is_empty() => return call.list_of(Vec::new()),
        [_] => R::field("id").is_in(known),
        _ => Rql::Empty,
    };
    query.filter = Rql::all([narrowed, query.filter, visible]);
    page::kept(call.core, CONVERSATIONS, &query).await
}
