//! All sessions of an owner.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jwt_redis_session::{SessionEntry, SessionId};
use serde::{Deserialize, Serialize};

use crate::admin::desk::Desk;
use crate::admin::encoded;
use crate::admin::form::Form;
use crate::admin::operator::Operator;
use crate::admin::owner_doors::OwnerDoor;
use crate::admin::owner_page::render;
use crate::admin::page::{self, Note};
use crate::admin::refusal::Refusal;
use crate::admin::submitted::Submitted;
use crate::admin::text::count_sessions;
use crate::error::ApiError;

/// Under which name the operator's session keeps whose sessions are looked at.
const CHOSEN: &str = "owner";

/// Whose sessions are looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Chosen {
    pub(super) door: OwnerDoor,
    pub(super) owner: String,
}

/// An owner, and its sessions from the newest to the oldest.
pub(super) struct Listed {
    pub(super) chosen: Chosen,
    pub(super) entries: Vec<SessionEntry>,
}

/// Lists the sessions of the owner that was last chosen.
pub(super) async fn list(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
) -> Result<Response, Refusal> {
    let chosen: Option<Chosen> = operator.recall(CHOSEN);
    let listed = match chosen {
        Some(chosen) => look(&desk, chosen).await?,
        None => None,
    };
    let notice = operator.take_notice().await;
    let note = Note::notice(notice.as_deref());
    let page = render(&operator, &note, &desk.doors, listed.as_ref());
    Ok(page::answer(StatusCode::OK, page))
}

/// Chooses an owner.
pub(super) async fn choose(
    State(desk): State<Arc<Desk>>,
    Submitted { operator, form }: Submitted,
) -> Result<Response, Refusal> {
    let chosen = Chosen {
        door: OwnerDoor::parse(form.field("door")?)?,
        owner: form.field("owner")?.to_owned(),
    };
    desk.doors.sessions(chosen.door)?;
    if !(1..=512).contains(&chosen.owner.len()) {
        let note = Note::alert("an owner is 1 to 512 bytes");
        let page = render(&operator, &note, &desk.doors, None);
        return Ok(page::answer(StatusCode::BAD_REQUEST, page));
    }
    operator.remember(CHOSEN, chosen).await?;
    Ok(page::redirect("/admin/owners"))
}

/// Ends one session of an owner.
pub(super) async fn end(
    State(desk): State<Arc<Desk>>,
    Submitted { operator, form }: Submitted,
) -> Result<Response, Refusal> {
    let Chosen { door, owner } = named(&form)?;
    let id = SessionId::parse(form.field("id")?)
        .map_err(|_| ApiError::bad_request("this is no id of a session"))?;
    let sessions = desk.doors.sessions(door)?;
    let notice = if sessions.destroy_owned(&owner, &id).await? {
        tracing::info!(
            door = door.name(),
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
    State(desk): State<Arc<Desk>>,
    Submitted { operator, form }: Submitted,
) -> Result<Response, Refusal> {
    let Chosen { door, owner } = named(&form)?;
    let ended = desk.doors.sessions(door)?.destroy_all(&owner).await?;
    tracing::info!(
        door = door.name(),
        ended,
        "an operator has ended all sessions of an owner"
    );
    let notice = format!("{} ended.", count_sessions(ended));
    operator.notify(&notice).await;
    Ok(page::redirect("/admin/owners"))
}

/// Whom a form is about: never whom was chosen last, which another tab may have changed.
fn named(form: &Form) -> Result<Chosen, ApiError> {
    Ok(Chosen {
        door: OwnerDoor::parse(form.field("door")?)?,
        owner: encoded::decode(form.field("owner")?)?,
    })
}

async fn look(desk: &Desk, chosen: Chosen) -> Result<Option<Listed>, Refusal> {
    // The door may have been shut since.
    let Ok(sessions) = desk.doors.sessions(chosen.door) else {
        return Ok(None);
    };
    let mut entries = sessions.list(&chosen.owner).await?;
    entries.reverse();
    Ok(Some(Listed { chosen, entries }))
}
