use std::{fmt, str::FromStr, time::Duration};

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest::{SHA256, digest},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tracing::warn;

use crate::{BoxFuture, Cache, CacheError, Entry, Metrics, layers::forward};

/// What an encrypted value begins with.
const MARK: &str = "aes-256-gcm-siv";

/// Encrypts values on their way to where they are kept, by AES-256-GCM-SIV. Keys are not encrypted.
///
/// The value is bound to its key, so that it can't be passed off as another's. What can't be decrypted is logged, counted
/// and absent: a value that is not encrypted as well, or by a key that is not known. With several keys the first one
/// encrypts and all decrypt, so that a key can be exchanged without losing the cache.
#[derive(Debug)]
pub struct Encrypted<C> {
    inner: C,
    keys: Vec<EncryptionKey>,
    metrics: Metrics,
}

/// A key of 256 bits: from 32 bytes, or from text with 64 hexadecimal digits or the bytes in Base64.
///
/// ```
/// use connect_cache::EncryptionKey;
///
/// let key: EncryptionKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f".parse()?;
/// # Ok::<(), &'static str>(())
/// ```
pub struct EncryptionKey {
    key: RandomizedNonceKey,
    /// Tells which key a value needs, and nothing about the key.
    id: String,
}

impl EncryptionKey {
    /// A key of these bytes, which should be random.
    pub fn new(bytes: [u8; 32]) -> Result<Self, CacheError> {
        let unusable = |_| CacheError::storage("the key can't be used");
        let key = RandomizedNonceKey::new(&AES_256_GCM_SIV, &bytes).map_err(unusable)?;
        let id =
            STANDARD.encode(&digest(&SHA256, &[&b"connect-cache key id"[..], &bytes].concat()).as_ref()[..6]);
        Ok(Self { key, id })
    }
}

impl FromStr for EncryptionKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "it has to be 32 bytes, as 64 hexadecimal digits or in Base64";
        let text = text.trim();
        let bytes = if text.len() == 64 && text.is_ascii() {
            let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).ok();
            (0..64).step_by(2).map(byte).collect::<Option<Vec<u8>>>()
        } else {
            STANDARD.decode(text).ok()
        };
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or(wrong)?;
        Self::new(bytes).map_err(|_| wrong)
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<C: Cache> Encrypted<C> {
    /// Encrypts by `key`.
    pub fn new(cache: C, key: EncryptionKey) -> Self {
        Self { inner: cache, keys: vec![key], metrics: Metrics::default() }
    }

    /// Also decrypts by a key that was used before.
    #[must_use]
    pub fn old_key(mut self, key: EncryptionKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Where it is counted what can't be decrypted.
    #[must_use]
    pub fn metrics(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// A JSON string: mark, key, nonce and what is encrypted.
    fn encrypt(&self, key: &str, value: String) -> Result<String, CacheError> {
        let failed = || CacheError::storage("the value can't be encrypted");
        let with = self.keys.first().ok_or_else(failed)?;
        let mut bytes = value.into_bytes();
        let nonce = with.key.seal_in_place_append_tag(Aad::from(key), &mut bytes).map_err(|_| failed())?;
        let whole = [&nonce.as_ref()[..], &bytes].concat();
        Ok(format!("\"{MARK}:{}:{}\"", with.id, STANDARD.encode(whole)))
    }

    fn decrypt(&self, key: &str, text: &str) -> Option<String> {
        let value = self.open(key, text);
        if value.is_none() {
            self.metrics.0.undecryptable.count();
            warn!(key, "what is cached can't be decrypted: it is not used");
        }
        value
    }

    fn open(&self, key: &str, text: &str) -> Option<String> {
        let text = text.strip_prefix('"')?.strip_suffix('"')?;
        let (id, text) = text.strip_prefix(MARK)?.strip_prefix(':')?.split_once(':')?;
        let with = self.keys.iter().find(|key| key.id == id)?;
        let mut whole = STANDARD.decode(text).ok()?;
        let nonce: [u8; NONCE_LEN] = whole.get(..NONCE_LEN)?.try_into().ok()?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let value = with.key.open_in_place(nonce, Aad::from(key), &mut whole[NONCE_LEN..]).ok()?;
        String::from_utf8(value.to_vec()).ok()
    }
}

impl<C: Cache> Cache for Encrypted<C> {
    forward!(has, delete, flush_prefix);

    fn get_text<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Entry<String>>> {
        Box::pin(async move {
            let Some(entry) = self.inner.get_text(key).await? else { return Ok(None) };
            Ok(self.decrypt(key, &entry.value).map(|value| Entry { value, ttl: entry.ttl }))
        })
    }

    fn put_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.inner.put_text(key, self.encrypt(key, value)?, ttl).await })
    }

    fn add_text<'a>(&'a self, key: &'a str, value: String, ttl: Option<Duration>) -> BoxFuture<'a, bool> {
        Box::pin(async move { self.inner.add_text(key, self.encrypt(key, value)?, ttl).await })
    }

    fn touch_text<'a>(&'a self, key: &'a str, ttl: Duration) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            let Some(text) = self.inner.touch_text(key, ttl).await? else { return Ok(None) };
            Ok(self.decrypt(key, &text))
        })
    }
}
