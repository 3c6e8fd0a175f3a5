//! The buckets API: sessions in buckets, over REST.

mod api_key;
mod api_key_routes;
mod api_keys;
mod caller;
mod credential;
mod document;
mod etag;
mod master;
mod name;
mod object;
mod path_session;
mod payload;
mod routes;
mod session_ref;
mod session_routes;
mod sessions;
mod settings_route;
mod state;

pub(crate) use api_keys::{ApiKeys, KeyedBucket};
pub(crate) use name::BucketName;
pub(crate) use routes::{owns, router};
pub(crate) use session_ref::SessionRef;
pub(crate) use sessions::{BucketSessions, data};
