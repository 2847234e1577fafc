use std::{sync::Arc, time::Duration};

use connect_model::wire::{Message as Frame, MessageError, SetupResponse, Task};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use url::Url;

use super::{
    ConnectionEvent as Event, ConnectionState as State,
    transport::{ConnectError, Socket, connect},
};
use crate::{
    Environment, Monitor,
    outbox::Outbox,
    tasks::{Lane, Tasks},
};

/// How long the handshake may take: the original's limit.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// How many results go out in one go.
const BATCH: usize = 128;

/// When a process stops, in this order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    /// Take no more tasks, tell Connect.
    pub(crate) drain: CancellationToken,
    /// All results are out, or the time for it is over: close.
    pub(crate) close: CancellationToken,
}

/// One of the two connections, for as long as the process lives.
#[derive(Debug)]
pub(crate) struct Session {
    lane: Lane,
    tasks: Arc<Tasks>,
    environment: Environment,
    tls: Option<Arc<rustls::ClientConfig>>,
    signals: Signals,
    monitor: Monitor,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("{0}")]
    Socket(String),
    #[error("Connect closed the connection{0}")]
    ClosedByPeer(String),
    #[error("no setup response within {HANDSHAKE_LIMIT:?}")]
    NoSetupResponse,
    #[error("nothing was heard for {0:?}")]
    Silence(Duration),
    #[error("{0}")]
    Setup(crate::Error),
}

impl From<tokio_tungstenite::tungstenite::Error> for Lost {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        Self::Socket(error.to_string())
    }
}

/// The process asked for the end of a connection.
struct Closed;

impl Session {
    pub(crate) fn new(
        lane: Lane,
        tasks: Arc<Tasks>,
        environment: Environment,
        tls: Option<Arc<rustls::ClientConfig>>,
        signals: Signals,
        monitor: Monitor,
    ) -> Self {
        Self { lane, tasks, environment, tls, signals, monitor }
    }

    /// Connects, and connects again, until the process stops.
    pub(crate) async fn run(self) {
        let mut state = State::new();
        loop {
            state = match state {
                State::Connecting { .. } => {
                    let (after, ended) = self.connection(state).await;
                    self.tasks.outbox(self.lane).disconnected();
                    match ended {
                        Ok(Closed) => self.next(after, Event::Closed),
                        Err(lost) => {
                            let next = self.next(after, Event::Lost);
                            if let State::BackingOff { failures, delay } = &next {
                                let attempt = failures + 1;
                                warn!(
                                    lane = self.lane.as_str(),
                                    attempt, "{lost}; connecting again in {delay:.1?}"
                                );
                            }
                            next
                        }
                    }
                }
                State::BackingOff { delay, .. } => {
                    let event = tokio::select! {
                        () = sleep(delay) => Event::WaitOver,
                        () = self.signals.close.cancelled() => Event::Closed,
                        () = self.signals.drain.cancelled(), if self.nothing_to_send() => Event::StopRequested,
                    };
                    self.next(state, event)
                }
                State::Closed => return,
                other => other,
            };
        }
    }

    fn next(&self, state: State, event: Event) -> State {
        let state = state.on(event, &self.environment.backoff, fastrand::f64());
        self.monitor.note(self.lane, &state, event);
        state
    }

    /// Whether there is no reason to connect again while the process stops.
    fn nothing_to_send(&self) -> bool {
        self.tasks.count() == 0 && self.tasks.outbox(self.lane).len() == 0
    }

    fn address(&self) -> Result<Url, Lost> {
        let (running, scheduled) = self.tasks.running(self.lane);
        let mut address = self.environment.server.clone();
        let base = address.path().trim_end_matches('/').to_owned();
        address.set_path(&base);
        address
            .path_segments_mut()
            .map_err(|()| Lost::Socket("the server address can't have a path".to_owned()))?
            .pop_if_empty()
            .extend(["public", "v1", "devops", "ws"])
            .extend([&self.environment.environment_id, &self.environment.instance_id]);
        address
            .query_pairs_mut()
            .append_pair("running_tasks", &running.to_string())
            .append_pair("running_scheduled_tasks", &scheduled.to_string())
            .append_pair("runner_type", self.lane.as_str());
        Ok(address)
    }

