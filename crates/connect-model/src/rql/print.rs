//! From the tree to text.

use std::fmt::{self, Write};

use super::scan::has_separator;
use super::value::Repr;
use super::{Rql, RqlError, Value};

impl Rql {
    /// The filter as RQL, not yet percent-encoded; empty if it is no condition.
    ///
    /// # Errors
    /// If the grammar has no way to write it: a value with both kinds of quotation marks, a membership or alternative
    /// without members, the negation of no condition, a field name that does not start with a letter or has other
    /// characters than letters, digits, `_`, `-` and `.`.
    pub fn print(&self) -> Result<String, RqlError> {
        let mut out = String::new();
        print(&self.normalized(), &mut out)?;
        Ok(out)
    }
}

/// [`Rql::print`]; what cannot be written is shown between `<` and `>`, which is no RQL.
impl fmt::Display for Rql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.print() {
            Ok(text) => f.write_str(&text),
            Err(error) => write!(f, "<{error}>"),
        }
    }
}

fn print(filter: &Rql, out: &mut String) -> Result<(), RqlError> {
    match filter {
        Rql::Empty => {}
        Rql::Raw(text) => out.push_str(text),
        Rql::Compare { field, op, value } => {
            check_field(field)?;
            let _ = write!(out, "{}({field},", op.name());
            print_value(value, out)?;
            out.push(')');
        }
        Rql::Member { field, op, values } => {
            check_field(field)?;
            if values.is_empty() {
                return Err(RqlError::unwritable(format!("{}() of {field} has no values", op.name())));
            }
            let _ = write!(out, "{}({field},(", op.name());
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                print_value(value, out)?;
            }
            out.push_str("))");
        }
        Rql::And(members) => print_group("and", members, out)?,
        Rql::Or(members) if members.is_empty() => {
            return Err(RqlError::unwritable("an alternative has no members"));
        }
        Rql::Or(members) => print_group("or", members, out)?,
        Rql::Not(inner) => match &**inner {
            Rql::Compare { .. } | Rql::Member { .. } | Rql::Raw(_) => {
                out.push_str("not(");
                print(inner, out)?;
                out.push(')');
            }
            _ => return Err(RqlError::unwritable("the negation of no condition matches nothing")),
        },
    }
    Ok(())
}

fn print_group(name: &str, members: &[Rql], out: &mut String) -> Result<(), RqlError> {
    out.push_str(name);
    for (index, member) in members.iter().enumerate() {
        out.push(if index > 0 { ',' } else { '(' });
        match member {
            Rql::Raw(text) if has_separator(text) => {
                let _ = write!(out, "({text})");
            }
            member => print(member, out)?,
        }
    }
    out.push(')');
    Ok(())
}

fn print_value(value: &Value, out: &mut String) -> Result<(), RqlError> {
    match &value.0 {
        Repr::Null => out.push_str("null()"),
        Repr::Empty => out.push_str("empty()"),
        Repr::Raw(text) => out.push_str(text),
        Repr::Text { text, quoted } => print_text(text, *quoted, out)?,
        Repr::Tuple(members) => print_group("t", members, out)?,
    }
    Ok(())
}

/// A text as a value: bare where the grammar takes it so, in quotation marks otherwise.
pub(super) fn print_text(text: &str, quoted: bool, out: &mut String) -> Result<(), RqlError> {
    if !quoted && is_bare(text) {
        out.push_str(text);
        return Ok(());
    }
    let mark = match (text.contains('"'), text.contains('\'')) {
        (false, _) => '"',
        (true, false) => '\'',
        (true, true) => {
            return Err(RqlError::unwritable("a value has both kinds of quotation marks, and RQL cannot escape them"));
        }
    };
    out.push(mark);
    out.push_str(text);
    out.push(mark);
    Ok(())
}

/// Whether the grammar takes a text without quotation marks. Stricter than the grammar where that costs nothing: other
/// letters than ASCII and spaces at the ends are quoted.
fn is_bare(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut chars = text.chars();
    text != "t"
        && !text.ends_with(' ')
        && chars.next().is_some_and(|c| word(c) || "-*+\\".contains(c))
        && chars.all(|c| word(c) || " .-:+@*\\".contains(c))
}

/// Whether a text can be the name of a field.
pub(super) fn is_field(name: &str) -> bool {
    let mut chars = name.chars();
    name != "t"
        && chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_alphanumeric() || "_-.".contains(c))
}

pub(super) fn check_field(name: &str) -> Result<(), RqlError> {
    if is_field(name) { Ok(()) } else { Err(RqlError::unwritable(format!("{name:?} is not the name of a field"))) }
}
