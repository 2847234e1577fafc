//! The devops WebSocket: `/public/v1/devops/ws/{environment}/{instance}`.

use std::{sync::Arc, time::Duration};

use axum::extract::ws::{Message as Frame, WebSocket};
use connect_model::wire::Message;
use futures_util::{SinkExt, StreamExt};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{core::Core, dispatch::Lane};

/// How long a runner may take to say what it handles.
const SETUP_LIMIT: Duration = Duration::from_secs(30);

/// One connection of a runner, until it ends.
pub(crate) async fn serve(
    core: Arc<Core>,
    mut socket: WebSocket,
    instance: String,
    lane: Option<Lane>,
    stop: CancellationToken,
) {
    // Pings are answered below this: by the WebSocket itself, whenever it is read.
    let request = loop {
        let received = tokio::select! {
            received = timeout(SETUP_LIMIT, socket.recv()) => received,
            () = stop.cancelled() => return,
        };
        let Ok(Some(Ok(frame))) = received else { return };
        let Frame::Text(text) = frame else { continue };
        match Message::parse(text.as_str()) {
            Ok(Message::SetupRequest(request)) => break request,
            Ok(_) => debug!("a message before the setup request was left out"),
            Err(error) => warn!("a frame was left out: {error}"),
        }
    };
    // What a connection holds is limited, so this does not grow beyond that.
    let (sender, mut outgoing) = mpsc::unbounded_channel();
    let connection = core.set_up(&request, &instance, lane, sender);
    let (mut sink, mut stream) = socket.split();
    let send = async {
        while let Some(message) = outgoing.recv().await {
            if sink.feed(Frame::Text(message.to_frame().into())).await.is_err() {
                return;
            }
            // What is there goes out together.
            while let Ok(message) = outgoing.try_recv() {
                if sink.feed(Frame::Text(message.to_frame().into())).await.is_err() {
                    return;
                }
            }
            if sink.flush().await.is_err() {
                return;
            }
        }
    };
    let receive = async {
        while let Some(Ok(frame)) = stream.next().await {
            let Frame::Text(text) = frame else { continue };
            match Message::parse(text.as_str()) {
                Ok(Message::Task(task)) => core.answered(connection, *task),
                // It takes no more tasks; what it holds it still answers.
                Ok(Message::Shutdown) => core.state().dispatcher.retire(connection),
                Ok(other) => debug!(?other, "a message was left out"),
                Err(error) => warn!("a frame was left out: {error}"),
            }
        }
    };
    tokio::select! {
        () = send => {}
        () = receive => {}
        () = stop.cancelled() => {}
    }
    core.disconnected(connection, &instance);
}
