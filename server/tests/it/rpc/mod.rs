//! The second door: RPC.

mod caller;
mod core;
mod failing;
mod faults;
mod methods;
mod races;
mod secret;
mod tokens;
mod users;
mod values;
mod versions;
mod wire;
