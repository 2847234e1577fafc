use connect_model::rql::{Operand, Rql, check_field};
use reqwest::header::{CONTENT_RANGE, HeaderMap};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Call, Error, call::Reply};

/// Which objects of a collection, in which order.
///
/// ```no_run
/// # async fn run(client: connect_client::Client) -> Result<(), connect_client::Error> {
/// use connect_client::R;
///
/// let page = client
///     .collection("requests")
///     .query()
///     .filter(R::field("status").eq("pending"))
///     .order_by(["-created"])
///     .page::<serde_json::Value>(10, 0)
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Query {
    call: Call,
    filter: Rql,
    ordering: Vec<String>,
    select: Vec<String>,
    search: Option<String>,
}

/// Which entries an answer holds, and how many there are in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRange {
    /// The first entry, from 0.
    pub first: u64,
    /// The last entry.
    pub last: u64,
    /// How many there are in all.
    pub total: u64,
}

/// Some entries of a collection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Which they are, where Connect says so.
    pub range: Option<ContentRange>,
}

impl ContentRange {
    /// `items 0-9/123`
    fn parse(headers: &HeaderMap) -> Result<Option<Self>, Error> {
        let Some(header) = headers.get(CONTENT_RANGE) else { return Ok(None) };
        let text = header.to_str().unwrap_or_default();
        let parse = || {
            let rest = text.trim().strip_prefix("items")?.trim_start();
            let (range, total) = rest.split_once('/')?;
            let (first, last) = range.split_once('-')?;
            let number = |text: &str| text.trim().parse().ok();
            Some(Self { first: number(first)?, last: number(last)?, total: number(total)? })
        };
        parse().map(Some).ok_or_else(|| Error::decode("a range", format!("Content-Range is \"{text}\"")))
    }
}

impl Query {
    pub(crate) fn new(call: Call) -> Self {
        Self { call, filter: Rql::Empty, ordering: Vec::new(), select: Vec::new(), search: None }
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

    /// Only objects in which this text is found.
    pub fn search(mut self, term: impl Into<String>) -> Self {
        self.search = Some(term.into());
        self
    }

    /// How many objects there are.
    pub async fn count(self) -> Result<u64, Error> {
        let reply: Reply<Value> = self.limited(0, 0)?.response().await?;
        let range = ContentRange::parse(&reply.headers)?;
        range.map(|range| range.total).ok_or_else(|| Error::decode("a count", "it has no Content-Range"))
    }

    /// The first object, if there is one.
    pub async fn first<T: DeserializeOwned>(self) -> Result<Option<T>, Error> {
        Ok(self.page::<T>(1, 0).await?.items.into_iter().next())
    }

    /// At most `limit` objects, after the first `offset` ones.
    pub async fn page<T: DeserializeOwned>(self, limit: u64, offset: u64) -> Result<Page<T>, Error> {
        let reply: Reply<Vec<T>> = self.limited(limit, offset)?.response().await?;
        Ok(Page { range: ContentRange::parse(&reply.headers)?, items: reply.body })
    }

    fn limited(self, limit: u64, offset: u64) -> Result<Call, Error> {
        let wrong = |error: connect_model::rql::RqlError| Error::usage(error.to_string());
        for field in self.select.iter().chain(&self.ordering) {
            check_field(field.trim_start_matches(['+', '-'])).map_err(wrong)?;
        }
        let mut call = self.call;
        if !self.select.is_empty() {
            call = call.rql(format!("select({})", self.select.join(",")));
        }
        self.filter.check().map_err(wrong)?;
        if !self.filter.is_empty() {
            call = call.rql(self.filter.to_string());
        }
        if !self.ordering.is_empty() {
            call = call.rql(format!("ordering({})", self.ordering.join(",")));
        }
        call = call.rql(format!("limit={limit}")).rql(format!("offset={offset}"));
        if let Some(term) = self.search {
            let term = Operand::from(term);
            term.check("search").map_err(wrong)?;
            call = call.rql(format!("search={term}"));
        }
        Ok(call)
    }
}
