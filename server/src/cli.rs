//! Command line of the program `sessiond`.

use std::error::Error;
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
use crate::{reload, telemetry, workers};

/// Server-side sessions over HTTP, for apps in any language.
///
/// Settings are read from the file, then from the environment (`SESSIOND__SECTION__KEY`), then
/// from the flags. `RUST_LOG` sets the log level; `DEBUG=*` logs more. `config.yml` lists all
/// settings.
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
    /// The URL of Redis; if it contains a password, set SESSIOND__STORE__REDIS instead
    #[arg(long, global = true, value_name = "URL")]
    redis: Option<String>,
    /// Log one JSON object per line
    #[arg(long, global = true)]
    json_logs: bool,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// Check the settings without starting the service
    CheckConfig,
    /// Print a random secret, for any setting that takes one
    GenerateSecret,
    /// Print the OpenAPI document of all APIs
    Openapi,
}

/// Runs the program `sessiond` with the arguments and the environment of this process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match cli.execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sessiond: {error}");
            // clap uses the same code for wrong arguments.
            ExitCode::from(2)
        }
    }
}

impl Cli {
    #[tokio::main(flavor = "current_thread")]
    async fn execute(&self) -> Result<(), Box<dyn Error>> {
        match self.command {
            Some(Command::GenerateSecret) => print(Secret::random().expose()),
            Some(Command::Openapi) => {
                let mut settings = Settings::default();
                settings.users.enabled = true;
                print(App::build(settings)?.openapi());
            }
            Some(Command::CheckConfig) => {
                telemetry::filter_of_environment()?;
                App::build(self.settings()?)?;
                print("the settings are valid");
            }
            None => self.listen().await?,
        }
        Ok(())
    }

    fn settings(&self) -> Result<Settings, SettingsError> {
        let mut sources = Sources::default().variables(variables()?);
        if let Some(file) = &self.config {
            sources = sources.file(file);
        }
        for (setting, value) in [
            ("http.listen", self.listen.as_deref()),
            ("store.redis", self.redis.as_deref()),
            ("log.format", self.json_logs.then_some("json")),
        ] {
            if let Some(value) = value {
                sources = sources.flag(setting, value);
            }
        }
        Settings::load(&sources)
    }

    async fn listen(&self) -> Result<(), Box<dyn Error>> {
        let settings = self.settings()?;
        let mut log = telemetry::install(settings.log, telemetry::filter_of_environment()?);
        let address = settings.http.listen;
        let listener = TcpListener::bind(address)
            .map_err(|error| format!("http.listen: {address}: {error}"))?;
        let (states, state) = watch::channel(AppState::new(settings)?);
        // Before the threads start: until the handlers are installed, a signal ends the process
        // without finishing requests.
        let shutdown = shutdown_signal()?;
        let reloads = reload::on_hangup(|| self.settings(), states)?;
        let (stop, stopped) = watch::channel(false);
        let threads = workers::start(&listener, &state, &stopped)?;
        tracing::info!(address = %listener.local_addr()?, "sessiond is listening");
        warn_about(&state.borrow().settings);
        tokio::select! {
            () = shutdown => {}
            () = reloads => {}
            () = log.report_lost_lines() => {}
        }
        // The threads listen on duplicates of this socket. The operating system refuses new
        // connections only after the last duplicate is closed.
        drop(listener);
        stop.send_replace(true);
        workers::join(threads).await;
        tracing::info!("sessiond has stopped");
        Ok(())
    }
}

/// Returns the environment variables that are settings.
///
/// Errors: the value of one of them is not UTF-8.
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

/// Prints a line; ignores a closed standard output.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Warns about settings that a deployment may not want.
fn warn_about(settings: &Settings) {
    if settings.store.redis.is_none() {
        tracing::warn!(
            "sessions are kept in memory and end with this process; set store.redis to keep them"
        );
    }
    if settings.tokens.secret.is_none() {
        tracing::warn!(
            "tokens.secret is not set: tokens end with this process; set it to keep them valid"
        );
    }
    if settings.buckets.enabled && settings.buckets.master_keys.is_empty() {
        tracing::warn!("buckets.master_keys is not set: no bucket can get an API key");
    }
    let is_local = settings.http.listen.ip().is_loopback();
    if settings.rpc.enabled && settings.rpc.secret.is_none() && !is_local {
        tracing::warn!(
            "rpc.secret is not set: every client that can reach this address may use the RPC API"
        );
    }
}

/// Returns a future that waits for Ctrl-C or SIGTERM. The second signal ends the process.
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
        tracing::info!(
            "sessiond is stopping: requests in progress are finished; a second signal ends it immediately"
        );
        tokio::spawn(async move {
            either().await;
            #[expect(clippy::exit, reason = "the second signal is for this")]
            std::process::exit(130);
        });
    })
}
