//! What stands outside quotation marks and brackets.

/// The positions of all bytes that are outside quotation marks and brackets.
///
/// A quotation mark opens only where a value may start, and only if it is closed later: the apostrophe of a search term
/// is no quotation mark.
pub(super) fn outside(text: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let mut depth = 0_usize;
    let mut skip_to = 0;
    let mut never_closed = [false; 2];
    let mut previous = b'&';
    text.iter().copied().enumerate().filter(move |&(index, byte)| {
        if index < skip_to {
            return false;
        }
        let before = std::mem::replace(&mut previous, byte);
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'"' | b'\'' if matches!(before, b'(' | b',' | b'=' | b'&' | b'|' | b';') => {
                let kind = usize::from(byte == b'\'');
                if !never_closed[kind] {
                    match text[index + 1..].iter().position(|&b| b == byte) {
                        Some(length) => skip_to = index + length + 2,
                        None => never_closed[kind] = true,
                    }
                }
            }
            _ => return depth == 0,
        }
        false
    })
}

/// Whether a text has a separator (`&`, `,`, `|`, `;`) outside quotation marks and brackets.
pub(super) fn has_separator(text: &str) -> bool {
    outside(text.as_bytes()).any(|(_, byte)| matches!(byte, b'&' | b',' | b'|' | b';'))
}

/// Splits a text at every `&` outside quotation marks and brackets.
pub(super) fn split_parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (index, byte) in outside(text.as_bytes()) {
        if byte == b'&' {
            parts.push(&text[start..index]);
            start = index + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}
