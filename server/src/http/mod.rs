//! HTTP helpers of all APIs.

mod body;
mod client;
mod error_responses;
mod failures;
mod forwarded;
mod limited_clients;
mod origin;
mod shared_secret;

pub(crate) use body::read_body;
pub(crate) use client::{Client, Peer};
pub(crate) use error_responses::{AuthenticationErrors, BodyErrors, CrossSiteError};
pub(crate) use failures::FailedAuthentications;
pub(crate) use origin::{reject_other_origins, reject_other_sites};
pub(crate) use shared_secret::SharedSecret;
