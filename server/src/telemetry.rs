//! The log.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::settings::{LogFormat, LogSettings};

/// Starts writing the log to `sink`; does nothing if somebody else writes one already.
pub(crate) fn install<W>(settings: LogSettings, filter: EnvFilter, sink: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(sink);
    let _ = match settings.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// The lines that go to the log: what `RUST_LOG` says, or `DEBUG` as the original had it (any
/// value but the empty one), or `info`.
pub(crate) fn filter(
    rust_log: Option<&str>,
    debug: Option<&str>,
) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    match (rust_log, debug) {
        (Some(directives), _) if !directives.is_empty() => EnvFilter::try_new(directives),
        (_, Some(debug)) if !debug.is_empty() => EnvFilter::try_new(
            "info,sessiond=debug,jwt_redis_session=debug,jwt_redis_session_server=debug",
        ),
        _ => EnvFilter::try_new("info"),
    }
}

/// Where the log goes: standard error, so that what a command prints stays apart.
pub(crate) fn stderr() -> impl for<'a> MakeWriter<'a> + Send + Sync + 'static {
    io::stderr
}
