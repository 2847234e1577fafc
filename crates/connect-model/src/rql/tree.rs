use std::{
    collections::HashSet,
    ops::{BitAnd, BitOr, Not},
};

use super::{Operand, RqlError};

/// A filter: which objects of a collection. The default is no condition, which every object matches.
///
/// Filters are joined with `&`, `|` and `!`, and kept in a form that the published grammar takes: groups are flat, have
/// no member twice and never only one; a negation goes inward until it stands before one comparison; no condition is
/// neutral in every group.
///
/// A text becomes a [raw](Self::raw) filter by `From`; [`parse`](Self::parse) reads and checks it instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rql {
    /// No condition. It is written as the empty text.
    #[default]
    Empty,
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
    /// Not this comparison, list or text.
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
    pub(super) const ALL: [Self; 8] =
        [Self::Eq, Self::Ne, Self::Lt, Self::Le, Self::Gt, Self::Ge, Self::Like, Self::Ilike];

    pub(super) fn name(self) -> &'static str {
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

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|comparison| comparison.name() == name)
    }
}

/// Whether a text is the name of a field: a letter of a-z or A-Z, then letters, digits, `_`, `-` or `.`.
pub fn check_field(field: &str) -> Result<(), RqlError> {
    if is_field(field) { Ok(()) } else { Err(RqlError::Field(field.to_owned())) }
}

pub(super) fn is_field(field: &str) -> bool {
    field.starts_with(|first: char| first.is_ascii_alphabetic()) && field.chars().all(is_name)
}

/// A character of a name, after the first.
pub(super) fn is_name(char: char) -> bool {
    char.is_alphanumeric() || "_.-".contains(char)
}

impl Rql {
    /// All of these; of nothing it is no condition.
    #[must_use]
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Self {
        let mut members = Vec::new();
        for filter in filters {
            match filter {
                Self::Empty => {}
                Self::And(inner) => members.extend(inner),
                other => members.push(other),
            }
        }
        drop_repeated(&mut members);
        match members.len() {
            0 => Self::Empty,
            1 => members.swap_remove(0),
            _ => Self::And(members),
        }
    }

    /// Any of these. Of nothing no object could match: [`check`](Self::check) tells, so that an empty list never turns
    /// into "everything". Members without a condition are left out, as in [`all`](Self::all).
    #[must_use]
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        let mut members = Vec::new();
        let (mut neutral, mut nothing) = (false, false);
        for filter in filters {
            match filter {
                Self::Empty => neutral = true,
                Self::Or(inner) => {
                    nothing |= inner.is_empty();
                    members.extend(inner);
                }
                other => members.push(other),
            }
        }
        drop_repeated(&mut members);
        match members.len() {
            0 if neutral && !nothing => Self::Empty,
            1 => members.swap_remove(0),
            _ => Self::Or(members),
        }
    }

    /// A text for what is missing here. It goes out as it is, in brackets where a group needs them; never put data from
    /// outside into it. A blank text is no condition.
    #[must_use]
    pub fn raw(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.trim().is_empty() { Self::Empty } else { Self::Raw(text) }
    }

    /// Whether this is no condition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether the grammar can write it: fields are names, lists and groups have members, patterns have no two stars in
    /// a row, and no value has both quote signs. A [`Raw`](Self::Raw) text is not looked at.
    pub fn check(&self) -> Result<(), RqlError> {
        match self {
            Self::Empty | Self::Raw(_) => Ok(()),
            Self::Compare(comparison, field, value) => {
                check_field(field).and_then(|()| value.check_for(*comparison, field))
            }
            Self::List { field, values, .. } => {
                check_field(field)?;
                if values.is_empty() {
                    return Err(RqlError::EmptyList(field.clone()));
                }
                values.iter().try_for_each(|value| value.check(field))
            }
            Self::And(members) | Self::Or(members) if members.iter().all(Self::is_empty) => {
                Err(RqlError::EmptyGroup)
            }
            Self::And(members) | Self::Or(members) => members.iter().try_for_each(Self::check),
            Self::Not(inner) if inner.is_empty() => Err(RqlError::EmptyNegation),
            Self::Not(inner) => inner.check(),
        }
    }
}

/// Few members, as nearly always, are compared with each other; many are hashed.
fn drop_repeated(members: &mut Vec<Rql>) {
    if members.len() <= 16 {
        let mut at = 1;
        while at < members.len() {
            if members[..at].contains(&members[at]) {
                members.remove(at);
            } else {
                at += 1;
            }
        }
        return;
    }
    let mut seen = HashSet::with_capacity(members.len());
    let new: Vec<bool> = members.iter().map(|member| seen.insert(member)).collect();
    let mut new = new.into_iter();
    members.retain(|_| new.next().unwrap_or(true));
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

    /// The grammar negates single comparisons only, so a negation goes inward; twice it is none.
    fn not(self) -> Self {
        match self {
            Self::And(members) if !members.is_empty() => Self::any(members.into_iter().map(Not::not)),
            Self::Or(members) if !members.is_empty() => Self::all(members.into_iter().map(Not::not)),
            Self::Not(inner) => *inner,
            // A text that is a group can't stand in `not(…)`, so it is taken apart where it can be.
            Self::Raw(text) => match Self::parse(&text) {
                Ok(group @ (Self::And(_) | Self::Or(_) | Self::Not(_))) => !group,
                _ => Self::Not(Box::new(Self::Raw(text))),
            },
            other => Self::Not(Box::new(other)),
        }
    }
}

/// A [raw](Rql::raw) filter.
impl From<&str> for Rql {
    fn from(text: &str) -> Self {
        Self::raw(text)
    }
}

/// A [raw](Rql::raw) filter.
impl From<String> for Rql {
    fn from(text: String) -> Self {
        Self::raw(text)
    }
}
