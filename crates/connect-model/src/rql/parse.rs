use super::{
    Comparison, Operand, Rql, RqlError,
    operand::{Repr, is_pattern_text},
    query::Found,
    tree::is_name,
};

/// How deep filters and values may stand inside one another.
const DEPTH_LIMIT: usize = 64;

impl Rql {
    /// Reads a filter, as text that is not percent-encoded. A blank text is no condition.
    ///
    /// It takes what the published grammar takes, and these: `|` and `;` without brackets around them, which bind
    /// tighter than `&` and `,` there; `field=like=pattern` and `field=in=(a,b)`; `range(field,low,high)`.
    pub fn parse(text: &str) -> Result<Self, RqlError> {
        if text.trim().is_empty() {
            return Ok(Self::Empty);
        }
        let mut parser = Parser::new(text);
        let mut members = vec![parser.alternatives()?];
        while parser.eat(',') || parser.eat('&') {
            members.push(parser.alternatives()?);
        }
        parser.end()?;
        Ok(Self::all(members))
    }
}

pub(super) struct Parser<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
    depth: usize,
    /// Whether comparisons alone may stand here, so that `t` is the name of a field.
    comparisons_only: bool,
    /// What stands beside the filter, where a whole query is read.
    pub(super) found: Option<Found>,
}

