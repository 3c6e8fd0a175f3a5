//! All sessions of an owner.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use jwt_redis_session::SessionId;
use serde::Deserialize;

use crate::admin::error::PageError;
use crate::admin::form::Submitted;
use crate::admin::operator::Operator;
use crate::admin::owner::Owner;
use crate::admin::owner_page::{OwnerSessions, render};
use crate::admin::page::Note;
use crate::admin::state::AdminState;
use crate::admin::text;
use crate::error::ApiError;

/// The field of the operator's session that holds the chosen owner.
const CHOSEN: &str = "owner";

/// A form about one session. It names the owner: another tab may have chosen another one since
/// the page was rendered.
#[derive(Deserialize)]
pub(super) struct EndForm {
    #[serde(flatten)]
    owner: Owner,
    id: String,
}

/// Lists the sessions of the owner that was last chosen.
pub(super) async fn list(
    State(state): State<Arc<AdminState>>,
    operator: Operator,
) -> Result<Response, PageError> {
    let listed = match operator.recall(CHOSEN) {
        Some(owner) => load(&state, owner).await?,
        None => None,
    };
    let note = operator.take_note().await;
    let page = render(operator.form_token(), &note, &state, listed.as_ref());
    Ok(page.into_response())
}

/// Chooses an owner.
pub(super) async fn choose(
    State(state): State<Arc<AdminState>>,
    Submitted {
        operator,
        form: owner,
    }: Submitted<Owner>,
) -> Result<Response, PageError> {
    state.owned_by(owner.api)?;
    if !(1..=512).contains(&owner.name.len()) {
        let note = Note::alert("an owner is 1 to 512 bytes of UTF-8");
        let page = render(operator.form_token(), &note, &state, None);
        return Ok((StatusCode::BAD_REQUEST, page).into_response());
    }
    operator.remember(CHOSEN, owner).await?;
    Ok(Redirect::to("/admin/owners").into_response())
}

/// Ends one session of an owner.
pub(super) async fn end(
    State(state): State<Arc<AdminState>>,
    Submitted { operator, form }: Submitted<EndForm>,
) -> Result<Redirect, PageError> {
    let owner = form.owner.decode()?;
    let id = SessionId::parse(&form.id)
        .map_err(|_| ApiError::bad_request("this is not a valid session id"))?;
    let sessions = state.owned_by(owner.api)?;
    let ended = sessions.destroy_owned(&owner.name, &id).await?;
    if ended {
        let api = owner.api.name();
        tracing::info!(api, "an operator has ended a session of an owner");
    }
    operator.notify(text::ended(ended)).await;
    Ok(Redirect::to("/admin/owners"))
}

/// Ends all sessions of an owner.
pub(super) async fn end_all(
    State(state): State<Arc<AdminState>>,
    Submitted { operator, form }: Submitted<Owner>,
) -> Result<Redirect, PageError> {
    let owner = form.decode()?;
    let ended = state.owned_by(owner.api)?.destroy_all(&owner.name).await?;
    let api = owner.api.name();
    tracing::info!(api, ended, "an operator has ended all sessions of an owner");
    let notice = format!("{} ended.", text::count_sessions(ended));
    operator.notify(&notice).await;
    Ok(Redirect::to("/admin/owners"))
}

async fn load(state: &AdminState, owner: Owner) -> Result<Option<OwnerSessions>, PageError> {
    // The API may have been disabled since the owner was chosen.
    let Ok(sessions) = state.owned_by(owner.api) else {
        return Ok(None);
    };
    let mut entries = sessions.list(&owner.name).await?;
    entries.reverse();
    Ok(Some(OwnerSessions { owner, entries }))
}
