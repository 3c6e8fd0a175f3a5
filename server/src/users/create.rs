//! Logging in.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use jwt_redis_session::Token;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{ApiError, ErrorBody};
use crate::http::{Client, read_body, refuse_other_sites};
use crate::users::credentials::Credentials;
use crate::users::state::{UsersState, private};

/// The largest body of a login, in bytes.
const MAX_BODY: usize = 64 << 10;

/// Answer to a login: the new session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewSession {
    /// The bearer token. It is returned only here: the service keeps a hash of it.
    #[schema(value_type = String, example = "WqY0Q0hK5Xq3Jb0mA9w1c8v2e7f6g5h4i3j2k1l0mno")]
    session_id: Token,
}

/// Creates a session of a user whose password has been checked.
///
/// **The service checks no password.** The client of this route must have authenticated the user:
/// for example a login service or a gateway that holds the setting
/// `users.secret`; with that set, the header `X-Sessiond-Secret` is required. A user may have any
/// number of sessions at once.
#[utoipa::path(post, path = "/sessions", tag = "users",
    security((), ("users_secret" = [])),
    request_body = Credentials,
    responses(
        (status = 200, description = "The session.", body = NewSession),
        (status = 400, description = "The body is no login.", body = ErrorBody<'_>,
            example = json!({"error": "a username is 1 to 512 bytes"})),
        (status = 401, description = "`X-Sessiond-Secret` is missing or wrong.",
            body = ErrorBody<'_>, headers(("WWW-Authenticate" = String)),
            example = json!({"error": "the header X-Sessiond-Secret is missing or wrong"})),
        (status = 403, description = "Another site made the browser send this (`Sec-Fetch-Site`).",
            body = ErrorBody<'_>, example = json!({"error": "another site sent this request"})),
        (status = 408, description = "The body took too long.", body = ErrorBody<'_>,
            example = json!({"error": "the body took too long"})),
        (status = 409, description = "All sessions of the user were being ended, again and again; try once more.",
            body = ErrorBody<'_>,
            example = json!({"error": "too many concurrent writes; the session was not changed, retry later"})),
        (status = 413, description = "The body is larger than 64 KiB.", body = ErrorBody<'_>,
            example = json!({"error": "the body is larger than 65536 bytes"})),
        (status = 429, description = "Too many failed authentications.", body = ErrorBody<'_>,
            headers(("Retry-After" = u64)),
            example = json!({"error": "too many failed authentications; try again later"})),
    ))]
pub(super) async fn create(
    State(state): State<UsersState>,
    client: Client,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    refuse_other_sites(&headers)?;
    let secret = state.secret.check(&headers);
    secret.map_err(|refusal| state.app.failures.failed(client, refusal))?;
    let body = read_body(body, MAX_BODY, state.app.body_timeout()).await?;
    let Credentials { username, .. } = Credentials::parse(&body)?;
    drop(body);
    let session = state.sessions.new_session();
    session.set_owner(username)?;
    let session_id = session.create().await?;
    Ok(private(NewSession { session_id }))
}
