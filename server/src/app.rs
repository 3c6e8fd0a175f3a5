//! Assembles the service.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::StatusCode;
use jwt_redis_session::store::SharedStore;
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;

use crate::app_state::AppState;
use crate::error::ApiError;
use crate::settings::{HttpSettings, Settings};
use crate::start_error::StartError;
use crate::{admin, buckets, observe, operators, rpc, users};

/// The service: every API that is enabled, and the routes for operators.
#[derive(Clone, Debug)]
pub struct App {
    router: Router,
    openapi: Arc<str>,
    http: HttpSettings,
    connection_limit: Arc<Semaphore>,
}

impl App {
    /// Builds the service. Redis need not be reachable yet: requests are answered 503 until it is.
    /// Must be called in a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the URL of the store or a secret cannot be used.
    pub fn build(settings: Settings) -> Result<Self, StartError> {
        Self::assemble(&AppState::new(settings)?)
    }

    /// As [`build`](Self::build), on `store` instead of the configured one.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn with_store(
        settings: Settings,
        store: impl Into<SharedStore>,
    ) -> Result<Self, StartError> {
        Self::assemble(&AppState::with_store(settings, store.into()))
    }

    /// As [`build`](Self::build), from the state that the threads share.
    pub(crate) fn assemble(app: &AppState) -> Result<Self, StartError> {
        operators::metrics::install();
        let settings = &app.settings;
        let mut apis = OpenApiRouter::with_openapi(operators::openapi::document());
        if settings.buckets.enabled {
            apis = apis.merge(buckets::router(app)?);
        }
        if settings.rpc.enabled {
            apis = apis.merge(rpc::router(app)?);
        }
        if settings.users.enabled {
            apis = apis.merge(users::router(app)?);
        }
        apis = apis.merge(operators::router(app)?);
        let (mut router, openapi) = apis.split_for_parts();
        let openapi: Arc<str> = operators::openapi::json(&openapi).into();
        if settings.admin.enabled {
            router = router.merge(admin::router(app)?);
        }
        let router = router.merge(operators::docs::router(&openapi));
        let router = router
            .fallback(unknown)
            .method_not_allowed_fallback(wrong_method);
        Ok(Self {
            router: observe::layer(router, settings),
            openapi,
            http: settings.http.clone(),
            connection_limit: Arc::clone(&app.connection_limit),
        })
    }

    /// The service as a router, to be called without a network.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The OpenAPI document of the enabled APIs, as JSON.
    #[must_use]
    pub fn openapi(&self) -> &str {
        &self.openapi
    }

    /// Returns the limit of connections served at the same time.
    pub(crate) const fn connection_limit(&self) -> &Arc<Semaphore> {
        &self.connection_limit
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
