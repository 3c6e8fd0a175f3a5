//! The RPC API.

pub(crate) mod client;
mod methods;
mod tokens;
mod values;
mod wire;
