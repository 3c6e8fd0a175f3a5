//! The users API: sessions of users, with bearer tokens.

mod bearer;
mod create;
mod credentials;
mod destroy;
mod document;
mod routes;
mod show;
mod state;

pub(crate) use routes::router;
pub(crate) use state::sessions;
