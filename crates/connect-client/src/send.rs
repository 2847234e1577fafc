//! How a call is sent, and sent again.

use http::{HeaderMap, StatusCode};
use tokio::time::Instant;
use tracing::{Instrument, Span, debug, debug_span, field, trace};
use url::Url;

use crate::{
    ApiError, Call, Error, Reply,
    answer::{Answer, Received},
    body::Body,
    download,
    retry::is_transient,
    trace::Shown,
    transport::{Incoming, Outgoing},
};

impl Call {
    /// Sends, and sends again as the policy says.
    pub(crate) async fn send(self, answer: Answer) -> Result<Reply<Received>, Error> {
        let span = debug_span!(
            "call",
            otel.kind = "client",
            method = %self.method,
            path = self.path_text(),
            status = field::Empty,
            tries = field::Empty,
        );
        let limit = self.time_limit();
        // Boxed, so that a task that waits for something else later does not carry the room for a call around.
        let tries = Box::pin(self.tries(answer).instrument(span));
        match limit {
            Some(limit) => {
                tokio::time::timeout(limit, tries).await.unwrap_or_else(|_| Err(Error::timeout(limit)))
            }
            None => tries.await,
        }
    }

    async fn tries(self, answer: Answer) -> Result<Reply<Received>, Error> {
        let (url, headers) = (self.url()?, self.all_headers()?);
        let policy = self.retry_policy();
        let span = Span::current();
        let mut retries = 0;
        loop {
            let permit = self.client.permit().await?;
            let started = Instant::now();
            let attempt = self.attempt(url.clone(), headers.clone(), &answer).await;
            drop(permit);
            span.record("tries", retries + 1);
            let error = match attempt {
                Ok(reply) => {
                    span.record("status", reply.status.as_u16());
                    return Ok(reply);
                }
                Err(error) => error,
            };
            if let Some(status) = error.status() {
                span.record("status", status.as_u16());
            }
            let worth_it =
                error.is_retryable() && (error.is_nothing_sent() || policy.may_repeat(&self.method));
            let wait = policy.wait(retries, error.retry_after()).filter(|_| worth_it);
            debug!(elapsed = ?started.elapsed(), again_in = ?wait, "failed: {error}");
            let Some(wait) = wait else { return Err(error) };
            retries += 1;
            tokio::time::sleep(wait).await;
        }
    }

    /// One try.
    async fn attempt(
        &self,
        url: Url,
        mut headers: HeaderMap,
        answer: &Answer,
    ) -> Result<Reply<Received>, Error> {
        self.client.add_trace(&mut headers);
        debug!(query = url.query(), headers = %Shown(&headers), "request");
        if let Body::Bytes(body) = &self.body
            && self.client.logs_bodies()
        {
            trace!(body = %String::from_utf8_lossy(body), "request body");
        }
        let outgoing = Outgoing {
            method: &self.method,
            url,
            headers,
            body: &self.body,
            on_upload: self.on_upload.as_ref(),
        };
        let started = Instant::now();
        let mut incoming = self.client.transmit(outgoing).await?;
        let (status, headers) = (incoming.status, std::mem::take(&mut incoming.headers));
        debug!(status = status.as_u16(), headers = %Shown(&headers), elapsed = ?started.elapsed(), "answer");
        if is_error(status) {
            let body = self.whole_body(incoming).await?;
            let api = ApiError::new(status, headers, body, self.method.clone(), self.path_text());
            return Err(Error::from_api(api));
        }
        let version = incoming.version;
        let body = match answer {
            Answer::Memory => Received::Memory(self.whole_body(incoming).await?),
            Answer::File { path, on_progress } => {
                download::write(incoming.body, &headers, path, on_progress.as_ref()).await?
            }
        };
        Ok(Reply { status, headers, version, body })
    }

    async fn whole_body(&self, incoming: Incoming) -> Result<bytes::Bytes, Error> {
        let body = incoming.body.whole().await?;
        if self.client.logs_bodies() {
            trace!(body = %String::from_utf8_lossy(&body), "answer body");
        }
        Ok(body)
    }
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || is_transient(status) || status.as_u16() >= 600
}
