//! Token introspection (RFC 7662): whether a token of the RPC or users API gives a session.

mod routes;

pub(crate) use routes::{INTRODUCTION, router};
