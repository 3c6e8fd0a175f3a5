//! The buckets API: sessions in buckets, over REST.

mod api_key;
mod api_key_routes;
mod api_keys;
mod bucket_settings;
mod caller;
mod etag;
mod key_record;
mod keyed_bucket;
mod names;
mod openapi;
mod payload;
mod routes;
mod session_routes;
mod sessions;
mod state;

pub(crate) use api_keys::ApiKeys;
pub(crate) use keyed_bucket::KeyedBucket;
pub(crate) use names::{BucketName, SessionRef, parse_uuid};
pub(crate) use openapi::INTRODUCTION;
pub(crate) use routes::{owns, router};
pub(crate) use sessions::{data, sessions};
