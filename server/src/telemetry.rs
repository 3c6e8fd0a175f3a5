//! The log.

use std::env::VarError;
use std::fmt::Display;
use std::io::{self, IsTerminal as _};
use std::panic::{self, PanicHookInfo};
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::access_format::AccessFormat;
use crate::log_writer::log_writer;
use crate::request_context::RequestContext;
use crate::settings::{LogFormat, LogSettings, SettingsError};

/// The interval at which lost lines are reported.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Which lines are logged.
pub(crate) type LogFilter = EnvFilter;

/// Writes what is still buffered when dropped.
pub(crate) struct LogGuard {
    lost: ErrorCounter,
    reported: usize,
    _worker: WorkerGuard,
}

/// Installs the log on standard error, so that the output of commands stays separate. Uses colors
/// if that is a terminal.
pub(crate) fn install(settings: LogSettings, filter: LogFilter) -> LogGuard {
    let (writer, worker) = log_writer(io::stderr());
    let guard = LogGuard {
        lost: writer.error_counter(),
        reported: 0,
        _worker: worker,
    };
    let colors = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colors)
        .with_writer(writer);
    // Fails if the process has a subscriber already, which then receives these events.
    let format = settings.format;
    let _ = match format {
        LogFormat::Text => builder
            .map_event_format(|others| AccessFormat::new(others, format))
            .try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .map_event_format(|others| AccessFormat::new(others, format))
            .try_init(),
    };
    panic::set_hook(Box::new(log_panic));
    guard
}

impl LogGuard {
    /// Reports lost lines until this future is dropped.
    pub(crate) async fn report_lost_lines(&mut self) {
        let mut interval = tokio::time::interval(REPORT_INTERVAL);
        loop {
            interval.tick().await;
            self.report();
        }
    }

    fn report(&mut self) {
        let total = self.lost.dropped_lines();
        let lost = total - self.reported;
        if lost > 0 {
            self.reported = total;
            metrics::counter!("sessiond_log_lines_lost_total").increment(lost as u64);
            tracing::warn!(lost, "log lines were dropped");
        }
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        // Before the worker is dropped, which stops writing.
        self.report();
    }
}

/// Logs the location of a panic. Not its message, which may contain data of a request.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(tracing::field::display);
    let context = RequestContext::current();
    let (request_id, trace_id) = (context.request_id(), context.trace_id());
    tracing::error!(
        request_id,
        trace_id,
        location,
        "sessiond panicked: this is a bug"
    );
}

/// Writes the error that ends the program as a line of the log, which may not be installed yet, or
/// no longer.
pub(crate) fn report_exit(format: LogFormat, error: &dyn Display) {
    match format {
        LogFormat::Text => eprintln!("sessiond: {error}"),
        LogFormat::Json => {
            let subscriber = tracing_subscriber::fmt().json().flatten_event(true);
            let subscriber = subscriber.with_writer(io::stderr).finish();
            tracing::subscriber::with_default(subscriber, || tracing::error!("{error}"));
        }
    }
}

/// Returns the filter that `RUST_LOG` and `DEBUG` in the environment set.
pub(crate) fn filter_of_environment() -> Result<LogFilter, SettingsError> {
    let error = |problem: &str| SettingsError::new("RUST_LOG", problem);
    let rust_log = match std::env::var("RUST_LOG") {
        Err(VarError::NotUnicode(_)) => return Err(error("is not UTF-8")),
        rust_log => rust_log.ok(),
    };
    let debug = std::env::var("DEBUG").ok();
    filter(rust_log.as_deref(), debug.as_deref()).map_err(|problem| error(&problem))
}

/// The module of the library that reports outages. Each thread has its own store, which would report
/// the same one; `store_failure` reports it once.
const REPORTED_BY_THREAD: &str = "jwt_redis_session::store::redis::log_throttle=off";

