//! The one integration test binary of the service: everything over real HTTP.

#[path = "../../../tests/it/support/mod.rs"]
mod support;

mod program;
#[macro_use]
mod service;

mod admin;
mod buckets;
mod cli;
mod faults;
mod layering;
mod logs;
mod operators;
mod readme;
mod rpc;
mod serve;
mod settings;
mod users;
