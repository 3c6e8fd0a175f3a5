//! The RPC API.

pub(crate) mod client;
mod faults;
mod methods;
mod tokens;
mod values;
mod versions;
mod wire;
