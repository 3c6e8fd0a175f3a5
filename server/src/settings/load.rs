//! Where settings come from.

use std::path::{Path, PathBuf};

use config::{Config, Environment, File, FileFormat};

use crate::settings::Settings;

/// The settings that are lists; in the environment their items are separated by commas.
const LISTS: [&str; 2] = ["tokens.previous_secrets", "buckets.master_keys"];

/// Where settings come from: a file, then variables, then flags, the later over the earlier.
#[derive(Clone, Default)]
pub struct Sources {
    file: Option<PathBuf>,
    variables: Vec<(String, String)>,
    flags: Vec<(&'static str, String)>,
}

/// A setting that is wrong, missing or unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct SettingsError {
    setting: String,
    problem: String,
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

    /// Takes the variables `SESSIOND__SECTION__KEY` from among `variables`.
    #[must_use]
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let ours = |(name, _): &(String, String)| name.starts_with("SESSIOND__");
        self.variables = variables.into_iter().filter(ours).collect();
        self
    }

    /// Sets one setting, named `section.key`.
    #[must_use]
    pub fn flag(mut self, setting: &'static str, value: impl Into<String>) -> Self {
        self.flags.push((setting, value.into()));
        self
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
        let settings: Self = read(sources)?;
        settings.validate()?;
        Ok(settings)
    }
}

impl SettingsError {
    pub(crate) fn new(setting: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            setting: setting.into(),
            problem: problem.into(),
        }
    }

    /// The setting that is wrong: `section.key`, or the file.
    #[must_use]
    pub fn setting(&self) -> &str {
        &self.setting
    }
}

fn read(sources: &Sources) -> Result<Settings, SettingsError> {
    let mut builder = Config::builder();
    if let Some(path) = &sources.file {
        builder = builder.add_source(File::from(path.as_path()).format(FileFormat::Yaml));
    }
    builder = builder.add_source(environment(&sources.variables));
    for (setting, value) in &sources.flags {
        builder = builder
            .set_override(*setting, value.as_str())
            .map_err(|error| SettingsError::new(*setting, error.to_string()))?;
    }
    let config = builder
        .build()
        .map_err(|error| SettingsError::new(origin(sources.file.as_deref()), one_line(&error)))?;
    config.try_deserialize().map_err(|error| explain(&error))
}

fn environment(variables: &[(String, String)]) -> Environment {
    let mut environment = Environment::with_prefix("SESSIOND")
        .prefix_separator("__")
        .separator("__")
        .ignore_empty(true)
        .try_parsing(true)
        .list_separator(",")
        .source(Some(variables.iter().cloned().collect()));
    for list in LISTS {
        environment = environment.with_list_parse_key(list);
    }
    environment
}

fn origin(file: Option<&Path>) -> String {
    file.map_or_else(
        || "environment".to_owned(),
        |path| path.display().to_string(),
    )
}

/// Tells which setting is wrong, and never what it holds: it may be a secret.
fn explain(error: &config::ConfigError) -> SettingsError {
    SettingsError::new("settings", one_line(error))
}

fn one_line(error: &config::ConfigError) -> String {
    error.to_string().replace('\n', " ")
}
