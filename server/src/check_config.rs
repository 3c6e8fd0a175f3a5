//! What `check-config` prints.

use std::fmt::Write as _;

use crate::app_state::AppState;
use crate::store_check::{check, describe, place};

/// Describes what would run with valid settings, and what a start would warn about.
pub(crate) fn summary(app: &AppState) -> String {
    let settings = &app.settings;
    let (store, address) = place(app);
    let apis = [
        (settings.buckets.enabled, "buckets (/session, /api-key)"),
        (settings.rpc.enabled, "RPC (/rpc, /health-check)"),
        (settings.users.enabled, "users (/sessions)"),
        (settings.admin.enabled, "admin pages (/admin)"),
    ];
    let enabled = apis.iter().filter(|(is_enabled, _)| *is_enabled);
    let enabled: Vec<_> = enabled.map(|(_, api)| *api).collect();
    let mut text = "the settings are valid\n".to_owned();
    for (name, value) in [
        ("address", settings.http.listen.to_string()),
        ("store", format!("{store} at {address}")),
        ("APIs", enabled.join(", ")),
    ] {
        let _ = writeln!(text, "{name}: {value}");
    }
    for warning in settings.warnings() {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}

/// Contacts the store and describes it.
///
/// Errors: it does not answer, or cannot serve the sessions.
pub(crate) async fn connect(app: &AppState) -> Result<String, String> {
    let report = check(app).await;
    let report = report.map_err(|error| format!("store.redis: {}", describe(app, &error)))?;
    let mut text = "the session store answers".to_owned();
    if let Some(version) = report.version {
        let _ = write!(text, ", version {version}");
    }
    if let Some(warning) = report.warning {
        let _ = write!(text, "\nwarning: {warning}");
    }
    Ok(text)
}
