//! The command line.

use std::io::{self, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::app::App;
use crate::app_state::AppState;
use crate::secret::Secret;
use crate::settings::{PREFIX, Settings, SettingsError, Sources};
use crate::{telemetry, workers};

/// The exit code if a setting, a flag or an argument is wrong.
const USAGE: u8 = 2;

type Failure = Box<dyn std::error::Error>;

/// Server-side sessions over HTTP, for apps in any language.
///
/// Settings come from the file, then from the environment (`SESSIOND__SECTION__KEY`), then from
/// the flags. `RUST_LOG` says what is logged; `DEBUG=*` logs more. `config.yml` lists every setting.
#[derive(Debug, Parser)]
#[command(name = "sessiond", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// The file to read the settings from (YAML)
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address to listen on [default: 127.0.0.1:8385]
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The URL of Redis; a password in it is better kept in SESSIOND__STORE__REDIS
    #[arg(long, global = true, value_name = "URL")]
    redis: Option<String>,
    /// Log one JSON object a line
    #[arg(long, global = true)]
    json_logs: bool,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// Check the settings and say whether the service could start with them
    CheckConfig,
    /// Print a random secret, fit for every setting that takes one
    GenerateSecret,
    /// Print the OpenAPI document of all APIs
    Openapi,
}

/// Runs the program `sessiond` with the arguments and the environment of this process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match runtime().block_on(cli.execute()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sessiond: {error}");
            ExitCode::from(USAGE)
        }
    }
}

impl Cli {
    async fn execute(&self) -> Result<(), Failure> {
        match self.command {
            Some(Command::GenerateSecret) => print(Secret::random().expose()),
            Some(Command::Openapi) => print(App::build(all_apis())?.openapi()),
            Some(Command::CheckConfig) => {
                telemetry::filter_of_environment()?;
                App::build(self.settings()?)?;
                print("the settings are good");
            }
            None => listen(self.settings()?).await?,
        }
        Ok(())
    }

    fn settings(&self) -> Result<Settings, SettingsError> {
        Settings::load(&self.sources()?)
    }

    fn sources(&self) -> Result<Sources, SettingsError> {
        let mut sources = Sources::new().variables(variables()?);
        if let Some(file) = &self.config {
            sources = sources.file(file);
        }
        if let Some(address) = &self.listen {
            sources = sources.flag("http.listen", address);
        }
        if let Some(url) = &self.redis {
            sources = sources.flag("store.redis", url);
        }
        if self.json_logs {
            sources = sources.flag("log.format", "json");
        }
        Ok(sources)
    }
}

/// The variables that are settings. One that is not UTF-8 is refused, not left out.
fn variables() -> Result<Vec<(String, String)>, SettingsError> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(SettingsError::new(name, "is not UTF-8")),
        })
        .collect()
}

fn all_apis() -> Settings {
    let mut settings = Settings::default();
    settings.users.enabled = true;
    settings
}

/// Prints a line; ignores a closed standard output.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

async fn listen(settings: Settings) -> Result<(), Failure> {
    let _log = telemetry::install(settings.log, telemetry::filter_of_environment()?)?;
    let address = settings.http.listen;
    let listener =
        TcpListener::bind(address).map_err(|error| format!("http.listen: {address}: {error}"))?;
    let state = AppState::new(settings)?;
    let shutdown = shutdown_signal()?;
    let (stop, stopped) = watch::channel(false);
    let threads = workers::start(&listener, &state, &stopped)?;
    tracing::info!(address = %listener.local_addr()?, "sessiond listens");
    warn_about(&state.settings);
    shutdown.await;
    drop(listener);
    stop.send_replace(true);
    workers::join(threads).await;
    tracing::info!("sessiond has stopped");
    Ok(())
}

/// Warns about settings that a deployment may not want.
fn warn_about(settings: &Settings) {
    if settings.store.redis.is_none() {
        tracing::warn!("sessions are kept in memory and end with this process; --redis keeps them");
    }
    if settings.tokens.secret.is_none() {
        tracing::warn!("tokens.secret is not set: a random one is used until this process ends");
    }
    if settings.buckets.enabled && settings.buckets.master_keys.is_empty() {
        tracing::warn!("buckets.master_keys is not set: no bucket can be given an API key");
    }
    if settings.rpc.enabled && settings.rpc.secret.is_none() && !is_loopback(settings) {
        tracing::warn!(
            "rpc.secret is not set: every client that can reach this address may use the RPC API"
        );
    }
}

fn is_loopback(settings: &Settings) -> bool {
    settings.http.listen.ip().is_loopback()
}

/// Returns a future that waits for Ctrl-C or SIGTERM. The second signal ends the process at once.
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut either = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(async move {
        either().await;
        tracing::info!("sessiond stops: requests under way are finished; once more stops at once");
        tokio::spawn(async move {
            either().await;
            #[expect(clippy::exit, reason = "the operator has said so twice")]
            std::process::exit(130);
        });
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("threads can be started")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
