//! The extension as a process, and a sandbox behind TLS.

use std::{path::Path, process::Stdio, sync::Arc, time::Duration};

use connect_fulfillment::sandbox::Sandbox;
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Stands before the sandbox and takes TLS off; its port, and the certificate to trust.
pub(crate) async fn tls_before(sandbox: &Sandbox, name: &str) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, behind) = (listener.local_addr().unwrap().port(), sandbox.address());
    tokio::spawn(async move {
        while let Ok((outer, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A peer that does not trust the certificate ends the handshake.
                let Ok(mut outer) = acceptor.accept(outer).await else { return };
                let mut inner = TcpStream::connect(behind).await.unwrap();
                let _ = copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    (port, made.cert.pem())
}

pub(crate) async fn sandbox() -> Sandbox {
    let requests = concat!(env!("CARGO_MANIFEST_DIR"), "/../purchase/requests");
    Sandbox::builder().load_requests(requests).start().await.unwrap()
}

/// The extension, which trusts these certificates, with these variables beside those of the sandbox.
pub(crate) fn extension(
    sandbox: &Sandbox,
    server: &str,
    certificates: &Path,
    variables: &[(&str, &str)],
) -> Child {
    let environment = sandbox.environment().into_iter().filter(|(name, _)| !name.ends_with("_ADDRESS"));
    Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .env_clear()
        .envs(environment)
        .env("SERVER_ADDRESS", server)
        .env("SSL_CERT_FILE", certificates)
        .envs(variables.iter().copied())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

pub(crate) async fn terminated(extension: Child) -> (Option<i32>, String) {
    let kill = format!("kill -TERM {}", extension.id().unwrap());
    assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
    let output = timeout(PATIENCE, extension.wait_with_output()).await.unwrap().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}
