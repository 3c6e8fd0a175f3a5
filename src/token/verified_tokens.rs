//! Tokens that a key ring has verified before.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::claims::Claims;
use crate::crypto;

/// The number of tokens that are kept.
const SLOTS: usize = 1024;

/// The longest token that is kept, in bytes. It bounds the memory, and the cost of hashing forged
/// tokens.
const MAX_LEN: usize = 1024;

/// The claims of tokens whose signature, form, issuer and audience were verified.
///
/// These checks have the same result each time, because the keys and the rules of one key ring
/// never change; the caller checks the times on every use. Signatures are the most expensive part
/// of a request whose session is in memory, above all those of RSA and ECDSA.
///
/// A token is found by the SHA-256 of its whole text; the text itself is not kept. So the time of a
/// comparison reveals nothing about a token, and another text never has the claims of this one.
/// Every token has one slot, in which it replaces another: nothing is evicted by a search.
#[derive(Default)]
pub(super) struct VerifiedTokens {
    /// Allocated for the first token, so that a key ring that only signs has none.
    slots: OnceLock<Box<[Slot]>>,
}

type Slot = Mutex<Option<(Digest, Claims)>>;

/// SHA-256 of a token.
pub(super) type Digest = [u8; 32];

impl VerifiedTokens {
    /// Returns the hash of a token, unless it is too long to be kept.
    pub(super) fn digest(token: &str) -> Option<Digest> {
        (token.len() <= MAX_LEN).then(|| crypto::sha256(token.as_bytes()))
    }

    /// Returns the claims of a token, which may have expired.
    pub(super) fn find(&self, digest: &Digest) -> Option<Claims> {
        let slots = self.slots.get()?;
        let slot = lock(slots, digest);
        let (_, claims) = slot.as_ref().filter(|(kept, _)| kept == digest)?;
        Some(claims.clone())
    }

    /// Keeps the claims of a token that was verified.
    pub(super) fn keep(&self, digest: Digest, claims: Claims) {
        let slots = self.slots.get_or_init(|| {
            let slots = (0..SLOTS).map(|_| Slot::default());
            slots.collect()
        });
        let replaced = lock(slots, &digest).replace((digest, claims));
        // After the lock is released, because it frees memory.
        drop(replaced);
    }
}

fn lock<'a>(slots: &'a [Slot], digest: &Digest) -> MutexGuard<'a, Option<(Digest, Claims)>> {
    let number = usize::from(u16::from_le_bytes([digest[0], digest[1]]));
    let slot = &slots[number % slots.len()];
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
