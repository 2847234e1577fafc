//! Tells pages that something has changed; they fetch themselves again.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, StreamExt, stream};
use tokio::time::sleep;

use super::Console;

/// So much happens together; one word for all of it is enough.
const TOGETHER: Duration = Duration::from_millis(200);

pub(super) async fn events(
    State(console): State<Console>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let watch = console.core.setup.recorder.watch();
    let first = stream::once(async { Ok(Event::default().event("hello").data("0")) });
    let changes = stream::unfold(watch, async |mut watch| {
        watch.changed().await.ok()?;
        sleep(TOGETHER).await;
        let count = *watch.borrow_and_update();
        Some((Ok(Event::default().event("change").data(count.to_string())), watch))
    });
    // A page that stays open does not hold up the end.
    let changes = changes.take_until(console.stop.cancelled_owned());
    Sse::new(first.chain(changes)).keep_alive(KeepAlive::default())
}
