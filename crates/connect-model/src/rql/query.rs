use percent_encoding::percent_decode_str;

use super::{Comparison, Operand, Rql, RqlError, parse::Parser};

/// The query of a collection: which objects, in which order, which of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// Which objects; by default all.
    pub filter: Rql,
    /// Fields to sort by; a leading `-` sorts descending.
    pub ordering: Vec<String>,
    /// Members to add, or with a leading `-` to leave out.
    pub select: Vec<String>,
    /// At most so many objects; `None` is the default of the endpoint.
    pub limit: Option<usize>,
    /// After so many objects; `None` is 0.
    pub offset: Option<usize>,
    /// A text to search for.
    pub search: Option<String>,
}

/// What stood beside the filter, and which of it: each may stand once.
#[derive(Debug, Default)]
pub(super) struct Found {
    query: Query,
    seen: Vec<&'static str>,
}

impl Query {
    /// Reads the query of a URL, percent-encoded as it is there, with or without its `?`. An empty one asks for
    /// everything.
    ///
    /// The filter may be written as [`Rql::parse`] takes it. Beside it, once each, may stand `limit=`, `offset=`,
    /// `search=`, `ordering(…)` or `order_by=`, `select(…)` and `limit(limit,offset)`. Empty parts are skipped. As the
    /// published server does, a `limit` or `offset` that is no number counts as not given.
    ///
    /// ```
    /// use connect_model::rql::Query;
    ///
    /// let query = Query::parse("in(status,(pending,approved))&ordering(-created)&limit=10&offset=0")?;
    /// assert_eq!((query.limit, query.ordering), (Some(10), vec!["-created".to_owned()]));
    /// # Ok::<(), connect_model::rql::RqlError>(())
    /// ```
    pub fn parse(query: &str) -> Result<Self, RqlError> {
        // The whole query is decoded before it is parsed, and `+` stays a plus: so the published server does. Where
        // the parts ended before is kept for the search, whose text may be anything.
        let (mut text, mut ends) = (String::with_capacity(query.len()), Vec::new());
        for part in query.split('&') {
            if !text.is_empty() || !ends.is_empty() {
                text.push('&');
            }
            text.push_str(&percent_decode_str(part).decode_utf8_lossy());
            ends.push(text.len());
        }
        let mut parser = Parser::new(&text);
        parser.found = Some(Found::default());
        let mut filters = Vec::new();
        parser.eat('?');
        loop {
            while parser.eat('&') {}
            if parser.is_done() {
                break;
            }
            filters.push(parser.part(&ends)?);
            while parser.eat(',') {
                filters.push(parser.part(&ends)?);
            }
            if parser.peek() != Some('&') {
                parser.end()?;
            }
        }
        let query = parser.found.take().unwrap_or_default().query;
        Ok(Self { filter: Rql::all(filters), ..query })
    }
}

