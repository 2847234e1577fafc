//! The extension as a process, and a sandbox behind TLS.

use std::{path::Path, process::Stdio, sync::Arc, time::Duration};

use connect_fulfillment::sandbox::Sandbox;
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncBufReadExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    sync::watch,
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

/// A running extension, and what it says: read as it comes, so that it never waits for a reader.
pub(crate) struct Extension {
    process: Child,
    said: watch::Receiver<String>,
}

impl Extension {
    /// Trusts these certificates, and has these variables beside those of the sandbox.
    pub(crate) fn start(
        sandbox: &Sandbox,
        server: &str,
        certificates: &Path,
        variables: &[(&str, &str)],
    ) -> Self {
        let environment = sandbox.environment().into_iter().filter(|(name, _)| !name.ends_with("_ADDRESS"));
        let mut process = Command::new(env!("CARGO_BIN_EXE_quickstart"))
            .env_clear()
            .envs(environment)
            .env("SERVER_ADDRESS", server)
            .env("SSL_CERT_FILE", certificates)
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let (all, said) = watch::channel(String::new());
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                all.send_modify(|said| said.extend([line.as_str(), "\n"]));
            }
        });
        Self { process, said }
    }

    /// All it said, once that is among it.
    pub(crate) async fn said(&mut self, text: &str) -> String {
        let there = self.said.wait_for(|said| said.contains(text));
        let is_there = timeout(PATIENCE, there).await.is_ok_and(|said| said.is_ok());
        let said = self.said.borrow().clone();
        assert!(is_there, "it did not say {text:?}, but:\n{said}");
        said
    }

    /// Waits until all is done in the sandbox.
    pub(crate) async fn settled(&self, sandbox: &Sandbox) {
        let settled = timeout(PATIENCE, sandbox.settled()).await;
        assert!(settled.is_ok(), "not settled; the extension said:\n{}", *self.said.borrow());
    }

    /// Its exit code, and all it said.
    pub(crate) async fn terminated(mut self) -> (Option<i32>, String) {
        let kill = format!("kill -TERM {}", self.process.id().unwrap());
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
        let status = timeout(PATIENCE, self.process.wait()).await.unwrap().unwrap();
        // The reader ends when all is read.
        while self.said.changed().await.is_ok() {}
        (status.code(), self.said.borrow().clone())
    }
}
