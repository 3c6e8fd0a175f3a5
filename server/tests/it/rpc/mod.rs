//! The RPC API.

mod client;
mod faults;
mod methods;
mod tokens;
mod values;
mod versions;
mod wire;