    /// One connection, from opening it to its end, and the state in which it ended.
    async fn connection(&self, mut state: State) -> (State, Result<Closed, Lost>) {
        let opened = tokio::select! {
            opened = self.open() => opened,
            () = self.signals.close.cancelled() => return (state, Ok(Closed)),
        };
        let mut socket = match opened {
            Ok(socket) => socket,
            Err(lost) => return (state, Err(lost)),
        };
        state = self.next(state, Event::Opened);
        let early = tokio::select! {
            handshake = timeout(HANDSHAKE_LIMIT, self.handshake(&mut socket)) => handshake,
            () = self.signals.close.cancelled() => return (state, Ok(Closed)),
        };
        let early = match early {
            Ok(Ok(early)) => early,
            Ok(Err(lost)) => return (state, Err(lost)),
            Err(_) => return (state, Err(Lost::NoSetupResponse)),
        };
        state = self.next(state, Event::SetUp);
        info!(lane = self.lane.as_str(), "connected to {}", self.environment.server);
        for task in early {
            self.tasks.accept(task, self.lane);
        }
        let ended = self.active(socket, &mut state).await;
        (state, ended)
    }

    async fn open(&self) -> Result<Socket, Lost> {
        let address = self.address()?;
        Ok(connect(&address, self.environment.api_key(), self.tls.as_ref()).await?)
    }

    /// Ping, setup request, setup response. Tasks that come before the response wait for it.
    async fn handshake(&self, socket: &mut Socket) -> Result<Vec<Task>, Lost> {
        socket.send(Message::Ping(Vec::new().into())).await?;
        let setup = Frame::SetupRequest(Box::new(self.tasks.extension().setup_request()));
        socket.send(Message::text(setup.to_frame())).await?;
        let mut early = Vec::new();
        loop {
            let message = socket.next().await.ok_or_else(|| Lost::ClosedByPeer(String::new()))??;
            match message {
                Message::Text(text) => match self.read(text.as_str()) {
                    Some(Frame::SetupResponse(response)) => {
                        self.set_up(*response).map_err(Lost::Setup)?;
                        return Ok(early);
                    }
                    Some(Frame::Task(task)) => early.push(*task),
                    _ => {}
                },
                Message::Close(frame) => return Err(closed_by_peer(frame.as_ref())),
                _ => {}
            }
        }
    }

    fn set_up(&self, response: SetupResponse) -> Result<(), crate::Error> {
        let tasks = &self.tasks;
        // The other connection may be told the same at this moment: one container for both.
        let _one_at_a_time = tasks.setting_up();
        tasks.told(&response);
        let settings = tasks.settings().load_full().update(response, tasks.extension(), tasks.client())?;
        tasks.settings().store(settings);
        tasks.start();
        Ok(())
    }

    /// A frame as a message; what is none is logged, and a task that can be told is answered.
    fn read(&self, text: &str) -> Option<Frame> {
        match Frame::parse(text) {
            Ok(message) => Some(message),
            Err(error) => {
                warn!(lane = self.lane.as_str(), bytes = text.len(), "a frame was left out: {error}");
                if let MessageError::Malformed { task: Some(task), .. } = &error {
                    self.tasks.refuse((**task).clone(), &error.to_string(), self.lane);
                }
                None
            }
        }
    }

    /// Tasks come, results go, until the connection ends.
    async fn active(&self, socket: Socket, state: &mut State) -> Result<Closed, Lost> {
        let (sink, stream) = socket.split();
        let (tell, heard) = watch::channel(Heard { at: Instant::now(), pong: None });
        tokio::select! {
            ended = self.receive(stream, tell) => ended,
            ended = self.send(sink, heard, state) => ended,
        }
    }

