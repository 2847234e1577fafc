//! Connections, with TLS and without on the same port: the first byte of a client tells.

use std::{
    fmt::Write as _,
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::serve::Listener as Serve;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tempfile::TempPath;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{either::Either, sync::CancellationToken};

use crate::SandboxError;

/// How long a client may take until it says something, and with a handshake.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first byte of a TLS handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// The authority of one sandbox, made at its start: who trusts it trusts nothing else by that.
pub(crate) struct Authority {
    certificate: String,
    acceptor: TlsAcceptor,
    file: OnceLock<TempPath>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// An authority, and a certificate of it for this machine and the address.
    pub(crate) fn new(address: IpAddr) -> Result<Self, SandboxError> {
        let failed = |error: &dyn std::fmt::Display| SandboxError::Certificate(error.to_string());
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "connect-sandbox");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = || KeyPair::generate().map_err(|error| failed(&error));
        let authority = CertifiedIssuer::self_signed(params, key()?).map_err(|error| failed(&error))?;

        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        if !address.is_loopback() && !address.is_unspecified() {
            names.push(address.to_string());
        }
        let mut params = CertificateParams::new(names).map_err(|error| failed(&error))?;
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let own = key()?;
        let certificate = params.signed_by(&own, &authority).map_err(|error| failed(&error))?;

        let own = PrivateKeyDer::try_from(own.serialize_der()).map_err(|error| failed(&error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|config| {
                config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], own)
            })
            .map_err(|error| failed(&error))?;
        Ok(Self {
            certificate: authority.pem(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
            file: OnceLock::new(),
        })
    }

    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The file of it and of all that this machine trusts anyway: the variables that name such a file leave nothing else
    /// to trust. It goes with the sandbox.
    pub(crate) fn file(&self) -> io::Result<PathBuf> {
        if let Some(file) = self.file.get() {
            return Ok(file.to_path_buf());
        }
        let mut text = self.certificate.clone();
        for certificate in rustls_native_certs::load_native_certs().certs {
            pem(&mut text, &certificate);
        }
        let file =
            tempfile::Builder::new().prefix("connect-sandbox-").suffix(".pem").tempfile()?.into_temp_path();
        std::fs::write(&file, text)?;
        Ok(self.file.get_or_init(|| file).to_path_buf())
    }
}

fn pem(text: &mut String, certificate: &[u8]) {
    text.push_str("-----BEGIN CERTIFICATE-----\n");
    let encoded = STANDARD.encode(certificate);
    for line in encoded.as_bytes().chunks(64) {
        let _ = writeln!(text, "{}", String::from_utf8_lossy(line));
    }
    text.push_str("-----END CERTIFICATE-----\n");
}

type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Hands out connections once it is clear how they speak.
pub(crate) struct Listener {
    address: io::Result<SocketAddr>,
    ready: mpsc::Receiver<(Stream, SocketAddr)>,
}

impl Listener {
    pub(crate) fn new(listener: TcpListener, authority: Arc<Authority>, stop: CancellationToken) -> Self {
        let address = listener.local_addr();
        let (to, ready) = mpsc::channel(1);
        tokio::spawn(stop.run_until_cancelled_owned(accept(listener, authority, to)));
        Self { address, ready }
    }
}

impl Serve for Listener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The sandbox stops.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.address {
            Ok(address) => Ok(*address),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }
}

async fn accept(listener: TcpListener, authority: Arc<Authority>, to: mpsc::Sender<(Stream, SocketAddr)>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (authority, to) = (Arc::clone(&authority), to.clone());
                tokio::spawn(async move {
                    match timeout(PATIENCE, open(stream, &authority)).await {
                        Ok(Ok(stream)) => drop(to.send((stream, peer)).await),
                        // Who does not trust the certificate ends the handshake.
                        Ok(Err(error)) => tracing::debug!(%peer, "a connection was not opened: {error}"),
                        Err(_) => tracing::debug!(%peer, "a connection said nothing"),
                    }
                });
            }
            Err(error) => {
                // Too many open files, say: others may close theirs.
                tracing::warn!("a connection could not be accepted: {error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn open(stream: TcpStream, authority: &Authority) -> io::Result<Stream> {
    // Frames are small, and somebody waits for each.
    stream.set_nodelay(true)?;
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first[0] == HANDSHAKE {
        return Ok(Either::Right(Box::new(authority.acceptor.accept(stream).await?)));
    }
    Ok(Either::Left(stream))
}
