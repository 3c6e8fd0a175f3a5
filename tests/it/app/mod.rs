//! The example app: its binary, over real HTTP.

mod client;
mod faults;
mod process;
mod routes;
