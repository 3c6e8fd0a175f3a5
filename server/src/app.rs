//! Assembly of the service.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::HttpBody;
use axum::response::Response;
use axum::{BoxError, Router};
use bytes::Bytes;
use http::header::ALLOW;
use http::{HeaderValue, Request, StatusCode, Uri};
use jwt_redis_session::store::SharedStore;
use tokio::sync::{Semaphore, watch};
use tower::{Service, ServiceExt as _, service_fn};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::error::ApiError;
use crate::operators::{docs, health, metrics, openapi};
use crate::settings::{HttpSettings, Settings};
use crate::start_error::StartError;
use crate::{admin, buckets, observe, rpc, users};

/// The service: all enabled APIs and the endpoints for operators.
#[derive(Clone, Debug)]
pub struct App {
    /// The router that serves the next request. Clones share it.
    router: watch::Sender<Router>,
    openapi: Arc<str>,
    pub(crate) http: HttpSettings,
    /// Limits the connections served concurrently.
    pub(crate) connection_limit: Arc<Semaphore>,
}

impl App {
    /// Builds the service. Connects to Redis on first use: until it can be reached, responses are
    /// 503. Must be called in a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the URL of the store or a secret cannot be used.
    pub fn build(settings: Settings) -> Result<Self, StartError> {
        Self::assemble(&AppState::new(settings)?)
    }

    /// Builds the service on `store` instead of the configured one.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn with_store(
        settings: Settings,
        store: impl Into<SharedStore>,
    ) -> Result<Self, StartError> {
        Self::assemble(&AppState::with_store(settings, store.into())?)
    }

    /// Builds the service of one thread from the shared state.
    pub(crate) fn assemble(app: &AppState) -> Result<Self, StartError> {
        // First: a counter that is created before the recorder is installed counts nothing.
        metrics::recorder();
        let settings = &app.settings;
        let mut apis = OpenApiRouter::with_openapi(openapi::Document::openapi());
        if settings.buckets.enabled {
            apis = apis.merge(buckets::router(app)?);
        }
        if settings.rpc.enabled {
            apis = apis.merge(rpc::router(app)?);
        }
        if settings.users.enabled {
            apis = apis.merge(users::router(app)?);
        }
        let operators = OpenApiRouter::new()
            .routes(routes!(health::healthz))
            .routes(routes!(health::readyz))
            .routes(routes!(metrics::metrics));
        let apis = apis.merge(operators.with_state(app.clone()));
        let (mut router, openapi) = apis.split_for_parts();
        let openapi: Arc<str> = openapi::json(openapi).into();
        if settings.admin.enabled {
            router = router.merge(admin::router(app)?);
        }
        let router = router
            .merge(docs::router(&openapi))
            .fallback(not_found)
            .method_not_allowed_fallback(method_not_allowed);
        Ok(Self {
            router: watch::Sender::new(observe::layer(router, settings)),
            openapi,
            http: settings.http.clone(),
            connection_limit: Arc::clone(&app.connection_limit),
        })
    }

    /// Returns the service as a router, which can be called without a network.
    pub fn router(&self) -> Router {
        self.router.borrow().clone()
    }

    /// Returns a service whose requests are served by the router at the time of the request.
    pub(crate) fn service<B>(
        &self,
    ) -> impl Service<Request<B>, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + use<B>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let app = self.clone();
        service_fn(move |request| app.router().oneshot(request))
    }

    /// Serves later requests as `next` does. Requests in progress are not affected.
    pub(crate) fn replace(&self, next: &Self) {
        drop(self.router.send_replace(next.router()));
    }

    /// Returns the OpenAPI document of the enabled APIs as JSON.
    #[must_use]
    pub fn openapi(&self) -> &str {
        &self.openapi
    }
}

/// Answers a path without a route. Clients of the buckets API expect 405 for any of its paths.
async fn not_found(uri: Uri) -> ApiError {
    if buckets::owns(uri.path()) {
        let no_methods = HeaderValue::from_static("");
        method_not_allowed().await.with_header(ALLOW, no_methods)
    } else {
        ApiError::not_found("there is no such path")
    }
}

/// Answers a method that the route does not have; axum adds `Allow`.
async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
}
