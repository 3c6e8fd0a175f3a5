//! Tests of tokens, keys and key rings.

#[cfg(target_os = "linux")]
mod erasure;
mod forge;
mod format;
mod keys;
mod properties;
mod secrets;
mod signing;
mod verification;
