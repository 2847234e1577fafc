//! The extension as a process of its own, over TLS with a private certificate: HTTP and WebSocket alike.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{process::Stdio, sync::Arc, time::Duration};

use connect_fulfillment::sandbox::{Activity, Sandbox};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

const PATIENCE: Duration = Duration::from_secs(60);

/// Stands before the sandbox and takes TLS off; its port, and the certificate to trust.
async fn tls_before(sandbox: &Sandbox) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
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

async fn sandbox() -> Sandbox {
    let requests = concat!(env!("CARGO_MANIFEST_DIR"), "/../purchase/requests");
    Sandbox::builder().load_requests(requests).start().await.unwrap()
}

fn extension(sandbox: &Sandbox, port: u16, certificates: &std::path::Path) -> Child {
    let environment = sandbox.environment().into_iter().filter(|(name, _)| !name.ends_with("_ADDRESS"));
    Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .env_clear()
        .envs(environment)
        .env("SERVER_ADDRESS", format!("localhost:{port}"))
        .env("SSL_CERT_FILE", certificates)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn terminated(extension: Child) -> (Option<i32>, String) {
    let kill = format!("kill -TERM {}", extension.id().unwrap());
    assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
    let output = timeout(PATIENCE, extension.wait_with_output()).await.unwrap().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_trusts_the_certificates_it_is_told_to() {
    let sandbox = sandbox().await;
    let (port, certificate) = tls_before(&sandbox).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, certificate).unwrap();
    let extension = extension(&sandbox, port, &file);
    timeout(PATIENCE, sandbox.settled()).await.unwrap();
    assert!(sandbox.requests().iter().all(|request| request["status"] == "approved"));
    let (code, log) = terminated(extension).await;
    assert_eq!(code, Some(0), "{log}");
    let secret = sandbox.api_key().rsplit(':').next().unwrap();
    assert!(!log.contains(secret), "the key is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_trusts_no_other_certificate() {
    let sandbox = sandbox().await;
    let mut activity = sandbox.subscribe();
    let (port, _) = tls_before(&sandbox).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&file, other.cert.pem()).unwrap();
    let mut extension = extension(&sandbox, port, &file);
    // It says so at the first attempt, after what it says about the events; what comes then it says when it stops.
    let mut lines = tokio::io::BufReader::new(extension.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("TLS with localhost") {
        let line = tokio::io::AsyncBufReadExt::read_line(&mut lines, &mut said);
        assert!(timeout(PATIENCE, line).await.unwrap().unwrap() > 0, "{said}");
    }
    assert!(said.contains("the events could not be checked") && said.contains("certificate"), "{said}");
    let (code, _) = terminated(extension).await;
    assert_eq!(code, Some(0));
    assert!(!matches!(activity.try_recv(), Ok(Activity::RunnerConnected { .. })));
}
