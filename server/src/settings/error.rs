//! Errors in settings.

use std::fmt::{self, Display};

use config::ConfigError;

/// The settings whose values the error of `config` would describe as types of Rust.
const CHOICES: [(&str, &str); 6] = [
    (
        "tokens.algorithm",
        "must be `HS256`, `HS384`, `HS512`, `RS256`, `PS256`, `ES256` or `EdDSA`",
    ),
    ("tokens.previous_secrets", LIST),
    ("tokens.previous_key_files", LIST),
    ("buckets.master_keys", LIST),
    ("log.format", "must be `text` or `json`"),
    (
        "http.proxy_header",
        "must be `X-Forwarded-For` or `Forwarded`",
    ),
];

const LIST: &str = "must be a list of strings: `[\"first\", \"second\"]`";
const NATURAL: &str = "must be an integer that is not negative";
const DURATION: &str = "must be a duration with a unit, such as `500ms`, `30s`, `15m` or `1h 30m`";

/// Error returned for a setting that is wrong, missing or unknown: one line, without its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct SettingsError {
    setting: String,
    problem: String,
}

impl SettingsError {
    /// Returns the error of `setting`, which is `section.key`, a variable or a file.
    pub(crate) fn new(setting: impl Display, problem: impl Display) -> Self {
        let line = |text: String| text.replace(char::is_control, " ");
        Self {
            setting: line(setting.to_string()),
            problem: line(problem.to_string()),
        }
    }

    /// Returns the setting.
    pub(super) fn setting(&self) -> &str {
        &self.setting
    }

    /// Converts the error of a setting that is unknown or has the wrong type.
    pub(super) fn wrong_value(error: &ConfigError) -> Self {
        let (key, text) = match error {
            ConfigError::Type { key, expected, .. } => (key, format!("must be {expected}")),
            ConfigError::At { key, error, .. } => (key, error.to_string()),
            error => (&None, error.to_string()),
        };
        if let Some(unknown) = Self::unknown(key.as_deref(), &text) {
            return unknown;
        }
        let setting = key.as_deref().unwrap_or("settings");
        let name = setting.split('[').next();
        let choices = CHOICES.iter().find(|(choice, _)| Some(*choice) == name);
        let problem = match (choices, text.rsplit_once(", expected ")) {
            (Some((_, choices)), _) => (*choices).to_owned(),
            _ if !setting.contains('.') => "must be a section".to_owned(),
            (None, Some((_, "a duration"))) => DURATION.to_owned(),
            _ if text.starts_with("must be an unsigned") => NATURAL.to_owned(),
            // What precedes it quotes the value, which may be a secret.
            (None, Some((_, expected))) => format!("must be {expected}"),
            (None, None) => text,
        };
        Self::new(setting, problem)
    }

    /// Reads serde's error of `deny_unknown_fields`, which names the existing fields:
    /// ``unknown field `a`, expected one of `b`, `c` ``.
    fn unknown(section: Option<&str>, text: &str) -> Option<Self> {
        let mut names = text.strip_prefix("unknown field `")?.split('`').step_by(2);
        let name = names.next()?;
        let existing: Vec<_> = names.filter(|name| !name.is_empty()).collect();
        let existing = existing.join(", ");
        Some(match section {
            Some(section) => Self::new(
                format!("{section}.{name}"),
                format!("unknown setting, `{section}` has {existing}"),
            ),
            None => Self::new(name, format!("unknown section, there are {existing}")),
        })
    }

    /// Converts the error of a file that cannot be read or is not YAML. The text of a YAML error
    /// may quote the file, and with it a secret, so only the position is kept.
    pub(super) fn unreadable(file: &str, error: &ConfigError) -> Self {
        let problem = match error {
            ConfigError::FileParse { cause, .. } => match position(&cause.to_string()) {
                Some(position) => format!("is not valid YAML, see line {position}"),
                None => "is not valid YAML".to_owned(),
            },
            error => format!("cannot be read: {error}"),
        };
        Self::new(file, problem)
    }
}

/// Error returned for wrong settings: all mistakes, one line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsErrors(Vec<SettingsError>);

impl SettingsErrors {
    /// Adds a mistake. Only the first one of each setting is kept: the others follow from it.
    pub(crate) fn push(&mut self, error: SettingsError) {
        if self.0.iter().all(|known| known.setting != error.setting) {
            self.0.push(error);
        }
    }

    /// Adds a mistake in `setting` unless it `is_valid`.
    pub(super) fn ensure(&mut self, is_valid: bool, setting: &str, problem: impl Display) {
        if !is_valid {
            self.push(SettingsError::new(setting, problem));
        }
    }

    /// Adds the error of `result`, or returns its value.
    pub(crate) fn take<T>(&mut self, result: Result<T, SettingsError>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Returns `value` if there is no mistake.
    ///
    /// # Errors
    ///
    /// The mistakes.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl From<SettingsError> for SettingsErrors {
    fn from(error: SettingsError) -> Self {
        Self(vec![error])
    }
}

impl Extend<SettingsError> for SettingsErrors {
    fn extend<I: IntoIterator<Item = SettingsError>>(&mut self, errors: I) {
        errors.into_iter().for_each(|error| self.push(error));
    }
}

impl IntoIterator for SettingsErrors {
    type Item = SettingsError;
    type IntoIter = std::vec::IntoIter<SettingsError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Display for SettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for SettingsErrors {}

/// Reads the end of a YAML error, `at byte 1 line 2 column 3`, as `2, column 3`.
fn position(text: &str) -> Option<String> {
    let (_, position) = text.rsplit_once(" line ")?;
    let (line, column) = position.split_once(" column ")?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    Some(format!("{line}, column {column}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_position_of_a_yaml_error_is_kept() {
        let text = "`my secret` at byte 12 line 2 column 3";
        assert_eq!(position(text).as_deref(), Some("2, column 3"));
        let without = "my secret line failed, a line secret 3, a line 1 column secret";
        for text in without.split(", ") {
            assert_eq!(position(text), None, "{text}");
        }
    }

    #[test]
    fn an_error_is_one_line() {
        let error = SettingsError::new("a\nb", "c\rd\u{1b}");
        assert_eq!(error.to_string(), "a b: c d ");
    }
}
