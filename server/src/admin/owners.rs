//! Handlers for the sessions of an owner.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jwt_redis_session::SessionId;

use crate::admin::operator::Operator;
use crate::admin::owner_page::render;
use crate::admin::owner_sessions::{Owner, OwnerSessions};
use crate::admin::page::{self, Note};
use crate::admin::refusal::Refusal;
use crate::admin::state::AdminState;
use crate::admin::submitted::Submitted;
use crate::admin::text::count_sessions;
use crate::error::ApiError;

/// The field of the operator's session that holds the chosen owner.
const CHOSEN: &str = "owner";

/// Lists the sessions of the owner that was last chosen.
pub(super) async fn list(
    State(state): State<Arc<AdminState>>,
    operator: Operator,
) -> Result<Response, Refusal> {
    let listed = match operator.recall(CHOSEN) {
        Some(owner) => load(&state, owner).await?,
        None => None,
    };
    let notice = operator.take_notice().await;
    let note = Note::notice(notice.as_deref());
    let page = render(operator.form_token(), &note, &state.apis, listed.as_ref());
    Ok(page::answer(StatusCode::OK, page))
}

/// Chooses an owner.
pub(super) async fn choose(
    State(state): State<Arc<AdminState>>,
    Submitted { operator, form }: Submitted,
) -> Result<Response, Refusal> {
    let owner = Owner::typed_in(&form)?;
    state.apis.sessions(owner.api)?;
    if !(1..=512).contains(&owner.name.len()) {
        let note = Note::alert("an owner is 1 to 512 bytes");
        let page = render(operator.form_token(), &note, &state.apis, None);
        return Ok(page::answer(StatusCode::BAD_REQUEST, page));
    }
    operator.remember(CHOSEN, owner).await?;
    Ok(page::redirect("/admin/owners"))
}

/// Ends one session of an owner.
pub(super) async fn end(
    State(state): State<Arc<AdminState>>,
    Submitted { operator, form }: Submitted,
) -> Result<Response, Refusal> {
    let owner = Owner::encoded_in(&form)?;
    let id = SessionId::parse(form.field("id")?)
        .map_err(|_| ApiError::bad_request("this is no id of a session"))?;
    let sessions = state.apis.sessions(owner.api)?;
    let notice = if sessions.destroy_owned(&owner.name, &id).await? {
        tracing::info!(
            api = owner.api.name(),
            "an operator has ended a session of an owner"
        );
        "The session has ended."
    } else {
        "There was no such session any more."
    };
    operator.notify(notice).await;
    Ok(page::redirect("/admin/owners"))
}

/// Ends all sessions of an owner.
pub(super) async fn end_all(
    State(state): State<Arc<AdminState>>,
    Submitted { operator, form }: Submitted,
) -> Result<Response, Refusal> {
    let owner = Owner::encoded_in(&form)?;
    let sessions = state.apis.sessions(owner.api)?;
    let ended = sessions.destroy_all(&owner.name).await?;
    tracing::info!(
        api = owner.api.name(),
        ended,
        "an operator has ended all sessions of an owner"
    );
    let notice = format!("{} ended.", count_sessions(ended));
    operator.notify(&notice).await;
    Ok(page::redirect("/admin/owners"))
}

async fn load(state: &AdminState, owner: Owner) -> Result<Option<OwnerSessions>, Refusal> {
    // The API may have been disabled since the owner was chosen.
    let Ok(sessions) = state.apis.sessions(owner.api) else {
        return Ok(None);
    };
    let mut entries = sessions.list(&owner.name).await?;
    entries.reverse();
    Ok(Some(OwnerSessions { owner, entries }))
}
