use std::{fmt, sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, USER_AGENT},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use crate::{
    ApiDescription, Call, ClientBuilder, Collection, Error, Namespace, RetryPolicy, TraceContext,
    builder::Connecting,
    facades::TemplateCache,
    path::Part,
    transport::{Incoming, Outgoing, Transport},
};

/// A client of Connect's Open API. Clones, and clients derived with another key or further headers, share its
/// connections.
///
/// ```no_run
/// # async fn run() -> Result<(), connect_client::Error> {
/// use connect_client::{Client, R};
///
/// let client = Client::builder("ApiKey SU-000-000-000:secret").build()?;
/// let request = client.collection("requests").resource("PR-0000-0000-0000-001").get().await?;
/// let pending = client.collection("requests").filter(R::field("status").eq("pending")).count().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    api_key: Arc<SecretString>,
    headers: Arc<HeaderMap>,
    trace: Option<TraceContext>,
    /// How many more calls may be under way.
    calls: Arc<Semaphore>,
    /// What was wrong with a derived header or key; told when a call is sent.
    problem: Option<Arc<str>>,
}

/// What a client has in common with all derived from it.
pub(crate) struct Shared {
    pub(crate) transport: Transport,
    pub(crate) connecting: Connecting,
    pub(crate) endpoint: Url,
    pub(crate) retry: RetryPolicy,
    pub(crate) timeout: Option<Duration>,
    pub(crate) page_size: u64,
    pub(crate) user_agent: HeaderValue,
    pub(crate) log_bodies: bool,
    pub(crate) description: Option<ApiDescription>,
    pub(crate) templates: TemplateCache,
}

impl Client {
    /// Starts to make a client for a key: `ApiKey SU-…:…`.
    pub fn builder(api_key: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(api_key.into())
    }

    pub(crate) fn new(shared: Shared, api_key: SecretString, headers: HeaderMap, calls: usize) -> Self {
        Self {
            shared: Arc::new(shared),
            api_key: Arc::new(api_key),
            headers: Arc::new(headers),
            trace: None,
            calls: Arc::new(Semaphore::new(calls)),
            problem: None,
        }
    }

    /// The same client, speaking for another account.
    #[must_use]
    pub fn with_api_key(&self, api_key: impl Into<String>) -> Self {
        Self { api_key: Arc::new(SecretString::from(api_key.into())), ..self.clone() }
    }

