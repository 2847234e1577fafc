//! What lies between a runner and Connect, and breaks: a TCP proxy with one fault for each connection.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Notify, watch},
};

/// What is wrong with a connection.
#[derive(Clone, Debug)]
pub enum Fault {
    None,
    /// Cut when so many bytes went up to Connect.
    CutUp(usize),
    /// Cut when so many bytes came down from Connect.
    CutDown(usize),
    /// Stays open, but nothing passes any more once so many bytes came down.
    HalfOpen(usize),
    /// In pieces of so many bytes.
    Pieces(usize),
    /// Nothing goes up to Connect beyond so many bytes, until it is told to.
    Held(usize, Arc<Notify>),
}

/// The bytes that passed, over all background connections.
#[derive(Debug, Default)]
pub struct Passed {
    pub up: AtomicUsize,
    pub down: AtomicUsize,
}

/// Where a runner connects to instead.
#[derive(Debug)]
pub struct Wire {
    pub address: SocketAddr,
    pub passed: Passed,
    faults: Mutex<VecDeque<Fault>>,
}

impl Wire {
    /// The first background connections have these faults, the others none; those of the other lane never have one.
    pub async fn to(platform: SocketAddr, faults: impl IntoIterator<Item = Fault>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            passed: Passed::default(),
            faults: Mutex::new(faults.into_iter().collect()),
        });
        let accepting = Arc::clone(&wire);
        tokio::spawn(async move {
            while let Ok((runner, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&accepting).carry(runner, platform));
            }
        });
        wire
    }

    async fn carry(self: Arc<Self>, mut runner: TcpStream, platform: SocketAddr) {
        runner.set_nodelay(true).unwrap();
        let mut first = vec![0; 4096];
        let Ok(length) = runner.read(&mut first).await else { return };
        first.truncate(length);
        let of_background = String::from_utf8_lossy(&first).contains("runner_type=background");
        let fault =
            if of_background { self.faults.lock().unwrap().pop_front() } else { None }.unwrap_or(Fault::None);
        let (mut up, mut down) = (Side::default(), Side::default());
        match fault {
            Fault::None => {}
            Fault::CutUp(after) => up.cut = Some(after),
            Fault::CutDown(after) => down.cut = Some(after),
            Fault::HalfOpen(after) => (down.stop, up.stopped_by_other) = (Some(after), true),
            Fault::Pieces(size) => (up.piece, down.piece) = (size, size),
            Fault::Held(after, release) => up.held = Some((after, release)),
        }
        let Ok(connect) = TcpStream::connect(platform).await else { return };
        connect.set_nodelay(true).unwrap();
        let (runner_read, runner_write) = runner.into_split();
        let (connect_read, connect_write) = connect.into_split();
        let (stopped, watch) = watch::channel(false);
        let count = of_background.then_some(&self.passed);
        let upward = up.carry(runner_read, connect_write, first, count.map(|passed| &passed.up), None, watch);
        let downward = down.carry(
            connect_read,
            runner_write,
            Vec::new(),
            count.map(|passed| &passed.down),
            Some(stopped),
            watch::channel(false).1,
        );
        // Whichever ends first takes the other with it: the sockets are dropped.
        tokio::select! { () = upward => {}, () = downward => {} }
    }
}

/// One direction.
struct Side {
    cut: Option<usize>,
    stop: Option<usize>,
    stopped_by_other: bool,
    piece: usize,
    held: Option<(usize, Arc<Notify>)>,
}

impl Default for Side {
    fn default() -> Self {
        Self { cut: None, stop: None, stopped_by_other: false, piece: usize::MAX, held: None }
    }
}

impl Side {
    async fn carry(
        mut self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        mut bytes: Vec<u8>,
        count: Option<&AtomicUsize>,
        stop_other: Option<watch::Sender<bool>>,
        stopped: watch::Receiver<bool>,
    ) {
        let mut passed = 0;
        loop {
            while !bytes.is_empty() {
                if self.stopped_by_other && *stopped.borrow()
                    || self.stop.is_some_and(|after| passed >= after)
                {
                    if let Some(stop_other) = &stop_other {
                        stop_other.send_replace(true);
                    }
                    return std::future::pending().await;
                }
                if let Some((_, release)) = self.held.take_if(|(after, _)| passed >= *after) {
                    release.notified().await;
                }
                let limits = [self.cut, self.stop, self.held.as_ref().map(|(after, _)| *after)];
                let room =
                    limits.into_iter().flatten().map(|after| after - passed).min().unwrap_or(usize::MAX);
                if room == 0 {
                    return;
                }
                let piece: Vec<u8> = bytes.drain(..bytes.len().min(self.piece).min(room)).collect();
                if to.write_all(&piece).await.is_err() {
                    return;
                }
                passed += piece.len();
                if let Some(count) = count {
                    count.fetch_add(piece.len(), Ordering::Relaxed);
                }
                if self.cut == Some(passed) {
                    return;
                }
                if self.piece < usize::MAX {
                    tokio::task::yield_now().await;
                }
            }
            bytes.resize(64 * 1024, 0);
            match from.read(&mut bytes).await {
                Ok(length) if length > 0 => bytes.truncate(length),
                _ => return,
            }
        }
    }
}
