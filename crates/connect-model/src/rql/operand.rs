//! `R::field("status").eq("pending")`: a field on its way to a comparison.

use super::{Comparison, Membership, Rql, Value};

/// Where filters start: [`R::field`].
#[derive(Clone, Copy, Debug)]
pub enum R {}

impl R {
    /// A field by its dotted name (`asset.product.id`), to be compared.
    pub fn field(name: impl Into<String>) -> Operand {
        Operand { field: name.into() }
    }

    /// A comparison named by one text, for code that comes from the Python client: `R::lookup("product__id", ["X"])`,
    /// `R::lookup("status__in", ["a", "b"])`, `R::lookup("name__ilike", ["*x*"])`.
    ///
    /// The name is split at double underscores. The last of several parts is the operator if it is one of `eq ne lt le
    /// gt ge like ilike in out null empty`, and all others are the field, which is otherwise compared for equality.
    /// `in` and `out` take all values, the others exactly one; `null` and `empty` take `true` or `false`.
    pub fn lookup<V: Into<Value>>(name: &str, values: impl IntoIterator<Item = V>) -> Rql {
        let (field, op) = match name.rsplit_once("__") {
            Some((field, op)) if is_lookup(op) => (field, op),
            _ => (name, "eq"),
        };
        let operand = R::field(field.replace("__", "."));
        let values: Vec<Value> = values.into_iter().map(Into::into).collect();
        if let Some(op) = Membership::named(op) {
            return operand.member(op, values);
        }
        let value = match <[Value; 1]>::try_from(values) {
            Ok([value]) => value,
            // No comparison can be made of it, and a membership without values tells so when it is sent.
            Err(_) => return operand.member(Membership::In, Vec::new()),
        };
        let wanted = value.as_text() == Some("true");
        match op {
            "null" if wanted => operand.is_null(),
            "null" => operand.not_null(),
            "empty" if wanted => operand.is_empty(),
            "empty" => operand.not_empty(),
            op => operand.compare(Comparison::named(op).unwrap_or(Comparison::Eq), value),
        }
    }
}

fn is_lookup(op: &str) -> bool {
    matches!(op, "null" | "empty") || Comparison::named(op).is_some() || Membership::named(op).is_some()
}

/// A field on its way to a comparison; see [`R::field`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operand {
    field: String,
}

impl Operand {
    /// Equal.
    pub fn eq(&self, value: impl Into<Value>) -> Rql {
        self.compare(Comparison::Eq, value.into())
    }

    /// Not equal.
    pub fn ne(&self, value: impl Into<Value>) -> Rql {
        self.compare(Comparison::Ne, value.into())
    }

    /// Less.
    pub fn lt(&self, value: impl Into<Value>) -> Rql {
        self.compare(Comparison::Lt, value.into())
    }

    /// Less or equal.
    pub fn le(&self, value: impl Into<Value>) -> Rql {
        self.compare(Comparison::Le, value.into())
    }

    /// Greater.
    pub fn gt(&self, value: impl Into<Value>) -> Rql {
        self.compare(Comparison::Gt, value.into())
    }

    /// Greater or equal.
    pub fn ge(&self, value: impl Into<Value>) -> Rql {
        self.compare(Comparison::Ge, value.into())
    }

    /// From `from` to `to`, both included.
    pub fn range(&self, from: impl Into<Value>, to: impl Into<Value>) -> Rql {
        self.ge(from) & self.le(to)
    }

    /// Matches a pattern: `*` is any run of characters, `\*` a star, `\\` a backslash; without a star it is equality.
    pub fn like(&self, pattern: impl Into<Value>) -> Rql {
        self.compare(Comparison::Like, pattern.into())
    }

    /// Like [`like`](Self::like), whatever the letters' case.
    pub fn ilike(&self, pattern: impl Into<Value>) -> Rql {
        self.compare(Comparison::ILike, pattern.into())
    }

    /// Contains the text, in which stars and backslashes are nothing special.
    #[must_use]
    pub fn contains(&self, text: &str) -> Rql {
        self.pattern(&format!("*{}*", escape(text)))
    }

    /// Starts with the text, in which stars and backslashes are nothing special.
    #[must_use]
    pub fn starts_with(&self, text: &str) -> Rql {
        self.pattern(&format!("{}*", escape(text)))
    }

    /// Ends with the text, in which stars and backslashes are nothing special.
    #[must_use]
    pub fn ends_with(&self, text: &str) -> Rql {
        self.pattern(&format!("*{}", escape(text)))
    }

    /// One of the values. Without any it matches nothing, and cannot be sent.
    pub fn is_in<V: Into<Value>>(&self, values: impl IntoIterator<Item = V>) -> Rql {
        self.member(Membership::In, values.into_iter().map(Into::into).collect())
    }

    /// None of the values. Without any it cannot be sent.
    pub fn out<V: Into<Value>>(&self, values: impl IntoIterator<Item = V>) -> Rql {
        self.member(Membership::Out, values.into_iter().map(Into::into).collect())
    }

    /// Missing or null.
    #[must_use]
    pub fn is_null(&self) -> Rql {
        self.eq(Value::null())
    }

    /// Neither missing nor null.
    #[must_use]
    pub fn not_null(&self) -> Rql {
        self.ne(Value::null())
    }

    /// An empty text or list.
    #[must_use]
    pub fn is_empty(&self) -> Rql {
        self.eq(Value::empty())
    }

    /// Anything but an empty text or list.
    #[must_use]
    pub fn not_empty(&self) -> Rql {
        self.ne(Value::empty())
    }

    fn pattern(&self, pattern: &str) -> Rql {
        self.compare(Comparison::Like, Value::bare(pattern))
    }

    fn compare(&self, op: Comparison, value: Value) -> Rql {
        Rql::Compare { field: self.field.clone(), op, value }
    }

    fn member(&self, op: Membership, values: Vec<Value>) -> Rql {
        Rql::Member { field: self.field.clone(), op, values }
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*")
}
