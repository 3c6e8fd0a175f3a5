//! Where settings come from.

use std::fmt;
use std::path::PathBuf;

use config::builder::DefaultState;
use config::{Config, ConfigBuilder, File, FileFormat, Map, Source as _, Value, ValueKind};

use crate::settings::problem::SECRETS;
use crate::settings::{Settings, SettingsError};

/// The prefix of environment variables that are settings; `__` also separates section and key.
pub(crate) const PREFIX: &str = "SESSIOND__";

/// The settings that are lists; in the environment their items are separated by commas.
const LISTS: [&str; 2] = ["tokens.previous_secrets", "buckets.master_keys"];

/// Where settings come from: a file, then variables, then flags, the later over the earlier.
#[derive(Clone, Default)]
pub struct Sources {
    file: Option<PathBuf>,
    variables: Vec<(String, String)>,
    flags: Vec<(&'static str, String)>,
}

impl Sources {
    /// No source at all: every setting has its default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a YAML file.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Takes the variables `SESSIOND__SECTION__KEY` from among `variables`; those that are empty
    /// count as not set.
    #[must_use]
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let of_use = |(name, value): (String, String)| {
            let name = name.strip_prefix(PREFIX)?;
            let setting = name.to_lowercase().replace("__", ".");
            (!value.is_empty()).then_some((setting, value))
        };
        self.variables = variables.into_iter().filter_map(of_use).collect();
        self
    }

    /// Sets one setting, named `section.key`.
    #[must_use]
    pub fn flag(mut self, setting: &'static str, value: impl Into<String>) -> Self {
        self.flags.push((setting, value.into()));
        self
    }

    fn file_name(&self) -> String {
        let name = self.file.as_ref().map(|path| path.display().to_string());
        name.unwrap_or_else(|| "settings".to_owned())
    }
}

/// The values may be secrets.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads and checks the settings.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] in one line that names the setting: one that is unknown, has the wrong
    /// type, or breaks a rule; or a file that cannot be read.
    pub fn load(sources: &Sources) -> Result<Self, SettingsError> {
        let config = read(sources)?;
        let sections = config
            .collect()
            .map_err(|error| SettingsError::wrong_value(&error))?;
        secrets_are_text(&sections)?;
        let settings: Self = config
            .try_deserialize()
            .map_err(|error| SettingsError::wrong_value(&error))?;
        settings.validate()?;
        Ok(settings)
    }
}

fn read(sources: &Sources) -> Result<Config, SettingsError> {
    let mut builder = Config::builder();
    if let Some(path) = &sources.file {
        if path.exists() && !path.is_file() {
            return Err(SettingsError::no_file(&sources.file_name()));
        }
        builder = builder.add_source(File::from(path.as_path()).format(FileFormat::Yaml));
    }
    for (setting, value) in &sources.variables {
        builder = set(builder, setting, value)?;
    }
    for (setting, value) in &sources.flags {
        builder = set(builder, setting, value)?;
    }
    builder
        .build()
        .map_err(|error| SettingsError::unreadable(&sources.file_name(), &error))
}

/// Values stay texts until it is known what the setting holds: a secret of digits is no number.
fn set(
    builder: ConfigBuilder<DefaultState>,
    setting: &str,
    value: &str,
) -> Result<ConfigBuilder<DefaultState>, SettingsError> {
    let set = if LISTS.contains(&setting) {
        let items: Vec<_> = value.split(',').map(str::trim).collect();
        builder.set_override(setting, items)
    } else {
        builder.set_override(setting, value)
    };
    set.map_err(|_| SettingsError::new(setting, "unknown setting"))
}

/// YAML takes digits without quotes for a number, and writes it differently.
fn secrets_are_text(sections: &Map<String, Value>) -> Result<(), SettingsError> {
    for setting in SECRETS {
        let (section, key) = setting.split_once('.').expect("a section and a key");
        let section = sections.get(section).map(|section| &section.kind);
        let Some(ValueKind::Table(settings)) = section else {
            continue;
        };
        if settings.get(key).is_some_and(|value| !is_text(&value.kind)) {
            let what = if LISTS.contains(&setting) {
                "a list of texts"
            } else {
                "a text"
            };
            return Err(SettingsError::new(
                setting,
                format!("must be {what}, in quotes"),
            ));
        }
    }
    Ok(())
}

fn is_text(value: &ValueKind) -> bool {
    match value {
        ValueKind::Nil | ValueKind::String(_) => true,
        ValueKind::Array(items) => items
            .iter()
            .all(|item| matches!(item.kind, ValueKind::String(_))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "a text of at least sixty-four bytes, as each of the secrets has to be";

    fn variable(setting: &str, value: &str) -> Sources {
        let name = format!("{PREFIX}{}", setting.replace('.', "__").to_uppercase());
        Sources::new().variables([(name, value.to_owned())])
    }

    /// The name of every setting: a test holds that `config.yml` has all of them.
    fn all() -> Vec<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config.yml");
        let sections = read(&Sources::new().file(path)).unwrap().collect().unwrap();
        let sections = sections.into_iter().flat_map(|(section, settings)| {
            let names = settings.into_table().unwrap().into_keys();
            names.map(move |name| format!("{section}.{name}"))
        });
        sections.collect()
    }

    #[test]
    fn every_setting_that_holds_a_secret_is_known_as_one() {
        let holds_a_secret = |setting: &String| {
            let config = read(&variable(setting, LONG)).unwrap();
            let settings: Result<Settings, _> = config.try_deserialize();
            settings.is_ok_and(|settings| format!("{settings:?}").contains("[redacted]"))
        };
        let mut secrets: Vec<_> = all().into_iter().filter(holds_a_secret).collect();
        let mut known = SECRETS.map(str::to_owned);
        secrets.sort();
        known.sort();
        assert_eq!(secrets, known);
    }

    #[test]
    fn a_secret_of_digits_stays_as_it_is() {
        let digits = "0".repeat(40) + "1e5";
        let settings = Settings::load(&variable("rpc.secret", &digits)).unwrap();
        assert_eq!(settings.rpc.secret.unwrap().expose(), digits);
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let keys = format!("{LONG}, {LONG}2");
        let keys = keys.replace("bytes,", "bytes");
        let settings = Settings::load(&variable("buckets.master_keys", &keys)).unwrap();
        assert_eq!(settings.buckets.master_keys.len(), 2);
        assert!(settings.buckets.master_keys[1].expose().ends_with("be2"));
    }
}
