use http::{HeaderMap, header::CONTENT_RANGE};

use crate::Error;

/// Which objects an answer holds, and how many there are in all: the header `Content-Range: items 0-9/123`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentRange {
    /// The position of the first object, from 0.
    pub first: u64,
    /// The position of the last object.
    pub last: u64,
    /// How many there are in all.
    pub total: u64,
}

/// What an answer says about where it stands.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Range(ContentRange),
    Nothing,
    Garbled(String),
}

impl Found {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let Some(header) = headers.get(CONTENT_RANGE) else { return Self::Nothing };
        let text = String::from_utf8_lossy(header.as_bytes());
        match ContentRange::parse(&text) {
            Some(range) => Self::Range(range),
            None if text.trim().is_empty() => Self::Nothing,
            None => Self::Garbled(text.chars().take(100).collect()),
        }
    }

    pub(crate) fn range(&self) -> Option<ContentRange> {
        match self {
            Self::Range(range) => Some(*range),
            Self::Nothing | Self::Garbled(_) => None,
        }
    }

    pub(crate) fn garbled(text: &str) -> Error {
        Error::decode("a page", format!("its Content-Range is {text:?}, not \"items FIRST-LAST/TOTAL\""))
    }
}

impl ContentRange {
    /// The unit and blanks don't matter: so the original reads it.
    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.split_whitespace().next_back()?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some(Self { first: first.parse().ok()?, last: last.parse().ok()?, total: total.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_numbers_are_read() {
        let range = Some(ContentRange { first: 0, last: 9, total: 123 });
        for text in ["items 0-9/123", "bytes  0-9/123", " items\t0-9/123 ", "0-9/123"] {
            assert_eq!(ContentRange::parse(text), range, "{text:?}");
        }
        for text in ["", "items", "items */10", "items 0-9/*", "items 0-9", "items -1-9/10", "items 0-9/1 2"]
        {
            assert_eq!(ContentRange::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = ContentRange::parse(&text);
        }
    }
}
