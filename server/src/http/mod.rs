//! HTTP helpers of all APIs.

mod accepted;
mod body;
mod client;
mod error_responses;
mod failures;
mod forwarded;
// Files of the library, which has no reason to publish them.
#[path = "../../../src/middleware/gathered.rs"]
mod gathered;
mod gzip;
mod head;
mod limited_clients;
mod origin;
#[path = "../../../src/middleware/proxy_node.rs"]
mod proxy_node;
mod shared_secret;

pub(crate) use body::{is_json, read_body};
pub(crate) use client::{Client, Peer};
pub(crate) use error_responses::{AuthenticationErrors, BodyErrors, CrossSiteError};
pub(crate) use failures::{FailedAuthentications, count_failure};
pub(crate) use head::{check_head, reject_head};
pub(crate) use origin::reject_other_origins;
pub(crate) use shared_secret::SharedSecret;
