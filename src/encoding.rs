//! Text encodings of bytes: base64url, base64 and hexadecimal (RFC 4648).
//!
//! Hexadecimal is encoded by hand: one more crate for two short functions would cost users more.

use std::sync::Arc;

use base64::alphabet;
use base64::engine::general_purpose::{
    GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD,
};
use base64::engine::{DecodePaddingMode, Engine as _};
use zeroize::Zeroizing;

/// What most payloads of tokens fit into, in decoded bytes; a multiple of 3.
const SHORT: usize = 768;

/// Reads base64 with or without padding.
const LENIENT: GeneralPurpose = lenient(&alphabet::STANDARD);

/// Reads base64url with or without padding.
const LENIENT_URL: GeneralPurpose = lenient(&alphabet::URL_SAFE);

const fn lenient(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new();
    GeneralPurpose::new(
        alphabet,
        config.with_decode_padding_mode(DecodePaddingMode::Indifferent),
    )
}

/// Encodes `bytes` in base64url without padding.
pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends `bytes` to `text` in base64url without padding.
pub(crate) fn push_base64url(bytes: impl AsRef<[u8]>, text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// Encodes 32 bytes in base64url without padding, in one allocation: 43 characters.
pub(crate) fn shared_base64url(bytes: &[u8; 32]) -> Arc<str> {
    let mut text = [0; 43];
    let encoded = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text);
    debug_assert_eq!(encoded, Ok(text.len()));
    str::from_utf8(&text).unwrap_or_default().into()
}

/// Encodes `bytes` in base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes canonical base64url without padding into `buffer` and returns the length.
///
/// The buffer must hold the decoded bytes rounded up to a multiple of 3.
pub(crate) fn decode_base64url(text: &str, buffer: &mut [u8]) -> Option<usize> {
    URL_SAFE_NO_PAD.decode_slice(text, buffer).ok()
}

/// As [`decode_base64url`], for canonical base64 with padding.
pub(crate) fn decode_base64(text: &str, buffer: &mut [u8]) -> Option<usize> {
    STANDARD.decode_slice(text, buffer).ok()
}

/// Decodes UTF-8 text from canonical base64url without padding, in one allocation if it is short.
pub(crate) fn decode_base64url_text(text: &str) -> Option<Arc<str>> {
    // On the stack, because the decoded length, which the `Arc` needs, is known only afterwards.
    let mut short = [0; SHORT];
    let mut long = Vec::new();
    let buffer = if text.len() <= SHORT / 3 * 4 {
        &mut short[..]
    } else {
        long.resize(text.len(), 0);
        &mut long[..]
    };
    let length = decode_base64url(text, buffer)?;
    str::from_utf8(&buffer[..length]).ok().map(Arc::from)
}

/// Decodes a secret from base64 or base64url, with or without padding.
///
/// Every copy is erased when it is dropped.
pub(crate) fn decode_secret(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; text.len() + 3]);
    let decoded = LENIENT
        .decode_slice(text, &mut bytes)
        .or_else(|_| LENIENT_URL.decode_slice(text, &mut bytes));
    bytes.truncate(decoded.ok()?);
    Some(bytes)
}

/// Copies `text` without white space, also if it is escaped.
///
/// The copy is erased when it is dropped.
pub(crate) fn without_blanks(text: &[u8]) -> Zeroizing<Vec<u8>> {
    // As large as it can become: growing would leave copies that are not erased.
    let mut kept = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = match rest {
            [b'\\', b'n' | b'r' | b't', after @ ..] => after,
            _ => {
                if !first.is_ascii_whitespace() {
                    kept.push(*first);
                }
                after
            }
        };
    }
    kept
}

/// Encodes `bytes` in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Decodes a secret from hexadecimal in either case.
///
/// Every copy is erased when it is dropped.
pub(crate) fn decode_hex_secret(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut bytes = Zeroizing::new(vec![0; text.len() / 2]);
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_are_decoded() {
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 6144] {
            let text = "x".repeat(length);
            let decoded = decode_base64url_text(&base64url(&text));
            assert_eq!(decoded.as_deref(), Some(text.as_str()), "{length}");
        }
        assert_eq!(decode_base64url_text(&base64url([0xff])), None);
        assert_eq!(*shared_base64url(&[7; 32]), *base64url([7; 32]));
    }
}