const NOT_A_SINGLE: &str = "one comparison or list, which is all that not(…) takes";

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, comparisons_only: false, found: None }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn eat(&mut self, char: char) -> bool {
        let found = self.rest().starts_with(char);
        self.at += if found { char.len_utf8() } else { 0 };
        found
    }

    pub(super) fn need(&mut self, char: char, expected: &'static str) -> Result<(), RqlError> {
        if self.eat(char) { Ok(()) } else { Err(self.expected(expected)) }
    }

    pub(super) fn end(&self) -> Result<(), RqlError> {
        if self.is_done() { Ok(()) } else { Err(self.expected("\"&\", \",\", \"|\", \";\" or the end")) }
    }

    pub(super) fn expected(&self, expected: &'static str) -> RqlError {
        self.expected_at(self.at, expected)
    }

    pub(super) fn expected_at(&self, at: usize, expected: &'static str) -> RqlError {
        let (before, rest) = self.text.split_at(at);
        RqlError::Syntax { position: before.chars().count(), expected, found: rest.chars().next() }
    }

    /// The characters from here on that belong together.
    pub(super) fn run(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|char| !belongs(char)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// A name: of a field or an operator.
    pub(super) fn name(&mut self, expected: &'static str) -> Result<&'a str, RqlError> {
        if !self.rest().starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Err(self.expected(expected));
        }
        Ok(self.run(is_name))
    }

    fn field(&mut self) -> Result<&'a str, RqlError> {
        self.name("a field")
    }

    pub(super) fn is_nested(&self) -> bool {
        self.depth > 1
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, RqlError>) -> Result<T, RqlError> {
        if self.depth >= DEPTH_LIMIT {
            return Err(self.expected("filters that stand less deep inside one another"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// `a|b`, `a;b`, outside brackets.
    pub(super) fn alternatives(&mut self) -> Result<Rql, RqlError> {
        let mut members = vec![self.term()?.0];
        while self.eat('|') || self.eat(';') {
            members.push(self.term()?.0);
        }
        Ok(Rql::any(members))
    }

    /// `a&b`, inside brackets. Also whether it is a single comparison or list.
    fn chain(&mut self) -> Result<(Rql, bool), RqlError> {
        let (first, is_single) = self.term()?;
        if self.peek() != Some('&') {
            return Ok((first, is_single));
        }
        let mut members = vec![first];
        while self.eat('&') {
            members.push(self.term()?.0);
        }
        Ok((Rql::all(members), false))
    }

    /// `a,b`, `a|b`, `a;b` up to the closing bracket, all with the same sign.
    fn bracketed(&mut self) -> Result<(Rql, bool), RqlError> {
        let (first, is_single) = self.chain()?;
        let Some(sign @ (',' | '|' | ';')) = self.peek() else {
            self.need(')', "\"&\", \",\", \"|\", \";\" or \")\"")?;
            return Ok((first, is_single));
        };
        let mut members = vec![first];
        while self.eat(sign) {
            members.push(self.chain()?.0);
        }
        self.need(')', "\")\" or the same sign as before, since brackets hold one kind of group")?;
        Ok((if sign == ',' { Rql::all(members) } else { Rql::any(members) }, false))
    }

    /// One thing between signs. Also whether `not(…)` takes it.
    fn term(&mut self) -> Result<(Rql, bool), RqlError> {
        self.deeper(|parser| {
            if parser.eat('(') {
                return parser.bracketed();
            }
            let start = parser.at;
            let name = parser.name("a field or an operator such as eq, in, like, and, or, not")?;
            if parser.eat('=') {
                if name == "t" && !parser.comparisons_only {
                    return Err(parser.expected_at(start, "a field; \"t\" is an operator here"));
                }
                return Ok((parser.assignment(start, name)?, true));
            }
            parser.need('(', "\"(\" or \"=\"")?;
            let (filter, is_single) = match name {
                "and" => (Rql::all(parser.members()?), false),
                "or" => (Rql::any(parser.members()?), false),
                "not" => {
                    let inside = parser.at;
                    let (filter, is_single) = parser.comparison_only()?;
                    if !is_single {
                        return Err(parser.expected_at(inside, NOT_A_SINGLE));
                    }
                    // What stands beside the filter in a query is no condition, negated or not.
                    (if filter.is_empty() { filter } else { !filter }, false)
                }
                "t" => (Rql::all(parser.comparisons()?), false),
                "ordering" | "select" => (parser.fields_of(start, name)?, true),
                _ => (parser.comparison(start, name)?, true),
            };
            parser.need(')', "\")\"")?;
            Ok((filter, is_single))
        })
    }

    fn comparison_only(&mut self) -> Result<(Rql, bool), RqlError> {
        let before = std::mem::replace(&mut self.comparisons_only, true);
        let term = self.term();
        self.comparisons_only = before;
        term
    }

    /// `field,value` and the like, after `name(`.
    fn comparison(&mut self, start: usize, name: &str) -> Result<Rql, RqlError> {
        const OPERATOR: &str = "an operator such as eq, in, like, and, or, not";
        let comparison = Comparison::named(name);
        if comparison.is_none() && !matches!(name, "in" | "out" | "range") {
            return Err(self.expected_at(start, OPERATOR));
        }
        let field = self.field()?;
        self.need(',', "\",\"")?;
        if let Some(comparison) = comparison {
            return self.compare(start, comparison, field);
        }
        if name != "range" {
            return Ok(Rql::List { out: name == "out", field: field.to_owned(), values: self.values()? });
        }
        let low = self.operand()?;
        self.need(',', "\",\"")?;
        let high = self.operand()?;
        let compare = |comparison, value| Rql::Compare(comparison, field.to_owned(), value);
        Ok(Rql::all([compare(Comparison::Ge, low), compare(Comparison::Le, high)]))
    }

    /// `field=value`, `field=op=value`, after the first `=`.
    fn assignment(&mut self, start: usize, field: &str) -> Result<Rql, RqlError> {
        if let Some((operator, _)) = self.rest().split_once('=') {
            let comparison = Comparison::named(operator);
            if comparison.is_some() || matches!(operator, "in" | "out") {
                self.at += operator.len() + 1;
            }
            if let Some(comparison) = comparison {
                return self.compare(start, comparison, field);
            }
            if matches!(operator, "in" | "out") {
                let values = self.values()?;
                return Ok(Rql::List { out: operator == "out", field: field.to_owned(), values });
            }
        }
        self.compare(start, Comparison::Eq, field)
    }

    /// The value of a comparison, from here on.
    fn compare(&mut self, start: usize, comparison: Comparison, field: &str) -> Result<Rql, RqlError> {
        let value_at = self.at;
        let value = self.operand()?;
        let is_pattern = matches!(comparison, Comparison::Like | Comparison::Ilike);
        if is_pattern && value.as_text().is_some_and(|text| !is_pattern_text(text)) {
            return Err(self.expected_at(value_at, "a pattern without two stars in a row"));
        }
        if self.beside(start, comparison, field, &value)? {
            return Ok(Rql::Empty);
        }
        Ok(Rql::Compare(comparison, field.to_owned(), value))
    }

    /// Two members or more, after `and(` or `or(`.
    fn members(&mut self) -> Result<Vec<Rql>, RqlError> {
        let mut members = vec![self.chain()?.0];
        if self.peek() != Some(',') {
            return Err(self.expected("\",\" and another member, since and(…) and or(…) take two or more"));
        }
        while self.eat(',') {
            members.push(self.chain()?.0);
        }
        Ok(members)
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

    pub(super) fn operand(&mut self) -> Result<Operand, RqlError> {
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            let start = self.at;
            self.at += 1;
            let text = self.run(|char| char != quote);
            return if self.eat(quote) {
                Ok(Operand::quoted(text, quote))
            } else {
                Err(self.expected_at(start, "a value with a closing quote"))
            };
        }
        let start = self.at;
        if self.rest().starts_with(|first: char| is_word(first) || "-*+\\".contains(first)) {
            let text = self.run(|char| is_word(char) || char.is_whitespace() || "-*+\\.:@".contains(char));
            if text == "t" {
                return self.tuple(start);
            }
            if matches!(text, "null" | "empty") && self.rest().starts_with("()") {
                self.at += 2;
                return Ok(if text == "null" { Operand::null() } else { Operand::empty() });
            }
            return Ok(Operand::text(text));
        }
        Err(self
            .expected("a value; one with other characters than letters, digits and -*+\\ stands in quotes"))
    }

    /// `(eq(a,b),c=d)`, after the `t`.
    fn tuple(&mut self, start: usize) -> Result<Operand, RqlError> {
        if !self.eat('(') {
            return Err(self.expected_at(start, "a value; \"t\" is an operator unless it stands in quotes"));
        }
        let members = self.deeper(Self::comparisons)?;
        self.need(')', "\",\" or \")\"")?;
        Ok(Operand(Repr::Tuple(members)))
    }

    /// The comparisons of a `t(…)`.
    fn comparisons(&mut self) -> Result<Vec<Rql>, RqlError> {
        let mut members = Vec::new();
        loop {
            let start = self.at;
            let bracket = self.peek() == Some('(');
            match self.comparison_only()? {
                (member @ Rql::Compare(..), _) if !bracket => members.push(member),
                _ => return Err(self.expected_at(start, "a comparison, which is all that t(…) takes")),
            }
            if !self.eat(',') {
                return Ok(members);
            }
        }
    }
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}
