//! The third door: username and bearer.

mod bearer;
mod create;
mod credentials;
mod destroy;
mod document;
mod door;
mod show;

use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::shared::Shared;
use crate::start_error::StartError;

pub(crate) use door::sessions;

pub(crate) fn router(shared: &Shared) -> Result<OpenApiRouter, StartError> {
    Ok(OpenApiRouter::with_openapi(document::Document::openapi())
        .routes(routes!(create::create, show::show))
        .routes(routes!(destroy::destroy))
        .with_state(door::Door::new(shared)?))
}
