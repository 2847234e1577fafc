use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
};

use jiff::{Timestamp, ZonedDateTime, civil, tz::Offset};

use super::{Comparison, Rql, RqlError};

/// A value that a field is compared with: a text, `null()` or `empty()`.
///
/// RQL has no types: a number, a boolean or a time is its text. It is written without quotes where the grammar takes
/// it so, and in quotes elsewhere. A text that stands in one pair of quotes already means what is between them and is
/// written as it is; [`Operand::text`] takes the quotes for a part of the value.
///
/// ```
/// use connect_model::rql::{Operand, R};
///
/// assert_eq!(R::field("name").eq("a,b").to_string(), r#"eq(name,"a,b")"#);
/// assert_eq!(R::field("name").ilike("\"*gold plan*\"").to_string(), r#"ilike(name,"*gold plan*")"#);
/// assert_eq!(R::field("name").eq(Operand::text("\"a\"")).to_string(), r#"eq(name,'"a"')"#);
/// assert_eq!(R::field("reason").ne(Operand::null()).to_string(), "ne(reason,null())");
/// ```
#[derive(Clone, Debug)]
pub struct Operand(pub(super) Repr);

#[derive(Clone, Debug)]
pub(super) enum Repr {
    Null,
    Empty,
    /// `quote`: the sign it stood in, and is written in.
    Text {
        text: String,
        quote: Option<char>,
    },
    /// `t(…)`: comparisons that one entry of a list meets together. The parser alone makes them.
    Tuple(Vec<Rql>),
    /// What `Rql::lookup` was given and can't be; `check` tells.
    Misfit {
        text: String,
        expected: &'static str,
    },
}

impl Operand {
    /// A text to the letter, quotes around it included.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self(Repr::Text { text: text.into(), quote: None })
    }

    /// No value at all: `null()`.
    #[must_use]
    pub const fn null() -> Self {
        Self(Repr::Null)
    }

    /// The empty text: `empty()`.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Repr::Empty)
    }

    /// The text, without the quotes around it; `None` for [`null`](Self::null) and [`empty`](Self::empty).
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Repr::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The text, if it stands without quotes.
    pub(super) fn as_bare_text(&self) -> Option<&str> {
        match &self.0 {
            Repr::Text { text, quote: None } => Some(text),
            _ => None,
        }
    }

    pub(super) fn quoted(text: &str, quote: char) -> Self {
        Self(Repr::Text { text: text.to_owned(), quote: Some(quote) })
    }

    /// Whether the grammar can write it: it has no spelling for a text with both quote signs. `field` is for the error.
    pub fn check(&self, field: &str) -> Result<(), RqlError> {
        match &self.0 {
            Repr::Text { text, quote: None } if text.contains('"') && text.contains('\'') => {
                Err(RqlError::BothQuotes(field.to_owned()))
            }
            Repr::Tuple(members) => members.iter().try_for_each(Rql::check),
            Repr::Misfit { expected, .. } => Err(RqlError::Value { field: field.to_owned(), expected }),
            _ => Ok(()),
        }
    }

    pub(super) fn check_for(&self, comparison: Comparison, field: &str) -> Result<(), RqlError> {
        let is_pattern = matches!(comparison, Comparison::Like | Comparison::Ilike);
        if is_pattern && self.as_text().is_some_and(|text| !is_pattern_text(text)) {
            return Err(RqlError::Pattern(field.to_owned()));
        }
        self.check(field)
    }
}

/// Whether a pattern has no two stars in a row; `\*` is a star of the text, `\\` a backslash.
pub(super) fn is_pattern_text(text: &str) -> bool {
    let (mut chars, mut after_star) = (text.chars(), false);
    while let Some(char) = chars.next() {
        if char == '*' && after_star {
            return false;
        }
        after_star = char == '*';
        if char == '\\' && chars.as_str().starts_with(['*', '\\']) {
            chars.next();
        }
    }
    true
}

/// Whether a text may stand without quotes: the published grammar, less what servers disagree about.
fn is_bare(text: &str) -> bool {
    let mut chars = text.chars();
    // A lone `t` is an operator of the grammar, and some servers trim the ends of a value.
    chars.next().is_some_and(|first| is_sure_word(first) || "-*+\\".contains(first))
        && text != "t"
        && !text.ends_with(' ')
        && chars.all(|char| is_sure_word(char) || " .-:+@*\\".contains(char))
}

