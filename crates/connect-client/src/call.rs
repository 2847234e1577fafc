use std::{
    fmt,
    future::IntoFuture,
    path::{Path, PathBuf},
    pin::Pin,
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use crate::{
    Client, Content, Download, Error, Reply, RetryPolicy, Transferred,
    answer::{Answer, decode},
    body::Body,
    client::header,
    multipart::Form,
    path::{self, Part},
    progress::Progress,
};

/// A boxed future, so that a call can be awaited by itself.
pub(crate) type Sending<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// One call of the API, sent when it is awaited.
///
/// Awaited by itself it gives a [`Value`]; [`json`](Self::json), [`opt`](Self::opt), [`bytes`](Self::bytes),
/// [`download`](Self::download) and others give other things.
///
/// ```no_run
/// # async fn run(client: connect_client::Client) -> Result<(), connect_client::Error> {
/// use std::time::Duration;
///
/// let note = client
///     .collection("requests")
///     .resource("PR-0000-0000-0000-001")
///     .get()
///     .header("X-Reason", "daily report")
///     .timeout(Duration::from_secs(5))
///     .await?["note"]
///     .to_string();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a call is sent when it is awaited"]
pub struct Call {
    pub(crate) client: Client,
    pub(crate) method: Method,
    path: Vec<Part>,
    query: Vec<String>,
    headers: Vec<(String, String)>,
    pub(crate) body: Body,
    content_type: Option<HeaderValue>,
    timeout: Option<Duration>,
    retry: Option<RetryPolicy>,
    pub(crate) on_upload: Option<Progress>,
    problem: Option<String>,
}

impl Call {
    pub(crate) fn new(client: Client, method: Method, path: Vec<Part>) -> Self {
        Self {
            client,
            method,
            path,
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            content_type: None,
            timeout: None,
            retry: None,
            on_upload: None,
            problem: None,
        }
    }

    /// A call of a free path, which may have a query behind a `?`.
    pub(crate) fn free(client: Client, method: Method, path: String) -> Self {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(path::written(query))),
            None => (path, None),
        };
        let mut call = Self::new(client, method, vec![Part::Path(path)]);
        call.query.extend(query.filter(|query| !query.is_empty()));
        call
    }

    /// Adds a query parameter.
    pub fn param(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.query.push(path::parameter(name, &value.to_string()));
        self
    }

    /// Adds a part of the query that is RQL, encoded as a URL needs it.
    pub(crate) fn rql(mut self, text: &str) -> Self {
        self.query.push(path::rql(text));
        self
    }

    /// Adds a header; it wins over the client's of that name, but for `Authorization`: the client's key stays.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends a body of JSON, also an empty one (`{}`).
    pub fn payload(mut self, payload: &impl Serialize) -> Self {
        match serde_json::to_vec(payload) {
            Ok(body) => {
                self.body = Body::Bytes(body.into());
                self.content_type = Some(HeaderValue::from_static("application/json"));
            }
            Err(error) => self.problem = Some(format!("the payload can't be written as JSON: {error}")),
        }
        self
    }

    /// Sends a body as it is, such as a spreadsheet.
    pub fn body(self, body: impl Into<Bytes>, content_type: &str) -> Self {
        self.with_body(Body::Bytes(body.into()), content_type)
    }

    /// Sends a file of the disk, which is read while it is sent.
    pub fn file(self, path: impl Into<PathBuf>, content_type: &str) -> Self {
        self.with_body(Body::File(path.into()), content_type)
    }

    /// Sends a form, as a web page would.
    pub fn form<K: AsRef<str>, V: AsRef<str>>(self, fields: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        self.body(body.finish(), "application/x-www-form-urlencoded")
    }

    /// Sends a body of several parts; files among them are read while they are sent.
    pub fn multipart(mut self, form: Form) -> Self {
        self.body = Body::Multipart(form.into());
        self.content_type = None;
        self
    }

    fn with_body(mut self, body: Body, content_type: &str) -> Self {
        match HeaderValue::from_str(content_type) {
            Ok(value) => self.content_type = Some(value),
            Err(_) => self.problem = Some(format!("{content_type:?} is no content type")),
        }
        self.body = body;
        self
    }

    /// Is told how far the files of the body have come; from the start again with each further try.
    pub fn on_upload(mut self, tell: impl Fn(Transferred) + Send + Sync + 'static) -> Self {
        self.on_upload = Some(Progress::new(tell));
        self
    }

    /// How long the call may take in all, further tries and the waits between them included. By default the client's
    /// limit holds, or none.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How often and how late the call is made again. By default the client's policy holds.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = Some(retry);
        self
    }

    /// The answer as a type.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        Ok(self.response().await?.body)
    }

    /// The answer as a type, with status and headers.
    pub async fn response<T: DeserializeOwned>(self) -> Result<Reply<T>, Error> {
        self.whole()
            .await?
            .try_map(|status, body| decode(&body).map_err(|error| error.answered(status, &body)))
    }

    /// The answer, or `None` where there is no such object (404).
    pub async fn opt<T: DeserializeOwned>(self) -> Result<Option<T>, Error> {
        match self.json().await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The answer as its content type says: JSON, bytes, or nothing.
    pub async fn content(self) -> Result<Content, Error> {
        let reply = self.whole().await?;
        let kind = reply.headers.get(CONTENT_TYPE).cloned();
        Ok(reply.try_map(|status, body| Content::read(status, kind.as_ref(), body))?.body)
    }

    /// The answer as it came, of which nothing is kept but the bytes.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        Ok(self.whole().await?.body)
    }

    /// Leaves the answer's body out.
    pub async fn empty(self) -> Result<(), Error> {
        self.whole().await.map(drop)
    }

    /// Writes the answer to a file, without holding it in memory. The file appears, or is replaced, once the answer is
    /// there in full; until then it is written beside, with `.part` behind its name.
    ///
    /// ```no_run
    /// # async fn run(client: connect_client::Client) -> Result<(), connect_client::Error> {
    /// let file = client.ns("usage").collection("chunks").resource("UFC-1").action("download").get();
    /// let bytes = file.download("chunk.xlsx").on_progress(|at| println!("{} bytes", at.done)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn download(self, path: impl AsRef<Path>) -> Download {
        Download::new(self, path.as_ref().to_owned())
    }

    pub(crate) async fn whole(self) -> Result<Reply<Bytes>, Error> {
        let Reply { status, headers, version, body } = self.send(Answer::Memory).await?;
        Ok(Reply { status, headers, version, body: body.into_bytes() })
    }

    /// Its path below the endpoint, encoded as it is sent.
    pub(crate) fn path_text(&self) -> String {
        path::encoded(&self.path)
    }

    pub(crate) fn retry_policy(&self) -> &RetryPolicy {
        self.retry.as_ref().unwrap_or(self.client.retry_policy())
    }

    pub(crate) fn time_limit(&self) -> Option<Duration> {
        self.timeout.or(self.client.timeout())
    }

    pub(crate) fn fail_when_sent(mut self, problem: String) -> Self {
        self.problem = Some(problem);
        self
    }

    pub(crate) fn url(&self) -> Result<Url, Error> {
        if let Some(problem) = &self.problem {
            return Err(Error::usage(problem.as_str()));
        }
        path::check(&self.path)?;
        let path = self.path_text();
        self.client.check_description(&self.method, &path)?;
        let mut url = self.client.endpoint().clone();
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        if !self.query.is_empty() {
            url.set_query(Some(&self.query.join("&")));
        }
        Ok(url)
    }

    pub(crate) fn all_headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = self.client.headers()?;
        if let Some(content_type) = &self.content_type {
            headers.insert(CONTENT_TYPE, content_type.clone());
        }
        for (name, value) in &self.headers {
            let (name, value) = header(name, value)?;
            if name != AUTHORIZATION {
                headers.insert(name, value);
            }
        }
        Ok(headers)
    }
}

impl IntoFuture for Call {
    type Output = Result<Value, Error>;
    type IntoFuture = Sending<Value>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.json())
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("path", &self.path_text())
            .finish_non_exhaustive()
    }
}
