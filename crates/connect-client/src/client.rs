use std::{fmt, sync::Arc, time::Duration};

use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use url::Url;

use crate::{Call, Collection, Error, Namespace, RetryPolicy, call::Part, tls};

/// Connect's public address.
const ENDPOINT: &str = "https://api.connect.cloudblue.com/public/v1";

/// A client of Connect's Open API. Clones, and clients derived with another key or further headers, share its
/// connections.
///
/// ```no_run
/// # async fn run() -> Result<(), connect_client::Error> {
/// use connect_client::{Client, R};
///
/// let client = Client::builder("ApiKey SU-000-000-000:secret").build()?;
/// let request = client.collection("requests").resource("PR-0000-0000-0000-001").get().await?;
/// let pending = client.collection("requests").query().filter(R::field("status").eq("pending")).count().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    api_key: Arc<SecretString>,
    headers: Arc<HeaderMap>,
    /// What was wrong with a derived header or key; told when a call is sent.
    problem: Option<Arc<str>>,
}

struct Shared {
    /// Made at the first call: a client that is never used needs no certificates.
    http: OnceCell<reqwest::Client>,
    endpoint: Url,
    retry: RetryPolicy,
    timeout: Option<Duration>,
    connect_timeout: Duration,
    read_timeout: Duration,
    user_agent: HeaderValue,
    calls: Semaphore,
}

impl Client {
    /// Starts to make a client for a key: `ApiKey SU-…:…`.
    pub fn builder(api_key: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(api_key.into())
    }

    /// The same client, speaking for another account.
    #[must_use]
    pub fn with_api_key(&self, api_key: impl Into<String>) -> Self {
        Self { api_key: Arc::new(SecretString::from(api_key.into())), ..self.clone() }
    }

    /// The same client, with a further header on every call; one of that name is replaced.
    ///
    /// A header that can't be sent is told by the next call.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        match header(name, value) {
            Ok((name, value)) => {
                Arc::make_mut(&mut client.headers).insert(name, value);
            }
            Err(error) => client.problem = Some(error.to_string().into()),
        }
        client
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

    /// A GET of a path below the endpoint.
    pub fn get(&self, path: impl Into<String>) -> Call {
        self.request(Method::GET, path)
    }

    /// Any call of a path below the endpoint.
    pub fn request(&self, method: Method, path: impl Into<String>) -> Call {
        Call::new(self.clone(), method, vec![Part::Path(path.into())])
    }

    /// The address that paths are below of.
    #[must_use]
    pub fn endpoint(&self) -> &Url {
        &self.shared.endpoint
    }

    pub(crate) fn retry_policy(&self) -> &RetryPolicy {
        &self.shared.retry
    }

    /// Waits until a call may go out. Connections cost memory at both ends, so thousands of tasks share some.
    pub(crate) async fn permit(&self) -> Result<SemaphorePermit<'_>, Error> {
        let closed = |_| Error::usage("the client is closed");
        self.shared.calls.acquire().await.map_err(closed)
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.shared.timeout
    }

    pub(crate) async fn http(&self) -> Result<&reqwest::Client, Error> {
        self.shared.http.get_or_try_init(|| async { self.shared.make_http() }).await
    }

    /// The headers of every call, the key's included.
    pub(crate) fn headers(&self) -> Result<HeaderMap, Error> {
        if let Some(problem) = &self.problem {
            return Err(Error::usage(&**problem));
        }
        let mut headers = (*self.headers).clone();
        let unusable = |_| Error::usage("the API key has characters that can't be sent");
        let mut key = HeaderValue::from_str(self.api_key.expose_secret()).map_err(unusable)?;
        key.set_sensitive(true);
        headers.insert(reqwest::header::AUTHORIZATION, key);
        headers.entry(reqwest::header::USER_AGENT).or_insert_with(|| self.shared.user_agent.clone());
        Ok(headers)
    }
}

