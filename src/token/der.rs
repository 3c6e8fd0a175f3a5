//! Just enough of DER (X.690) to tell keys from other bytes.

/// Is this a certificate, `{{[0]..` or `{{serial..` (RFC 5280 section 4.1), and no key?
pub(super) fn is_certificate(bytes: &[u8]) -> bool {
    let Some((0x30, body, _)) = value(bytes) else {
        return false;
    };
    matches!(value(body), Some((0x30, [first, ..], _)) if *first != 0x06)
}

/// Is this a key or a certificate, perhaps with blanks behind it?
///
/// SPKI is `{{OID..}, bits}`, a certificate `{{[0]..` or `{{serial..`, PKCS#8 `{0, {..`, PKCS#1
/// `{0, n..` or `{n, e}`, SEC1 `{1, bytes..`.
pub(super) fn is_key(bytes: &[u8]) -> bool {
    let Some((0x30, body, blanks)) = value(bytes) else {
        return false;
    };
    match value(body) {
        _ if !blanks.trim_ascii().is_empty() => false,
        Some((0x30, [0x06 | 0x02 | 0xa0, ..], rest)) => !rest.is_empty(),
        Some((0x02, _, rest)) => {
            matches!(value(rest), Some((0x30 | 0x02 | 0x04, _, _)))
        }
        _ => false,
    }
}

/// Splits off one DER value: its tag, its content, what follows.
fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let (digits, rest) = rest
            .split_at_checked(count)
            .filter(|_| (1..=3).contains(&count))?;
        let length = digits
            .iter()
            .fold(0, |sum, &digit| sum << 8 | usize::from(digit));
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_by_their_outline() {
        // {{OID}, bits} and its kin, shortened; the last byte may look like a blank.
        for key in [
            &b"\x30\x09\x30\x03\x06\x01\x2a\x03\x02\x00\x0a"[..],
            b"\x30\x09\x30\x03\x06\x01\x2a\x03\x02\x00\x0a\n",
            b"\x30\x07\x02\x01\x00\x30\x02\x05\x00",
            b"\x30\x06\x02\x01\x07\x02\x01\x03",
            b"\x30\x81\x06\x02\x01\x01\x04\x01\x03",
        ] {
            assert!(is_key(key) && !is_certificate(key), "{key:?}");
        }
        let certificate = b"\x30\x09\x30\x05\xa0\x03\x02\x01\x02\x05\x00";
        assert!(is_key(certificate) && is_certificate(certificate));
        for other in [
            &b""[..],
            b"0",
            b"\x30\x00",
            b"\x30\x80\x00\x00",
            b"\x30\x84\xff\xff\xff\xff\x00",
            b"\x30\x83\xff\xff\xff\x00",
            b"\x30\x06\x02\x01\x07\x02\x01\x03x",
            b"\x30\x03\x02\x01\x07",
            b"01234567890123456789012345678901",
        ] {
            assert!(!is_key(other), "{other:?}");
        }
    }
}
