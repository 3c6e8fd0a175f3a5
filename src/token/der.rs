//! The outline of keys and certificates in DER (X.690).
//!
//! Only names what was found; `aws-lc-rs` parses the keys. The crates `spki` and `pkcs8` read
//! three of the seven forms, so they would add dependencies and replace little of this module.

/// What a DER value holds, by its outline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline {
    /// Label that the value has as PEM.
    pub(super) label: &'static str,
    /// Bits of the modulus; `None` unless it is an RSA key (`rsaEncryption`).
    pub(super) rsa_bits: Option<usize>,
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

impl Outline {
    /// Returns the outline of `bytes`, which must be one DER value; `None` for anything else.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let (outline, rest) = Self::split(bytes)?;
        rest.is_empty().then_some(outline)
    }

    /// Returns the outline of the DER value in front, and what follows it.
    pub(super) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (SEQUENCE, body, rest) = value(bytes)? else {
            return None;
        };
        let (tag, first, body) = value(body)?;
        let (second_tag, second, _) = value(body)?;
        let (label, rsa_bits) = match (tag, second_tag) {
            (SEQUENCE, BIT_STRING) => ("PUBLIC KEY", rsa_bits(first, second.get(1..)?)),
            // PBES2 and its relatives: the identifier of a cipher, then what it enciphered.
            (SEQUENCE, OCTET_STRING) => ("ENCRYPTED PRIVATE KEY", None),
            // What is signed, then the algorithm of the signature.
            (SEQUENCE, SEQUENCE) => ("CERTIFICATE", None),
            (INTEGER, SEQUENCE) => {
                let (_, _, after) = value(body)?;
                let (OCTET_STRING, key, _) = value(after)? else {
                    return None;
                };
                ("PRIVATE KEY", rsa_bits(second, key))
            }
            (INTEGER, OCTET_STRING) => ("EC PRIVATE KEY", None),
            // PKCS#1: a private key begins with its version, 0 or 1, a public one with the modulus.
            (INTEGER, INTEGER) if bits(first) < 2 => ("RSA PRIVATE KEY", Some(bits(second))),
            (INTEGER, INTEGER) => ("RSA PUBLIC KEY", Some(bits(first))),
            _ => return None,
        };
        Some((Self { label, rsa_bits }, rest))
    }
}

/// Returns the public key that SPKI in DER holds.
pub(super) fn public_key(spki: &[u8]) -> Option<&[u8]> {
    let (SEQUENCE, body, _) = value(spki)? else {
        return None;
    };
    let (SEQUENCE, _, key) = value(body)? else {
        return None;
    };
    let (BIT_STRING, key, _) = value(key)? else {
        return None;
    };
    // The first byte is the number of unused bits.
    key.get(1..)
}

/// Returns modulus and exponent of a public RSA key in PKCS#1, without leading zeros.
pub(super) fn rsa_numbers(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (SEQUENCE, body, _) = value(key)? else {
        return None;
    };
    let (INTEGER, modulus, rest) = value(body)? else {
        return None;
    };
    let (INTEGER, exponent, _) = value(rest)? else {
        return None;
    };
    Some((positive(modulus), positive(exponent)))
}

/// Returns a positive INTEGER without the zero in front of its sign bit.
fn positive(integer: &[u8]) -> &[u8] {
    integer.strip_prefix(&[0]).unwrap_or(integer)
}

/// Returns the size of an RSA key in PKCS#1, if the algorithm identifier says that it is one.
fn rsa_bits(identifier: &[u8], key: &[u8]) -> Option<usize> {
    match value(identifier)? {
        (OID, b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", _) => Outline::of(key)?.rsa_bits,
        _ => None,
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
    let (digits, rest) = match first {
        ..0x80 => (&bytes[1..2], rest),
        0x81..=0x83 => rest.split_at_checked(usize::from(first - 0x80))?,
        0x80 | 0x84.. => return None,
    };
    let length = digits
        .iter()
        .fold(0, |sum, &digit| sum << 8 | usize::from(digit));
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}
