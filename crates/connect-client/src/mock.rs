//! A client for tests, whose answers the test writes down.
//!
//! ```
//! # async fn run() -> Result<(), connect_client::Error> {
//! use connect_client::mock::ClientMock;
//! use serde_json::json;
//!
//! let mock = ClientMock::new();
//! mock.get("requests/PR-1").reply(json!({"id": "PR-1", "status": "pending"}));
//! mock.post("requests/PR-1/approve").body(json!({"template_id": "TL-1"})).reply(json!({"status": "approved"}));
//!
//! let request = mock.client().collection("requests").resource("PR-1");
//! assert_eq!(request.get().await?["status"], "pending");
//! request.action("approve").post(&json!({"template_id": "TL-1"})).await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! It is strict: a call that nobody expected, and an expectation that nobody met, fails the test when the mock goes out
//! of scope, with the nearest expectation beside. Nothing is sent anywhere, nothing waits between tries, and each mock
//! stands alone.

mod call;
mod expectation;
mod report;
mod script;

use std::{sync::Arc, time::Duration};

use http::Method;
use serde_json::Value;

pub(crate) use self::script::Script;
pub use self::{
    call::{MockCall, MockPart},
    expectation::{Expectation, MockReply},
};
use crate::{Client, RetryPolicy, transport::Transport};

/// Expected calls and their answers. See the [module](self).
#[derive(Debug, Default)]
pub struct ClientMock {
    script: Arc<Script>,
    is_verified: bool,
}

impl ClientMock {
    /// A mock that expects nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A client that is answered by this mock. Its key is `ApiKey SU-000-000-000:mock`; a failed try is followed by the
    /// next without a wait.
    ///
    /// # Panics
    ///
    /// Never: all settings are its own.
    #[must_use]
    pub fn client(&self) -> Client {
        let built = Client::builder("ApiKey SU-000-000-000:mock")
            .endpoint("https://connect.example/public/v1")
            .retry(RetryPolicy::default().first_wait(Duration::ZERO))
            .build_on(Transport::Mock(Arc::clone(&self.script)));
        #[allow(clippy::expect_used, reason = "nothing in it comes from outside")]
        built.expect("the mock's own settings are right")
    }

    /// Expects a GET of a path below the endpoint, such as `requests/PR-1`.
    pub fn get(&self, path: impl AsRef<str>) -> Expectation {
        self.expect(Method::GET, path)
    }

    /// Expects a POST.
    pub fn post(&self, path: impl AsRef<str>) -> Expectation {
        self.expect(Method::POST, path)
    }

    /// Expects a PUT.
    pub fn put(&self, path: impl AsRef<str>) -> Expectation {
        self.expect(Method::PUT, path)
    }

    /// Expects a DELETE.
    pub fn delete(&self, path: impl AsRef<str>) -> Expectation {
        self.expect(Method::DELETE, path)
    }

    /// Expects a call. It counts once it is given its reply.
    pub fn expect(&self, method: Method, path: impl AsRef<str>) -> Expectation {
        Expectation::new(Arc::clone(&self.script), method, path.as_ref())
    }

    /// Serves a collection: GET of one of its objects by its `id`, and listings with filters, ordering and paging, read
    /// as Connect reads them. Nobody has to ask for it.
    pub fn serve(&self, path: impl AsRef<str>, objects: impl IntoIterator<Item = Value>) {
        self.script.serve(path.as_ref(), objects.into_iter().collect());
    }

    /// The calls that came, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<MockCall> {
        self.script.calls()
    }

    /// Fails the test now if a call was not expected or an expectation was not met. Dropping the mock does the same.
    ///
    /// # Panics
    ///
    /// If so.
    pub fn verify(mut self) {
        self.check();
    }

    fn check(&mut self) {
        if std::mem::replace(&mut self.is_verified, true) || std::thread::panicking() {
            return;
        }
        if let Some(report) = self.script.report() {
            #[allow(clippy::panic, reason = "this is how a test fails")]
            {
                panic!("{report}");
            }
        }
    }
}

impl Drop for ClientMock {
    fn drop(&mut self) {
        self.check();
    }
}
