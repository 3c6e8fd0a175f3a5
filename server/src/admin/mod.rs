//! The admin page for operators, rendered on the server, without scripts.
//!
//! A master key logs an operator in; from then on a session of the library, behind a cookie,
//! identifies the operator. Viewing a session does not refresh its TTL. No id, name or token is
//! ever part of a URL, which browsers and proxies keep.

mod cookie;
mod encoded;
mod form;
mod form_token;
mod headers;
mod keys;
mod login;
mod operator;
mod owner_apis;
mod owner_page;
mod owner_sessions;
mod owners;
mod page;
mod refusal;
mod routes;
mod sessions;
mod state;
mod submitted;
mod text;

pub(crate) use routes::router;
