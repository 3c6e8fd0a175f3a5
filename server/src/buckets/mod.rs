//! The first door: buckets, over REST.

mod api_key;
mod api_key_routes;
mod api_keys;
mod caller;
mod credential;
mod document;
mod door;
mod etag;
mod hex;
mod master;
mod name;
mod object;
mod payload;
mod session_ref;
mod session_routes;
mod sessions;
mod settings_route;

use std::sync::Arc;

use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use api_keys::{ApiKeys, KeyedBucket};
pub(crate) use name::BucketName;
pub(crate) use session_ref::SessionRef;
pub(crate) use sessions::{BucketSessions, data};

use crate::shared::Shared;
use crate::start_error::StartError;

pub(crate) fn router(shared: &Shared) -> Result<OpenApiRouter, StartError> {
    let door = Arc::new(door::Door::new(shared)?);
    let mut router = OpenApiRouter::with_openapi(document::Document::openapi())
        .routes(routes!(settings_route::read))
        .routes(routes!(session_routes::create))
        .routes(routes!(
            session_routes::read,
            session_routes::replace,
            session_routes::end
        ))
        .routes(routes!(
            api_key_routes::create,
            api_key_routes::read,
            api_key_routes::revoke
        ))
        .with_state(door);
    document::complete(router.get_openapi_mut());
    Ok(router)
}

/// Whether a path belongs to this door.
pub(crate) fn owns(path: &str) -> bool {
    ["/session", "/api-key"].iter().any(|own| {
        path.strip_prefix(own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
