//! The routes of the RPC API.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::post;
use http::StatusCode;
use serde::Serialize;
use utoipa::{OpenApi as _, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::error::{ApiError, ErrorBody};
use crate::http::{Client, read_body};
use crate::operators::health::can_reach_store;
use crate::private_json::private_text;
use crate::rpc::method_docs::MethodDocs;
use crate::rpc::openapi::{self, Errors};
use crate::rpc::state::RpcState;
use crate::rpc::wire::{self, Call, CallResult};
use crate::rpc::{jwks, methods};
use crate::start_error::StartError;

pub(crate) fn router(app: &AppState) -> Result<OpenApiRouter, StartError> {
    let document = openapi::document().merge_from(MethodDocs::openapi());
    Ok(OpenApiRouter::with_openapi(document)
        .routes(routes!(call_by_name))
        .route("/rpc/{method}", post(call_by_path))
        .routes(routes!(health_check))
        .routes(routes!(jwks::jwks))
        .with_state(Arc::new(RpcState::new(app)?)))
}

/// Calls a method that the body names: version 1 of the wire format.
///
/// `POST /rpc/{method}` is version 2, with the same arguments and results. `args` is an object; a
/// list whose first element is one, or a string that contains either as JSON, works as well.
///
/// | method | arguments | result |
/// |---|---|---|
/// | `create` | `{session, userId}` | `{token}` |
/// | `get` | `{token, sessionVersion, keys}` | the fields, or null |
/// | `update` | `{token, sessionVersion, session}` | `"OK"` |
/// | `destroy` | `{token, sessionVersion}` | `"OK"` |
/// | `getActiveSessions` | `{userId, sessionVersion, limit, cursor}` | a list; with `limit` or `cursor` a page |
/// | `destroyAll` | `{userId, sessionVersion}` | the number of sessions |
/// | `methods` | | a list of `{name, docs}` |
#[utoipa::path(post, path = "/rpc", tag = "rpc", operation_id = "rpc_call",
    security((), ("rpc_secret" = [])),
    request_body(content = Call<'_>, content_type = "application/json", examples(
        ("create" = (value = json!({"name": "create",
            "args": {"session": {"cart": 3}, "userId": "jo"}}))),
        ("get" = (value = json!({"name": "get",
            "args": {"token": "…", "sessionVersion": "v1", "keys": ["cart"]}}))),
        ("update" = (value = json!({"name": "update",
            "args": {"token": "…", "sessionVersion": "v1", "session": {"cart": 4}}}))),
        ("destroy" = (value = json!({"name": "destroy",
            "args": {"token": "…", "sessionVersion": "v1"}}))),
        ("methods" = (value = json!({"name": "methods"}))),
    )),
    responses(
        (status = 200, description = "The result of the method.", body = CallResult,
            example = json!({"result": {"cart": 3}})),
        Errors<ErrorBody<'_>>,
    ))]
async fn call_by_name(
    State(state): State<Arc<RpcState>>,
    client: Client,
    request: Request,
) -> Result<Response, ApiError> {
    call(&state, client, request, None).await
}

/// Calls the method in the path: version 2 of the wire format, with more details in errors. The
/// OpenAPI document has a path for each method instead.
async fn call_by_path(
    State(state): State<Arc<RpcState>>,
    client: Client,
    method: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let method = method.map(|Path(method)| method).unwrap_or_default();
    let answer = call(&state, client, request, Some(method)).await;
    answer.unwrap_or_else(wire::detailed)
}

/// Calls the method `in_path`, or else the one that the body names.
async fn call(
    state: &RpcState,
    client: Client,
    request: Request,
    in_path: Option<String>,
) -> Result<Response, ApiError> {
    // Before the body is read: clients without the secret must not make the service buffer bodies.
    let (parts, body) = request.into_parts();
    state.authorize(client, &parts.headers)?;
    let (limit, timeout) = (state.app.settings.rpc.max_payload, state.app.body_timeout());
    let body = read_body(&parts.headers, body, limit, timeout).await?;
    let call = match &*body {
        b"" | b"null" if in_path.is_some() => Call::default(),
        body => Call::parse(body)?,
    };
    let name = in_path.or(call.name).unwrap_or_default();
    let result = methods::call(state, client, &name, call.args.as_deref()).await?;
    Ok(private_text(StatusCode::OK, wire::answer(&result)))
}

/// The health of the service.
#[derive(Serialize, ToSchema)]
struct HealthCheck {
    #[schema(example = "awesome")]
    status: &'static str,
}

/// Reports whether the store can be reached, in the format of the original service.
#[utoipa::path(get, path = "/health-check", tag = "rpc",
    responses(
        (status = 200, description = "The store can be reached.", body = HealthCheck,
            example = json!({ "status": "awesome" })),
        (status = 500, description = "The store cannot be reached.", body = HealthCheck,
            example = json!({ "status": "cannot reach redis" })),
    ))]
async fn health_check(State(state): State<Arc<RpcState>>) -> (StatusCode, Json<HealthCheck>) {
    let (code, status) = if can_reach_store(&state.app).await {
        (StatusCode::OK, "awesome")
    } else {
        (StatusCode::INTERNAL_SERVER_ERROR, "cannot reach redis")
    };
    (code, Json(HealthCheck { status }))
}
