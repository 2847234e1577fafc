//! The way to Connect: straight, or through the proxy that the usual variables name.

use std::{future::poll_fn, io};

use hyper_util::client::{
    legacy::connect::{
        HttpConnector,
        proxy::{SocksV5, Tunnel},
    },
    proxy::matcher::{Intercept, Matcher},
};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::http::Uri;
use tower_service::Service;

use super::transport::ConnectError;

/// Opens a connection to a host. `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say how, as they do for REST;
/// a plain WebSocket is a matter of `HTTP_PROXY`.
pub(super) async fn open(host: &str, port: u16, is_tls: bool) -> Result<TcpStream, ConnectError> {
    let scheme = if is_tls { "https" } else { "http" };
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let target: Option<Uri> = format!("{scheme}://{bracketed}:{port}/").parse().ok();
    let proxy = target.as_ref().and_then(|target| Some((target, Matcher::from_env().intercept(target)?)));
    match proxy {
        Some((target, proxy)) => through(&proxy, target).await,
        None => TcpStream::connect((host, port))
            .await
            .map_err(|error| ConnectError::Unreachable(format!("{host}:{port}"), error)),
    }
}

async fn through(proxy: &Intercept, target: &Uri) -> Result<TcpStream, ConnectError> {
    let address = proxy.uri();
    // Without its password.
    let shown = address.host().unwrap_or_default().to_owned();
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        ConnectError::Proxy(shown.clone(), io::Error::other(error))
    };
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    match address.scheme_str() {
        Some("http") => {
            let mut tunnel = Tunnel::new(address.clone(), connector);
            if let Some(auth) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(auth.clone());
            }
            poll_fn(|context| tunnel.poll_ready(context)).await.map_err(|error| failed(error.into()))?;
            let stream = tunnel.call(target.clone()).await.map_err(|error| failed(error.into()))?;
            Ok(stream.into_inner())
        }
        Some(scheme @ ("socks5" | "socks5h")) => {
            let mut socks = SocksV5::new(address.clone(), connector).local_dns(scheme == "socks5");
            if let Some((user, password)) = proxy.raw_auth() {
                socks = socks.with_auth(user.to_owned(), password.to_owned());
            }
            poll_fn(|context| socks.poll_ready(context)).await.map_err(|error| failed(error.into()))?;
            let stream = socks.call(target.clone()).await.map_err(|error| failed(error.into()))?;
            Ok(stream.into_inner())
        }
        scheme => {
            let scheme = scheme.unwrap_or_default();
            Err(failed(
                format!("a proxy of {scheme}:// can't be used here, only http, socks5 and socks5h").into(),
            ))
        }
    }
}
