//! What is logged, and how.

use serde::Deserialize;

/// What is logged, and how: section `log`. Which levels is said by `RUST_LOG`, or `DEBUG`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LogSettings {
    /// The form of a line: `text` or `json`. Defaults to `text`.
    pub format: LogFormat,
    /// Whether each request is logged, at the level `info`. Defaults to true.
    pub access: bool,
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            access: true,
        }
    }
}
