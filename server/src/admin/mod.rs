//! Admin pages for operators, rendered on the server, without scripts.
//!
//! An operator logs in with a master key. After that, a session of the library identifies the
//! operator by a cookie. No id, name or token is part of a URL, because browsers and proxies store
//! URLs.

mod cookie;
mod form;
mod keys;
mod login;
mod operator;
mod owners;
mod page;
mod routes;
mod sessions;
mod state;
mod text;

pub(crate) use routes::router;
