use super::{Comparison, Operand, Rql, operand::Repr};

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

    /// Like a pattern: `*` is any run of characters, `\*` a star, `\\` a backslash. Without a `*` it is equality; two
    /// in a row are an error.
    #[must_use]
    pub fn like(self, pattern: impl Into<Operand>) -> Rql {
        self.compare(Comparison::Like, pattern)
    }

    /// [Like](Self::like) a pattern, in capitals or not.
    #[must_use]
    pub fn ilike(self, pattern: impl Into<Operand>) -> Rql {
        self.compare(Comparison::Ilike, pattern)
    }

    /// With this text in it, in which `*` and `\` are ordinary.
    #[must_use]
    pub fn contains(self, text: &str) -> Rql {
        self.like(pattern("*", text, "*"))
    }

    /// With this text at its start, in which `*` and `\` are ordinary.
    #[must_use]
    pub fn starts_with(self, text: &str) -> Rql {
        self.like(pattern("", text, "*"))
    }

    /// With this text at its end, in which `*` and `\` are ordinary.
    #[must_use]
    pub fn ends_with(self, text: &str) -> Rql {
        self.like(pattern("*", text, ""))
    }

    /// [With this text in it](Self::contains), in capitals or not.
    #[must_use]
    pub fn icontains(self, text: &str) -> Rql {
        self.ilike(pattern("*", text, "*"))
    }

    /// [With this text at its start](Self::starts_with), in capitals or not.
    #[must_use]
    pub fn istarts_with(self, text: &str) -> Rql {
        self.ilike(pattern("", text, "*"))
    }

    /// [With this text at its end](Self::ends_with), in capitals or not.
    #[must_use]
    pub fn iends_with(self, text: &str) -> Rql {
        self.ilike(pattern("*", text, ""))
    }

    /// One of these values. Of none at all, no object could match: [`Rql::check`] tells, and nothing is sent.
    #[must_use]
    pub fn is_in<V: Into<Operand>>(self, values: impl IntoIterator<Item = V>) -> Rql {
        self.list(false, values)
    }

    /// None of these values. Without any, every object would match: [`Rql::check`] tells, and nothing is sent.
    #[must_use]
    pub fn out<V: Into<Operand>>(self, values: impl IntoIterator<Item = V>) -> Rql {
        self.list(true, values)
    }

    fn list<V: Into<Operand>>(self, out: bool, values: impl IntoIterator<Item = V>) -> Rql {
        Rql::List { out, field: self.0, values: values.into_iter().map(Into::into).collect() }
    }

    /// Without a value.
    #[must_use]
    pub fn is_null(self) -> Rql {
        self.eq(Operand::null())
    }

    /// With a value.
    #[must_use]
    pub fn is_not_null(self) -> Rql {
        self.ne(Operand::null())
    }

    /// An empty text.
    #[must_use]
    pub fn is_empty(self) -> Rql {
        self.eq(Operand::empty())
    }

    /// Not an empty text.
    #[must_use]
    pub fn is_not_empty(self) -> Rql {
        self.ne(Operand::empty())
    }
}

/// A text to the letter, with stars around it; of nothing it is one star.
fn pattern(before: &str, text: &str, after: &str) -> Operand {
    if text.is_empty() {
        return Operand::text("*");
    }
    Operand::text(format!("{before}{}{after}", text.replace('\\', "\\\\").replace('*', "\\*")))
}

/// What [`Rql::lookup`] compares a field with: one value, or a list of them as array, slice or `Vec`.
pub trait LookupValue {
    /// The values, and whether they are a list.
    #[doc(hidden)]
    fn into_values(self) -> (Vec<Operand>, bool);
}

impl<V: Into<Operand>> LookupValue for V {
    fn into_values(self) -> (Vec<Operand>, bool) {
        (vec![self.into()], false)
    }
}

impl<V: Into<Operand>, const N: usize> LookupValue for [V; N] {
    fn into_values(self) -> (Vec<Operand>, bool) {
        (self.into_iter().map(Into::into).collect(), true)
    }
}

impl<V: Into<Operand>> LookupValue for Vec<V> {
    fn into_values(self) -> (Vec<Operand>, bool) {
        (self.into_iter().map(Into::into).collect(), true)
    }
}

impl<V: Clone + Into<Operand>> LookupValue for &[V] {
    fn into_values(self) -> (Vec<Operand>, bool) {
        (self.iter().cloned().map(Into::into).collect(), true)
    }
}

impl Rql {
    /// A filter by a keyword, for code that comes from the Python client: `filter(product__id__in=[…])` is
    /// `Rql::lookup("product__id__in", […])`.
    ///
    /// The name is split at double underscores. The last of several parts is the operator if it is one of `eq`, `ne`,
    /// `lt`, `le`, `gt`, `ge`, `like`, `ilike`, `in`, `out`, `null` and `empty`; all others are the field, which is
    /// compared for equality otherwise. `in` and `out` take a list, `null` and `empty` take `true` or `false`, the
    /// others take one value; what does not fit is told by [`check`](Self::check).
    ///
    /// ```
    /// use connect_model::rql::Rql;
    ///
    /// let filter = Rql::lookup("asset__product__id__in", ["PRD-1", "PRD-2"]) & Rql::lookup("status", "pending");
    /// assert_eq!(filter.to_string(), "and(in(asset.product.id,(PRD-1,PRD-2)),eq(status,pending))");
    /// ```
    #[must_use]
    pub fn lookup(name: &str, value: impl LookupValue) -> Self {
        let (path, operator) = match name.rsplit_once("__") {
            Some((path, operator)) if is_operator(operator) => (path, operator),
            _ => (name, "eq"),
        };
        let field = R::field(path.replace("__", "."));
        let (values, is_list) = value.into_values();
        let misfit = |values: &[Operand], expected| {
            let text = values.iter().map(Operand::to_string).collect::<Vec<_>>().join(",");
            Operand(Repr::Misfit { text, expected })
        };
        match operator {
            "in" | "out" if is_list => field.list(operator == "out", values),
            "in" | "out" => field.list(operator == "out", [misfit(&values, "a list of values")]),
            "null" | "empty" => {
                let special = if operator == "null" { Operand::null() } else { Operand::empty() };
                match values.first().and_then(Operand::as_text) {
                    Some("true") if !is_list => field.eq(special),
                    Some("false") if !is_list => field.ne(special),
                    _ => field.eq(misfit(&values, "true or false")),
                }
            }
            _ => {
                let comparison = Comparison::named(operator).unwrap_or(Comparison::Eq);
                match values.first() {
                    Some(value) if !is_list => field.compare(comparison, value),
                    _ => field.compare(comparison, misfit(&values, "one value")),
                }
            }
        }
    }
}

fn is_operator(name: &str) -> bool {
    matches!(name, "in" | "out" | "null" | "empty") || Comparison::named(name).is_some()
}
