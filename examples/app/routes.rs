//! The routes that use a session.

use std::convert::Infallible;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{MethodFilter, on};
use axum::{Json, Router};
use futures_util::stream::{self, Stream, StreamExt as _};
use jwt_redis_session::{ActiveSession, Session, SessionEnd, SessionError, SessionId, Sessions};
use serde_json::{Map, Value, json};

use crate::error::AppError;
use crate::params::Params;

pub(crate) const GET_AND_POST: MethodFilter = MethodFilter::GET.or(MethodFilter::POST);

type Answer = Result<Json<Value>, AppError>;

/// Returns the routes below `path`.
pub(crate) fn router(path: &str, sessions: Sessions) -> Router {
    let routes = Router::new()
        .route("/session/create", on(GET_AND_POST, create))
        .route("/session/read", on(GET_AND_POST, read))
        .route("/session/update", on(GET_AND_POST, update))
        .route("/session/reload", on(GET_AND_POST, reload))
        .route("/session/touch", on(GET_AND_POST, touch))
        .route("/session/rotate", on(GET_AND_POST, rotate))
        .route("/session/list", on(GET_AND_POST, list))
        .route("/session/events", on(GET_AND_POST, events))
        .route("/session/destroy", on(GET_AND_POST, destroy))
        .route("/session/destroy-others", on(GET_AND_POST, destroy_others))
        .route("/session/destroy-all", on(GET_AND_POST, destroy_all))
        .with_state(sessions);
    if path.is_empty() {
        routes
    } else {
        Router::new().nest(path, routes)
    }
}

/// This is a demo: any password will do. A real app checks it here, takes it from a POST body
/// only, and limits how often it may be tried.
async fn create(session: Session, Params(mut params): Params) -> Answer {
    let username = credential(&mut params, "username")?;
    let _password = credential(&mut params, "password")?;
    session.merge(params)?;
    session.insert("user", json!({ "name": username }))?;
    session.set_owner(username)?;
    let token = session.create().await?;
    Ok(Json(json!({ "token": token })))
}

/// Removes a parameter that is required: a text that is not empty.
fn credential(params: &mut Map<String, Value>, name: &str) -> Result<String, AppError> {
    match params.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(AppError::bad_request(format!("`{name}` is required"))),
    }
}

async fn read(session: ActiveSession) -> Answer {
    let (id, session) = (session.id(), session.to_json());
    Ok(Json(json!({ "id": id, "session": session })))
}

async fn update(session: ActiveSession, Params(mut params): Params) -> Answer {
    if params.is_empty() {
        params.insert("foo".to_owned(), json!("bar"));
    }
    for (name, value) in params {
        // `insert` checks the name for `remove` as well.
        session.insert(&name, &value)?;
        if value.is_null() {
            session.remove(&name);
        }
    }
    session.update().await?;
    shown(&session)
}

async fn reload(session: ActiveSession) -> Answer {
    session.reload().await?;
    shown(&session)
}

async fn touch(session: ActiveSession) -> Answer {
    session.touch().await?;
    shown(&session)
}

fn shown(session: &Session) -> Answer {
    Ok(Json(json!({ "session": session.to_json() })))
}

async fn rotate(session: ActiveSession) -> Answer {
    let token = session.rotate().await?;
    Ok(Json(json!({ "token": token })))
}

/// Times are Unix seconds for the page.
fn seconds(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

async fn list(session: ActiveSession) -> Answer {
    let current = session.id();
    let entries = session.list().await?;
    let entries = entries.iter().map(|entry| {
        json!({
            "id": entry.id(),
            "created": entry.created_at().map(seconds),
            "expires": entry.expires_at().map(seconds),
            "current": Some(entry.id()) == current.as_ref(),
        })
    });
    Ok(Json(json!({ "sessions": entries.collect::<Vec<_>>() })))
}

/// Reports the end of the session, and ends with it.
async fn events(session: ActiveSession) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ended = session.ended();
    let event = |end: SessionEnd| Ok(Event::default().event("end").data(end.to_string()));
    let events = stream::once(ended).map(event);
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Ends this session, or the one of the same owner that `id` names.
async fn destroy(
    State(sessions): State<Sessions>,
    session: ActiveSession,
    Params(params): Params,
) -> Result<(), AppError> {
    let Some(id) = params.get("id") else {
        session.destroy().await?;
        return Ok(());
    };
    let id = id.as_str().and_then(|id| SessionId::parse(id).ok());
    let id = id.ok_or_else(|| AppError::bad_request("`id` is not a session's"))?;
    let owner = session.owner().ok_or(SessionError::NoOwner)?;
    if !sessions.destroy_owned(&owner, &id).await? {
        let message = "you have no such session";
        return Err(AppError::new(StatusCode::NOT_FOUND, message));
    }
    Ok(())
}

async fn destroy_others(session: ActiveSession) -> Answer {
    let destroyed = session.destroy_others().await?;
    Ok(Json(json!({ "destroyed": destroyed })))
}

async fn destroy_all(session: ActiveSession) -> Answer {
    let destroyed = session.destroy_all().await?;
    Ok(Json(json!({ "destroyed": destroyed })))
}
