//! The routes of the users API.

use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::start_error::StartError;
use crate::users::document::Document;
use crate::users::state::UsersState;
use crate::users::{create, destroy, show};

pub(crate) fn router(app: &AppState) -> Result<OpenApiRouter, StartError> {
    Ok(OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(create::create, show::show))
        .routes(routes!(destroy::destroy))
        .with_state(UsersState::new(app)?))
}
