//! Sources of settings.

use std::path::PathBuf;

use config::{Config, File, FileFormat, Value};

use crate::secret::Secret;
use crate::settings::secret_files;
use crate::settings::tree::Tree;
use crate::settings::variables::{self, Names};
use crate::settings::{LogFormat, Settings, SettingsError, SettingsErrors};

/// The defaults of all settings.
const DEFAULTS: &str = include_str!("../../config.yml");

/// Sources of settings: a file, then variables, then flags. Later ones override earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    file: Option<PathBuf>,
    /// The names of variables and their values, which may be secrets.
    variables: Vec<(String, Secret)>,
    /// `section.key` and value, which may be a secret.
    flags: Vec<(String, Secret)>,
}

impl Sources {
    /// Reads a YAML file.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Reads the variables `SESSIOND__SECTION__KEY` among `variables`. An empty variable is not
    /// set. One whose name only resembles that of a setting is an error.
    #[must_use]
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let set = variables.into_iter().filter(|(_, value)| !value.is_empty());
        let set = set.filter(|(name, _)| variables::is_ours(name));
        self.variables
            .extend(set.map(|(name, value)| (name, Secret::from(&*value))));
        self
    }

    /// Sets the setting `section.key`.
    #[must_use]
    pub fn flag(mut self, setting: &str, value: &str) -> Self {
        self.flags.push((setting.to_owned(), Secret::from(value)));
        self
    }

    /// Returns the format of the log, whatever else the sources contain; `None` if they do not set
    /// a valid one.
    pub(crate) fn log_format(&self) -> Option<LogFormat> {
        const SETTING: &str = "log.format";
        const VARIABLE: &str = "SESSIOND__LOG__FORMAT";
        let mut flags = self.flags.iter().rev();
        let flag = flags.find(|(setting, _)| setting == SETTING);
        let mut variables = self.variables.iter();
        let variable = || variables.find(|(name, _)| name.eq_ignore_ascii_case(VARIABLE));
        if let Some((_, format)) = flag.or_else(variable) {
            return Value::from(format.expose()).try_deserialize().ok();
        }
        let file = File::from(self.file.as_deref()?).format(FileFormat::Yaml);
        let config = Config::builder().add_source(file).build().ok()?;
        config.get(SETTING).ok()
    }

    /// Returns `section.key` and value of all variables and flags. Reports wrong names.
    fn overrides(&self, names: &Names, errors: &mut SettingsErrors) -> Vec<(String, &Secret)> {
        let mut all = Vec::new();
        for (name, value) in &self.variables {
            match names.setting(name) {
                Ok(Some(setting)) => all.push((setting, value)),
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
        all.extend(self.flags.iter().map(|(name, value)| (name.clone(), value)));
        all
    }

    /// Merges the sources into `defaults`.
    fn merge(&self, defaults: &Tree, errors: &mut SettingsErrors) -> Tree {
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Yaml));
        let mut name = "settings".to_owned();
        if let Some(path) = &self.file {
            name = path.display().to_string();
            // The error of `config` for a directory does not name it.
            if path.exists() && !path.is_file() {
                errors.push(SettingsError::new(name, "is not a file"));
                return defaults.clone();
            }
            builder = builder.add_source(File::from(path.as_path()).format(FileFormat::Yaml));
        }
        for (setting, value) in self.overrides(&Names::of(defaults), errors) {
            // A text, which `config` converts to the type of the setting. Guessing the type here
            // would turn a secret of digits into a number.
            let text = value.expose();
            let value = if defaults.is_list(&setting) {
                // Separated by commas.
                text.split(',').map(str::trim).collect::<Vec<_>>().into()
            } else {
                Value::from(text)
            };
            match builder.clone().set_override(&setting, value) {
                Ok(overridden) => builder = overridden,
                Err(_) => errors.push(SettingsError::new(setting, "unknown setting")),
            }
        }
        match builder.build() {
            Ok(config) => Tree::from(config),
            Err(error) => {
                errors.push(SettingsError::unreadable(&name, &error));
                defaults.clone()
            }
        }
    }
}

impl Settings {
    /// Reads and validates the settings.
    ///
    /// # Errors
    ///
    /// [`SettingsErrors`] with a line for each wrong setting, or the file that cannot be read.
    pub fn load(sources: &Sources) -> Result<Self, SettingsErrors> {
        let (settings, errors) = Self::read(sources);
        errors.or(settings)
    }

    /// Reads and validates the settings. Values of the wrong type are reported and replaced by the
    /// defaults, so that the other mistakes are found too.
    pub(crate) fn read(sources: &Sources) -> (Self, SettingsErrors) {
        let mut errors = SettingsErrors::default();
        let defaults = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Yaml));
        let mut defaults = Tree::from(defaults.build().expect("config.yml is YAML"));
        let mut tree = sources.merge(&defaults, &mut errors);
        secret_files::read(&mut tree, &mut errors);
        secret_files::read(&mut defaults, &mut errors);
        let settings = deserialize(tree, &defaults, &mut errors);
        settings.validate(&mut errors);
        (settings, errors)
    }
}

/// Reports and replaces one wrong value after the other.
fn deserialize(mut tree: Tree, defaults: &Tree, errors: &mut SettingsErrors) -> Settings {
    let mut wrong = Vec::new();
    while let Err(error) = tree.deserialize() {
        let error = SettingsError::wrong_value(&error);
        let is_replaced = tree.reset(error.setting(), defaults);
        wrong.push(error);
        if !is_replaced {
            break;
        }
    }
    // The tree is unordered.
    wrong.sort_by(|a, b| a.setting().cmp(b.setting()));
    errors.extend(wrong);
    let settings = tree.deserialize().or_else(|_| defaults.deserialize());
    settings.expect("config.yml has every setting")
}

/// The settings in `config.yml`.
impl Default for Settings {
    fn default() -> Self {
        Self::load(&Sources::default()).expect("config.yml is valid")
    }
}
