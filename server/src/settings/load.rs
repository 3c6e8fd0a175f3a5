//! Sources of settings.

use std::path::PathBuf;

use config::{Config, File, FileFormat, Value};

use crate::secret::Secret;
use crate::settings::{LogFormat, Settings, SettingsError};

/// The defaults of all settings.
const DEFAULTS: &str = include_str!("../../config.yml");

/// The prefix of environment variables that are settings; `__` also separates section and key.
pub(crate) const PREFIX: &str = "SESSIOND__";

/// The settings that are lists. In the environment their items are separated by commas.
const LISTS: [&str; 3] = [
    "tokens.previous_secrets",
    "tokens.previous_key_files",
    "buckets.master_keys",
];

/// Sources of settings: a file, then variables, then flags. Later ones override earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    file: Option<PathBuf>,
    /// `section.key` and value, which may be a secret.
    overrides: Vec<(String, Secret)>,
}

impl Sources {
    /// Reads a YAML file.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Reads the variables `SESSIOND__SECTION__KEY` among `variables`. An empty variable is not
    /// set.
    #[must_use]
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        for (name, value) in variables {
            if let Some(name) = name.strip_prefix(PREFIX)
                && !value.is_empty()
            {
                let setting = name.to_lowercase().replace("__", ".");
                self.overrides.push((setting, Secret::from(&*value)));
            }
        }
        self
    }

    /// Sets the setting `section.key`.
    #[must_use]
    pub fn flag(mut self, setting: &str, value: &str) -> Self {
        self.overrides
            .push((setting.to_owned(), Secret::from(value)));
        self
    }

    /// Returns the format of the log, whatever else the sources contain; `None` if they do not set
    /// a valid one.
    pub(crate) fn log_format(&self) -> Option<LogFormat> {
        const SETTING: &str = "log.format";
        let mut overrides = self.overrides.iter().rev();
        if let Some((_, format)) = overrides.find(|(setting, _)| setting == SETTING) {
            return Value::from(format.expose()).try_deserialize().ok();
        }
        let file = File::from(self.file.as_deref()?).format(FileFormat::Yaml);
        let config = Config::builder().add_source(file).build().ok()?;
        config.get(SETTING).ok()
    }
}

impl Settings {
    /// Reads and validates the settings.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] in one line that names the setting, or the file that cannot be read.
    pub fn load(sources: &Sources) -> Result<Self, SettingsError> {
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Yaml));
        let mut name = "settings".to_owned();
        if let Some(path) = &sources.file {
            name = path.display().to_string();
            // The error of `config` for a directory does not name it.
            if path.exists() && !path.is_file() {
                return Err(SettingsError::new(name, "is not a file"));
            }
            builder = builder.add_source(File::from(path.as_path()).format(FileFormat::Yaml));
        }
        for (setting, value) in &sources.overrides {
            // A text, which `config` converts to the type of the setting. Guessing the type here
            // would turn a secret of digits into a number.
            let text = value.expose();
            let value = if LISTS.contains(&&**setting) {
                text.split(',').map(str::trim).collect::<Vec<_>>().into()
            } else {
                Value::from(text)
            };
            let overridden = builder.set_override(setting, value);
            builder = overridden.map_err(|_| SettingsError::new(setting, "unknown setting"))?;
        }
        let config = builder.build();
        let config = config.map_err(|error| SettingsError::unreadable(&name, &error))?;
        let settings: Self = config
            .try_deserialize()
            .map_err(|error| SettingsError::wrong_value(&error))?;
        settings.validate()?;
        Ok(settings)
    }
}

/// The settings in `config.yml`.
impl Default for Settings {
    fn default() -> Self {
        Self::load(&Sources::default()).expect("config.yml is valid")
    }
}
