//! Entries that the Python original wrote.

use tracing::warn;

/// Whether a value of the original is plain JSON, and not a description of a Python object that only Python can build.
pub(crate) fn is_plain(key: &str, text: &str) -> bool {
    // Every member of jsonpickle's that is not the value's own begins so.
    let plain = !text.contains("\"py/");
    if !plain {
        warn!(key, "what is cached is a Python object, not plain JSON: it is not used");
    }
    plain
}
