//! `cargo bench -p connect-client`: calls per second over TLS on loopback, one after the other and 64 at once, the CPU
//! time of the client a call, and the memory that a listing of 100,000 objects takes. The server is a process of its
//! own.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark"
)]

use std::{
    convert::Infallible,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use connect_client::{Client, R};
use connect_model::AssetRequest;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, rustls};

const CALLS: usize = 20_000;
const OBJECTS: u64 = 100_000;

/// Tells the process that it is the server, and which protocol it offers.
const SERVER: &str = "CONNECT_BENCH_SERVER";

fn request() -> Value {
    let params: Vec<Value> = (0..10)
        .map(|id| json!({"id": format!("param_{id}"), "value": "some value", "type": "text"}))
        .collect();
    json!({
        "id": "PR-0000-0000-0000-001", "type": "purchase", "status": "pending", "note": "",
        "asset": {"id": "AS-0000-0000-0000", "status": "processing", "params": params, "items": []},
    })
}

fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let query = request.uri().query().unwrap_or_default();
    let number = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.parse::<u64>().ok());
    if request.uri().path() == "/assets" {
        let (limit, offset) = (number("limit=").unwrap(), number("offset=").unwrap());
        let end = (offset + limit).min(OBJECTS);
        let page: Vec<Value> = (offset..end).map(|id| json!({"id": id, "name": "x".repeat(200)})).collect();
        return Response::builder()
            .header("content-range", format!("items {offset}-{}/{OBJECTS}", end - 1))
            .body(Full::from(Value::from(page).to_string()))
            .unwrap();
    }
    Response::new(Full::from(request_text()))
}

fn request_text() -> Bytes {
    static TEXT: std::sync::OnceLock<Bytes> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| request().to_string().into()).clone()
}

async fn serve(protocol: &str) {
    let certificate = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}\n{}", listener.local_addr().unwrap(), certificate.cert.pem().replace('\n', "|"));
    std::io::stdout().flush().unwrap();
    while let Ok((socket, _)) = listener.accept().await {
        socket.set_nodelay(true).unwrap();
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let Ok(socket) = acceptor.accept(socket).await else { return };
            let service =
                service_fn(async |request: Request<Incoming>| Ok::<_, Infallible>(answer(&request)));
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

/// User and system time of this process.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Resident memory in MiB, now and at most.
fn memory() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    };
    (of("VmRSS:"), of("VmHWM:"))
}

async fn measure(client: &Client, protocol: &str, at_once: usize) {
    let requests = client.collection("requests");
    let call = || async { requests.get("PR-0000-0000-0000-001").json::<AssetRequest>().await.unwrap() };
    stream::iter(0..500).map(|_| call()).buffer_unordered(at_once).for_each(async |_| ()).await;
    let (started, cpu_before) = (Instant::now(), cpu());
    stream::iter(0..CALLS).map(|_| call()).buffer_unordered(at_once).for_each(async |_| ()).await;
    let (took, used) = (started.elapsed(), cpu().saturating_sub(cpu_before));
    println!(
        "{protocol}, {at_once} at once: {:.0} calls/s, {:.0} µs of CPU a call",
        CALLS as f64 / took.as_secs_f64(),
        used.as_secs_f64() * 1e6 / CALLS as f64,
    );
}

async fn walk(client: &Client) {
    let (before, _) = memory();
    let started = Instant::now();
    let query = client.collection("assets").filter(R::field("status").eq("active")).page_size(1000);
    let seen = query.stream::<Value>().try_fold(0_u64, async |seen, _| Ok(seen + 1)).await.unwrap();
    let (_, most) = memory();
    println!(
        "a listing of {seen} objects (22 MB) in pages of 1000: {:.1} s, {before:.0} MiB before, {most:.0} MiB at most",
        started.elapsed().as_secs_f64()
    );
}

fn main() {
    // `cargo test --benches` runs it with this argument; there is nothing to test here.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Ok(protocol) = std::env::var(SERVER) {
        return runtime.block_on(serve(&protocol));
    }
    if let Ok(protocol) = std::env::var("CONNECT_BENCH_CLIENT") {
        let endpoint = std::env::var("CONNECT_BENCH_ENDPOINT").unwrap();
        let client = Client::builder("ApiKey SU-1:x").endpoint(endpoint).build().unwrap();
        runtime.block_on(async {
            walk(&client).await;
            for at_once in [1, 64] {
                measure(&client, &protocol, at_once).await;
            }
        });
        return;
    }
    for protocol in ["http/1.1", "h2"] {
        let own = std::env::current_exe().unwrap();
        let mut server = Command::new(&own).env(SERVER, protocol).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let address = lines.next().unwrap().unwrap();
        let ca = std::env::temp_dir().join(format!("connect-bench-{}.pem", std::process::id()));
        std::fs::write(&ca, lines.next().unwrap().unwrap().replace('|', "\n")).unwrap();
        let status = Command::new(&own)
            .env("CONNECT_BENCH_CLIENT", protocol)
            .env("CONNECT_BENCH_ENDPOINT", format!("https://{address}"))
            .env("SSL_CERT_FILE", &ca)
            .status()
            .unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
        std::fs::remove_file(&ca).unwrap();
        assert!(status.success());
    }
}
