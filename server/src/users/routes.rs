//! The routes of the users API.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use jwt_redis_session::Token;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::error::{ApiError, ErrorBody};
use crate::http::{
    AuthenticationErrors, BodyErrors, Client, CrossSiteError, read_body, reject_other_origins,
};
use crate::private_json::private_json;
use crate::start_error::StartError;
use crate::users::credentials::Credentials;
use crate::users::state::{User, UsersState};

pub(crate) fn router(app: &AppState) -> Result<OpenApiRouter, StartError> {
    Ok(OpenApiRouter::with_openapi(security_schemes())
        .routes(routes!(create, show))
        .routes(routes!(destroy))
        .with_state(UsersState::new(app)?))
}

/// The first calls, in Markdown.
pub(crate) const INTRODUCTION: &str = include_str!("introduction.md");

fn security_schemes() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The `sessionId` that `POST /sessions` returned."))
        .build();
    let secret = ApiKeyValue::with_description(
        "X-Sessiond-Secret",
        "The setting `users.secret`; not needed if it is not set.",
    );
    let secret = SecurityScheme::ApiKey(ApiKey::Header(secret));
    let components = ComponentsBuilder::new()
        .security_scheme("user_session", SecurityScheme::Http(bearer))
        .security_scheme("users_secret", secret);
    let components = Some(components.build());
    OpenApiBuilder::new().components(components).build()
}

/// The largest body of a login, in bytes.
const MAX_BODY: usize = 64 << 10;

/// The new session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NewSession {
    /// The bearer token. It is returned only here: the service stores a hash of it.
    #[schema(value_type = String, example = "WqY0Q0hK5Xq3Jb0mA9w1c8v2e7f6g5h4i3j2k1l0mno")]
    session_id: Token,
}

/// Creates a session of a user.
///
/// If the setting `users.verify_url` is set, the service sends username and password there, and
/// creates a session only if the answer is a success. Otherwise **the service checks no password**:
/// the client of this route, for example a login service or a gateway, must have authenticated the
/// user. If the setting `users.secret` is set, the client must send it in the header
/// `X-Sessiond-Secret`. A user may have any number of sessions.
#[utoipa::path(post, path = "/sessions", tag = "users", operation_id = "create_user_session",
    security((), ("users_secret" = [])),
    request_body = Credentials<'_>,
    responses(
        AuthenticationErrors, BodyErrors, CrossSiteError,
        (status = 200, description = "The session.", body = NewSession),
        (status = 400, description = "The body is not a valid login.", body = ErrorBody<'_>,
            example = json!({"error": "a user id must have 1 to 512 bytes"})),
        (status = 409, description = "All sessions of the user are being ended concurrently; no \
            session was created. Retry later.", body = ErrorBody<'_>),
    ))]
pub(super) async fn create(
    State(state): State<UsersState>,
    client: Client,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    reject_other_origins(&headers)?;
    state.secret.check(&state.app.failures, client, &headers)?;
    let body = read_body(&headers, body, MAX_BODY, state.app.body_timeout()).await?;
    let login = Credentials::parse(&body)?;
    state.verify(client, &login).await?;
    let session = state.sessions.new_session();
    session.set_owner(&login.username)?;
    // It contains a password, so it is not held while the session is stored.
    drop(body);
    let session_id = session.create().await?;
    Ok(private_json(StatusCode::OK, NewSession { session_id }))
}

/// Returns the user to whom the bearer token belongs.
///
/// Resets the time to live of the session to the setting `users.session_ttl`.
#[utoipa::path(get, path = "/sessions", tag = "users", operation_id = "read_user",
    security(("user_session" = [])),
    responses(
        AuthenticationErrors, CrossSiteError,
        (status = 200, description = "The user.", body = User),
        (status = 401, description = "The bearer token is missing or identifies no session.",
            body = ErrorBody<'_>, headers(("WWW-Authenticate" = String)),
            example = json!({"error": "Session does not exist."})),
    ))]
pub(super) async fn show(
    State(state): State<UsersState>,
    client: Client,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let user = state.authenticate(client, &headers).await?;
    Ok(private_json(StatusCode::OK, user))
}

/// Ends all sessions of a user.
///
/// After this response, no session of the user that was created before the request is valid.
#[utoipa::path(delete, path = "/sessions/{username}", tag = "users",
    operation_id = "end_user_sessions",
    security(("user_session" = [])),
    params(("username" = String, Path, example = "jo",
        description = "The user to whom the bearer token belongs, as percent-encoded UTF-8.")),
    responses(
        AuthenticationErrors, CrossSiteError,
        (status = 200, description = "All sessions have ended.", body = User),
        (status = 400, description = "The name in the path is not UTF-8.", body = ErrorBody<'_>,
            example = json!({"error": "the username in the path is not UTF-8; percent-encode UTF-8"})),
        (status = 401, description = "The bearer token is missing, identifies no session, or \
                belongs to another user. No session was ended.",
            body = ErrorBody<'_>, headers(("WWW-Authenticate" = String)),
            examples(
                ("no session" = (value = json!({"error": "Session does not exist."}))),
                ("another user" = (value = json!({"error": "Invalid session."}))),
            )),
        (status = 503, description = "The store is not available, and some sessions may still be \
                valid. Repeat the request.",
            body = ErrorBody<'_>, headers(("Retry-After" = u64))),
    ))]
pub(super) async fn destroy(
    State(state): State<UsersState>,
    client: Client,
    headers: HeaderMap,
    username: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Ok(Path(username)) = username else {
        return Err(ApiError::bad_request(
            "the username in the path is not UTF-8; percent-encode UTF-8",
        ));
    };
    let user = state.authenticate(client, &headers).await?;
    if user.username != username {
        return Err(ApiError::unauthorized(
            "Invalid session.",
            r#"Bearer realm="sessiond""#,
        ));
    }
    state.sessions.destroy_all(&username).await?;
    Ok(private_json(StatusCode::OK, user))
}
