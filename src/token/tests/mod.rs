//! Tests of tokens, keys and key rings.

mod forge;
mod jwks;
mod keys;
mod reload;
mod secrets;
mod signing;
mod verification;
mod verified;
