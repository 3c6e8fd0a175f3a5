//! What is wrong with a setting.

use config::ConfigError;

/// The settings whose values are never shown, not even in part.
pub(super) const SECRETS: [&str; 7] = [
    "store.redis",
    "store.password",
    "tokens.secret",
    "tokens.previous_secrets",
    "buckets.master_keys",
    "rpc.secret",
    "users.secret",
];

/// The settings that hold one of a few words, and what they must be.
const CHOICES: [(&str, &str); 2] = [
    ("tokens.algorithm", "must be `HS256`, `HS384` or `HS512`"),
    ("log.format", "must be `text` or `json`"),
];

/// A setting that is wrong, missing or unknown: one line that begins with its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct SettingsError {
    setting: String,
    problem: String,
}

impl SettingsError {
    pub(crate) fn new(setting: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            setting: one_line(&setting.into()),
            problem: one_line(&problem.into()),
        }
    }

    /// The setting that is wrong: `section.key`, or the file.
    #[must_use]
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// A value of the wrong type, or a setting that does not exist. The texts of `config` may
    /// contain the value, so they are left out where it may be a secret: for the settings that
    /// hold one, and for whole sections.
    pub(super) fn wrong_value(error: &ConfigError) -> Self {
        let (key, text) = match error {
            ConfigError::Type { key, expected, .. } => (key, format!("must be {expected}")),
            ConfigError::At { key, error, .. } => (key, error.to_string()),
            error => (&None, error.to_string()),
        };
        if let Some(unknown) = Self::unknown(key.as_deref(), &text) {
            return unknown;
        }
        let problem = match (error, key) {
            (ConfigError::Type { .. }, _) => text,
            (ConfigError::At { .. }, Some(setting)) if may_be_shown(setting) => text,
            (ConfigError::At { .. }, _) => "cannot be used".to_owned(),
            _ => "cannot be read".to_owned(),
        };
        let setting = key.as_deref().unwrap_or("settings");
        // `config` would speak of enums and variants.
        let choice = CHOICES.iter().find(|(name, _)| *name == setting);
        match choice {
            Some((_, choices)) => Self::new(setting, *choices),
            None => Self::new(setting, problem),
        }
    }

    /// Reads serde's error of `deny_unknown_fields`, which names the existing fields:
    /// ``unknown field `a`, expected one of `b`, `c` ``.
    ///
    /// `serde_ignored` reports unknown fields too, but not the existing ones.
    fn unknown(section: Option<&str>, text: &str) -> Option<Self> {
        let mut names = text.strip_prefix("unknown field `")?.split('`').step_by(2);
        let name = names.next()?;
        let existing = names.filter(|name| !name.is_empty()).collect::<Vec<_>>();
        let existing = existing.join(", ");
        Some(match section {
            Some(section) => {
                let problem = format!("unknown setting, `{section}` has {existing}");
                Self::new(format!("{section}.{name}"), problem)
            }
            None => Self::new(name, format!("unknown section, there are {existing}")),
        })
    }

    /// What is there but no file, such as a directory.
    pub(super) fn no_file(path: &str) -> Self {
        Self::new(path, "is not a file")
    }

    /// A file that is absent, or is not YAML. Of the library's text only the place is kept: it
    /// may quote the file, and with it a secret.
    pub(super) fn unreadable(file: &str, error: &ConfigError) -> Self {
        let problem = match error {
            ConfigError::FileParse { cause, .. } => not_yaml(&cause.to_string()),
            error => format!("cannot be read: {error}"),
        };
        Self::new(file, problem)
    }
}

fn may_be_shown(setting: &str) -> bool {
    let name = setting.split('[').next().unwrap_or_default();
    name.contains('.') && !SECRETS.contains(&name)
}

/// `text` ends with `at byte 1 line 2 column 3`, if it has a position.
fn not_yaml(text: &str) -> String {
    let place = text.rsplit_once(" line ").map(|(_, place)| place);
    let place = place.filter(|place| {
        place
            .split(' ')
            .all(|word| word == "column" || word.bytes().all(|byte| byte.is_ascii_digit()))
    });
    place.map_or_else(
        || "is not YAML".to_owned(),
        |place| {
            format!(
                "is not YAML, see line {}",
                place.replace(" column", ", column")
            )
        },
    )
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_place_is_told_of_what_is_not_yaml() {
        assert_eq!(
            not_yaml("`my secret` at byte 12 line 2 column 3"),
            "is not YAML, see line 2, column 3"
        );
        assert_eq!(not_yaml("Parsing my secret line failed"), "is not YAML");
        assert_eq!(not_yaml("a line secret 3"), "is not YAML");
    }

    #[test]
    fn an_error_is_one_line() {
        let error = SettingsError::new("a\nb", "c\rd\u{1b}");
        assert_eq!(error.to_string(), "a b: c d ");
    }
}
