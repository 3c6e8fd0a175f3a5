//! Command line of the program `sessiond`.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::app::{App, Surface};
use crate::app_state::AppState;
use crate::probe::probe;
use crate::secret::Secret;
use crate::serve::{BindError, Listeners, PassedSockets};
use crate::settings::{LogFormat, PREFIX, Settings, SettingsError, Sources};
use crate::start_error::StartError;
use crate::{reload, store_failure, telemetry, workers};

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
    /// The address to listen on, such as :8385 or unix:/run/sessiond.sock [default: 127.0.0.1:8385]
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The URL of Redis; if it contains a password, set SESSIOND__STORE__REDIS instead
    #[arg(long, global = true, value_name = "URL")]
    redis: Option<String>,
    /// The file that keeps the sessions, for one machine without Redis
    #[arg(long, global = true, value_name = "FILE")]
    store_file: Option<PathBuf>,
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
    /// Ask the running service for its health; exit with 0 if it is healthy, and 1 otherwise
    Health {
        /// Ask whether it is ready: also 1 if the store cannot be reached
        #[arg(long)]
        ready: bool,
    },
    /// Print the OpenAPI document of all APIs
    Openapi,
}

/// Runs the program `sessiond` with the arguments and the environment of this process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong_arguments(&error),
    };
    match cli.execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            telemetry::report_exit(cli.log_format(), &error);
            exit_code(&*error)
        }
    }
}

/// Returns 1 for an error that a restart may correct, such as a busy port. Returns 2, as clap does,
/// for wrong arguments and settings.
fn exit_code(error: &(dyn Error + 'static)) -> ExitCode {
    let start = error.downcast_ref();
    let is_io = error.is::<io::Error>() || matches!(start, Some(StartError::Io(_)));
    ExitCode::from(if is_io || error.is::<BindError>() {
        1
    } else {
        2
    })
}

/// Prints the help or the version if it was asked for, or else what is wrong.
fn wrong_arguments(error: &clap::Error) -> ExitCode {
    let is_json = std::env::args_os().any(|argument| argument == "--json-logs");
    if is_json && error.use_stderr() {
        let text = error.render().to_string();
        telemetry::report_exit(LogFormat::Json, &text.trim_end());
    } else {
        // An error is a closed output.
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
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
            Some(Command::Health { ready }) => {
                let settings = self.settings()?;
                let address = settings.operators.listen.unwrap_or(settings.http.listen);
                probe(&address, if ready { "/readyz" } else { "/healthz" })?;
            }
            None => self.listen().await?,
        }
        Ok(())
    }

    fn settings(&self) -> Result<Settings, SettingsError> {
        Settings::load(&self.sources()?)
    }

    /// Returns the format of the log, also if another setting is wrong.
    fn log_format(&self) -> LogFormat {
        if self.json_logs {
            return LogFormat::Json;
        }
        let sources = self.sources().unwrap_or_default();
        sources.log_format().unwrap_or(LogFormat::Text)
    }

    fn sources(&self) -> Result<Sources, SettingsError> {
        let mut sources = Sources::default().variables(variables()?);
        if let Some(file) = &self.config {
            sources = sources.file(file);
        }
        let store_file = self.store_file.as_ref().map(|file| file.to_string_lossy());
        for (setting, value) in [
            ("http.listen", self.listen.as_deref()),
            ("store.redis", self.redis.as_deref()),
            ("store.file", store_file.as_deref()),
            ("log.format", self.json_logs.then_some("json")),
        ] {
            if let Some(value) = value {
                sources = sources.flag(setting, value);
            }
        }
        Ok(sources)
    }

    async fn listen(&self) -> Result<(), Box<dyn Error>> {
        let settings = self.settings()?;
        // Before the thread of the log starts.
        let passed = PassedSockets::from_environment();
        let mut log = telemetry::install(settings.log, telemetry::filter_of_environment()?);
        let listeners = Listeners::bind(&settings, passed)?;
        let (states, state) = watch::channel(AppState::new(settings)?);
        // Before the threads start: until the handlers are installed, a signal ends the process
        // without finishing requests.
        let shutdown = shutdown_signal()?;
        let reloads = reload::on_hangup(|| self.settings(), states)?;
        let (stop, stopped) = watch::channel(false);
        let threads = workers::start(&listeners.sockets, &state, &stopped)?;
        log_addresses(&listeners);
        // The threads listen on duplicates. The operating system refuses new connections only after
        // the last duplicate is closed.
        let _files = listeners.into_files();
        warn_about(&state.borrow().settings);
        tokio::select! {
            () = shutdown => {}
            () = reloads => {}
            () = log.report_lost_lines() => {}
            () = store_failure::report_recovery(|| state.borrow().store.clone()) => {}
        }
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

fn log_addresses(listeners: &Listeners) {
    for (surface, socket) in &listeners.sockets {
        match surface {
            Surface::Public => tracing::info!(address = %socket, "sessiond is listening"),
            Surface::Operators => {
                tracing::info!(address = %socket, "sessiond is listening for operators");
            }
        }
    }
}

/// Warns about settings that a deployment may not want.
fn warn_about(settings: &Settings) {
    if settings.store.redis.is_none() && settings.store.file.is_none() {
        tracing::warn!(
            "sessions are kept in memory and end with this process; set store.redis or store.file to keep them"
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
    let is_local = settings.http.listen.is_local();
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
