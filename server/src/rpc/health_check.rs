//! The health check of the original service.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app_state::AppState;
use crate::operators::health::can_reach_store;

/// The health of the service.
#[derive(Serialize, ToSchema)]
pub(super) struct HealthCheck {
    #[schema(example = "awesome")]
    status: &'static str,
}

/// Reports whether the store can be reached.
#[utoipa::path(get, path = "/health-check", tag = "rpc",
    responses(
        (status = 200, description = "The store can be reached.", body = HealthCheck,
            example = json!({ "status": "awesome" })),
        (status = 500, description = "The store cannot be reached.", body = HealthCheck,
            example = json!({ "status": "cannot reach redis" })),
    ))]
pub(super) async fn health_check(State(app): State<AppState>) -> (StatusCode, Json<HealthCheck>) {
    let (code, status) = if can_reach_store(&app).await {
        (StatusCode::OK, "awesome")
    } else {
        (StatusCode::INTERNAL_SERVER_ERROR, "cannot reach redis")
    };
    (code, Json(HealthCheck { status }))
}
