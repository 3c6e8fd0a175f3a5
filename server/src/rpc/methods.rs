//! The methods.

use std::borrow::Cow;

use jwt_redis_session::token::TokenError;
use jwt_redis_session::{SessionEntry, SessionError, SessionId, Token};
use serde::{Serialize, Serializer};
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::ApiError;
use crate::http::Client;
use crate::optional::OptionalSession as _;
use crate::retry::retry_conflicts;
use crate::rpc::arguments::Arguments;
use crate::rpc::fields::{self, Fields, Keys};
use crate::rpc::state::{RpcState, SESSION_ID, SESSION_VERSION};
use crate::rpc::wire::CallResult;
use crate::unix_time;

/// Description of a method, in the result of `methods`.
#[derive(Serialize)]
struct Method {
    name: &'static str,
    docs: &'static str,
}

const METHODS: [Method; 7] = [
    Method {
        name: "create",
        docs: "create {session, userId}: stores a new session of the user and returns {token}",
    },
    Method {
        name: "get",
        docs: "get {token, sessionVersion, keys}: returns the fields in keys (\"*\": all fields; \
               a list of names; absent: none), or null if the session has ended; resets its time \
               to live",
    },
    Method {
        name: "update",
        docs: "update {token, sessionVersion, session}: sets the fields of session in the stored \
               one, keeps all others and returns \"OK\"; an error if the session has ended",
    },
    Method {
        name: "destroy",
        docs: "destroy {token, sessionVersion}: ends the session and returns \"OK\"; an error if \
               it has ended already",
    },
    Method {
        name: "getActiveSessions",
        docs: "getActiveSessions {userId, sessionVersion}: returns the user's sessions, each \
               {sessionId, createdAt, expiresAt, session}, oldest first",
    },
    Method {
        name: "destroyAll",
        docs: "destroyAll {userId, sessionVersion}: ends all sessions of the user and returns \
               their number",
    },
    Method {
        name: "methods",
        docs: "list all available methods",
    },
];

/// Calls the method `name` with the JSON text `args`.
///
/// # Errors
///
/// 404 if there is no such method; 400 if the arguments are wrong; otherwise those of the method.
pub(super) async fn call(
    state: &RpcState,
    client: Client,
    name: Option<&str>,
    args: Option<&str>,
) -> Result<CallResult, ApiError> {
    // Parsed only for known methods: an unknown one is 404 whatever its arguments.
    let args = || Arguments::parse(args);
    match name.unwrap_or_default() {
        "create" => create(state, &args()?).await,
        "get" => get(state, client, &args()?).await,
        "update" => update(state, client, &args()?).await,
        "destroy" => destroy(state, client, &args()?).await,
        "getActiveSessions" => list(state, &args()?).await,
        "destroyAll" => destroy_all(state, &args()?).await,
        "methods" => args().and_then(|_| CallResult::new(&METHODS)),
        _ => Err(ApiError::not_found("unknown method")),
    }
}

async fn create(state: &RpcState, args: &Arguments<'_>) -> Result<CallResult, ApiError> {
    #[derive(Serialize)]
    struct Created {
        token: Token,
    }
    let fields = args.session()?;
    let user = args.user_id()?;
    let session = state.sessions.new_session();
    fields::set(&session, fields)?;
    session.set_owner(&*user)?;
    // The claims contain the id, so it must be known before the session is created.
    let id = SessionId::parse(Uuid::new_v4().to_string()).expect("a UUID is an id");
    let claims = json!({
        SESSION_ID: state.session_id(&user, &id),
        SESSION_VERSION: state.version(),
    });
    match session.create().id(id).claims(claims).await {
        Ok(token) => CallResult::new(&Created { token }),
        // The token contains the user id twice, and JSON writes a control character as six bytes.
        Err(SessionError::Token(TokenError::TooLong)) => Err(ApiError::bad_request(
            "the userId makes the token too long; use fewer control characters",
        )),
        Err(error) => Err(error.into()),
    }
}

async fn get(
    state: &RpcState,
    client: Client,
    args: &Arguments<'_>,
) -> Result<CallResult, ApiError> {
    let id = token_id(state, client, args)?;
    let keys = &args.keys()?;
    match state.sessions.get(&id).await.optional()? {
        Some(session) => {
            let stored = &session.to_raw_json();
            CallResult::new(&Fields { stored, keys })
        }
        None => CallResult::new(&()),
    }
}

/// Sets fields in one atomic step: a concurrent `update` of other fields is kept, and a concurrent
/// `destroy` wins.
async fn update(
    state: &RpcState,
    client: Client,
    args: &Arguments<'_>,
) -> Result<CallResult, ApiError> {
    let gone = || ApiError::bad_request("the session is gone: it was destroyed or has expired");
    let fields = args.session()?;
    let id = token_id(state, client, args)?;
    // The update itself refreshes the TTL.
    let loaded = state.sessions.get_without_touch(&id).await;
    let session = loaded.optional()?.ok_or_else(gone)?;
    fields::set(&session, fields)?;
    let update = || async {
        session.update().await.map_err(|error| match error {
            SessionError::Gone => gone(),
            error => error.into(),
        })
    };
    retry_conflicts(update).await?;
    CallResult::new(&"OK")
}

async fn destroy(
    state: &RpcState,
    client: Client,
    args: &Arguments<'_>,
) -> Result<CallResult, ApiError> {
    let id = token_id(state, client, args)?;
    if state.sessions.destroy(&id).await? {
        return CallResult::new(&"OK");
    }
    Err(ApiError::bad_request(
        "there was an issue destroying the session: there is none",
    ))
}

async fn list(state: &RpcState, args: &Arguments<'_>) -> Result<CallResult, ApiError> {
    /// Session in the result; times in Unix seconds.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ActiveSession {
        session_id: String,
        created_at: Option<u64>,
        expires_at: Option<u64>,
        #[serde(serialize_with = "all_fields")]
        session: Box<RawValue>,
    }
    let user = user_id(state, args)?;
    let entries = state.sessions.list(&user).await?;
    let describe = |entry: &SessionEntry| ActiveSession {
        session_id: state.session_id(&user, entry.id()),
        created_at: entry.created_at().and_then(unix_time::seconds),
        expires_at: entry.expires_at().and_then(unix_time::seconds),
        session: entry.data().to_raw_json(),
    };
    let active: Vec<_> = entries.iter().map(describe).collect();
    CallResult::new(&active)
}

async fn destroy_all(state: &RpcState, args: &Arguments<'_>) -> Result<CallResult, ApiError> {
    let user = user_id(state, args)?;
    CallResult::new(&state.sessions.destroy_all(&user).await?)
}

fn all_fields<S: Serializer>(stored: &RawValue, serializer: S) -> Result<S::Ok, S::Error> {
    let keys = &Keys::All;
    Fields { stored, keys }.serialize(serializer)
}

/// Returns the session id in the argument `token`.
fn token_id(state: &RpcState, client: Client, args: &Arguments<'_>) -> Result<SessionId, ApiError> {
    let token = args.token()?;
    state.check_version(&args.session_version()?)?;
    state.verify(client, &token)
}

/// Returns the argument `userId`.
fn user_id<'a>(state: &RpcState, args: &Arguments<'a>) -> Result<Cow<'a, str>, ApiError> {
    let user = args.user_id()?;
    state.check_version(&args.session_version()?)?;
    Ok(user)
}
