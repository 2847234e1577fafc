//! The one TLS configuration of a process, shared by HTTP and WebSocket.
//!
//! It names its crypto provider (the process's default where one is installed, else aws-lc-rs): with two providers in
//! one build, rustls would otherwise panic. It trusts the certificates of the system; `SSL_CERT_FILE` and
//! `SSL_CERT_DIR` name others.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore, crypto::CryptoProvider};

use crate::Error;

/// The configuration. It is made once for the process; where it could not be made, the next caller tries again.
pub fn client_config() -> Result<Arc<ClientConfig>, Error> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let made = make()?;
    Ok(Arc::clone(CONFIG.get_or_init(|| made)))
}

fn make() -> Result<Arc<ClientConfig>, Error> {
    let provider = CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for problem in &found.errors {
        tracing::debug!("a root certificate was left out: {problem}");
    }
    let (trusted, _) = roots.add_parsable_certificates(found.certs);
    if trusted == 0 {
        return Err(Error::usage(
            "no root certificates were found: install the system's (package ca-certificates), or name a file of them \
             in SSL_CERT_FILE",
        ));
    }
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::usage(format!("the TLS provider has no usable protocol: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
