//! How one member of an object is read and written without losing anything.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::wire::Secret;

/// What was read for a member: its type, or anything else that stood there.
#[derive(Debug)]
pub(crate) enum Taken<T> {
    /// The value the type expects.
    Typed(T),
    /// Something the type can't hold.
    Other(Value),
}

impl<T> Taken<T> {
    fn map<U>(self, to: impl FnOnce(T) -> U) -> Taken<U> {
        match self {
            Self::Typed(value) => Taken::Typed(to(value)),
            Self::Other(value) => Taken::Other(value),
        }
    }
}

/// A type that a member of a Connect object may have.
///
/// Connect's answers differ by age: a text may be `""`, `null` or missing, a number may be a text. A member that
/// does not fit its type is no error: it stays in the object's `extra` and goes back out as it came.
pub(crate) trait Field: Sized + Clone {
    /// Whether the member is left out when the object is written.
    fn is_absent(&self) -> bool;

    /// The member as JSON.
    fn to_value(&self) -> Value;

    /// What objects within it keep in their `extra`: path, type, whether that type names it, value.
    #[cfg(test)]
    fn leftovers(&self, _: &str, _: &mut dyn FnMut(&str, &str, bool, &Value)) {}

    /// Reads a text.
    fn from_text(_: &str) -> Option<Self> {
        None
    }

    /// Reads a boolean.
    fn from_bool(_: bool) -> Option<Self> {
        None
    }

    /// Reads a number.
    fn from_number(_: &Number) -> Option<Self> {
        None
    }

    /// Reads an object.
    fn from_map<'de, A: MapAccess<'de>>(map: A) -> Result<Taken<Self>, A::Error> {
        Ok(Taken::Other(Value::Object(collect_map(map)?)))
    }

    /// Reads a list.
    fn from_seq<'de, A: SeqAccess<'de>>(seq: A) -> Result<Taken<Self>, A::Error> {
        Ok(Taken::Other(Value::Array(collect_seq(seq)?)))
    }
}

/// A text; `""` counts as absent.
impl Field for String {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn to_value(&self) -> Value {
        Value::String(self.clone())
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// A text that `Debug` hides; `""` counts as absent.
impl Field for Secret {
    fn is_absent(&self) -> bool {
        self.expose().is_empty()
    }

    fn to_value(&self) -> Value {
        Value::String(self.expose().to_owned())
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self::new(text))
    }
}

impl Field for bool {
    fn is_absent(&self) -> bool {
        !self
    }

    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Field for i64 {
    fn is_absent(&self) -> bool {
        *self == 0
    }

    fn to_value(&self) -> Value {
        Value::from(*self)
    }

    fn from_number(number: &Number) -> Option<Self> {
        number.as_i64()
    }
}

/// A number as it was written: `1` and `1.0` stay apart.
impl Field for Number {
    fn is_absent(&self) -> bool {
        false
    }

    fn to_value(&self) -> Value {
        Value::Number(self.clone())
    }

    fn from_number(number: &Number) -> Option<Self> {
        Some(number.clone())
    }
}

/// Any JSON value; `null` counts as absent.
impl Field for Value {
    fn is_absent(&self) -> bool {
        self.is_null()
    }

    fn to_value(&self) -> Value {
        self.clone()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Value::String(text.to_owned()))
    }

    fn from_bool(value: bool) -> Option<Self> {
        Some(Value::Bool(value))
    }

    fn from_number(number: &Number) -> Option<Self> {
        Some(Value::Number(number.clone()))
    }

    fn from_map<'de, A: MapAccess<'de>>(map: A) -> Result<Taken<Self>, A::Error> {
        Ok(Taken::Typed(Value::Object(collect_map(map)?)))
    }

    fn from_seq<'de, A: SeqAccess<'de>>(seq: A) -> Result<Taken<Self>, A::Error> {
        Ok(Taken::Typed(Value::Array(collect_seq(seq)?)))
    }
}

/// A map whose members are anyone's: settings, parameters of a schedule, …
impl Field for Map<String, Value> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn to_value(&self) -> Value {
        Value::Object(self.clone())
    }

    fn from_map<'de, A: MapAccess<'de>>(map: A) -> Result<Taken<Self>, A::Error> {
        Ok(Taken::Typed(collect_map(map)?))
    }
}

