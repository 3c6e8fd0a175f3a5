//! What is wrong with a setting.

use config::ConfigError;

use crate::settings::names::Section;

/// The settings whose values are never shown, not even in part.
pub(super) const SECRETS: [&str; 6] = [
    "store.redis",
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

    /// A section that is not one of `sections`.
    pub(super) fn unknown_section(name: &str, sections: &[Section]) -> Self {
        let names: Vec<_> = sections.iter().map(|(name, _)| *name).collect();
        let problem = format!("unknown section, there are {}", names.join(", "));
        Self::new(name, problem)
    }

    /// A setting that `section` does not have.
    pub(super) fn unknown_setting(name: &str, (section, names): Section) -> Self {
        let problem = format!("unknown setting, `{section}` has {}", names.join(", "));
        Self::new(format!("{section}.{name}"), problem)
    }

    /// A value that is not what the setting holds. The value itself is told of by the library's
    /// texts for a few types, and so kept out where it may be a secret: where one is expected,
    /// and where a whole section is.
    pub(super) fn wrong_value(error: &ConfigError) -> Self {
        let (setting, problem) = match error {
            ConfigError::Type { key, expected, .. } => (key, format!("must be {expected}")),
            ConfigError::At { key, error, .. } => match key {
                Some(setting) if may_be_shown(setting) => (key, error.to_string()),
                _ => (key, "cannot be used".to_owned()),
            },
            _ => (&None, "cannot be read".to_owned()),
        };
        let setting = setting.as_deref().unwrap_or("settings");
        // The library would speak of enums and variants.
        let choice = CHOICES.iter().find(|(name, _)| *name == setting);
        match choice {
            Some((_, choices)) => Self::new(setting, *choices),
            None => Self::new(setting, problem),
        }
    }

    /// What is there but no file, such as a directory.
    pub(super) fn no_file(path: &str) -> Self {
        Self::new(path, "is not a file")
    }

    /// A file that is absent, or is not YAML. Of the library's text only the place is kept: it
    /// may hold what stands there.
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

/// `text` ends with `at byte 1 line 2 column 3`, if it tells a place.
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
