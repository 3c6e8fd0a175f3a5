//! The outline of keys and certificates in DER (X.690).
//!
//! Written by hand, and only to name what was found: the parser that counts is that of
//! `aws-lc-rs`. The crates `spki` and `pkcs8` with what they need (`der`, `const-oid`) know three
//! of the seven forms, so they would make the tree larger and this module not smaller.

/// Form of a key or certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Public key in SubjectPublicKeyInfo (RFC 5280).
    Spki(KeyKind),
    /// Private key in PKCS#8 (RFC 5958).
    Pkcs8(KeyKind),
    /// Private key in encrypted PKCS#8.
    Encrypted,
    /// RSA public key in PKCS#1 (RFC 8017); bits of the modulus.
    Pkcs1Public(usize),
    /// RSA private key in PKCS#1; bits of the modulus.
    Pkcs1Private(usize),
    /// EC private key in SEC1 (RFC 5915).
    Sec1,
    /// X.509 certificate or certificate request.
    Certificate,
}

/// Kind of a key, as its algorithm identifier says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// Bits of the modulus.
    Rsa(usize),
    RsaPss,
    P256,
    P384,
    OtherCurve(&'static str),
    Ed25519,
    Other(&'static str),
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

impl Form {
    /// Returns the form of `bytes`, which must be one DER value; `None` for anything else.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let (form, rest) = Self::split(bytes)?;
        rest.is_empty().then_some(form)
    }

    /// Returns the form of the DER value in front, and what follows it.
    pub(super) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (SEQUENCE, body, rest) = value(bytes)? else {
            return None;
        };
        let (tag, first, body) = value(body)?;
        let (second_tag, second, _) = value(body)?;
        let form = match (tag, second_tag) {
            (SEQUENCE, BIT_STRING) => Self::Spki(kind(first, second.get(1..)?)?),
            // PBES2 and its relatives: the identifier of a cipher, then what it enciphered.
            (SEQUENCE, OCTET_STRING) => Self::Encrypted,
            // What is signed, then the algorithm of the signature.
            (SEQUENCE, SEQUENCE) => Self::Certificate,
            (INTEGER, SEQUENCE) => Self::Pkcs8(kind(second, pkcs8_key(body)?)?),
            (INTEGER, OCTET_STRING) => Self::Sec1,
            (INTEGER, INTEGER) if bits(first) < 2 => Self::Pkcs1Private(bits(second)),
            (INTEGER, INTEGER) => Self::Pkcs1Public(bits(first)),
            _ => return None,
        };
        Some((form, rest))
    }
}

/// Returns the octets of the private key that follow the algorithm identifier.
fn pkcs8_key(body: &[u8]) -> Option<&[u8]> {
    let (_, _, after) = value(body)?;
    match value(after)? {
        (OCTET_STRING, key, _) => Some(key),
        _ => None,
    }
}

/// Returns the kind of a key with this algorithm identifier.
fn kind(identifier: &[u8], key: &[u8]) -> Option<KeyKind> {
    let (OID, oid, parameters) = value(identifier)? else {
        return None;
    };
    Some(match oid {
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" => match Form::of(key)? {
            Form::Pkcs1Public(bits) | Form::Pkcs1Private(bits) => KeyKind::Rsa(bits),
            _ => return None,
        },
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a" => KeyKind::RsaPss,
        b"\x2a\x86\x48\xce\x3d\x02\x01" => curve(parameters),
        b"\x2b\x65\x70" => KeyKind::Ed25519,
        b"\x2b\x65\x71" => KeyKind::Other("an Ed448"),
        b"\x2b\x65\x6e" => KeyKind::Other("an X25519"),
        b"\x2b\x65\x6f" => KeyKind::Other("an X448"),
        b"\x2a\x86\x48\xce\x38\x04\x01" => KeyKind::Other("a DSA"),
        _ => KeyKind::Other("another"),
    })
}

fn curve(parameters: &[u8]) -> KeyKind {
    match value(parameters) {
        Some((OID, b"\x2a\x86\x48\xce\x3d\x03\x01\x07", _)) => KeyKind::P256,
        Some((OID, b"\x2b\x81\x04\x00\x22", _)) => KeyKind::P384,
        Some((OID, b"\x2b\x81\x04\x00\x23", _)) => KeyKind::OtherCurve("P-521"),
        Some((OID, b"\x2b\x81\x04\x00\x0a", _)) => KeyKind::OtherCurve("secp256k1"),
        _ => KeyKind::OtherCurve("another curve"),
    }
}

/// Returns how many bits a positive INTEGER has.
fn bits(integer: &[u8]) -> usize {
    let start = integer.iter().position(|&byte| byte != 0);
    start.map_or(0, |start| {
        (integer.len() - start) * 8 - integer[start].leading_zeros() as usize
    })
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
    fn forms_are_recognised_by_their_outline() {
        for (der, form) in [
            (
                &b"\x30\x0b\x30\x05\x06\x03\x2b\x65\x70\x03\x02\x00\x0a"[..],
                Form::Spki(KeyKind::Ed25519),
            ),
            (
                b"\x30\x0d\x02\x01\x00\x30\x04\x06\x02\x2a\x03\x04\x02\x05\x00",
                Form::Pkcs8(KeyKind::Other("another")),
            ),
            (
                b"\x30\x09\x30\x03\x06\x01\x2a\x04\x02\x00\x0a",
                Form::Encrypted,
            ),
            (b"\x30\x06\x02\x01\x07\x02\x01\x03", Form::Pkcs1Public(3)),
            (
                b"\x30\x0b\x02\x01\x00\x02\x03\x00\x80\x01\x02\x01\x03",
                Form::Pkcs1Private(16),
            ),
            (b"\x30\x81\x06\x02\x01\x01\x04\x01\x03", Form::Sec1),
            (
                b"\x30\x09\x30\x05\xa0\x03\x02\x01\x02\x30\x00",
                Form::Certificate,
            ),
        ] {
            assert_eq!(Form::of(der), Some(form), "{der:?}");
            assert_eq!(Form::of(&[der, b"\n"].concat()), None, "{der:?}");
            assert_eq!(
                Form::split(&[der, b"\n"].concat()),
                Some((form, &b"\n"[..]))
            );
        }
    }

    #[test]
    fn other_bytes_have_no_form() {
        for other in [
            &b""[..],
            b"0",
            b"\x30\x00",
            b"\x30\x80\x00\x00",
            b"\x30\x84\xff\xff\xff\xff\x00",
            b"\x30\x83\xff\xff\xff\x00",
            b"\x30\x03\x02\x01\x07",
            b"01234567890123456789012345678901",
        ] {
            assert_eq!(Form::of(other), None, "{other:?}");
        }
    }
}
