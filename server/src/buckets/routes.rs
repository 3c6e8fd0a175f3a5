//! The routes of the buckets API.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::buckets::bucket_settings::Limits;
use crate::buckets::caller::Caller;
use crate::buckets::names::BucketName;
use crate::buckets::openapi::{self, BUCKET_KEY, BadRequest, MASTER_KEY, OfBucket};
use crate::buckets::state::BucketsState;
use crate::buckets::{api_key_routes, session_routes};
use crate::error::ApiError;
use crate::http::AuthenticationErrors;
use crate::start_error::StartError;

pub(crate) fn router(app: &AppState) -> Result<OpenApiRouter, StartError> {
    let mut sessions = OpenApiRouter::new()
        .routes(routes!(session_routes::create))
        .routes(routes!(
            session_routes::read,
            session_routes::replace,
            session_routes::end
        ));
    openapi::complete(sessions.get_openapi_mut(), BUCKET_KEY);
    let mut api_keys = OpenApiRouter::new().routes(routes!(
        api_key_routes::create,
        api_key_routes::read,
        api_key_routes::revoke
    ));
    openapi::complete(api_keys.get_openapi_mut(), MASTER_KEY);
    Ok(OpenApiRouter::with_openapi(openapi::security_schemes())
        .routes(routes!(settings))
        .merge(sessions)
        .merge(api_keys)
        .with_state(Arc::new(BucketsState::new(app)?)))
}

/// Whether a path belongs to the buckets API.
pub(crate) fn owns(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    matches!(segments.next(), Some("session" | "api-key"))
}

/// The settings that clients need.
#[derive(Serialize, ToSchema)]
struct ClientSettings {
    /// How long a session lives after its last use, in seconds.
    #[schema(example = 2_592_000)]
    session_ttl: u64,
    /// The largest request body, in bytes.
    #[schema(example = 1_048_576)]
    max_payload: usize,
}

/// Returns the settings that clients need.
///
/// Without the parameter `bucket`, those for all buckets, which require no key. With it and the API
/// key of that bucket, those of the bucket.
#[utoipa::path(get, path = "/session/settings", tag = "buckets", operation_id = "read_settings",
    params(OfBucket), security((), ("bucket_key" = [])),
    responses(
        (status = 200, description = "The settings.", body = ClientSettings),
        AuthenticationErrors, BadRequest,
    ))]
async fn settings(
    State(state): State<Arc<BucketsState>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<ClientSettings>, ApiError> {
    let query = query.unwrap_or_default();
    let mut buckets = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "bucket");
    let mut limits = Limits::general(&state.app.settings.buckets);
    if let Some((_, name)) = buckets.next() {
        let bucket = BucketName::parse(&name).filter(|_| buckets.next().is_none());
        let bucket = bucket.ok_or_else(|| {
            ApiError::bad_request("bucket must be the name of one bucket, such as `?bucket=shop`")
        })?;
        limits = state.authorize(&caller, &bucket).await?.limits;
    }
    Ok(Json(ClientSettings {
        session_ttl: limits.session_ttl.as_secs(),
        max_payload: limits.max_payload,
    }))
}
