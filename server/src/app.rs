//! Assembly of the service.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use http::header::ALLOW;
use http::{HeaderValue, StatusCode, Uri};
use jwt_redis_session::store::SharedStore;
use tokio::sync::{Semaphore, watch};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::error::ApiError;
use crate::http::reject_head;
use crate::operators::{docs, health, metrics, openapi};
use crate::settings::{HttpSettings, Settings};
use crate::start_error::StartError;
use crate::{admin, buckets, introspection, observe, rpc, users};

/// The service: all enabled APIs and the endpoints for operators.
#[derive(Clone, Debug)]
pub struct App {
    /// The routers that serve the next request. Clones share them.
    routers: watch::Sender<Routers>,
    openapi: Arc<str>,
    pub(crate) http: HttpSettings,
    connection_limit: Arc<Semaphore>,
    operator_limit: Arc<Semaphore>,
    /// Whether shutdown has begun.
    pub(crate) is_stopping: Arc<AtomicBool>,
}

/// The routers of the service. A reload replaces all of them together.
#[derive(Clone, Debug)]
pub(crate) struct Routers {
    public: Router,
    /// The endpoints for operators, if they have a separate address.
    operators: Option<Router>,
    /// Answers requests whose head is rejected.
    pub(crate) rejecting: Router,
}

impl Routers {
    /// Returns what an address serves.
    pub(crate) fn of(&self, surface: Surface) -> &Router {
        match (surface, &self.operators) {
            (Surface::Operators, Some(operators)) => operators,
            _ => &self.public,
        }
    }
}

/// The part of the service that an address serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// The APIs, and the endpoints for operators unless they have a separate address.
    Public,
    /// The endpoints for operators.
    Operators,
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
        let (mut router, mut openapi) = apis(app)?.split_for_parts();
        let (mut operators, document) = operator_endpoints(app).split_for_parts();
        openapi.merge(document);
        let openapi: Arc<str> = openapi::json(openapi, &first_calls(settings)).into();
        if settings.admin.enabled {
            operators = operators.merge(admin::router(app)?);
        }
        operators = operators.merge(docs::router(&openapi));
        let is_separate = settings.operators.listen.is_some();
        if !is_separate {
            router = router.merge(std::mem::take(&mut operators));
        }
        let complete = |router: Router| {
            let router = router
                .fallback(not_found)
                .method_not_allowed_fallback(method_not_allowed);
            observe::layer(router, settings)
        };
        Ok(Self {
            routers: watch::Sender::new(Routers {
                public: complete(router),
                operators: is_separate.then(|| complete(operators)),
                rejecting: observe::layer(Router::new().fallback(reject_head), settings),
            }),
            openapi,
            http: settings.http.clone(),
            connection_limit: Arc::clone(&app.connection_limit),
            operator_limit: Arc::clone(&app.operator_limit),
            is_stopping: Arc::clone(&app.is_stopping),
        })
    }

    /// Returns what `http.listen` serves as a router, which can be called without a network.
    pub fn router(&self) -> Router {
        self.routers.borrow().public.clone()
    }

    /// Returns the routers, to be read for each request.
    pub(crate) fn routers(&self) -> watch::Receiver<Routers> {
        self.routers.subscribe()
    }

    /// Serves later requests as `next` does. Requests in progress are not affected.
    pub(crate) fn replace(&self, next: &Self) {
        let routers = next.routers.borrow().clone();
        self.routers.send_replace(routers);
    }

    /// Returns the limit of the connections that an address serves concurrently.
    pub(crate) const fn connection_limit(&self, surface: Surface) -> &Arc<Semaphore> {
        match surface {
            Surface::Public => &self.connection_limit,
            Surface::Operators => &self.operator_limit,
        }
    }

    /// Returns the OpenAPI document of the enabled APIs as JSON.
    #[must_use]
    pub fn openapi(&self) -> &str {
        &self.openapi
    }
}

/// Returns the enabled APIs.
fn apis(app: &AppState) -> Result<OpenApiRouter, StartError> {
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
    if settings.introspection.enabled {
        apis = apis.merge(introspection::router(app)?);
    }
    Ok(apis)
}

/// Returns a first call of each enabled API, for the introduction of the OpenAPI document.
fn first_calls(settings: &Settings) -> Vec<&'static str> {
    [
        (settings.buckets.enabled, buckets::INTRODUCTION),
        (settings.rpc.enabled, rpc::INTRODUCTION),
        (settings.users.enabled, users::INTRODUCTION),
        (settings.introspection.enabled, introspection::INTRODUCTION),
    ]
    .into_iter()
    .filter_map(|(is_enabled, calls)| is_enabled.then_some(calls))
    .collect()
}

/// Returns the endpoints for operators that the OpenAPI document describes.
fn operator_endpoints(app: &AppState) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .with_state(app.clone())
}

/// Answers a path without a route. Clients of the buckets API expect 405 for any of its paths.
async fn not_found(uri: Uri) -> ApiError {
    if buckets::owns(uri.path()) {
        let no_methods = HeaderValue::from_static("");
        method_not_allowed().await.with_header(ALLOW, no_methods)
    } else {
        ApiError::not_found("there is no such path; /docs lists all")
    }
}

/// Answers a method that the route does not have; axum adds `Allow`.
async fn method_not_allowed() -> ApiError {
    let message = "method not allowed; the header Allow lists the methods of this path";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message)
}
