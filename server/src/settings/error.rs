//! Errors in settings.

use std::fmt::Display;

use config::ConfigError;

/// The settings that hold one of a few words. The error of `config` is about enums and variants.
const CHOICES: [(&str, &str); 3] = [
    (
        "tokens.algorithm",
        "must be `HS256`, `HS384`, `HS512`, `RS256`, `PS256`, `ES256` or `EdDSA`",
    ),
    ("log.format", "must be `text` or `json`"),
    (
        "http.proxy_header",
        "must be `X-Forwarded-For` or `Forwarded`",
    ),
];

/// Error returned for a setting that is wrong, missing or unknown: one line, without its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

impl SettingsError {
    /// Returns the error of `setting`, which is `section.key` or a file.
    pub(crate) fn new(setting: impl Display, problem: impl Display) -> Self {
        Self(format!("{setting}: {problem}").replace(char::is_control, " "))
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
        let choices = CHOICES.iter().find(|(name, _)| *name == setting);
        let problem = match (choices, text.rsplit_once(", expected ")) {
            (Some((_, choices)), _) => (*choices).to_owned(),
            _ if !setting.contains('.') => "must be a section".to_owned(),
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
                Some(position) => format!("is not YAML, see line {position}"),
                None => "is not YAML".to_owned(),
            },
            error => format!("cannot be read: {error}"),
        };
        Self::new(file, problem)
    }
}

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
