//! The two shapes of everything Connect speaks: objects and open enumerations.

/// Declares an object: named members with their types, and `extra` for all that they don't name or can't hold.
macro_rules! object {
    ($(
        $(#[$meta:meta])*
        $name:ident { $($(#[$field_meta:meta])* $field:ident = $key:literal: $type:ty,)* }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            /// What the members above don't name or can't hold: it is kept, and goes back out as it came.
            pub extra: serde_json::Map<String, serde_json::Value>,
        }

        impl $crate::field::Field for $name {
            fn is_absent(&self) -> bool {
                $($crate::field::Field::is_absent(&self.$field) &&)* self.extra.is_empty()
            }

            fn to_value(&self) -> serde_json::Value {
                let mut members = self.extra.clone();
                $(if !$crate::field::Field::is_absent(&self.$field) {
                    members.insert($key.to_owned(), $crate::field::Field::to_value(&self.$field));
                })*
                serde_json::Value::Object(members)
            }

            fn from_map<'de, A: serde::de::MapAccess<'de>>(
                mut map: A,
            ) -> Result<$crate::field::Taken<Self>, A::Error> {
                use $crate::field::{Field, Key, Take, Taken};
                let mut object = Self::default();
                while let Some(Key(key)) = map.next_key()? {
                    match &*key {
                        $($key => match map.next_value_seed(Take::<$type>::new())? {
                            Taken::Typed(value) => {
                                // `""`, `[]` and `{}` are told from a missing member only by what is kept here.
                                if Field::is_absent(&value) {
                                    object.extra.insert($key.to_owned(), Field::to_value(&value));
                                }
                                object.$field = value;
                            }
                            Taken::Other(value) => {
                                object.extra.insert($key.to_owned(), value);
                            }
                        },)*
                        _ => {
                            let value = map.next_value()?;
                            object.extra.insert(key.into_owned(), value);
                        }
                    }
                }
                Ok(Taken::Typed(object))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                $(if !$crate::field::Field::is_absent(&self.$field) {
                    map.serialize_entry($key, &self.$field)?;
                })*
                for (key, value) in &self.extra {
                    let named = match key.as_str() {
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
            Other(String),
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
                Self::Other(String::new())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
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
