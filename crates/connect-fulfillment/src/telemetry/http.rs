use std::{future::Future, pin::Pin, sync::OnceLock, time::Duration};

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

use crate::http::{client, reason};

/// How long one export may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Sends exports by the runtime of the process: the threads of the exporters have none.
#[derive(Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    runtime: OnceLock<Handle>,
}

impl Http {
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self { client: client()?, runtime: OnceLock::new() })
    }

    /// From now on there is a runtime.
    pub(super) fn start(&self) {
        let _ = self.runtime.set(Handle::current());
    }
}

impl HttpClient for Http {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let runtime = self.runtime.get().ok_or("the process does not run yet")?;
            let client = self.client.clone();
            runtime.spawn(async move { send(&client, request).await }).await?
        })
    }
}

async fn send(client: &reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (parts, body) = request.into_parts();
    let sent =
        client.request(parts.method, parts.uri.to_string()).headers(parts.headers).timeout(LIMIT).body(body);
    let answer = sent.send().await.map_err(|error| reason(&error))?;
    let mut response = Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.clone_from(answer.headers());
    }
    let body = answer.bytes().await.map_err(|error| reason(&error))?;
    Ok(response.body(body)?)
}