impl Shared {
    fn make_http(&self) -> Result<reqwest::Client, Error> {
        let mut builder = reqwest::Client::builder()
            // Tries are counted here, and nowhere else.
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.read_timeout);
        match tls::client_config() {
            Ok(config) => {
                let mut config = (*config).clone();
                config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
                builder = builder.tls_backend_preconfigured(config);
            }
            // A plain address, as the sandbox has, needs no certificates.
            Err(error) if self.endpoint.scheme() == "https" => return Err(error),
            Err(_) => {
                let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
                let config = rustls::ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()
                    .map_err(|error| Error::usage(error.to_string()))?
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth();
                builder = builder.tls_backend_preconfigured(config);
            }
        }
        builder.build().map_err(Error::transport)
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Error::usage(format!("\"{name}\" is no name of a header")))?;
    if name == reqwest::header::AUTHORIZATION {
        return Err(Error::usage("the Authorization header is made from the API key, and from nothing else"));
    }
    let value = HeaderValue::from_str(value)
        .map_err(|_| Error::usage(format!("the header {name} has characters that can't be sent")))?;
    Ok((name, value))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.shared.endpoint.as_str()).finish_non_exhaustive()
    }
}

/// Makes a [`Client`].
#[must_use]
pub struct ClientBuilder {
    api_key: SecretString,
    endpoint: String,
    headers: Vec<(String, String)>,
    user_agent: Option<String>,
    retry: RetryPolicy,
    timeout: Option<Duration>,
    connect_timeout: Duration,
    read_timeout: Duration,
    max_concurrent_calls: usize,
}

impl ClientBuilder {
    fn new(api_key: String) -> Self {
        Self {
            api_key: api_key.into(),
            endpoint: ENDPOINT.to_owned(),
            headers: Vec::new(),
            user_agent: None,
            retry: RetryPolicy::default(),
            timeout: None,
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(180),
            max_concurrent_calls: 64,
        }
    }

    /// The address that paths are below of; by default Connect's public one,
    /// `https://api.connect.cloudblue.com/public/v1`.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// A header on every call. `Authorization` is refused.
    pub fn default_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// What the client says it is.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// How often and how late calls are made again.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// How long a call may take in all, further tries included; by default there is no limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How long connecting may take; 15 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long Connect may say nothing at all; 180 s by default.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// How many calls may be under way at once, over the client and all derived from it; 64 by default. More wait.
    pub fn max_concurrent_calls(mut self, calls: usize) -> Self {
        self.max_concurrent_calls = calls.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Makes the client.
    pub fn build(self) -> Result<Client, Error> {
        if self.endpoint.contains('@') {
            // Not shown: it may hold a password.
            return Err(Error::usage("the endpoint must not hold a user or a password"));
        }
        let mut endpoint = Url::parse(&self.endpoint).map_err(|error| {
            Error::usage(format!("the endpoint \"{}\" is no address: {error}", self.endpoint))
        })?;
        if !matches!(endpoint.scheme(), "http" | "https") {
            return Err(Error::usage(format!(
                "the endpoint \"{}\" has to begin with https://",
                self.endpoint
            )));
        }
        let path = endpoint.path().trim_end_matches('/').to_owned();
        endpoint.set_path(&path);
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let (name, value) = header(name, value)?;
            headers.insert(name, value);
        }
        let user_agent = self.user_agent.unwrap_or_else(|| {
            let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
            format!(
                "connect-client/{} rust/{} {os}/{arch}",
                env!("CARGO_PKG_VERSION"),
                env!("CARGO_PKG_RUST_VERSION")
            )
        });
        let user_agent = HeaderValue::from_str(&user_agent)
            .map_err(|_| Error::usage("the user agent has characters that can't be sent"))?;
        Ok(Client {
            shared: Arc::new(Shared {
                http: OnceCell::new(),
                endpoint,
                retry: self.retry,
                timeout: self.timeout,
                connect_timeout: self.connect_timeout,
                read_timeout: self.read_timeout,
                user_agent,
                calls: Semaphore::new(self.max_concurrent_calls),
            }),
            api_key: Arc::new(self.api_key),
            headers: Arc::new(headers),
            problem: None,
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