    async fn receive(
        &self,
        mut stream: SplitStream<Socket>,
        tell: watch::Sender<Heard>,
    ) -> Result<Closed, Lost> {
        loop {
            let message = stream.next().await.ok_or_else(|| Lost::ClosedByPeer(String::new()))??;
            // Anything heard is a sign of life.
            tell.send_modify(|heard| heard.at = Instant::now());
            match message {
                Message::Pong(payload) => {
                    if let Ok(number) = <[u8; 8]>::try_from(&payload[..]) {
                        tell.send_modify(|heard| heard.pong = Some(u64::from_be_bytes(number)));
                    }
                }
                Message::Text(text) => match self.read(text.as_str()) {
                    Some(Frame::Task(task)) if self.signals.drain.is_cancelled() => {
                        info!(
                            task = task.options.task_id,
                            "a task came while the process stops: left to another one"
                        );
                    }
                    Some(Frame::Task(task)) => self.tasks.accept(*task, self.lane),
                    Some(Frame::SetupResponse(response)) => {
                        if let Err(error) = self.set_up(*response) {
                            warn!("{error}; the variables stay as they were");
                        }
                    }
                    Some(Frame::Shutdown) => {
                        info!("Connect asked the extension to stop");
                        self.signals.drain.cancel();
                    }
                    Some(other) => debug!(?other, "a message for somebody else was left out"),
                    None => {}
                },
                Message::Binary(bytes) => {
                    warn!(bytes = bytes.len(), "a binary frame was left out");
                }
                Message::Close(frame) => return Err(closed_by_peer(frame.as_ref())),
                _ => {}
            }
        }
    }

    /// Results go out in their order, with a ping behind them: its pong says that Connect has them.
    async fn send(
        &self,
        mut sink: SplitSink<Socket, Message>,
        mut heard: watch::Receiver<Heard>,
        state: &mut State,
    ) -> Result<Closed, Lost> {
        let outbox = self.tasks.outbox(self.lane);
        let (ping_every, silence) = (self.environment.ping, self.environment.silence);
        let mut pings = interval_at(Instant::now() + ping_every, ping_every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The ping that is not answered yet, and since when.
        let mut asked: Option<(u64, Instant)> = None;
        loop {
            let is_draining = *state == State::Draining;
            tokio::select! {
                biased;
                () = self.signals.close.cancelled() => {
                    // Connect may be gone already: the results are out, which is what counts.
                    let _ = timeout(Duration::from_secs(1), sink.close()).await;
                    return Ok(Closed);
                }
                () = self.signals.drain.cancelled(), if !is_draining => {
                    *state = self.next(state.clone(), Event::StopRequested);
                    sink.send(Message::text(Frame::Shutdown.to_frame())).await?;
                }
                frames = outbox.unsent(BATCH) => {
                    let count = frames.len();
                    for frame in frames {
                        sink.feed(Message::Text(frame)).await?;
                    }
                    outbox.sent(count);
                    ask(&mut sink, outbox, &mut asked).await?;
                    sink.flush().await?;
                }
                Ok(()) = heard.changed() => {
                    let pong = heard.borrow_and_update().pong;
                    if let (Some(number), Some((waited_for, _))) = (pong, asked)
                        && number >= waited_for
                    {
                        outbox.confirmed(number);
                        asked = None;
                        // More went out meanwhile.
                        ask(&mut sink, outbox, &mut asked).await?;
                        sink.flush().await?;
                    }
                }
                _ = pings.tick() => {
                    if heard.borrow().at.elapsed() > silence {
                        return Err(Lost::Silence(silence));
                    }
                    if let Some((number, since)) = asked
                        && since.elapsed() > silence
                    {
                        // It lives, and does not answer pings: after so long it has what went out.
                        outbox.confirmed(number);
                        asked = None;
                        ask(&mut sink, outbox, &mut asked).await?;
                    }
                    sink.send(Message::Ping(Vec::new().into())).await?;
                }
            }
        }
    }
}

/// What was heard of Connect last.
#[derive(Clone, Copy, Debug)]
struct Heard {
    at: Instant,
    /// The number of the last answered ping behind results.
    pong: Option<u64>,
}

/// Sends a ping behind the results that went out, unless one is under way or nothing did.
async fn ask(
    sink: &mut SplitSink<Socket, Message>,
    outbox: &Outbox,
    asked: &mut Option<(u64, Instant)>,
) -> Result<(), Lost> {
    if asked.is_none()
        && let Some(number) = outbox.last_sent()
    {
        sink.feed(Message::Ping(number.to_be_bytes().to_vec().into())).await?;
        *asked = Some((number, Instant::now()));
    }
    Ok(())
}

fn closed_by_peer(frame: Option<&tokio_tungstenite::tungstenite::protocol::CloseFrame>) -> Lost {
    Lost::ClosedByPeer(frame.map_or_else(String::new, |frame| format!(" ({}: {})", frame.code, frame.reason)))
}
