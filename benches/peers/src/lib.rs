//! Session libraries side by side, each in a small server with the same HTTP contract.
//!
//! * [`Peer`] is a library with one configuration; it starts its server in a separate process.
//! * [`in_process`] sends requests to a server without HTTP; [`route`] has those that are measured.
//! * [`servers`] has the servers in Rust. Those in JavaScript are in `node/`.

mod commands;
pub mod in_process;
mod node;
mod peer;
pub mod route;
pub mod servers;
mod versions;

pub use commands::commands;
pub use node::install_packages as install_node_packages;
pub use peer::{FLOORS, PEERS, Peer, Server};
pub use versions::versions;
