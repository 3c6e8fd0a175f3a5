//! The example app: its binary, over HTTP.

mod process;
mod routes;
mod settings;
