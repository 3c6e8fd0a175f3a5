//! The RPC API: sessions with signed tokens.
//!
//! A call names one of the [`methods`] and carries its [`arguments`], in one of two versions of
//! the wire format ([`wire`]).

mod active_sessions;
mod arguments;
mod fields;
mod json;
mod jwks;
mod method_docs;
mod methods;
mod openapi;
mod routes;
mod state;
mod wire;

pub(crate) use openapi::INTRODUCTION;
pub(crate) use routes::router;
pub(crate) use state::sessions;
