//! Logging out, everywhere.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;

use crate::error::{ApiError, ErrorBody};
use crate::http::Client;
use crate::users::state::{User, UsersState, private};

/// Ends every session of a user, by one of them.
///
/// Once this is answered, no session of the user that was created before the request works any
/// more.
#[utoipa::path(delete, path = "/sessions/{username}", tag = "users",
    security(("user_session" = [])),
    params(("username" = String, Path, description = "The user of the bearer session, percent-encoded UTF-8.",
        example = "jo")),
    responses(
        (status = 200, description = "They have ended.", body = User),
        (status = 400, description = "The name in the path is not UTF-8.", body = ErrorBody<'_>,
            example = json!({"error": "the username in the path is not UTF-8"})),
        (status = 401, description = "There is no bearer token or no session that it names, or it is another user's; nothing has ended.",
            body = ErrorBody<'_>, headers(("WWW-Authenticate" = String)),
            examples(
                ("no session" = (value = json!({"error": "Session does not exist."}))),
                ("another user's" = (value = json!({"error": "Invalid session."}))),
            )),
        (status = 403, description = "Another site made the browser send this (`Sec-Fetch-Site`).",
            body = ErrorBody<'_>, example = json!({"error": "another site sent this request"})),
        (status = 429, description = "Too many requests without a bearer token, or with one that never was a token; one whose session has ended is always answered 401.",
            body = ErrorBody<'_>,
            headers(("Retry-After" = u64)),
            example = json!({"error": "too many failed authentications; try again later"})),
        (status = 503, description = "The store cannot be reached; some sessions may live on. Repeat the request.",
            body = ErrorBody<'_>, headers(("Retry-After" = u64)),
            example = json!({"error": "the session store is not available"})),
    ))]
pub(super) async fn destroy(
    State(state): State<UsersState>,
    client: Client,
    headers: HeaderMap,
    username: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Ok(Path(username)) = username else {
        return Err(ApiError::bad_request(
            "the username in the path is not UTF-8",
        ));
    };
    let user = state.user(client, &headers).await?;
    if user.username != username {
        return Err(ApiError::unauthorized(
            "Invalid session.",
            r#"Bearer realm="sessiond""#,
        ));
    }
    state.sessions.destroy_all(&username).await?;
    Ok(private(user))
}
