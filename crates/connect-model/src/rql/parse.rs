//! From text to the tree: the published grammar, by recursive descent.

use super::value::Repr;
use super::{Comparison, Membership, Rql, RqlError, SignedField, Value};

/// How deep brackets may nest.
const MAX_DEPTH: usize = 64;

impl Rql {
    /// Parses a filter. The text is not percent-encoded; for a whole query string see [`Query`](super::Query). An empty
    /// text is no condition.
    ///
    /// # Errors
    /// If the text is no RQL, with the position and what was expected there, or if brackets nest more than 64 deep.
    pub fn parse(text: &str) -> Result<Self, RqlError> {
        if text.trim().is_empty() {
            return Ok(Self::Empty);
        }
        Ok(parse_part(text)?.0)
    }
}

/// Parses a filter, and tells whether it is an `or` without brackets.
pub(super) fn parse_part(text: &str) -> Result<(Rql, bool), RqlError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let parsed = parser.sequence(true)?;
    parser.end()?;
    Ok(parsed)
}

/// Parses the brackets of `ordering(…)` or `select(…)`, with `at` where they start in the text.
pub(super) fn parse_fields(text: &str, at: usize) -> Result<Vec<SignedField>, RqlError> {
    let mut parser = Parser { text, at, depth: 0 };
    parser.expect('(')?;
    let mut fields = Vec::new();
    if parser.peek() != Some(')') {
        loop {
            let start = parser.at;
            if matches!(parser.peek(), Some('+' | '-')) {
                parser.at += 1;
            }
            parser.field()?;
            fields.push(SignedField::from(&text[start..parser.at]));
            if !parser.skip(',') {
                break;
            }
        }
    }
    parser.expect(')')?;
    parser.end()?;
    Ok(fields)
}

