use std::{
    any::{TypeId, type_name},
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
};

/// What a service is found by: its type, and a name where the type is not enough.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) type_id: TypeId,
    type_name: &'static str,
}

impl Key {
    pub(crate) fn of<T: 'static>(name: Option<Cow<'static, str>>) -> Self {
        Self { name, type_id: TypeId::of::<T>(), type_name: type_name::<T>() }
    }

    /// The type as people write it.
    pub(crate) fn type_text(&self) -> String {
        short(self.type_name)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.type_id == other.type_id && self.name == other.name
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.type_id.hash(state);
        self.name.hash(state);
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "\"{name}\": {}", self.type_text()),
            None => f.write_str(&self.type_text()),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A type's name without the paths: `alloc::sync::Arc<dyn a::b::Cache>` is `Arc<dyn Cache>`.
pub(crate) fn short(type_name: &str) -> String {
    let mut text = String::with_capacity(type_name.len());
    let mut segment = String::new();
    let mut chars = type_name.chars().peekable();
    while let Some(char) = chars.next() {
        if char == ':' && chars.peek() == Some(&':') {
            chars.next();
            segment.clear();
        } else if char.is_alphanumeric() || char == '_' {
            segment.push(char);
        } else {
            text.push_str(&segment);
            segment.clear();
            text.push(char);
        }
    }
    text.push_str(&segment);
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn types_are_named_as_people_write_them() {
        assert_eq!(short(type_name::<Arc<dyn std::error::Error + Send>>()), "Arc<dyn Error + Send>");
        assert_eq!(short(type_name::<Option<Vec<(String, u8)>>>()), "Option<Vec<(String, u8)>>");
        assert_eq!(Key::of::<String>(Some("api_url".into())).to_string(), "\"api_url\": String");
    }
}
