//! Files that settings name.

use std::path::Path;

use crate::settings::SettingsError;

/// Reads the file that `setting` names. The error does not repeat the name: it may be a password
/// that was put in the wrong place.
pub(crate) fn read(setting: &str, file: &Path) -> Result<String, SettingsError> {
    let text = std::fs::read_to_string(file);
    let unreadable = |error| SettingsError::new(setting, format!("cannot be read: {error}"));
    let text = text.map_err(unreadable)?;
    if without_newline(&text).is_empty() {
        return Err(SettingsError::new(setting, "is an empty file"));
    }
    Ok(text)
}

/// Removes line breaks at the end.
pub(crate) fn without_newline(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}
