use std::{io::Write, sync::atomic::Ordering, time::Duration};

use connect_model::wire::Secret;
use flate2::{Compression, write::GzEncoder};
use reqwest::StatusCode;
use tokio::{
    sync::{mpsc, oneshot},
    task::spawn_blocking,
    time::{Instant, sleep, timeout_at},
};
use tracing::warn;
use url::Url;

use super::{Line, Logzio};
use crate::http::{client, reason};

/// How long lines wait for more before they are sent: the interval of the original's handler.
const INTERVAL: Duration = Duration::from_secs(5);
/// How large a bulk gets before it is sent, in bytes: the size of the original's handler.
const BULK: usize = 1 << 20;
/// How long one try may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Sends bulks, until nobody can write lines any more.
pub(super) async fn run(logzio: Logzio, listener: Url, mut lines: mpsc::Receiver<Line>, waits: &[Duration]) {
    let client = match client() {
        Ok(client) => client,
        Err(error) => {
            // Lines are dropped, and counted, once nobody takes them.
            warn!("no log lines can be sent to Logz.io: {error}");
            return;
        }
    };
    let mut told = 0;
    loop {
        let Some(bulk) = gather(&mut lines).await else { return };
        logzio.0.waiting_bytes.fetch_sub(bulk.bytes, Ordering::Relaxed);
        // Without a key any more, nobody wants them.
        let key = logzio.target().key.clone();
        if let (Some(key), true) = (key, bulk.count > 0)
            && let Err(reason) = send(&client, &listener, &key, bulk.text, waits).await
        {
            logzio.0.dropped.fetch_add(bulk.count, Ordering::Relaxed);
            warn!("{} log lines were not taken by Logz.io: {reason}", bulk.count);
        }
        let dropped = logzio.dropped();
        if dropped > told {
            warn!("{dropped} log lines in all did not get to Logz.io");
            told = dropped;
        }
        for done in bulk.flushed {
            let _ = done.send(());
        }
    }
}

#[derive(Default)]
struct Bulk {
    text: String,
    count: u64,
    bytes: usize,
    flushed: Vec<oneshot::Sender<()>>,
}

/// Waits for a line, and then for as many as come in time.
async fn gather(lines: &mut mpsc::Receiver<Line>) -> Option<Bulk> {
    let mut bulk = Bulk::default();
    let mut line = Some(lines.recv().await?);
    let end = Instant::now() + INTERVAL;
    while let Some(taken) = line {
        match taken {
            Line::Text(text) => {
                bulk.bytes += text.len();
                bulk.count += 1;
                bulk.text.push_str(&text);
                bulk.text.push('\n');
            }
            Line::Flush(done) => {
                bulk.flushed.push(done);
                break;
            }
        }
        if bulk.text.len() >= BULK {
            break;
        }
        line = timeout_at(end, lines.recv()).await.ok().flatten();
    }
    Some(bulk)
}

/// Sends one bulk, several times where that may help.
async fn send(
    client: &reqwest::Client,
    listener: &Url,
    key: &Secret,
    text: String,
    waits: &[Duration],
) -> Result<(), String> {
    // It takes a while for a whole bulk, in which nothing else could happen.
    let body = spawn_blocking(move || gzip(&text)).await.map_err(|error| error.to_string())?;
    let body = body.map_err(|error| error.to_string())?;
    let mut waits = waits.iter();
    loop {
        let reason = match attempt(client, listener, key, body.clone()).await {
            Ok(status) if status.is_success() => return Ok(()),
            Ok(StatusCode::BAD_REQUEST) => return Err("lines too long, or not well-formed (400)".to_owned()),
            Ok(status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)) => {
                return Err(format!("the key that Connect sent is refused ({})", status.as_u16()));
            }
            Ok(status) => format!("status {}", status.as_u16()),
            Err(reason) => reason,
        };
        match waits.next() {
            Some(wait) => sleep(*wait).await,
            None => return Err(reason),
        }
    }
}

async fn attempt(
    client: &reqwest::Client,
    listener: &Url,
    key: &Secret,
    body: Vec<u8>,
) -> Result<StatusCode, String> {
    let mut url = listener.clone();
    url.query_pairs_mut().append_pair("token", key.expose());
    let sent = client
        .post(url)
        .header("content-type", "text/plain")
        .header("content-encoding", "gzip")
        .timeout(LIMIT)
        .body(body)
        .send()
        .await;
    // The address has the key in it.
    sent.map(|answer| answer.status()).map_err(|error| reason(&error.without_url()))
}

fn gzip(text: &str) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}
