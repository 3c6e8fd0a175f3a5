//! The route of the settings that clients need.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::buckets::state::BucketsState;

/// The settings that clients need.
#[derive(Serialize, ToSchema)]
pub(super) struct ClientSettings {
    /// How long a session lives after its last use, in seconds.
    #[schema(example = 2_592_000)]
    session_ttl: u64,
    /// The largest data of a session, in bytes as they are sent.
    #[schema(example = 1_048_576)]
    max_payload: usize,
}

/// Returns the settings that clients need; requires no key.
#[utoipa::path(get, path = "/session/settings", tag = "buckets", operation_id = "read_settings",
    responses((status = 200, description = "The settings.", body = ClientSettings)))]
pub(super) async fn read(State(state): State<Arc<BucketsState>>) -> Json<ClientSettings> {
    let settings = &state.app.settings.buckets;
    Json(ClientSettings {
        session_ttl: settings.session_ttl.as_secs(),
        max_payload: settings.max_payload,
    })
}
