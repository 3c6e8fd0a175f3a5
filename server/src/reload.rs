//! Applies changed keys, secrets and certificates while the service runs.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::app_state::AppState;
use crate::settings::{Settings, SettingsErrors};
use crate::start_error::StartError;

/// Error returned if keys, secrets or certificates cannot be replaced; the old ones stay in use.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    #[error(transparent)]
    Settings(#[from] SettingsErrors),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the store does not answer with the new passwords and certificates: {0}")]
    Store(#[from] jwt_redis_session::store::StoreError),
    #[error(
        "the key or secret that signs RPC tokens now would no longer be accepted, which ends all \
         sessions; add it to tokens.previous_key_files or tokens.previous_secrets, or restart"
    )]
    EndsSessions,
}

/// Returns a future that never completes. On each SIGHUP it reads the settings again and sends the
/// next state.
///
/// Errors: the signal handler cannot be installed.
pub(crate) fn on_hangup(
    load: impl Fn() -> Result<Settings, SettingsErrors>,
    states: watch::Sender<AppState>,
) -> io::Result<impl Future<Output = ()>> {
    let mut hangups = signal(SignalKind::hangup())?;
    Ok(async move {
        while hangups.recv().await.is_some() {
            let state = states.borrow().clone();
            match reload(&state, &load).await {
                Ok(next) => {
                    states.send_replace(next);
                    tracing::info!("keys, secrets and certificates were read again");
                }
                Err(error) => {
                    // One line, however many settings are wrong.
                    let error = error.to_string().replace('\n', "; ");
                    tracing::error!(%error, "cannot reload; the old keys, secrets and certificates stay in use");
                }
            }
        }
    })
}

async fn reload(
    state: &AppState,
    load: impl Fn() -> Result<Settings, SettingsErrors>,
) -> Result<AppState, ReloadError> {
    let loaded = load()?;
    let settings = merge(&state.settings, &loaded);
    if settings != loaded {
        tracing::warn!("other settings have changed too; they apply after a restart");
    }
    // The new ones are valid, but need not fit the old settings that stay.
    let mut errors = SettingsErrors::default();
    settings.validate(&mut errors);
    errors.or(())?;
    let next = state.with_settings(settings)?;
    // Read from the network only after everything else is known to be good.
    next.store.ping().await?;
    // Last, because it changes the key ring of all threads.
    let reloaded = state.keyring.reload(&next.keyring);
    reloaded.map_err(|_| ReloadError::EndsSessions)?;
    let keyring = state.keyring.clone();
    Ok(AppState { keyring, ..next })
}

/// Returns `old` with the keys, secrets and certificates of `new`.
fn merge(old: &Settings, new: &Settings) -> Settings {
    let mut merged = old.clone();
    merged.tokens = new.tokens.clone();
    merged.buckets.master_keys = new.buckets.master_keys.clone();
    merged.rpc.secret = new.rpc.secret.clone();
    merged.users.secret = new.users.secret.clone();
    merged.introspection.secrets = new.introspection.secrets.clone();
    let store = new.store.clone();
    // Another server, keyspace or deadline needs a restart.
    merged.store.user = store.user;
    merged.store.password = store.password;
    merged.store.password_file = store.password_file;
    merged.store.sentinel_user = store.sentinel_user;
    merged.store.sentinel_password = store.sentinel_password;
    merged.store.ca_file = store.ca_file;
    merged.store.certificate_file = store.certificate_file;
    merged.store.key_file = store.key_file;
    merged
}
