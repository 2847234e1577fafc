use percent_encoding::percent_decode_str;

use super::{Comparison, Operand, Rql, RqlError};

/// How deep filters may stand inside one another.
const DEPTH_LIMIT: usize = 64;

/// The query of a collection: which objects, in which order, which of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// Which objects.
    pub filter: Option<Rql>,
    /// Fields to sort by; a leading `-` sorts descending.
    pub ordering: Vec<String>,
    /// Members to add (`+`) or to leave out (`-`).
    pub select: Vec<String>,
    /// At most so many.
    pub limit: Option<usize>,
    /// After so many.
    pub offset: Option<usize>,
    /// A text to search for.
    pub search: Option<String>,
}

impl Query {
    /// Reads the query of a URL, percent-encoded as it is there; an empty one asks for everything.
    ///
    /// ```
    /// use connect_model::rql::Query;
    ///
    /// let query = Query::parse("in(status,(pending,approved))&ordering(-created)&limit=10&offset=0")?;
    /// assert_eq!((query.limit, query.ordering), (Some(10), vec!["-created".to_owned()]));
    /// # Ok::<(), connect_model::rql::RqlError>(())
    /// ```
    pub fn parse(query: &str) -> Result<Self, RqlError> {
        // The whole query is decoded before it is parsed, and `+` stays a plus: so the published server does.
        let text: Vec<char> = percent_decode_str(query).decode_utf8_lossy().chars().collect();
        let mut parser = Parser { text: &text, at: 0, depth: 0 };
        let mut parsed = Self::default();
        let mut filters = Vec::new();
        while !parser.is_done() {
            if !parser.paging(&mut parsed)? {
                filters.push(parser.any()?);
            }
            if !parser.is_done() && !parser.eat('&') && !parser.eat(',') {
                return Err(parser.expected("\"&\" or the end"));
            }
        }
        parsed.filter = (!filters.is_empty()).then(|| Rql::all(filters));
        Ok(parsed)
    }
}

impl Rql {
    /// Reads a filter, as text that is not percent-encoded.
    pub fn parse(text: &str) -> Result<Self, RqlError> {
        let text: Vec<char> = text.chars().collect();
        let mut parser = Parser { text: &text, at: 0, depth: 0 };
        let filter = parser.joined()?;
        if parser.is_done() { Ok(filter) } else { Err(parser.expected("the end")) }
    }
}

