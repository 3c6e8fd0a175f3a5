//! The first door: buckets, over REST.

mod api_keys;
mod authorization;
mod bucket;
mod core;
mod etags;
mod faults;
mod methods;
mod names;
mod payloads;
mod redis_faults;
mod sessions;