/// A member that may be missing; `None` is missing, anything else is written, `""` included.
impl<T: Field> Field for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    fn from_text(text: &str) -> Option<Self> {
        T::from_text(text).map(Some)
    }

    fn from_bool(value: bool) -> Option<Self> {
        T::from_bool(value).map(Some)
    }

    fn from_number(number: &Number) -> Option<Self> {
        T::from_number(number).map(Some)
    }

    fn from_map<'de, A: MapAccess<'de>>(map: A) -> Result<Taken<Self>, A::Error> {
        T::from_map(map).map(|taken| taken.map(Some))
    }

    fn from_seq<'de, A: SeqAccess<'de>>(seq: A) -> Result<Taken<Self>, A::Error> {
        T::from_seq(seq).map(|taken| taken.map(Some))
    }

    #[cfg(test)]
    fn leftovers(&self, path: &str, found: &mut dyn FnMut(&str, &str, bool, &Value)) {
        if let Some(value) = self {
            value.leftovers(path, found);
        }
    }
}

impl<T: Field> Field for Box<T> {
    fn is_absent(&self) -> bool {
        T::is_absent(self)
    }

    fn to_value(&self) -> Value {
        T::to_value(self)
    }

    fn from_text(text: &str) -> Option<Self> {
        T::from_text(text).map(Box::new)
    }

    fn from_bool(value: bool) -> Option<Self> {
        T::from_bool(value).map(Box::new)
    }

    fn from_number(number: &Number) -> Option<Self> {
        T::from_number(number).map(Box::new)
    }

    fn from_map<'de, A: MapAccess<'de>>(map: A) -> Result<Taken<Self>, A::Error> {
        T::from_map(map).map(|taken| taken.map(Box::new))
    }

    fn from_seq<'de, A: SeqAccess<'de>>(seq: A) -> Result<Taken<Self>, A::Error> {
        T::from_seq(seq).map(|taken| taken.map(Box::new))
    }

    #[cfg(test)]
    fn leftovers(&self, path: &str, found: &mut dyn FnMut(&str, &str, bool, &Value)) {
        T::leftovers(self, path, found);
    }
}

/// A list; one entry that does not fit keeps the whole list aside.
impl<T: Field> Field for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn to_value(&self) -> Value {
        self.iter().map(T::to_value).collect()
    }

    fn from_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Taken<Self>, A::Error> {
        let mut typed = Vec::new();
        while let Some(entry) = seq.next_element_seed(Take::<T>::new())? {
            match entry {
                Taken::Typed(entry) => typed.push(entry),
                Taken::Other(entry) => {
                    let mut other: Vec<Value> = typed.iter().map(T::to_value).collect();
                    other.push(entry);
                    other.append(&mut collect_seq(seq)?);
                    return Ok(Taken::Other(Value::Array(other)));
                }
            }
        }
        // Requests wait in numbers: what growing left over is given back.
        typed.shrink_to_fit();
        Ok(Taken::Typed(typed))
    }

    #[cfg(test)]
    fn leftovers(&self, path: &str, found: &mut dyn FnMut(&str, &str, bool, &Value)) {
        for entry in self {
            entry.leftovers(&format!("{path}[]"), found);
        }
    }
}

fn collect_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Map<String, Value>, A::Error> {
    let mut members = Map::new();
    while let Some((key, value)) = map.next_entry()? {
        members.insert(key, value);
    }
    Ok(members)
}

fn collect_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Vec<Value>, A::Error> {
    let mut entries = Vec::new();
    while let Some(value) = seq.next_element()? {
        entries.push(value);
    }
    Ok(entries)
}

/// Reads a member as its type or as whatever stands there.
#[derive(Debug)]
pub(crate) struct Take<T>(PhantomData<T>);

impl<T> Take<T> {
    /// A reader for one member.
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

fn or_other<T>(typed: Option<T>, other: impl FnOnce() -> Value) -> Taken<T> {
    typed.map_or_else(|| Taken::Other(other()), Taken::Typed)
}

impl<'de, T: Field> DeserializeSeed<'de> for Take<T> {
    type Value = Taken<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Taken<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Field> Visitor<'de> for Take<T> {
    type Value = Taken<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Taken<T>, E> {
        Ok(or_other(T::from_bool(value), || Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Taken<T>, E> {
        Ok(or_other(T::from_number(&value.into()), || value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Taken<T>, E> {
        Ok(or_other(T::from_number(&value.into()), || value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Taken<T>, E> {
        Ok(match Number::from_f64(value) {
            Some(number) => or_other(T::from_number(&number), || Value::Number(number.clone())),
            None => Taken::Other(Value::Null),
        })
    }

    fn visit_str<E>(self, text: &str) -> Result<Taken<T>, E> {
        Ok(or_other(T::from_text(text), || Value::String(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Taken<T>, E> {
        Ok(Taken::Other(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Taken<T>, E> {
        Ok(Taken::Other(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Taken<T>, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Taken<T>, A::Error> {
        T::from_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Taken<T>, A::Error> {
        T::from_seq(seq)
    }
}

/// The name of a member, borrowed where the text allows it.
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(name.to_owned())))
            }

            fn visit_string<E>(self, name: String) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(name)))
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}

/// What a value is, for error texts.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
