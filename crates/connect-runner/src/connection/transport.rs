use std::{io, sync::Arc, time::Duration};

use rustls::pki_types::ServerName;
use tokio::{io::AsyncRead, io::AsyncWrite, time::timeout};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self,
        client::IntoClientRequest,
        http::{HeaderValue, StatusCode, header},
        protocol::WebSocketConfig,
    },
};
use url::Url;

use super::proxy;

/// How long opening a socket may take, TLS and upgrade included.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// The largest message; the original's limit of 2 MiB makes a larger task impossible to process.
const MESSAGE_LIMIT: usize = 64 << 20;

/// A byte stream under a WebSocket.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) type Socket = WebSocketStream<Box<dyn Stream>>;

/// Why a socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("{0} is not reachable: {1}")]
    Unreachable(String, io::Error),
    #[error("the proxy {0} does not lead to Connect: {1}")]
    Proxy(String, io::Error),
    #[error("TLS with {0} failed: {1}")]
    Tls(String, io::Error),
    #[error("the key was refused (HTTP {0}): check API_KEY and ENVIRONMENT_ID")]
    Refused(StatusCode),
    #[error("Connect is in maintenance (HTTP 502)")]
    Maintenance,
    #[error("the WebSocket was refused (HTTP {0})")]
    Http(StatusCode),
    #[error("the WebSocket could not be opened: {0}")]
    WebSocket(String),
    #[error("no answer within {CONNECT_LIMIT:?}")]
    TimeLimit,
}

/// Opens the WebSocket at the address.
pub(crate) async fn connect(
    address: &Url,
    api_key: &str,
    tls: Option<&Arc<rustls::ClientConfig>>,
) -> Result<Socket, ConnectError> {
    timeout(CONNECT_LIMIT, open(address, api_key, tls)).await.unwrap_or(Err(ConnectError::TimeLimit))
}

async fn open(
    address: &Url,
    api_key: &str,
    tls: Option<&Arc<rustls::ClientConfig>>,
) -> Result<Socket, ConnectError> {
    let malformed = |error: &dyn std::fmt::Display| ConnectError::WebSocket(error.to_string());
    let mut request = address.as_str().into_client_request().map_err(|error| malformed(&error))?;
    let mut key = HeaderValue::from_str(api_key).map_err(|error| malformed(&error))?;
    key.set_sensitive(true);
    request.headers_mut().insert(header::AUTHORIZATION, key);
    let agent = HeaderValue::from_static(concat!("connect-runner/", env!("CARGO_PKG_VERSION")));
    request.headers_mut().insert(header::USER_AGENT, agent);

    let host = address.host_str().unwrap_or_default();
    let port = address.port_or_known_default().unwrap_or(443);
    let place = format!("{host}:{port}");
    // IPv6 addresses stand in brackets in a URL, and without them here.
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let tcp = proxy::open(bare, port, address.scheme() != "ws").await?;
    // Results are small and wait for nothing.
    tcp.set_nodelay(true).map_err(|error| ConnectError::Unreachable(place.clone(), error))?;

    let stream: Box<dyn Stream> = match (address.scheme(), tls) {
        ("ws", _) => Box::new(tcp),
        (_, Some(tls)) => {
            let failed = |error| ConnectError::Tls(place.clone(), error);
            let name =
                ServerName::try_from(bare.to_owned()).map_err(|error| failed(io::Error::other(error)))?;
            Box::new(TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await.map_err(failed)?)
        }
        (_, None) => {
            return Err(ConnectError::Tls(place, io::Error::other("no TLS configuration")));
        }
    };
    let config =
        WebSocketConfig::default().max_message_size(Some(MESSAGE_LIMIT)).max_frame_size(Some(MESSAGE_LIMIT));
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => Err(match answer.status() {
            StatusCode::BAD_GATEWAY => ConnectError::Maintenance,
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) => {
                ConnectError::Refused(status)
            }
            status => ConnectError::Http(status),
        }),
        Err(error) => Err(ConnectError::WebSocket(error.to_string())),
    }
}
