use sha2::{Digest as _, Sha256};

/// The SHA-256 of a key: where a driver can't hold the key itself.
pub(crate) fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(any(feature = "file", feature = "memcached"))]
/// The first 128 bits of the SHA-256 of a key as hexadecimal digits: enough that no two keys share them.
pub(crate) fn short_digest(key: &str) -> String {
    digest(key)[..16].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