    /// The same client, with a further header on every call; one of that name is replaced.
    ///
    /// A header that can't be sent, and `Authorization`, is told by the next call.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        self.with_headers([(name, value)])
    }

    /// The same client, with further headers on every call; ones of their names are replaced.
    ///
    /// A header that can't be sent, and `Authorization`, is told by the next call.
    #[must_use]
    pub fn with_headers<N: AsRef<str>, V: AsRef<str>>(
        &self,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut client = self.clone();
        let all = Arc::make_mut(&mut client.headers);
        for (name, value) in headers {
            match default_header(name.as_ref(), value.as_ref()) {
                Ok((name, value)) => {
                    all.insert(name, value);
                }
                Err(error) => client.problem = Some(error.to_string().into()),
            }
        }
        client
    }

    /// The same client, whose calls belong to a trace: each carries a `traceparent` header with an id of its own.
    #[must_use]
    pub fn with_trace(&self, trace: TraceContext) -> Self {
        Self { trace: Some(trace), ..self.clone() }
    }

    /// The same client, with a limit of its own for the calls that are under way at once: its calls don't wait for those
    /// of others. Its connections are the same.
    #[must_use]
    pub fn with_max_concurrent_calls(&self, calls: usize) -> Self {
        Self { calls: Arc::new(Semaphore::new(calls.clamp(1, Semaphore::MAX_PERMITS))), ..self.clone() }
    }

    /// A namespace, such as `devops`.
    pub fn ns(&self, name: impl Into<String>) -> Namespace {
        Namespace::new(self.clone(), vec![Part::Segment(name.into())])
    }

    /// A collection, such as `requests`.
    pub fn collection(&self, name: impl Into<String>) -> Collection {
        Collection::new(self.clone(), vec![Part::Segment(name.into())])
    }

    /// A collection by its whole path, such as `tier/config-requests`.
    pub fn path(&self, path: impl Into<String>) -> Collection {
        Collection::new(self.clone(), vec![Part::Path(path.into())])
    }

    /// GET of a path below the endpoint; a query may stand behind a `?`.
    pub fn get(&self, path: impl Into<String>) -> Call {
        self.request(Method::GET, path)
    }

    /// POST to a path below the endpoint.
    pub fn create(&self, path: impl Into<String>, payload: &impl Serialize) -> Call {
        self.request(Method::POST, path).payload(payload)
    }

    /// PUT to a path below the endpoint.
    pub fn update(&self, path: impl Into<String>, payload: &impl Serialize) -> Call {
        self.request(Method::PUT, path).payload(payload)
    }

    /// DELETE of a path below the endpoint.
    pub fn delete(&self, path: impl Into<String>) -> Call {
        self.request(Method::DELETE, path)
    }

    /// Any call of a path below the endpoint; a query may stand behind a `?`.
    pub fn request(&self, method: Method, path: impl Into<String>) -> Call {
        Call::free(self.clone(), method, path.into())
    }

    /// The address that paths are below of.
    #[must_use]
    pub fn endpoint(&self) -> &Url {
        &self.shared.endpoint
    }

    /// The account-like part of the key (`SU-000-000-000`), which is no secret.
    pub(crate) fn key_id(&self) -> &str {
        let key = self.api_key.expose_secret();
        key.split_once(':').map_or("", |(id, _)| id)
    }

    pub(crate) fn template_cache(&self) -> &TemplateCache {
        &self.shared.templates
    }

    pub(crate) fn page_size(&self) -> u64 {
        self.shared.page_size
    }

    pub(crate) fn retry_policy(&self) -> &RetryPolicy {
        &self.shared.retry
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.shared.timeout
    }

    pub(crate) fn logs_bodies(&self) -> bool {
        self.shared.log_bodies
    }

    /// Refuses what the API description does not have, where the client was given one.
    pub(crate) fn check_description(&self, method: &Method, path: &str) -> Result<(), Error> {
        match &self.shared.description {
            Some(description) if !description.has(method, path) => Err(Error::description(path)),
            _ => Ok(()),
        }
    }

    /// Waits until a call may go out. Connections cost memory at both ends, so thousands of tasks share some.
    pub(crate) async fn permit(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.calls.acquire().await.map_err(|_| Error::usage("the client is closed"))
    }

    pub(crate) async fn transmit(&self, outgoing: Outgoing<'_>) -> Result<Incoming, Error> {
        match &self.shared.transport {
            Transport::Http(http) => {
                let make = || async { self.shared.connecting.make_http(&self.shared.endpoint) };
                outgoing.send(http.get_or_try_init(make).await?).await
            }
            #[cfg(feature = "mock")]
            Transport::Mock(script) => script.answer(&outgoing),
        }
    }

    /// The headers of every call, the key's included.
    pub(crate) fn headers(&self) -> Result<HeaderMap, Error> {
        if let Some(problem) = &self.problem {
            return Err(Error::usage(&**problem));
        }
        let mut headers = (*self.headers).clone();
        headers.insert(AUTHORIZATION, key_header(&self.api_key)?);
        headers.entry(USER_AGENT).or_insert_with(|| self.shared.user_agent.clone());
        Ok(headers)
    }

    pub(crate) fn add_trace(&self, headers: &mut HeaderMap) {
        if let Some(trace) = &self.trace
            && let Ok(value) = HeaderValue::from_str(&trace.header())
        {
            headers.insert(HeaderName::from_static("traceparent"), value);
        }
    }
}

/// A key as it is sent: verbatim.
pub(crate) fn key_header(api_key: &SecretString) -> Result<HeaderValue, Error> {
    if api_key.expose_secret().trim().is_empty() {
        return Err(Error::usage("the API key is empty; it looks like \"ApiKey SU-000-000-000:…\""));
    }
    let mut key = HeaderValue::from_str(api_key.expose_secret())
        .map_err(|_| Error::usage("the API key has characters that can't be sent"))?;
    key.set_sensitive(true);
    Ok(key)
}

pub(crate) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Error::usage(format!("{name:?} is no name of a header")))?;
    let value = HeaderValue::from_str(value)
        .map_err(|_| Error::usage(format!("the header {name} has characters that can't be sent")))?;
    Ok((name, value))
}

/// A header for every call.
pub(crate) fn default_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let (name, value) = header(name, value)?;
    if name == AUTHORIZATION {
        return Err(Error::usage("the Authorization header is made from the API key, and from nothing else"));
    }
    Ok((name, value))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.shared.endpoint.as_str()).finish_non_exhaustive()
    }
}
