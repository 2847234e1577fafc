use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

use crate::VendorError;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path below the base URL: a text that is sent as it is, or segments that are encoded one by one.
///
/// ```
/// # fn calls(vendor: &connect_vendor::VendorClient, id: &str) {
/// let all = vendor.get("tenants?state=active");
/// // Whatever stands in the id, it is one segment.
/// let one = vendor.get(["tenants", id]);
/// # }
/// ```
pub trait IntoPath {
    /// The path as it is sent.
    fn into_path(self) -> String;
}

impl IntoPath for &str {
    fn into_path(self) -> String {
        self.to_owned()
    }
}

impl IntoPath for &String {
    fn into_path(self) -> String {
        self.clone()
    }
}

impl IntoPath for String {
    fn into_path(self) -> String {
        self
    }
}

impl<S: AsRef<str>, const N: usize> IntoPath for [S; N] {
    fn into_path(self) -> String {
        self[..].into_path()
    }
}

impl<S: AsRef<str>> IntoPath for &[S] {
    fn into_path(self) -> String {
        let segments = self.iter().map(|segment| match segment.as_ref() {
            // These would be steps, and not names.
            "." => "%2E".to_owned(),
            ".." => "%2E%2E".to_owned(),
            name => utf8_percent_encode(name, SEGMENT).to_string(),
        });
        segments.collect::<Vec<_>>().join("/")
    }
}

/// The address of a path. A whole address, as vendors give for the next page, has to be one of the same server.
pub(crate) fn address(base: &Url, path: &str) -> Result<Url, VendorError> {
    if path.starts_with("http://") || path.starts_with("https://") {
        let url = Url::parse(path).map_err(|_| VendorError::usage("the address of the call is none"))?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        if url.origin() != base.origin() || !is_plain {
            return Err(VendorError::usage(
                "the address of the call is of another server, which would get to know how we authenticate",
            ));
        }
        return Ok(url);
    }
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut url = base.clone();
    let path = path.trim_start_matches('/');
    let is_step = |segment: &str| {
        let decoded = percent_decode_str(segment).decode_utf8_lossy();
        decoded == "." || decoded == ".."
    };
    // Control characters are left out of addresses, so that something else could come of what stands around them.
    if path.contains(|char: char| char.is_control()) || path.split(['/', '\\']).any(is_step) {
        return Err(VendorError::usage(
            "a path can't have control characters, or \".\" or \"..\" as one of its parts",
        ));
    }
    if path.is_empty() {
        url.set_path(base.path());
    } else {
        url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    }
    url.set_query(query.filter(|query| !query.is_empty()));
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: impl IntoPath) -> Result<String, String> {
        let base = Url::parse("https://api.vendor.example/v1").unwrap();
        address(&base, &path.into_path()).map(|url| url.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn paths_are_below_the_base() {
        for (given, expected) in [
            ("tenants", "https://api.vendor.example/v1/tenants"),
            ("/tenants/", "https://api.vendor.example/v1/tenants/"),
            ("", "https://api.vendor.example/v1"),
            ("a?b=c%20d", "https://api.vendor.example/v1/a?b=c%20d"),
            ("https://api.vendor.example/v2/x?page=2", "https://api.vendor.example/v2/x?page=2"),
        ] {
            assert_eq!(path(given).as_deref(), Ok(expected));
        }
        assert_eq!(
            path(["tenants", "a/b?c#ä"]).as_deref(),
            Ok("https://api.vendor.example/v1/tenants/a%2Fb%3Fc%23%C3%A4")
        );
    }

    #[test]
    fn nothing_leads_elsewhere() {
        let elsewhere = [
            "../admin",
            "a/../../b",
            "a/%2e%2E/b",
            "a\\..\\b",
            "a/.\n./b",
            "https://evil.example/",
            "http://api.vendor.example/v1",
            "https://api.vendor.example:444/",
            "https://user:pass@api.vendor.example/",
        ];
        for given in elsewhere {
            assert!(path(given).is_err(), "{given}");
        }
        assert!(path(["..", "admin"]).is_err());
        assert_eq!(path("//evil.example/x").as_deref(), Ok("https://api.vendor.example/v1/evil.example/x"));
    }

    proptest::proptest! {
        #[test]
        fn no_path_leaves_the_base(given in "[./\\\\%2eE?#@: a-c\t\n]{0,24}|.{0,24}") {
            if let Ok(url) = path(given.as_str()) {
                proptest::prop_assert!(url.starts_with("https://api.vendor.example/v1"), "{url}");
            }
            let url = path(["v", given.as_str()]);
            proptest::prop_assert!(url.is_err() || url.unwrap().starts_with("https://api.vendor.example/v1/v/"));
        }
    }
}
