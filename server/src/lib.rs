//! `sessiond`: the sessions of [`jwt_redis_session`] over HTTP, for apps in any language.
//!
//! The binary is built on this library, so that tests can run the service in their own process:
//! [`Settings`] configures it, [`App`] is the router, [`serve()`] runs it. The README describes the
//! APIs.
//!
//! ```
//! use jwt_redis_session_server::{App, Settings};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app = App::build(Settings::default())?;
//! assert!(app.openapi().contains("/session/{bucket}/{id}"));
//! # Ok(())
//! # }
//! ```

mod access_format;
mod admin;
mod app;
mod app_state;
mod buckets;
mod check_config;
mod cli;
mod crypto;
mod error;
mod http;
mod introspection;
mod log_writer;
mod master_keys;
mod observe;
mod open_files;
mod operators;
mod optional;
mod private_json;
mod probe;
mod redis_store;
mod reload;
mod request_context;
mod retry;
mod rpc;
mod secret;
mod serve;
pub mod settings;
mod start_error;
mod store_check;
mod store_failure;
mod telemetry;
mod token_keys;
mod unix_time;
mod users;
mod workers;

pub use app::App;
pub use cli::run;
pub use secret::Secret;
pub use serve::serve;
pub use settings::Settings;
pub use start_error::StartError;
