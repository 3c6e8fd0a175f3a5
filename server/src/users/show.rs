//! Asking who is logged in.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

use crate::error::{ApiError, ErrorBody};
use crate::http::Client;
use crate::users::state::{User, UsersState, private};

/// Returns the user of the session that the bearer token names.
///
/// The session lives on for the setting `users.session_ttl` from now.
#[utoipa::path(get, path = "/sessions", tag = "users",
    security(("user_session" = [])),
    responses(
        (status = 200, description = "Its user.", body = User),
        (status = 401, description = "There is no bearer token, or no session that it names.",
            body = ErrorBody<'_>, headers(("WWW-Authenticate" = String)),
            example = json!({"error": "Session does not exist."})),
        (status = 403, description = "Another site made the browser send this (`Sec-Fetch-Site`).",
            body = ErrorBody<'_>, example = json!({"error": "another site sent this request"})),
        (status = 429, description = "Too many requests without a bearer token, or with one that never was a token; one whose session has ended is always answered 401.",
            body = ErrorBody<'_>,
            headers(("Retry-After" = u64)),
            example = json!({"error": "too many failed authentications; try again later"})),
    ))]
pub(super) async fn show(
    State(state): State<UsersState>,
    client: Client,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    Ok(private(state.user(client, &headers).await?))
}
