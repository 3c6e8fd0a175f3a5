//! No copy of a key stays in memory after its key ring is dropped.
//!
//! A separate test binary: no other test may hold the keys while this searches the memory.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jwt_redis_session::token::Key;
use jwt_redis_session::{Algorithm, Keyring};
use zeroize::Zeroize as _;

/// Keys with the line and the first byte in it of the scalar, or of a prime of RSA.
const PAIRS: [(Algorithm, &str, usize, usize); 4] = [
    (Algorithm::Es256, include_str!("keys/p256.pem"), 2, 0),
    (Algorithm::Es384, include_str!("keys/p384.pem"), 2, 0),
    (Algorithm::Rs256, include_str!("keys/rsa.pem"), 13, 0),
    (Algorithm::EdDsa, include_str!("keys/ed25519.pem"), 1, 32),
];

/// Length of the secret: of a size that no other allocation has, so that what is freed without
/// being erased is not reused, and overwritten, before it is searched for.
const LENGTH: usize = 808;

const CHUNK: usize = 1 << 16;

/// Part of a key, inverted: the search must not find what it searches for in its own variables.
type Inverted = [u8; 16];

fn invert(part: &[u8]) -> Inverted {
    std::array::from_fn(|at| !part[at])
}

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

/// Search of the writable memory. Its buffers are allocated before the keys are read, since a later
/// allocation would overwrite what is freed.
struct Search {
    maps: String,
    chunk: Vec<u8>,
}

impl Search {
    /// Searches in both directions: big numbers are kept with the lowest digits first.
    fn finds(&mut self, inverted: &Inverted) -> bool {
        let memory = File::open("/proc/self/mem").unwrap();
        let mut maps = File::open("/proc/self/maps").unwrap();
        // What the search before this one found must not be found again.
        self.chunk.fill(0);
        self.maps.clear();
        maps.read_to_string(&mut self.maps).unwrap();
        let is_first = |byte: u8| byte == !inverted[0];
        let is_equal = |(byte, other): (&u8, &u8)| *byte == !other;
        let mut regions = self.maps.lines().filter(|line| line.contains(" rw"));
        regions.any(|line| {
            let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let [start, end] = [start, end].map(|hex| u64::from_str_radix(hex, 16).unwrap());
            (start..end).step_by(CHUNK - inverted.len()).any(|at| {
                let length = usize::try_from(end - at).unwrap().min(CHUNK);
                let chunk = &mut self.chunk[..length];
                // Some regions cannot be read; they are not the program's.
                memory.read_exact_at(chunk, at).is_ok()
                    && chunk.windows(inverted.len()).any(|window| {
                        (is_first(window[0]) && window.iter().zip(inverted).all(is_equal))
                            || (is_first(window[15])
                                && window.iter().rev().zip(inverted).all(is_equal))
                    })
            })
        })
    }
}

#[test]
fn keys_are_erased() {
    let mut search = Search {
        maps: String::with_capacity(CHUNK),
        chunk: vec![0; CHUNK],
    };
    let mut plain = computed_secret();
    let text = STANDARD.encode(&plain);
    // The allocator overwrites the first bytes of what is freed.
    let parts = [invert(&plain[64..]), invert(&plain[LENGTH / 2..])];
    for part in &parts {
        assert!(search.finds(part), "the search finds nothing");
    }
    let decoded = Keyring::builder(Algorithm::Hs384).signing(Key::secret_base64(text));
    let rings = [Keyring::hs256(&plain), decoded.build()].map(Result::unwrap);
    plain.zeroize();
    for part in &parts {
        assert!(!search.finds(part), "secrets in use");
    }
    let [one, other] = rings;
    drop(other);
    // Its clone is in use and gets another key.
    let clone = one.clone();
    one.replace(&Keyring::hs256(*b"0123456789abcdef0123456789abcdef").unwrap());
    drop(one);
    for part in &parts {
        assert!(!search.finds(part), "secrets dropped and replaced");
    }
    drop(clone);
    for (algorithm, pem, line, start) in PAIRS {
        let mut der = [0; 48];
        STANDARD
            .decode_slice(pem.lines().nth(line).unwrap(), &mut der)
            .unwrap();
        let private = invert(&der[start..]);
        der.zeroize();
        let text = invert(&pem.lines().nth(1).unwrap().as_bytes()[40..]);
        let ring = Keyring::builder(algorithm).signing(Key::pem(pem)).build();
        drop(ring.unwrap());
        for part in [private, text] {
            assert!(!search.finds(&part), "{algorithm}");
        }
    }
}
