//! How a call leaves and how its answer comes back: over HTTP, or from a mock.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Version};
use tokio::sync::OnceCell;
use url::Url;

use crate::{Error, Progress, body::Body};

/// What answers calls.
#[derive(Debug)]
pub(crate) enum Transport {
    /// Connect; the HTTP client is made at the first call: one that is never used needs no certificates.
    Http(OnceCell<reqwest::Client>),
    /// Expectations of a test.
    #[cfg(feature = "mock")]
    Mock(std::sync::Arc<crate::mock::Script>),
}

/// One try of a call.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: &'a Body,
    pub(crate) on_upload: Option<&'a Progress>,
}

/// An answer whose body may still be on its way.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) version: Version,
    pub(crate) body: IncomingBody,
}

#[derive(Debug)]
pub(crate) enum IncomingBody {
    Http(Box<reqwest::Response>),
    #[cfg(feature = "mock")]
    Whole(Option<Bytes>),
}

impl Outgoing<'_> {
    pub(crate) async fn send(mut self, http: &reqwest::Client) -> Result<Incoming, Error> {
        let request = http.request(self.method.clone(), self.url);
        let request = self.body.attach(request, &mut self.headers, self.on_upload).await?;
        let mut answer = request.headers(self.headers).send().await.map_err(Error::transport)?;
        Ok(Incoming {
            status: answer.status(),
            headers: std::mem::take(answer.headers_mut()),
            version: answer.version(),
            body: IncomingBody::Http(Box::new(answer)),
        })
    }
}

impl IncomingBody {
    /// All of it.
    pub(crate) async fn whole(self) -> Result<Bytes, Error> {
        match self {
            Self::Http(answer) => answer.bytes().await.map_err(Error::transport),
            #[cfg(feature = "mock")]
            Self::Whole(body) => Ok(body.unwrap_or_default()),
        }
    }

    /// The next piece of it.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        match self {
            Self::Http(answer) => answer.chunk().await.map_err(Error::transport),
            #[cfg(feature = "mock")]
            Self::Whole(body) => Ok(body.take()),
        }
    }
}
