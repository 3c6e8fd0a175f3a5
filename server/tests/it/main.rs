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
mod faults;
mod logs;
mod operators;
mod readme;
mod reload;
mod rpc;
mod serve;
mod settings;
mod topologies;
mod users;
