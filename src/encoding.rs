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

/// Reads text with or without padding.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

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
    let long;
    let bytes = if text.len() <= SHORT / 3 * 4 {
        let length = decode_base64url(text, &mut short)?;
        &short[..length]
    } else {
        long = URL_SAFE_NO_PAD.decode(text).ok()?;
        &long[..]
    };
    str::from_utf8(bytes).ok().map(Arc::from)
}

/// Decodes a secret from base64 or base64url, with or without padding.
///
/// Every copy is erased when it is dropped.
pub(crate) fn decode_secret(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; text.len() + 3]);
    let length = [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| {
            let decoder = GeneralPurpose::new(alphabet, LENIENT);
            decoder.decode_slice(text, &mut bytes).ok()
        });
    bytes.truncate(length?);
    Some(bytes)
}

/// Copies `text` without white space, also if it is escaped.
///
/// The copy is erased when it is dropped.
pub(crate) fn without_blanks(text: &[u8]) -> Zeroizing<Vec<u8>> {
    // As large as it can become: growing would leave copies that are not erased.
    let mut kept = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    loop {
        rest = match rest {
            [b'\\', b'n' | b'r' | b't', after @ ..] => after,
            [blank, after @ ..] if blank.is_ascii_whitespace() => after,
            [other, after @ ..] => {
                kept.push(*other);
                after
            }
            [] => return kept,
        };
    }
}

/// Encodes `bytes` in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
