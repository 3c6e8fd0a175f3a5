//! Output of `check-config`.

use std::fmt::Write as _;
use std::path::Path;

use crate::app_state::AppState;
use crate::start_error::StartError;
use crate::store_check::{check, place, unusable};

/// Returns the addresses, the store, the APIs and the warnings of a start with these settings.
pub(crate) fn summary(app: &AppState) -> String {
    let settings = &app.settings;
    let (store, address) = place(app);
    let apis = [
        (settings.buckets.enabled, "buckets (/session, /api-key)"),
        (settings.rpc.enabled, "RPC (/rpc, /health-check)"),
        (settings.users.enabled, "users (/sessions)"),
        (
            settings.introspection.enabled,
            "introspection (/introspect)",
        ),
        (settings.admin.enabled, "admin pages (/admin)"),
    ];
    let enabled = apis.iter().filter(|(is_enabled, _)| *is_enabled);
    let enabled: Vec<_> = enabled.map(|(_, api)| *api).collect();
    let mut text = "the settings are valid\n".to_owned();
    let operators = settings.operators.listen.as_ref();
    for (name, value) in [
        ("address", Some(settings.http.listen.to_string())),
        ("address for operators", operators.map(ToString::to_string)),
        ("store", Some(format!("{store} at {address}"))),
        ("APIs", Some(enabled.join(", "))),
    ] {
        if let Some(value) = value {
            let _ = writeln!(text, "{name}: {value}");
        }
    }
    for warning in settings.warnings() {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}

/// Contacts the store and describes it. Opens a file, but does not create it.
///
/// Errors: it does not answer, or cannot serve the sessions.
pub(crate) async fn connect(app: AppState) -> Result<String, StartError> {
    if let Some(file) = &app.settings.store.file
        && !file.exists()
        && is_in_folder(file)
    {
        return Ok("the file of the session store does not exist; a start creates it".to_owned());
    }
    let app = app.open()?;
    let report = check(&app).await.map_err(|error| unusable(&app, error))?;
    let mut text = "the session store answers".to_owned();
    if let Some(version) = report.version {
        let _ = write!(text, ", version {version}");
    }
    if let Some(warning) = report.warning {
        let _ = write!(text, "\nwarning: {warning}");
    }
    Ok(text)
}

/// Returns whether the folder of a file exists.
fn is_in_folder(file: &Path) -> bool {
    std::path::absolute(file).is_ok_and(|file| file.parent().is_some_and(Path::is_dir))
}
