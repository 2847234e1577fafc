//! Files: they are streamed both ways, in full or not at all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, response::Response, routing::any};
use bytes::Bytes;
use connect_client::{Client, ErrorKind, RetryPolicy, multipart::Form};
use futures_util::StreamExt;

const SIZE: usize = 20 * 1024 * 1024;

async fn serve(router: Router) -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let retry = RetryPolicy::default().first_wait(Duration::from_millis(2));
    Client::builder("ApiKey SU-000:canary").endpoint(endpoint).retry(retry).build().unwrap()
}

fn file(size: usize) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usage é.csv");
    std::fs::write(&path, vec![b'x'; size]).unwrap();
    (folder, path)
}

#[tokio::test]
async fn a_file_is_uploaded_from_the_disk_and_again_for_a_further_try() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let router = Router::new().fallback(any(move |request: Request| async move {
        let is_first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        let mut body = request.into_body().into_data_stream();
        let (mut bytes, mut largest) = (0, 0);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.unwrap();
            bytes += chunk.len();
            largest = largest.max(chunk.len());
        }
        let status = if is_first { 503 } else { 200 };
        let answer = format!("{{\"bytes\": {bytes}, \"largest\": {largest}}}");
        Response::builder().status(status).body(Body::from(answer)).unwrap()
    }));
    let client = serve(router).await;
    let (_folder, path) = file(SIZE);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let form = Form::new().file("usage_file", &path).content_type("text/csv").text("note", "march");
    let answer = client
        .collection("usage")
        .resource("UF-1")
        .action("upload")
        .request(connect_client::Method::PUT)
        .multipart(form)
        .on_upload(move |at| told.lock().unwrap().push((at.done, at.total)))
        .await
        .unwrap();
    assert!(answer["bytes"].as_u64().unwrap() >= SIZE as u64, "{answer}");
    assert!(answer["largest"].as_u64().unwrap() < 1024 * 1024, "it came in pieces: {answer}");
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.last(), Some(&(SIZE as u64, Some(SIZE as u64))));
    assert!(
        seen.iter().filter(|(done, _)| *done == SIZE as u64).count() == 2,
        "each try counts from the start"
    );

    let raw = client.get("x").file(&path, "text/csv").await.unwrap();
    assert_eq!(raw["bytes"], SIZE);
    let missing = client.get("x").file("/nowhere/a.csv", "text/csv").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::File);
    assert!(missing.to_string().starts_with("the file /nowhere/a.csv can't be read"), "{missing}");
}

fn pieces(count: usize, ends_well: bool) -> Body {
    let chunks = (0..count).map(|_| Ok(Bytes::from(vec![b'y'; 64 * 1024])));
    let end = (!ends_well).then(|| Err(std::io::Error::other("cut")));
    Body::from_stream(futures_util::stream::iter(chunks.chain(end)))
}

#[tokio::test]
async fn a_download_appears_when_it_is_there_in_full() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let router = Router::new().fallback(any(move |request: Request| async move {
        let before = counted.fetch_add(1, Ordering::SeqCst);
        match request.uri().path() {
            "/missing" => Response::builder().status(404).body(Body::from("{}")).unwrap(),
            "/cut" => Response::new(pieces(16, false)),
            _ => Response::new(pieces(320, before > 0)),
        }
    }));
    let client = serve(router).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chunk.xlsx");
    let last = Arc::new(Mutex::new(0));
    let told = Arc::clone(&last);
    let bytes = client
        .get("file")
        .download(&path)
        .on_progress(move |at| *told.lock().unwrap() = at.done)
        .await
        .unwrap();
    assert_eq!((bytes, *last.lock().unwrap()), (SIZE as u64, SIZE as u64));
    assert_eq!(std::fs::metadata(&path).unwrap().len(), SIZE as u64);
    assert_eq!(tries.load(Ordering::SeqCst), 2, "the first was cut");

    let other = folder.path().join("other");
    let error = client.get("cut").download(&other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(client.get("missing").download(&other).await.unwrap_err().is_not_found());
    let error = client.get("file").download("/nowhere/a").await.unwrap_err();
    assert!(error.to_string().starts_with("the file /nowhere/a can't be written"), "{error}");
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["chunk.xlsx"], "nothing begun is left");
}
