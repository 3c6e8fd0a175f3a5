//! Every requirement on tokens, one test each.

mod forge;
mod format;
mod keys;
mod minting;
mod properties;
mod refusals;
