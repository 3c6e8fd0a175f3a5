//! The routes of the RPC API.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use bytes::Bytes;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::error::ErrorBody;
use crate::http::{Client, read_body};
use crate::rpc::arguments::Arguments;
use crate::rpc::error::CallError;
use crate::rpc::health_check;
use crate::rpc::method::Method;
use crate::rpc::reply::Reply;
use crate::rpc::schema::{self, CallErrorBody, CallResult, NamedCall, PathCall};
use crate::rpc::state::RpcState;
use crate::rpc::wire::{Call, WireVersion};
use crate::start_error::StartError;

pub(crate) fn router(app: &AppState) -> Result<OpenApiRouter, StartError> {
    let state = Arc::new(RpcState::new(app)?);
    let calls = OpenApiRouter::with_openapi(schema::document())
        .routes(routes!(call_by_name))
        .routes(routes!(call_by_path))
        .with_state(state);
    let health = OpenApiRouter::new()
        .routes(routes!(health_check::health_check))
        .with_state(app.clone());
    Ok(calls.merge(health))
}

/// Calls a method that the body names: the first generation of the wire.
///
/// | method | arguments | result |
/// |---|---|---|
/// | `create` | `{session, userId}` | `{token}` |
/// | `get` | `{token, sessionVersion, keys}` | the fields, or null |
/// | `update` | `{token, sessionVersion, session}` | `"OK"` |
/// | `destroy` | `{token, sessionVersion}` | `"OK"` |
/// | `getActiveSessions` | `{userId, sessionVersion}` | a list |
/// | `destroyAll` | `{userId, sessionVersion}` | how many |
/// | `methods` | | a list of `{name, docs}` |
#[utoipa::path(post, path = "/rpc", tag = "rpc",
    security((), ("SharedSecret" = [])),
    request_body(content = NamedCall, content_type = "application/json", examples(
        ("create" = (value = json!({"name": "create",
            "args": "{\"session\":{\"cart\":3},\"userId\":\"jo\"}"}))),
        ("get" = (value = json!({"name": "get",
            "args": "{\"token\":\"…\",\"sessionVersion\":\"v1\",\"keys\":[\"cart\"]}"}))),
        ("update" = (value = json!({"name": "update",
            "args": "{\"token\":\"…\",\"sessionVersion\":\"v1\",\"session\":{\"cart\":4}}"}))),
        ("destroy" = (value = json!({"name": "destroy",
            "args": "{\"token\":\"…\",\"sessionVersion\":\"v1\"}"}))),
        ("getActiveSessions" = (value = json!({"name": "getActiveSessions",
            "args": "{\"userId\":\"jo\",\"sessionVersion\":\"v1\"}"}))),
        ("destroyAll" = (value = json!({"name": "destroyAll",
            "args": "{\"userId\":\"jo\",\"sessionVersion\":\"v1\"}"}))),
        ("methods" = (value = json!({"name": "methods"}))),
    )),
    responses(
        (status = 200, body = CallResult, example = json!({"result": {"cart": 3}})),
        (status = 400, description = "An argument is missing or wrong, or the session is gone.",
            body = ErrorBody<'_>, example = json!({"error": "please specify a token"})),
        (status = 401, description = "The shared secret is missing or wrong.",
            body = ErrorBody<'_>),
        (status = 403, description = "Another site made the browser send this (`Sec-Fetch-Site`).",
            body = ErrorBody<'_>, example = json!({"error": "another site sent this request"})),
        (status = 404, description = "There is no such method.", body = ErrorBody<'_>,
            example = json!({"error": "unknown method"})),
        (status = 408, description = "The body took too long.", body = ErrorBody<'_>),
        (status = 409, description = "Others changed the session at the same time, again and \
            again; nothing was written.", body = ErrorBody<'_>),
        (status = 413, description = "The body, or the session, is too large.",
            body = ErrorBody<'_>),
        (status = 429, description = "Too many wrong secrets, or texts that are no tokens.", body = ErrorBody<'_>),
        (status = 500, description = "The service failed.", body = ErrorBody<'_>),
        (status = 503, description = "The store is not available, or the request took too long.",
            body = ErrorBody<'_>),
    ))]
pub(crate) async fn call_by_name(
    State(state): State<Arc<RpcState>>,
    client: Client,
    request: Request,
) -> Response {
    WireVersion::V1.answer(by_name(&state, client, request).await)
}

/// Calls the method that the path names: the second generation of the wire.
///
/// Methods, arguments and results are those of `POST /rpc`; errors say more.
#[utoipa::path(post, path = "/rpc/{method}", tag = "rpc",
    security((), ("SharedSecret" = [])),
    params(("method" = String, Path, description = "The method.", example = "create")),
    request_body(content = Option<PathCall>, content_type = "application/json", examples(
        ("create" = (value = json!({"args": "[{\"session\":{\"cart\":3},\"userId\":\"jo\"}]"}))),
        ("get" = (value = json!({
            "args": "{\"token\":\"…\",\"sessionVersion\":\"v1\",\"keys\":\"*\"}"}))),
        ("methods" = (value = json!({}))),
    )),
    responses(
        (status = 200, body = CallResult, example = json!({"result": {"cart": 3}})),
        (status = 400, description = "An argument is missing or wrong, or the session is gone.",
            body = CallErrorBody,
            example = json!({"error": "please specify a token", "code": 1000, "handled": true})),
        (status = 401, description = "The shared secret is missing or wrong.",
            body = CallErrorBody),
        (status = 403, description = "Another site made the browser send this (`Sec-Fetch-Site`).",
            body = CallErrorBody, example = json!({
                "error": "another site sent this request", "code": 1000, "handled": true})),
        (status = 404, description = "There is no such method.", body = CallErrorBody,
            example = json!({"error": "unknown method", "code": 4040, "handled": true})),
        (status = 408, description = "The body took too long.", body = CallErrorBody),
        (status = 409, description = "Others changed the session at the same time, again and \
            again; nothing was written.", body = CallErrorBody),
        (status = 413, description = "The body, or the session, is too large.",
            body = CallErrorBody),
        (status = 429, description = "Too many wrong secrets, or texts that are no tokens.", body = CallErrorBody),
        (status = 500, description = "The service failed.", body = CallErrorBody,
            example = json!({"error": "internal error", "code": 5000, "handled": false})),
        (status = 503, description = "The store is not available, or the request took too long.",
            body = CallErrorBody, example = json!({
                "error": "the session store is not available", "code": 5000, "handled": false})),
    ))]
pub(crate) async fn call_by_path(
    State(state): State<Arc<RpcState>>,
    client: Client,
    method: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let method = method.map(|Path(method)| method).ok();
    let result = by_path(&state, client, request, method.as_deref()).await;
    WireVersion::V2.answer(result)
}

async fn by_name(state: &RpcState, client: Client, request: Request) -> Result<Reply, CallError> {
    let body = authorized_body(state, client, request).await?;
    let call = Call::parse(&body)?;
    let method = call.name.as_deref();
    run(state, client, method, call.args.as_deref()).await
}

/// As [`by_name`]; a name in the body means nothing, and there need not be a body, or it may be
/// `null`.
async fn by_path(
    state: &RpcState,
    client: Client,
    request: Request,
    method: Option<&str>,
) -> Result<Reply, CallError> {
    let body = authorized_body(state, client, request).await?;
    let call = match &*body {
        b"" | b"null" => Call::default(),
        body => Call::parse(body)?,
    };
    run(state, client, method, call.args.as_deref()).await
}

/// Authorizes the caller and reads the body.
async fn authorized_body(
    state: &RpcState,
    client: Client,
    request: Request,
) -> Result<Bytes, CallError> {
    state.authorize(client, request.headers())?;
    let limit = state.settings().max_payload;
    Ok(read_body(request.into_body(), limit, state.body_timeout()).await?)
}

async fn run(
    state: &RpcState,
    client: Client,
    method: Option<&str>,
    args: Option<&str>,
) -> Result<Reply, CallError> {
    let method = method.and_then(Method::named);
    let method = method.ok_or_else(CallError::unknown_method)?;
    let arguments = args.map_or_else(|| Ok(Arguments::default()), Arguments::parse)?;
    Ok(method.run(state, client, &arguments).await?)
}
