//! RQL, the query language of Connect's collections: a tree, its text, its parser, and its meaning over JSON.
//!
//! One grammar for those who ask (the client) and those who answer (the sandbox). Source: the published grammar of
//! Connect's vendor (`lib-rql`). Values are quoted where they have to be, so none can change the structure:
//!
//! ```
//! use connect_model::rql::{R, Rql};
//!
//! let filter = R::field("status").is_in(["pending", "approved"])? & !R::field("asset.product.id").like("PRD*");
//! assert_eq!(filter.to_string(), "and(in(status,(pending,approved)),not(like(asset.product.id,PRD*)))");
//! assert_eq!(Rql::parse(&filter.to_string())?, filter);
//! assert_eq!(R::field("name").eq("a,b) or").to_string(), r#"eq(name,"a,b) or")"#);
//! # Ok::<(), connect_model::rql::RqlError>(())
//! ```

mod eval;
mod parse;

use std::{
    fmt,
    ops::{BitAnd, BitOr, Not},
};

pub use parse::Query;

/// What is wrong with an RQL text or value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RqlError {
    /// The text is not RQL.
    #[error("not RQL at position {position}: expected {expected}")]
    Syntax {
        /// Where, in characters from the start.
        position: usize,
        /// What could have stood there.
        expected: &'static str,
    },
    /// A list without values: no object is in it.
    #[error("the list for \"{0}\" is empty")]
    EmptyList(String),
    /// A name that is no field: it could change the structure of the filter.
    #[error("\"{0}\" is no field: a letter, then letters, digits, \"_\", \"-\" or \".\"")]
    Field(String),
    /// All of nothing, or any of nothing.
    #[error("a group of filters has no members")]
    EmptyGroup,
    /// A value that the grammar has no way to write.
    #[error("the value for \"{0}\" has both quote signs, which RQL can't write")]
    BothQuotes(String),
}

/// A filter: which objects of a collection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rql {
    /// A comparison of a field with a value.
    Compare(Comparison, String, Operand),
    /// Whether a field is one of a list of values, or (`out`) none of them.
    List {
        /// `out` rather than `in`.
        out: bool,
        /// The field.
        field: String,
        /// At least one value.
        values: Vec<Operand>,
    },
    /// All of these.
    And(Vec<Rql>),
    /// Any of these.
    Or(Vec<Rql>),
    /// Not this comparison or list.
    Not(Box<Rql>),
    /// A text for what is missing here; it goes out as it is.
    Raw(String),
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Like a pattern, `*` standing for any run of characters.
    Like,
    /// Like a pattern, in capitals or not.
    Ilike,
}

impl Comparison {
    const ALL: [Self; 8] =
        [Self::Eq, Self::Ne, Self::Lt, Self::Le, Self::Gt, Self::Ge, Self::Like, Self::Ilike];

    fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Like => "like",
            Self::Ilike => "ilike",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|comparison| comparison.name() == name)
    }
}

/// A value that a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operand {
    /// A text, number, boolean or time, as text.
    Text(String),
    /// No value at all: `null()`.
    Null,
    /// The empty text: `empty()`.
    Empty,
}

macro_rules! operand_from {
    ($($type:ty),*) => {$(
        impl From<$type> for Operand {
            fn from(value: $type) -> Self {
                Self::Text(value.to_string())
            }
        }
    )*};
}

operand_from!(&str, String, &String, bool, i32, i64, u32, u64, usize, f64);

/// Whether a text is the name of a field: a letter, then letters, digits, `_`, `-` or `.`.
pub fn check_field(field: &str) -> Result<(), RqlError> {
    let mut chars = field.chars();
    let named = chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|char| char.is_alphanumeric() || "_.-".contains(char));
    if named { Ok(()) } else { Err(RqlError::Field(field.to_owned())) }
}

