//! Objects take a third of their size: they are compressed, each for itself, with one that looks like most of them as
//! the dictionary.

use std::sync::OnceLock;

use connect_model::build::Generator;
use lz4_flex::block;
use serde_json::Value;

use super::StoreError;

/// As it is.
const PLAIN: u8 = 0;
/// LZ4 with the dictionary, behind its length.
const PACKED: u8 = 1;
/// What is smaller does not get smaller.
const WORTH_IT: usize = 128;

#[derive(Debug)]
pub(super) struct Packer {
    dictionary: Vec<u8>,
}

impl Default for Packer {
    fn default() -> Self {
        Self { dictionary: Self::default_dictionary() }
    }
}

impl Packer {
    pub(super) fn new(dictionary: Vec<u8>) -> Self {
        Self { dictionary }
    }

    /// A purchase. A file keeps the one that it was made with.
    pub(super) fn default_dictionary() -> Vec<u8> {
        static DICTIONARY: OnceLock<Vec<u8>> = OnceLock::new();
        let made = || Value::from(&Generator::seeded(1).purchase()).to_string().into_bytes();
        DICTIONARY.get_or_init(made).clone()
    }

    pub(super) fn pack(&self, text: &str) -> Vec<u8> {
        let plain = |mut packed: Vec<u8>| {
            packed.push(PLAIN);
            packed.extend_from_slice(text.as_bytes());
            packed
        };
        if text.len() < WORTH_IT {
            return plain(Vec::with_capacity(text.len() + 1));
        }
        let mut packed = block::compress_prepend_size_with_dict(text.as_bytes(), &self.dictionary);
        packed.insert(0, PACKED);
        packed
    }

    pub(super) fn unpack(&self, packed: &[u8]) -> Result<String, StoreError> {
        let wrong =
            |reason: &dyn std::fmt::Display| StoreError(format!("an object in it is damaged: {reason}"));
        let bytes = match packed.split_first() {
            Some((&PLAIN, plain)) => plain.to_vec(),
            Some((&PACKED, packed)) => block::decompress_size_prepended_with_dict(packed, &self.dictionary)
                .map_err(|error| wrong(&error))?,
            _ => return Err(wrong(&"it is packed in an unknown way")),
        };
        String::from_utf8(bytes).map_err(|error| wrong(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_out_again() {
        let packer = Packer::default();
        let request = Value::from(&Generator::seeded(7).purchase()).to_string();
        let small = packer.pack(&request);
        assert!(small.len() * 2 < request.len(), "{} of {}", small.len(), request.len());
        for text in [request.as_str(), "", "{}", &"x".repeat(1 << 20), "Ünïcödé"] {
            assert_eq!(packer.unpack(&packer.pack(text)).unwrap(), text);
        }
        for damaged in [&b""[..], b"\x07{}", b"\x01\x05", b"\x00\xff"] {
            assert!(packer.unpack(damaged).unwrap_err().to_string().contains("damaged"));
        }
    }
}
