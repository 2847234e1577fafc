//! How a listing is walked.

use futures_util::{Stream, stream};
use serde::de::DeserializeOwned;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::{ContentRange, Error, Query, range::Found};

/// Some objects of a collection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The objects.
    pub items: Vec<T>,
    /// Which they are, where Connect says so in a way that can be read.
    pub range: Option<ContentRange>,
}

/// Where a walk stands: what is left to ask for.
#[derive(Debug)]
pub(crate) struct Walk {
    query: Query,
    offset: u64,
    stop: Option<u64>,
    page_size: u64,
    pages: u64,
    next: Next,
}

#[derive(Debug)]
enum Next {
    Page,
    Failure(Error),
    End,
}

impl Walk {
    pub(crate) fn new(query: Query) -> Self {
        let (offset, stop, page_size) = query.bounds();
        Self { query, offset, stop, page_size, pages: 0, next: Next::Page }
    }

    /// How many objects may still come.
    fn left(&self) -> u64 {
        self.stop.map_or(u64::MAX, |stop| stop.saturating_sub(self.offset))
    }

    async fn page<T: DeserializeOwned>(&mut self) -> Result<Option<Page<T>>, Error> {
        match std::mem::replace(&mut self.next, Next::End) {
            Next::Page if self.left() > 0 => {}
            Next::Failure(error) => return Err(error),
            Next::Page | Next::End => return Ok(None),
        }
        let limit = self.page_size.min(self.left());
        let (mut items, found) = self.query.fetch::<T>(limit, self.offset).await?;
        let received = items.len() as u64;
        if received == 0 {
            return Ok(None);
        }
        self.pages += 1;
        let range = found.range();
        match found {
            Found::Range(range) if self.pages > 1 && range.first < self.offset => {
                let problem =
                    format!("asked for objects from {}, it has those from {}", self.offset, range.first);
                return Err(Error::decode("the next page", problem));
            }
            // Servers cut a limit down to their own, so it goes on behind what came, not behind what was asked for.
            Found::Range(range) if self.offset.saturating_add(received) < range.total => {
                self.next = Next::Page;
            }
            Found::Garbled(text) if received >= limit => self.next = Next::Failure(Found::garbled(&text)),
            Found::Range(_) | Found::Nothing | Found::Garbled(_) => {}
        }
        items.truncate(usize::try_from(self.left()).unwrap_or(usize::MAX));
        self.offset = self.offset.saturating_add(received);
        Ok(Some(Page { items, range }))
    }

    fn is_over(&self) -> bool {
        matches!(self.next, Next::End) || self.left() == 0
    }
}

pub(crate) fn pages<T>(walk: Walk) -> impl Stream<Item = Result<Page<T>, Error>> + Send + 'static
where
    T: DeserializeOwned + Send + 'static,
{
    stream::try_unfold(walk, async |mut walk| Ok(walk.page().await?.map(|page| (page, walk))))
}

/// A page that is fetched while another one is read.
type Ahead<T> = AbortOnDropHandle<(Walk, Result<Option<Page<T>>, Error>)>;

enum Source<T> {
    Here(Box<Walk>),
    Ahead(Ahead<T>),
    Over,
}

struct Items<T> {
    page: std::vec::IntoIter<T>,
    /// How many objects the page had.
    length: usize,
    source: Source<T>,
}

impl<T: DeserializeOwned + Send + 'static> Items<T> {
    /// Fetches the next page while this one is read, for whoever is in the second half of a page that is not the first:
    /// who reads on. Who takes a few objects costs no call too many.
    fn look_ahead(&mut self) {
        let read = self.length - self.page.len();
        match std::mem::replace(&mut self.source, Source::Over) {
            Source::Here(mut walk) if walk.pages > 1 && read * 2 > self.length && !walk.is_over() => {
                let fetch = async move {
                    let page = walk.page().await;
                    (*walk, page)
                };
                let task = tokio::spawn(fetch.in_current_span());
                self.source = Source::Ahead(AbortOnDropHandle::new(task));
            }
            source => self.source = source,
        }
    }

    async fn next(&mut self) -> Result<Option<T>, Error> {
        loop {
            if let Some(item) = self.page.next() {
                self.look_ahead();
                return Ok(Some(item));
            }
            let (walk, page) = match std::mem::replace(&mut self.source, Source::Over) {
                Source::Here(mut walk) => {
                    let page = walk.page().await;
                    (walk, page)
                }
                Source::Ahead(task) => {
                    let lost = |_| Error::usage("the walk's runtime has shut down");
                    let (walk, page) = task.await.map_err(lost)?;
                    (Box::new(walk), page)
                }
                Source::Over => return Ok(None),
            };
            let Some(page) = page? else { return Ok(None) };
            self.length = page.items.len();
            self.page = page.items.into_iter();
            self.source = Source::Here(walk);
        }
    }
}

pub(crate) fn items<T>(walk: Walk) -> impl Stream<Item = Result<T, Error>> + Send + 'static
where
    T: DeserializeOwned + Send + 'static,
{
    let items = Items { page: Vec::new().into_iter(), length: 0, source: Source::Here(Box::new(walk)) };
    stream::try_unfold(items, async |mut items: Items<T>| Ok(items.next().await?.map(|item| (item, items))))
}
