//! The RPC API: sessions behind signed tokens.
//!
//! A call comes in by one of two generations of the wire ([`wire`]), names a [`method`] and
//! carries its [`arguments`]; there is one file per method.

mod active;
mod arguments;
mod create;
mod destroy;
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
mod state;
mod update;
mod wire;

pub(crate) use routes::router;
pub(crate) use state::sessions;
