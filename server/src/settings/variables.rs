//! Names of environment variables.

use crate::settings::SettingsError;
use crate::settings::tree::Tree;

/// The prefix of environment variables that are settings; `__` also separates section and key.
const PREFIX: &str = "SESSIOND__";

/// Returns whether the name of a variable is that of a setting, or resembles one.
pub(crate) fn is_ours(name: &str) -> bool {
    let start = name.get(..PREFIX.len() - 1);
    start.is_some_and(|start| PREFIX[..start.len()].eq_ignore_ascii_case(start))
}

/// The names of all settings, as `section.key`.
pub(super) struct Names(Vec<String>);

impl Names {
    pub(super) fn of(defaults: &Tree) -> Self {
        let mut names = defaults.settings();
        names.sort();
        Self(names)
    }

    /// Returns the setting that a variable sets, or `None` if the variable is not for this program.
    ///
    /// Errors: the name is not that of a setting, but resembles one.
    pub(super) fn setting(&self, variable: &str) -> Result<Option<String>, SettingsError> {
        let setting = variable.strip_prefix(PREFIX);
        let setting = setting.map(|name| name.to_lowercase().replace("__", "."));
        if setting.as_ref().is_some_and(|name| self.has(name)) {
            return Ok(setting);
        }
        if setting.is_none() && is_service_link(variable) {
            return Ok(None);
        }
        let meant: Vec<_> = self.meant(variable).into_iter().map(variable_of).collect();
        if meant.is_empty() {
            return Ok(setting);
        }
        let problem = format!("is not a setting; use {}", meant.join(" or "));
        Err(SettingsError::new(variable, problem))
    }

    fn has(&self, name: &str) -> bool {
        let is_below = |rest: &str| rest.is_empty() || rest.starts_with('.');
        let mut known = self.0.iter();
        known.any(|known| name.strip_prefix(&**known).is_some_and(is_below))
    }

    /// Returns the settings whose names have the most words in common with the variable, among
    /// those whose key consists of words of the variable.
    fn meant(&self, variable: &str) -> Vec<&str> {
        let variable = variable.to_lowercase();
        let words: Vec<_> = variable.split('_').skip(1).map(singular).collect();
        let common = |name: &str| {
            let (section, key) = name.split_once('.')?;
            let has = |word| words.contains(&singular(word));
            let count = key.split('_').count() + usize::from(has(section));
            key.split('_').all(has).then_some(count)
        };
        let names = self.0.iter().map(String::as_str);
        let Some(most) = names.clone().filter_map(common).max() else {
            return Vec::new();
        };
        names.filter(|name| common(name) == Some(most)).collect()
    }
}

/// Returns whether Kubernetes sets a variable of this name for a service whose name begins with
/// `sessiond`.
fn is_service_link(name: &str) -> bool {
    ["_SERVICE_HOST", "_PORT"]
        .iter()
        .any(|end| name.ends_with(end))
        || ["_SERVICE_PORT_", "_PORT_"]
            .iter()
            .any(|part| name.contains(part))
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').unwrap_or(word)
}

fn variable_of(setting: &str) -> String {
    format!("{PREFIX}{}", setting.to_uppercase().replace('.', "__"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line is a variable and the settings that are meant, or none.
    const RESEMBLING: &str = "
SESSIOND_STORE__REDIS -> STORE__REDIS
SESSIOND__STORE_REDIS -> STORE__REDIS
SESSIOND_STORE_REDIS -> STORE__REDIS
sessiond__store__redis -> STORE__REDIS
SESSIOND_REDIS -> STORE__REDIS
SESSIOND_REDIS_URL -> STORE__REDIS
SESSIOND__STORE__REDIS_URL -> STORE__REDIS
SESSIOND_LISTEN -> HTTP__LISTEN
SESSIOND_LISTEN_ADDRESS -> HTTP__LISTEN
SESSIOND_RPC_SECRET -> RPC__SECRET
SESSIOND__RPC_SECRET_FILE -> RPC__SECRET_FILE
SESSIOND_SECRET -> RPC__SECRET TOKENS__SECRET USERS__SECRET
SESSIOND_MASTER_KEY -> BUCKETS__MASTER_KEYS
SESSIOND_BUCKETS_SESSION_TTL -> BUCKETS__SESSION_TTL
SESSIOND_PORT ->
SESSIOND_PORT_8385_TCP ->
SESSIOND_PORT_8385_TCP_ADDR ->
SESSIOND_SERVICE_HOST ->
SESSIOND_SERVICE_PORT ->
SESSIOND_SERVICE_PORT_HTTP ->
SESSIOND_REDIS_SERVICE_HOST ->
SESSIOND_REDIS_PORT_6379_TCP_PROTO ->
SESSIOND_OPTS ->
";

    #[test]
    fn names_that_resemble_a_setting_name_it() {
        let settings = "buckets.master_keys buckets.session_ttl http.listen http.threads \
                        rpc.secret rpc.secret_file rpc.session_ttl store.redis tokens.secret \
                        users.secret";
        let names = Names(settings.split(' ').map(str::to_owned).collect());
        for line in RESEMBLING.lines().skip(1) {
            let (variable, meant) = line.split_once(" ->").unwrap();
            assert!(is_ours(variable), "{variable}");
            let found = names.setting(variable).map_err(|error| error.to_string());
            if meant.is_empty() {
                assert_eq!(found, Ok(None), "{variable}");
                continue;
            }
            let meant = meant
                .trim()
                .split(' ')
                .map(|name| format!("{PREFIX}{name}"));
            let meant = meant.collect::<Vec<_>>().join(" or ");
            let error = format!("{variable}: is not a setting; use {meant}");
            assert_eq!(found, Err(error), "{variable}");
        }
    }

    #[test]
    fn other_variables_are_not_ours() {
        for name in [
            "SESSION_STORE",
            "SESSIOND",
            "RUST_LOG",
            "é",
            "MY_SESSIOND_REDIS",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
