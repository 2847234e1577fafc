//! Secrets that tests can tell: none of them may be in a log line, whatever its level.

#![allow(clippy::print_stderr, reason = "a test")]

use std::io;

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, fmt, fmt::format::FmtSpan, layer::SubscriberExt, registry::LookupSpan,
};

/// Every secret of a test contains the first, the key of the recorded cases is the second. The gate looks for the first
/// in all that the tests print, too.
const CANARIES: [&[u8]; 2] = [b"canary", b"xxxxxxxxxxxx"];

/// Takes log lines and ends the process at the first with a secret in it.
#[derive(Clone, Copy)]
struct Searched;

impl io::Write for Searched {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if CANARIES.iter().any(|canary| line.windows(canary.len()).any(|part| part == *canary)) {
            eprintln!("a secret is in a log line: {}", String::from_utf8_lossy(line));
            std::process::abort();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads every line and span that there is, with all fields.
pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    // Below that the libraries tell single bytes of the wire, which has to have the key.
    let filter = EnvFilter::new(
        "debug,connect_runner=trace,connect_client=trace,connect_saga=trace,connect_cache=trace",
    );
    fmt::layer().with_writer(|| Searched).with_ansi(false).with_span_events(FmtSpan::NEW).with_filter(filter)
}

/// Searches all that this process logs, unless the test has its own subscriber.
pub fn search() {
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer()));
}
