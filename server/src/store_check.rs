//! Checks that the session store answers, and reads its version and eviction policy.

use std::borrow::Cow;
use std::error::Error as _;

use jwt_redis_session::store::{ServerInfo, StoreError, StoreErrorKind};
use metrics::gauge;

use crate::app_state::AppState;
use crate::start_error::StartError;
use crate::store_failure;

/// Report of a store that answers.
#[derive(Debug, Default)]
pub(crate) struct StoreReport {
    /// The version, if the store reports one.
    pub(crate) version: Option<String>,
    /// What an operator should change.
    pub(crate) warning: Option<String>,
}

/// Contacts the store, within its deadline.
///
/// Errors: it does not answer, or cannot serve the sessions.
pub(crate) async fn check(app: &AppState) -> Result<StoreReport, StoreError> {
    let Some(redis) = &app.redis else {
        report_eviction(false);
        app.store.ping().await?;
        return Ok(StoreReport::default());
    };
    Ok(report(&redis.check().await?))
}

fn report(info: &ServerInfo) -> StoreReport {
    if let Some(evicts) = info.evicts() {
        report_eviction(evicts);
    }
    let warning = info
        .eviction_policy()
        .filter(|_| info.evicts() == Some(true));
    StoreReport {
        version: info.version().map(str::to_owned),
        warning: warning.map(|policy| {
            format!(
                "redis ends sessions when its memory is full: maxmemory-policy is {policy}, \
                 set it to noeviction"
            )
        }),
    }
}

fn report_eviction(evicts: bool) {
    gauge!("sessiond_store_evicts").set(f64::from(u8::from(evicts)));
}

/// Returns the kind of the configured store and where it is, without credentials.
pub(crate) fn place(app: &AppState) -> (&'static str, Cow<'_, str>) {
    match (&app.redis, &app.settings.store.file) {
        (Some(redis), _) => ("redis", redis.address().into()),
        (None, Some(file)) => ("file", file.to_string_lossy()),
        (None, None) => ("memory", "this process".into()),
    }
}

/// Contacts the store at the start of the service, and logs the result in one line.
///
/// A store that does not answer, or not yet, is an outage: the service starts, answers 503 and
/// serves as soon as the store does. A store that answers but does not fit the settings cannot
/// serve until one of them is changed.
///
/// Errors: the settings do not fit the store.
pub(crate) async fn at_start(app: &AppState) -> Result<(), StartError> {
    let (store, address) = place(app);
    match check(app).await {
        Ok(_) if store == "memory" => {}
        Ok(_) if app.redis.is_none() => {
            tracing::info!(store, "sessiond keeps sessions in the file {address}");
        }
        Ok(StoreReport { version, .. }) => {
            tracing::info!(store, %address, version, "the session store answers");
        }
        Err(error) if is_misconfigured(&error) => return Err(unusable(app, error)),
        Err(error) => {
            store_failure::count(&error);
            let cause = describe(app, &error);
            tracing::warn!(
                store,
                %address,
                cause,
                "the session store does not answer yet; until it does, requests are answered 503"
            );
        }
    }
    Ok(())
}

const fn is_misconfigured(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        StoreErrorKind::Configuration | StoreErrorKind::Auth
    )
}

/// Returns the error of a store that cannot be used.
pub(crate) fn unusable(app: &AppState, error: StoreError) -> StartError {
    match &app.redis {
        Some(_) => StartError::Store(describe(app, &error)),
        None => StartError::File(error),
    }
}

/// Returns an error with the address, and with its cause: that of a password file, for example,
/// that cannot be read.
fn describe(app: &AppState, error: &StoreError) -> String {
    let (_, address) = place(app);
    let mut text = error.to_string();
    if !text.contains(&*address) {
        text = format!("{address}: {text}");
    }
    match error.source() {
        Some(source) => format!("{text}: {source}"),
        None => text,
    }
}