struct Parser<'a> {
    text: &'a [char],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn is_done(&self) -> bool {
        self.at >= self.text.len()
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, char: char) -> bool {
        let found = self.peek() == Some(char);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, char: char, expected: &'static str) -> Result<(), RqlError> {
        if self.eat(char) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn expected(&self, expected: &'static str) -> RqlError {
        RqlError::Syntax { position: self.at, expected }
    }

    /// A name: of a field or an operator.
    fn name(&mut self) -> Result<String, RqlError> {
        let start = self.at;
        let is_name = |char: char| char.is_alphanumeric() || "_.-".contains(char);
        while self.peek().is_some_and(is_name) {
            self.at += 1;
        }
        if start == self.at || !self.text[start].is_alphabetic() && self.text[start] != '_' {
            self.at = start;
            return Err(self.expected("a field or an operator"));
        }
        Ok(self.text[start..self.at].iter().collect())
    }

    /// Parts of a query that are no filter. False where there is none here.
    fn paging(&mut self, query: &mut Query) -> Result<bool, RqlError> {
        let start = self.at;
        let Ok(name) = self.name() else { return Ok(false) };
        match (name.as_str(), self.peek()) {
            ("limit", Some('=')) => query.limit = Some(self.number()?),
            ("offset", Some('=')) => query.offset = Some(self.number()?),
            ("search", Some('=')) => {
                self.at += 1;
                query.search = Some(self.text()?);
            }
            ("order_by", Some('=')) => {
                self.at += 1;
                query.ordering = self.text()?.split(',').map(str::to_owned).collect();
            }
            ("ordering", Some('(')) => query.ordering = self.fields()?,
            ("select", Some('(')) => query.select = self.fields()?,
            ("limit", Some('(')) => {
                self.at += 1;
                query.limit = Some(self.digits()?);
                if self.eat(',') {
                    query.offset = Some(self.digits()?);
                }
                self.need(')', "\")\"")?;
            }
            _ => {
                self.at = start;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn number(&mut self) -> Result<usize, RqlError> {
        self.at += 1;
        self.digits()
    }

    fn digits(&mut self) -> Result<usize, RqlError> {
        let start = self.at;
        while self.peek().is_some_and(|char| char.is_ascii_digit()) {
            self.at += 1;
        }
        let digits: String = self.text[start..self.at].iter().collect();
        digits.parse().map_err(|_| RqlError::Syntax { position: start, expected: "a number" })
    }

    /// `(a,-b,+c)`
    fn fields(&mut self) -> Result<Vec<String>, RqlError> {
        self.need('(', "\"(\"")?;
        let mut fields = Vec::new();
        loop {
            let descending = self.eat('-');
            let _ = !descending && self.eat('+');
            let name = self.name()?;
            fields.push(if descending { format!("-{name}") } else { name });
            if !self.eat(',') {
                self.need(')', "\",\" or \")\"")?;
                return Ok(fields);
            }
        }
    }

    /// `a,b`, `a&b`
    fn joined(&mut self) -> Result<Rql, RqlError> {
        let mut members = vec![self.any()?];
        while self.eat(',') || self.eat('&') {
            members.push(self.any()?);
        }
        Ok(Rql::all(members))
    }

    /// `a|b`, `a;b`
    fn any(&mut self) -> Result<Rql, RqlError> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(self.expected("filters that stand less deep inside one another"));
        }
        let mut members = vec![self.all()?];
        while self.eat('|') || self.eat(';') {
            members.push(self.all()?);
        }
        self.depth -= 1;
        Ok(Rql::any(members))
    }

    /// `a&b`; at the top of a query the parts may be paging, so it ends before them.
    fn all(&mut self) -> Result<Rql, RqlError> {
        let mut members = vec![self.term()?];
        while self.depth > 1 && self.peek() == Some('&') {
            self.at += 1;
            members.push(self.term()?);
        }
        Ok(Rql::all(members))
    }

    fn term(&mut self) -> Result<Rql, RqlError> {
        if self.eat('(') {
            let inner = self.joined()?;
            self.need(')', "\")\"")?;
            return Ok(inner);
        }
        let name = self.name()?;
        if self.eat('=') {
            return self.assignment(name);
        }
        self.need('(', "\"(\" or \"=\"")?;
        let filter = match name.as_str() {
            "and" => Rql::all(self.members()?),
            "or" => Rql::any(self.members()?),
            "not" => !self.any()?,
            "in" | "out" => self.list(name == "out")?,
            "range" => {
                let field = self.name()?;
                self.need(',', "\",\"")?;
                let low = self.operand()?;
                self.need(',', "\",\"")?;
                let high = self.operand()?;
                Rql::all([
                    Rql::Compare(Comparison::Ge, field.clone(), low),
                    Rql::Compare(Comparison::Le, field, high),
                ])
            }
            _ => {
                let Some(comparison) = Comparison::named(&name) else {
                    self.at -= name.chars().count() + 1;
                    return Err(self.expected("an operator such as eq, in, like, and, or, not"));
                };
                let field = self.name()?;
                self.need(',', "\",\"")?;
                Rql::Compare(comparison, field, self.operand()?)
            }
        };
        self.need(')', "\")\"")?;
        Ok(filter)
    }

    /// `field=value`, `field=op=value`, after the first `=`.
    fn assignment(&mut self, field: String) -> Result<Rql, RqlError> {
        let start = self.at;
        if let Ok(name) = self.name()
            && self.peek() == Some('=')
            && let Some(comparison) = Comparison::named(&name)
        {
            self.at += 1;
            return Ok(Rql::Compare(comparison, field, self.operand()?));
        }
        self.at = start;
        if let Ok(out @ ("in" | "out")) = self.name().as_deref()
            && self.peek() == Some('=')
        {
            let out = out == "out";
            self.at += 1;
            return Ok(Rql::List { out, field, values: self.values()? });
        }
        self.at = start;
        Ok(Rql::Compare(Comparison::Eq, field, self.operand()?))
    }

    fn members(&mut self) -> Result<Vec<Rql>, RqlError> {
        let mut members = vec![self.any()?];
        while self.eat(',') {
            members.push(self.any()?);
        }
        Ok(members)
    }

    fn list(&mut self, out: bool) -> Result<Rql, RqlError> {
        let field = self.name()?;
        self.need(',', "\",\"")?;
        Ok(Rql::List { out, field, values: self.values()? })
    }

    /// `(a,b)`
    fn values(&mut self) -> Result<Vec<Operand>, RqlError> {
        self.need('(', "\"(\"")?;
        let mut values = vec![self.operand()?];
        while self.eat(',') {
            values.push(self.operand()?);
        }
        self.need(')', "\",\" or \")\"")?;
        Ok(values)
    }

    fn operand(&mut self) -> Result<Operand, RqlError> {
        for (text, operand) in [("null()", Operand::Null), ("empty()", Operand::Empty)] {
            let chars: Vec<char> = text.chars().collect();
            if self.text[self.at..].starts_with(&chars) {
                self.at += chars.len();
                return Ok(operand);
            }
        }
        self.text().map(Operand::Text)
    }

    /// A value: bare up to the next sign of structure, or in quotes.
    fn text(&mut self) -> Result<String, RqlError> {
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            let start = self.at + 1;
            let length = self.text[start..].iter().position(|char| *char == quote);
            let length = length.ok_or(RqlError::Syntax { position: self.at, expected: "a closing quote" })?;
            self.at = start + length + 1;
            return Ok(self.text[start..start + length].iter().collect());
        }
        let start = self.at;
        while self.peek().is_some_and(|char| !",()&|;\"'=".contains(char)) {
            self.at += 1;
        }
        if start == self.at {
            return Err(self.expected("a value"));
        }
        Ok(self.text[start..self.at].iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::R, *};

    fn parsed(text: &str) -> String {
        Rql::parse(text).unwrap().to_string()
    }

    #[test]
    fn all_spellings_of_the_grammar_are_read() {
        assert_eq!(parsed("status=pending"), "eq(status,pending)");
        assert_eq!(parsed("created=ge=2024-01-02T03:04:05+00:00"), "ge(created,2024-01-02T03:04:05+00:00)");
        assert_eq!(parsed("(a=1|b=2;c=3)"), "or(eq(a,1),eq(b,2),eq(c,3))");
        assert_eq!(
            parsed("or(and(a=1,b=2),not(in(c,(x,null()))))"),
            "or(and(eq(a,1),eq(b,2)),not(in(c,(x,null()))))"
        );
        assert_eq!(parsed("a=1&b=2"), "and(eq(a,1),eq(b,2))");
        assert_eq!(parsed("(a=1,b=2)"), "and(eq(a,1),eq(b,2))");
        assert_eq!(parsed("a=in=(x,y)"), "in(a,(x,y))");
        assert_eq!(parsed("range(a,1,5)"), "and(ge(a,1),le(a,5))");
        assert_eq!(parsed("not(and(eq(a,1),eq(b,2)))"), "or(not(eq(a,1)),not(eq(b,2)))");
        assert_eq!(parsed("eq(name,'it is \"it\"')"), "eq(name,'it is \"it\"')");
    }

    #[test]
    fn a_query_has_parts_that_are_no_filter() {
        let query = Query::parse(
            "eq(id,PR-1)&status=pending&select(-asset.params)&order_by=-created&search=a%20b&offset=5",
        )
        .unwrap();
        assert_eq!(query.filter.unwrap().to_string(), "and(eq(id,PR-1),eq(status,pending))");
        assert_eq!(
            (query.select, query.ordering),
            (vec!["-asset.params".to_owned()], vec!["-created".to_owned()])
        );
        assert_eq!((query.search.as_deref(), query.offset, query.limit), (Some("a b"), Some(5), None));
        assert_eq!(Query::parse("").unwrap(), Query::default());
    }

    #[test]
    fn errors_say_where_and_what() {
        let error = |text: &str| Rql::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("near(a,1)"),
            "not RQL at position 0: expected an operator such as eq, in, like, and, or, not"
        );
        assert_eq!(error("eq(a,1"), "not RQL at position 6: expected \")\"");
        assert_eq!(error("eq(a,\"1)"), "not RQL at position 5: expected a closing quote");
        assert_eq!(error("in(a,())"), "not RQL at position 6: expected a value");
        assert!(error(&"not(".repeat(10_000)).contains("less deep"));
        for filter in [R::field("id,X)&ge(id").eq("1"), Rql::any([]), !Rql::all([]), R::field("a").eq("'\"")]
        {
            assert!(filter.check().is_err(), "{filter}");
        }
        assert_eq!(R::field("a").is_in::<&str>([]).unwrap_err().to_string(), "the list for \"a\" is empty");
    }

    fn filters() -> impl Strategy<Value = Rql> {
        let value = prop_oneof![
            "[ -~é]{0,12}"
                .prop_filter("one quote sign at most", |text| !(text.contains('"') && text.contains('\''))),
            Just("t".to_owned()),
            Just("null()".to_owned()),
            Just("100%&a=b#c".to_owned()),
        ];
        let field = "[a-z][a-z_]{0,5}(\\.[a-z]{1,4})?";
        let operand = prop_oneof![value.prop_map(Operand::Text), Just(Operand::Null), Just(Operand::Empty)];
        let leaf = prop_oneof![
            (prop::sample::select(&Comparison::ALL[..]), field, operand.clone())
                .prop_map(|(comparison, field, value)| Rql::Compare(comparison, field, value)),
            (any::<bool>(), field, prop::collection::vec(operand, 1..4))
                .prop_map(|(out, field, values)| Rql::List { out, field, values }),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Rql::all),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Rql::any),
                inner.prop_map(|filter| !filter),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_as_the_same_tree(filter in filters()) {
            prop_assert_eq!(Rql::parse(&filter.to_string()), Ok(filter));
        }

        #[test]
        fn no_text_makes_a_panic(text in "[-a-z(),&|;='\"%. 0-9]{0,40}") {
            let _ = (Rql::parse(&text), Query::parse(&text));
        }
    }
}
