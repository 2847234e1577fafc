//! Where a call goes: segments of a path, and what is encoded in them.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::Error;

/// A piece of a path.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// One segment, whatever stands in it.
    Segment(String),
    /// Segments, with slashes between them.
    Path(String),
}

/// What may stand nowhere in a URL, or would be decoded on the way.
const EVERYWHERE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// And what would end a segment of a path.
const SEGMENT: &AsciiSet = &EVERYWHERE.add(b'/').add(b'?');

/// And what would end a part of a query; the signs of RQL's structure stay.
const QUERY: &AsciiSet = &EVERYWHERE.add(b'&').add(b'\'');

/// The same in a parameter, where the signs of RQL mean nothing.
const PARAMETER: &AsciiSet = &QUERY.add(b'=').add(b'+').add(b'(').add(b')').add(b',').add(b';');

/// What can't stand in a query that somebody wrote as a whole, its own `&` and `%XX` kept.
const WRITTEN: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'').add(b'`').add(b'{').add(b'}');

fn segments(path: &[Part]) -> impl Iterator<Item = &str> {
    path.iter().flat_map(|part| {
        let (text, is_path) = match part {
            Part::Segment(segment) => (segment.as_str(), false),
            Part::Path(path) => (path.trim_matches('/'), true),
        };
        text.split(move |char| is_path && char == '/')
    })
}

/// The path as it is sent, without a slash before it.
pub(crate) fn encoded(path: &[Part]) -> String {
    let mut text = String::new();
    for segment in segments(path) {
        if !text.is_empty() {
            text.push('/');
        }
        text.extend(utf8_percent_encode(segment, SEGMENT));
    }
    text
}

/// Refuses what leads nowhere, or somewhere else.
pub(crate) fn check(path: &[Part]) -> Result<(), Error> {
    for segment in segments(path) {
        // URL parsers drop segments of dots, even encoded ones: the call would go somewhere else.
        if segment.trim().is_empty() || segment.trim_matches('.').is_empty() {
            let whole = segments(path).collect::<Vec<_>>().join("/");
            return Err(Error::usage(format!(
                "\"{segment}\" is neither a name nor an id (in the path \"{whole}\")"
            )));
        }
    }
    Ok(())
}

/// A part of a query that is RQL.
pub(crate) fn rql(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// A parameter of a query.
pub(crate) fn parameter(name: &str, value: &str) -> String {
    format!("{}={}", utf8_percent_encode(name, PARAMETER), utf8_percent_encode(value, PARAMETER))
}

/// A query that somebody wrote as a whole, behind the `?` of a path.
pub(crate) fn written(query: &str) -> String {
    utf8_percent_encode(query, WRITTEN).to_string()
}

/// A query from its decoded parts.
#[cfg(feature = "mock")]
pub(crate) fn joined(parts: &[String]) -> String {
    parts.iter().map(|part| rql(part)).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_id_leaves_its_segment(id in ".{0,20}") {
            let path = [Part::Path("/tier/config-requests/".to_owned()), Part::Segment(id.clone())];
            let text = encoded(&path);
            if check(&path).is_ok() {
                let url = url::Url::parse(&format!("https://connect.example/public/v1/{text}")).unwrap();
                let segments: Vec<String> = url
                    .path_segments()
                    .unwrap()
                    .map(|segment| percent_decode_str(segment).decode_utf8().unwrap().into_owned())
                    .collect();
                prop_assert_eq!(&segments, &["public", "v1", "tier", "config-requests", id.as_str()]);
                prop_assert!(url.query().is_none() && url.fragment().is_none());
            } else {
                prop_assert!(id.trim().is_empty() || id.chars().all(|char| char == '.'));
            }
        }

        #[test]
        fn no_value_leaves_its_parameter(value in ".{0,20}") {
            let mut url = url::Url::parse("https://connect.example/a").unwrap();
            url.set_query(Some(&parameter("x", &value)));
            let query = url.query().unwrap();
            prop_assert!(!query.contains('&') && url.fragment().is_none());
            let decoded = percent_decode_str(query).decode_utf8().unwrap();
            prop_assert_eq!(decoded.strip_prefix("x=").unwrap(), value.as_str());
        }
    }
}
