//! The service, put together.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::StatusCode;
use jwt_redis_session::store::SharedStore;
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;

use crate::error::ApiError;
use crate::settings::{HttpSettings, Settings};
use crate::shared::Shared;
use crate::start_error::StartError;
use crate::{admin, buckets, observe, operators, rpc, users};

/// The service: every door that the settings open, and what operators need.
#[derive(Clone, Debug)]
pub struct App {
    router: Router,
    openapi: Arc<str>,
    http: HttpSettings,
    room: Arc<Semaphore>,
}

impl App {
    /// Puts the service together. Redis need not be there yet: requests are answered 503 until
    /// it is. Must be called in a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the URL of the store or a secret cannot be used.
    pub fn build(settings: Settings) -> Result<Self, StartError> {
        Self::assemble(&Shared::new(settings)?)
    }

    /// As [`build`](Self::build), on a store of your own, whatever the settings say of one.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn with_store(
        settings: Settings,
        store: impl Into<SharedStore>,
    ) -> Result<Self, StartError> {
        Self::assemble(&Shared::with_store(settings, store.into()))
    }

    /// As [`build`](Self::build), over what threads have in common.
    pub(crate) fn assemble(shared: &Shared) -> Result<Self, StartError> {
        operators::metrics::install();
        let settings = &shared.settings;
        let mut doors = OpenApiRouter::with_openapi(operators::openapi::document());
        if settings.buckets.enabled {
            doors = doors.merge(buckets::router(shared)?);
        }
        if settings.rpc.enabled {
            doors = doors.merge(rpc::router(shared)?);
        }
        if settings.users.enabled {
            doors = doors.merge(users::router(shared)?);
        }
        doors = doors.merge(operators::router(shared)?);
        let (mut router, openapi) = doors.split_for_parts();
        let openapi: Arc<str> = operators::openapi::json(&openapi).into();
        if settings.admin.enabled {
            router = router.merge(admin::router(shared)?);
        }
        let router = router.merge(operators::docs::router(&openapi));
        let router = router
            .fallback(unknown)
            .method_not_allowed_fallback(wrong_method);
        Ok(Self {
            router: observe::layer(router, settings),
            openapi,
            http: settings.http.clone(),
            room: Arc::clone(&shared.room),
        })
    }

    /// The service as a router, to be called without a network.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The OpenAPI document of the doors that are open, as JSON.
    #[must_use]
    pub fn openapi(&self) -> &str {
        &self.openapi
    }

    /// Room for connections.
    pub(crate) const fn room(&self) -> &Arc<Semaphore> {
        &self.room
    }

    pub(crate) const fn http(&self) -> &HttpSettings {
        &self.http
    }
}

/// A path that no route has. Under the buckets' paths that is 405, as their clients expect.
async fn unknown(uri: http::Uri) -> ApiError {
    let path = uri.path();
    if buckets::owns(path) {
        ApiError::method_not_allowed("")
    } else {
        ApiError::new(StatusCode::NOT_FOUND, "there is nothing here")
    }
}

/// A method that the route does not have; axum adds `Allow`.
async fn wrong_method() -> Response {
    use axum::response::IntoResponse as _;
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed").into_response()
}
