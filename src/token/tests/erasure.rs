//! No copy of a key stays in memory after its key ring is dropped.
//!
//! A child process (this test binary again) builds and drops key rings of each kind, then waits
//! while its parent searches its memory. The child computes the keys, or decodes them, so that the
//! bytes searched for are not part of the program.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::process::{Child, ChildStdout, Command, Stdio};

use zeroize::Zeroize;

use super::forge::*;
use crate::token::Key;
use crate::{Algorithm, Keyring, encoding};

const CHILD: &str = "JRS_ERASURE_CHILD";

const PAIRS: [(Algorithm, &str); 4] = [
    (Algorithm::Es256, key!("p256")),
    (Algorithm::Es384, key!("p384")),
    (Algorithm::Rs256, key!("rsa")),
    (Algorithm::EdDsa, key!("ed25519")),
];

/// Length of the secret: of a size that no other allocation has, so that what is freed without
/// being erased is not reused, and overwritten, before it is searched for.
const LENGTH: usize = 808;

/// Computes a secret that is not in the program.
fn computed_secret() -> Vec<u8> {
    let mut state = 0x0123_4567_89ab_cdef_u64;
    let mut bytes = Vec::with_capacity(LENGTH);
    while bytes.len() < LENGTH {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(word ^ (word >> 31)).to_be_bytes());
    }
    bytes
}

/// Returns the last bytes of a private key that must not stay: of the scalar, or a prime of RSA.
fn private_part(pem: &str) -> Vec<u8> {
    let der = der(pem);
    let end = match der.len() {
        48 => 48,
        138 => 68,
        185 => 83,
        // PKCS#8, PKCS#1: version, modulus, exponent, private exponent, primes.
        length => length - 600,
    };
    der[end - 16..end].to_vec()
}

/// Runs in the child only.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let report = |phase: &str| {
        println!("\n{phase}");
        std::io::stdout().flush().unwrap();
        std::io::stdin().read_exact(&mut [0]).unwrap();
    };
    let mut plain = computed_secret();
    report("canary");
    let mut text = encoding::base64(&plain);
    let decoded = Keyring::builder(Algorithm::Hs384).signing(Key::secret_base64(&text));
    let rings = [Keyring::hs256(&plain), decoded.build()].map(Result::unwrap);
    plain.zeroize();
    text.zeroize();
    for ring in &rings {
        ring.verify(sign(ring).as_str(), at(NOW)).unwrap();
    }
    report("secrets in use");
    drop(rings);
    report("secrets dropped");
    for (algorithm, pem) in PAIRS {
        let ring = Keyring::builder(algorithm).signing(Key::pem(pem)).build();
        drop(ring.unwrap());
        // Before anything else is allocated.
        report(algorithm.as_str());
    }
}

/// A child that waits to be searched; killed when it is dropped.
struct SearchedChild(Child, BufReader<ChildStdout>);

impl SearchedChild {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "token::tests::erasure::child", "--nocapture"])
            .args(["--test-threads", "1"])
            .env(CHILD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self(child, lines)
    }

    /// Waits until the child reports `phase`, searches it for `needles`, and lets it continue.
    fn search(&mut self, phase: &str, needles: &[&[u8]]) -> Vec<String> {
        let mut line = String::new();
        while line.trim() != phase {
            line.clear();
            assert_ne!(self.1.read_line(&mut line).unwrap(), 0, "before {phase}");
        }
        let found = needles.iter().flat_map(|needle| self.find(needle));
        let found = found.collect();
        self.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        found
    }

    /// Returns where `needle` is in the writable memory of the child, read in either direction
    /// (big numbers are kept with the lowest digits first).
    fn find(&self, needle: &[u8]) -> Vec<String> {
        let process = format!("/proc/{}", self.0.id());
        let memory = File::open(format!("{process}/mem")).unwrap();
        let reversed: Vec<u8> = needle.iter().rev().copied().collect();
        let maps = fs::read_to_string(format!("{process}/maps")).unwrap();
        let mut found = Vec::new();
        for line in maps.lines() {
            let (range, rest) = line.split_once(' ').unwrap();
            let (start, end) = range.split_once('-').unwrap();
            let [start, end] = [start, end].map(|hex| u64::from_str_radix(hex, 16).unwrap());
            let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
            // Some regions cannot be read; they are not the program's.
            if !rest.starts_with("rw") || memory.read_exact_at(&mut bytes, start).is_err() {
                continue;
            }
            let is_there = |needle: &[u8]| {
                // The first byte first: comparing whole windows is slow in a test build.
                let first = needle[0];
                (0..bytes.len().saturating_sub(needle.len()))
                    .any(|at| bytes[at] == first && bytes[at..].starts_with(needle))
            };
            if is_there(needle) || is_there(&reversed) {
                found.push(rest.to_owned());
            }
        }
        found
    }
}

impl Drop for SearchedChild {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn keys_are_erased() {
    let mut child = SearchedChild::start();
    let secret = computed_secret();
    // The allocator overwrites the first bytes of what is freed.
    let needles = [&secret[64..80], &secret[LENGTH / 2..][..16]];
    let canary = child.search("canary", &needles);
    assert!(canary.len() >= 2, "the search finds nothing");
    for phase in ["secrets in use", "secrets dropped"] {
        assert_eq!(child.search(phase, &needles), [""; 0], "{phase}");
    }
    for (algorithm, pem) in PAIRS {
        let text = pem.lines().nth(1).unwrap().as_bytes();
        let found = child.search(algorithm.as_str(), &[&private_part(pem), &text[40..]]);
        assert_eq!(found, [""; 0], "{algorithm}");
    }
}
