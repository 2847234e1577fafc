use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use tokio::sync::{OnceCell, Semaphore};
use url::Url;

use crate::{
    ApiDescription, Client, Error, RetryPolicy,
    client::{Shared, default_header, key_header},
    facades::TemplateCache,
    tls,
    transport::Transport,
};

/// Connect's public address.
const ENDPOINT: &str = "https://api.connect.cloudblue.com/public/v1";

/// Makes a [`Client`].
#[must_use]
pub struct ClientBuilder {
    api_key: SecretString,
    endpoint: String,
    headers: Vec<(String, String)>,
    user_agent: Option<String>,
    retry: RetryPolicy,
    timeout: Option<Duration>,
    page_size: u64,
    connecting: Connecting,
    max_concurrent_calls: usize,
    log_bodies: bool,
    description: Option<ApiDescription>,
}

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Connecting {
    connect_timeout: Duration,
    read_timeout: Duration,
    proxy: Proxy,
}

#[derive(Clone)]
enum Proxy {
    /// What the usual variables say.
    System,
    None,
    /// It may hold a password.
    Address(SecretString),
}

impl ClientBuilder {
    pub(crate) fn new(api_key: String) -> Self {
        Self {
            api_key: api_key.into(),
            endpoint: ENDPOINT.to_owned(),
            headers: Vec::new(),
            user_agent: None,
            retry: RetryPolicy::default(),
            timeout: None,
            page_size: 100,
            connecting: Connecting {
                connect_timeout: Duration::from_secs(15),
                read_timeout: Duration::from_secs(180),
                proxy: Proxy::System,
            },
            max_concurrent_calls: 64,
            log_bodies: false,
            description: None,
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

    /// What the client says it is; by default its name and version, Rust's, and the system.
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
        self.connecting.connect_timeout = timeout;
        self
    }

    /// How long Connect may say nothing at all; 180 s by default.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.connecting.read_timeout = timeout;
        self
    }

    /// How many objects a page of a listing has at most, from 1; 100 by default. Some of Connect's collections give
    /// fewer.
    pub fn page_size(mut self, objects: u64) -> Self {
        self.page_size = objects;
        self
    }

    /// How many calls may be under way at once, over the client and all derived from it; 64 by default. More wait.
    pub fn max_concurrent_calls(mut self, calls: usize) -> Self {
        self.max_concurrent_calls = calls.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// The proxy to go through: an address that begins with `http://`, `https://`, `socks5://` or `socks5h://`, with a
    /// user and password if it wants them.
    ///
    /// By default the variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    pub fn proxy(mut self, address: impl Into<String>) -> Self {
        self.connecting.proxy = Proxy::Address(SecretString::from(address.into()));
        self
    }

    /// Goes through no proxy, whatever the variables say.
    pub fn no_proxy(mut self) -> Self {
        self.connecting.proxy = Proxy::None;
        self
    }

    /// Logs the bodies of requests and answers too, at the level `trace`. Anything may stand in them; by default they
    /// are left out.
    pub fn log_bodies(mut self, log: bool) -> Self {
        self.log_bodies = log;
        self
    }

    /// Refuses calls that Connect's API description does not have, before they are sent.
    pub fn description(mut self, description: ApiDescription) -> Self {
        self.description = Some(description);
        self
    }

    /// Makes the client.
    pub fn build(self) -> Result<Client, Error> {
        let transport = Transport::Http(OnceCell::new());
        self.build_on(transport)
    }

    pub(crate) fn build_on(self, transport: Transport) -> Result<Client, Error> {
        key_header(&self.api_key)?;
        self.connecting.check()?;
        if self.page_size == 0 {
            return Err(Error::usage("a page has at least one object"));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let (name, value) = default_header(name, value)?;
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
        let shared = Shared {
            transport,
            connecting: self.connecting,
            endpoint: endpoint(&self.endpoint)?,
            retry: self.retry,
            timeout: self.timeout,
            page_size: self.page_size,
            user_agent,
            log_bodies: self.log_bodies,
            description: self.description,
            templates: TemplateCache::default(),
        };
        Ok(Client::new(shared, self.api_key, headers, self.max_concurrent_calls))
    }
}

fn endpoint(text: &str) -> Result<Url, Error> {
    if text.contains('@') {
        // Not shown: it may hold a password.
        return Err(Error::usage("the endpoint must not hold a user or a password"));
    }
    let mut endpoint = Url::parse(text)
        .map_err(|error| Error::usage(format!("the endpoint \"{text}\" is no address: {error}")))?;
    if !matches!(endpoint.scheme(), "http" | "https") {
        return Err(Error::usage(format!("the endpoint \"{text}\" has to begin with https://")));
    }
    if endpoint.query().is_some() || endpoint.fragment().is_some() {
        return Err(Error::usage(format!(
            "the endpoint \"{text}\" has something behind its path; it ends like https://…/public/v1"
        )));
    }
    let path = endpoint.path().trim_end_matches('/').to_owned();
    endpoint.set_path(&path);
    Ok(endpoint)
}

impl Connecting {
    fn check(&self) -> Result<(), Error> {
        self.proxy().map(drop)
    }

    fn proxy(&self) -> Result<Option<reqwest::Proxy>, Error> {
        use secrecy::ExposeSecret;
        let Proxy::Address(address) = &self.proxy else { return Ok(None) };
        let address = address.expose_secret();
        let known = ["http://", "https://", "socks5://", "socks5h://"];
        // Not shown: it may hold a password.
        let refused = || Error::usage("the proxy is no address such as http://proxy.example:3128");
        if !known.iter().any(|scheme| address.starts_with(scheme)) {
            return Err(refused());
        }
        reqwest::Proxy::all(address).map(Some).map_err(|_| refused())
    }

    pub(crate) fn make_http(&self, endpoint: &Url) -> Result<reqwest::Client, Error> {
        let mut builder = reqwest::Client::builder()
            // Tries are counted here, and nowhere else.
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.read_timeout);
        builder = match &self.proxy {
            Proxy::System => builder,
            Proxy::None => builder.no_proxy(),
            Proxy::Address(_) => match self.proxy()? {
                Some(proxy) => builder.proxy(proxy),
                None => builder,
            },
        };
        let mut tls = match tls::client_config() {
            Ok(config) => (*config).clone(),
            // A plain address, as the sandbox has, needs no certificates.
            Err(error) if endpoint.scheme() == "https" => return Err(error),
            Err(_) => {
                let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
                rustls::ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()
                    .map_err(|error| Error::usage(error.to_string()))?
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth()
            }
        };
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        builder.tls_backend_preconfigured(tls).build().map_err(Error::transport)
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
