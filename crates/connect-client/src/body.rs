//! What a call carries to Connect.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use reqwest::RequestBuilder;
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt},
};
use tokio_util::io::ReaderStream;

use crate::{
    Error, Progress,
    multipart::{Content, Form},
    progress::Counter,
};

/// The body of a call. It is made anew for each try, so that a second one never sends half of it.
#[derive(Clone, Debug, Default)]
pub(crate) enum Body {
    /// None at all.
    #[default]
    None,
    /// JSON, a form, or raw bytes.
    Bytes(Bytes),
    /// A file, read while it is sent.
    File(PathBuf),
    /// Parts, of which files are read while they are sent.
    Multipart(Arc<Form>),
}

/// A file that is ready to be sent, and its length.
async fn open(path: &PathBuf) -> Result<(impl AsyncRead + Send + Sync + Unpin + 'static, u64), Error> {
    let unreadable = |error| Error::file(path, "read", error);
    let file = File::open(path).await.map_err(unreadable)?;
    let metadata = file.metadata().await.map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
    }
    // What is written to it meanwhile does not belong to what was announced.
    Ok((file.take(metadata.len()), metadata.len()))
}

fn streamed(file: impl AsyncRead + Send + Sync + Unpin + 'static, counter: Counter) -> reqwest::Body {
    reqwest::Body::wrap_stream(
        ReaderStream::with_capacity(file, 64 * 1024).inspect_ok(move |chunk| counter.add(chunk.len())),
    )
}

impl Body {
    /// Puts the body into a request.
    pub(crate) async fn attach(
        &self,
        request: RequestBuilder,
        headers: &mut HeaderMap,
        on_progress: Option<&Progress>,
    ) -> Result<RequestBuilder, Error> {
        Ok(match self {
            Self::None => request,
            Self::Bytes(bytes) => request.body(bytes.clone()),
            Self::File(path) => {
                let (file, length) = open(path).await?;
                headers.insert(CONTENT_LENGTH, length.into());
                request.body(streamed(file, Counter::new(on_progress, Some(length))))
            }
            Self::Multipart(form) => {
                // Its type names the boundary, which is made with it.
                headers.remove(CONTENT_TYPE);
                request.multipart(form.to_reqwest(on_progress).await?)
            }
        })
    }
}

impl Form {
    async fn to_reqwest(&self, on_progress: Option<&Progress>) -> Result<reqwest::multipart::Form, Error> {
        let mut files = Vec::new();
        let mut total = 0;
        for part in &self.parts {
            files.push(match &part.content {
                Content::Bytes(_) => None,
                Content::File(path) => {
                    let (file, length) = open(path).await?;
                    total += length;
                    Some((file, length))
                }
            });
        }
        let counter = Counter::new(on_progress, Some(total));
        let mut form = reqwest::multipart::Form::new();
        for (part, file) in self.parts.iter().zip(files) {
            let mut built = match (&part.content, file) {
                (_, Some((file, length))) => {
                    reqwest::multipart::Part::stream_with_length(streamed(file, counter.clone()), length)
                }
                (Content::Bytes(bytes), None) => {
                    reqwest::multipart::Part::stream_with_length(bytes.clone(), bytes.len() as u64)
                }
                (Content::File(_), None) => continue,
            };
            if let Some(name) = &part.file_name {
                built = built.file_name(name.clone());
            }
            if let Some(kind) = &part.content_type {
                built = built
                    .mime_str(kind)
                    .map_err(|_| Error::usage(format!("\"{kind}\" is no content type")))?;
            }
            form = form.part(part.name.clone(), built);
        }
        Ok(form)
    }
}
