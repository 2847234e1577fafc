//! The extension as a process of its own, over TLS with a private certificate: HTTP and WebSocket alike.

#![allow(clippy::unwrap_used, reason = "a test")]

mod process;

use connect_fulfillment::sandbox::Activity;
use process::{Extension, sandbox, tls_before};

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_trusts_the_certificates_it_is_told_to() {
    let sandbox = sandbox().await;
    let (port, certificate) = tls_before(&sandbox, "localhost").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, certificate).unwrap();
    let extension = Extension::start(&sandbox, &format!("localhost:{port}"), &file, &[]);
    extension.settled(&sandbox).await;
    assert!(sandbox.requests().iter().all(|request| request["status"] == "approved"));
    let (code, log) = extension.terminated().await;
    assert_eq!(code, Some(0), "{log}");
    let secret = sandbox.api_key().rsplit(':').next().unwrap();
    assert!(!log.contains(secret), "the key is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_trusts_no_other_certificate() {
    let sandbox = sandbox().await;
    let mut activity = sandbox.subscribe();
    let (port, _) = tls_before(&sandbox, "localhost").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&file, other.cert.pem()).unwrap();
    let mut extension = Extension::start(&sandbox, &format!("localhost:{port}"), &file, &[]);
    // It says so at the first attempt, after what it says about the events; what comes then it says when it stops.
    let said = extension.said("TLS with localhost").await;
    assert!(said.contains("the events could not be checked") && said.contains("certificate"), "{said}");
    let (code, _) = extension.terminated().await;
    assert_eq!(code, Some(0));
    assert!(!matches!(activity.try_recv(), Ok(Activity::RunnerConnected { .. })));
}