/// `RUST_LOG` takes precedence over `DEBUG`, which configured the original Node service.
fn filter(rust_log: Option<&str>, debug: Option<&str>) -> Result<EnvFilter, String> {
    let directives = match (rust_log, debug) {
        (Some(directives), _) if !directives.is_empty() => directives,
        (_, Some(debug)) if matches_sessiond(debug) => {
            "info,jwt_redis_session=debug,jwt_redis_session_server=debug"
        }
        _ => "info",
    };
    // `EnvFilter` takes a word that is no level for a target: `inf` would switch the log off.
    let is_level = |word: &str| word.is_empty() || word.parse::<LevelFilter>().is_ok();
    let mut words = directives.split(',');
    if !directives.contains('[') && !words.all(|word| word.contains('=') || is_level(word)) {
        let problem = "must be a level (error, warn, info, debug, trace, off), or `target=level`, \
                       separated by commas";
        return Err(problem.to_owned());
    }
    let by_thread = REPORTED_BY_THREAD.parse();
    EnvFilter::try_new(directives)
        .and_then(|filter| Ok(filter.add_directive(by_thread?)))
        .map_err(|error| error.to_string())
}

/// Whether a pattern in `DEBUG`, in the syntax of npm's `debug`, matches this program.
fn matches_sessiond(debug: &str) -> bool {
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

    #[test]
    fn rust_log_wins_over_debug() {
        let filter = |rust_log, debug| {
            let filter = filter(rust_log, debug).unwrap().to_string();
            let directives = filter.split(',').filter(|it| *it != REPORTED_BY_THREAD);
            directives.collect::<Vec<_>>().join(",")
        };
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

    #[test]
    fn rust_log_has_levels_and_targets() {
        for valid in [
            "INFO",
            "0",
            "off",
            "info,hyper=warn",
            "warn,a::b=trace,",
            "[span]=debug",
            "a[b{c=1}]=info",
        ] {
            assert!(filter(Some(valid), None).is_ok(), "{valid}");
        }
        for invalid in [
            "inf",
            "warning",
            "info;debug",
            "hyper",
            "info,hyper",
            "a=b=c",
            "a=verbose",
        ] {
            assert!(filter(Some(invalid), None).is_err(), "{invalid}");
        }
    }

    /// Runs in a child process, to which the log and the panic hook belong.
    #[test]
    fn a_panic_is_logged_without_its_message_and_lost_lines_are_reported() {
        const CHILD: &str = "SESSIOND_TEST_CHILD";
        let name = "a_panic_is_logged_without_its_message_and_lost_lines_are_reported";
        if std::env::var_os(CHILD).is_some() {
            return child();
        }
        let mut command = Command::new(std::env::current_exe().unwrap());
        let name = format!("telemetry::tests::{name}");
        let command = command.args(["--exact", &name, "--nocapture"]);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.env(CHILD, "1").spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        // Standard error is not read until its pipe is full.
        assert!(stdout.any(|line| line.unwrap().contains(LOST)));
        let output = child.wait_with_output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{log}");
        assert!(log.contains("telemetry.rs:") && log.contains("log lines were dropped"));
        assert!(!log.contains("the data of a session"), "{log}");
        for line in log.lines() {
            serde_json::from_str::<serde_json::Value>(line).expect(line);
        }
    }

    const LOST: &str = "lines were lost";

    fn child() {
        let mut settings = crate::settings::Settings::default().log;
        settings.format = LogFormat::Json;
        let metrics = crate::operators::metrics::recorder();
        let log = install(settings, EnvFilter::new("info"));
        let caught = panic::catch_unwind(|| panic!("the data of a session"));
        assert!(caught.is_err());
        while log.lost.dropped_lines() == 0 {
            tracing::info!("a line");
        }
        println!("{LOST}");
        // Until there is capacity for the report.
        let mut dropped = 0;
        while dropped < log.lost.dropped_lines() {
            dropped = log.lost.dropped_lines();
            std::thread::sleep(Duration::from_millis(50));
            tracing::info!("a line");
        }
        drop(log);
        let metrics = metrics.render();
        let count = metrics
            .lines()
            .find_map(|line| line.strip_prefix("sessiond_log_lines_lost_total "));
        assert_ne!(count.expect("a counter"), "0");
    }
}
