//! Just enough of DER (X.690) to tell keys from other bytes.

/// Is this a certificate, `{{[0]..` or `{{serial..` (RFC 5280 section 4.1), and no key?
pub(super) fn is_certificate(bytes: &[u8]) -> bool {
    let Some((0x30, body, _)) = value(bytes) else {
        return false;
    };
    matches!(value(body), Some((0x30, [first, ..], _)) if *first != 0x06)
}

/// Is this a key or a certificate? SPKI `{{OID..` and a certificate `{{{`/`{{[0]`, PKCS#8 `{0, {`, PKCS#1 `{0, n` and `{n, e}`.
pub(super) fn is_key(bytes: &[u8]) -> bool {
    let Some((0x30, body, [])) = value(bytes) else {
        return false;
    };
    match value(body) {
        Some((0x30, inner, rest)) => {
            !rest.is_empty() && matches!(inner.first(), Some(0x06 | 0x02 | 0x30 | 0xa0))
        }
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
