//! Settings before their types are checked.

use config::{Config, ConfigError, Map, Value, ValueKind};

use crate::settings::Settings;

/// Sections with keys and values.
#[derive(Clone)]
pub(super) struct Tree(Map<String, Value>);

impl From<Config> for Tree {
    fn from(config: Config) -> Self {
        match config.cache.kind {
            ValueKind::Table(sections) => Self(sections),
            _ => Self(Map::new()),
        }
    }
}

impl Tree {
    pub(super) fn deserialize(&self) -> Result<Settings, ConfigError> {
        Value::new(None, self.0.clone()).try_deserialize()
    }

    /// Returns every `section.key`.
    pub(super) fn settings(&self) -> Vec<String> {
        let sections = self.0.iter();
        let settings = sections.flat_map(|(section, keys)| match &keys.kind {
            ValueKind::Table(keys) => keys.keys().map(|key| format!("{section}.{key}")).collect(),
            _ => Vec::new(),
        });
        settings.collect()
    }

    pub(super) fn get(&self, setting: &str) -> Option<&ValueKind> {
        let (section, key) = setting.split_once('.')?;
        match &self.0.get(section)?.kind {
            ValueKind::Table(keys) => Some(&keys.get(key)?.kind),
            _ => None,
        }
    }

    pub(super) fn is_list(&self, setting: &str) -> bool {
        matches!(self.get(setting), Some(ValueKind::Array(_)))
    }

    /// Sets a key in a section that exists.
    pub(super) fn set(&mut self, setting: &str, value: ValueKind) {
        if let Some((keys, key)) = self.place(setting) {
            keys.insert(key.to_owned(), Value::new(None, value));
        }
    }

    /// Removes a key and returns its value.
    pub(super) fn remove(&mut self, setting: &str) -> Option<ValueKind> {
        let (keys, key) = self.place(setting)?;
        Some(keys.remove(key)?.kind)
    }

    /// Replaces the value of a setting or a section by that of `defaults`, or removes it if they
    /// have none. Returns whether this has changed anything.
    pub(super) fn reset(&mut self, setting: &str, defaults: &Self) -> bool {
        // A key or an item below the setting.
        let setting = setting.split('[').next().unwrap_or_default();
        let mut parts = setting.splitn(3, '.');
        let (section, key) = (parts.next().unwrap_or_default(), parts.next());
        let default = defaults.0.get(section);
        let Some(key) = key else {
            let former = match default {
                Some(default) => self.0.insert(section.to_owned(), default.clone()),
                None => self.0.remove(section),
            };
            return former.map(|it| it.kind) != default.map(|it| it.kind.clone());
        };
        let setting = format!("{section}.{key}");
        let default = defaults.get(&setting).cloned();
        let former = self.remove(&setting);
        let is_changed = former != default;
        if let Some(default) = default {
            self.set(&setting, default);
        }
        is_changed
    }

    fn place<'a>(&mut self, setting: &'a str) -> Option<(&mut Map<String, Value>, &'a str)> {
        let (section, key) = setting.split_once('.')?;
        match &mut self.0.get_mut(section)?.kind {
            ValueKind::Table(keys) => Some((keys, key)),
            _ => None,
        }
    }
}
