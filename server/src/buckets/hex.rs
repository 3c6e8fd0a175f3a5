//! Bytes in hexadecimal digits.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes bytes as digits, two a byte.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for value in [byte >> 4, byte & 15] {
            digits.push(char::from(DIGITS[usize::from(value)]));
        }
    }
    digits
}

/// Reads as many bytes as `bytes` has room for, neither more nor fewer.
pub(super) fn decode(digits: &[u8], bytes: &mut [u8]) -> Option<()> {
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(value(pair[0])? << 4 | value(pair[1])?).ok()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_and_read() {
        let mut bytes = [0; 3];
        assert_eq!(encode(&[0, 0xa5, 0xff]), "00a5ff");
        assert_eq!(decode(b"00a5ff", &mut bytes), Some(()));
        assert_eq!(bytes, [0, 0xa5, 0xff]);
        for bad in ["", "00a5f", "00a5fff", "00a5fg", "00a5ff00", "+0a5ff"] {
            assert_eq!(decode(bad.as_bytes(), &mut bytes), None, "{bad}");
        }
    }
}