impl Parser<'_> {
    /// What stands between two `&` or `,`.
    fn part(&mut self, ends: &[usize]) -> Result<Rql, RqlError> {
        let start = self.at();
        if self.eat_text("search=") {
            self.search(start, ends)?;
        } else if self.eat_text("order_by=") {
            let fields = self.signed_fields()?;
            self.once(start, "ordering")?.ordering = fields;
        } else if self.eat_text("limit(") {
            let limit = self.number()?;
            let offset = if self.eat(',') { Some(self.number()?) } else { None };
            self.need(')', "\")\"")?;
            self.once(start, "limit")?.limit = Some(limit);
            if offset.is_some() {
                self.once(start, "offset")?.offset = offset;
            }
        } else {
            return self.alternatives();
        }
        Ok(Rql::Empty)
    }

    fn eat_text(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        self.go_to(self.at() + if found { text.len() } else { 0 });
        found
    }

    /// A value, or else anything up to the end of the part: people type it.
    fn search(&mut self, start: usize, ends: &[usize]) -> Result<(), RqlError> {
        let text_at = self.at();
        let end = ends.iter().copied().find(|end| *end >= text_at).unwrap_or(text_at);
        let value = self.operand().ok().and_then(|value| value.as_text().map(str::to_owned));
        let is_end = self.is_done()
            || self.peek() == Some('&') && ends.contains(&self.at())
            || self.peek() == Some(',') && self.has_part_at(self.at() + 1);
        let term = if let (Some(value), true) = (value, is_end) {
            value
        } else {
            self.go_to(text_at);
            let text = self.rest()[..end - text_at].to_owned();
            self.go_to(end);
            text
        };
        self.once(start, "search")?.search = Some(term).filter(|term| !term.is_empty());
        Ok(())
    }

    /// Whether a part begins there: a name with `(` or `=` after it.
    fn has_part_at(&mut self, at: usize) -> bool {
        let here = self.at();
        self.go_to(at);
        let found = self.name("").is_ok() && matches!(self.peek(), Some('(' | '='));
        self.go_to(here);
        found
    }

    fn number(&mut self) -> Result<usize, RqlError> {
        let start = self.at();
        let digits = self.run(|char| char.is_ascii_digit());
        digits.parse().map_err(|_| self.expected_at(start, "a number"))
    }

    /// `a,-b,+c`
    fn signed_fields(&mut self) -> Result<Vec<String>, RqlError> {
        let mut fields = Vec::new();
        loop {
            let descending = self.eat('-');
            let _ = !descending && self.eat('+');
            let name = self.name("a field, with \"-\", \"+\" or nothing before it")?;
            fields.push(if descending { format!("-{name}") } else { name.to_owned() });
            if self.peek() != Some(',') || self.has_part_at(self.at() + 1) {
                return Ok(fields);
            }
            self.eat(',');
        }
    }

    /// The fields of `ordering(…)` or `select(…)`, after the bracket.
    pub(super) fn fields_of(&mut self, start: usize, name: &str) -> Result<Rql, RqlError> {
        if self.found.is_none() {
            return Err(
                self.expected_at(start, "a filter; ordering(…) and select(…) stand beside it in a query")
            );
        }
        let fields = if self.peek() == Some(')') { Vec::new() } else { self.signed_fields()? };
        match name {
            "ordering" => self.once(start, "ordering")?.ordering = fields,
            _ => self.once(start, "select")?.select = fields,
        }
        Ok(Rql::Empty)
    }

    /// Whether a comparison is a parameter of the query rather than a part of the filter, which is noted then.
    pub(super) fn beside(
        &mut self,
        start: usize,
        comparison: Comparison,
        field: &str,
        value: &Operand,
    ) -> Result<bool, RqlError> {
        if self.found.is_none() || !matches!(field, "limit" | "offset" | "search") {
            return Ok(false);
        }
        if comparison != Comparison::Eq {
            return Err(self.expected_at(start, "limit, offset and search with \"=\" only"));
        }
        match field {
            "limit" => self.once(start, "limit")?.limit = count(value),
            "offset" => self.once(start, "offset")?.offset = count(value),
            _ if self.is_nested() => {
                return Err(self.expected_at(start, "a filter; a search stands beside it, not inside"));
            }
            _ => {
                let term = value.as_text().filter(|term| !term.is_empty()).map(str::to_owned);
                self.once(start, "search")?.search = term;
            }
        }
        Ok(true)
    }

    fn once(&mut self, start: usize, name: &'static str) -> Result<&mut Query, RqlError> {
        const ONCE: &str = "a filter, since limit, offset, search, ordering and select stand once in a query";
        let error = self.expected_at(start, ONCE);
        match &mut self.found {
            Some(found) if !found.seen.contains(&name) => {
                found.seen.push(name);
                Ok(&mut found.query)
            }
            _ => Err(error),
        }
    }
}

/// A number of objects; what is none counts as not given.
fn count(value: &Operand) -> Option<usize> {
    let text = value.as_bare_text()?.trim();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // More than there can be is as good as all there are.
    is_number.then(|| digits.parse().unwrap_or(usize::MAX))
}
