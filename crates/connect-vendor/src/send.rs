//! How a call is sent, and sent again.

use bytes::{Bytes, BytesMut};
use connect_client::machinery::Shown;
use http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tracing::{Instrument, Span, debug, debug_span, field, trace};
use url::Url;

use crate::{Reply, VendorCall, VendorError, VendorErrorKind, auth};

impl VendorCall {
    /// Sends, and sends again as the policy says.
    pub(crate) async fn send(self) -> Result<Reply<Bytes>, VendorError> {
        let url = self.url()?;
        // Without the query, in which keys may stand.
        let span = debug_span!(
            "vendor_call",
            otel.kind = "client",
            method = %self.method,
            host = url.host_str(),
            path = url.path(),
            status = field::Empty,
            tries = field::Empty,
        );
        let limit = self.time_limit();
        let name = self.client.name().to_owned();
        // Boxed, so that a task that waits for something else later does not carry the room for a call around.
        let tries = Box::pin(self.tries(url).instrument(span));
        match limit {
            Some(limit) => {
                let end = tokio::time::timeout(limit, tries).await;
                end.unwrap_or_else(|_| Err(VendorError::timeout(&format!("the call of {name}"), limit)))
            }
            None => tries.await,
        }
    }

    async fn tries(self, url: Url) -> Result<Reply<Bytes>, VendorError> {
        let headers = self.all_headers()?;
        let policy = self.retry_policy();
        let span = Span::current();
        let oauth2 = self.client.oauth2().filter(|_| !self.is_for_token());
        let (mut tries, mut refused) = (0, None);
        loop {
            let token = match oauth2 {
                Some(oauth2) => Some(oauth2.token(&self.client, refused.as_ref()).await?),
                None => None,
            };
            let permit = self.client.permit().await?;
            let started = Instant::now();
            let attempt = self.attempt(url.clone(), headers.clone(), token.as_ref()).await;
            drop(permit);
            span.record("tries", tries + 1);
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
            if token.is_some() && refused.is_none() && error.status() == Some(StatusCode::UNAUTHORIZED) {
                debug!("the token was refused before its end: another is got");
                refused = token;
                continue;
            }
            let worth_it =
                error.is_retryable() && (error.is_nothing_sent() || policy.may_repeat(&self.method));
            let wait = policy.wait(tries, error.retry_after()).filter(|_| worth_it);
            debug!(elapsed = ?started.elapsed(), again_in = ?wait, "failed: {error}");
            let Some(wait) = wait else { return Err(error) };
            tries += 1;
            tokio::time::sleep(wait).await;
        }
    }

    /// One try.
    async fn attempt(
        &self,
        url: Url,
        mut headers: HeaderMap,
        token: Option<&SecretString>,
    ) -> Result<Reply<Bytes>, VendorError> {
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, auth::bearer(token.expose_secret())?);
        }
        debug!(headers = %Shown(&headers), "request");
        let logs_bodies = self.client.logs_bodies() && !self.is_for_token();
        let mut request = self.client.http().await?.request(self.method.clone(), url).headers(headers);
        if let Some(body) = &self.body {
            if logs_bodies {
                trace!(body = %String::from_utf8_lossy(body), "request body");
            }
            request = request.body(body.clone());
        }
        let started = Instant::now();
        let name = self.client.name();
        let failed = |error| VendorError::transport(name, error);
        let mut answer = request.send().await.map_err(failed)?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        debug!(status = status.as_u16(), headers = %Shown(&headers), elapsed = ?started.elapsed(), "answer");
        let mut body = BytesMut::new();
        let most = self.client.largest_answer();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > most {
                let message = format!("the answer of {name} has more than {most} bytes");
                return Err(VendorError::new(VendorErrorKind::Decode, message));
            }
            body.extend_from_slice(&chunk);
        }
        let body = body.freeze();
        if logs_bodies {
            trace!(body = %String::from_utf8_lossy(&body), "answer body");
        }
        if !status.is_success() {
            let mut secrets = self.client.auth().secrets();
            secrets.extend(token.map(ExposeSecret::expose_secret));
            return Err(VendorError::status_of(name, status, headers, body, &secrets));
        }
        Ok(Reply { status, headers, body })
    }
}
