//! How connections are made, and why they fail.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{Error, tls};

/// How connections are made.
#[derive(Clone)]
pub struct Connecting {
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long the server may say nothing at all.
    pub read_timeout: Duration,
    /// What to go through.
    pub proxy: Proxy,
}

/// What to go through.
#[derive(Clone)]
pub enum Proxy {
    /// What the usual variables say.
    System,
    /// Nothing.
    None,
    /// It may hold a password.
    Address(SecretString),
}

impl Connecting {
    /// With these time limits, and the proxy of the usual variables.
    #[must_use]
    pub fn new(connect_timeout: Duration, read_timeout: Duration) -> Self {
        Self { connect_timeout, read_timeout, proxy: Proxy::System }
    }

    /// Whether the proxy is one.
    pub fn check(&self) -> Result<(), Error> {
        self.proxy().map(drop)
    }

    fn proxy(&self) -> Result<Option<reqwest::Proxy>, Error> {
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

    /// The HTTP client; `redirects` says which are followed.
    pub fn make_http(
        &self,
        endpoint: &Url,
        redirects: reqwest::redirect::Policy,
    ) -> Result<reqwest::Client, Error> {
        let mut builder = reqwest::Client::builder()
            // Tries are counted here, and nowhere else.
            .retry(reqwest::retry::never())
            .redirect(redirects)
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

/// Why nothing, or not all, came back over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The time was over.
    Timeout,
    /// The call could not be made.
    Unsendable,
    /// The certificate was not accepted.
    Untrusted,
    /// There was no connection.
    Unreachable,
    /// Redirects without end.
    Redirects,
    /// The connection broke.
    Broken,
}

impl Failure {
    /// The reason of an error.
    #[must_use]
    pub fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_builder() {
            Self::Unsendable
        } else if is_untrusted(error) {
            Self::Untrusted
        } else if error.is_connect() {
            Self::Unreachable
        } else if error.is_redirect() {
            Self::Redirects
        } else {
            Self::Broken
        }
    }

    /// Whether another try would end the same.
    #[must_use]
    pub fn is_permanent(self) -> bool {
        matches!(self, Self::Unsendable | Self::Untrusted | Self::Redirects)
    }
}

/// Whether the reason is that the server's certificate was not accepted.
fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut source: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(error) = source {
        if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        // An I/O error hides what it wraps from `source`.
        source = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting")
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy")
    }
}
