//! The right-hand side of a comparison.

use std::hash::{Hash, Hasher};

use super::Rql;

/// The right-hand side of a comparison: a text, `null()`, `empty()`, or RQL of your own.
///
/// RQL has no types: a number, a date or a boolean is its text. A text that stands in one pair of quotation marks
/// already (`"*gold plan*"`) means what is between them, and is printed with quotation marks.
#[derive(Clone, Debug)]
pub struct Value(pub(super) Repr);

#[derive(Clone, Debug)]
pub(super) enum Repr {
    Null,
    Empty,
    /// `quoted`: print with quotation marks, even where none are needed.
    Text {
        text: String,
        quoted: bool,
    },
    Raw(String),
    /// Comparisons that one element of a list must meet together.
    Tuple(Vec<Rql>),
}

impl Value {
    /// `null()`: the field is missing or null.
    #[must_use]
    pub const fn null() -> Self {
        Self(Repr::Null)
    }

    /// `empty()`: the field is an empty text or list.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Repr::Empty)
    }

    /// RQL text that is printed as it is, neither quoted nor checked. Never make one of data from outside.
    pub fn raw(rql: impl Into<String>) -> Self {
        Self(Repr::Raw(rql.into()))
    }

    /// The text, for everything but [`null`](Self::null), [`empty`](Self::empty), [`raw`](Self::raw) and tuples.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Repr::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(super) fn quoted(text: impl Into<String>) -> Self {
        Self(Repr::Text { text: text.into(), quoted: true })
    }

    pub(super) fn bare(text: impl Into<String>) -> Self {
        Self(Repr::Text { text: text.into(), quoted: false })
    }
}

/// Two values are equal when they mean the same: quotation marks make no difference.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Null, Repr::Null) | (Repr::Empty, Repr::Empty) => true,
            (Repr::Text { text: a, .. }, Repr::Text { text: b, .. }) | (Repr::Raw(a), Repr::Raw(b)) => a == b,
            (Repr::Tuple(a), Repr::Tuple(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(&self.0).hash(state);
        match &self.0 {
            Repr::Null | Repr::Empty => {}
            Repr::Text { text, .. } | Repr::Raw(text) => text.hash(state),
            Repr::Tuple(members) => members.hash(state),
        }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        let quoted = ['"', '\''].iter().any(|&mark| {
            text.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark)).is_some_and(|inner| !inner.contains(mark))
        });
        if quoted { Self::quoted(&text[1..text.len() - 1]) } else { Self::bare(text) }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

macro_rules! from_display {
    ($($t:ty)*) => { $(
        impl From<$t> for Value {
            fn from(value: $t) -> Self {
                Self::bare(value.to_string())
            }
        }
    )* };
}

from_display!(bool i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64);
