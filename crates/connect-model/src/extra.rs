//! The members of an object that its type does not name or can't hold.

use std::{borrow::Cow, fmt};

use serde_json::Value;

type Entry = (Cow<'static, str>, Value);

/// The members of an object that its type does not name, or that are of another kind than the type expects.
///
/// They are kept, and go back out as they came. It is a map, sorted by name; it takes eight bytes while it is empty,
/// and a request consists of a hundred objects.
///
/// ```
/// use connect_model::AssetRequest;
///
/// let mut request: AssetRequest = serde_json::from_str(r#"{"id": "PR-1", "new_in_2027": true}"#)?;
/// assert_eq!(request.extra["new_in_2027"], true);
/// assert!(request.extra["anything else"].is_null());
///
/// request.extra.insert("mine", "kept");
/// assert_eq!(serde_json::to_value(&request)?["mine"], "kept");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Extra(Option<Box<Entries>>);

/// Sorted by name, each name once; never empty.
#[derive(Clone, PartialEq)]
struct Entries(Vec<Entry>);

impl Extra {
    /// None at all.
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// The value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.position(name).ok().and_then(|at| self.entries().get(at)).map(|(_, value)| value)
    }

    /// Whether there is a value of this name.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.position(name).is_ok()
    }

    /// Sets a value; gives back the one it replaces.
    pub fn insert(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        let at = self.position(&name);
        let entries = &mut self.0.get_or_insert_with(|| Box::new(Entries(Vec::with_capacity(1)))).0;
        match at {
            Ok(at) => entries.get_mut(at).map(|(_, old)| std::mem::replace(old, value)),
            Err(at) => {
                entries.insert(at, (name, value));
                None
            }
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.position(name).ok()?;
        let entries = &mut self.0.as_mut()?.0;
        let (_, value) = entries.remove(at);
        if entries.is_empty() {
            self.0 = None;
        }
        Some(value)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// All of them, by name.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.entries().iter().map(|(name, value)| (name.as_ref(), value))
    }

    fn entries(&self) -> &[Entry] {
        self.0.as_ref().map_or(&[], |entries| &entries.0)
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.entries().binary_search_by(|(entry, _)| entry.as_ref().cmp(name))
    }
}

impl FromIterator<(Cow<'static, str>, Value)> for Extra {
    /// The last of several values of one name counts, as in all JSON.
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut entries: Vec<Entry> = entries.into_iter().collect();
        if entries.is_empty() {
            return Self(None);
        }
        // Stable: values of one name stay in their order.
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        entries.shrink_to_fit();
        Self(Some(Box::new(Entries(entries))))
    }
}

impl std::ops::Index<&str> for Extra {
    type Output = Value;

    /// The value of this name, or `null`.
    fn index(&self, name: &str) -> &Value {
        const NULL: &Value = &Value::Null;
        self.get(name).unwrap_or(NULL)
    }
}

/// Shows the names alone: values may be anyone's data.
impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_a_map() {
        let mut extra = Extra::default();
        assert!(extra.is_empty());
        assert_eq!(extra.insert("b", 1), None);
        assert_eq!(extra.insert("a", 2), None);
        assert_eq!(extra.insert("b", 3), Some(json!(1)));
        assert_eq!(extra.iter().collect::<Vec<_>>(), [("a", &json!(2)), ("b", &json!(3))]);
        assert_eq!(format!("{extra:?}"), r#"{"a", "b"}"#);
        assert_eq!((extra.remove("a"), extra.remove("a")), (Some(json!(2)), None));
        assert_eq!((extra["b"].clone(), extra["a"].clone()), (json!(3), Value::Null));
        assert_eq!(extra.remove("b"), Some(json!(3)));
        assert!(extra.is_empty());
        assert_eq!(extra, Extra::default());
    }

    #[test]
    fn the_last_of_several_values_counts() {
        let entries = [("b", 1), ("a", 2), ("b", 3), ("b", 4)];
        let extra: Extra =
            entries.into_iter().map(|(name, value)| (Cow::Borrowed(name), json!(value))).collect();
        assert_eq!(extra.iter().collect::<Vec<_>>(), [("a", &json!(2)), ("b", &json!(4))]);
    }

    #[test]
    fn it_is_small_while_it_is_empty() {
        assert_eq!(size_of::<Extra>(), 8);
    }
}
