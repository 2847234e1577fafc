//! The two shapes of everything Connect speaks: objects and open enumerations.

/// Declares an object: named members with their types, and `extra` for all that they don't name or can't hold.
///
/// `Name(aux: Type = function)` adds a member that is no part of the JSON: the function makes it of what was read.
macro_rules! object {
    ($(
        $(#[$meta:meta])*
        $name:ident $(($(#[$aux_meta:meta])* $aux:ident: $aux_type:ty = $after:path))? {
            $($(#[$field_meta:meta])* $field:ident = $key:literal: $type:ty,)*
        }
    )*) => {$(
        $(#[$meta])*
        ///
        /// Its `Debug` shows what identifies it, not the data of people and companies in it.
        #[derive(Clone, Default, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            $($(#[$aux_meta])* pub $aux: $aux_type,)?
            /// What the members above don't name or can't hold: it is kept, and goes back out as it came.
            pub extra: $crate::Extra,
        }

        impl $crate::field::Field for $name {
            fn is_absent(&self) -> bool {
                $($crate::field::Field::is_absent(&self.$field) &&)* self.extra.is_empty()
            }

            fn to_value(&self) -> serde_json::Value {
                let mut members: serde_json::Map<String, serde_json::Value> =
                    self.extra.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
                $(if !$crate::field::Field::is_absent(&self.$field) {
                    members.insert($key.to_owned(), $crate::field::Field::to_value(&self.$field));
                })*
                serde_json::Value::Object(members)
            }

            fn from_map<'de, A: serde::de::MapAccess<'de>>(
                mut map: A,
            ) -> Result<$crate::field::Taken<Self>, A::Error> {
                use std::borrow::Cow;
                use $crate::field::{Field, Key, Take, Taken};
                let mut object = Self::default();
                let mut extra = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    match &*key {
                        $($key => match map.next_value_seed(Take::<$type>::new())? {
                            Taken::Typed(value) => {
                                // `""`, `[]` and `{}` are told from a missing member only by what is kept here.
                                if Field::is_absent(&value) {
                                    extra.push((Cow::Borrowed($key), Field::to_value(&value)));
                                }
                                object.$field = value;
                            }
                            Taken::Other(value) => {
                                // The last of several members of one name counts.
                                object.$field = Default::default();
                                extra.push((Cow::Borrowed($key), value));
                            }
                        },)*
                        _ => {
                            let value = map.next_value()?;
                            extra.push((Cow::Owned(key.into_owned()), value));
                        }
                    }
                }
                object.extra = extra.into_iter().collect();
                $(object.$aux = $after(&object);)?
                Ok(Taken::Typed(object))
            }

            #[cfg(test)]
            fn leftovers(&self, path: &str, found: &mut dyn FnMut(&str, &str, bool, &serde_json::Value)) {
                for (key, value) in self.extra.iter() {
                    let named = matches!(key, $($key)|*);
                    found(&format!("{path}.{key}"), stringify!($name), named, value);
                }
                $($crate::field::Field::leftovers(&self.$field, &format!("{path}.{}", $key), found);)*
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                $(if !$crate::field::Field::is_absent(&self.$field) {
                    map.serialize_entry($key, &self.$field)?;
                })*
                for (key, value) in self.extra.iter() {
                    let named = match key {
                        $($key => !$crate::field::Field::is_absent(&self.$field),)*
                        _ => false,
                    };
                    if !named {
                        map.serialize_entry(key, value)?;
                    }
                }
                map.end()
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use serde::de::{DeserializeSeed, Error};
                match $crate::field::Take::<Self>::new().deserialize(deserializer)? {
                    $crate::field::Taken::Typed(object) => Ok(object),
                    $crate::field::Taken::Other(value) => Err(D::Error::custom(format_args!(
                        concat!("expected the object ", stringify!($name), ", found {}"),
                        $crate::field::kind_of(&value),
                    ))),
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut object = f.debug_struct(stringify!($name));
                $(if $crate::macros::identifies($key) && !$crate::field::Field::is_absent(&self.$field) {
                    object.field($key, &self.$field);
                })*
                object.finish_non_exhaustive()
            }
        }

        impl From<$name> for serde_json::Value {
            fn from(object: $name) -> Self {
                $crate::field::Field::to_value(&object)
            }
        }

        impl From<&$name> for serde_json::Value {
            fn from(object: &$name) -> Self {
                $crate::field::Field::to_value(object)
            }
        }
    )*};
}

/// Whether a member may be shown by `Debug`: it says which object it is and where it stands, and nothing about people.
pub(crate) const fn identifies(key: &str) -> bool {
    matches!(
        key.as_bytes(),
        b"id"
            | b"type"
            | b"status"
            | b"state"
            | b"global_id"
            | b"mpn"
            | b"quantity"
            | b"old_quantity"
            | b"at"
    )
}

/// Declares an enumeration that Connect may extend: the known values by name, anything else kept as text.
macro_rules! open_enum {
    ($(
        $(#[$meta:meta])*
        $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)* }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// A value that this version does not know by name, as Connect wrote it.
            Other(Box<str>),
        }

        impl $name {
            /// The text Connect uses for it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl Default for $name {
            /// Not given: an empty text.
            fn default() -> Self {
                Self::Other(Box::default())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Other(other.into()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::from($crate::field::Key::deserialize(deserializer)?.0.as_ref()))
            }
        }

        impl $crate::field::Field for $name {
            fn is_absent(&self) -> bool {
                self.as_str().is_empty()
            }

            fn to_value(&self) -> serde_json::Value {
                serde_json::Value::String(self.as_str().to_owned())
            }

            fn from_text(text: &str) -> Option<Self> {
                Some(Self::from(text))
            }
        }
    )*};
}

pub(crate) use {object, open_enum};