impl Operand {
    /// Whether the grammar can write it: it has no spelling for a text with both quote signs.
    pub fn check(&self, field: &str) -> Result<(), RqlError> {
        match self {
            Self::Text(text) if text.contains('"') && text.contains('\'') => {
                Err(RqlError::BothQuotes(field.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Whether a text may stand without quotes.
    fn is_bare(text: &str) -> bool {
        let word = |char: char| char.is_alphanumeric() || char == '_';
        let mut chars = text.chars();
        let first = chars.next().is_some_and(|first| word(first) || "-*+\\".contains(first));
        // A lone `t` is an operator of the grammar; the ends of a value are trimmed by some servers.
        first
            && text != "t"
            && !text.ends_with(char::is_whitespace)
            && chars.all(|char| word(char) || " .-:+@*\\".contains(char))
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null()"),
            Self::Empty => f.write_str("empty()"),
            Self::Text(text) if Self::is_bare(text) => f.write_str(text),
            Self::Text(text) if !text.contains('"') => write!(f, "\"{text}\""),
            Self::Text(text) if !text.contains('\'') => write!(f, "'{text}'"),
            // The grammar has no escape for a text with both quote signs: `check` refuses it before it is sent, and
            // here the apostrophe gives way, so that the structure holds in any case.
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "\u{2019}")),
        }
    }
}

/// A field, to build a filter from.
#[derive(Clone, Debug)]
pub struct R(String);

impl R {
    /// A field by its path, with dots: `asset.product.id`.
    pub fn field(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    fn compare(self, comparison: Comparison, value: impl Into<Operand>) -> Rql {
        Rql::Compare(comparison, self.0, value.into())
    }

    /// Equal to a value.
    #[must_use]
    pub fn eq(self, value: impl Into<Operand>) -> Rql {
        self.compare(Comparison::Eq, value)
    }

    /// Not equal to a value.
    #[must_use]
    pub fn ne(self, value: impl Into<Operand>) -> Rql {
        self.compare(Comparison::Ne, value)
    }

    /// Less than a value.
    #[must_use]
    pub fn lt(self, value: impl Into<Operand>) -> Rql {
        self.compare(Comparison::Lt, value)
    }

    /// Less than a value or equal.
    #[must_use]
    pub fn le(self, value: impl Into<Operand>) -> Rql {
        self.compare(Comparison::Le, value)
    }

    /// Greater than a value.
    #[must_use]
    pub fn gt(self, value: impl Into<Operand>) -> Rql {
        self.compare(Comparison::Gt, value)
    }

    /// Greater than a value or equal.
    #[must_use]
    pub fn ge(self, value: impl Into<Operand>) -> Rql {
        self.compare(Comparison::Ge, value)
    }

    /// Like a pattern, `*` standing for any run of characters.
    #[must_use]
    pub fn like(self, pattern: impl Into<String>) -> Rql {
        self.compare(Comparison::Like, pattern.into())
    }

    /// Like a pattern, in capitals or not.
    #[must_use]
    pub fn ilike(self, pattern: impl Into<String>) -> Rql {
        self.compare(Comparison::Ilike, pattern.into())
    }

    /// One of these values; none at all is an error, since no object could match.
    pub fn is_in<V: Into<Operand>>(self, values: impl IntoIterator<Item = V>) -> Result<Rql, RqlError> {
        self.list(false, values)
    }

    /// None of these values; none at all is an error, since every object would match.
    pub fn out<V: Into<Operand>>(self, values: impl IntoIterator<Item = V>) -> Result<Rql, RqlError> {
        self.list(true, values)
    }

    fn list<V: Into<Operand>>(self, out: bool, values: impl IntoIterator<Item = V>) -> Result<Rql, RqlError> {
        let values: Vec<Operand> = values.into_iter().map(Into::into).collect();
        if values.is_empty() {
            return Err(RqlError::EmptyList(self.0));
        }
        Ok(Rql::List { out, field: self.0, values })
    }

    /// Without a value.
    #[must_use]
    pub fn is_null(self) -> Rql {
        self.compare(Comparison::Eq, Operand::Null)
    }

    /// With a value.
    #[must_use]
    pub fn is_not_null(self) -> Rql {
        self.compare(Comparison::Ne, Operand::Null)
    }

    /// An empty text.
    #[must_use]
    pub fn is_empty(self) -> Rql {
        self.compare(Comparison::Eq, Operand::Empty)
    }
}

impl Rql {
    /// All of these.
    #[must_use]
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Self {
        let mut members = Vec::new();
        for filter in filters {
            match filter {
                Self::And(inner) => members.extend(inner),
                other => members.push(other),
            }
        }
        if members.len() == 1 { members.remove(0) } else { Self::And(members) }
    }

    /// Any of these.
    #[must_use]
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        let mut members = Vec::new();
        for filter in filters {
            match filter {
                Self::Or(inner) => members.extend(inner),
                other => members.push(other),
            }
        }
        if members.len() == 1 { members.remove(0) } else { Self::Or(members) }
    }

    /// Whether the grammar can write it: fields are names, groups have members, and no value has both quote signs.
    pub fn check(&self) -> Result<(), RqlError> {
        match self {
            Self::Compare(_, field, value) => check_field(field).and_then(|()| value.check(field)),
            Self::List { field, values, .. } => {
                check_field(field)?;
                values.iter().try_for_each(|value| value.check(field))
            }
            Self::And(members) | Self::Or(members) if members.is_empty() => Err(RqlError::EmptyGroup),
            Self::And(members) | Self::Or(members) => members.iter().try_for_each(Self::check),
            Self::Not(inner) => inner.check(),
            Self::Raw(_) => Ok(()),
        }
    }

    /// A text for what is missing here; it goes out as it is.
    #[must_use]
    pub fn raw(text: impl Into<String>) -> Self {
        Self::Raw(text.into())
    }
}

impl BitAnd for Rql {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self::all([self, other])
    }
}

impl BitOr for Rql {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self::any([self, other])
    }
}

impl Not for Rql {
    type Output = Self;

    /// The grammar negates single comparisons only, so a negation goes inward.
    fn not(self) -> Self {
        match self {
            Self::And(members) => Self::any(members.into_iter().map(Not::not)),
            Self::Or(members) => Self::all(members.into_iter().map(Not::not)),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}

impl fmt::Display for Rql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn joined<T: fmt::Display>(f: &mut fmt::Formatter<'_>, members: &[T]) -> fmt::Result {
            for (index, member) in members.iter().enumerate() {
                write!(f, "{}{member}", if index > 0 { "," } else { "" })?;
            }
            f.write_str(")")
        }
        match self {
            Self::Compare(comparison, field, value) => write!(f, "{}({field},{value})", comparison.name()),
            Self::List { out, field, values } => {
                write!(f, "{}({field},(", if *out { "out" } else { "in" })?;
                joined(f, values)?;
                f.write_str(")")
            }
            Self::And(members) => {
                f.write_str("and(")?;
                joined(f, members)
            }
            Self::Or(members) => {
                f.write_str("or(")?;
                joined(f, members)
            }
            Self::Not(inner) => write!(f, "not({inner})"),
            Self::Raw(text) => f.write_str(text),
        }
    }
}
