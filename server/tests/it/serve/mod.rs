//! Connections of the service.

mod early_responses;
mod heads;
mod http2;
mod limits;
mod listen;
mod shutdown;
mod sockets;
