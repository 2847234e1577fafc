//! For scripts and tests that have no `async`: every call, and every listing, can be waited for.
//!
//! ```no_run
//! use connect_client::{Client, R, blocking::{Wait, WaitEach}};
//! use serde_json::Value;
//!
//! let client = Client::builder("ApiKey SU-000-000-000:secret").build()?;
//! let request = client.collection("requests").get("PR-0000-0000-0000-001").wait()?;
//! for asset in client.collection("assets").filter(R::field("status").eq("active")).stream::<Value>().wait_each() {
//!     println!("{}", asset?["id"]);
//! }
//! # Ok::<(), connect_client::Error>(())
//! ```
//!
//! There is one API, and this waits for it; connections live in a runtime of one thread that the first wait starts.

use std::{future::IntoFuture, pin::Pin, sync::OnceLock};

use futures_util::{Stream, StreamExt};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::Error;

fn runtime() -> Result<&'static Runtime, Error> {
    static RUNTIME: OnceLock<Result<Runtime, std::io::Error>> = OnceLock::new();
    if Handle::try_current().is_ok() {
        return Err(Error::usage("this is async code already: await the call instead of waiting for it"));
    }
    RUNTIME
        .get_or_init(|| {
            Builder::new_multi_thread().worker_threads(1).thread_name("connect-client").enable_all().build()
        })
        .as_ref()
        .map_err(|error| Error::usage(format!("no thread can be started to wait for calls: {error}")))
}

/// Waits for a call: anything that could be awaited and gives what the client gives.
///
/// ```no_run
/// # fn run(client: connect_client::Client) -> Result<(), connect_client::Error> {
/// use connect_client::blocking::Wait;
///
/// let pending = client.collection("requests").query().count().wait()?;
/// # Ok(())
/// # }
/// ```
pub trait Wait<T>: Sized {
    /// Waits until it is done. Inside async code it is a usage error, since it would stop everything else there.
    fn wait(self) -> Result<T, Error>;
}

impl<T, F> Wait<T> for F
where
    F: IntoFuture<Output = Result<T, Error>>,
{
    fn wait(self) -> Result<T, Error> {
        runtime()?.block_on(self.into_future())
    }
}

/// Waits for each object of a listing.
///
/// ```no_run
/// # fn run(client: connect_client::Client) -> Result<(), connect_client::Error> {
/// use connect_client::blocking::WaitEach;
/// use serde_json::Value;
///
/// let products: Vec<Value> = client.collection("products").query().stream().wait_each().collect::<Result<_, _>>()?;
/// # Ok(())
/// # }
/// ```
pub trait WaitEach<T>: Sized {
    /// The objects, each waited for when it is asked for. Inside async code the first is a usage error.
    fn wait_each(self) -> impl Iterator<Item = Result<T, Error>>;
}

struct Each<S> {
    stream: Option<Pin<Box<S>>>,
}

impl<T, S: Stream<Item = Result<T, Error>>> Iterator for Each<S> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let stream = self.stream.as_mut()?;
        let next = runtime().map_or_else(|error| Some(Err(error)), |runtime| runtime.block_on(stream.next()));
        if !matches!(next, Some(Ok(_))) {
            self.stream = None;
        }
        next
    }
}

impl<T, S> WaitEach<T> for S
where
    S: Stream<Item = Result<T, Error>>,
{
    fn wait_each(self) -> impl Iterator<Item = Result<T, Error>> {
        Each { stream: Some(Box::pin(self)) }
    }
}
