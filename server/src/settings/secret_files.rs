//! Files that hold a secret, in place of the secret itself.

use std::path::Path;

use config::{Value, ValueKind};

use crate::settings::tree::Tree;
use crate::settings::{SettingsError, SettingsErrors};

/// Is read again before every connection to Redis, so it stays a file.
const READ_LATER: &str = "store.password_file";

/// Sets each secret `x` whose `x_file` is set to the text of that file, and removes all `x_file`.
///
/// A newline at the end is not part of the secret. The file of a list has one item per line.
pub(super) fn read(tree: &mut Tree, errors: &mut SettingsErrors) {
    for file_setting in tree.settings() {
        if let Some(setting) = file_setting.strip_suffix("_file")
            && tree.get(setting).is_some()
            && file_setting != READ_LATER
            && let Some(file) = tree.remove(&file_setting)
            && file != ValueKind::Nil
            && let Some(secret) = errors.take(secret(tree, setting, &file_setting, file))
        {
            tree.set(setting, secret);
        }
    }
}

fn secret(
    tree: &Tree,
    setting: &str,
    file_setting: &str,
    file: ValueKind,
) -> Result<ValueKind, SettingsError> {
    let ValueKind::String(file) = file else {
        let problem = "must be the path of a file";
        return Err(SettingsError::new(file_setting, problem));
    };
    let is_list = tree.is_list(setting);
    match tree.get(setting) {
        None | Some(ValueKind::Nil) => {}
        Some(ValueKind::Array(items)) if items.is_empty() => {}
        Some(_) => {
            let problem = format!("cannot be set together with `{setting}`");
            return Err(SettingsError::new(file_setting, problem));
        }
    }
    let text = read_file(file_setting, Path::new(&file))?;
    if !is_list {
        return Ok(ValueKind::String(without_newline(&text).to_owned()));
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(ValueKind::Array(lines.map(Value::from).collect()))
}

/// Reads the file that `setting` names. The error does not repeat the name: it may be a secret that
/// was put in the wrong place.
///
/// Errors: the file cannot be read, or is empty.
pub(crate) fn read_file(setting: &str, file: &Path) -> Result<String, SettingsError> {
    let text = std::fs::read_to_string(file);
    let unreadable = |error| SettingsError::new(setting, format!("cannot be read: {error}"));
    let text = text.map_err(unreadable)?;
    if text.trim().is_empty() {
        return Err(SettingsError::new(setting, "is an empty file"));
    }
    Ok(text)
}

/// Removes the newline that editors and `echo` add to a secret.
pub(crate) fn without_newline(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}
