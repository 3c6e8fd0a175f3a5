//! The users API: sessions of users, with bearer tokens.

mod bearer;
mod credentials;
mod routes;
mod state;

pub(crate) use routes::{INTRODUCTION, router};
pub(crate) use state::sessions;
