//! No copy of a key stays in memory after its key ring is dropped.
//!
//! A child process (this test binary again) builds and drops key rings of each kind, then waits
//! while its parent searches its memory. The child computes the keys, or decodes them, so that the
//! bytes searched for are not part of the program.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroize;

use super::forge::ID;
use crate::encoding;
use crate::token::{NewClaims, SigningKey};
use crate::{Algorithm, Keyring, SessionId};

const CHILD: &str = "JRS_ERASURE_CHILD";

const PAIRS: [(Algorithm, &str); 4] = [
    (
        Algorithm::Es256,
        include_str!("../../../tests/keys/p256.pem"),
    ),
    (
        Algorithm::Es384,
        include_str!("../../../tests/keys/p384.pem"),
    ),
    (
        Algorithm::Rs256,
        include_str!("../../../tests/keys/rsa.pem"),
    ),
    (
        Algorithm::EdDsa,
        include_str!("../../../tests/keys/ed25519.pem"),
    ),
];

/// Length of the secret: of a size that no other allocation has, so that what is freed without
/// being erased is not reused, and overwritten, before it is searched for.
const LENGTH: usize = 808;

/// Computes a secret that is not in the program.
fn secret() -> Vec<u8> {
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

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

/// Returns the bytes of a private key that must not stay: the scalar, or a prime of RSA.
fn private_part(pem: &str) -> Vec<u8> {
    let der = der(pem);
    match der.len() {
        48 => der[16..].to_vec(),
        138 => der[36..68].to_vec(),
        185 => der[35..83].to_vec(),
        // PKCS#8, PKCS#1: version, modulus, exponent, private exponent, primes.
        length => der[length - 700..length - 600].to_vec(),
    }
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
        let mut line = [0];
        std::io::stdin().read_exact(&mut line).unwrap();
    };
    let mut own = secret();
    report("canary");
    let mut text = encoding::base64(&own);
    let rings = [
        Keyring::hs256(&own).unwrap(),
        Keyring::builder(Algorithm::Hs384)
            .signing(SigningKey::secret_base64(&text))
            .build()
            .unwrap(),
    ];
    own.zeroize();
    text.zeroize();
    use_each(&rings);
    report("secrets in use");
    drop(rings);
    report("secrets dropped");
    for (algorithm, pem) in PAIRS {
        let key = SigningKey::pem(pem);
        let ring = Keyring::builder(algorithm).signing(key).build().unwrap();
        drop(ring);
        // Before anything else is allocated.
        report(algorithm.as_str());
    }
}

fn use_each(rings: &[Keyring]) {
    let (id, now) = (SessionId::parse(ID).unwrap(), std::time::SystemTime::now());
    for ring in rings {
        let token = ring.sign(&id, &NewClaims::at(now)).unwrap();
        ring.verify(token.as_str(), now).unwrap();
    }
}

/// A child that waits to be searched; killed when it is dropped.
struct Searched(Child);

impl Searched {
    fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "token::tests::erasure::child", "--nocapture"])
            .args(["--test-threads", "1"])
            .env(CHILD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// Waits until the child reports `phase`.
    fn wait_for(&mut self, lines: &mut impl BufRead, phase: &str) {
        let mut line = String::new();
        while line.trim() != phase {
            line.clear();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "before {phase}");
        }
    }

    fn proceed(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Returns where `needle` is in the writable memory of the child, read in either direction
    /// (big numbers are kept with the lowest digits first).
    fn find(&self, needle: &[u8]) -> Vec<String> {
        let process = format!("/proc/{}", self.0.id());
        let memory = File::open(format!("{process}/mem")).unwrap();
        let reversed: Vec<u8> = needle.iter().rev().copied().collect();
        let mut found = Vec::new();
        for line in fs::read_to_string(format!("{process}/maps"))
            .unwrap()
            .lines()
        {
            let (range, rest) = line.split_once(' ').unwrap();
            let (start, end) = range.split_once('-').unwrap();
            let [start, end] = [start, end].map(|hex| u64::from_str_radix(hex, 16).unwrap());
            if !rest.starts_with("rw") {
                continue;
            }
            let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
            // Some regions cannot be read; they are not the program's.
            if memory.read_exact_at(&mut bytes, start).is_err() {
                continue;
            }
            let is_there = |needle: &[u8]| {
                // Compares the first byte first: the windows of megabytes are slow in a test build.
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

impl Drop for Searched {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn keys_are_erased() {
    let mut child = Searched::start();
    let mut lines = BufReader::new(child.0.stdout.take().unwrap());
    let secret = secret();
    // The allocator overwrites the first bytes of what is freed.
    let needles = [&secret[64..80], &secret[LENGTH / 2..][..16]];
    child.wait_for(&mut lines, "canary");
    for needle in needles {
        assert_ne!(child.find(needle), [""; 0], "the search finds nothing");
    }
    for phase in ["secrets in use", "secrets dropped"] {
        child.proceed();
        child.wait_for(&mut lines, phase);
        for needle in needles {
            assert_eq!(child.find(needle), [""; 0], "{phase}");
        }
    }
    for (algorithm, pem) in PAIRS {
        child.proceed();
        child.wait_for(&mut lines, algorithm.as_str());
        let part = private_part(pem);
        assert_eq!(child.find(&part[part.len() - 16..]), [""; 0], "{algorithm}");
        let text = pem.lines().nth(1).unwrap();
        assert_eq!(
            child.find(&text.as_bytes()[40..]),
            [""; 0],
            "{algorithm} PEM"
        );
    }
}
