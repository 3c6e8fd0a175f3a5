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
use crate::serve::{Listeners, PassedSockets};
use crate::settings::{LogFormat, Settings, SettingsError, SettingsErrors, Sources, is_ours};
use crate::telemetry::LogFilter;
use crate::{check_config, reload, store_check, store_failure, telemetry, workers};

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
    /// Check the settings without starting the service; print all mistakes, or what would run
    CheckConfig {
        /// Also contact the session store; exit code 1 if it cannot serve
        #[arg(long)]
        connect: bool,
    },
    /// Print a random secret, for any setting that takes one
    GenerateSecret,
    /// Check the health of the running service; exit with 0 if it is healthy, and 1 otherwise
    Health {
        /// Check whether it is ready: also exit with 1 if the store cannot be reached
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
        Err(failure) => {
            let (text, code) = match failure {
                // clap uses the same code for wrong arguments.
                Failure::Settings(errors) => (errors.to_string(), 2),
                Failure::Other(error) => (error.to_string(), 1),
            };
            let format = cli.log_format();
            for line in text.lines() {
                telemetry::report_exit(format, &line);
            }
            ExitCode::from(code)
        }
    }
}

/// Prints the requested help or version, or else the error.
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

/// Error of a command, by its exit code.
enum Failure {
    /// Settings are wrong, which a restart does not correct.
    Settings(SettingsErrors),
    /// Anything else, such as a busy port, which a restart may correct.
    Other(Box<dyn Error>),
}

impl From<SettingsErrors> for Failure {
    fn from(errors: SettingsErrors) -> Self {
        Self::Settings(errors)
    }
}

impl From<Box<dyn Error>> for Failure {
    fn from(error: Box<dyn Error>) -> Self {
        Self::Other(error)
    }
}

impl Cli {
    #[tokio::main(flavor = "current_thread")]
    async fn execute(&self) -> Result<(), Failure> {
        match self.command {
            Some(Command::GenerateSecret) => print(Secret::random().expose()),
            Some(Command::Openapi) => {
                let mut settings = Settings::default();
                settings.users.enabled = true;
                print(App::build(settings).map_err(Box::from)?.openapi());
            }
            Some(Command::CheckConfig { connect }) => {
                let (app, _) = self.prepare()?;
                print(check_config::summary(&app).trim_end());
                if connect {
                    print(&check_config::connect(app).await.map_err(Box::from)?);
                }
            }
            Some(Command::Health { ready }) => {
                let (settings, errors) = self.settings();
                let settings = errors.or(settings)?;
                let address = settings.operators.listen.unwrap_or(settings.http.listen);
                let path = if ready { "/readyz" } else { "/healthz" };
                let failed = |error| Box::<dyn Error>::from(format!("{address}: {error}"));
                probe(&address, path).map_err(failed)?;
            }
            None => {
                let (app, filter) = self.prepare()?;
                self.listen(app, filter).await?;
            }
        }
        Ok(())
    }

    /// Reads the settings. Wrong ones are reported and replaced by their defaults.
    fn settings(&self) -> (Settings, SettingsErrors) {
        let (variables, mut errors) = variables();
        let (settings, wrong) = Settings::read(&self.sources(variables));
        errors.extend(wrong);
        (settings, errors)
    }

    /// Reads the settings and builds the service, which uses its store later.
    ///
    /// Errors: all mistakes in the settings.
    fn prepare(&self) -> Result<(AppState, LogFilter), SettingsErrors> {
        let (settings, mut errors) = self.settings();
        let filter = errors.take(telemetry::filter_of_environment());
        // Also with wrong settings, so that all mistakes are reported at once.
        let app = AppState::unopened(settings);
        let app = app.and_then(|app| App::assemble(&app).map(|_| app));
        let app = app.map_err(|error| errors.extend(SettingsErrors::from(error)));
        Ok(errors.or(app.ok().zip(filter))?.expect("there is no error"))
    }

    /// Returns the format of the log, also if settings are wrong.
    fn log_format(&self) -> LogFormat {
        let sources = self.sources(variables().0);
        sources.log_format().unwrap_or(LogFormat::Text)
    }

    fn sources(&self, variables: Vec<(String, String)>) -> Sources {
        let mut sources = Sources::default().variables(variables);
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
        sources
    }

    async fn listen(&self, app: AppState, filter: LogFilter) -> Result<(), Box<dyn Error>> {
        // Before the thread of the log starts.
        let passed = PassedSockets::from_environment();
        let mut log = telemetry::install(app.settings.log, filter);
        let listeners = Listeners::bind(&app.settings, passed)?;
        for warning in app.settings.warnings() {
            tracing::warn!("{warning}");
        }
        let app = app.open()?;
        store_check::at_start(&app).await?;
        let (states, state) = watch::channel(app);
        // Before the threads start: until the handlers are installed, a signal ends the process
        // without finishing requests.
        let shutdown = shutdown_signal()?;
        let load = || {
            let (settings, errors) = self.settings();
            errors.or(settings)
        };
        let reloads = reload::on_hangup(load, states)?;
        let (stop, stopped) = watch::channel(false);
        let threads = workers::start(&listeners.sockets, &state, &stopped)?;
        log_addresses(&listeners);
        // The threads listen on duplicates. The operating system rejects new connections only after
        // the last duplicate is closed.
        let _files = listeners.into_files();
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

/// Returns the environment variables that are settings, or resemble one, and those of them that
/// are not UTF-8.
fn variables() -> (Vec<(String, String)>, SettingsErrors) {
    let (mut variables, mut errors) = (Vec::new(), SettingsErrors::default());
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.into_string().ok().filter(|name| is_ours(name)) else {
            continue;
        };
        match value.into_string() {
            Ok(value) => variables.push((name, value)),
            Err(_) => errors.push(SettingsError::new(name, "is not UTF-8")),
        }
    }
    (variables, errors)
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
