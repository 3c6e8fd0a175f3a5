//! PEM text (RFC 7468).
//!
//! Read by hand, because keys often pass through environment variables: the parsers of
//! `pem-rfc7468` and `rustls-pki-types` reject text on one line and `\n` escapes, and `pem` takes
//! the first of several blocks and leaves copies of the key in memory.

use zeroize::Zeroizing;

use super::error::KeyProblem;
use super::secret;
use crate::encoding;

/// Returns the label and the content of the only block of a PEM text.
pub(super) fn read(bytes: &[u8]) -> Result<(&str, Zeroizing<Vec<u8>>), KeyProblem> {
    let text = str::from_utf8(bytes).unwrap_or_default();
    let parts: Vec<&str> = text.split("-----").collect();
    let mut blocks = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let Some(label) = part.strip_prefix("BEGIN ") else {
            continue;
        };
        match parts[at + 1..] {
            [body, end, _, ..] if end.strip_prefix("END ") == Some(label) => {
                blocks.push((label, body));
            }
            _ => return Err(KeyProblem::Damaged),
        }
    }
    // `openssl ecparam -genkey` writes the parameters in front of a SEC1 key.
    blocks.retain(|&(label, _)| label != "EC PARAMETERS");
    match blocks[..] {
        [] => Err(without_block(bytes)),
        [(_, body)] if body.contains("Proc-Type:") => Err(KeyProblem::Encrypted),
        [(label, body)] => {
            let der = encoding::decode_secret(&encoding::without_blanks(body.as_bytes()));
            Ok((label, der.ok_or(KeyProblem::Damaged)?))
        }
        // With several keys, the first one is not always the one that was meant.
        _ => Err(KeyProblem::Blocks(blocks.len())),
    }
}

/// Names what there is instead of a PEM block.
fn without_block(text: &[u8]) -> KeyProblem {
    if text.contains(&0) && text.first() != Some(&0x30) {
        KeyProblem::Utf16
    } else if secret::is_ssh(text) {
        KeyProblem::OpenSsh
    } else if secret::is_jwk(text) {
        KeyProblem::Jwk
    } else {
        KeyProblem::NoPem
    }
}
