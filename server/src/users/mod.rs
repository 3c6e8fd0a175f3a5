//! The users API: sessions of users, with bearer tokens.

mod bearer;
mod credentials;
mod routes;
mod state;

pub(crate) use routes::router;
pub(crate) use state::sessions;
