//! Liveness and readiness.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app_state::AppState;
use crate::error::{ApiError, ErrorBody};
use crate::store_check::{self, StoreReport};
use crate::store_failure;

/// The body of a successful health check.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
    /// What an operator should change: Redis ends sessions when its memory is full.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

impl Health {
    const fn ok(warning: Option<String>) -> Self {
        Self {
            status: "ok",
            warning,
        }
    }
}

/// Reports that the process answers. Does not contact the store.
#[utoipa::path(get, path = "/healthz", tag = "operators",
    responses((status = 200, description = "The process answers.", body = Health)))]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health::ok(None))
}

/// Reports whether the service accepts requests: the store can be reached, in a cluster every slot
/// is served, and shutdown has not begun. Warns if Redis evicts sessions.
#[utoipa::path(get, path = "/readyz", tag = "operators",
    responses(
        (status = 200, description = "The store can be reached.", body = Health),
        (status = 503, description = "The store cannot be reached, or the service is stopping.", body = ErrorBody<'_>),
    ))]
pub(crate) async fn readyz(State(app): State<AppState>) -> Result<Json<Health>, ApiError> {
    if app.is_stopping.load(Ordering::Relaxed) {
        return Err(ApiError::unavailable("the service is stopping"));
    }
    match check_store(&app).await {
        Some(report) => Ok(Json(Health::ok(report.warning))),
        None => Err(ApiError::unavailable("the session store is not available")),
    }
}

/// Returns the report of the store. Logs and returns `None` if it does not answer, or cannot serve.
pub(crate) async fn check_store(app: &AppState) -> Option<StoreReport> {
    let report = store_check::check(app).await;
    report.inspect_err(store_failure::log).ok()
}

/// Returns whether the store answers a ping.
pub(crate) async fn can_reach_store(app: &AppState) -> bool {
    let ping = app.store.ping().await;
    ping.inspect_err(store_failure::log).is_ok()
}
