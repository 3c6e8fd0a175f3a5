//! Redis Cluster: the node of each key, and what to do when it changes.

mod batches;
mod client;
mod follower;
mod nodes;
mod progress;
mod redirect;
mod scan;
mod slots;

pub(super) use client::Cluster;
