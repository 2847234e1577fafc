//! What of a call is shown, and how traces go with it.

use std::fmt::{self, Write as _};

use http::{HeaderMap, HeaderName};

/// The trace that calls belong to, sent as W3C's `traceparent` header: <https://www.w3.org/TR/trace-context/>.
///
/// ```
/// use connect_client::TraceContext;
///
/// let trace = TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
/// assert_eq!(trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    sampled: bool,
}

impl TraceContext {
    /// A trace of its own, sampled.
    #[must_use]
    pub fn new() -> Self {
        Self { trace_id: fastrand::u128(1..), sampled: true }
    }

    /// Reads a `traceparent` header; `None` where it is not one.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace_id, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |text: &str, length| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_known = version == "00" && parts.next().is_none()
            || is_hex(version, 2) && version != "00" && version != "ff";
        if !(is_known && is_hex(trace_id, 32) && is_hex(parent, 16) && is_hex(flags, 2)) {
            return None;
        }
        let trace_id = u128::from_str_radix(trace_id, 16).ok().filter(|id| *id != 0)?;
        u64::from_str_radix(parent, 16).ok().filter(|id| *id != 0)?;
        Some(Self { trace_id, sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1 })
    }

    /// The id of the trace, as it stands in the header.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// The header of one call, with an id of its own.
    pub(crate) fn header(&self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace_id, fastrand::u64(1..), u8::from(self.sampled))
    }
}

impl Default for TraceContext {
    fn default() -> Self {
        Self::new()
    }
}

/// Headers as they may be seen.
pub(crate) struct Shown<'a>(pub(crate) &'a HeaderMap);

/// Whether a header holds what nobody should read.
fn is_secret(name: &HeaderName) -> bool {
    let name = name.as_str();
    ["auth", "cookie", "key", "token", "secret", "password", "signature"]
        .iter()
        .any(|word| name.contains(word))
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{name}: ")?;
            let value = String::from_utf8_lossy(value.as_bytes());
            // The id of a key names an account; what is behind its colon is the secret.
            match value.strip_prefix("ApiKey ").and_then(|key| key.split_once(':')) {
                Some((id, _)) if *name == http::header::AUTHORIZATION => {
                    write!(f, "ApiKey {id}{}", "*".repeat(10))?;
                }
                _ if is_secret(name) => f.write_str(&"*".repeat(20))?,
                _ => {
                    value
                        .chars()
                        .filter(|char| !char.is_control())
                        .try_for_each(|char| f.write_char(char))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let shown = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            Shown(&headers).to_string()
        };
        assert_eq!(shown("authorization", "ApiKey SU-1:canary"), "authorization: ApiKey SU-1**********");
        for (name, value) in [
            ("authorization", "ApiKey canary"),
            ("authorization", "Bearer canary"),
            ("set-cookie", "api_key=canary"),
            ("x-vendor-token", "canary"),
        ] {
            assert_eq!(shown(name, value), format!("{name}: {}", "*".repeat(20)));
        }
        assert_eq!(shown("x-request-id", "r-1"), "x-request-id: r-1");
    }

    #[test]
    fn a_trace_goes_on() {
        let trace = TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        let (first, second) = (trace.header(), trace.header());
        assert_eq!(TraceContext::parse(&first), Some(trace));
        assert!(first.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && first != second, "{first}");
        for wrong in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert_eq!(TraceContext::parse(wrong), None, "{wrong}");
        }
        assert!(TraceContext::parse(&TraceContext::new().header()).is_some());
    }
}
