//! The sandbox over TLS, on the same port as without.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use connect_sandbox::Sandbox;
use reqwest::{Certificate, Client, StatusCode, header::AUTHORIZATION};
use tokio::net::TcpStream;

async fn status(client: &Client, url: &str, sandbox: &Sandbox) -> Result<StatusCode, reqwest::Error> {
    let call = client.get(format!("{url}/public/v1/requests")).header(AUTHORIZATION, sandbox.api_key());
    Ok(call.send().await?.status())
}

#[tokio::test]
async fn one_port_takes_both() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    // Who says nothing holds up nobody.
    let _silent = TcpStream::connect(sandbox.address()).await.unwrap();
    let certificate = Certificate::from_pem(sandbox.certificate().as_bytes()).unwrap();
    let trusting = Client::builder().tls_certs_only([certificate]).build().unwrap();
    let https = sandbox.https_url();
    assert_eq!(status(&trusting, &https, &sandbox).await.unwrap(), StatusCode::OK);
    assert_eq!(
        status(&trusting, &https.replace("127.0.0.1", "localhost"), &sandbox).await.unwrap(),
        StatusCode::OK
    );
    assert_eq!(status(&trusting, &sandbox.url(), &sandbox).await.unwrap(), StatusCode::OK);
    let other = Client::new();
    let error = status(&other, &https, &sandbox).await.unwrap_err();
    assert!(error.is_connect(), "a certificate of nobody's is not trusted: {error:?}");
    sandbox.stop().await;
}

#[tokio::test]
async fn the_file_of_certificates_goes_with_the_sandbox() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let environment = sandbox.https_environment().unwrap();
    let file = |name: &str| environment.iter().find(|(known, _)| known == name).unwrap().1.clone();
    assert_eq!(file("SSL_CERT_FILE"), file("REQUESTS_CA_BUNDLE"));
    assert_eq!(file("SERVER_ADDRESS"), sandbox.address().to_string());
    let text = std::fs::read_to_string(file("SSL_CERT_FILE")).unwrap();
    assert!(text.starts_with(sandbox.certificate()) && text.len() > sandbox.certificate().len());
    sandbox.stop().await;
    assert!(!std::path::Path::new(&file("SSL_CERT_FILE")).exists());
}
