//! SHA-2, and the comparison of hashes.

use aws_lc_rs::{constant_time, digest};

/// Hashes `bytes` with SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// Returns whether two hashes are equal, in a time that does not depend on where they differ.
pub(crate) fn equal(a: &[u8; 32], b: &[u8; 32]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}
