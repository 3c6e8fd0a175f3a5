//! The log.

use std::io::{self, IsTerminal as _};
use std::panic::{self, PanicHookInfo};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::log_writer::{LogGuard, LogWriter};
use crate::request_scope;
use crate::settings::{LogFormat, LogSettings};

/// Installs the log on standard error, so that the output of commands stays separate. Coloured if
/// that is a terminal. Dropping the guard writes what is still buffered.
///
/// # Errors
///
/// If the writer's thread cannot be started.
pub(crate) fn install(settings: LogSettings, filter: EnvFilter) -> io::Result<LogGuard> {
    let (writer, guard) = LogWriter::new(io::stderr(), report_lost)?;
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .with_writer(writer);
    // Fails if the process has a subscriber already, which then receives these events.
    let _ = match settings.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    panic::set_hook(Box::new(log_panic));
    Ok(guard)
}

/// Reports lost lines as an event, so that the notice has the format of every other line.
fn report_lost(lost: usize) {
    tracing::warn!(lost, "lines of the log were lost");
}

/// Logs the location of a panic. Not its message, which may contain data of a request.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let request_id = request_scope::id();
    tracing::error!(
        request_id,
        location = location.as_deref().unwrap_or("unknown"),
        "sessiond panicked: this is a bug"
    );
}

/// As [`filter`], of `RUST_LOG` and `DEBUG` in the environment.
pub(crate) fn filter_of_environment() -> Result<EnvFilter, String> {
    let (rust_log, debug) = (std::env::var("RUST_LOG").ok(), std::env::var("DEBUG").ok());
    filter(rust_log.as_deref(), debug.as_deref()).map_err(|error| format!("RUST_LOG: {error}"))
}

/// The lines that go to the log: what `RUST_LOG` says, or what `DEBUG` says as the original had
/// it, or `info`.
fn filter(rust_log: Option<&str>, debug: Option<&str>) -> Result<EnvFilter, ParseError> {
    match (rust_log, debug) {
        (Some(directives), _) if !directives.is_empty() => EnvFilter::try_new(directives),
        (_, Some(debug)) if asks_for_us(debug) => {
            EnvFilter::try_new("info,jwt_redis_session=debug,jwt_redis_session_server=debug")
        }
        _ => EnvFilter::try_new("info"),
    }
}

/// Whether one of the patterns in `DEBUG` means this program, as npm's `debug` reads them.
fn asks_for_us(debug: &str) -> bool {
    let mut patterns = debug.split([',', ' ']);
    patterns.any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => "sessiond".starts_with(start) || start.starts_with("sessiond"),
        None => pattern == "sessiond",
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    /// The variable that marks the process of a test as a child process.
    const CHILD: &str = "SESSIOND_TEST_CHILD";

    #[test]
    fn debug_counts_where_it_means_us_unless_rust_log_says_otherwise() {
        let filter = |rust_log, debug| filter(rust_log, debug).unwrap().to_string();
        assert_eq!(filter(None, None), "info");
        assert_eq!(filter(Some("warn"), Some("*")), "warn");
        assert_eq!(filter(Some(""), Some("")), "info");
        for debug in ["*", "sessiond", "express:*,sessiond:*", "a sess*"] {
            assert!(filter(None, Some(debug)).contains("=debug"), "{debug}");
        }
        for debug in ["express:*", "true", "1", "sessions"] {
            assert_eq!(filter(None, Some(debug)), "info", "{debug}");
        }
    }

    /// Runs the test `name` again in a child process, where the variable `CHILD` is set: the
    /// log and the panic hook belong to a whole process.
    fn child(name: &str) -> Command {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let name = format!("telemetry::tests::{name}");
        child
            .args(["--exact", &name, "--nocapture"])
            .env(CHILD, "1");
        child
    }

    fn is_child() -> bool {
        std::env::var_os(CHILD).is_some()
    }

    #[test]
    fn the_text_of_a_panic_is_not_printed() {
        if is_child() {
            let log = install(LogSettings::default(), EnvFilter::new("trace")).unwrap();
            let caught = panic::catch_unwind(|| panic!("the data of a session"));
            assert!(caught.is_err());
            drop(log);
            return;
        }
        let output = child("the_text_of_a_panic_is_not_printed")
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        assert!(output.status.success(), "{printed}");
        assert!(printed.contains("telemetry.rs:"), "{printed}");
        assert!(!printed.contains("the data of a session"), "{printed}");
    }

    #[test]
    fn the_notice_of_lost_lines_is_json_if_the_log_is() {
        const WRITTEN: &str = "all lines are written";
        if is_child() {
            let settings = LogSettings {
                format: LogFormat::Json,
                ..LogSettings::default()
            };
            let log = install(settings, EnvFilter::new("info")).unwrap();
            for _ in 0..20_000 {
                tracing::info!("a line of a hundred bytes or so, which is not read for a while");
            }
            println!("{WRITTEN}");
            drop(log);
            return;
        }
        let mut child = child("the_notice_of_lost_lines_is_json_if_the_log_is");
        let mut child = child
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut printed = stdout.lines().map(Result::unwrap);
        assert!(printed.any(|line| line.contains(WRITTEN)));
        let log = BufReader::new(child.stderr.take().unwrap());
        let lines: Vec<serde_json::Value> = log
            .lines()
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect();
        let lost = lines.iter().filter_map(|line| line["lost"].as_u64());
        let notices = lines.iter().filter(|line| line["level"] == "WARN").count();
        assert_eq!(lines.len() - notices + lost.sum::<u64>() as usize, 20_000);
        assert!(notices > 0);
        drop(printed);
        assert!(child.wait().unwrap().success());
    }
}
