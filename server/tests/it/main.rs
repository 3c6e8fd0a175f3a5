//! Tests of the service over real HTTP.

use test_support as support;

mod program;
mod request;
#[macro_use]
mod service;

mod admin;
mod apis;
mod bodies;
mod buckets;
mod cli;
mod contrib;
mod deployment;
mod faults;
mod introspection;
mod layers;
mod local_cache;
mod log_lines;
mod logs;
mod operators;
mod payloads;
mod proxies;
mod readme;
mod reload;
mod rpc;
mod secret_settings;
mod serve;
mod settings;
mod start;
mod store_file;
mod strangers;
mod topologies;
mod users;
mod variables;
