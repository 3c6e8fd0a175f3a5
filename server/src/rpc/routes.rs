//! The routes of the RPC API.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::error::ApiError;
use crate::http::{Client, read_body};
use crate::rpc::openapi::{self, ErrorsV1, ErrorsV2};
use crate::rpc::state::RpcState;
use crate::rpc::wire::{Call, CallResult, WireVersion};
use crate::rpc::{health_check, methods};
use crate::start_error::StartError;

pub(crate) fn router(app: &AppState) -> Result<OpenApiRouter, StartError> {
    let state = Arc::new(RpcState::new(app)?);
    let calls = OpenApiRouter::with_openapi(openapi::document())
        .routes(routes!(call_by_name))
        .routes(routes!(call_by_path))
        .with_state(state);
    let health = OpenApiRouter::new()
        .routes(routes!(health_check::health_check))
        .with_state(app.clone());
    Ok(calls.merge(health))
}

/// Calls a method that the body names: version 1 of the wire format.
///
/// | method | arguments | result |
/// |---|---|---|
/// | `create` | `{session, userId}` | `{token}` |
/// | `get` | `{token, sessionVersion, keys}` | the fields, or null |
/// | `update` | `{token, sessionVersion, session}` | `"OK"` |
/// | `destroy` | `{token, sessionVersion}` | `"OK"` |
/// | `getActiveSessions` | `{userId, sessionVersion}` | a list |
/// | `destroyAll` | `{userId, sessionVersion}` | the number of sessions |
/// | `methods` | | a list of `{name, docs}` |
#[utoipa::path(post, path = "/rpc", tag = "rpc",
    security((), ("SharedSecret" = [])),
    request_body(content = Call<'_>, content_type = "application/json", examples(
        ("create" = (value = json!({"name": "create",
            "args": "{\"session\":{\"cart\":3},\"userId\":\"jo\"}"}))),
        ("get" = (value = json!({"name": "get",
            "args": "{\"token\":\"…\",\"sessionVersion\":\"v1\",\"keys\":[\"cart\"]}"}))),
        ("update" = (value = json!({"name": "update",
            "args": "{\"token\":\"…\",\"sessionVersion\":\"v1\",\"session\":{\"cart\":4}}"}))),
        ("destroy" = (value = json!({"name": "destroy",
            "args": "{\"token\":\"…\",\"sessionVersion\":\"v1\"}"}))),
        ("methods" = (value = json!({"name": "methods"}))),
    )),
    responses(
        (status = 200, description = "The result of the method.", body = CallResult,
            example = json!({"result": {"cart": 3}})),
        ErrorsV1,
    ))]
async fn call_by_name(
    State(state): State<Arc<RpcState>>,
    client: Client,
    request: Request,
) -> Response {
    WireVersion::V1.respond(call(&state, client, request, Name::InBody).await)
}

/// Calls the method in the path: version 2 of the wire format.
///
/// Methods, arguments and results are those of `POST /rpc`; errors have more details.
#[utoipa::path(post, path = "/rpc/{method}", tag = "rpc",
    security((), ("SharedSecret" = [])),
    params(("method" = String, Path, description = "The method.", example = "create")),
    request_body(content = Option<Call<'_>>, content_type = "application/json", examples(
        ("create" = (value = json!({"args": "[{\"session\":{\"cart\":3},\"userId\":\"jo\"}]"}))),
        ("get" = (value = json!({
            "args": "{\"token\":\"…\",\"sessionVersion\":\"v1\",\"keys\":\"*\"}"}))),
        ("methods" = (value = json!({}))),
    )),
    responses(
        (status = 200, description = "The result of the method.", body = CallResult,
            example = json!({"result": {"cart": 3}})),
        ErrorsV2,
    ))]
async fn call_by_path(
    State(state): State<Arc<RpcState>>,
    client: Client,
    method: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let name = Name::InPath(method.map(|Path(method)| method).unwrap_or_default());
    WireVersion::V2.respond(call(&state, client, request, name).await)
}

/// Where the name of the method is.
enum Name {
    InBody,
    InPath(String),
}

async fn call(
    state: &RpcState,
    client: Client,
    request: Request,
    name: Name,
) -> Result<CallResult, ApiError> {
    // Before the body is read: clients without the secret must not make the service buffer bodies.
    state.authorize(client, request.headers())?;
    let (limit, timeout) = (state.app.settings.rpc.max_payload, state.app.body_timeout());
    let body = read_body(request.into_body(), limit, timeout).await?;
    let call = match (&name, &*body) {
        (Name::InPath(_), b"" | b"null") => Call::default(),
        (_, body) => Call::parse(body)?,
    };
    let name = match &name {
        Name::InBody => call.name.as_deref().unwrap_or_default(),
        Name::InPath(name) => name,
    };
    methods::call(state, client, name, call.args.as_deref()).await
}
