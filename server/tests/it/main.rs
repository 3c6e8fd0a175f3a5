//! Tests of the service over real HTTP.

use test_support as support;

mod program;
mod request;
#[macro_use]
mod service;

mod admin;
mod apis;
mod buckets;
mod cli;
mod deployment;
mod faults;
mod logs;
mod operators;
mod payloads;
mod readme;
mod rpc;
mod secret_settings;
mod serve;
mod settings;
mod start;
mod topologies;
mod users;
mod variables;
