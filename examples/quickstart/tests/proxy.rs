//! The extension as a process whose way to Connect leads through a proxy: HTTP and WebSocket alike.

#![allow(clippy::unwrap_used, reason = "a test")]

mod process;

use std::{
    collections::BTreeSet,
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use connect_fulfillment::sandbox::Sandbox;
use process::{Extension, sandbox, tls_before};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// Only the proxy knows where it is.
const HOST: &str = "connect.example";
const USER: &str = "user";
const PASSWORD: &str = "canary-of-the-proxy";

/// A proxy that leads everywhere to one port of this machine.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Proxy {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let noted = Arc::clone(&noted);
                tokio::spawn(async move {
                    let mut client = BufReader::new(stream);
                    // A client that leaves early is its own matter.
                    let Ok((asked, accepted)) = asked_for(&mut client).await else { return };
                    let is_known = asked.2;
                    noted.lock().unwrap().push(asked);
                    if client.write_all(accepted).await.is_ok() && is_known {
                        let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Self { port: own, asked }
    }
}

/// The protocol, the target, and whether the credentials were right.
type Asked = (&'static str, String, bool);

async fn asked_for(client: &mut BufReader<TcpStream>) -> io::Result<(Asked, &'static [u8])> {
    if client.fill_buf().await?.first() == Some(&5) { socks(client).await } else { connect(client).await }
}

/// RFC 1928 with the user and password of RFC 1929.
async fn socks(client: &mut BufReader<TcpStream>) -> io::Result<(Asked, &'static [u8])> {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting).await?;
    text(client, greeting[1]).await?;
    client.write_all(&[5, 2]).await?;
    assert_eq!(client.read_u8().await?, 1);
    let length = client.read_u8().await?;
    let user = text(client, length).await?;
    let length = client.read_u8().await?;
    let password = text(client, length).await?;
    client.write_all(&[1, 0]).await?;
    let mut request = [0; 5];
    client.read_exact(&mut request).await?;
    assert_eq!(request[..4], [5, 1, 0, 3], "to connect to a name");
    let host = text(client, request[4]).await?;
    let port = client.read_u16().await?;
    let is_known = user == USER && password == PASSWORD;
    Ok((("socks5", format!("{host}:{port}"), is_known), &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
}

async fn text(client: &mut BufReader<TcpStream>, length: u8) -> io::Result<String> {
    let mut bytes = vec![0; length.into()];
    client.read_exact(&mut bytes).await?;
    Ok(String::from_utf8(bytes).unwrap())
}

/// RFC 9110, section 9.3.6.
async fn connect(client: &mut BufReader<TcpStream>) -> io::Result<(Asked, &'static [u8])> {
    let (mut head, mut read) = (String::new(), 1);
    while read > 0 && !head.ends_with("\r\n\r\n") {
        read = client.read_line(&mut head).await?;
    }
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    assert!(head.starts_with("CONNECT "), "{head}");
    let credentials = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let is_known = head.lines().any(|line| {
        line.split_once(": ").is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("proxy-authorization") && value == format!("Basic {credentials}")
        })
    });
    let answer: &[u8] = if is_known {
        b"HTTP/1.1 200 OK\r\n\r\n"
    } else {
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    };
    Ok((("http", target, is_known), answer))
}

/// A sandbox behind TLS and a proxy.
async fn behind_a_proxy() -> (Sandbox, Proxy, TempDir, PathBuf) {
    let sandbox = sandbox().await;
    let (port, certificate) = tls_before(&sandbox, HOST).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, certificate).unwrap();
    (sandbox, Proxy::to(port).await, folder, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_goes_through_the_proxy_that_the_variables_name() {
    for (variable, protocol, scheme) in
        [("HTTPS_PROXY", "http", "http"), ("https_proxy", "http", "http"), ("ALL_PROXY", "socks5", "socks5h")]
    {
        let (sandbox, proxy, _folder, file) = behind_a_proxy().await;
        let address = format!("{scheme}://{USER}:{PASSWORD}@127.0.0.1:{}", proxy.port);
        let extension =
            Extension::start(&sandbox, HOST, &file, &[(variable, &address), ("RUST_LOG", "debug")]);
        extension.settled(&sandbox).await;
        assert!(sandbox.requests().iter().all(|request| request["status"] == "approved"));
        let (code, log) = extension.terminated().await;
        assert_eq!(code, Some(0), "{log}");
        assert!(
            !log.contains(PASSWORD) && !log.contains(&STANDARD.encode(format!("{USER}:{PASSWORD}"))),
            "{log}"
        );
        let asked: BTreeSet<_> = proxy.asked.lock().unwrap().iter().cloned().collect();
        assert_eq!(asked, BTreeSet::from([(protocol, format!("{HOST}:443"), true)]), "{variable}");
        assert!(proxy.asked.lock().unwrap().len() >= 3, "two WebSockets, and REST");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_refuses_is_named_without_its_password() {
    let (sandbox, proxy, _folder, file) = behind_a_proxy().await;
    let address = format!("http://{USER}:canary-wrong@127.0.0.1:{}", proxy.port);
    let mut extension = Extension::start(&sandbox, HOST, &file, &[("HTTPS_PROXY", &address)]);
    let said = extension.said("connecting again").await;
    assert!(said.contains("proxy") && said.contains("127.0.0.1"), "{said}");
    assert!(!said.contains("canary-wrong"), "{said}");
    assert!(proxy.asked.lock().unwrap().iter().all(|(_, _, is_known)| !is_known));
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_need_no_proxy_are_reached_straight() {
    let sandbox = sandbox().await;
    let (port, certificate) = tls_before(&sandbox, "localhost").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, certificate).unwrap();
    // Nobody listens there.
    let variables = [("HTTPS_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "localhost")];
    let extension = Extension::start(&sandbox, &format!("localhost:{port}"), &file, &variables);
    extension.settled(&sandbox).await;
    assert_eq!(extension.terminated().await.0, Some(0));
}
