//! Admin pages for operators, rendered on the server. They work without their script, which only
//! adds copy buttons.
//!
//! An operator logs in with a master key. After that, a session of the library identifies the
//! operator by a cookie.
//!
//! Browsers and proxies store URLs, so no token and no key is part of one, and no id of a session in
//! a bucket, which an app may use as its token. Owners, and the ids of their sessions, are part of
//! URLs, so that operators can share them: an id gives no access, only its token does.

mod cookie;
mod form;
mod keys;
mod login;
mod lookup;
mod operator;
mod overview;
mod owners;
mod page;
mod routes;
mod sessions;
mod state;
mod text;

pub(crate) use routes::router;
