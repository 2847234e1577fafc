use std::{
    ops::{Bound, RangeBounds},
    time::Duration,
};

use connect_model::rql::{Operand, Rql, RqlError, check_field};
use futures_util::{Stream, StreamExt, TryStreamExt};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    Call, Error, Page, RetryPolicy,
    answer::{decode_list, short_name},
    paging::{self, Walk},
    range::Found,
};

/// Which objects of a collection, in which order.
///
/// A query is a value: it holds no results, and each walk over it asks Connect anew.
///
/// ```no_run
/// # async fn run(client: connect_client::Client) -> Result<(), connect_client::Error> {
/// use connect_client::R;
/// use futures_util::TryStreamExt;
/// use serde_json::Value;
///
/// let query = client.collection("requests").filter(R::field("status").eq("pending")).order_by(["-created"]);
/// let ten: Vec<Value> = query.clone().range(..10).all().await?;
/// let mut every = std::pin::pin!(query.stream::<Value>());
/// while let Some(request) = every.try_next().await? {
///     println!("{}", request["id"]);
/// }
/// # Ok(())
/// # }
/// ```
///
/// A URL has its limits: a list of thousands of values ([`is_in`](connect_model::rql::R::is_in)) makes one that servers
/// refuse, many from 8 KiB on; ask in portions.
#[derive(Clone, Debug)]
#[must_use = "a query asks nothing until it is read"]
pub struct Query {
    call: Call,
    filter: Rql,
    ordering: Vec<String>,
    select: Vec<String>,
    search: String,
    page_size: u64,
    start: u64,
    stop: Option<u64>,
}

impl Query {
    pub(crate) fn new(call: Call) -> Self {
        let page_size = call.client.page_size();
        Self {
            call,
            filter: Rql::default(),
            ordering: Vec::new(),
            select: Vec::new(),
            search: String::new(),
            page_size,
            start: 0,
            stop: None,
        }
    }

    /// Only objects that match, and match all filters given before.
    pub fn filter(mut self, filter: impl Into<Rql>) -> Self {
        self.filter = self.filter & filter.into();
        self
    }

    /// Sorts by these fields too, after the ones given before; a leading `-` sorts descending.
    pub fn order_by(mut self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.ordering.extend(fields.into_iter().map(Into::into));
        self
    }

    /// Adds members to the objects, or with a leading `-` leaves them out.
    pub fn select(mut self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.select.extend(fields.into_iter().map(Into::into));
        self
    }

    /// Only objects in which this text is found, in place of one given before; an empty text searches nothing.
    pub fn search(mut self, term: impl Into<String>) -> Self {
        self.search = term.into();
        self
    }

    /// How many objects are asked for at once, from 1. By default the client's page size, or 100. It limits no walk;
    /// [`range`](Self::range) does.
    pub fn page_size(mut self, objects: u64) -> Self {
        self.page_size = objects;
        if objects == 0 {
            self.call = self.call.fail_when_sent("a page has at least one object".to_owned());
        }
        self
    }

    /// Only these of the objects found, by their position from 0; within the range given before, if one was.
    pub fn range(mut self, range: impl RangeBounds<u64>) -> Self {
        let from = match range.start_bound() {
            Bound::Included(first) => *first,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(last) => Some(last.saturating_add(1)),
            Bound::Excluded(end) => Some(*end),
            Bound::Unbounded => None,
        };
        let to = to.map(|to| self.start.saturating_add(to));
        self.stop = match (self.stop, to) {
            (Some(before), Some(to)) => Some(before.min(to)),
            (before, to) => before.or(to),
        };
        self.start = self.start.saturating_add(from);
        self
    }

    /// Adds a query parameter. `limit` and `offset` are the paging's own and left out here.
    pub fn param(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        if !matches!(name, "limit" | "offset") {
            self.call = self.call.param(name, value);
        }
        self
    }

