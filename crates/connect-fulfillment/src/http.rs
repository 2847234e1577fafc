//! HTTP for what is not Connect: collectors of logs and of telemetry.

/// A client with the process's TLS and proxies. It follows no redirection: nothing that belongs to one host goes to
/// another.
pub(crate) fn client() -> Result<reqwest::Client, String> {
    let mut tls = (*connect_client::tls::client_config().map_err(|error| error.to_string())?).clone();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).http1_only();
    builder.tls_backend_preconfigured(tls).build().map_err(|error| reason(&error))
}

/// An error with what caused it.
pub(crate) fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