/// A letter, digit or underscore to everybody. What else counts as a letter depends on the server's version of Unicode,
/// so scripts without capitals are quoted, which any server takes.
fn is_sure_word(char: char) -> bool {
    let is_cased = || char.is_lowercase() || char.is_uppercase();
    char.is_ascii_alphanumeric()
        || char == '_'
        || ('\u{c0}'..'\u{2000}').contains(&char) && char != '\u{345}' && is_cased()
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Null => f.write_str("null()"),
            Repr::Empty => f.write_str("empty()"),
            Repr::Text { text, quote: Some(quote) } => write!(f, "{quote}{text}{quote}"),
            Repr::Text { text, quote: None } if is_bare(text) => f.write_str(text),
            Repr::Text { text, .. } | Repr::Misfit { text, .. } => in_quotes(f, text),
            Repr::Tuple(members) => {
                f.write_str("t(")?;
                for (index, member) in members.iter().enumerate() {
                    write!(f, "{}{member}", if index > 0 { "," } else { "" })?;
                }
                f.write_str(")")
            }
        }
    }
}

/// The grammar has no escape for a text with both quote signs: `check` refuses it before it is sent, and here the
/// apostrophe gives way, so that the structure holds in any case.
pub(super) fn in_quotes(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    if !text.contains('"') {
        write!(f, "\"{text}\"")
    } else if !text.contains('\'') {
        write!(f, "'{text}'")
    } else {
        write!(f, "'{}'", text.replace('\'', "\u{2019}"))
    }
}

/// Quotes around a text make no difference.
impl PartialEq for Operand {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Null, Repr::Null) | (Repr::Empty, Repr::Empty) => true,
            (Repr::Text { text, .. }, Repr::Text { text: other, .. })
            | (Repr::Misfit { text, .. }, Repr::Misfit { text: other, .. }) => text == other,
            (Repr::Tuple(members), Repr::Tuple(others)) => members == others,
            _ => false,
        }
    }
}

impl Eq for Operand {}

impl Hash for Operand {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(&self.0).hash(state);
        match &self.0 {
            Repr::Null | Repr::Empty => {}
            Repr::Text { text, .. } | Repr::Misfit { text, .. } => text.hash(state),
            Repr::Tuple(members) => members.hash(state),
        }
    }
}

impl From<String> for Operand {
    fn from(mut text: String) -> Self {
        for quote in ['"', '\''] {
            let inner = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
            if inner.is_some_and(|inner| !inner.contains(quote)) {
                text.pop();
                text.remove(0);
                return Self(Repr::Text { text, quote: Some(quote) });
            }
        }
        Self::text(text)
    }
}

impl From<&str> for Operand {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for Operand {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<&&str> for Operand {
    fn from(text: &&str) -> Self {
        (*text).into()
    }
}

impl From<Cow<'_, str>> for Operand {
    fn from(text: Cow<'_, str>) -> Self {
        text.into_owned().into()
    }
}

impl From<&Self> for Operand {
    fn from(value: &Self) -> Self {
        value.clone()
    }
}

macro_rules! from_display {
    ($($type:ty)*) => {$(
        impl From<$type> for Operand {
            fn from(value: $type) -> Self {
                Self::text(value.to_string())
            }
        }

        impl From<&$type> for Operand {
            fn from(value: &$type) -> Self {
                Self::text(value.to_string())
            }
        }
    )*};
}

from_display!(bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize serde_json::Number civil::Date);

/// As Python prints them, which is what the published server is used to: `1.0`, `1e+20`, `1e-07`.
fn float(shown: String) -> Operand {
    let Some((digits, exponent)) = shown.split_once('e') else { return Operand::text(shown) };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    Operand::text(format!("{digits}e{sign}{exponent:0>2}"))
}

impl From<f64> for Operand {
    fn from(value: f64) -> Self {
        float(format!("{value:?}"))
    }
}

impl From<f32> for Operand {
    fn from(value: f32) -> Self {
        float(format!("{value:?}"))
    }
}

/// ISO 8601 with six digits of a second's fraction or none, and an offset in digits: servers read these without doubt.
fn time(time: civil::DateTime, offset: Option<Offset>) -> Operand {
    let fraction = match time.subsec_nanosecond() / 1_000 {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    let offset = offset.map_or_else(String::new, |offset| {
        let minutes = offset.seconds().unsigned_abs() / 60;
        let sign = if offset.is_negative() { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    });
    let (date, hour, minute, second) = (time.date(), time.hour(), time.minute(), time.second());
    Operand::text(format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}"))
}

/// Without an offset, which servers take for UTC.
impl From<civil::DateTime> for Operand {
    fn from(value: civil::DateTime) -> Self {
        time(value, None)
    }
}

/// In UTC, written `+00:00`.
impl From<Timestamp> for Operand {
    fn from(value: Timestamp) -> Self {
        time(Offset::UTC.to_datetime(value), Some(Offset::UTC))
    }
}

/// With the offset of its time zone.
impl From<&ZonedDateTime> for Operand {
    fn from(value: &ZonedDateTime) -> Self {
        time(value.datetime(), Some(value.offset()))
    }
}

/// With the offset of its time zone.
impl From<ZonedDateTime> for Operand {
    fn from(value: ZonedDateTime) -> Self {
        (&value).into()
    }
}