struct Parser<'a> {
    text: &'a str,
    /// In bytes, always at the start of a character.
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn expect(&mut self, c: char) -> Result<(), RqlError> {
        if self.skip(c) { Ok(()) } else { Err(self.error(&format!("`{c}`"))) }
    }

    fn end(&self) -> Result<(), RqlError> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.error("the end, or one of `&` `,` `|` `;`")) }
    }

    fn error(&self, expected: &str) -> RqlError {
        let found = self.peek().map_or_else(|| "the end".to_owned(), |c| format!("{c:?}"));
        RqlError::at(self.at, format!("expected {expected}, found {found}"))
    }

    /// The characters that `accept` takes from here on.
    fn run(&mut self, accept: impl Fn(usize, char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest
            .char_indices()
            .enumerate()
            .find(|&(index, (_, c))| !accept(index, c))
            .map_or(rest.len(), |(_, (length, _))| length);
        self.at += length;
        &rest[..length]
    }

    /// Terms with separators between them. `comma`: whether a comma is one. Also tells whether it is an `or`.
    fn sequence(&mut self, comma: bool) -> Result<(Rql, bool), RqlError> {
        let mut terms = vec![self.term()?];
        let mut any = None;
        while let Some(separator) = self.peek() {
            let is_any = match separator {
                '&' => false,
                ',' if comma => false,
                '|' | ';' => true,
                _ => break,
            };
            if any.is_some_and(|any| any != is_any) {
                return Err(RqlError::at(
                    self.at,
                    "expected brackets: `&` and `,` cannot be mixed with `|` and `;` without them",
                ));
            }
            any = Some(is_any);
            self.at += 1;
            terms.push(self.term()?);
        }
        let any = any.unwrap_or(false);
        Ok((if any { Rql::any(terms) } else { Rql::all(terms) }, any))
    }

    fn term(&mut self) -> Result<Rql, RqlError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(RqlError::at(self.at, format!("expected brackets nested at most {MAX_DEPTH} deep")));
        }
        let term = if self.skip('(') {
            let (term, _) = self.sequence(true)?;
            self.expect(')')?;
            term
        } else {
            self.operation()?
        };
        self.depth -= 1;
        Ok(term)
    }

    /// `op(…)`, `field=value` or `field=op=value`.
    fn operation(&mut self) -> Result<Rql, RqlError> {
        let start = self.at;
        let name = self.name();
        if name.is_empty() {
            return Err(self.error("a comparison, `and(…)`, `or(…)`, `not(…)` or a field"));
        }
        if self.skip('=') {
            if name == "t" {
                return Err(reserved(start));
            }
            return self.short_comparison(name);
        }
        if self.peek() != Some('(') {
            return Err(self.error("`(` or `=`"));
        }
        match name {
            "and" => Ok(Rql::all(self.members()?)),
            "or" => Ok(Rql::any(self.members()?)),
            "not" => self.negation(),
            "range" => self.range(),
            "ordering" | "select" => Err(RqlError::at(
                start,
                format!("expected a filter, found `{name}(…)`, which stands beside the filter in a query"),
            )),
            name => {
                if let Some(op) = Comparison::named(name) {
                    self.comparison(op)
                } else if let Some(op) = Membership::named(name) {
                    self.membership(op)
                } else {
                    Err(RqlError::at(start, format!("expected an operator, found `{name}`")))
                }
            }
        }
    }

    fn name(&mut self) -> &'a str {
        self.run(|index, c| if index == 0 { c.is_ascii_alphabetic() } else { is_word(c) || c == '-' || c == '.' })
    }

    fn field(&mut self) -> Result<&'a str, RqlError> {
        let start = self.at;
        match self.name() {
            "" => Err(self.error("the name of a field")),
            "t" => Err(reserved(start)),
            name => Ok(name),
        }
    }

    /// `(x,y,…)`, two or more.
    fn members(&mut self) -> Result<Vec<Rql>, RqlError> {
        self.expect('(')?;
        let mut members = vec![self.sequence(false)?.0];
        while self.skip(',') {
            members.push(self.sequence(false)?.0);
        }
        if members.len() < 2 {
            return Err(self.error("`,` and another member"));
        }
        self.expect(')')?;
        Ok(members)
    }

    fn negation(&mut self) -> Result<Rql, RqlError> {
        self.expect('(')?;
        let start = self.at;
        let inner = self.term()?;
        if !matches!(inner, Rql::Compare { .. } | Rql::Member { .. }) {
            return Err(RqlError::at(start, "expected one comparison, which is all that not() takes"));
        }
        self.expect(')')?;
        Ok(!inner)
    }

    fn comparison(&mut self, op: Comparison) -> Result<Rql, RqlError> {
        self.expect('(')?;
        let field = self.field()?;
        self.expect(',')?;
        let value = self.value()?;
        self.expect(')')?;
        Ok(Rql::Compare { field: field.to_owned(), op, value })
    }

    fn membership(&mut self, op: Membership) -> Result<Rql, RqlError> {
        self.expect('(')?;
        let field = self.field()?;
        self.expect(',')?;
        let values = self.values()?;
        self.expect(')')?;
        Ok(Rql::Member { field: field.to_owned(), op, values })
    }

    fn range(&mut self) -> Result<Rql, RqlError> {
        self.expect('(')?;
        let field = self.field()?;
        self.expect(',')?;
        let from = self.value()?;
        self.expect(',')?;
        let to = self.value()?;
        self.expect(')')?;
        Ok(super::R::field(field).range(from, to))
    }

    /// What follows `field=`.
    fn short_comparison(&mut self, field: &str) -> Result<Rql, RqlError> {
        let field = field.to_owned();
        if let Some((op, _)) = self.rest().split_once('=') {
            if let Some(found) = Comparison::named(op) {
                self.at += op.len() + 1;
                return Ok(Rql::Compare { field, op: found, value: self.value()? });
            }
            if let Some(found) = Membership::named(op) {
                self.at += op.len() + 1;
                return Ok(Rql::Member { field, op: found, values: self.values()? });
            }
        }
        Ok(Rql::Compare { field, op: Comparison::Eq, value: self.value()? })
    }

    /// `(v,w,…)`, one or more.
    fn values(&mut self) -> Result<Vec<Value>, RqlError> {
        self.expect('(')?;
        let mut values = vec![self.value()?];
        while self.skip(',') {
            values.push(self.value()?);
        }
        self.expect(')')?;
        Ok(values)
    }

    fn value(&mut self) -> Result<Value, RqlError> {
        let start = self.at;
        for mark in ['"', '\''] {
            if self.skip(mark) {
                let text = self.run(|_, c| c != mark);
                if !self.skip(mark) {
                    return Err(RqlError::at(start, format!("expected a closing `{mark}`")));
                }
                return Ok(Value::quoted(text));
            }
        }
        let text = self.run(|index, c| {
            is_word(c) || "-*+\\".contains(c) || (index > 0 && (c.is_whitespace() || ".:@".contains(c)))
        });
        match text {
            "" => Err(self.error("a value")),
            "null" | "empty" if self.rest().starts_with("()") => {
                self.at += 2;
                Ok(if text == "null" { Value::null() } else { Value::empty() })
            }
            "t" if self.peek() == Some('(') => self.tuple(),
            "t" => Err(reserved(start)),
            text => Ok(Value::bare(text)),
        }
    }

    /// What follows the `t` of `t(eq(a,b),c=d)`.
    fn tuple(&mut self) -> Result<Value, RqlError> {
        self.expect('(')?;
        let mut members = Vec::new();
        loop {
            let start = self.at;
            let member = self.term()?;
            if !matches!(member, Rql::Compare { .. }) {
                return Err(RqlError::at(start, "expected a comparison, which is all that t() takes"));
            }
            members.push(member);
            if !self.skip(',') {
                break;
            }
        }
        self.expect(')')?;
        Ok(Value(Repr::Tuple(members)))
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn reserved(at: usize) -> RqlError {
    RqlError::at(at, "expected something else than `t`, which is an operator; quote it if it is a value")
}
