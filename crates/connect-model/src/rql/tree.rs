//! The tree, and how trees are combined.

use std::collections::HashSet;
use std::ops::{BitAnd, BitOr, Not};

use super::Value;

/// A filter.
///
/// Build one with [`R::field`](super::R::field), combine with `&`, `|` and `!`, or with [`Rql::all`] and [`Rql::any`];
/// take a text with [`Rql::raw`] (as it is) or [`Rql::parse`] (understood).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rql {
    /// No condition: everything matches, and it is neutral in every combination.
    #[default]
    Empty,
    /// A field against one value.
    Compare {
        /// The field, dotted (`asset.product.id`).
        field: String,
        /// How they are compared.
        op: Comparison,
        /// What the field is compared with.
        value: Value,
    },
    /// A field against several values.
    Member {
        /// The field, dotted.
        field: String,
        /// One of them, or none of them.
        op: Membership,
        /// The values, at least one.
        values: Vec<Value>,
    },
    /// All of them.
    And(Vec<Rql>),
    /// Any of them. Without members nothing matches; that cannot be sent.
    Or(Vec<Rql>),
    /// Not this one.
    Not(Box<Rql>),
    /// A text that is sent as it is.
    Raw(String),
}

/// How a field and a value are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// Matches a pattern, in which `*` is any run of characters.
    Like,
    /// Matches a pattern, whatever the letters' case.
    ILike,
}

impl Comparison {
    /// The operator's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Like => "like",
            Self::ILike => "ilike",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Eq, Self::Ne, Self::Lt, Self::Le, Self::Gt, Self::Ge, Self::Like, Self::ILike]
            .into_iter()
            .find(|op| op.name() == name)
    }
}

/// Whether a field is to be one of several values, or none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Membership {
    /// One of them.
    In,
    /// None of them.
    Out,
}

impl Membership {
    /// The operator's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::In, Self::Out].into_iter().find(|op| op.name() == name)
    }
}

impl Rql {
    /// A text that is sent as it is, encoded only where a URL needs it. A blank text is no condition.
    ///
    /// The text keeps its own structure, so never put data from outside into it. Inside a group it gets brackets where
    /// it needs them.
    pub fn raw(text: impl Into<String>) -> Self {
        let text = text.into();
        match text.trim() {
            "" => Self::Empty,
            trimmed if trimmed.len() == text.len() => Self::Raw(text),
            trimmed => Self::Raw(trimmed.to_owned()),
        }
    }

    /// All of them. Of nothing it is no condition.
    pub fn all(filters: impl IntoIterator<Item = Rql>) -> Self {
        let mut members = Vec::new();
        for filter in filters {
            match filter {
                Self::Empty => {}
                Self::And(inner) => members.extend(inner.into_iter().filter(|member| !member.is_empty())),
                other => members.push(other),
            }
        }
        distinct(&mut members);
        match members.len() {
            0 => Self::Empty,
            1 => members.swap_remove(0),
            _ => Self::And(members),
        }
    }

    /// Any of them. Members without a condition are left out, as everywhere; of nothing at all it matches nothing and
    /// cannot be sent, so that an empty list never turns into "everything".
    pub fn any(filters: impl IntoIterator<Item = Rql>) -> Self {
        let mut members = Vec::new();
        let mut neutral = false;
        for filter in filters {
            match filter {
                Self::Empty => neutral = true,
                Self::Or(inner) => members.extend(inner.into_iter().filter(|member| !member.is_empty())),
                other => members.push(other),
            }
        }
        distinct(&mut members);
        match members.len() {
            0 if neutral => Self::Empty,
            1 => members.swap_remove(0),
            _ => Self::Or(members),
        }
    }

    /// Whether this is no condition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The names of all fields that are compared, as written, in order, with repetitions. The fields of a
    /// [raw](Self::raw) text are not seen.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        self.collect_fields(&mut fields);
        fields
    }

    fn collect_fields<'a>(&'a self, fields: &mut Vec<&'a str>) {
        match self {
            Self::Empty | Self::Raw(_) => {}
            Self::Compare { field, .. } | Self::Member { field, .. } => fields.push(field),
            Self::And(members) | Self::Or(members) => {
                members.iter().for_each(|member| member.collect_fields(fields));
            }
            Self::Not(inner) => inner.collect_fields(fields),
        }
    }

    /// The same filter in the form that the combinators give.
    pub(super) fn normalized(&self) -> Self {
        match self {
            Self::And(members) => Self::all(members.iter().map(Self::normalized)),
            Self::Or(members) => Self::any(members.iter().map(Self::normalized)),
            Self::Not(inner) => !inner.normalized(),
            other => other.clone(),
        }
    }
}

/// Drops every member that is equal to an earlier one.
fn distinct(members: &mut Vec<Rql>) {
    let mut seen = HashSet::new();
    let keep: Vec<bool> = members.iter().map(|member| seen.insert(member)).collect();
    let mut keep = keep.into_iter();
    members.retain(|_| keep.next().unwrap_or(true));
}

impl BitAnd for Rql {
    type Output = Rql;

    fn bitand(self, other: Rql) -> Rql {
        Rql::all([self, other])
    }
}

impl BitOr for Rql {
    type Output = Rql;

    fn bitor(self, other: Rql) -> Rql {
        Rql::any([self, other])
    }
}

/// Negation goes inward (De Morgan), and twice is none. The negation of no condition matches nothing and cannot be sent.
impl Not for Rql {
    type Output = Rql;

    fn not(self) -> Rql {
        match self {
            Rql::Not(inner) => *inner,
            Rql::And(members) if !members.is_empty() => Rql::any(members.into_iter().map(Not::not)),
            Rql::Or(members) if !members.is_empty() => Rql::all(members.into_iter().map(Not::not)),
            other => Rql::Not(Box::new(other)),
        }
    }
}

/// A text is taken [as it is](Rql::raw).
impl From<&str> for Rql {
    fn from(text: &str) -> Self {
        Self::raw(text)
    }
}

/// A text is taken [as it is](Rql::raw).
impl From<String> for Rql {
    fn from(text: String) -> Self {
        Self::raw(text)
    }
}

impl From<&Rql> for Rql {
    fn from(filter: &Rql) -> Self {
        filter.clone()
    }
}

impl From<Option<Rql>> for Rql {
    fn from(filter: Option<Rql>) -> Self {
        filter.unwrap_or_default()
    }
}
