//! The methods.

use jwt_redis_session::token::TokenError;
use jwt_redis_session::{SessionError, SessionId};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::ApiError;
use crate::http::Client;
use crate::optional::optional;
use crate::retry::retry_conflicts;
use crate::rpc::active_sessions::{self, Active};
use crate::rpc::arguments::Arguments;
use crate::rpc::fields::{self, Keys};
use crate::rpc::json;
use crate::rpc::state::{RpcState, SESSION_ID, SESSION_VERSION};

/// The descriptions of all methods, which begin with their names.
const METHODS: &str = "\
create {session, userId}: stores a new session of the user and returns {token}
get {token, sessionVersion, keys}: returns the fields in keys (\"*\": all fields; a list of names; \
absent: none), or null if the session has ended; resets its time to live
update {token, sessionVersion, session}: sets the fields of session in the stored one, keeps all \
others and returns \"OK\"; an error if the session has ended
destroy {token, sessionVersion}: ends the session and returns \"OK\"; an error if it has ended \
already
getActiveSessions {userId, sessionVersion, limit, cursor}: without limit and cursor, returns the \
user's sessions, each {sessionId, createdAt, expiresAt, session}, oldest first, but no more than the \
1000 that were used last and about 4 MiB; with limit (1 to 1000), returns a page {sessions, cursor} of \
them, least recently used first; pass its cursor for the next page until it is null
destroyAll {userId, sessionVersion}: ends all sessions of the user and returns their number
methods: lists all methods";

/// The result of a method, as JSON.
type Answer = Result<String, ApiError>;

/// A call of a method, with its arguments and the client that sent it.
struct Invocation<'a> {
    state: &'a RpcState,
    client: Client,
    args: Arguments<'a>,
}

/// Session in the result of `getActiveSessions`; times in Unix seconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActiveSession {
    session_id: String,
    created_at: Option<u64>,
    expires_at: Option<u64>,
    session: Box<RawValue>,
}

/// Calls the method `name` with the JSON text `args`.
/// Errors: 404 for an unknown method; 400 for wrong arguments; otherwise those of the method.
pub(super) async fn call(
    state: &RpcState,
    client: Client,
    name: &str,
    args: Option<&str>,
) -> Answer {
    // Parsed only for known methods: an unknown one is 404 whatever its arguments.
    let call = || {
        Arguments::parse(args).map(|args| Invocation {
            state,
            client,
            args,
        })
    };
    // Boxed, except the most frequent method: the future of each request is as large as the largest
    // of these, and is moved a dozen times before it runs.
    match name {
        "create" => Box::pin(call()?.create()).await,
        "get" => call()?.get().await,
        "update" => Box::pin(call()?.update()).await,
        "destroy" => Box::pin(call()?.destroy()).await,
        "getActiveSessions" => Box::pin(call()?.list()).await,
        "destroyAll" => Box::pin(call()?.destroy_all()).await,
        "methods" => call().and_then(|_| list_methods()),
        _ => Err(ApiError::not_found(
            "unknown method; the method `methods` lists all",
        )),
    }
}

impl Invocation<'_> {
    async fn create(&self) -> Answer {
        let (fields, user) = (self.args.session()?, self.args.text("userId")?);
        let session = self.state.sessions.new_session();
        fields::set(&session, fields)?;
        session.set_owner(&user)?;
        // The claims contain the id, so it must be known before the session is created.
        let id = SessionId::parse(Uuid::new_v4().to_string()).expect("a UUID is an id");
        let claims = json!({
            SESSION_ID: self.state.session_id(&user, &id),
            SESSION_VERSION: self.state.version(),
        });
        match session.create().id(id).claims(claims).await {
            Ok(token) => json::write(&json!({ "token": token })),
            // The token contains the user id twice, and JSON writes a control character as six
            // bytes.
            Err(SessionError::Token(TokenError::TooLong)) => Err(ApiError::bad_request(
                "the userId makes the token too long; use fewer control characters",
            )),
            Err(error) => Err(error.into()),
        }
    }

    async fn get(&self) -> Answer {
        let (id, keys) = (self.token_id()?, &self.args.keys()?);
        match optional(self.state.sessions.get(&id).await)? {
            Some(session) => fields::select(session.to_text(), keys),
            None => json::write(&()),
        }
    }

    /// Sets fields in one atomic step: a concurrent `update` of other fields is kept, and a
    /// concurrent `destroy` wins.
    async fn update(&self) -> Answer {
        let gone = || {
            ApiError::bad_request(
                "the session is gone: it was destroyed or has expired; create one",
            )
        };
        let (fields, id) = (self.args.session()?, self.token_id()?);
        // The update itself refreshes the TTL.
        let loaded = self.state.sessions.get_without_touch(&id).await;
        let session = optional(loaded)?.ok_or_else(gone)?;
        fields::set(&session, fields)?;
        let update = || async {
            session.update().await.map_err(|error| match error {
                SessionError::Gone => gone(),
                error => error.into(),
            })
        };
        retry_conflicts(update).await?;
        json::write(&"OK")
    }

    async fn destroy(&self) -> Answer {
        if self.state.sessions.destroy(&self.token_id()?).await? {
            return json::write(&"OK");
        }
        Err(ApiError::bad_request(
            "there was an issue destroying the session: there is none; it has ended already",
        ))
    }

    async fn list(&self) -> Answer {
        /// Page of sessions in the result.
        #[derive(Serialize)]
        struct Page<'a> {
            sessions: Vec<ActiveSession>,
            cursor: Option<&'a str>,
        }
        let user = self.user_id()?;
        let sessions = &self.state.sessions;
        let Some((limit, after)) = self.args.page()? else {
            // The clients of the original service support no pages.
            let found = active_sessions::latest(sessions, &user).await?;
            return json::write(&self.entries(&user, found)?);
        };
        let (found, next) = active_sessions::page(sessions, &user, after, limit).await?;
        let next = next.map(|next| next.to_string());
        json::write(&Page {
            sessions: self.entries(&user, found)?,
            cursor: next.as_deref(),
        })
    }

    fn entries(&self, user: &str, found: Vec<Active>) -> Result<Vec<ActiveSession>, ApiError> {
        let entry = |active: Active| {
            let session = RawValue::from_string(fields::select(active.data, &Keys::All)?);
            Ok(ActiveSession {
                session_id: self.state.session_id(user, &active.id),
                created_at: active.created_at,
                expires_at: active.expires_at,
                session: session.map_err(|_| ApiError::internal(&"a session is not JSON"))?,
            })
        };
        found.into_iter().map(entry).collect()
    }

    async fn destroy_all(&self) -> Answer {
        let user = self.user_id()?;
        json::write(&self.state.sessions.destroy_all(&user).await?)
    }

    /// Returns the session id in the argument `token`.
    fn token_id(&self) -> Result<SessionId, ApiError> {
        let token = self.args.text("token")?;
        self.state
            .check_version(&self.args.text(SESSION_VERSION)?)?;
        self.state.verify(self.client, &token)
    }

    fn user_id(&self) -> Result<String, ApiError> {
        let user = self.args.text("userId")?;
        self.state
            .check_version(&self.args.text(SESSION_VERSION)?)?;
        Ok(user)
    }
}

fn list_methods() -> Answer {
    let describe = |docs: &str| json!({ "name": docs.split([' ', ':']).next(), "docs": docs });
    let methods: Vec<_> = METHODS.lines().map(describe).collect();
    json::write(&methods)
}
