//! PEM text (RFC 7468).
//!
//! Read by hand, because the parsers of crates are either too strict or too generous for keys that
//! pass through environment variables: `pem-rfc7468` refuses text on one line and `\n` escapes,
//! `pem` takes the first of several blocks and leaves copies of the key in memory.

use zeroize::Zeroizing;

use super::key_problem::KeyProblem;
use crate::encoding;

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";

/// The only block of a PEM text.
pub(super) struct Block<'a> {
    pub(super) label: &'a [u8],
    pub(super) der: Zeroizing<Vec<u8>>,
}

impl<'a> Block<'a> {
    /// Reads a text with exactly one block.
    pub(super) fn read(text: &'a [u8]) -> Result<Self, KeyProblem> {
        let mut rest = text;
        let mut blocks = Vec::new();
        while let Some(at) = find(rest, BEGIN) {
            let (label, body);
            ((label, body), rest) = split(&rest[at + BEGIN.len()..]).ok_or(KeyProblem::Damaged)?;
            blocks.push((label, body));
        }
        // `openssl ecparam -genkey` writes the parameters in front of a SEC1 key.
        blocks.retain(|&(label, _)| label != b"EC PARAMETERS");
        match blocks[..] {
            [] => Err(without_block(text)),
            [(label, body)] => Ok(Self {
                label,
                der: decode(body)?,
            }),
            _ => Err(KeyProblem::Blocks(blocks.len())),
        }
    }
}

/// Label and body of a block.
type Parts<'a> = (&'a [u8], &'a [u8]);

/// Splits what follows the beginning of a block into the block and the rest.
fn split(text: &[u8]) -> Option<(Parts<'_>, &[u8])> {
    let (label, text) = cut(text, DASHES)?;
    let (body, rest) = cut(text, &[b"-----END ", label, DASHES].concat())?;
    let whole = !label.contains(&b'\n') && find(body, DASHES).is_none();
    whole.then_some(((label, body), rest))
}

fn decode(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyProblem> {
    if find(body, b"Proc-Type:").is_some() {
        return Err(KeyProblem::LegacyEncrypted);
    }
    encoding::decode_secret(&encoding::without_blanks(body)).ok_or(KeyProblem::Damaged)
}

/// Names what there is instead of a PEM block.
fn without_block(text: &[u8]) -> KeyProblem {
    if text.contains(&0) && text.first() != Some(&0x30) {
        KeyProblem::Utf16
    } else if super::secret::is_ssh(text) {
        KeyProblem::OpenSsh
    } else if super::secret::is_jwk(text) {
        KeyProblem::Jwk
    } else {
        KeyProblem::NoPem
    }
}

fn cut<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = find(text, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    text.windows(mark.len()).position(|window| window == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<u8>, KeyProblem> {
        Block::read(text.as_bytes()).map(|block| block.der.to_vec())
    }

    #[test]
    fn one_block_is_read_whatever_surrounds_it() {
        for text in [
            "-----BEGIN A KEY-----\nAAEC\nAwQF\n-----END A KEY-----\n",
            "-----BEGIN A KEY-----\r\nAAEC\r\nAwQF\r\n-----END A KEY-----\r\n",
            r"-----BEGIN A KEY-----\nAAEC\nAwQF\n-----END A KEY-----\n",
            r"-----BEGIN A KEY-----\r\nAAECAwQF\r\n-----END A KEY-----",
            "-----BEGIN A KEY----- AAEC AwQF -----END A KEY-----",
            "\"-----BEGIN A KEY-----AAECAwQF-----END A KEY-----\"",
            "\u{feff}# a comment\n-----BEGIN A KEY-----\nAAECAwQF\n-----END A KEY-----",
        ] {
            assert_eq!(read(text), Ok(vec![0, 1, 2, 3, 4, 5]), "{text}");
        }
    }

    #[test]
    fn anything_but_one_block_is_a_problem() {
        let block = "-----BEGIN A-----\nAAEC\n-----END A-----\n";
        for (text, problem) in [
            (String::new(), KeyProblem::NoPem),
            ("AAEC".into(), KeyProblem::NoPem),
            ("-----END A-----".into(), KeyProblem::NoPem),
            (block.replace("END A", "END B"), KeyProblem::Damaged),
            (block.replace("END", "BEGIN"), KeyProblem::Damaged),
            (block.replace("AAEC", "AAE*"), KeyProblem::Damaged),
            ("-----BEGIN A".into(), KeyProblem::Damaged),
            (block.repeat(2), KeyProblem::Blocks(2)),
            (format!("{block}{block}text{block}"), KeyProblem::Blocks(3)),
            (block.replace("A--", "EC PARAMETERS--"), KeyProblem::NoPem),
            (
                block.replace("AAEC", "Proc-Type: 4,ENCRYPTED\n\nAAEC"),
                KeyProblem::LegacyEncrypted,
            ),
            ("-\0-\0-\0".into(), KeyProblem::Utf16),
        ] {
            assert_eq!(read(&text), Err(problem), "{text}");
        }
    }
}