    /// Adds a header to each call.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.call = self.call.header(name, value);
        self
    }

    /// How long each call may take in all.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.call = self.call.timeout(timeout);
        self
    }

    /// How often and how late each call is made again.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.call = self.call.retry(retry);
        self
    }

    /// The path of the collection below the endpoint, encoded as it is sent.
    #[must_use]
    pub fn path(&self) -> String {
        self.call.path_text()
    }

    /// The objects, one after the other.
    ///
    /// Pages are fetched when they are needed: the first with the first object. From the second page on the next one is
    /// fetched while the second half of its predecessor is read, one ahead and no more. Objects that were read are not
    /// kept. An error ends the stream.
    ///
    /// A listing whose answers name no range (`Content-Range`) ends with its first page. A full page whose range can't
    /// be read ends with [`ErrorKind::Decode`](crate::ErrorKind::Decode), since nobody knows whether there are more.
    pub fn stream<T>(self) -> impl Stream<Item = Result<T, Error>> + Send + 'static
    where
        T: DeserializeOwned + Send + 'static,
    {
        paging::items(Walk::new(self))
    }

    /// The same, page by page.
    pub fn pages<T>(self) -> impl Stream<Item = Result<Page<T>, Error>> + Send + 'static
    where
        T: DeserializeOwned + Send + 'static,
    {
        paging::pages(Walk::new(self))
    }

    /// All objects at once. Of a large collection rather take a [`stream`](Self::stream).
    pub async fn all<T>(self) -> Result<Vec<T>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.stream().try_collect().await
    }

    /// Some members of each object, by their path with dots (`owner.name`); what is not there is null. The query stays
    /// as it is: members that need not even be sent are left out by [`select`](Self::select).
    pub fn values(
        self,
        fields: impl IntoIterator<Item = impl Into<String>>,
    ) -> impl Stream<Item = Result<Map<String, Value>, Error>> + Send + 'static {
        let fields: Vec<String> = fields.into_iter().map(Into::into).collect();
        self.stream::<Value>().map(move |object| object.map(|object| pick(&object, &fields)))
    }

    /// How many objects there are, within the [`range`](Self::range) if one was given.
    pub async fn count(self) -> Result<u64, Error> {
        let (start, stop) = (self.start, self.stop);
        let reply = self.call_for(0, 0)?.response::<serde::de::IgnoredAny>().await?;
        let range = match Found::read(&reply.headers) {
            Found::Range(range) => range,
            Found::Nothing => return Err(Error::decode("a count", "it has no Content-Range")),
            Found::Garbled(text) => return Err(Found::garbled(&text)),
        };
        Ok(stop.map_or(range.total, |stop| stop.min(range.total)).saturating_sub(start))
    }

    /// Whether there is none; asks for one object.
    pub async fn is_empty(self) -> Result<bool, Error> {
        Ok(self.first::<serde::de::IgnoredAny>().await?.is_none())
    }

    /// The first object, if there is one.
    pub async fn first<T: DeserializeOwned>(self) -> Result<Option<T>, Error> {
        self.nth(0).await
    }

    /// The object at a position from 0, if there is one.
    pub async fn nth<T: DeserializeOwned>(self, position: u64) -> Result<Option<T>, Error> {
        let query = self.range(position..=position);
        if query.stop.is_some_and(|stop| stop <= query.start) {
            return Ok(None);
        }
        let (items, _) = query.fetch::<T>(1, query.start).await?;
        Ok(items.into_iter().next())
    }

    /// At most `limit` objects, after the first `offset` ones: one call, whatever range was given.
    pub async fn page<T: DeserializeOwned>(self, limit: u64, offset: u64) -> Result<Page<T>, Error> {
        let (items, found) = self.fetch(limit, offset).await?;
        Ok(Page { items, range: found.range() })
    }

    pub(crate) fn bounds(&self) -> (u64, Option<u64>, u64) {
        (self.start, self.stop, self.page_size.max(1))
    }

    pub(crate) async fn fetch<T: DeserializeOwned>(
        &self,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<T>, Found), Error> {
        let reply = self.call_for(limit, offset)?.whole().await?;
        let items = decode_list(short_name::<T>(), &reply.body)
            .map_err(|error| error.answered(reply.status, &reply.body))?;
        Ok((items, Found::read(&reply.headers)))
    }

    fn call_for(&self, limit: u64, offset: u64) -> Result<Call, Error> {
        let wrong = |error: RqlError| Error::usage(error.to_string());
        for field in self.select.iter().chain(&self.ordering) {
            check_field(field.trim_start_matches(['+', '-'])).map_err(wrong)?;
        }
        let mut call = self.call.clone();
        if !self.select.is_empty() {
            call = call.rql(&format!("select({})", self.select.join(",")));
        }
        self.filter.check().map_err(wrong)?;
        let filter = self.filter.to_string();
        if !filter.is_empty() {
            call = call.rql(&filter);
        }
        if !self.ordering.is_empty() {
            call = call.rql(&format!("ordering({})", self.ordering.join(",")));
        }
        call = call.rql(&format!("limit={limit}")).rql(&format!("offset={offset}"));
        if !self.search.is_empty() {
            let term = Operand::from(self.search.as_str());
            term.check("search").map_err(wrong)?;
            call = call.rql(&format!("search={term}"));
        }
        Ok(call)
    }
}

/// Members of an object by their paths with dots; null where a path leads nowhere.
pub(crate) fn pick(object: &Value, fields: &[String]) -> Map<String, Value> {
    let member = |field: &String| {
        let value = field.split('.').try_fold(object, |value, name| value.as_object()?.get(name));
        (field.clone(), value.cloned().unwrap_or_default())
    };
    fields.iter().map(member).collect()
}
