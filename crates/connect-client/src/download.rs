use std::{
    ffi::OsString,
    future::IntoFuture,
    path::{Path, PathBuf},
};

use http::{HeaderMap, header::CONTENT_LENGTH};
use tokio::{fs, io::AsyncWriteExt};

use crate::{
    Call, Error, Transferred,
    answer::{Answer, Received},
    call::Sending,
    progress::{Counter, Progress},
    transport::IncomingBody,
};

/// A call whose answer goes to a file, sent when it is awaited. It gives the number of bytes.
#[derive(Debug)]
#[must_use = "a download starts when it is awaited"]
pub struct Download {
    call: Call,
    path: PathBuf,
    on_progress: Option<Progress>,
}

impl Download {
    pub(crate) fn new(call: Call, path: PathBuf) -> Self {
        Self { call, path, on_progress: None }
    }

    /// Is told how far the file has come; from the start again with each further try.
    pub fn on_progress(mut self, tell: impl Fn(Transferred) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Progress::new(tell));
        self
    }
}

impl IntoFuture for Download {
    type Output = Result<u64, Error>;
    type IntoFuture = Sending<u64>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = Answer::File { path: self.path, on_progress: self.on_progress };
            Ok(match self.call.send(answer).await?.body {
                Received::File { bytes } => bytes,
                Received::Memory(bytes) => bytes.len() as u64,
            })
        })
    }
}

/// Removes the file that was begun, unless it was finished: also where the download is dropped half-way.
struct Begun<'a> {
    path: &'a Path,
    is_finished: bool,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.is_finished {
            // Nothing more can be done about a file that does not want to go.
            let _ = std::fs::remove_file(self.path);
        }
    }
}

/// Writes an answer to a file: all of it, or nothing.
pub(crate) async fn write(
    mut body: IncomingBody,
    headers: &HeaderMap,
    path: &Path,
    on_progress: Option<&Progress>,
) -> Result<Received, Error> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".part");
    let beside = path.with_file_name(name);
    let failed = |error| Error::file(path, "written", error);
    let mut file = fs::File::create(&beside).await.map_err(failed)?;
    let mut begun = Begun { path: &beside, is_finished: false };
    let counter = Counter::new(on_progress, length);
    while let Some(chunk) = body.chunk().await? {
        file.write_all(&chunk).await.map_err(failed)?;
        counter.add(chunk.len());
    }
    file.sync_all().await.map_err(failed)?;
    fs::rename(&beside, path).await.map_err(failed)?;
    begun.is_finished = true;
    Ok(Received::File { bytes: counter.done() })
}
