//! The users API: sessions of users, with bearer tokens.

mod bearer;
mod credentials;
mod routes;
mod state;
mod verify;

pub(crate) use routes::{INTRODUCTION, router};
pub(crate) use state::sessions;
