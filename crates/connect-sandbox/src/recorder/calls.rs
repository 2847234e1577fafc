//! Calls of REST, with the task that each was made for.

use std::sync::Arc;

use axum::{
    body::{Body as HttpBody, HttpBody as _, to_bytes},
    extract::Request,
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use super::{Body, CallRecord, What};
use crate::{api_error::ApiError, core::Core, rest, role::Role};

/// A longer body, or one that does not say its length, is passed on unread.
const READ: usize = 1 << 20;

/// Answers a call of REST, and notes both.
pub(crate) async fn recorded(
    core: &Arc<Core>,
    role: Role,
    path: &str,
    request: Request,
) -> Result<Response, ApiError> {
    let recorder = &core.setup.recorder;
    let (at, started) = (recorder.now(), Instant::now());
    let method = request.method().to_string();
    let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
    let task = request.headers().get("EAAS_TASK_ID").and_then(|task| task.to_str().ok()).map(Arc::from);
    let task = task.or_else(|| fetches(core, path, request.uri().query().unwrap_or_default()));
    let (parts, sent) = request.into_parts();
    let cut_short = || ApiError::bad("VAL_001", "The body ended before its length.");
    let (sent, body) = read(sent).await.ok_or_else(cut_short)?;
    let broken = core.chaos.call(&method, path);
    if !broken.latency.is_zero() {
        tokio::time::sleep(broken.latency).await;
    }
    let answer = match broken.status {
        Some(status) => {
            if broken.done {
                drop(rest::answer(core, role, path, Request::from_parts(parts, sent)).await);
            }
            Err(ApiError::injected(status))
        }
        None => rest::answer(core, role, path, Request::from_parts(parts, sent)).await,
    };
    let (parts, sent) = answer.unwrap_or_else(IntoResponse::into_response).into_parts();
    let (sent, answer) = read(sent).await.unwrap_or_default();
    let path = format!("{path}{query}");
    let call =
        CallRecord { method, path, status: parts.status.as_u16(), took: started.elapsed(), body, answer };
    recorder.note(task, at, What::Call(Arc::new(call)));
    Ok(Response::from_parts(parts, sent))
}

/// The task that a call belongs to that does not name one. The header `EAAS_TASK_ID` is with the calls of handlers; with
/// those by which runners look at a task's object before, it is not.
fn fetches(core: &Core, path: &str, query: &str) -> Option<Arc<str>> {
    let of_list = || query.split_once("eq(id,").and_then(|(_, rest)| rest.split([',', ')']).next());
    let of_path = path.rsplit('/').next().filter(|id| id.contains('-'));
    let id = of_path.or_else(of_list)?;
    core.state().dispatcher.running_for(id).map(Arc::from)
}

/// Reads a body, to note it and to pass it on; `None` where it breaks off.
async fn read(sent: HttpBody) -> Option<(HttpBody, Body)> {
    let length = sent.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    if length.is_none_or(|length| length > READ) {
        return Some((sent, Body::default()));
    }
    let bytes = to_bytes(sent, READ).await.ok()?;
    let noted = Body::new(&bytes);
    Some((HttpBody::from(bytes), noted))
}
