//! The second door: RPC.
//!
//! A call comes in by one of two generations of the wire ([`wire`]), names a [`method`] and
//! carries its [`arguments`]; each method has a file of its own.

mod active;
mod arguments;
mod create;
mod destroy;
mod door;
mod error;
mod fields;
mod get;
mod health_check;
mod method;
mod names;
mod object;
mod reply;
mod routes;
mod schema;
mod update;
mod wire;

pub(crate) use door::sessions;
pub(crate) use routes::router;
