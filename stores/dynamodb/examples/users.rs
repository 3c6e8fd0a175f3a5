//! The users API of `sessiond` on DynamoDB: create a session, read its user, end all of a user.
//!
//! `cargo run --manifest-path stores/dynamodb/Cargo.toml --example users`
//!
//! Credentials, region and endpoint come from the environment, as for every AWS tool. The settings
//! are those of `sessiond`, for example `SESSIOND__HTTP__LISTEN` and `SESSIOND__USERS__SECRET`.
//! `DYNAMODB_TABLE` names another table than `sessions`.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use jwt_redis_session::store::cas::{CasBackend as _, CasStore};
use jwt_redis_session_dynamodb::DynamoDb;
use jwt_redis_session_server::settings::Sources;
use jwt_redis_session_server::{App, Settings, serve};
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("users: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let settings = settings()?;
    let config = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
    let table = env::var("DYNAMODB_TABLE").unwrap_or_else(|_| "sessions".to_owned());
    let backend = DynamoDb::new(&Client::new(&config), table).deadline(settings.store.deadline);
    // A wrong table, region or policy is reported now instead of by every request.
    backend.ping().await?;

    let mut terminate = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind(settings.http.listen.to_string()).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = App::with_store(settings, CasStore::new(backend))?;
    let stopped = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = ctrl_c() => {}
        }
    };
    serve(listener, app, stopped).await;
    Ok(())
}

/// Reads the settings from the environment, with the users API only.
fn settings() -> Result<Settings, Box<dyn Error>> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let sources = Sources::default()
        .variables(env::vars_os().filter_map(text))
        .flag("users.enabled", "true")
        .flag("buckets.enabled", "false")
        .flag("rpc.enabled", "false");
    Ok(Settings::load(&sources)?)
}
