use std::fmt;

use super::{Rql, operand::in_quotes, tree::is_field};

/// The text of the filter, not percent-encoded; empty where it is no condition. What [`check`](Rql::check) refuses is
/// shown in a way that the grammar refuses too.
impl fmt::Display for Rql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Raw(text) => f.write_str(text),
            Self::Compare(comparison, field, value) => {
                write!(f, "{}({},{value})", comparison.name(), Field(field))
            }
            Self::List { out, field, values } => {
                write!(f, "{}({},(", if *out { "out" } else { "in" }, Field(field))?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index > 0 { "," } else { "" })?;
                }
                f.write_str("))")
            }
            Self::And(members) => group(f, "and", members),
            Self::Or(members) => group(f, "or", members),
            Self::Not(inner) => match &**inner {
                Self::Not(inner) => inner.fmt(f),
                Self::And(members) | Self::Or(members) if !members.is_empty() => (!(**inner).clone()).fmt(f),
                other => write!(f, "not({})", Member(other)),
            },
        }
    }
}

/// Trees that were put together by hand may have groups of one, or members without a condition.
fn group(f: &mut fmt::Formatter<'_>, name: &str, members: &[Rql]) -> fmt::Result {
    let mut shown = members.iter().filter(|member| !member.is_empty());
    let first = shown.next();
    if let (Some(only), None) = (first, shown.clone().next()) {
        return write!(f, "{}", Member(only));
    }
    write!(f, "{name}(")?;
    for (index, member) in first.into_iter().chain(shown).enumerate() {
        write!(f, "{}{}", if index > 0 { "," } else { "" }, Member(member))?;
    }
    f.write_str(")")
}

/// A member of a group: a text that is a group without brackets gets them.
struct Member<'a>(&'a Rql);

impl fmt::Display for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Rql::Raw(text) if has_separator(text) => write!(f, "({text})"),
            filter => filter.fmt(f),
        }
    }
}

/// A field; what is none stands in quotes, which no server takes for a field, so it can't change the structure.
struct Field<'a>(&'a str);

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_field(self.0) { f.write_str(self.0) } else { in_quotes(f, self.0) }
    }
}

/// Whether a text has a separator outside quotes and brackets.
fn has_separator(text: &str) -> bool {
    let (mut depth, mut quote) = (0_usize, None);
    for char in text.chars() {
        match (quote, char) {
            (Some(open), _) if open == char => quote = None,
            (None, '"' | '\'') => quote = Some(char),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, '&' | ',' | '|' | ';') if depth == 0 => return true,
            _ => {}
        }
    }
    false
}
