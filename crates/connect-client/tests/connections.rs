//! How Connect is reached: TLS, HTTP/2, proxies, one pool, limits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use connect_client::{Client, ErrorKind, RetryPolicy, http::Version};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{TlsAcceptor, rustls};

/// A certificate for 127.0.0.1 that signs itself, and its key.
fn certificate() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap()
}

/// A TLS server that speaks what the other side offers; it counts its connections.
async fn tls_server(certificate: &rcgen::CertifiedKey<rcgen::KeyPair>) -> (String, Arc<AtomicUsize>) {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(socket) = acceptor.accept(socket).await else { return };
                let service = service_fn(async |_: Request<Incoming>| {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    Ok::<_, std::convert::Infallible>(Response::new(Full::<hyper::body::Bytes>::from(
                        "{\"ok\":true}",
                    )))
                });
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(socket), service)
                    .await;
            });
        }
    });
    (endpoint, connections)
}

/// Variables of the process say whom it trusts, so this part of the test runs in one of its own.
#[tokio::test]
async fn http2_is_spoken_where_it_is_offered() {
    if let Some(endpoint) = std::env::var_os("CHILD_ENDPOINT") {
        let client =
            Client::builder("ApiKey SU-1:x").endpoint(endpoint.into_string().unwrap()).build().unwrap();
        let reply = client.get("a").response::<Value>().await.unwrap();
        assert_eq!((reply.version, reply.body["ok"].as_bool()), (Version::HTTP_2, Some(true)));
        let calls = (0..50).map(|_| async { client.get("a").await.unwrap() });
        futures_util::future::join_all(calls).await;
        return;
    }
    let certificate = certificate();
    let (endpoint, connections) = tls_server(&certificate).await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, certificate.cert.pem()).unwrap();
    let child = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "http2_is_spoken_where_it_is_offered"])
            .env("CHILD_ENDPOINT", endpoint)
            .env("SSL_CERT_FILE", ca)
            .output()
            .unwrap()
    });
    let output = child.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(connections.load(Ordering::SeqCst), 1, "51 calls share one connection");
}

#[tokio::test]
async fn an_untrusted_certificate_is_told_at_once() {
    let (endpoint, connections) = tls_server(&certificate()).await;
    let client = Client::builder("ApiKey SU-1:x").endpoint(endpoint).build().unwrap();
    let error = client.get("a").await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Connection, false));
    assert!(error.to_string().starts_with("Connect's certificate is not trusted: "), "{error}");
    assert_eq!(connections.load(Ordering::SeqCst), 1, "no further try makes it trusted");
}

#[tokio::test]
async fn a_proxy_is_gone_through() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://user:canary@{}", listener.local_addr().unwrap());
    let proxy = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        let length = socket.read(&mut head).await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    let builder = Client::builder("ApiKey SU-1:x").endpoint("http://connect.example/public/v1");
    let client = builder.proxy(address).build().unwrap();
    client.get("accounts").await.unwrap();
    let head = proxy.await.unwrap();
    assert!(head.starts_with("GET http://connect.example/public/v1/accounts "), "{head}");
    assert!(head.to_lowercase().contains("proxy-authorization: basic "), "{head}");
    let error = Client::builder("k").proxy("user:canary@nowhere").build().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
}

#[tokio::test]
async fn no_more_calls_than_allowed_are_under_way() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
    let router = axum::Router::new().fallback(axum::routing::any(move || async move {
        highest.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
        counted.fetch_sub(1, Ordering::SeqCst);
        "{}"
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let builder = Client::builder("ApiKey SU-1:x").endpoint(endpoint).retry(RetryPolicy::none());
    let client = builder.max_concurrent_calls(4).build().unwrap();
    let other = client.with_api_key("ApiKey SU-2:y");
    let calls = (0..40).map(|index| if index % 2 == 0 { client.get("a") } else { other.get("a") });
    futures_util::future::join_all(calls.map(|call| async { call.await.unwrap() })).await;
    assert_eq!(most.load(Ordering::SeqCst), 4);
}
