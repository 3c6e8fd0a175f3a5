//! Random bytes.

/// Fills `bytes` from the random number generator of the operating system.
///
/// # Panics
///
/// Panics if the operating system has no random bytes: there is no safe way to continue.
pub(crate) fn fill_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system has no random number generator");
}
