//! Connections: listeners, protocols, timeouts, limits and graceful shutdown.
//!
//! Replaces `axum::serve`, which limits neither the number of connections nor the time until a
//! request arrives, and which resets connections whose request it has not read.

mod activation;
mod activity;
mod bind;
mod connection;
mod exchange;
mod listener;
mod request_body;
mod response_body;
mod run;
mod socket;
mod socket_file;
mod transport;

pub(crate) use activation::PassedSockets;
pub(crate) use bind::Listeners;
pub(crate) use listener::Listener;
pub use run::serve;
pub(crate) use run::serve_all;
pub(crate) use socket::Socket;
